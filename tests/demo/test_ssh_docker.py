"""docker on the simulated Swarm's nodes: what the console's own source reads, and what operators tell the managers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from farmtui.config import SwarmConfig
from farmtui.demo.ssh.commands.swarm_told import service_of
from farmtui.demo.world.changes import MachineOff
from farmtui.farm.swarm import SwarmCluster
from farmtui.sources.swarm import SwarmSource
from tests.demo.machines import Machines, machines


async def _told(farm: Machines) -> SwarmCluster:
    config = SwarmConfig(via="cli", hosts=["mgr-1", "mgr-2", "mgr-3"])
    reading = await SwarmSource(config, farm.pool, clock=farm.farm.clock.moment).poll()
    assert reading.failure is None
    assert reading.value is not None
    return reading.value


async def test_the_console_s_own_source_reads_it(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        told = await _told(farm)
        assert (len(told.nodes), len(told.services), len(told.networks), told.quorum) == (23, 506, 4, True)
        assert [node.hostname for node in told.nodes if node.leader] == ["mgr-1"]
        assert all(service.running == service.desired for service in told.services if service.desired is not None)
        of_sites = Counter(task.node for task in told.tasks if task.service.startswith("wp_"))
        assert set(of_sites.values()) == {50}
        # The exporter counts the same.
        counted = await farm.farm.prometheus.get(
            "/api/v1/query", ("query", 'max(swarm_manager_tasks_total{state="running"})')
        )
        running = sum(task.state == "running" for task in told.tasks)
        assert float(counted["data"]["result"][0]["value"][1]) == running


async def test_tasks_stay_where_they_are_when_others_move(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        before = {(t.service, t.slot): t for t in (await _told(farm)).tasks}
        await farm.happen(MachineOff("worker-07"))
        await farm.pass_time(600.0)
        after = {(t.service, t.slot): t for t in (await _told(farm)).tasks if t.slot}
        moved = {key for key, task in after.items() if before[key].node != task.node}
        assert {before[key].node for key in moved} == {"worker-07"}
        assert len(moved) == 50
        assert all(before[key].id == task.id for key, task in after.items() if key not in moved)


async def test_tasks_that_crash_are_one_service_s(tmp_path: Path) -> None:
    async with machines(tmp_path, "tasks-failing") as farm:
        told = await _told(farm)
        short = [service for service in told.services if service.running != service.desired and service.desired]
        assert [(service.running, service.desired) for service in short] == [(0, 3)]
        errors = {task.error for task in told.tasks if task.service == short[0].name and task.error}
        assert errors == {"task: non-zero exit (255)"}
        done = await farm.told("mgr-2", f"docker service update --force --detach=false {short[0].name}")
        assert done.endswith("verify: Service converged\n")
        told = await _told(farm)
        mended = next(service for service in told.services if service.name == short[0].name)
        assert (mended.running, mended.update_state) == (3, "completed")


async def test_a_worker_is_drained_and_returned(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert await farm.told("mgr-1", "docker node update --availability drain worker-03") == "worker-03\n"
        told = await farm.told("mgr-1", "docker node ls --format '{{.Hostname}} {{.Availability}}'")
        assert "worker-03 Drain" in told.splitlines()
        assert await farm.told("mgr-1", "docker node inspect worker-03 -f '{{.Spec.Availability}}'") == "drain\n"
        assert not [task for task in (await _told(farm)).tasks if task.node == "worker-03" and task.slot]
        await farm.told("mgr-1", "docker node update --availability=active worker-03")
        assert farm.now.swarm.drained == frozenset()
        await farm.told("mgr-1", "docker node update --availability pause worker-04")
        before = Counter(task.node for task in (await _told(farm)).tasks if task.slot)
        await farm.happen(MachineOff("worker-05"))
        after = Counter(task.node for task in (await _told(farm)).tasks if task.slot)
        assert abs(after["worker-04"] - before["worker-04"]) <= 1
        assert after["worker-06"] >= before["worker-06"] + 2


async def test_a_service_is_scaled(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        name = service_of(farm.farm.running.farm.sites[0])
        assert (await farm.told("mgr-1", f"docker service scale {name}=6")).startswith(f"{name} scaled to 6\n")
        await farm.pass_time(600.0)
        told = {service.name: service for service in (await _told(farm)).services}
        assert (told[name].running, told[name].desired) == (6, 6)
        await farm.told("mgr-1", f"docker service update --replicas 1 {name}")
        assert len([task for task in (await _told(farm)).tasks if task.service == name]) == 1


async def test_a_broken_site_is_rolled_back(tmp_path: Path) -> None:
    async with machines(tmp_path, "site-broken") as farm:
        (index,) = farm.now.broken_sites
        name = service_of(farm.farm.running.farm.sites[index])
        image = await farm.told(
            "mgr-1", f"docker service inspect {name} --format '{{{{.Spec.TaskTemplate.ContainerSpec.Image}}}}'"
        )
        await farm.told("mgr-1", f"docker service rollback -d {name}")
        assert not farm.now.broken_sites
        told = next(service for service in (await _told(farm)).services if service.name == name)
        assert told.update_state == "rollback_completed"
        assert told.image != image.strip()


async def test_listings_are_filtered_and_formed(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        lines = (await farm.told("mgr-1", "docker node ls --filter role=manager")).splitlines()
        assert lines[0].split() == [
            "ID",
            "HOSTNAME",
            "STATUS",
            "AVAILABILITY",
            "MANAGER",
            "STATUS",
            "ENGINE",
            "VERSION",
        ]
        assert [line.split()[1] for line in lines[1:]] == ["mgr-1", "mgr-2", "mgr-3"]
        told = await farm.told("mgr-1", "docker service ls --format '{{json .}}' --filter name=edge_")
        assert json.loads(told)["Replicas"] == "3/3"
        name = service_of(farm.farm.running.farm.sites[0])
        assert len((await farm.told("mgr-1", f"docker service ps -q {name}")).split()) == 2
        assert len((await farm.told("mgr-1", "docker node ps self -q --filter desired-state=running")).split()) == 3
        assert "GET /" in await farm.told("mgr-1", f"docker service logs --tail 5 {name}")
        assert len((await farm.told("worker-01", "docker ps")).splitlines()) == 53
        assert await farm.told("worker-01", "docker info --format '{{.Swarm.ControlAvailable}}'") == "false\n"
        assert (await farm.told("worker-01", "docker system prune -af")).startswith("Total reclaimed space: ")


@pytest.mark.parametrize(
    ("host", "line", "words"),
    [
        ("worker-01", "node ls", "Error response from daemon: This node is not a swarm manager."),
        ("mgr-1", "node inspect nonsense", "Error: no such node: nonsense"),
        ("mgr-1", "node update --availability drain nonsense", "Error: No such node: nonsense"),
        ("mgr-1", "node update --availability never worker-01", "Error response from daemon: invalid availability"),
        ("mgr-1", "service update --force nonsense", "no such service: nonsense"),
        ("mgr-1", "service scale edge_traefik=2", "edge_traefik: scale can only be used with replicated"),
        ("mgr-1", "service scale edge_traefik=many", "invalid scale specifier 'edge_traefik=many'."),
        ("mgr-1", "service ls --filter nonsense=1", "Error response from daemon: invalid filter 'nonsense'"),
        ("mgr-1", "service ls --format '{{range .}}'", "template parsing error"),
        ("mgr-1", "run -it debian", "docker: 'run' is not a docker command."),
        ("mgr-1", "service nonsense", "Usage:  docker service COMMAND"),
    ],
)
async def test_what_it_does_not_take(host: str, line: str, words: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        status, told = await farm.refused(host, f"docker {line}")
        assert status == 1
        assert told.startswith(words)


async def test_without_a_leader_nothing_is_told(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.happen(MachineOff("mgr-1"), MachineOff("mgr-2"))
        status, words = await farm.refused("mgr-3", "docker node ls")
        assert status == 1
        assert "The swarm does not have a leader" in words
        await farm.told("worker-01", "systemctl stop docker")
        assert (await farm.refused("worker-01", "docker ps"))[1].startswith("Cannot connect to the Docker daemon")
