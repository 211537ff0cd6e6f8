"""Ceph's own word over a real sshd: what the source reads is what the command says, and its silence is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from farmtui.config import CephConfig, SshConfig
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.state import Severity
from farmtui.farm.units import data_size
from farmtui.sources.ceph_detail_ssh import CephSshSource
from farmtui.sources.ssh.pool import SshPool
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import row, shows
from tests.lab.services.ceph import Ceph, CephError
from tests.lab.services.ceph_hosts import CephHosts
from tests.lab.services.prometheus import Prometheus
from tests.lab.services.ssh import SshHosts
from tests.terminal.pty_harness import PtySession


def wait_counted(ceph: Ceph) -> None:
    """Wait until the mgr counts again: after it has died a young cluster calls itself well all the while."""

    def counts() -> bool:
        with suppress(CephError, TimeoutError):
            return bool(ceph.run("osd", "df", timeout_s=5.0)["nodes"])
        return False

    wait_until("the mgr counts", counts, 60.0)


@pytest.fixture
async def source(ceph: Ceph, ceph_hosts: CephHosts) -> AsyncIterator[CephSshSource]:
    """The console's own source."""
    wait_counted(ceph)
    made = CephSshSource(CephConfig(**ceph_hosts.config()["ceph"]), SshPool(SshConfig(**ceph_hosts.config()["ssh"])))
    yield made
    await made.close()


async def told(source: CephSshSource) -> CephDetail:
    """What Ceph says, of which nothing is missing."""
    reading = await source.poll()
    assert (reading.failure, reading.warnings) == (None, ())
    assert reading.value is not None
    return reading.value


@pytest.fixture
def noout(ceph: Ceph) -> Iterator[None]:
    """A check is raised that harms nothing."""
    ceph.text("osd", "set", "noout")
    yield
    ceph.text("osd", "unset", "noout")
    with suppress(CephError):
        ceph.text("health", "unmute", "OSDMAP_FLAGS")
    ceph.wait_healthy()


# -- agreement


@pytest.mark.usefixtures("noout")
async def test_every_answer_is_the_commands_own(source: CephSshSource, ceph: Ceph) -> None:
    before = ceph.run("df")
    detail = await told(source)
    health = ceph.run("health", "detail")
    assert {check.name: (check.summary, check.lines) for check in detail.checks} == {
        name: (check["summary"]["message"], tuple(line["message"] for line in check["detail"]))
        for name, check in health["checks"].items()
    }
    assert detail.health is {"HEALTH_OK": Severity.OK, "HEALTH_WARN": Severity.WARNING}[health["status"]]
    assert detail.flags == ("noout",)
    quorum = ceph.run("quorum_status")
    assert list(detail.quorum.members) == quorum["quorum_names"]
    assert detail.quorum.leader == quorum["quorum_leader_name"]
    assert list(detail.quorum.mons) == [mon["name"] for mon in quorum["monmap"]["mons"]]
    assert detail.mgr == ceph.run("mgr", "stat")["active_name"]
    assert dict(detail.versions) == _versions(ceph.run("versions")["overall"])
    assert dict(detail.hosts) == {d: h for d, h in ceph.host_of.items() if d.partition(".")[0] in ("mon", "mgr", "mds")}
    the_tree_agrees(detail, ceph)
    groups_pools_and_file_systems_agree(detail, ceph, before)


def the_tree_agrees(detail: CephDetail, ceph: Ceph) -> None:
    """Names and order as the command prints them, a line each; what each OSD holds."""
    printed = [line for line in ceph.text("osd", "tree").splitlines()[1:] if line.strip()]
    assert [place.name for place in detail.tree] == [_name_in(line) for line in printed]
    used = {node["name"]: node for node in ceph.run("osd", "df")["nodes"]}
    for place in detail.tree:
        if place.kind == "osd":
            node = used[place.name]
            assert (place.status, place.is_in, place.pgs) == (node["status"], node["reweight"] > 0, node["pgs"])
            assert place.size_bytes == node["kb"] * 1024
            assert place.used_bytes == pytest.approx(node["kb_used"] * 1024, rel=0.05)
            assert ceph.host_of[place.name] in {above.name for above in detail.tree if above.kind == "host"}


def groups_pools_and_file_systems_agree(detail: CephDetail, ceph: Ceph, before: dict[str, Any]) -> None:
    """Counts, and shares; `before` is what `ceph df` said before the poll."""
    status, df, fs = ceph.run("status"), ceph.run("df"), ceph.run("fs", "status")
    assert detail.pgs is not None
    counted = Counter[str]()
    for state in status["pgmap"]["pgs_by_state"]:
        counted.update(dict.fromkeys(state["state_name"].split("+"), state["count"]))
    assert detail.pgs.total == status["pgmap"]["num_pgs"]
    # Groups may be scrubbed at any moment.
    assert {s: n for s, n in detail.pgs.states if s in ("active", "clean")} == {
        s: counted[s] for s in ("active", "clean")
    }
    assert detail.pgs.total_bytes == df["stats"]["total_bytes"]
    assert {(pool.id, pool.name) for pool in detail.pools} == {(str(p["id"]), p["name"]) for p in df["pools"]}
    for pool in detail.pools:
        # Somebody writes all the while: what was read lies between what the command says before and after.
        both = [p["stats"] for answer in (before, df) for p in answer["pools"] if p["name"] == pool.name]
        for shown, field in ((pool.stored_bytes, "stored"), (pool.used_ratio, "percent_used")):
            said = [stats[field] for stats in both]
            assert shown is not None
            assert 0.9 * min(said) <= shown <= 1.1 * max(said), pool.name
    assert {(mds.name, mds.rank, mds.state) for mds in detail.ranks} == {
        (mds["name"], mds.get("rank"), mds["state"]) for mds in fs["mdsmap"]
    }
    assert {mds.filesystem for mds in detail.ranks if mds.rank is not None} == set(detail.filesystems) == {"cephfs"}
    assert [gateway.name for gateway in detail.rgws] == ["rgw.a"]


async def test_a_user_that_may_only_read_is_enough(ceph: Ceph, ceph_hosts: CephHosts) -> None:
    wait_counted(ceph)
    key = ceph.text("auth", "get-or-create", "client.farmtui", "mon", "allow r", "mgr", "allow r")
    before = ceph.keyring.read_text()
    config = ceph_hosts.config()
    pool = SshPool(SshConfig(**config["ssh"]))
    try:
        ceph.keyring.write_text(before + key)
        detail = await told(CephSshSource(CephConfig(**config["ceph"], client="client.farmtui"), pool))
        assert (detail.mgr, len(detail.pools) > 3) == ("x", True)
        refused = await CephSshSource(CephConfig(**config["ceph"], client="client.nobody"), pool).poll()
    finally:
        await pool.close()
        ceph.keyring.write_text(before)
        ceph.text("auth", "rm", "client.farmtui")
    assert refused.failure is not None
    assert "client.nobody is not let in" in refused.failure.what
    assert "ceph auth get-or-create client.farmtui mon 'allow r' mgr 'allow r'" in refused.failure.remedy


async def test_the_next_host_is_asked_when_sshd_is_down(source: CephSshSource, ssh: SshHosts) -> None:
    ssh.hosts["ceph-1"].daemon.stop()
    try:
        reading = await source.poll()
    finally:
        ssh.hosts["ceph-1"].daemon.start()
    assert reading.value is not None
    assert reading.value.asked == "ceph-2"
    [warning] = reading.warnings
    assert "ceph-1" in warning
    assert "connection refused" in warning


# -- on the screen


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, ceph: Ceph, ceph_hosts: CephHosts) -> Iterator[PtySession]:
    """The storage screen over a cluster that is well, and is so again after it."""
    wait_counted(ceph)
    ceph.wait_healthy()
    session = console(prometheus, ceph, ceph_hosts, screen="storage", columns=180, lines=45)
    shows(session, "HEALTH_OK", "quorum leader")
    yield session
    ceph.wait_healthy()


def test_checks_are_shown_in_ceph_s_own_words_and_lead_to_what_they_name(
    screen: PtySession, ceph: Ceph, noout: None
) -> None:
    message = ceph.run("health", "detail")["checks"]["OSDMAP_FLAGS"]["summary"]["message"]
    screen.wait_for(lambda: message in row(screen, "OSDMAP_FLAGS"))
    shows(screen, "HEALTH_WARN")
    ceph.text("health", "mute", "OSDMAP_FLAGS")
    screen.wait_for(lambda: "muted" in row(screen, "OSDMAP_FLAGS"))
    shows(screen, "HEALTH_OK")
    size = data_size(next(n["kb"] * 1024.0 for n in ceph.run("osd", "df")["nodes"] if n["name"] == "osd.3"))
    assert size in row(screen, "osd.3")
    with ceph.killed("osd.3"):
        shows(screen, "HEALTH_WARN", "OSD_DOWN", "1 osds down")
        # Other checks may still come, and the cursor stays at the top: only the one that is meant is left to open.
        screen.send("/OSD_DOWN\r")
        shows(screen, "/OSD_DOWN")
        screen.send("\x1b[Z\r")
        shows(screen, "Ceph's detail, told on ceph-1")
        [line] = [line["message"] for line in ceph.run("health", "detail")["checks"]["OSD_DOWN"]["detail"]]
        shows(screen, "Ceph's detail, told on ceph-1", line, "what to do")
        # What the line names can be opened from here.
        screen.send("\t\r")
        shows(screen, "root default > host stor-2")


def test_quorum_lost_is_said_and_the_mgr_s_green_is_not_believed(
    screen: PtySession, ceph: Ceph, prometheus: Prometheus
) -> None:
    with ceph.killed("mon.b", "mon.c"):
        shows(
            screen, "no quorum", "quorum lost: mon.a sees state probing", "the mgr still serves the figures of before"
        )
        assert _metric(prometheus, "ceph_health_status") == "0", "the mgr still says HEALTH_OK"
        assert "HEALTH_OK" not in screen.text
        screen.wait_for(lambda: "✖ probing" in row(screen, "mon.a", after="daemon"))
        screen.send("1")
        shows(screen, "Ceph has no quorum", "first: 2 of 3 mons must run")
        screen.send("4")
    shows(screen, "HEALTH_OK", "quorum leader")
    screen.wait_for(lambda: "no quorum" not in screen.text)


def test_without_a_mgr_nothing_is_counted_and_the_mons_still_know(screen: PtySession, ceph: Ceph) -> None:
    with ceph.killed("mgr.x"):
        # A young cluster does not complain of that itself (mon_mgr_mkfs_grace).
        shows(screen, "none active", "no mgr counts them", "of 6 up")
        screen.send("1")
        screen.wait_for(lambda: "Ceph has no active mgr" in screen.text or "MGR_DOWN" in screen.text)
        screen.send("4")
    shows(screen, "HEALTH_OK", "nothing to recover")


def _metric(prometheus: Prometheus, query: str) -> str:
    [result] = prometheus.query(query)
    value: str = result["value"][1]
    return value


def _versions(overall: dict[str, int]) -> dict[str, int]:
    return {version.split()[2]: daemons for version, daemons in overall.items()}


def _name_in(line: str) -> str:
    """The name in a line of `ceph osd tree`: an OSD's, or that after the bucket's kind."""
    words: list[Any] = line.split()
    osds = [word for word in words if word.startswith("osd.")]
    return str(osds[0] if osds else words[-1])
