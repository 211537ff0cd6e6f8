"""Having Proxmox VE do something: heard once or by nobody, and never sent twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from farmtui.sources.errors import UnsentError
from tests.sources.conftest import Certificates
from tests.sources.prometheus.fakes import reset
from tests.sources.pve_fakes import FakePve, Pve, pve, refusing

__all__ = ["pve"]

PATH = "nodes/pve-1/qemu/101/status/reboot"
UPID = "UPID:pve-1:0000C530:001C9BEC:65A7F0E1:qmreboot:101:farmtui@pve!console:"


async def test_a_call_goes_to_the_first_node_that_can_be_reached_with_its_data(pve: Pve) -> None:
    fake = FakePve()
    fake.answers[PATH] = UPID
    bodies: list[str] = []

    async def note(request: web.Request) -> None:
        bodies.append(f"{request.method} {await request.text()}")

    fake.faults[PATH] = note
    api = pve.api("127.0.0.1:1", await pve.node(fake))
    assert await api.send("POST", PATH, {"timeout": 30}) == UPID
    assert bodies == ["POST timeout=30"]
    assert fake.asked[PATH] == 1


async def test_where_nobody_can_be_reached_nothing_was_begun(pve: Pve) -> None:
    with pytest.raises(UnsentError, match="refused"):
        await pve.api("127.0.0.1:1", "127.0.0.1:2").send("POST", PATH, {})


async def test_a_node_whose_certificate_is_not_verified_hears_nothing(pve: Pve, tmp_path: Path) -> None:
    fake = FakePve()
    (tmp_path / "other").mkdir()
    api = pve.api(await pve.node(fake, Certificates(tmp_path / "other").server()))
    with pytest.raises(UnsentError):
        await api.send("POST", PATH, {})
    assert fake.asked == {}


@pytest.mark.parametrize("status", [401, 403, 500, 595])
async def test_a_refusal_is_not_tried_at_the_next_node(pve: Pve, status: int) -> None:
    first, second = FakePve(), FakePve()
    first.faults[PATH] = refusing(status, "no")
    api = pve.api(await pve.node(first), await pve.node(second))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - proxmoxer's own
        await api.send("POST", PATH, {})
    assert not isinstance(caught.value, UnsentError)
    assert second.asked == {}


async def test_what_was_cut_off_is_not_tried_again(pve: Pve) -> None:
    first, second = FakePve(), FakePve()
    first.faults[PATH] = reset
    api = pve.api(await pve.node(first), await pve.node(second))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the client's own
        await api.send("POST", PATH, {})
    assert not isinstance(caught.value, UnsentError)
    assert (first.asked[PATH], second.asked[PATH]) == (1, 0)


async def test_what_does_not_answer_in_time_is_not_tried_again(pve: Pve) -> None:
    first, second = FakePve(), FakePve()
    hanging = asyncio.Event()

    async def hang(_: web.Request) -> None:
        await hanging.wait()

    first.faults[PATH] = hang
    api = pve.api(await pve.node(first), await pve.node(second), deadline_s=0.4)
    with pytest.raises(TimeoutError):
        await api.send("POST", PATH, {})
    hanging.set()
    assert (first.asked[PATH], second.asked[PATH]) == (1, 0)


async def test_what_is_asked_goes_from_node_to_node(pve: Pve) -> None:
    fake = FakePve()
    fake.answers["nodes/pve-1/tasks/x/status"] = {"status": "running"}
    api = pve.api("127.0.0.1:1", await pve.node(fake))
    assert await api.ask("nodes/pve-1/tasks/x/status") == {"status": "running"}
