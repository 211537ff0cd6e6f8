"""Proxmox VE's tasks, storages and DigitalOcean's balancers: what of them is told as wrong, and what is not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.node import CloudAccount, Droplet, Guest, LoadBalancer, PveCluster, Sighting
from farmtui.farm.pve import PveStorage, PveTask
from farmtui.farm.state import Severity
from farmtui.insight.balancers import balancer_faults, balancer_state
from farmtui.insight.pve import failed_tasks, pve_faults
from farmtui.sources.proxmox_decode import decode_cluster
from farmtui.sources.proxmox_decode_more import decode_tasks
from tests.screens.farms import NOW, make_farm, make_node


def task(hours: float, status: str, **changes: Any) -> PveTask:
    """A backup of guest 101 that ended so many hours ago."""
    ended = NOW - timedelta(hours=hours)
    made = PveTask("main", f"UPID:{hours}", "pve-1", "vzdump", "101", "root@pam", ended, ended, status)
    return dataclasses.replace(made, **changes)


def farm(*tasks: PveTask, storages: tuple[PveStorage, ...] = ()) -> Farm:
    guest = Guest("main", 101, "db-1", "qemu", "pve-1", "running")
    cluster = PveCluster("main", True, (), (guest,), storages, tasks)
    return dataclasses.replace(make_farm(), pve=(cluster,))


def test_a_failed_task_is_told_until_its_like_is_done() -> None:
    [told] = pve_faults(farm(task(2, "job errors")))
    assert (told.severity, told.title) == (Severity.WARNING, "PVE backup of db-1 failed")
    assert told.subject == ("pve-task", "main/UPID:2")
    assert not list(pve_faults(farm(task(1, "OK"), task(2, "job errors"))))
    assert not list(pve_faults(farm(task(1, "WARNINGS: 1"), task(2, "job errors"))))
    assert list(pve_faults(farm(task(1, "", ended_at=None), task(2, "job errors")))), (
        "one that runs has not done it yet"
    )
    assert not list(pve_faults(farm(task(60, "job errors")))), "of before the last night"


def test_a_console_that_was_closed_is_no_fault_and_a_start_that_failed_a_small_one() -> None:
    assert not list(pve_faults(farm(task(1, "connection timed out", kind="vncproxy"))))
    [told] = pve_faults(farm(task(1, "no quorum", kind="qmstart")))
    assert told.severity is Severity.INFO


def test_many_of_a_kind_are_one_finding() -> None:
    tasks = [task(2, "job errors", ident=str(number), upid=f"UPID:{number}") for number in range(30)]
    [told] = pve_faults(farm(*tasks))
    assert told.title == "30 PVE tasks failed: backup"
    assert len(failed_tasks(farm(*tasks).pve[0], NOW)) == 30


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"used_bytes": 96.0}, "96 % full"),
        ({"silent": ("pve-2",)}, "out of reach"),
        ({"active": False}, "out of reach"),
        ({"active": None}, ""),
        ({}, ""),
    ],
)
def test_a_storage(changes: dict[str, Any], words: str) -> None:
    made = PveStorage("main", "nfs", "nfs", "", active=True, used_bytes=40.0, size_bytes=100.0)
    titles = [one.title for one in pve_faults(farm(storages=(dataclasses.replace(made, **changes),)))]
    assert [words in title for title in titles] == ([True] if words else [])


def test_a_shared_storage_is_one_and_tells_who_does_not_reach_it() -> None:
    shared = {"type": "storage", "storage": "nfs", "plugintype": "nfs", "shared": 1, "content": "iso,backup"}
    resources = [
        {**shared, "node": "pve-1", "status": "unknown"},
        {**shared, "node": "pve-2", "status": "available", "disk": 40, "maxdisk": 100},
        {"type": "storage", "storage": "local", "node": "pve-1", "status": "available", "disk": 1, "maxdisk": 2},
    ]
    nfs, local = sorted(decode_cluster("main", [], resources).storages, key=lambda one: one.name, reverse=True)
    assert (nfs.ident, nfs.active, nfs.silent, nfs.used_ratio) == ("main/nfs", True, ("pve-1",), 0.4)
    assert nfs.contents == ("backup", "iso")
    assert (local.ident, local.used_ratio) == ("main/pve-1/local", 0.5)


def test_tasks_are_read_whatever_the_list_holds() -> None:
    upid = "UPID:pve-1:00001001:00000001:6B000000:qmstart:101:root@pam:"
    listed = [
        7,
        {"upid": "../../x"},
        {"upid": upid, "starttime": "1700000000", "endtime": 1_700_000_003, "status": "\x1bbad", "type": "qmstart"},
        {"upid": upid.replace("6B", "6C"), "starttime": 1_700_000_009, "user": "root@pam"},
    ]
    newest, older = decode_tasks("main", listed)
    assert (newest.running, newest.node, newest.kind) == (True, "pve-1", "qmstart")
    assert (older.failed, older.status, older.duration_s) == (True, "\ufffdbad", 3.0)


def balanced(*, off: int = 0, **changes: Any) -> Farm:
    droplets = tuple(
        Droplet(n, f"edge-{n}", "off" if n <= off else "active", "fra1", "s", None, 1, 1.0, 1.0, tags=("edge",))
        for n in (1, 2, 3)
    )
    balancer = LoadBalancer("lb", "front", "active", "198.51.100.1", "fra1", **{"droplet_ids": (1, 2, 3), **changes})
    nodes = [
        dataclasses.replace(
            make_node(f"edge-{n}"), sightings=(Sighting("digitalocean", str(n)),), serving=n > off
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    return dataclasses.replace(make_farm(nodes=nodes), cloud=CloudAccount(droplets, (), (balancer,)))


@pytest.mark.parametrize(
    ("farm", "severity", "told"),
    [
        (balanced(), Severity.OK, False),
        (balanced(off=1), Severity.WARNING, False),
        (balanced(off=3), Severity.CRITICAL, True),
        (balanced(droplet_ids=()), Severity.WARNING, True),
        (balanced(droplet_ids=(), tag="edge"), Severity.OK, False),
    ],
)
def test_a_balancer_is_as_well_as_what_is_behind_it(farm: Farm, severity: Severity, told: bool) -> None:
    assert farm.cloud is not None
    assert balancer_state(farm, farm.cloud.load_balancers[0])[0] is severity
    assert bool(list(balancer_faults(farm))) is told
