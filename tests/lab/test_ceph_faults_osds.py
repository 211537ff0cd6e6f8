"""Faults of a real Ceph's OSDs and data, each provoked, read from the console's screens, and mended."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.lab.ceph_screen import WIDE, is_well, shows_its_checks, shows_row, written
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import causes, overview, shows
from tests.lab.services.ceph import Ceph
from tests.lab.services.prometheus import Prometheus
from tests.terminal.pty_harness import PtySession

POOL = "rbd"


@pytest.fixture(scope="module")
def objects(ceph: Ceph) -> Iterator[int]:
    """Data that a fault can leave short of copies; gives the number of objects."""
    with written(ceph, POOL) as number:
        yield number


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, ceph: Ceph, objects: int) -> Iterator[PtySession]:
    """The storage screen over a cluster that is well, and is so again."""
    ceph.wait_healthy()
    session = console(prometheus, ceph, screen="storage", **WIDE)
    is_well(session)
    yield session
    ceph.wait_healthy()


def test_an_osd_is_killed(screen: PtySession, ceph: Ceph) -> None:
    with ceph.killed("osd.3"):
        shows_its_checks(screen, ceph, "OSD_DOWN", "PG_DEGRADED")
        screen.wait_for("5 of 6 up")
        screen.wait_for(lambda: shows_row(screen, "osd.3", "stor-2", "✖ down in"))
        groups = ceph.run("pg", "stat")["pg_summary"]
        clean = sum(state["num"] for state in groups["num_pg_by_state"] if state["name"] == "active+clean")
        screen.wait_for(f"{clean} of {groups['num_pgs']} clean")
        screen.wait_for("copies standing still")
        assert "nothing to recover" not in screen.text
        causes(
            screen,
            "4",
            "Ceph OSD_DOWN",
            "an OSD that should hold data does not run; its copies are missing",
            "osd.3 on stor-2",
            "so Ceph PG_DEGRADED",
        )
    is_well(screen)
    screen.wait_for("6 of 6 up")


def test_an_osd_is_given_up(screen: PtySession, ceph: Ceph) -> None:
    """Its copies are made elsewhere, Ceph is well, and the mgr knows nothing of it any more."""
    ceph.daemons["osd.3"].kill()
    try:
        ceph.text("osd", "down", "3")
        ceph.text("osd", "out", "3")
        screen.wait_for(lambda: shows_row(screen, "osd.3", "stor-2", "▲ down out"))
        ceph.wait_healthy()
        screen.wait_for(lambda: "HEALTH_OK" in screen.text and "5 of 6 up" in screen.text and "5 in" in screen.text)
        causes(screen, "4", "1 OSD is down and out", "osd.3 on stor-2")
    finally:
        ceph.restart("osd.3")
        ceph.text("osd", "in", "3")
    is_well(screen)
    screen.wait_for("6 of 6 up")


def test_all_osds_of_a_host_are_killed(screen: PtySession, ceph: Ceph) -> None:
    with ceph.killed(*ceph.osds_on("stor-3")):
        shows_its_checks(screen, ceph, "OSD_HOST_DOWN", "OSD_DOWN", "PG_DEGRADED")
        screen.wait_for("4 of 6 up")
        with overview(screen, "4", "Ceph"):
            shows(screen, "Ceph OSD_HOST_DOWN", "osd.4 on stor-3, osd.5 on stor-3", "so Ceph OSD_DOWN")
            told = [line for line in screen.text.splitlines() if re.search(r"(▲|✖) (warn|CRIT) +Ceph", line)]
            assert len(told) == 1, "the host stands for its OSDs and for what their data lacks"
    is_well(screen)


def test_a_flag_is_set(screen: PtySession, ceph: Ceph) -> None:
    ceph.text("osd", "set", "noout")
    try:
        shows_its_checks(screen, ceph, "OSDMAP_FLAGS")
        screen.wait_for("flags: noout")
        causes(screen, "4", "Ceph OSDMAP_FLAGS", "a flag that stops some of the cluster's work is set", "noout")
    finally:
        ceph.text("osd", "unset", "noout")
    is_well(screen)


def test_osds_are_nearly_full_and_full(screen: PtySession, ceph: Ceph) -> None:
    try:
        ceph.script("osd set-nearfull-ratio 0.02")
        shows_its_checks(screen, ceph, "OSD_NEARFULL", "POOL_NEARFULL")
        screen.wait_for("HEALTH_WARN")
        ceph.script("osd set-backfillfull-ratio 0.03", "osd set-full-ratio 0.04")
        shows_its_checks(screen, ceph, "OSD_FULL", "POOL_FULL")
        screen.wait_for("HEALTH_ERR")
        fullest = re.compile(r"osd\.\d on stor-\d [\d.]+ %, osd")
        refused = "an OSD is full: every write to its pools is refused"
        causes(screen, "4", "Ceph OSD_FULL", refused, "so Ceph POOL_FULL", fullest)
    finally:
        ceph.script("osd set-full-ratio 0.95", "osd set-backfillfull-ratio 0.90", "osd set-nearfull-ratio 0.85")
    is_well(screen)


def test_copies_differ(screen: PtySession, ceph: Ceph) -> None:
    ceph.tool("rados", "-p", POOL, "put", "victim", "/etc/services")
    place = ceph.run("osd", "map", POOL, "victim")
    osd = f"osd.{place['acting'][-1]}"
    ceph.text("osd", "set", "noout")
    try:
        ceph.daemons[osd].stop()
        command = ["ceph-objectstore-tool", "--data-path", str(ceph.data(osd)), "--pgid", place["pgid"]]
        ceph.as_user(*command, "victim", "set-bytes", "/etc/hostname")
    finally:
        ceph.restart(osd)
        ceph.text("osd", "unset", "noout")
    ceph.wait_healthy()
    ceph.text("pg", "deep-scrub", place["pgid"])
    shows_its_checks(screen, ceph, "PG_DAMAGED", "OSD_SCRUB_ERRORS")
    screen.wait_for("HEALTH_ERR")
    screen.wait_for("1 inconsistent")
    differ = "scrubs have found copies that differ"
    causes(screen, "4", "Ceph OSD_SCRUB_ERRORS", differ, "1 inconsistent in pool rbd", "so Ceph PG_DAMAGED")
    ceph.text("pg", "repair", place["pgid"])
    is_well(screen)
    ceph.tool("rados", "-p", POOL, "rm", "victim")


def test_operations_are_slow(screen: PtySession, ceph: Ceph) -> None:
    ceph.text("osd", "set", "nodown")
    ceph.daemons["osd.4"].freeze()
    bench = ["rados", "-c", str(ceph.conf), "-p", POOL, "bench", "15", "write", "-b", "4096", "-t", "16"]
    with subprocess.Popen([*bench, "--run-name", "slow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        try:
            shows_its_checks(screen, ceph, "SLOW_OPS", "OSDMAP_FLAGS")
            waiting = re.compile(r"they wait in osd\.\d \(\d+\)")
            causes(screen, "4", "Ceph SLOW_OPS", "operations are slow", waiting)
        finally:
            ceph.daemons["osd.4"].thaw()
            ceph.text("osd", "unset", "nodown")
            load.wait(timeout=120)
    is_well(screen)
    wait_until("the bench has cleaned up", lambda: "slow" not in ceph.tool("rados", "-p", POOL, "ls"))
