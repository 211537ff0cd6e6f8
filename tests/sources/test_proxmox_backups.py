"""Backups of guests as Proxmox VE tells them: which storages are asked, what is not shown, and what fails in part."""

from __future__ import annotations

from typing import Any

import pytest

from farmtui.farm.backups import PveBackups
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.proxmox_backups import LISTINGS
from tests.sources.prometheus.fakes import for_ever
from tests.sources.pve_fakes import FakePve, Pve, pve, refusing

__all__ = ["pve"]

pytestmark = pytest.mark.usefixtures("planted")

PBS = "nodes/pve-1/storage/pbs/content"
LOCAL = "nodes/pve-2/storage/local/content"


def storage(name: str, host: str, *, shared: int = 0, content: str = "backup", status: str = "available") -> Any:
    """A storage in cluster/resources."""
    return {"type": "storage", "storage": name, "node": host, "shared": shared, "content": content, "status": status}


def volume(vmid: Any, ctime: Any, size: Any = 100, **more: Any) -> dict[str, Any]:
    """A backup in a storage's content."""
    return {"volid": f"pbs:backup/vm/{vmid}/{ctime}", "content": "backup", "vmid": vmid, "ctime": ctime, "size": size,
            **more}  # fmt: skip


def node() -> FakePve:
    """Two hosts, a shared storage and one of pve-2's own."""
    made = FakePve()
    made.answers["cluster/resources"] = [
        storage("pbs", "pve-1", shared=1), storage("pbs", "pve-2", shared=1),
        storage("local", "pve-2", content="iso,backup"), storage("local-zfs", "pve-1", content="images,rootdir"),
        {"type": "qemu", "vmid": 101, "node": "pve-1"},
    ]  # fmt: skip
    made.answers[PBS] = [volume(101, 1_000), volume(101, 3_000, 90), volume("102", "2000", "50")]
    made.answers[LOCAL] = [volume(101, 2_500, 400), volume(103, 10)]
    made.answers["cluster/backup-info/not-backed-up"] = [{"vmid": 104, "name": "lab", "type": "qemu"}]
    made.answers["cluster/tasks"] = [
        {"type": "vzdump", "node": "pve-1", "id": "", "endtime": 500, "status": "OK"},
        {"type": "vzdump", "node": "pve-2", "id": "102", "endtime": 900, "status": "job \x1berrors"},
        {"type": "vzdump", "node": "pve-1", "id": "", "starttime": 950},
        {"type": "qmstart", "node": "pve-1", "id": "101", "endtime": 990, "status": "OK"},
    ]
    return made


async def poll(pve: Pve, fake: FakePve, **more: Any) -> Reading[PveBackups]:
    """One look at one API node."""
    return await pve.backups(await pve.node(fake), **more).poll()


def value(reading: Reading[PveBackups]) -> PveBackups:
    """What was read."""
    assert reading.failure is None
    assert reading.value is not None
    return reading.value


async def test_the_newest_of_every_guest_in_whichever_storage(pve: Pve) -> None:
    fake = node()
    reading = await poll(pve, fake)
    found = value(reading)
    assert (found.cluster, found.whole, found.storages, found.problems) == ("main", True, ("pbs", "local"), ())
    told = {stored.of: (stored.at, stored.size_bytes, stored.where, stored.before_bytes) for stored in found.stored}
    assert told == {
        "main/101": (3_000, 90, "pbs", 100), "main/102": (2_000, 50, "pbs", None), "main/103": (10, 100, "local", None),
    }  # fmt: skip
    assert found.uncovered == (104,)
    assert [(task.host, task.guest, task.failed) for task in found.tasks] == [
        ("pve-2", 102, True),
        ("pve-1", None, False),
    ]
    assert "\x1b" not in found.tasks[0].status
    # A shared storage is asked for once: however many hosts and guests there are, the requests stay these.
    assert reading.requests == sum(fake.asked.values()) == 5


async def test_nothing_shown_is_not_nothing_there(pve: Pve) -> None:
    fake = node()
    fake.answers[PBS] = fake.answers[LOCAL] = []
    found = value(await poll(pve, fake))
    assert not found.whole
    assert "VM.Backup" in found.problems[-1]


async def test_a_storage_that_fails_leaves_the_others(pve: Pve) -> None:
    fake = node()
    fake.faults[LOCAL] = refusing(500, "storage 'local' is not online")
    found = value(await poll(pve, fake))
    assert (found.whole, {stored.of for stored in found.stored}) == (False, {"main/101", "main/102"})
    assert "storage local on pve-2" in found.problems[0]


async def test_a_storage_that_is_not_there_is_said(pve: Pve) -> None:
    fake = node()
    fake.answers["cluster/resources"] = [
        storage("pbs", "pve-1", shared=1, status="unknown"), storage("pbs", "pve-2", shared=1),
        storage("local", "pve-3", status="unknown"), storage("../../x", "pve-1"),
    ]  # fmt: skip
    fake.answers["nodes/pve-2/storage/pbs/content"] = [volume(101, 1)]
    found = value(await poll(pve, fake))
    assert (found.whole, found.problems) == (False, ("storage local of pve-3 is not available",))
    assert [stored.of for stored in found.stored] == ["main/101"]


async def test_what_an_older_cluster_does_not_know_is_not_known(pve: Pve) -> None:
    fake = node()
    del fake.answers["cluster/backup-info/not-backed-up"]
    found = value(await poll(pve, fake))
    assert found.uncovered is None
    assert "not-backed-up" in found.problems[0]
    assert found.whole, "what is stored is known all the same"


async def test_odd_entries_are_passed_over(pve: Pve) -> None:
    fake = node()
    fake.answers[PBS] = [None, 7, {}, volume(None, 5), volume(101, None), volume(101, -1), volume(101, 7, "big"),
                         volume(105, 8, content="iso")]  # fmt: skip
    fake.answers[LOCAL] = {"no": "list"}
    found = value(await poll(pve, fake))
    assert [(stored.of, stored.at, stored.size_bytes) for stored in found.stored] == [("main/101", 7, 0)]


async def test_very_many_storages_are_not_all_asked(pve: Pve) -> None:
    fake = node()
    names = [f"s{n:02}" for n in range(LISTINGS + 5)]
    fake.answers["cluster/resources"] = [storage(name, "pve-1") for name in names]
    for name in names:
        fake.answers[f"nodes/pve-1/storage/{name}/content"] = [volume(101, 5)]
    reading = await poll(pve, fake)
    assert (value(reading).whole, reading.requests) == (False, LISTINGS + 3)


async def test_a_storage_that_hangs_holds_nothing_up(pve: Pve) -> None:
    fake = node()
    fake.faults[LOCAL] = for_ever
    found = value(await poll(pve, fake, deadline_s=3.0))
    assert not found.whole
    assert "storage local" in found.problems[0]


async def test_a_token_that_may_see_nothing(pve: Pve) -> None:
    fake = node()
    fake.faults[""] = refusing(401, "invalid token value!")
    reading = await poll(pve, fake)
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.FORBIDDEN
