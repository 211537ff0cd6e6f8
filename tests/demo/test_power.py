"""Switching on and off by the simulated APIs: tasks and actions that take their time, and what becomes of the world."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from farmtui.demo.config import PVE_TOKEN_NAME, PVE_USER
from farmtui.demo.faults import FAULTS
from farmtui.demo.world.changes import HostOff, MachineOff, host_of
from tests.demo.stage import Stage, firing, stage


class Power:
    """Both APIs, asked with their tokens."""

    def __init__(self, farm: Stage, session: aiohttp.ClientSession, tls: ssl.SSLContext) -> None:
        self.farm = farm
        self._session = session
        self._tls = tls

    async def pve(self, method: str, path: str, **given: str) -> tuple[int, Any]:
        """The status, and the data (or the words of the refusal)."""
        doors = self.farm.running.doors
        headers = {"Authorization": f"PVEAPIToken={PVE_USER}!{PVE_TOKEN_NAME}={doors.proxmox_token}"}
        url = f"https://{doors.proxmox[0]}/api2/json/{path}"
        data = given if method == "POST" else None
        async with self._session.request(method, url, headers=headers, ssl=self._tls, data=data) as answer:
            body = await answer.json()
            return answer.status, body["data"] if answer.status == 200 else body["message"].strip()

    async def cloud(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and the JSON."""
        doors = self.farm.running.doors
        headers = {"Authorization": f"Bearer {doors.digitalocean_token}"}
        url = f"{doors.digitalocean}/v2/{path}"
        async with self._session.request(method, url, headers=headers, ssl=self._tls, json=body) as answer:
            return answer.status, await answer.json()

    async def runs(self, name: str) -> bool:
        """Whether a machine is on."""
        keeper = self.farm.running.keeper
        await keeper.ask(lambda observed: observed.world.advance())
        return name not in keeper.condition.off

    async def task(self, node: str, upid: str) -> tuple[str, str | None]:
        """How a task stands, and how it has ended."""
        status, told = await self.pve("GET", f"nodes/{node}/tasks/{upid}/status")
        assert status == 200
        assert told["upid"] == upid
        return told["status"], told.get("exitstatus")


@asynccontextmanager
async def power(*faults: str) -> AsyncIterator[Power]:
    """A farm that serves, and its APIs."""
    async with stage(*faults) as farm, aiohttp.ClientSession() as session:
        yield Power(farm, session, ssl.create_default_context(cadata=farm.running.doors.ca.decode()))


# -- Proxmox VE

DB_2 = "nodes/pve-2/qemu/402"


async def test_a_guest_is_stopped_and_started_by_tasks() -> None:
    async with power() as api:
        status, upid = await api.pve("POST", f"{DB_2}/status/stop")
        assert (status, upid[:12], upid.split(":")[5:8]) == (200, "UPID:pve-2:0", ["qmstop", "402", f"{PVE_USER}!demo"])
        assert await api.task("pve-2", upid) == ("running", None)
        api.farm.clock.at += 5.0
        assert await api.task("pve-2", upid) == ("stopped", "OK")
        assert not await api.runs("db-2")
        _, upid = await api.pve("POST", f"{DB_2}/status/start")
        api.farm.clock.at += 5.0
        assert await api.task("pve-2", upid) == ("stopped", "OK")
        assert await api.runs("db-2")
        # The newest; before them stands what the hosts do at night by themselves.
        listed = (await api.pve("GET", "cluster/tasks"))[1][:2]
        assert [(task["type"], task["status"]) for task in listed] == [("qmstart", "OK"), ("qmstop", "OK")]
        log = (await api.pve("GET", f"nodes/pve-2/tasks/{upid}/log"))[1]
        assert log[-1]["t"] == "TASK OK"


@pytest.mark.parametrize(("verb", "off_after"), [("shutdown", True), ("reboot", False), ("reset", False)])
async def test_a_guest_goes_down_in_good_order_or_not(verb: str, off_after: bool) -> None:
    async with power() as api:
        _, upid = await api.pve("POST", f"{DB_2}/status/{verb}")
        api.farm.clock.at += 30.0
        assert await api.task("pve-2", upid) == ("stopped", "OK")
        assert await api.runs("db-2") is not off_after
        assert ("db-2" in api.farm.running.keeper.condition.booted) is not off_after


async def test_what_cannot_be_done_is_told_by_the_task_or_at_once() -> None:
    async with power() as api:
        _, upid = await api.pve("POST", f"{DB_2}/status/start")
        assert await api.task("pve-2", upid) == ("stopped", "VM 402 already running")
        assert (await api.pve("POST", "nodes/pve-2/qemu/999/status/start"))[0] == 500
        assert await api.pve("POST", "nodes/pve-2/qemu/x/status/start") == (400, "Parameter verification failed.")
        assert (await api.pve("POST", "nodes/pve-9/qemu/402/status/start"))[0] == 500
        assert (await api.pve("GET", "nodes/pve-2/tasks/UPID:pve-2:nonsense:/status"))[0] == 500
        assert (await api.pve("GET", "nodes/pve-2/tasks/nonsense/status"))[0] == 400
        assert (await api.pve("POST", "nodes/pve-2/status", command="nonsense"))[0] == 400
        assert (await api.pve("POST", f"{DB_2}/snapshot", snapname="9"))[0] == 400


async def test_a_guest_moves_to_another_host_and_lives_there() -> None:
    async with power() as api:
        assert (await api.pve("POST", f"{DB_2}/migrate"))[0] == 400
        _, upid = await api.pve("POST", f"{DB_2}/migrate", target="pve-5")
        assert await api.task("pve-2", upid) == ("stopped", "can't migrate running VM without --online")
        _, upid = await api.pve("POST", f"{DB_2}/migrate", target="pve-5", online="1")
        api.farm.clock.at += 60.0
        assert await api.task("pve-2", upid) == ("stopped", "OK")
        assert (await api.pve("GET", "nodes/pve-5/qemu/402/status/current"))[1]["status"] == "running"
        assert (await api.pve("GET", f"{DB_2}/status/current"))[0] == 500
        keeper = api.farm.running.keeper
        await keeper.ask(lambda observed: observed.happen(HostOff("pve-2")))
        assert host_of(keeper.condition, keeper.farm.by_name["db-2"]) == "pve-5"
        assert keeper.condition.databases["db-2"].state == 4


async def test_a_worker_that_is_off_is_started() -> None:
    async with power("worker-down") as api:
        worker = api.farm.running.farm.by_name["worker-07"]
        _, upid = await api.pve("POST", f"nodes/{worker.host}/qemu/{worker.vmid}/status/start")
        api.farm.clock.at += 3_600.0
        assert await api.task(worker.host, upid) == ("stopped", "OK")
        assert (await api.farm.running.keeper.ask(firing)).isdisjoint(FAULTS["worker-down"].alerts)
        # The farm's own job has spread the tasks evenly again.
        assert api.farm.running.keeper.condition.swarm.tasks["worker-07"] == pytest.approx(50)


async def test_a_host_is_shut_down_and_woken_by_another() -> None:
    async with power("pve-host-down") as api:
        assert (await api.pve("POST", "nodes/pve-2/status", command="reboot"))[0] == 595
        assert (await api.pve("POST", "nodes/pve-2/wakeonlan"))[0] == 200
        assert (await api.pve("POST", "nodes/pve-1/wakeonlan"))[0] == 500
        api.farm.clock.at += 3_600.0
        alerts = await api.farm.running.keeper.ask(firing)
        assert alerts.isdisjoint(FAULTS["pve-host-down"].alerts)
        await api.pve("POST", "nodes/pve-3/status", command="reboot")
        api.farm.clock.at += 20.0
        await api.runs("db-3")
        assert "pve-3" in api.farm.running.keeper.condition.hosts_off
        api.farm.clock.at += 120.0
        await api.runs("db-3")
        assert not api.farm.running.keeper.condition.hosts_off


async def test_who_has_no_token_changes_nothing() -> None:
    async with power() as api:
        url = f"https://{api.farm.running.doors.proxmox[0]}/api2/json/{DB_2}/status/stop"
        async with aiohttp.ClientSession() as session, session.post(url, ssl=False) as answer:
            assert answer.status == 401
        api.farm.clock.at += 30.0
        assert await api.runs("db-2")


# -- DigitalOcean


@pytest.mark.parametrize(("fault", "name"), [("cache-node-down", "cache-2"), ("manager-down", "mgr-1")])
async def test_a_droplet_that_is_off_is_switched_on(fault: str, name: str) -> None:
    async with power(fault) as api:
        ident = api.farm.running.farm.by_name[name].droplet_id
        status, told = await api.cloud("POST", f"droplets/{ident}/actions", {"type": "power_on"})
        action = told["action"]
        assert (status, action["status"], action["resource_id"]) == (201, "in-progress", ident)
        # One after the other.
        status, told = await api.cloud("POST", f"droplets/{ident}/actions", {"type": "power_on"})
        assert (status, told["message"]) == (422, "Droplet already has a pending event.")
        api.farm.clock.at += 30.0
        told = (await api.cloud("GET", f"actions/{action['id']}"))[1]["action"]
        assert (told["status"], told["type"]) == ("completed", "power_on")
        assert (await api.cloud("GET", f"droplets/{ident}/actions/{action['id']}"))[1]["action"] == told
        assert (await api.cloud("GET", f"droplets/{ident}"))[1]["droplet"]["status"] == "active"
        api.farm.clock.at += 3_600.0
        alerts = await api.farm.running.keeper.ask(firing)
        assert alerts.isdisjoint(FAULTS[fault].alerts)


@pytest.mark.parametrize(
    ("kind", "off_after", "booted"),
    [
        ("power_off", True, False),
        ("shutdown", True, False),
        ("power_cycle", False, True),
        ("reboot", False, True),
        ("snapshot", False, False),
    ],
)
async def test_a_droplet_s_actions(kind: str, off_after: bool, booted: bool) -> None:
    async with power() as api:
        ident = api.farm.running.farm.by_name["cache-3"].droplet_id
        before = api.farm.running.keeper.condition.booted.get("cache-3")
        assert (await api.cloud("POST", f"droplets/{ident}/actions", {"type": kind}))[0] == 201
        api.farm.clock.at += 120.0
        assert await api.runs("cache-3") is not off_after
        assert (api.farm.running.keeper.condition.booted.get("cache-3") != before) is booted
        listed = (await api.cloud("GET", f"droplets/{ident}/actions"))[1]["actions"]
        assert [(action["type"], action["status"]) for action in listed] == [(kind, "completed")]


async def test_an_action_that_cannot_be() -> None:
    async with power() as api:
        farm = api.farm.running
        ident = farm.farm.by_name["cache-3"].droplet_id
        for path, body, status in (
            (f"droplets/{ident}/actions", {"type": "power_on"}, 422),
            (f"droplets/{ident}/actions", {"type": "nonsense"}, 422),
            (f"droplets/{ident}/actions", ["power_off"], 422),
            (f"droplets/{ident}/actions", {}, 422),
            ("droplets/1/actions", {"type": "power_off"}, 404),
        ):
            assert (await api.cloud("POST", path, body))[0] == status
        assert (await api.cloud("GET", "actions/1"))[0] == 404
        await farm.keeper.ask(lambda observed: observed.happen(MachineOff("cache-3")))
        status, told = await api.cloud("POST", f"droplets/{ident}/actions", {"type": "reboot"})
        assert (status, told["message"]) == (422, "Droplet is already powered off.")
