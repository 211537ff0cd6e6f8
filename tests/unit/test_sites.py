"""Sites as they are judged and named, their path through every layer, and what is found of them."""

from __future__ import annotations

import dataclasses

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.node import Node, Provider, PveCluster, PveHost, Tier
from farmtui.farm.site_names import Named, slug, with_services
from farmtui.farm.sites import Resource, Site, judged
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmCluster, SwarmService, SwarmTask
from farmtui.insight.site_path import steps, suspect
from farmtui.insight.sites import site_faults
from farmtui.runbooks.fitting import _things
from farmtui.sources.swarm_decode import decode
from screens.describe import describe
from screens.detail import render
from screens.places import Subject
from tests.screens.farms import make_node, make_source
from tests.screens.site_farms import book, crowd, site, sites_farm

NOTHING: tuple[Resource | None, float] = (None, 0.0)


@pytest.mark.parametrize(
    ("requests", "errors", "severity"),
    [
        (10.0, 0.0, Severity.OK),
        (10.0, 0.05, Severity.OK),
        (10.0, 0.2, Severity.WARNING),
        (10.0, 1.0, Severity.CRITICAL),
        (0.02, 0.01, Severity.CRITICAL),
        (0.01, 0.005, Severity.OK),
        (0.2, 0.02, Severity.WARNING),
        (0.0, 0.0, Severity.OK),
        (None, None, Severity.OK),
        (10.0, None, Severity.OK),
    ],
)
def test_a_share_of_errors_counts_where_enough_of_them_came(
    requests: float | None, errors: float | None, severity: Severity
) -> None:
    assert judged(requests, errors, None, None, NOTHING, 500)[0] is severity


@pytest.mark.parametrize(
    ("share", "count", "severity", "noisy"),
    [
        (0.05, 500, Severity.OK, False),
        (0.12, 500, Severity.INFO, True),
        (0.30, 500, Severity.WARNING, True),
        (0.30, 10, Severity.OK, False),
        (0.60, 10, Severity.WARNING, True),
        (1.0, 1, Severity.OK, False),
    ],
)
def test_a_neighbour_is_noisy_by_its_share_and_by_what_would_be_fair(
    share: float, count: int, severity: Severity, noisy: bool
) -> None:
    told = judged(1.0, 0.0, None, None, (Resource.DATABASE, share), count)
    assert (told[0], told[2]) == (severity, noisy)


def test_names_are_compared_by_letters_and_digits() -> None:
    assert slug("Shop.Example@docker") == slug("shop_example") == slug("shop-example") == "shop-example"
    named = Named([("shop-a@file", 0), ("b.example", 1), ("c", 2), ("C@x", 3), ("@", 4)])
    assert named.place("wp_shop-a") == 0
    assert named.place("wp_b_example") == 1
    assert named.place("c") is None, "two are called so"
    assert named.place("") is None
    assert named.place("wp_other") is None


def test_the_routers_in_a_services_labels() -> None:
    labels = {
        "traefik.http.routers.shop.rule": "Host(`shop.example`) || Host(`www.shop.example`)",
        "traefik.http.routers.api.rule": "PathPrefix(`/api`)",
        "traefik.http.routers.shop.tls": "true",
        "traefik.http.routers.odd.rule": "Host(`\x1b[31m`)",
        "site": "x",
    }
    raw = {"ID": "s1", "Spec": {"Name": "wp_shop", "Labels": labels, "TaskTemplate": {}, "Mode": {}}}
    [service] = decode("swarm", "m", [], [raw], [], [], []).services
    assert [router for router, _ in service.routes] == ["api", "odd", "shop"]
    assert dict(service.routes)["shop"] == "shop.example"
    assert dict(service.routes)["api"] == ""
    assert "\x1b" not in dict(service.routes)["odd"]


def service(name: str, *routes: tuple[str, str], running: int = 2) -> SwarmService:
    """A service that should run two tasks."""
    return SwarmService(name, name, "replicated", "wp:6", 2, running, routes=routes)


def test_the_swarm_tells_hosts_and_services_and_what_was_measured_of_them() -> None:
    told = book(site("a", key="r1@docker", cpu_cores=None), site("b", key="b-example@file"), site("c", key="c@file"))
    told = dataclasses.replace(told, loose={"site.cpu_cores": {"stack_x": 4.0, "other": 1.0}, "site.memory_bytes": {}})
    services = (
        service("stack_x", ("r1", "www.shop.example")),
        service("wp_b-example"),
        service("s1_c"),
        service("s2_c"),
    )
    named = with_services(told, services)
    first, second, third = named.sites
    assert (first.name, first.swarm, first.cpu_cores) == ("www.shop.example", "stack_x", 4.0)
    assert (second.swarm, third.swarm) == ("wp_b-example", ""), "of two that may be it neither is"
    assert named.loose == {"site.cpu_cores": {"other": 1.0}}
    assert with_services(told, ()) is told


def farm_of(*, running: int = 2, worker: Node | None = None, host: str = "online", errors: float = 6.0) -> Farm:
    """A site with its service on one worker on one PVE host."""
    machine = worker or make_node("worker-1", Tier.APP, address="10.0.0.5")
    machine = dataclasses.replace(machine, provider=Provider.PROXMOX, place="pve-1")
    task = SwarmTask("t1", "wp_shop-example", "wp_shop-example", 1, "n1", "worker-1", "running", "running")
    cluster = SwarmCluster("swarm", "m", (), (service("wp_shop-example", running=running),), (task,), quorum=True)
    told = book(*crowd(30), site("shop.example", swarm="wp_shop-example", errors_per_s=errors))
    pve = (PveCluster("main", True, (PveHost("main", "pve-1", host),)),)
    farm = sites_farm(told, swarm_cluster=cluster, nodes=(machine,), pve=pve)
    return dataclasses.replace(farm, sources=(*farm.sources, make_source("swarm")))


def shop(farm: Farm) -> Site:
    """The site of `farm_of`."""
    assert farm.sites is not None
    return next(each for each in farm.sites.sites if each.name == "shop.example")


def told_of(farm: Farm) -> str:
    """What the drill-down says."""
    detail = describe(farm, Subject("site", shop(farm).key, "shop"))
    assert detail is not None
    return " ".join(render(detail, 100).plain.split())


def test_a_path_that_is_well_points_at_the_site_itself() -> None:
    farm = farm_of()
    path = steps(farm, shop(farm))
    assert [step.layer for step in path] == ["service", "worker", "host"]
    assert suspect(path) is None
    assert "no layer of its path is down: look at the site itself" in told_of(farm)


def test_the_layer_at_which_it_hurts_is_marked() -> None:
    farm = farm_of(running=0)
    assert "it hurts at its service" in told_of(farm)
    assert "▲" in told_of(farm) or "✖" in told_of(farm)
    farm = farm_of(host="offline")
    assert "it hurts at its host: PVE host pve-1 is offline" in told_of(farm)
    bad = make_node("worker-1", Tier.APP, address="10.0.0.5", state=Severity.CRITICAL)
    broken = suspect(steps(farm_of(worker=bad), shop(farm)))
    assert broken is not None
    assert broken.layer == "worker"
    assert "not felt so far" not in told_of(farm_of(running=0, errors=0.0))


def test_what_can_be_done_with_a_site_is_what_can_be_done_with_its_service() -> None:
    farm = farm_of()
    assert ("service", "wp_shop-example") in set(_things(farm, "site", shop(farm).key))


def test_findings_name_sites_by_their_hosts() -> None:
    ill = [site(f"ill-{n}.example", errors_per_s=1.0) for n in range(4)]
    found = {f.key: f for f in site_faults(sites_farm(book(*crowd(), *ill, site("hungry.example", db_busy=40.0))))}
    assert found["sites/failing"].title == "4 sites fail in part"
    assert "ill-0.example (10 % are 5xx)" in found["sites/failing"].evidence[0]
    [noisy] = [f for key, f in found.items() if key.startswith("sites/noisy/")]
    assert noisy.title.startswith("hungry.example eats 9")
    assert noisy.subject == ("site", "hungry-example@file")
    assert not list(site_faults(sites_farm(book(*ill), Freshness.STALE))), "what was before is no fault of now"
    assert not list(site_faults(sites_farm(None)))
