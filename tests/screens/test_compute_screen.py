"""The compute screen: every machine once, the Swarm's word beside the farm's own, and why a service does not run."""

from __future__ import annotations

import dataclasses
import re

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.looks import Look, TaskLog
from farmtui.farm.node import CloudAccount, Droplet, Guest, LoadBalancer, PveCluster, Tier, Volume
from farmtui.farm.pve import PveStorage, PveTask
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmNetwork
from screens.compute import ComputeScreen
from screens.compute_rows import machine_rows
from screens.describe import describe
from screens.detail import DetailScreen, render
from screens.places import Place, Subject
from tests.screens.farms import HOSTILE, NOW, ago, make_farm, make_node, make_source
from tests.screens.host import SIZES, HostApp, lines_of, text_of
from tests.screens.swarm_farms import NO_PLACE, manager, service, swarm, task, worker

NODES = (make_node("edge-1", Tier.EDGE, address="10.0.0.1"), make_node("worker-1", Tier.APP, address="10.0.0.4"))


async def lines(farm: Farm, size: tuple[int, int] = (120, 40), *keys: str) -> list[str]:
    """What the screen shows of a farm."""
    return await lines_of(ComputeScreen, farm, size, *keys)


def line(shown: list[str], name: str) -> str:
    """The row of a name, below the lines that tell of the whole."""
    return next((row for row in shown[3:] if re.search(rf"[ ░]{re.escape(name)} ", row)), "")


@pytest.mark.parametrize("size", SIZES)
async def test_a_machine_and_its_engine_are_one_row(size: tuple[int, int]) -> None:
    farm = dataclasses.replace(swarm(), nodes=NODES)
    shown = await lines(farm, size)
    assert "leader" in line(shown, "edge-1")
    assert "worker" in line(shown, "worker-1")
    assert "ready" in line(shown, "worker-1")
    # Engines that the farm knows no machine of are there too.
    assert "manager" in line(shown, "edge-2")
    assert sum(" edge-1 " in row for row in shown[3:]) == 1


@pytest.mark.parametrize("size", SIZES)
async def test_what_the_swarm_has_lost_stands_on_top_with_its_word(size: tuple[int, int]) -> None:
    farm = swarm(manager(1), manager(2), manager(3, reachability="unreachable"), worker(state="down"))
    shown = await lines(dataclasses.replace(farm, nodes=NODES), size)
    for name, word in (("edge-3", "unreachable"), ("worker-1", "down")):
        assert "CRIT" in line(shown, name)
        assert f"{word}" in line(shown, name)
    order = [shown.index(line(shown, name)) for name in ("edge-3", "worker-1", "edge-1")]
    assert max(order[:2]) < order[2]


async def test_a_drained_node_is_not_bad_and_says_so() -> None:
    shown = await lines(swarm(manager(1), worker(availability="drain")))
    assert "drained" in line(shown, "worker-1")
    assert "info" in line(shown, "worker-1")


@pytest.mark.parametrize("size", SIZES)
async def test_a_service_that_is_short(size: tuple[int, int]) -> None:
    short = (service(0), service(4, id="s2", name="watcher", mode="global"))
    shown = await lines(swarm(services=short), size, "v")
    assert "0/4" in line(shown, "wordpress")
    assert "CRIT" in line(shown, "wordpress")
    assert "4/4" in line(shown, "watcher")


@pytest.mark.parametrize("size", SIZES)
async def test_a_task_without_a_place_says_why(size: tuple[int, int]) -> None:
    homeless = task(NO_PLACE, "pending", node="", node_id="", desired_state="running")
    shown = await lines(swarm(services=(service(3),), tasks=(homeless,)), size, "v", "v")
    row = line(shown, "wordpress.1")
    assert "pending" in row
    assert "no node" in row
    assert "no suitable" in row


@pytest.mark.parametrize("size", SIZES)
async def test_a_service_says_why_it_is_short_and_why_its_update_stands(size: tuple[int, int]) -> None:
    services = (
        service(0),
        service(1, id="s2", name="api"),
        service(4, id="s3", name="shop", update_state="paused", update_message="task x did not stay up"),
        service(4, id="s4", name="blog", update_state="completed", update_message="all is done"),
    )
    tasks = (
        task("exit (1)", since=ago(9)),
        task("exit (137)", id="t2", since=ago(2)),
        task(NO_PLACE, "pending", id="t3", service_id="s2", service="api", node="", desired_state="running"),
    )
    shown = await lines(swarm(services=services, tasks=tasks), size, "v")
    assert "on worker-1: exit (137)" in line(shown, "wordpress"), "the newest failure, and where"
    assert "no suitable" in line(shown, "api")
    assert "task x did not" in line(shown, "shop")
    assert "all is" not in line(shown, "blog"), "a service that is well needs no reason"
    order = [shown.index(line(shown, name)) for name in ("wordpress", "api", "shop", "blog")]
    assert order[0] == min(order)
    assert order[3] == max(order)


@pytest.mark.parametrize("size", SIZES)
async def test_a_task_that_has_failed_stands_between_those_that_wait_and_those_that_run(size: tuple[int, int]) -> None:
    tasks = (
        task("", "running", id="a", slot=1, desired_state="running", message="started"),
        task("No such image: wordpress:7", "rejected", id="b", slot=2),
        task(NO_PLACE, "pending", id="c", slot=3, node="", desired_state="running"),
    )
    shown = await lines(swarm(services=(service(1),), tasks=tasks), size, "v", "v")
    rejected = line(shown, "wordpress.2")
    assert "◆ rejected" in rejected
    assert "No such image" in rejected
    assert "started" not in line(shown, "wordpress.1"), "what runs has no reason that would hide the others'"
    order = [shown.index(line(shown, f"wordpress.{slot}")) for slot in (3, 2, 1)]
    assert order == sorted(order)


async def test_what_the_swarm_says_of_a_node_that_it_has_lost() -> None:
    shown = await lines(swarm(manager(1), worker(state="down", message="heartbeat failure")), (200, 60))
    assert "✖ down" in line(shown, "worker-1")
    assert "Swarm: heartbeat failure" in line(shown, "worker-1")
    # A message of old is not why a node that is ready is drained.
    drained = await lines(swarm(manager(1), worker(availability="drain", message="heartbeat failure")), (200, 60))
    assert "heartbeat" not in line(drained, "worker-1")


async def test_networks_and_the_way_back_to_machines() -> None:
    net = SwarmNetwork("n1", "cache-net", "overlay", "swarm", ("10.0.1.0/24",), encrypted=True)
    shown = await lines(swarm(networks=(net,)), (120, 40), "v", "v", "v")
    assert "10.0.1.0/24" in line(shown, "cache-net")
    assert "encrypted" in line(shown, "cache-net")
    assert any("edge-1" in row for row in await lines(swarm(networks=(net,)), (120, 40), *"vvvv"))


async def test_without_a_swarm_there_is_no_view_and_no_column_of_one() -> None:
    farm = make_farm(nodes=NODES)
    header = (await lines(farm))[3]
    assert "machine" in header
    assert "swarm" not in header
    assert "swarm" in (await lines(swarm()))[3]
    assert await lines(farm, (120, 40), "v") == await lines(farm, (120, 40))


@pytest.mark.parametrize(("freshness", "word"), [(Freshness.STALE, "stale"), (Freshness.FORBIDDEN, "not allowed")])
async def test_a_source_that_is_silent_leaves_what_was_known(freshness: Freshness, word: str) -> None:
    farm = swarm(services=(service(),), freshness=freshness)
    shown = await lines(farm, (120, 40), "v")
    assert "4/4" in line(shown, "wordpress")
    assert any(word in row for row in shown)


async def test_a_swarm_that_has_lost_its_quorum_says_so_above_what_was() -> None:
    shown = await lines(swarm(services=(service(),), quorum=False, read_at=ago(3)), (120, 40), "v")
    assert any("no leader" in row for row in shown)
    assert "4/4" in line(shown, "wordpress")


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_leader_nobody_leads_and_nothing_is_ready_now(size: tuple[int, int]) -> None:
    farm = dataclasses.replace(swarm(quorum=False, read_at=ago(3)), nodes=NODES)
    shown = await lines(farm, size)
    assert "3 min ago" in shown[2]
    assert "leader" not in line(shown, "edge-1")
    assert "manager" in line(shown, "edge-1")
    for name in ("edge-1", "edge-2"):
        assert "▒ ready" in line(shown, name)


async def test_a_swarm_that_falls_silent_is_not_shown_as_of_now_and_is_again_when_it_answers() -> None:
    well = dataclasses.replace(swarm(), nodes=NODES)
    silent = dataclasses.replace(swarm(freshness=Freshness.STALE), nodes=NODES)
    app = HostApp(ComputeScreen, well)
    async with app.run_test(size=(120, 40)) as pilot:
        for farm, word in ((well, " ready"), (silent, "▒ ready"), (well, " ready")):
            app.publish(farm)
            await pilot.pause()
            assert word in line(text_of(app), "worker-1")
            assert ("▒" in line(text_of(app), "worker-1")) is (farm is silent)
            # Its processor is measured by somebody else, who still answers.
            assert "20 %" in line(text_of(app), "worker-1")


@pytest.mark.parametrize("size", SIZES)
async def test_a_swarm_that_never_answered_or_refuses_says_so(size: tuple[int, int]) -> None:
    for freshness, word in ((Freshness.NEVER, "no answer yet"), (Freshness.FORBIDDEN, "not allowed")):
        source = make_source("swarm", freshness, answered=None)
        shown = await lines(make_farm(nodes=NODES, sources=[make_source("prometheus"), source]), size)
        assert word in shown[2]
        assert "ok" in line(shown, "edge-1"), "the machines are known by other ways"
        assert "services" not in shown[2]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("keys", "wanted"),
    [("", "down"), ("v", "2/9"), ("vv", "pending"), ("vvv", "10.0.1.0/24")],
    ids=["machines", "services", "tasks", "networks"],
)
async def test_a_name_that_is_long_cuts_nothing_that_matters(size: tuple[int, int], keys: str, wanted: str) -> None:
    long = "a-name-that-goes-on-and-on-" * 4
    farm = swarm(
        worker(hostname=long, state="down"),
        services=(service(2, 9, name=long),),
        tasks=(task(NO_PLACE, "pending", service=long, desired_state="running", node=long),),
        networks=(SwarmNetwork("n1", long, "overlay", "swarm", ("10.0.1.0/24",)),),
    )
    shown = await lines(farm, size, *keys)
    assert any(wanted in row and "a-name" in row for row in shown[4:])
    assert keys in {"", "vvv"} or any("no" in row for row in shown[4:])
    for view in ("machines", "services", "tasks", "networks"):
        assert view in shown[2]


@pytest.mark.parametrize(
    ("keys", "kind", "key"),
    [("", "swarm-node", "w1"), ("v", "swarm-service", "s1"), ("vv", "swarm-task", "t1"), ("vvv", "swarm-network", "n")],
)
async def test_enter_opens_what_is_under_the_cursor(keys: str, kind: str, key: str) -> None:
    net = SwarmNetwork("n", "cache-net", "overlay", "swarm")
    app = HostApp(ComputeScreen, swarm(worker(), services=(service(),), tasks=(task("exit (1)"),), networks=(net,)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys, "enter")
        await pilot.pause()
        assert [(subject.kind, subject.key) for subject in app.opened] == [(kind, key)]


async def test_only_faults() -> None:
    farm = swarm(manager(1), worker(state="down"), services=(service(1), service(id="s2", name="watcher")))
    app = HostApp(ComputeScreen, farm)
    async with app.run_test(size=(120, 40)) as pilot:
        app.only_faults()
        await pilot.pause()
        assert line(text_of(app), "worker-1")
        assert not line(text_of(app), "edge-1")
        await pilot.press("v")
        await pilot.pause()
        assert line(text_of(app), "wordpress")
        assert not line(text_of(app), "watcher")


async def test_nothing_there_is_not_nothing_known() -> None:
    assert any("no services" in row for row in await lines(swarm(), (120, 40), "v"))
    unknown = make_farm(sources=[make_source("swarm", Freshness.NEVER, answered=None)])
    assert not any("no machines" in row for row in await lines(unknown))


async def test_a_name_that_means_harm_is_only_a_name() -> None:
    farm = swarm(
        manager(1, hostname=HOSTILE, message=HOSTILE, state="down"),
        services=(service(1, name=HOSTILE, image=HOSTILE, networks=(HOSTILE,), ports=(HOSTILE,)),),
        tasks=(task(HOSTILE, service=HOSTILE, node=HOSTILE),),
        networks=(SwarmNetwork("n1", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),),
    )
    for keys in ("", "v", "vv", "vvv"):
        shown = "\n".join(await lines(farm, (200, 60), *keys))
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
        assert "[/x]" in shown, "markup is shown as it is"


def test_engines_of_one_name_are_told_apart_by_address_or_not_joined() -> None:
    twins = (worker(1, id="a", address="10.0.0.4"), worker(1, id="b", address="10.0.0.5"))
    farm = dataclasses.replace(swarm(*twins), nodes=(NODES[1],))
    rows = machine_rows(farm)
    assert [(row.name, row.swarm.id if row.swarm else "") for row in rows] == [("worker-1", "a"), ("worker-1", "b")]
    astray = dataclasses.replace(farm, nodes=(make_node("worker-1", Tier.APP, address="10.0.0.9"),))
    assert [row.swarm is None for row in machine_rows(astray)] == [True, False, False]


def test_the_worse_word_of_the_two_counts() -> None:
    well = dataclasses.replace(swarm(manager(1), worker(state="down")), nodes=NODES)
    assert {row.name: row.severity for row in machine_rows(well)}["worker-1"] is Severity.CRITICAL


@pytest.mark.parametrize(
    ("kind", "key", "words"),
    [
        ("swarm-node", "m1", ("edge-1", "manager", "reachable")),
        ("swarm-service", "s1", ("wordpress:6", "3/4", NO_PLACE)),
        ("swarm-task", "t1", ("pending", NO_PLACE)),
    ],
)
def test_a_thing_that_is_opened_tells_the_rest(kind: str, key: str, words: tuple[str, ...]) -> None:
    homeless = task(NO_PLACE, "pending", node="", desired_state="running")
    found = describe(swarm(services=(service(3),), tasks=(homeless,)), Subject(kind, key, key))
    assert found is not None
    told = " ".join(render(found, 100).plain.split())
    assert all(word in told for word in words), told


def providers() -> Farm:
    """A farm with something of every provider that is no machine."""
    guest = Guest("main", 101, "db-1", "qemu", "pve-1", "running", cpus=4, memory_max_bytes=8 * 2.0**30)
    failed = PveTask("main", UPID, "pve-1", "vzdump", "101", "root@pam", ago(70), ago(60), "job [red]errors")
    done = PveTask("main", UPID.replace("6B", "6A"), "pve-1", "qmstart", "101", "root@pam", ago(90), ago(89), "OK")
    nfs = PveStorage("main", "nfs", "nfs", "", active=True, contents=("backup",), used_bytes=90.0, size_bytes=100.0)
    droplet = Droplet(1, "edge-1", "active", "fra1", "s-2vcpu", None, 2, 4.0, 80.0)
    cloud = CloudAccount(
        (droplet,),
        (Volume("v1", "uploads", "fra1", 2.0**40, (1,)), Volume("v2", "leftover", "fra1", 2.0**30)),
        (LoadBalancer("lb", "front", "active", "198.51.100.1", "fra1", (1,), rules=("tcp 443 to tcp 443",)),),
    )
    farm = make_farm(sources=[make_source(kind) for kind in ("prometheus", "proxmox", "digitalocean")], nodes=NODES)
    return dataclasses.replace(
        farm, cloud=cloud, pve=(PveCluster("main", True, (), (guest,), (nfs,), (failed, done)),)
    )  # fmt: skip


UPID = "UPID:pve-1:00001001:00000001:6B000000:vzdump:101:root@pam:"


@pytest.mark.parametrize("size", SIZES)
async def test_the_views_are_those_of_what_is_there(size: tuple[int, int]) -> None:
    shown = await lines(providers(), size)
    assert all(word in shown[2] for word in ("machines", "volumes", "balancers", "pve-tasks"))
    assert "services" not in shown[2]
    assert "volumes" not in (await lines(swarm(), size))[2]


@pytest.mark.parametrize("size", SIZES)
async def test_volumes_and_storages_say_what_they_hold(size: tuple[int, int]) -> None:
    shown = await lines(providers(), size, "v")
    assert "WARN" in line(shown, "nfs").upper()
    assert "90 %" in line(shown, "nfs")
    assert "1.0 TiB" in line(shown, "uploads")
    assert "attached to" in line(shown, "leftover")


@pytest.mark.parametrize("size", SIZES)
async def test_a_balancer_says_how_many_behind_it_serve(size: tuple[int, int]) -> None:
    row = line(await lines(providers(), size, "v", "v"), "front")
    assert "1 of 1" in row
    assert "active" in row


@pytest.mark.parametrize("size", SIZES)
async def test_a_task_that_failed_stands_on_top_with_its_reason(size: tuple[int, int]) -> None:
    shown = await lines(providers(), size, "V")
    row = line(shown, "backup")
    assert "▲ failed" in row
    assert "db-1" in row
    assert "job [red]" in row
    # On which host, and how long it took.
    assert "pve-1" in row
    assert "10m" in row
    assert shown.index(row) < shown.index(line(shown, "start"))


def test_what_is_no_machine_is_described_with_what_it_hangs_on() -> None:
    farm = providers()
    for kind, key, words in (
        ("do-volume", "v1", "edge-1"),
        ("do-volume", "v2", "to nothing, and paid for"),
        ("balancer", "lb", "tcp 443 to tcp 443"),
        ("pve-storage", "main/nfs", "shared by all"),
        ("pve-task", f"main/{UPID}", "job [red]errors"),
        ("guest", "main/101", "vzdump"),
        ("droplet", "1", "balancer front"),
    ):
        detail = describe(farm, Subject(kind, key, "x"))
        assert detail is not None, kind
        text = render(detail, 100).plain + "".join(link.text for link in detail.links)
        assert words in text, (kind, text)
    assert describe(farm, Subject("pve-task", "main/gone", "x")) is None


async def test_what_was_asked_about_a_thing_stands_below_what_is_known_of_it() -> None:
    log = Look(NOW, TaskLog(("INFO: [b]begun", "TASK ERROR: job errors"), before=12), "")
    app = HostApp(lambda: DetailScreen(Place("compute", (Subject("pve-task", f"main/{UPID}", "x"),))), providers())
    app.looks.of = lambda farm, kind, key, then: log if (kind, key) == ("pve-task", f"main/{UPID}") else None  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
    for told in ("12 lines before these are not shown", "INFO: [b]begun", "TASK ERROR: job errors"):
        assert told in text


async def test_an_uptime_of_more_than_a_hundred_days_is_not_cut() -> None:
    farm = swarm()
    old = make_node("worker-1", Tier.APP, address="10.0.0.4")
    old = dataclasses.replace(old, metrics=dataclasses.replace(old.metrics, uptime_s=102 * 86_400.0 + 11 * 3600))
    shown = await lines(dataclasses.replace(farm, nodes=(NODES[0], old)), (200, 60))
    assert "102d 11h" in line(shown, "worker-1")
