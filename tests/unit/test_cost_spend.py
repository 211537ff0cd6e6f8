"""What the farm costs now: each item, its tier, and that everything adds up; what is wasted, and what is not."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.farm import Farm
from farmtui.farm.node import CloudAccount, Tier
from farmtui.farm.traffic import Edge, SiteTraffic
from farmtui.insight.costs import costs
from farmtui.insight.site_costs import site_costs
from farmtui.insight.spend import Spend, spend
from farmtui.insight.waste import waste, wasted_per_month
from tests.screens.cost_farms import cost_farm, droplet, forbidden_farm, guest


def spent_of(farm: Farm) -> Spend:
    """The spend, which there is."""
    found = spend(farm)
    assert found is not None
    return found


def prices(farm: Farm) -> dict[str, Decimal | None]:
    """Each item's price by its key."""
    return {item.key: item.per_month for item in spent_of(farm).items}


def test_every_item_of_the_account_has_its_price() -> None:
    found = prices(cost_farm(pve=False))
    assert found == {
        "droplet/1": Decimal(48),
        "droplet/2": Decimal(96),
        "backups/2": Decimal("19.20"),
        "volume/v1": Decimal(10),
        "volume/v2": Decimal(50),
        "balancer/l1": Decimal(24),
        "balancer/l2": Decimal(12),
        "ip/198.51.100.2": Decimal(5),
        "snapshot/s1": Decimal(3),
        "snapshot/s2": Decimal(6),
    }


def test_hardware_is_spread_by_the_memory_of_what_runs() -> None:
    found = prices(cost_farm(cloud=False))
    assert sum(amount for amount in found.values() if amount is not None) == 446
    # 32 + 32 + 64 + 16 GiB; neither the template nor what is stopped.
    assert set(found) == {"guest/main/1", "guest/main/2", "guest/main/3", "guest/main/4"}
    assert found["guest/main/3"] == Decimal("198.22")
    by_guests = prices(cost_farm(cloud=False, spread={"hosts": "guests"}))
    assert set(by_guests.values()) == {Decimal("111.50")}


def test_what_hangs_on_machines_of_one_tier_is_that_tiers() -> None:
    tiers = {item.key: item.tier for item in spent_of(cost_farm()).items}
    assert tiers["volume/v1"] is tiers["snapshot/s1"] is tiers["backups/2"] is Tier.CACHE
    assert tiers["balancer/l1"] is Tier.EDGE
    assert tiers["volume/v2"] is None


def test_dollars_become_the_farms_currency() -> None:
    found = prices(cost_farm(pve=False, currency="EUR", per_usd="0.9"))
    assert found["droplet/2"] == Decimal("86.40")


def test_a_price_that_is_not_told_is_not_made_up() -> None:
    farm = cost_farm(pve=False)
    assert farm.cloud is not None
    farm = dataclasses.replace(farm, cloud=dataclasses.replace(farm.cloud, droplets=(droplet(1, "mgr-1", None),)))
    found = spent_of(farm)
    assert prices(farm)["droplet/1"] is None
    assert not found.complete
    assert "1 of" in found.notes[0]


def test_what_does_not_answer_leaves_the_least_that_it_can_be() -> None:
    found = spent_of(forbidden_farm())
    assert (found.complete, found.known, found.per_month) == (False, True, Decimal(446))
    assert "401" in found.notes[0]


def test_hardware_that_nothing_is_said_of_is_missed() -> None:
    found = spent_of(cost_farm(hardware=None))
    assert not found.complete
    assert "cost.hardware" in found.notes[0]


def test_where_nothing_tells_of_money_nobody_has_looked() -> None:
    found = spent_of(cost_farm(cloud=False, pve=False))
    assert (found.configured, found.known, found.complete) == (False, False, False)
    assert found.notes[0].startswith("not configured")
    assert all(key in found.notes[0] for key in ("digitalocean.token", "cost.hardware", "cost.fixed"))
    # A sum in the config is a price: that is all that this farm pays.
    fixed = spent_of(cost_farm(cloud=False, pve=False, fixed=[{"name": "domains", "per_month": 20}]))
    assert (fixed.configured, fixed.known, fixed.complete) == (True, True, True)


def test_proxmox_that_has_not_answered_yet_misses_its_hardware_too() -> None:
    farm = dataclasses.replace(cost_farm(cloud=False, hardware=None), pve=())
    found = spent_of(farm)
    assert (found.configured, found.complete) == (True, False)
    assert "cost.hardware" in found.notes[0]


def test_an_account_with_nothing_in_it_is_not_said_to_cost_nothing() -> None:
    farm = dataclasses.replace(cost_farm(pve=False), cloud=CloudAccount(), bill=None)
    found = spent_of(farm)
    assert (found.configured, found.complete) == (True, False)
    assert "nothing that is paid for is listed" in found.notes[0]


def test_the_tag_leaves_out_what_hangs_on_others() -> None:
    farm = cost_farm(pve=False)
    assert farm.cloud is not None
    assert farm.costing is not None
    tagged = dataclasses.replace(
        farm,
        cloud=dataclasses.replace(farm.cloud, droplets=farm.cloud.droplets[:1]),
        nodes=farm.nodes[:1],
        costing=dataclasses.replace(farm.costing, cloud_tag="farm"),
    )
    assert "volume/v1" not in prices(tagged)
    assert {"balancer/l1", "volume/v2"} <= set(prices(tagged))


def test_the_pace_of_the_bill() -> None:
    pace = spent_of(cost_farm(pve=False)).pace
    assert pace is not None
    # 14 days of 28 that are billed at most.
    assert (pace.so_far, pace.per_month, pace.listed) == (Decimal(150), Decimal(300), Decimal("273.20"))
    assert pace.unlisted == Decimal("26.80")


@given(
    st.lists(st.floats(0, 1e6), min_size=0, max_size=30), st.integers(1, 2_000), st.sampled_from(["equal", "requests"])
)
def test_sites_pay_for_everything(rates: list[float], sites: int, by: str) -> None:
    farm = cost_farm(spread={"sites": by})
    busiest = tuple(SiteTraffic(f"s{place}@docker", rate) for place, rate in enumerate(rates))
    edge = Edge((), (), sum(rates) * 1.2, 0.0, 0.1, len(rates), 0, (), busiest, ())
    farm = dataclasses.replace(farm, edge=edge, expected_sites=sites)
    found = spent_of(farm)
    parts = site_costs(farm, found)
    assert sum(site.per_month for site in parts) == found.per_month
    assert sum(site.sites for site in parts) == sites


@given(st.lists(st.integers(0, 512), min_size=1, max_size=50))
def test_groups_and_items_are_the_whole(gibs: list[int]) -> None:
    farm = cost_farm()
    cluster = dataclasses.replace(farm.pve[0], guests=tuple(guest(n, f"g{n}", gib) for n, gib in enumerate(gibs)))
    found = spent_of(dataclasses.replace(farm, pve=(cluster,)))
    assert found.per_month == sum(group.per_month for group in found.groups)
    assert found.of_provider("pve") == 446


def test_waste_is_named_with_what_ends_it() -> None:
    farm = cost_farm()
    found = {item.key: item for item in waste(farm, spent_of(farm))}
    assert set(found) == {
        "volume/v2", "balancer/l2", "ip/198.51.100.2", "snapshot/s2", "guest/main/4", "guest/main/10",
    }  # fmt: skip
    assert found["volume/v2"].command == "doctl compute volume delete v2"
    assert found["guest/main/4"].command == "pvesh create /nodes/pve-1/qemu/4/status/shutdown"
    # Guests save nothing: their hardware is paid for.
    assert wasted_per_month(tuple(found.values())) == 50 + 12 + 5 + 6


@pytest.mark.parametrize(("expected", "wasted"), [(1, True), (2, False)])
def test_a_droplet_that_is_off_is_waste_unless_its_tier_wants_it(expected: int, wasted: bool) -> None:
    farm = cost_farm(pve=False)
    assert farm.cloud is not None
    off = tuple(dataclasses.replace(d, status="off") if d.id == 2 else d for d in farm.cloud.droplets)
    tiers = tuple(
        dataclasses.replace(t, expected=expected, serving=1) if t.tier is Tier.CACHE else t for t in farm.tiers
    )
    farm = dataclasses.replace(farm, cloud=dataclasses.replace(farm.cloud, droplets=off), tiers=tiers)
    assert ("droplet/2" in {item.key for item in waste(farm, spent_of(farm))}) is wasted


def test_the_plan_is_compared_with_the_whole_spend_only() -> None:
    whole, partly = costs(cost_farm()), costs(forbidden_farm())
    assert whole is not None
    assert partly is not None
    assert whole.against_plan is not None
    assert partly.against_plan is None
    assert whole.hybrid is not None
    assert whole.hybrid.key == "B"


def test_a_plan_in_another_currency_is_not_compared() -> None:
    found = costs(cost_farm(currency="EUR", per_usd="0.9"))
    assert found is not None
    assert (found.plan, found.planned) == (None, ())
    assert "USD" in found.costing.problems[0]
