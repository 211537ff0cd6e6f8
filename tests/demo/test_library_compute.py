"""The library's books for machines, hosts and those that watch, run to their end on the simulated farm."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from farmtui.demo.world.changes import CloudApi, MachineOff, alive
from farmtui.demo.world.service_changes import UnitStop
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.journal.store import RefusedError
from farmtui.runbooks.instruments import Instruments
from farmtui.runbooks.planned import Measured
from farmtui.runbooks.state import Outcome
from tests.demo.remedies import Remedies, remedies
from tests.demo.stage import NOON


async def test_a_worker_that_is_off_is_started(tmp_path: Path) -> None:
    async with remedies(tmp_path, "worker-down") as farm:
        assert {"NodeDown", "SwarmNodeDown"} <= await farm.alerts()
        said = await farm.run("guest-start", guest="worker-07")
        assert "the task ended with: OK" in said
        await farm.pass_time(300.0)
        assert not {"NodeDown", "SwarmNodeDown"} & await farm.alerts()


async def test_a_guest_is_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        assert "the task ended with: OK" in await farm.run("guest-restart", guest="worker-07")
        assert farm.world().booted["worker-07"] > 0


async def test_no_member_of_a_quorum_is_taken_offline_that_would_be_lost(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.happen(MachineOff("db-2"))
        await farm.pass_time(120.0)
        for book, inputs in (
            ("guest-restart", {"guest": "db-1"}),
            ("guest-resize", {"guest": "db-1", "cores": "16", "memory": "65536"}),
            ("guest-migrate", {"guest": "db-1", "target": "pve-5"}),
        ):
            with pytest.raises(RefusedError, match="galera quorum without db-1: 1 stay, 2 are needed"):
                await farm.begun(book, **inputs)
        [held] = [
            one for one in (await farm.plan("guest-restart", guest="db-2")).requires if one.condition.kind == "quorum"
        ]
        assert held.holds, "it is down already"
        assert "galera quorum: db-2 is down already, and 2 of 2 needed are there" in held.value
        assert "the task ended with: OK" in await farm.run("guest-restart", guest="worker-07")


async def test_a_manager_is_switched_off_and_on_while_the_others_hold(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        managers = [n.hostname for n in (await farm.farm()).swarm_cluster.nodes if n.role == "manager"]  # type: ignore[union-attr]
        droplets = {d.name for d in (await farm.farm()).cloud.droplets}  # type: ignore[union-attr]
        first, second = [name for name in managers if name in droplets][:2]
        plan = await farm.plan("do-power-cycle", droplet=first)
        assert any(one.value == f"swarm quorum without {first}: 2 stay, 2 are needed" for one in plan.requires)
        await farm.happen(MachineOff(second))
        await farm.pass_time(120.0)
        with pytest.raises(RefusedError, match=f"swarm quorum without {first}: 1 stay, 2 are needed"):
            await farm.begun("do-power-cycle", droplet=first)
        with pytest.raises(RefusedError, match="swarm quorum"):
            await farm.begun("droplet-resize", droplet=first, size="m-8vcpu-64gb")


async def test_a_guest_moves_to_another_host_and_back(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        guest = farm.running.farm.by_name["worker-03"]
        await farm.run("guest-migrate", guest="worker-03", target="pve-5")
        assert farm.world().moved == {"worker-03": "pve-5"}
        # It is where it is to be already: Proxmox VE says so, and nothing moves.
        run = await farm.begun("guest-migrate", guest="worker-03", target="pve-5")
        question = farm.state(run).question
        assert question is not None
        assert "target is local node" in question.text
        await farm.answer(run, "stop")
        assert farm.state(run).outcome is Outcome.FAILED
        await farm.run("guest-migrate", guest="worker-03", target=guest.host)
        assert farm.world().moved == {"worker-03": guest.host}


async def test_nothing_moves_to_a_host_that_is_down(tmp_path: Path) -> None:
    async with remedies(tmp_path, "pve-host-down") as farm:
        with pytest.raises(RefusedError, match="the host that it is to run on is up: no data"):
            await farm.begun("guest-migrate", guest="worker-03", target="pve-2")


async def test_a_host_that_is_down_is_woken_and_its_guests_with_it(tmp_path: Path) -> None:
    async with remedies(tmp_path, "pve-host-down") as farm:
        assert "PveHostDown" in await farm.alerts()
        await farm.run("pve-host-wake", host="pve-2")
        await farm.pass_time(900.0)
        assert alive(farm.world(), farm.running.farm, "db-2")
        assert not {"PveHostDown", "NodeDown", "GaleraNodeDown", "CephOsdDown"} & await farm.alerts()
        with pytest.raises(RefusedError, match="it does not answer: 1"):
            await farm.begun("pve-host-wake", host="pve-1")


async def test_a_droplet_that_is_off_is_switched_on(tmp_path: Path) -> None:
    async with remedies(tmp_path, "cache-node-down") as farm:
        assert "is completed" in await farm.run("droplet-start", droplet="cache-2")
        await farm.pass_time(120.0)
        assert not {"CacheNodeDown", "NodeDown"} & await farm.alerts()
        with pytest.raises(RefusedError, match="it does not answer: 1"):
            await farm.begun("droplet-start", droplet="cache-2")


async def test_a_droplet_is_switched_off_and_on_and_kept_as_a_snapshot(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        said = await farm.run("do-power-cycle", droplet="cache-3")
        assert "is completed" in said
        assert "its exporters answer: 1 (== 1)" in said
        assert "is completed" in await farm.run("do-snapshot", droplet="cache-1", name="before-work")


async def test_a_droplet_is_given_another_size(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        assert "is completed" in await farm.run("droplet-resize", droplet="cache-3", size="m-8vcpu-64gb")
        [size] = [d.size for d in (await farm.farm()).cloud.droplets if d.name == "cache-3"]  # type: ignore[union-attr]
        assert size == "m-8vcpu-64gb"
        assert "cache-3" not in farm.world().off


async def test_a_guest_is_given_more_to_work_with(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.run("guest-resize", guest="worker-07", cores="12", memory="49152")
        [guest] = [g for cluster in (await farm.farm()).pve for g in cluster.guests if g.name == "worker-07"]
        assert (guest.cpus, guest.memory_max_bytes, guest.status) == (12, 48 * 2**30, "running")


async def test_a_guest_s_snapshot_is_taken_and_deleted(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        assert "the task ended with: OK" in await farm.run("guest-snapshot", guest="worker-07", name="before-work")
        again = await farm.begun("guest-snapshot", guest="worker-07", name="before-work")
        question = farm.state(again).question
        assert question is not None
        assert "already used" in question.text
        await farm.answer(again, "stop")
        assert "the task ended with: OK" in await farm.run(
            "guest-snapshot-delete", guest="worker-07", name="before-work"
        )
        assert "the task ended with: OK" in await farm.run("guest-snapshot", guest="worker-07", name="before-work")


async def failed_tasks(farm: Remedies) -> list[Finding]:
    """What the console finds of tasks of Proxmox VE, by the farm's own clock."""
    seen = dataclasses.replace(await farm.farm(), at=datetime.fromtimestamp(NOON, UTC) + timedelta(minutes=10))
    return [finding for finding in findings(seen) if finding.key.startswith("pve-task/")]


async def test_a_host_s_guests_whose_backup_failed_are_backed_up(tmp_path: Path) -> None:
    async with remedies(tmp_path, "pve-backup-failed") as farm:
        [told] = await failed_tasks(farm)
        assert (told.severity, told.title) == (Severity.WARNING, "PVE backup on pve-3 failed")
        await farm.run("pve-host-backup", host="pve-3", storage="nfs-backup")
        assert await failed_tasks(farm) == []


async def test_who_works_on_a_guest_or_a_droplet_holds_the_machine_that_it_is(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        plan = await farm.plan("guest-restart", guest="worker-07")
        assert (plan.targets, plan.confirm) == (("guest:worker-07", "node:worker-07"), "worker-07")
        assert (await farm.plan("do-power-cycle", droplet="cache-1")).targets == ("droplet:cache-1", "node:cache-1")
        working = await farm.begun("swarm-drain", manager="mgr-1", node="worker-07")
        second = await farm.begun("guest-restart", guest="worker-07")
        assert farm.state(second).outcome is Outcome.REFUSED
        assert f"node:worker-07 is being worked on by run {working}" in farm.said(second)
        await farm.answer(working)
        farm.ended(working)


async def test_a_clock_is_set_right(tmp_path: Path) -> None:
    async with remedies(tmp_path, "clock-off") as farm:
        assert "NodeClockSkew" in await farm.alerts()
        said = await farm.run("clock-step", node="worker-05")
        assert "seconds fast of NTP time" in said
        await farm.pass_time(60.0)
        assert "NodeClockSkew" not in await farm.alerts()


async def test_an_interface_gets_the_mtu_of_its_network(tmp_path: Path) -> None:
    async with remedies(tmp_path, "mtu-mismatch") as farm:
        assert "NetworkMtuMismatch" in await farm.alerts()
        said = await farm.run("interface-mtu", node="stor-2")
        assert "mtu 1500" in said
        assert "by how much its MTU differs from that: 0 (== 0)" in said
        await farm.pass_time(60.0)
        assert "NetworkMtuMismatch" not in await farm.alerts()


async def test_a_link_agrees_on_its_speed_anew(tmp_path: Path) -> None:
    async with remedies(tmp_path, "interface-errors") as farm:
        assert "NetworkInterfaceErrors" in await farm.alerts()
        said = await farm.run("link-renegotiate", node="stor-3")
        assert "Speed: 10000Mb/s" in said
        await farm.pass_time(600.0)
        assert "NetworkInterfaceErrors" not in await farm.alerts()


async def test_room_is_made_on_a_disk(tmp_path: Path) -> None:
    async with remedies(tmp_path, "disk-filling") as farm:
        await farm.run("disk-relief", node="db-1")
        await farm.pass_time(60.0)
        assert "NodeDiskFilling" not in await farm.alerts()
        said = await farm.run("docker-prune", node="worker-02")
        assert "Total reclaimed space" in said


async def test_a_machine_is_looked_at(tmp_path: Path) -> None:
    async with remedies(tmp_path, "galera-node-lost") as farm:
        said = await farm.run("node-look", node="db-2")
        assert "mariadb.service loaded failed" in said
        assert "load average" in said


async def test_a_unit_that_hangs_is_restarted_but_none_that_serves_the_sites(tmp_path: Path) -> None:
    async with remedies(tmp_path, "prometheus-slow") as farm:
        assert "PrometheusQueriesSlow" in await farm.alerts()
        await farm.run("unit-restart", node="mon-1", unit="prometheus")
        assert farm.world().prometheus_delay_s == 0.0
        await farm.pass_time(120.0)
        assert "PrometheusQueriesSlow" not in await farm.alerts()
        with pytest.raises(ValueError, match="unit: must not match"):
            await farm.plan("unit-restart", node="db-1", unit="mariadb")


async def test_an_overdue_backup_is_made(tmp_path: Path) -> None:
    async with remedies(tmp_path, "backup-failed") as farm:
        assert "BackupOld" in await farm.alerts()
        said = await farm.run("backup-run", node="mon-2")
        assert "archive cannot be read back" in said
        await farm.pass_time(60.0)
        assert "BackupOld" not in await farm.alerts()


async def test_the_backup_that_is_asked_for_is_what_is_waited_for(tmp_path: Path) -> None:
    async with remedies(tmp_path, "backup-failed") as farm:
        asking = Instruments(farm._config)
        try:
            for asked, old in (({}, True), ({"backup": "sites"}, True), ({"backup": "site"}, False)):
                [verify] = (await farm.plan("backup-run", node="mon-2", **asked)).verify
                assert isinstance(verify, Measured)
                hours, problem = await asking.ask(verify.query)
                assert problem == ""
                assert (hours is not None and hours > 24) is old, (asked, hours)
        finally:
            asking.close()
        await farm.run("backup-run", node="mon-2", backup="sites")


async def test_a_token_that_is_refused_is_replaced_by_a_person(tmp_path: Path) -> None:
    async with remedies(tmp_path, "do-api-refusing") as farm:
        run = await farm.begun("cloud-api-token")
        await farm.happen(CloudApi("ok"))
        await farm.answer(run)
        farm.ended(run)
        await farm.pass_time(60.0)
        assert "CloudApiFailing" not in await farm.alerts()


async def test_the_tunnel_is_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path, "interconnect-lossy") as farm:
        assert {"InterconnectLossy", "InterconnectSlow"} <= await farm.alerts()
        await farm.run("interconnect-restart", node="mgr-1")
        await farm.pass_time(300.0)
        assert not {"InterconnectLossy", "InterconnectSlow"} & await farm.alerts()


async def test_an_alert_is_silenced(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        assert "[silence-it] ok: silence" in await farm.run("silence", alert="SomethingElse", why="a test")


# -- the Swarm and its sites


async def test_a_worker_is_drained_worked_on_and_returned(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        run = await farm.begun("swarm-drain", manager="mgr-1", node="worker-05")
        assert farm.world().swarm.drained == {"worker-05"}
        await farm.answer(run)
        farm.ended(run)
        assert farm.world().swarm.drained == frozenset()


async def test_an_engine_that_is_down_is_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.happen(UnitStop("worker-03", "docker"))
        await farm.pass_time(120.0)
        assert "SwarmNodeDown" in await farm.alerts()
        await farm.run("swarm-node-return", node="worker-03")
        await farm.pass_time(60.0)
        assert "SwarmNodeDown" not in await farm.alerts()


async def test_a_service_is_scaled_and_its_tasks_started_anew(tmp_path: Path) -> None:
    async with remedies(tmp_path, "tasks-failing") as farm:
        assert "SwarmTasksPending" in await farm.alerts()
        site = farm.running.farm.sites[5]
        service = f"wp_{site.replace('.', '-')}"
        await farm.run("swarm-force-update", manager="mgr-1", service=service)
        await farm.pass_time(60.0)
        assert "SwarmTasksPending" not in await farm.alerts()
        await farm.run("swarm-scale", manager="mgr-2", service=service, replicas="5")
        assert farm.world().swarm.replicas == {5: 5}


async def test_a_broken_site_is_rolled_back(tmp_path: Path) -> None:
    async with remedies(tmp_path, "site-broken") as farm:
        site = farm.running.farm.sites[7]
        assert "SiteDown" in await farm.alerts()
        said = await farm.run("edge-look", manager="mgr-1", cache="cache-1")
        assert "Leader" in said
        await farm.run("swarm-rollback", manager="mgr-1", service=f"wp_{site.replace('.', '-')}", site=site)
        await farm.pass_time(300.0)
        assert "SiteDown" not in await farm.alerts()


async def test_a_certificate_that_was_not_renewed_is_asked_for_again(tmp_path: Path) -> None:
    async with remedies(tmp_path, "certificate-stuck") as farm:
        assert "CertificateExpires" in await farm.alerts()
        site = farm.running.farm.sites[11]
        await farm.run("certificate-renew", manager="mgr-1", service="edge_traefik", site=site)
        await farm.pass_time(60.0)
        assert "CertificateExpires" not in await farm.alerts()


async def test_a_manager_that_led_is_back(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.happen(MachineOff("mgr-1"))
        await farm.pass_time(120.0)
        assert farm.world().swarm.leader == "mgr-2"
        await farm.run("droplet-start", droplet="mgr-1")
