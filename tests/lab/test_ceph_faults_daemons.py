"""Faults of a real Ceph's mons, mgr and MDSs, each provoked, read from the console's screens, and mended."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest

from tests.lab.ceph_screen import WIDE, is_well, shows_its_checks, shows_row
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import causes
from tests.lab.services.ceph import Ceph
from tests.lab.services.prometheus import Prometheus
from tests.terminal.pty_harness import PtySession


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, ceph: Ceph) -> Iterator[PtySession]:
    """The storage screen over a cluster that is well, and is so again."""
    ceph.wait_healthy()
    session = console(prometheus, ceph, screen="storage", **WIDE)
    is_well(session)
    yield session
    ceph.wait_healthy()


def test_one_mon_of_three_is_killed(screen: PtySession, ceph: Ceph) -> None:
    with ceph.killed("mon.c"):
        shows_its_checks(screen, ceph, "MON_DOWN")
        screen.wait_for(lambda: shows_row(screen, "mon", "mon.c", "✖ out", "stor-3"))
        assert shows_row(screen, "mon", "mon.a", "● quorum", "stor-1")
        out = "a monitor is out of quorum; without a majority of them the cluster stops"
        causes(screen, "4", "Ceph MON_DOWN", out, "mon.c on stor-3")
    is_well(screen)


def test_the_quorum_is_lost(screen: PtySession, console: Console, ceph: Ceph, prometheus: Prometheus) -> None:
    """The mgr then serves HEALTH_OK on and on, three mons in quorum: the console must not believe it."""
    with ceph.killed("mon.b", "mon.c"):
        screen.wait_for(lambda: "HEALTH_OK" not in screen.text)
        assert prometheus.value("max(ceph_health_status)") == 0.0
        assert prometheus.value("sum(ceph_mon_quorum_status)") == 3.0
        with contextlib.suppress(TimeoutError):
            pytest.fail(f"ceph answers: {ceph.run('health', timeout_s=3)}")
        screen.wait_for("▌ unknown")
        screen.wait_for("stale")
        hang = "its mons decide nothing: most likely a majority is down, and reads and writes hang"
        since = re.compile(r"no mon has committed anything for \d+ s or longer")
        causes(screen, "4", "Ceph: quorum lost?", hang, since, re.compile("^.*✖ CRIT"))
        later = console(prometheus, ceph, **WIDE)
        causes(later, "1", "Ceph: quorum lost?", "no mon has committed anything for 2 min or longer")
    is_well(screen)
    screen.wait_for(lambda: "stale" not in screen.text)


def test_the_mgr_is_killed(screen: PtySession, ceph: Ceph) -> None:
    with ceph.killed("mgr.x"):
        screen.wait_for("was HEALTH_OK")
        screen.wait_for("stale")
        assert shows_row(screen, "osd.0", "stor-1"), "the last picture stays readable"
        nobody = "no active mgr answers: the cluster may be well, but nobody can tell"
        causes(screen, "4", "Ceph's health is unknown", nobody, re.compile(r"last heard \d+ s ago: ok"))
    is_well(screen)
    screen.wait_for(lambda: "stale" not in screen.text)


def test_an_mds_is_killed_and_then_the_one_that_took_over(screen: PtySession, ceph: Ceph) -> None:
    """The last one, killed, stays active for Ceph, which says no more than HEALTH_WARN."""
    active, standby = mdss(ceph)
    with ceph.killed(active, standby, but=standby):
        shows_its_checks(screen, ceph, "MDS_INSUFFICIENT_STANDBY")
        screen.wait_for(lambda: shows_row(screen, "mds", standby, "● rank 0", ceph.host_of[standby]))
        assert active not in screen.text
        causes(screen, "4", "Ceph MDS_INSUFFICIENT_STANDBY")
        # A client has 45 s (mds_reconnect_timeout) to come back.
        wait_until("its client is back", lambda: ceph.admin_socket(standby, "session ls") != [], 60.0)
        ceph.daemons[standby].kill()
        causes(
            screen,
            "4",
            f"CephFS: {standby} is silent",
            "no standby can take over: every access to the files hangs",
            "so Ceph MDS_INSUFFICIENT_STANDBY",
            deadline_s=90.0,
        )
        assert ceph.run("health")["status"] == "HEALTH_WARN"
        screen.wait_for(lambda: shows_row(screen, "mds", standby, "✖ silent, rank 0", ceph.host_of[standby]))
    is_well(screen)


def test_every_mds_is_stopped(screen: PtySession, ceph: Ceph) -> None:
    for name in ("mds.a", "mds.b"):
        ceph.daemons[name].stop()
    with ceph.killed("mds.a", "mds.b"):
        shows_its_checks(screen, ceph, "MDS_ALL_DOWN", "FS_DEGRADED")
        screen.wait_for("HEALTH_ERR")
        causes(screen, "4", "Ceph MDS_ALL_DOWN", "so Ceph FS_DEGRADED")
    is_well(screen)


def mdss(ceph: Ceph) -> tuple[str, str]:
    """The active one, and the standby."""
    told = ceph.run("fs", "status")["mdsmap"]
    active = next(mds["name"] for mds in told if mds["state"] == "active")
    return f"mds.{active}", next(f"mds.{mds['name']}" for mds in told if mds["state"] == "standby")
