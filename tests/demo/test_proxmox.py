"""The simulated Proxmox VE: what it tells of the world, whom it refuses, and what the console's own source reads."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from farmtui.demo.config import PVE_TOKEN_NAME, PVE_USER
from farmtui.demo.world.changes import HostOff, HostOn, Interconnect, MachineOff
from farmtui.demo.world.inventory import DATABASE
from farmtui.farm.reading import FailureKind
from farmtui.sources.proxmox import LOOKUPS, ProxmoxSource
from tests.demo.stage import Clock, Stage, stage


class Api:
    """The API nodes, asked without the console's client."""

    def __init__(self, farm: Stage, session: aiohttp.ClientSession, tls: ssl.SSLContext) -> None:
        doors = farm.running.doors
        self.hosts = list(doors.proxmox)
        self.token = doors.proxmox_token
        self._session = session
        self._tls = tls

    async def ask(
        self, path: str, *, node: int = 0, login: str | None = None, method: str = "GET"
    ) -> tuple[int, str, Any]:
        """Status, words in the status line, and JSON (None where there is none)."""
        given = f"PVEAPIToken={PVE_USER}!{PVE_TOKEN_NAME}={self.token}" if login is None else login
        headers = {"Authorization": given} if given else {}
        url = f"https://{self.hosts[node]}/api2/json/{path}"
        async with self._session.request(method, url, headers=headers, ssl=self._tls) as answer:
            body = await answer.json() if answer.content_type == "application/json" else None
            return answer.status, str(answer.reason), body

    async def get(self, path: str, **more: Any) -> Any:
        """The data of an answer that must be 200."""
        status, words, body = await self.ask(path, **more)
        assert status == 200, (status, words)
        return body["data"]


@asynccontextmanager
async def api(*faults: str, clock: Clock | None = None) -> AsyncIterator[tuple[Stage, Api]]:
    """A farm that serves, and its PVE API."""
    async with stage(*faults, clock=clock) as farm, aiohttp.ClientSession() as session:
        tls = ssl.create_default_context(cadata=farm.running.doors.ca.decode())
        yield farm, Api(farm, session, tls)


@asynccontextmanager
async def source(farm: Stage, folder: Path) -> AsyncIterator[ProxmoxSource]:
    """The console's own source, as the demo's config makes it."""
    [config] = farm.config(folder).proxmox
    made = ProxmoxSource(config, clock=farm.clock.moment)
    try:
        yield made
    finally:
        await made.close()


# -- as the API


async def test_the_cluster_is_told_by_each_of_its_nodes() -> None:
    async with api() as (farm, pve):
        assert len(pve.hosts) == 3
        for node in range(3):
            status = await pve.get("cluster/status", node=node)
            assert status[0] == {
                "type": "cluster",
                "id": "cluster",
                "name": "pve-main",
                "nodes": 5,
                "quorate": 1,
                "version": 7,
            }
            hosts = [(item["name"], item["ip"], item["online"]) for item in status[1:]]
            assert hosts == [(host.name, host.address, 1) for host in farm.running.farm.hosts]


async def test_every_guest_and_host_is_a_resource() -> None:
    async with api() as (farm, pve):
        resources = await pve.get("cluster/resources")
        inventory = farm.running.farm
        guests = {item["vmid"]: item for item in resources if item["type"] == "qemu"}
        machines = [machine for machine in inventory.machines if machine.host]
        assert set(guests) == {m.vmid for m in machines} | {s.vmid for s in inventory.spares}
        for machine in machines:
            entry = guests[machine.vmid]
            assert (entry["name"], entry["node"], entry["status"]) == (machine.name, machine.host, "running")
            assert 0.0 < entry["cpu"] < 1.0
            assert 0 < entry["mem"] < entry["maxmem"] == machine.size.memory_bytes
            assert entry["uptime"] > 0
        assert [guests[s.vmid]["template"] for s in inventory.spares] == [1, 1, 0]
        nodes = [item for item in resources if item["type"] == "node"]
        assert {item["node"] for item in nodes} == inventory.host_names
        for kind, wanted in (("vm", "qemu"), ("node", "node"), ("storage", "storage")):
            assert {item["type"] for item in await pve.get(f"cluster/resources?type={kind}")} == {wanted}
        assert (await pve.ask("cluster/resources?type=moon"))[0] == 400


async def test_its_figures_are_those_that_the_node_exporters_give() -> None:
    async with api() as (farm, pve):
        entry = next(item for item in await pve.get("cluster/resources") if item.get("name") == "worker-01")
        query = (
            'sum(rate(node_cpu_seconds_total{node="worker-01",mode!~"idle|iowait|steal"}[1m]))'
            ' / count(node_cpu_seconds_total{node="worker-01",mode="idle"})'
        )
        busy = await farm.prometheus.get("/api/v1/query", ("query", query))
        assert entry["cpu"] == pytest.approx(float(busy["data"]["result"][0]["value"][1]), rel=0.1)
        fields = [f'node_memory_{field}_bytes{{node="worker-01"}}' for field in ("MemTotal", "MemAvailable")]
        used = await farm.prometheus.get("/api/v1/query", ("query", " - ignoring(__name__) ".join(fields)))
        assert entry["mem"] == pytest.approx(float(used["data"]["result"][0]["value"][1]), rel=0.001)
        boot = await farm.prometheus.get("/api/v1/query", ("query", 'node_boot_time_seconds{node="worker-01"}'))
        booted = float(boot["data"]["result"][0]["value"][1])
        assert entry["uptime"] == pytest.approx(farm.clock.at - booted, abs=1.0)


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ("", "No ticket"),
        ("Bearer x", "No ticket"),
        ("PVEAPIToken=somebody@pve!demo=x", "no such token for user"),
        (f"PVEAPIToken={PVE_USER}!{PVE_TOKEN_NAME}=x", "invalid token value!"),
        (f"PVEAPIToken={PVE_USER}!{PVE_TOKEN_NAME}", "invalid token value!"),
    ],
)
@pytest.mark.parametrize("path", ["version", "cluster/resources", "no/such/path"])
async def test_without_the_token_nothing_is_told(path: str, login: str, words: str) -> None:
    async with api() as (_, pve):
        assert await pve.ask(path, login=login) == (401, words, None)


async def test_what_is_not_there_is_refused_in_pve_s_words() -> None:
    async with api() as (_, pve):
        assert (await pve.ask("no/such/path"))[:2] == (501, "Method 'GET /no/such/path' not implemented")
        assert (await pve.ask("nodes", method="POST"))[0] == 501
        status, words, body = await pve.ask("nodes/pve-1/qemu/77/config")
        assert (status, words) == (500, "Configuration file 'nodes/pve-1/qemu-server/77.conf' does not exist")
        assert body == {"data": None, "message": f"{words}\n"}
        assert (await pve.ask("nodes/pve-1/qemu/x/config"))[0] == 400
        assert "Name or service not known" in (await pve.ask("nodes/pve-99/status"))[1]
        assert (await pve.ask("nodes/pve-5/qemu/910/agent/network-get-interfaces"))[:2] == (
            500,
            "VM 910 is not running",
        )


async def test_one_node_and_one_guest() -> None:
    async with api() as (farm, pve):
        machine = farm.running.farm.tiers[DATABASE][0]
        path = f"nodes/{machine.host}/qemu/{machine.vmid}"
        config = await pve.get(f"{path}/config")
        assert config["name"] == machine.name
        assert f"ip={machine.address}/24" in config["ipconfig0"]
        interfaces = (await pve.get(f"{path}/agent/network-get-interfaces"))["result"]
        assert interfaces[1]["ip-addresses"][0]["ip-address"] == machine.address
        assert (await pve.get(f"{path}/status/current"))["status"] == "running"
        status = await pve.get(f"nodes/{machine.host}/status")
        listed = await pve.get(f"nodes/{machine.host}/qemu")
        assert machine.vmid in {guest["vmid"] for guest in listed}
        node = next(n for n in await pve.get("nodes") if n["node"] == machine.host)
        assert (status["cpu"], status["memory"]["used"]) == (node["cpu"], node["mem"])
        [store] = await pve.get(f"nodes/{machine.host}/storage")
        assert 0 < store["used"] < store["total"]
        assert (await pve.get("version"))["release"] == "8.4"
        assert await pve.get(f"nodes/{machine.host}/lxc") == []


async def test_each_host_remembers_its_nights() -> None:
    async with api("pve-backup-failed") as (_, pve):
        listed = await pve.get("cluster/tasks")
        assert [task["starttime"] for task in listed] == sorted((task["starttime"] for task in listed), reverse=True)
        mine = [task for task in await pve.get("nodes/pve-3/tasks") if task["type"] == "vzdump"]
        assert [task["status"] for task in mine] == ["job errors", "OK", "OK"]
        upid = mine[0]["upid"]
        assert (await pve.get(f"nodes/pve-3/tasks/{upid}/status"))["exitstatus"] == "job errors"
        log = await pve.get(f"nodes/pve-3/tasks/{upid}/log?limit=500")
        assert log[-1]["t"] == "TASK ERROR: job errors"
        assert await pve.get(f"nodes/pve-3/tasks/{upid}/log?start=2&limit=3") == log[2:5]


# -- as the world changes, read by the console's own source


async def test_the_console_reads_the_cluster(tmp_path: Path) -> None:
    async with stage() as farm, source(farm, tmp_path) as pve:
        reading = await pve.poll()
        assert (reading.failure, reading.warnings, reading.requests) == (None, (), 3 + LOOKUPS)
        assert reading.value is not None
        inventory = farm.running.farm
        machines = {m.vmid: m for m in inventory.machines if m.host}
        guests = {guest.vmid: guest for guest in reading.value.guests}
        assert {v: g.name for v, g in guests.items() if v in machines} == {v: m.name for v, m in machines.items()}
        for _ in range(-(-len(guests) // LOOKUPS)):
            reading = await pve.poll()
        assert reading.value is not None
        told = {guest.vmid: guest.addresses for guest in reading.value.guests if guest.vmid in machines}
        assert told == {vmid: (machine.address,) for vmid, machine in machines.items()}
        assert reading.requests == 3
        assert {task.kind for task in reading.value.tasks} == {"vzdump", "aptupdate"}
        assert {storage.ident for storage in reading.value.storages} == {
            "pve-main/nfs-backup", *(f"pve-main/{host.name}/local-zfs" for host in inventory.hosts)
        }  # fmt: skip


async def test_a_host_that_goes_down_takes_its_api_and_its_guests_and_comes_back(tmp_path: Path) -> None:
    async with stage() as farm, source(farm, tmp_path) as pve:
        assert (await pve.poll()).failure is None
        await farm.running.keeper.ask(lambda o: o.happen(HostOff("pve-1")))
        reading = await pve.poll()
        assert reading.value is not None
        # It was the node that we were asking.
        assert len(reading.warnings) == 1
        hosts = {host.name: host.status for host in reading.value.hosts}
        assert hosts == {"pve-1": "offline", **{f"pve-{n}": "online" for n in range(2, 6)}}
        assert reading.value.quorate is True
        on_it = [guest for guest in reading.value.guests if guest.host == "pve-1"]
        assert len(on_it) > 3
        assert {guest.status for guest in on_it} == {"unknown"}
        assert {guest.status for guest in reading.value.guests if guest.host == "pve-2"} == {"running"}
        await farm.running.keeper.ask(lambda o: o.happen(HostOn("pve-1")))
        farm.clock.at += 30.0
        reading = await pve.poll()
        assert reading.value is not None
        host = reading.value.hosts[0]
        assert (host.status, host.uptime_s) == ("online", 30)
        assert {guest.uptime_s for guest in reading.value.guests if guest.host == "pve-1"} == {30}


async def test_without_a_majority_there_is_no_quorum() -> None:
    async with api() as (farm, pve):
        await farm.running.keeper.ask(lambda o: o.happen(HostOff("pve-1"), HostOff("pve-4"), HostOff("pve-5")))
        assert (await pve.get("cluster/status", node=1))[0]["quorate"] == 0
        assert (await pve.ask("nodes/pve-4/status", node=1))[:2] == (595, "No route to host")
        with pytest.raises(aiohttp.ClientConnectionError):
            await pve.ask("version", node=0)


async def test_a_guest_that_is_off_is_stopped(tmp_path: Path) -> None:
    async with stage() as farm, source(farm, tmp_path) as pve:
        await farm.running.keeper.ask(lambda o: o.happen(MachineOff("worker-01")))
        reading = await pve.poll()
        assert reading.value is not None
        [guest] = [guest for guest in reading.value.guests if guest.name == "worker-01"]
        assert (guest.status, guest.cpu_ratio, guest.memory_bytes, guest.uptime_s) == ("stopped", 0, 0, 0)


async def test_behind_the_cut_link_nobody_answers(tmp_path: Path) -> None:
    async with stage() as farm:
        await farm.running.keeper.ask(lambda o: o.happen(Interconnect(cut=True)))
        [config] = farm.config(tmp_path).proxmox
        pve = ProxmoxSource(config.model_copy(update={"deadline_s": 0.5}))
        reading = await pve.poll()
        await pve.close()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TIMEOUT
    assert len(reading.warnings) == 2


async def test_with_another_token_the_console_is_forbidden(tmp_path: Path) -> None:
    async with stage() as farm:
        [config] = farm.config(tmp_path).proxmox
        (tmp_path / "pve-token").write_text("no-token-of-this-api")
        pve = ProxmoxSource(config)
        reading = await pve.poll()
        await pve.close()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.FORBIDDEN
    assert "invalid token value!" in reading.failure.what
