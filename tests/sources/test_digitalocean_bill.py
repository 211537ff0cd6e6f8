"""The poll of DigitalOcean's bill, through pydo: all of it, a part of it, none of it, and how often it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from farmtui.config import DigitalOceanConfig
from farmtui.farm.reading import FailureKind
from farmtui.polling import Feed
from farmtui.sources.digitalocean_api import PER_PAGE
from farmtui.sources.digitalocean_costs import DigitalOceanBillSource
from tests.demo.stage import stage
from tests.sources.cloud_fakes import AT, PATIENT_S, Cloud, FakeCloud, cloud, refusing
from tests.sources.conftest import Certificates

__all__ = ["cloud"]


class Bills:
    """Makes sources that ask a fake cloud."""

    def __init__(self, cloud: Cloud, certificates: Certificates) -> None:
        self.cloud = cloud
        self._certificates = certificates
        self.made: list[DigitalOceanBillSource] = []

    async def source(self, api: FakeCloud) -> DigitalOceanBillSource:
        """A source for this API."""
        config = DigitalOceanConfig(
            token="env:FARMTUI_TEST_SECRET",
            endpoint=await self.cloud.api(api),
            ca_file=self._certificates.ca_file,
            deadline_s=PATIENT_S,
        )
        self.made.append(DigitalOceanBillSource(config, clock=lambda: AT))
        return self.made[-1]


@pytest.fixture
async def bills(cloud: Cloud, certificates: Certificates) -> AsyncIterator[Bills]:
    made = Bills(cloud, certificates)
    yield made
    for source in made.made:
        await source.close()


def account() -> FakeCloud:
    """One with a bill."""
    api = FakeCloud()
    api.balance["generated_at"] = "2026-11-23T11:00:00Z"
    api.lists["reserved_ips"] = [
        {"ip": "198.51.100.1", "region": {"slug": "fra1"}, "droplet": {"id": 1}},
        {"ip": "198.51.100.2", "region": {"slug": "fra1"}, "droplet": None},
    ]
    api.lists["snapshots"] = [snapshot(1)]
    return api


def snapshot(number: int, **more: Any) -> dict[str, Any]:
    """A snapshot as the API gives it: a droplet's has a number for its id, in a text."""
    return {"id": str(number), "name": f"snap-{number}", "resource_type": "droplet", "resource_id": "77",
            "size_gigabytes": 2.34, "created_at": "2026-01-02T03:04:05Z", **more}  # fmt: skip


async def test_a_bill_is_read_whole(bills: Bills) -> None:
    reading = await (await bills.source(account())).poll()
    assert (reading.failure, reading.warnings, reading.requests) == (None, (), 3)
    bill = reading.value
    assert bill is not None
    assert (bill.month_to_date_usd, bill.account_balance_usd) == (Decimal("123.45"), Decimal("-7.00"))
    assert bill.generated_at == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert bill.reserved_ips is not None
    assert [(ip.address, ip.droplet_id) for ip in bill.reserved_ips] == [("198.51.100.1", 1), ("198.51.100.2", None)]
    assert bill.snapshots is not None
    [taken] = bill.snapshots
    assert (taken.id, taken.kind, taken.resource_id, taken.size_gb) == ("1", "droplet", "77", Decimal("2.34"))


async def test_all_pages_are_read_and_once(bills: Bills) -> None:
    api = account()
    api.lists["snapshots"] = [snapshot(n) for n in range(PER_PAGE + 3)] + [snapshot(1)]
    reading = await (await bills.source(api)).poll()
    assert reading.value is not None
    assert reading.value.snapshots is not None
    assert len(reading.value.snapshots) == PER_PAGE + 3
    assert reading.requests == 4


async def test_what_is_not_allowed_is_not_known_and_the_rest_is(bills: Bills) -> None:
    api = account()
    api.faults["snapshots"] = refusing(403, "forbidden", "missing scope")
    reading = await (await bills.source(api)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert reading.value.snapshots is None
    assert reading.value.month_to_date_usd == Decimal("123.45")
    assert len(reading.warnings) == 1
    assert "snapshots" in reading.warnings[0]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, FailureKind.FORBIDDEN), (429, FailureKind.RATE_LIMITED), (500, FailureKind.SERVER)]
)
async def test_where_nothing_is_told_it_has_failed(bills: Bills, status: int, kind: FailureKind) -> None:
    api = account()
    api.faults[""] = refusing(status, "no")
    reading = await (await bills.source(api)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind
    if status == 429:
        assert reading.requests == 1


@pytest.mark.parametrize(
    "wrong", [{"resource_id": None}, {"size_gigabytes": "lots"}, {"created_at": 7}, {"id": None}, {"name": ["x"]}]
)
async def test_what_is_odd_is_read_as_far_as_it_can_be(bills: Bills, wrong: dict[str, Any]) -> None:
    api = account()
    api.lists["snapshots"] = [snapshot(1), snapshot(2, **wrong)]
    api.balance = {"month_to_date_usage": "??"}
    reading = await (await bills.source(api)).poll()
    assert reading.value is not None
    assert reading.value.month_to_date_usd is None
    assert reading.value.snapshots is not None
    assert reading.value.snapshots[0].id == "1"


async def test_the_simulated_accounts_bill_is_what_is_listed(tmp_path: Path) -> None:
    from farmtui.insight.costs import costs

    async with stage() as served:
        config = served.config(tmp_path)
        less = {"swarm": None, "ceph": None, "alertmanager": None}
        farm = await Feed(config.model_copy(update=less)).one_cycle(PATIENT_S)
    found = costs(farm)
    assert found is not None
    assert (found.spent.notes, found.spent.complete) == ((), True)
    assert found.spent.pace is not None
    assert found.spent.pace.listed == Decimal("1235.10")
    assert {item.kind for item in found.wasted} == {"volume", "reserved ip", "snapshot", "guest"}
    assert found.wasted_per_month == Decimal("58.67")
    assert found.cheapest is not None
    assert found.against_plan is not None
