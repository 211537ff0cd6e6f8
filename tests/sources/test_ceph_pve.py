"""The poll of Ceph by Proxmox VE's API: which node is asked, and what its silences and refusals mean."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import CephConfig
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.reading import FailureKind, Reading
from farmtui.farm.state import Severity
from farmtui.sources.ceph_detail_pve import SLOW_EVERY
from farmtui.sources.ceph_detail_ssh import CephSshSource
from tests.sources.ceph_fakes import AT, Hosts, pve_answers, sample
from tests.sources.conftest import beating
from tests.sources.prometheus.fakes import Fault, for_ever, text
from tests.sources.pve_fakes import STATUS, TOKEN_ID, FakePve, Pve, nobody_there, pve, refusing

__all__ = ["pve"]

EACH_POLL = {"status", "osd", "pool", "mds"}
NOW_AND_THEN = {"mon", "mgr", "fs"}


def node_of(told: dict[str, Any], *, nodes: tuple[str, ...] = ("pve-1",)) -> FakePve:
    """An API node whose cluster runs this Ceph, on these of its nodes."""
    made = FakePve()
    for node in nodes:
        made.answers |= pve_answers(told, node=node)
    for node in {"pve-1", "pve-2"} - set(nodes):
        made.faults |= _no_ceph(node)
    return made


def _no_ceph(node: str) -> dict[str, Fault]:
    return {f"nodes/{node}/ceph/status": refusing(500, "binary not installed: /usr/bin/ceph-mon")}


def silent(*nodes: str) -> dict[str, Fault]:
    """What PVE says where Ceph does not answer it within its five seconds."""
    return {f"nodes/{node}/ceph/status": refusing(500, "got timeout") for node in nodes}


def asked_of(node: FakePve) -> set[str]:
    """What was asked of Ceph."""
    return {path.rpartition("/")[2] for path in node.asked if "/ceph/" in path}


def good(reading: Reading[CephDetail]) -> CephDetail:
    """The value of a poll of which nothing is wrong."""
    assert (reading.failure, reading.warnings) == (None, ())
    assert reading.value is not None
    assert not reading.value.silent
    return reading.value


# -- what is told


@pytest.mark.parametrize("name", ["ok", "osd-down", "laggy"])
async def test_pve_tells_what_the_command_tells(pve: Pve, tmp_path: Path, name: str) -> None:
    told = sample(name)
    source = pve.ceph(await pve.node(node_of(told)))
    by_pve = good(await source.poll())
    hosts = Hosts(tmp_path)
    hosts.add("stor-1", told)
    own = await CephSshSource(CephConfig(via="ssh", hosts=["stor-1"]), hosts, clock=lambda: AT).poll()
    assert own.value is not None
    # PVE does not say which mon leads, nor how many clients a file system has, nor how much a pool can still take.
    alike = dataclasses.replace(
        own.value,
        asked="pve-1",
        quorum=dataclasses.replace(own.value.quorum, leader=""),
        tree=tuple(
            dataclasses.replace(place, apply_latency_s=0.003 if place.kind == "osd" else None)
            for place in own.value.tree
        ),
        ranks=tuple(dataclasses.replace(mds, clients=None) for mds in own.value.ranks),
        pools=by_pve.pools,
        versions=by_pve.versions,
    )
    assert by_pve == alike
    assert [(pool.id, pool.name, pool.used_ratio) for pool in by_pve.pools] == [
        (pool.id, pool.name, pool.used_ratio) for pool in own.value.pools
    ]
    assert {(pool.kind, pool.pgs) for pool in by_pve.pools} == {("replica:3", 8)}
    assert [version for version, _ in by_pve.versions] == ["16.2.15"]


async def test_requests_are_few_and_some_are_made_seldom(pve: Pve) -> None:
    told = sample("ok")
    node = node_of(told)
    source = pve.ceph(await pve.node(node))
    seldom = []
    for _ in range(SLOW_EVERY + 1):
        node.asked.clear()
        reading = await source.poll()
        good(reading)
        assert reading.requests == sum(node.asked.values())
        seldom.append(asked_of(node) >= NOW_AND_THEN)
        assert asked_of(node) >= EACH_POLL
    assert seldom == [True] + [False] * (SLOW_EVERY - 1) + [True]
    assert "cluster/status" not in node.asked, "the node that answered is known"


async def test_newer_pve_names_the_file_system_of_each_mds(pve: Pve) -> None:
    node = node_of(sample("laggy"))
    for mds in node.answers["nodes/pve-1/ceph/mds"]:
        mds["fs_name"] = "web"
    node.answers["nodes/pve-1/ceph/fs"] = [{"name": "backup"}, {"name": "web"}]
    detail = good(await pve.ceph(await pve.node(node)).poll())
    assert [(mds.name, mds.filesystem, mds.state) for mds in detail.ranks] == [
        ("a", "web", "active"),
        ("b", "web", "active (laggy)"),
    ]
    assert detail.filesystems == ("backup", "web")


# -- which node


async def test_ceph_is_found_on_whichever_node_has_it(pve: Pve) -> None:
    node = node_of(sample("ok"), nodes=("pve-2",))
    source = pve.ceph(await pve.node(node))
    assert good(await source.poll()).asked == "pve-2"
    node.asked.clear()
    assert good(await source.poll()).asked == "pve-2"
    assert "nodes/pve-1/ceph/status" not in node.asked


async def test_a_node_that_is_off_is_not_asked_and_one_that_goes_is_replaced(pve: Pve) -> None:
    node = node_of(sample("ok"), nodes=("pve-1", "pve-2"))
    node.answers["cluster/status"] = [STATUS[0], {**STATUS[1], "online": 0}, {**STATUS[2], "local": 1}]
    source = pve.ceph(await pve.node(node))
    assert good(await source.poll()).asked == "pve-2"
    node.answers["cluster/status"] = STATUS
    node.faults["nodes/pve-2/ceph/status"] = nobody_there
    assert good(await source.poll()).asked == "pve-1"
    node.faults["nodes/pve-1/ceph/status"] = nobody_there
    reading = await source.poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.UNREACHABLE


async def test_a_cluster_without_ceph_is_told_with_what_to_do(pve: Pve) -> None:
    node = node_of(sample("ok"), nodes=())
    reading = await pve.ceph(await pve.node(node)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "no node of main that is online has Ceph" in reading.failure.what
    assert "ceph.pve" in reading.failure.remedy


# -- silence


async def test_a_ceph_that_answers_no_node_is_silent_and_no_more_is_claimed(pve: Pve) -> None:
    node = node_of(sample("ok"), nodes=("pve-1", "pve-2"))
    source = pve.ceph(await pve.node(node))
    before = good(await source.poll())
    node.faults |= silent("pve-1", "pve-2")
    for reading in (await source.poll(), await source.poll()):
        assert reading.failure is None
        assert reading.value is not None
        detail = reading.value
        assert (detail.silent, detail.health, detail.quorum.lost) == (True, None, False)
        assert detail.quorum.why.startswith(
            "no answer from the mons on pve-1 and pve-2: no quorum, or they are overloaded"
        )
        assert (detail.tree, detail.known_at) == (before.tree, AT)
        assert detail.quorum.mons == ("a", "b", "c")
        assert reading.warnings == (detail.quorum.why,)
    node.faults.clear()
    assert good(await source.poll()).health is Severity.OK


async def test_no_mon_to_connect_to_is_silence_too(pve: Pve) -> None:
    node = node_of(sample("ok"))
    node.faults["nodes/pve-1/ceph/status"] = refusing(500, "rados_connect failed - Connection timed out")
    reading = await pve.ceph(await pve.node(node)).poll()
    assert reading.value is not None
    assert reading.value.silent


async def test_without_a_mgr_nothing_is_asked_that_would_need_one(pve: Pve) -> None:
    node = node_of(sample("mgr-down"))
    detail = good(await pve.ceph(await pve.node(node)).poll())
    assert (detail.mgr, detail.pgs, detail.pools, detail.tree) == ("", None, (), ())
    assert not {"osd", "pool"} & asked_of(node)
    assert {mds.name: mds.state for mds in detail.ranks} == {"a": "standby", "b": "active"}


async def test_a_mgr_that_hangs_is_said_and_costs_its_own_answers_only(pve: Pve) -> None:
    node = node_of(sample("osd-down"))
    node.faults["nodes/pve-1/ceph/osd"] = refusing(500, "got timeout")
    reading = await pve.ceph(await pve.node(node)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert (reading.value.health, reading.value.tree) == (Severity.WARNING, ())
    assert reading.warnings == ("nodes/pve-1/ceph/osd: no answer in time: the mgr does not answer",)


# -- refusals and faults


async def test_a_token_that_may_not_look_is_refused_with_the_role_that_it_needs(pve: Pve) -> None:
    node = node_of(sample("ok"))
    node.faults["nodes/pve-1/ceph/status"] = refusing(403, "Permission check failed (/, Sys.Audit|Datastore.Audit)")
    reading = await pve.ceph(await pve.node(node), await pve.node(node)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.FORBIDDEN
    assert "Sys.Audit" in reading.failure.what
    assert "PVEAuditor" in reading.failure.remedy
    assert TOKEN_ID in reading.failure.remedy
    assert node.asked["nodes/pve-1/ceph/status"] == 1


async def test_the_next_api_node_is_asked_when_one_is_down(pve: Pve) -> None:
    broken, well = FakePve(), node_of(sample("ok"))
    broken.faults[""] = refusing(503, "starting")
    reading = await pve.ceph(await pve.node(broken), await pve.node(well)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert reading.value.health is Severity.OK
    assert "HTTP 503" in reading.warnings[0]


async def test_an_api_node_that_hangs_holds_up_nothing(pve: Pve) -> None:
    hung, well = FakePve(), node_of(sample("ok"))
    hung.faults[""] = for_ever
    source = pve.ceph(await pve.node(hung), await pve.node(well), deadline_s=3.0)
    async with beating() as beat:
        reading = await source.poll()
    assert reading.value is not None
    assert "no answer within 3 s" in reading.warnings[0]
    assert beat.count > 5, "the loop went on"


NONSENSE: dict[str, Fault] = {
    "page": text("<html>a router</html>", "text/html"),
    "not JSON": text('{"data": [}'),
    "null": text('{"data": null}'),
    "a list": text('{"data": []}'),
    "another object": text('{"data": {"health": 7}}'),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_for_a_status_is_words(pve: Pve, planted: str, name: str) -> None:
    node = node_of(sample("ok"))
    node.faults["nodes/pve-1/ceph/status"] = NONSENSE[name]
    reading = await pve.ceph(await pve.node(node)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER
    assert reading.failure.remedy
    assert planted not in repr(reading)


@pytest.mark.parametrize("what", ["osd", "pool", "mds", "mon", "mgr", "fs"])
@pytest.mark.parametrize("name", ["page", "null", "another object"])
async def test_nonsense_for_a_part_costs_that_part(pve: Pve, what: str, name: str) -> None:
    node = node_of(sample("osd-down"))
    node.faults[f"nodes/pve-1/ceph/{what}"] = NONSENSE[name]
    reading = await pve.ceph(await pve.node(node)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert reading.value.health is Severity.WARNING
    [warning] = reading.warnings
    assert warning.startswith(f"nodes/pve-1/ceph/{what}: ")


async def test_a_huge_tree_is_cut_and_stops_no_loop(pve: Pve) -> None:
    node = node_of(sample("ok"))
    osds = [{"id": n, "name": f"osd.{n}", "type": "osd", "status": "up", "in": 1} for n in range(30_000)]
    body = web.json_response({"data": {"root": {"children": [{"id": -1, "type": "root", "children": osds}]}}}).body

    async def prepared(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    node.faults["nodes/pve-1/ceph/osd"] = prepared
    source = pve.ceph(await pve.node(node))
    async with beating() as beat:
        detail = good(await source.poll())
    assert len(detail.tree) == 20_000
    assert beat.busiest_s < beat.spent_s / 4
