"""What the console shows of Ceph is what Ceph says: each figure on the storage screen against `ceph -f json`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from farmtui.farm.units import count, data_size, duration, percent
from tests.lab.ceph_screen import WIDE, shows_row
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import until_agreed
from tests.lab.service import console_config
from tests.lab.services.ceph import Ceph
from tests.lab.services.prometheus import Prometheus
from tests.terminal.pty_harness import PtySession

BENCH_S, BENCH_BYTES = 6, 65_536
BENCH_POOL = "rbd"
POLLS = 6
"""A poll of the console, of its Prometheus and of the mgr's own cache lie between what Ceph says and what is shown."""
PUT_BYTES = 16 << 20


@pytest.fixture(scope="module")
def written(ceph: Ceph) -> Iterator[float]:
    """A cluster with data, and an OSD that takes a little less than the others; gives the bytes that were written."""
    ceph.wait_healthy()
    done = ceph.tool(
        "rados", "-p", BENCH_POOL, "--format=json", "bench", str(BENCH_S), "write", "-b", str(BENCH_BYTES),
        "-t", "4", "--no-cleanup", "--run-name", "agreement", timeout_s=60,
    )  # fmt: skip
    ceph.tool("rados", "-p", "cephfs.data", "put", "agreement", "/etc/services")
    ceph.text("osd", "reweight", "5", "0.95")
    ceph.wait_healthy()
    yield json.loads(done[done.index("{") :])["total_writes_made"] * BENCH_BYTES
    ceph.text("osd", "reweight", "5", "1")
    ceph.tool("rados", "-p", BENCH_POOL, "cleanup", "--run-name", "agreement", timeout_s=60)
    ceph.tool("rados", "-p", "cephfs.data", "rm", "agreement")
    ceph.wait_healthy()


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, ceph: Ceph, written: float) -> PtySession:
    """The storage screen, live."""
    prometheus.wait_scraped("ceph")
    session = console(prometheus, ceph, screen="storage", **WIDE)
    session.wait_for("device_health")
    return session


def agrees(screen: PtySession, rows: Callable[[], list[Sequence[str]]]) -> None:
    """Wait until the screen shows every row as Ceph has said it within the last polls: some change each time."""
    told: deque[list[Sequence[str]]] = deque(maxlen=POLLS)

    def missing() -> list[Sequence[str]]:
        told.append(rows())
        by_row = zip(*told, strict=True)
        return [said[-1] for said in by_row if not any(shows_row(screen, *cells) for cells in said)]

    until_agreed(screen, "rows shown", missing)


def osd_rows(ceph: Ceph) -> list[Sequence[str]]:
    """The OSD table as Ceph's commands have it."""
    hosts = {child: node["name"] for node in ceph.run("osd", "tree")["nodes"] if node["type"] == "host"
             for child in node["children"]}  # fmt: skip
    slow = {osd["id"]: osd["perf_stats"] for osd in ceph.run("osd", "perf")["osdstats"]["osd_perf_infos"]}
    state = {osd["osd"]: osd for osd in ceph.run("osd", "dump")["osds"]}
    return [
        (
            node["name"],
            hosts[node["id"]],
            f"● {'up' if state[node['id']]['up'] else 'down'} {'in' if state[node['id']]['in'] else 'out'}",
            percent(node["kb_used"] / node["kb"]),
            data_size(node["kb"] * 1024),
            count(node["reweight"]),
            duration(slow[node["id"]]["apply_latency_ms"] / 1000),
            node["device_class"],
        )
        for node in ceph.run("osd", "df")["nodes"]
    ]


def pool_rows(ceph: Ceph) -> list[Sequence[str]]:
    """The pools' table as Ceph's commands have it; traffic is told apart."""
    pgs = {pool["pool_id"]: pool["pg_num"] for pool in ceph.run("osd", "pool", "ls", "detail")}
    return [
        (
            "● clean",
            percent(pool["stats"]["percent_used"]),
            data_size(pool["stats"]["stored"]),
            data_size(pool["stats"]["max_avail"]),
            str(pgs[pool["id"]]),
        )
        for pool in ceph.run("df")["pools"]
    ]


def daemon_rows(ceph: Ceph) -> list[Sequence[str]]:
    """The daemons' table as Ceph's commands have it."""
    told = ceph.run("-s")
    mons = [("mon", f"mon.{name}", "● quorum", ceph.host_of[f"mon.{name}"]) for name in told["quorum_names"]]
    active = ceph.run("mgr", "dump")["active_name"]
    ranks = [
        ("mds", f"mds.{mds['name']}", f"● rank {mds['rank']}" if mds["state"] == "active" else f"● {mds['state']}",
         ceph.host_of[f"mds.{mds['name']}"])
        for mds in ceph.run("fs", "status")["mdsmap"]
    ]  # fmt: skip
    gateways = [
        ("rgw", f"rgw.{daemon['metadata']['id']}", "● up", daemon["metadata"]["hostname"])
        for daemon in ceph.run("service", "dump")["services"]["rgw"]["daemons"].values()
        if isinstance(daemon, dict)
    ]
    return [*mons, ("mgr", f"mgr.{active}", "● active", ceph.host_of[f"mgr.{active}"]), *ranks, *gateways]


def test_osds(screen: PtySession, ceph: Ceph) -> None:
    agrees(screen, lambda: osd_rows(ceph))
    assert shows_row(screen, "osd.5", "stor-3", "● up in")
    assert "0.95" in screen.text


def test_pools(screen: PtySession, ceph: Ceph) -> None:
    agrees(screen, lambda: pool_rows(ceph))
    names = [pool["poolname"] for pool in ceph.run("osd", "lspools")]
    assert all(name[:15] in screen.text for name in names)


def test_daemons(screen: PtySession, ceph: Ceph) -> None:
    agrees(screen, lambda: daemon_rows(ceph))
    assert len(daemon_rows(ceph)) == 7


def test_health_and_capacity(screen: PtySession, ceph: Ceph) -> None:
    assert ceph.run("health")["status"] == "HEALTH_OK"

    def shown() -> bool:
        told, df = ceph.run("-s"), ceph.run("df")["stats"]
        osds = told["osdmap"]
        return all(
            words in screen.text
            for words in (
                "HEALTH_OK",
                "0 checks",
                percent(df["total_used_raw_bytes"] / df["total_bytes"]),
                f"of {data_size(df['total_bytes'])}",
                f"{osds['num_up_osds']} of {osds['num_osds']} up",
                f"{osds['num_in_osds']} in",
                f"{told['pgmap']['num_pgs']} clean",
                "nothing to recover",
            )
        )

    screen.wait_for(shown)


def test_traffic(screen: PtySession, ceph: Ceph, tmp_path: Path) -> None:
    """What was just written is the rate over the minute after it."""
    written = tmp_path / "written"
    written.write_bytes(bytes(PUT_BYTES))

    def write_rate() -> float:
        found = re.search(r"cephfs\.data.*?([\d.]+) ([kMG]?)B/s +replica", screen.text)
        return float(found[1]) * 1000.0 ** " kMG".index(found[2] or " ") if found else 0.0

    screen.wait_for(lambda: write_rate() > 0)
    before = write_rate()
    ceph.tool("rados", "-p", "cephfs.data", "put", "traffic", str(written))
    try:
        screen.wait_for(lambda: write_rate() - before == pytest.approx(PUT_BYTES / 60.0, rel=0.15))
    finally:
        ceph.tool("rados", "-p", "cephfs.data", "rm", "traffic")


def test_status_without_a_screen(ceph: Ceph, prometheus: Prometheus, written: float, tmp_path: Path) -> None:
    config = console_config((prometheus, ceph), tmp_path / "farmtui.yaml")
    command = [sys.executable, "-m", "farmtui", "status", "--json", "--config", str(config)]

    def told() -> bool:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        said = json.loads(done.stdout)["ceph"]
        df = ceph.run("df")["stats"]
        counted = (said["health"], said["osds"], said["osds_up"], said["osds_in"])
        ratio = df["total_used_raw_bytes"] / df["total_bytes"]
        return counted == ("ok", 6, 6, 6) and said["used_ratio"] == pytest.approx(ratio, abs=0.001)

    wait_until("status agrees", told)
