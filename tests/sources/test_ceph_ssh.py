"""The poll of Ceph by its command: whom it asks, what it runs, and what it makes of a Ceph that does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farmtui.config import CephConfig
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.reading import FailureKind, Reading
from farmtui.farm.state import Severity
from farmtui.sources.ceph_cli import AT_ONCE
from farmtui.sources.ceph_detail_ssh import SLOW_EVERY, CephSshSource
from farmtui.sources.failover import HOME_AGAIN_S
from tests.sources.ceph_fakes import AT, Hosts, sample, unreachable

PATIENT_S = 30.0
SHORT_S = 1.0
EACH_POLL = {"status", "health detail", "osd tree", "df", "osd df", "fs status", "mgr stat"}
NOW_AND_THEN = {"quorum_status", "node ls", "versions"}


class Stage:
    """Hosts, and sources that ask them."""

    def __init__(self, folder: Path) -> None:
        self.hosts = Hosts(folder)
        self.now = AT
        self.monotonic = 0.0

    def source(self, deadline_s: float = PATIENT_S, **more: Any) -> CephSshSource:
        """A source that asks all hosts that there are."""
        config = CephConfig(via="ssh", hosts=list(self.hosts.hosts), deadline_s=deadline_s, **more)
        return CephSshSource(config, self.hosts, clock=lambda: self.now, monotonic=lambda: self.monotonic)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def good(reading: Reading[CephDetail]) -> CephDetail:
    """The value of a poll of which nothing is wrong."""
    assert (reading.failure, reading.warnings) == (None, ())
    assert reading.value is not None
    assert not reading.value.silent
    return reading.value


def words(arguments: str) -> str:
    """The command in a line of arguments."""
    return arguments.split(" -f json")[0].rpartition("--connect-timeout ")[2].partition(" ")[2]


# -- what is told


async def test_a_cluster_is_read_whole(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("osd-down"))
    reading = await stage.source().poll()
    detail = good(reading)
    assert (detail.asked, detail.health, detail.flags) == ("stor-1", Severity.WARNING, ("noout",))
    assert [check.name for check in detail.checks] == ["OSD_DOWN", "PG_DEGRADED", "OSDMAP_FLAGS"]
    assert detail.checks[0].lines == ("osd.3 (root=default,host=stor-2) is down",)
    assert (detail.quorum.mons, detail.quorum.members, detail.quorum.leader) == (tuple("abc"), tuple("abc"), "a")
    assert (detail.mgr, detail.mgr_standbys) == ("x", ())
    assert [place.name for place in detail.tree if place.kind == "osd" and place.status == "down"] == ["osd.3"]
    assert detail.tree[2].used_bytes
    assert {(mds.filesystem, mds.rank, mds.name, mds.state) for mds in detail.ranks} == {
        ("cephfs", 0, "b", "active"),
        ("", None, "a", "standby"),
    }
    assert dict(detail.hosts)["mon.c"] == "stor-3"
    assert detail.pgs is not None
    assert detail.pgs.objects_degraded > 0
    assert {pool.name for pool in detail.pools} >= {"rbd", "cephfs.data"}
    assert [version for version, _ in detail.versions] == ["16.2.15"]
    assert {words(asked) for asked in host.asked} == EACH_POLL | NOW_AND_THEN
    assert reading.requests == len(host.asked) == len(EACH_POLL | NOW_AND_THEN)
    assert stage.hosts.most_under_way == AT_ONCE


async def test_each_command_has_its_own_limit_on_the_host_itself(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("ok"))
    host.has("timeout", f'echo "$*" > {host.path.partition(":")[0]}/limits; shift 3; exec "$@"')
    await stage.source(deadline_s=8.0, conf="/etc/ceph/farm.conf", client="client.farmtui").poll()
    ran = (Path(host.path.partition(":")[0]) / "limits").read_text()
    assert ran.startswith(
        "-k 1 8 ceph --conf /etc/ceph/farm.conf --name client.farmtui --connect-timeout 4 "
    ), ran  # fmt: skip
    assert ran.endswith("-f json\n")


async def test_sudo_is_used_where_the_config_says_so(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("ok"))
    host.has("sudo", '[ "$1" = -n ] && [ "$2" = timeout ] || exit 9; shift; exec "$@"')
    good(await stage.source(sudo=True).poll())


async def test_what_hardly_ever_changes_is_asked_seldom_and_when_the_maps_change(stage: Stage) -> None:
    told = sample("ok")
    host = stage.hosts.add("stor-1", told)
    source = stage.source()
    asked = []
    for poll in range(SLOW_EVERY + 1):
        host.forget()
        good(await source.poll())
        asked.append({words(line) for line in host.asked} >= NOW_AND_THEN)
        assert len(host.asked) <= len(EACH_POLL | NOW_AND_THEN), poll
    assert asked == [True] + [False] * (SLOW_EVERY - 1) + [True]
    told["status"]["election_epoch"] += 1
    host.tells(told)
    host.forget()
    good(await source.poll())
    assert {words(line) for line in host.asked} >= NOW_AND_THEN


async def test_the_age_of_the_quorum_does_not_flicker(stage: Stage) -> None:
    told = sample("ok")
    host = stage.hosts.add("stor-1", told)
    source = stage.source()
    first = good(await source.poll()).quorum.since
    stage.now += timedelta(seconds=30.7)
    told["status"]["quorum_age"] += 30
    host.tells(told)
    assert good(await source.poll()).quorum.since == first
    told["status"]["quorum_age"] = 2
    host.tells(told)
    assert good(await source.poll()).quorum.since == stage.now - timedelta(seconds=2)


async def test_laggy_is_told_whichever_answer_tells_it(stage: Stage) -> None:
    told = sample("laggy")
    told["fs status"]["mdsmap"][1]["state"] = "active"
    stage.hosts.add("stor-1", told)
    detail = good(await stage.source().poll())
    assert [(mds.name, mds.state, mds.filesystem) for mds in detail.ranks] == [
        ("a", "active", "cephfs"),
        ("b", "active (laggy)", "cephfs"),
    ]


# -- without a mgr


async def test_without_a_mgr_nothing_is_asked_that_hangs_and_nothing_is_told_that_is_old(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("mgr-down"))
    host.hangs("osd df", "fs status")
    detail = good(await stage.source().poll())
    assert detail.mgr == ""
    assert (detail.pgs, detail.pools, detail.events) == (None, (), ())
    assert [place.status for place in detail.tree if place.kind == "osd"].count("up") == 5
    assert {place.size_bytes for place in detail.tree} == {None}
    assert {(mds.name, mds.rank, mds.state) for mds in detail.ranks} == {("b", 0, "active"), ("a", None, "standby")}
    assert not {"df", "osd df", "fs status"} & {words(line) for line in host.asked}


async def test_a_mgr_that_hangs_is_said_and_costs_its_own_answers_only(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("osd-down"))
    host.hangs("osd df", "fs status")
    reading = await stage.source(deadline_s=SHORT_S).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert reading.value.health is Severity.WARNING
    assert len(reading.value.tree) == 10
    assert sorted(reading.warnings) == [
        "ceph fs status does not end within 1 s on stor-1: the mgr does not answer",
        "ceph osd df does not end within 1 s on stor-1: the mgr does not answer",
    ]


# -- without quorum


async def test_quorum_lost_is_certain_when_a_mon_says_so_itself(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("ok"))
    source = stage.source(deadline_s=SHORT_S)
    before = good(await source.poll())
    host.hangs("status")
    host.has_mon("a", sample("quorum-lost")["mon_status"])
    stage.now += timedelta(minutes=3)
    reading = await source.poll()
    assert reading.failure is None
    assert reading.value is not None
    lost = reading.value
    assert (lost.silent, lost.health, lost.checks, lost.quorum.lost) == (True, None, (), True)
    assert lost.quorum.why == (
        "quorum lost: mon.a sees state probing; ceph status does not end within 1 s (on stor-1)"
    )  # fmt: skip
    assert reading.warnings == (lost.quorum.why,)
    assert (lost.quorum.mons, lost.quorum.members, lost.quorum.states) == (tuple("abc"), (), (("a", "probing"),))
    # The rest is what was known before, with its time.
    assert (lost.tree, lost.pools, lost.known_at) == (before.tree, before.pools, AT)
    assert (lost.mgr, lost.events) == (None, ())


async def test_quorum_lost_before_anything_was_known(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", {})
    # `--connect-timeout` ends it, and says so.
    host.does("status", "echo 'timed out' >&2; exit 1")
    host.has_mon("a", {**sample("quorum-lost")["mon_status"], "state": "electing"})
    reading = await stage.source().poll()
    assert reading.value is not None
    assert reading.value.quorum.lost
    assert "mon.a sees state electing; ceph status reaches no mon within 5 s" in reading.value.quorum.why
    assert reading.value.quorum.mons == ("a", "b", "c")
    assert (reading.value.known_at, reading.value.tree) == (None, ())


async def test_a_mon_in_quorum_means_that_the_mons_are_slow_not_that_quorum_is_lost(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", {})
    host.hangs("status")
    host.has_mon("a", {**sample("quorum-lost")["mon_status"], "state": "peon", "quorum": [0, 1]})
    reading = await stage.source(deadline_s=SHORT_S).poll()
    assert reading.value is not None
    assert (reading.value.silent, reading.value.quorum.lost) == (True, False)
    assert "yet mon.a is in quorum: the mons are overloaded or electing" in reading.value.quorum.why


UNASKED = {
    "no mon": "none of them runs there",
    "no permission": "stor-1: mon_status: permission denied",
    "no folder": "run may not be read",
}


@pytest.mark.parametrize("there", UNASKED)
async def test_without_a_mon_s_own_word_nothing_is_certain(stage: Stage, there: str) -> None:
    host = stage.hosts.add("stor-1", {})
    host.hangs("status")
    if there == "no permission":
        host.has_mon("a", None)
    if there == "no folder":
        host.has("find", "echo \"find: '/run/ceph': Permission denied\" >&2; exit 1")
    reading = await stage.source(deadline_s=SHORT_S).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert (reading.value.silent, reading.value.quorum.lost, reading.value.health) == (True, False, None)
    why = reading.value.quorum.why
    assert "no quorum, or the mons cannot be reached from there" in why
    assert UNASKED[there] in why


async def test_a_host_that_is_cut_off_alone_is_not_ceph_s_silence(stage: Stage) -> None:
    stage.hosts.add("stor-1", {}).hangs("status")
    stage.hosts.add("stor-2", sample("ok"))
    reading = await stage.source(deadline_s=SHORT_S).poll()
    assert reading.value is not None
    assert (reading.value.asked, reading.value.health) == ("stor-2", Severity.OK)
    [warning] = reading.warnings
    assert warning.startswith("ceph at stor-1: ceph status does not end within 1 s")


async def test_two_silent_hosts_are_enough_and_all_mons_are_asked(stage: Stage) -> None:
    hosts = [stage.hosts.add(f"stor-{n}", {}) for n in (1, 2, 3)]
    for host, mon in zip(hosts, "abc", strict=True):
        host.hangs("status")
        host.has_mon(mon, {**sample("quorum-lost")["mon_status"], "name": mon})
    reading = await stage.source(deadline_s=SHORT_S).poll()
    assert reading.value is not None
    assert reading.value.quorum.states == (("a", "probing"), ("b", "probing"), ("c", "probing"))
    assert "(on stor-1 and stor-2)" in reading.value.quorum.why
    assert [sum(" status" in line for line in host.asked) for host in hosts] == [1, 1, 0]
    assert stage.hosts.most_under_way == AT_ONCE


async def test_quorum_that_is_lost_amid_a_poll_is_no_mgr_s_fault(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("ok"))
    host.hangs("health detail", "osd tree", "df", "osd df", "mgr stat", "fs status", *NOW_AND_THEN)
    host.has_mon("a", sample("quorum-lost")["mon_status"])
    reading = await stage.source(deadline_s=SHORT_S).poll()
    assert reading.value is not None
    assert reading.value.quorum.lost
    assert "the mgr" not in repr(reading)


async def test_it_is_well_again(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", {})
    host.hangs("status")
    source = stage.source(deadline_s=SHORT_S)
    assert (await source.poll()).value is not None
    host.tells(sample("ok"))
    assert good(await stage.source().poll()).known_at is None
    assert good(await source.poll()).health is Severity.OK


# -- hosts that fail


async def test_the_next_host_is_asked_when_one_is_down_and_the_first_is_gone_back_to(stage: Stage) -> None:
    first = stage.hosts.add("stor-1", sample("ok"))
    stage.hosts.add("stor-2", sample("ok"))
    first.down = unreachable("stor-1")
    source = stage.source()
    reading = await source.poll()
    assert reading.value is not None
    assert reading.value.asked == "stor-2"
    assert reading.warnings == ("ceph: stor-1: no route to the host; check that the host is up",)
    first.down = None
    assert good(await source.poll()).asked == "stor-2"
    stage.monotonic += HOME_AGAIN_S + 1
    assert good(await source.poll()).asked == "stor-1"


async def test_when_all_hosts_are_down_each_is_told(stage: Stage) -> None:
    for name in ("stor-1", "stor-2"):
        stage.hosts.add(name).down = unreachable(name)
    reading = await stage.source().poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.UNREACHABLE
    assert reading.failure.what == "ceph: stor-2: no route to the host (another host has failed before it)"
    assert [warning.partition(";")[0] for warning in reading.warnings] == ["ceph: stor-1: no route to the host"]


LOG = "2026-11-26T18:25:11.457+0000 7f9a -1 monclient(hunting): handle_auth_bad_method server allowed_methods [2]"
REFUSALS: dict[str, tuple[str, FailureKind, str, str]] = {
    "no permission": (
        f"echo '{LOG}\n\n[errno 13] RADOS permission denied (error connecting to the cluster)' >&2; exit 13",
        FailureKind.FORBIDDEN, "client.farmtui is not let in: [errno 13] RADOS permission denied", "mon 'allow r'",
    ),
    "no permission, at length": (f"echo '{LOG}\n{LOG}\n{LOG}' >&2; exit 13", FailureKind.FORBIDDEN,
                                 "ceph status: client.farmtui is not let in", "ceph auth get-or-create"),
    "no config": ("echo \"Error initializing cluster client: ObjectNotFound('conf_read_file')\" >&2; exit 1",
                  FailureKind.CONFIG, "does not find what it needs: Error initializing", "check ceph.conf"),
    "not understood": ("echo 'Error EINVAL: invalid command' >&2; exit 22", FailureKind.SERVER,
                       "ceph status ended with 22: Error EINVAL: invalid command", "run it on that host"),
    "no word": ("exit 3", FailureKind.SERVER, "ceph status ended with 3", "run it on that host"),
    "no json": ("echo '<html>'", FailureKind.BAD_ANSWER, "ceph status printed no JSON", "see there what it says"),
    "nothing": ("true", FailureKind.BAD_ANSWER, "ceph status printed no JSON", "see there what it says"),
    "deep": ("head -c 100000 /dev/zero | tr '\\0' '['", FailureKind.BAD_ANSWER, "printed no JSON", "see there"),
    "other json": ("echo '{\"a\": 1}'", FailureKind.BAD_ANSWER, "the answer is no status of Ceph", "see there"),
    "not utf-8": ("printf '\\377\\376'", FailureKind.BAD_ANSWER, "printed no JSON", "see there"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_becomes_words_with_a_remedy(stage: Stage, name: str) -> None:
    script, kind, what, remedy = REFUSALS[name]
    host = stage.hosts.add("stor-1", {})
    host.does("status", script)
    reading = await stage.source(client="client.farmtui").poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind, reading.failure
    assert reading.failure.what.startswith("ceph at stor-1: ")
    assert what in reading.failure.what
    assert remedy in reading.failure.remedy
    assert "2026-" not in reading.failure.what, "a log's line tells nobody anything"
    host.tells(sample("ok"))
    good(await stage.source().poll())


async def test_without_the_command_the_package_is_named(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", {})
    host.lacks("ceph")
    host.has("timeout", "echo \"timeout: failed to run command 'ceph': No such file or directory\" >&2; exit 127")
    reading = await stage.source().poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "failed to run command 'ceph'" in reading.failure.what
    assert "install ceph-common" in reading.failure.remedy


async def test_a_sudo_that_asks_for_a_password_is_told(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("ok"))
    host.has("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    reading = await stage.source(sudo=True).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "sudo refuses to run it: a password is required" in reading.failure.what
    assert "sudoers" in reading.failure.remedy


Change = Callable[[dict[str, Any]], None]


def _lose(*commands: str) -> Change:
    def change(told: dict[str, Any]) -> None:
        for words in commands:
            del told[words]

    return change


def _spoil(words: str, answer: Any) -> Change:
    return lambda told: told.update({words: answer})


PARTS: dict[str, tuple[Change, str]] = {
    "tree": (_lose("osd tree"), "ceph osd tree on stor-1: ended with 22"),
    "health": (_lose("health detail"), "ceph health detail on stor-1: ended with 22"),
    "pools": (_spoil("df", []), "ceph df on stor-1: the answer is no usage of pools"),
    "usage": (_spoil("osd df", {"nodes": 3}), "ceph osd df on stor-1: the answer is no usage of OSDs"),
    "file systems": (_spoil("fs status", None), "ceph fs status on stor-1: the answer is no status of file systems"),
    "mgr": (_spoil("mgr stat", {}), "ceph mgr stat on stor-1: the answer is no mgr's status"),
    "mons": (_spoil("quorum_status", {}), "ceph quorum_status on stor-1: the answer is no quorum of mons"),
    "places": (_spoil("node ls", 7), "ceph node ls on stor-1: the answer is no list of nodes"),
    "versions": (_spoil("versions", {}), "ceph versions on stor-1: the answer is no list of versions"),
}


@pytest.mark.parametrize("name", PARTS)
async def test_a_part_that_cannot_be_had_costs_that_part_and_is_told(stage: Stage, name: str) -> None:
    change, what = PARTS[name]
    told = sample("osd-down")
    change(told)
    stage.hosts.add("stor-1", told)
    reading = await stage.source().poll()
    assert reading.failure is None
    assert reading.value is not None
    # Without its lines the health is still in the status.
    assert [check.name for check in reading.value.checks] == ["OSD_DOWN", "PG_DEGRADED", "OSDMAP_FLAGS"]
    [warning] = reading.warnings
    assert warning.startswith(what), warning
    assert warning == reading.value.problems[0]


async def test_a_huge_answer_is_refused(stage: Stage) -> None:
    host = stage.hosts.add("stor-1", sample("ok"))
    host.does("osd tree", "head -c 17000000 /dev/zero")
    reading = await stage.source().poll()
    assert reading.value is not None
    assert reading.value.tree == ()
    assert "prints too much" in reading.warnings[0]


async def test_hostile_words_are_made_safe(stage: Stage) -> None:
    told = sample("osd-down")
    check = told["health detail"]["checks"]["OSD_DOWN"]
    check["summary"]["message"] = "\x1b]52;c;aGk=\x07 [/] \u202e" + "x" * 1000
    check["detail"] = [{"message": "\x1b[2J"}, 7, {}]
    stage.hosts.add("stor-1", told)
    [down] = [check for check in good(await stage.source().poll()).checks if check.name == "OSD_DOWN"]
    assert len(down.summary) == 300
    assert not set(down.summary) & {"\x1b", "\x07", "\u202e"}
    assert down.lines == ("\ufffd[2J",)


async def test_a_big_cluster_s_requests_are_the_same_few(stage: Stage) -> None:
    told = sample("ok")
    [root] = [node for node in told["osd tree"]["nodes"] if node["type"] == "root"]
    osds = [{"id": n, "name": f"osd.{n}", "type": "osd", "status": "up", "reweight": 1} for n in range(2_000)]
    told["osd tree"]["nodes"] = [{**root, "children": [osd["id"] for osd in osds]}, *osds]
    told["osd df"]["nodes"] = [{**osd, "kb": 10, "kb_used": 5, "pgs": 1} for osd in osds]
    host = stage.hosts.add("stor-1", json.loads(json.dumps(told)))
    detail = good(await stage.source().poll())
    assert len(detail.tree) == 2_001
    assert detail.tree[-1].used_bytes == 5 * 1024
    assert len(host.asked) == len(EACH_POLL | NOW_AND_THEN)


async def test_closing_lets_the_connections_go(stage: Stage) -> None:
    stage.hosts.add("stor-1", sample("ok"))
    await stage.source().close()
    assert stage.hosts.closed == 1
