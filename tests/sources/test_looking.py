"""What is asked about one thing while somebody looks at it, from real API nodes: logs, snapshots, and why not."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import Config
from farmtui.farm.looks import GuestLook, TaskLog
from farmtui.farm.node import Guest, PveCluster
from farmtui.looking import Looks
from farmtui.sources.looking import PAGE, PAGES, Looking
from tests.screens.farms import make_farm
from tests.sources.pve_fakes import AT, FakePve, Pve, pve, refusing

__all__ = ["pve"]

UPID = "UPID:pve-1:00001001:00000001:6B000000:vzdump::root@pam:"
LOG = f"nodes/pve-1/tasks/{UPID}/log"


async def looking(pve: Pve, answering: Any) -> Looking:
    """Looks at one cluster."""
    section = pve.config([await pve.node(answering)])
    return Looking(Config(proxmox=[section]), clock=lambda: AT)


def farm_of(guest: Guest) -> Any:
    return dataclasses.replace(make_farm(), pve=(PveCluster("main", True, (), (guest,)),))


GUEST = Guest("main", 101, "worker-1", "qemu", "pve-1", "running")


async def test_the_end_of_a_long_log_is_kept_and_no_more_than_so_much_is_asked(pve: Pve) -> None:
    fake, asked = FakePve(), []
    lines = [{"n": n, "t": f"line {n}"} for n in range(1, PAGE * (PAGES + 2))]

    async def log(request: web.Request) -> web.StreamResponse:
        start, limit = int(request.query["start"]), int(request.query["limit"])
        asked.append((start, limit))
        return web.json_response({"data": lines[start : start + limit]})

    fake.faults[LOG] = log
    looks = await looking(pve, fake)
    look = await looks.look(make_farm(), "pve-task", f"main/{UPID}")
    assert look is not None
    assert isinstance(look.found, TaskLog)
    assert asked == [(page * PAGE, PAGE) for page in range(PAGES)]
    assert len(look.found.lines) == PAGE
    assert look.found.lines[-1] == f"line {PAGE * PAGES}"
    assert look.found.before == PAGE * (PAGES - 1)
    await looks.close()


async def test_what_a_log_says_is_made_safe(pve: Pve) -> None:
    fake = FakePve()
    fake.answers[LOG] = [{"n": 1, "t": "\x1b[2Jgone [red]"}, {"n": 2}, 7]
    looks = await looking(pve, fake)
    look = await looks.look(make_farm(), "pve-task", f"main/{UPID}")
    assert look is not None
    assert isinstance(look.found, TaskLog)
    assert look.found.lines == ("\ufffd[2Jgone [red]", "", "")
    await looks.close()


@pytest.mark.parametrize("upid", ["", "x", "../../../access/users", UPID + "/../x", "UPID:a b:1:1:1:x::y:"])
async def test_what_is_no_task_s_name_is_not_asked_for(upid: str, pve: Pve) -> None:
    fake = FakePve()
    looks = await looking(pve, fake)
    assert await looks.look(make_farm(), "pve-task", f"main/{upid}") is None
    assert await looks.look(make_farm(), "pve-task", f"other/{UPID}") is None
    assert not fake.asked
    await looks.close()


async def test_a_guest_s_snapshots_and_its_config_without_what_is_secret_in_it(pve: Pve) -> None:
    fake = FakePve()
    fake.answers["nodes/pve-1/qemu/101/config"] = {"cores": 8, "cipassword": "hush", "sshkeys": "k", "scsi0": "a:b"}
    fake.answers["nodes/pve-1/qemu/101/snapshot"] = [
        {"name": "older", "snaptime": 1_700_000_000},
        {"name": "newer", "snaptime": "1700000500", "description": "before work", "vmstate": 1},
        {"name": "current"},
    ]
    looks = await looking(pve, fake)
    look = await looks.look(farm_of(GUEST), "guest", "main/101")
    assert look is not None
    assert isinstance(look.found, GuestLook)
    assert look.found.config == (("cores", "8"), ("scsi0", "a:b"))
    assert look.found.snapshots is not None
    assert [one.name for one in look.found.snapshots] == ["newer", "older"]
    assert look.found.snapshots[0].with_memory
    await looks.close()


async def test_a_part_that_is_refused_leaves_the_other(pve: Pve) -> None:
    fake = FakePve()
    fake.faults["nodes/pve-1/qemu/101/snapshot"] = refusing(403, "Permission check failed (/vms/101, VM.Snapshot)")
    looks = await looking(pve, fake)
    look = await looks.look(farm_of(GUEST), "guest", "main/101")
    assert look is not None
    assert isinstance(look.found, GuestLook)
    assert look.found.snapshots is None
    assert look.found.config is not None
    assert "PVEAuditor" in look.found.problems[0]
    await looks.close()


async def test_who_answers_nothing_is_told_in_words(pve: Pve) -> None:
    section = pve.config(["127.0.0.1:9"])
    looks = Looking(Config(proxmox=[section]), clock=lambda: AT)
    look = await looks.look(make_farm(), "pve-task", f"main/{UPID}")
    assert look is not None
    assert look.found is None
    assert "127.0.0.1:9" in look.problem
    await looks.close()


async def test_the_console_s_look_is_asked_once_and_forgotten_for_another_thing(pve: Pve) -> None:
    fake = FakePve()
    fake.answers[LOG] = [{"n": 1, "t": "INFO: begun"}]
    held: list[Config] = []
    looks, told = Looks(lambda: held[-1] if held else None), asyncio.Event()
    farm = make_farm()
    assert looks.of(farm, "pve-task", f"main/{UPID}", told.set) is None
    held.append(Config(proxmox=[pve.config([await pve.node(fake)])]))
    assert looks.of(farm, "osd", "osd.1", told.set) is None
    assert looks.of(farm, "pve-task", f"main/{UPID}", told.set) is None
    await asyncio.wait_for(told.wait(), 60)
    for _ in range(5):
        look = looks.of(farm, "pve-task", f"main/{UPID}", told.set)
        assert look is not None
        assert isinstance(look.found, TaskLog)
        assert look.found.lines == ("INFO: begun",)
    assert fake.asked[LOG] == 1
    assert looks.of(farm, "guest", "main/101", told.set) is None
    assert looks.of(farm, "pve-task", f"main/{UPID}", told.set) is None
