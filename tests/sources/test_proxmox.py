"""The poll of Proxmox VE, through proxmoxer, against API nodes that serve, are down, refuse, hang and lie."""

from __future__ import annotations

import asyncio

import pytest

from farmtui.farm.reading import FailureKind
from farmtui.sources.failover import HOME_AGAIN_S
from farmtui.sources.proxmox import LOOKUP_AGAIN_S, LOOKUP_RETRY_S, LOOKUPS
from tests.sources.conftest import ServeRaw, beating
from tests.sources.prometheus.fakes import for_ever, reset
from tests.sources.pve_fakes import AT, RESOURCES, STATUS, TOKEN_ID, FakePve, Pve, nobody_there, pve, refusing

__all__ = ["pve"]

SHORT_S = 0.4


# -- what is served


async def test_a_cluster_is_read_whole(pve: Pve, planted: str) -> None:
    node = FakePve()
    reading = await pve.source(await pve.node(node)).poll()
    assert (reading.failure, reading.warnings, reading.taken_at) == (None, (), AT)
    assert reading.value is not None
    cluster = reading.value
    assert (cluster.name, cluster.quorate) == ("main", True)
    first, second = cluster.hosts
    assert (first.name, first.address, first.status, first.cpu_ratio, first.uptime_s) == (
        "pve-1",
        "10.0.0.1",
        "online",
        0.25,
        86_400,
    )
    assert (second.name, second.memory_bytes) == ("pve-2", None)
    worker, database = cluster.guests
    assert (worker.name, worker.kind, worker.host, worker.status) == ("worker-1", "qemu", "pve-1", "running")
    assert (worker.tags, worker.addresses, worker.template) == (("farm", "tier-app"), ("10.1.0.1",), False)
    assert (database.name, database.kind, database.addresses) == ("db-1", "lxc", ("10.1.0.2",))
    assert set(node.logins) == {f"PVEAPIToken={TOKEN_ID}={planted}"}
    assert reading.requests == sum(node.asked.values()) == 5


async def test_addresses_are_asked_for_a_few_guests_a_poll_and_then_kept(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/resources"] = [
        {"type": "qemu", "vmid": n, "name": f"w-{n}", "node": "pve-1", "status": "running"} for n in range(1, 8)
    ]
    for n in range(1, 8):
        node.answers[f"nodes/pve-1/qemu/{n}/config"] = {"ipconfig0": f"ip=10.1.0.{n}/24"}
    source = pve.source(await pve.node(node))
    for poll, known in enumerate((LOOKUPS, 7, 7), 1):
        reading = await source.poll()
        assert reading.value is not None
        assert [g.addresses for g in reading.value.guests if g.addresses] == [
            (f"10.1.0.{n}",) for n in range(1, known + 1)
        ]
        assert node.asked["cluster/resources"] == poll
    assert sum(count for path, count in node.asked.items() if path.endswith("/config")) == 7
    pve.now += LOOKUP_AGAIN_S
    await source.poll()
    assert sum(count for path, count in node.asked.items() if path.endswith("/config")) == 7 + LOOKUPS


async def test_the_agent_is_asked_where_the_config_has_no_address(pve: Pve) -> None:
    node = FakePve()
    node.answers["nodes/pve-1/qemu/101/config"] = {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}
    node.answers["nodes/pve-1/qemu/101/agent/network-get-interfaces"] = {
        "result": [
            {"name": "lo", "ip-addresses": [{"ip-address": "127.0.0.1"}, {"ip-address": "::1"}]},
            {"name": "eth0", "ip-addresses": [{"ip-address": "10.1.0.1"}, {"ip-address": "fe80::1"}, 7, {}]},
            "eth1",
            {"name": "eth2"},
        ]
    }
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is not None
    assert reading.value.guests[0].addresses == ("10.1.0.1",)


async def test_addresses_that_cannot_be_had_harm_nothing_and_are_tried_again(pve: Pve) -> None:
    node = FakePve()
    config = "nodes/pve-1/qemu/101/config"
    node.faults[config] = refusing(403, "Permission check failed (/vms/101, VM.Audit)")
    source = pve.source(await pve.node(node))
    reading = await source.poll()
    assert (reading.failure, reading.warnings) == (None, ())
    assert reading.value is not None
    assert [guest.addresses for guest in reading.value.guests] == [(), ("10.1.0.2",)]
    await source.poll()
    assert node.asked[config] == 1
    del node.faults[config]
    pve.now += LOOKUP_RETRY_S
    reading = await source.poll()
    assert reading.value is not None
    assert reading.value.guests[0].addresses == ("10.1.0.1",)


async def test_a_node_behind_the_api_node_that_is_gone_costs_one_call(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/resources"] = [
        {"type": "qemu", "vmid": n, "name": f"w-{n}", "node": "pve-2", "status": "running"} for n in range(1, 8)
    ]
    node.faults.update({f"nodes/pve-2/qemu/{n}/config": nobody_there for n in range(1, 8)})
    reading = await pve.source(await pve.node(node)).poll()
    assert (reading.failure, reading.warnings, reading.requests) == (None, (), 4)


async def test_guests_of_a_host_that_is_off_are_unknown_and_keep_their_names_and_addresses(pve: Pve) -> None:
    node = FakePve()
    source = pve.source(await pve.node(node))
    await source.poll()
    node.answers["cluster/status"] = [STATUS[0], {**STATUS[1], "online": 0}, STATUS[2]]
    node.answers["cluster/resources"] = [
        {"type": "node", "id": "node/pve-1", "node": "pve-1", "status": "offline"},
        # What PVE still knows of a guest there: its place.
        {"type": "qemu", "id": "qemu/101", "vmid": 101, "node": "pve-1", "status": "unknown"},
        *RESOURCES[3:],
    ]
    reading = await source.poll()
    assert reading.value is not None
    host, other = reading.value.hosts
    assert (host.status, host.address, host.cpu_ratio) == ("offline", "10.0.0.1", None)
    # It is in the cluster's list alone.
    assert (other.name, other.status) == ("pve-2", "online")
    guest = reading.value.guests[0]
    assert (guest.name, guest.status, guest.addresses) == ("worker-1", "unknown", ("10.1.0.1",))


async def test_what_is_said_of_a_guest_whose_host_is_off_is_not_believed(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/status"] = [STATUS[0], {**STATUS[1], "online": 0}, STATUS[2]]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is not None
    assert reading.value.hosts[0].status == "offline"
    guest = reading.value.guests[0]
    assert (guest.status, guest.cpu_ratio, guest.uptime_s) == ("unknown", None, None)


async def test_a_single_host_without_a_cluster_has_no_quorum(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/status"] = [STATUS[1]]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is not None
    assert reading.value.quorate is None


@pytest.mark.parametrize(("quorate", "seen"), [(0, False), ("0", False), ("1", True), (True, True), (None, None)])
async def test_quorum_is_read_as_perl_writes_it(pve: Pve, quorate: object, seen: bool | None) -> None:
    node = FakePve()
    node.answers["cluster/status"] = [{**STATUS[0], "quorate": quorate}, *STATUS[1:]]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is not None
    assert reading.value.quorate is seen


async def test_clusters_are_told_apart(pve: Pve) -> None:
    main, lab = FakePve(), FakePve()
    lab.faults[""] = refusing(401, "invalid token value!")
    sources = [pve.source(await pve.node(main)), pve.source(await pve.node(lab), name="lab")]
    assert [source.name for source in sources] == ["proxmox main", "proxmox lab"]
    good, bad = await asyncio.gather(*(source.poll() for source in sources))
    assert good.value is not None
    assert good.failure is None
    assert bad.value is None
    assert bad.failure is not None
    assert bad.failure.what.startswith("proxmox lab at 127.0.0.1:")


# -- API nodes that are down


async def gone(serve_raw: ServeRaw) -> str:
    """A host and port where nobody listens (any more)."""
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"127.0.0.1:{port}"


async def test_the_next_api_node_is_asked_when_one_is_down_and_stayed_with(pve: Pve, serve_raw: ServeRaw) -> None:
    node, down = FakePve(), await gone(serve_raw)
    host = await pve.node(node)
    source = pve.source(down, host)
    reading = await source.poll()
    assert reading.failure is None
    assert reading.value is not None
    [warning] = reading.warnings
    assert down in warning
    assert "connection refused" in warning
    again = await source.poll()
    assert again.warnings == ()
    pve.now += HOME_AGAIN_S + 1.0
    home = await source.poll()
    assert home.value is not None
    assert len(home.warnings) == 1


async def test_the_first_api_node_is_gone_back_to(pve: Pve) -> None:
    first, second = FakePve(), FakePve()
    first.faults[""] = reset
    source = pve.source(await pve.node(first), await pve.node(second))
    assert (await source.poll()).value is not None
    first.faults.clear()
    asked = sum(second.asked.values())
    pve.now += HOME_AGAIN_S + 1.0
    reading = await source.poll()
    assert reading.warnings == ()
    assert sum(second.asked.values()) == asked


async def test_when_all_api_nodes_are_down_each_is_named(pve: Pve, serve_raw: ServeRaw) -> None:
    hosts = [await gone(serve_raw) for _ in range(3)]
    reading = await pve.source(*hosts).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.UNREACHABLE
    assert reading.failure.what.endswith("(2 other API nodes have failed before it)")
    told = (*reading.warnings, reading.failure.what)
    assert all(host in words for host, words in zip(hosts, told, strict=True))


async def test_an_api_node_that_hangs_is_passed_over_and_holds_up_nothing(pve: Pve) -> None:
    hung, well = FakePve(), FakePve()
    hung.faults[""] = for_ever
    source = pve.source(await pve.node(hung), await pve.node(well), deadline_s=3.0)
    async with beating() as beat:
        reading = await source.poll()
    assert reading.value is not None
    assert "no answer within 3 s" in reading.warnings[0]
    assert beat.count > 5, "the loop went on"


async def test_a_refused_login_is_tried_at_one_node_once(pve: Pve) -> None:
    first, second = FakePve(), FakePve()
    first.faults[""] = refusing(401, "invalid token value!")
    reading = await pve.source(await pve.node(first), await pve.node(second)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.FORBIDDEN
    assert "invalid token value!" in reading.failure.what
    assert TOKEN_ID in reading.failure.remedy
    assert (first.asked, sum(second.asked.values())) == ({"cluster/status": 1}, 0)


async def test_a_secret_that_was_changed_is_read_anew_after_a_refusal(
    pve: Pve, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = FakePve()
    node.faults[""] = refusing(401, "invalid token value!")
    source = pve.source(await pve.node(node))
    await source.poll()
    node.faults.clear()
    monkeypatch.setenv("FARMTUI_TEST_SECRET", "another-Pl4nted-one")
    assert (await source.poll()).failure is None
    assert node.logins[-1].endswith("another-Pl4nted-one")


# -- rights


async def test_a_token_that_sees_guests_only_shows_them(pve: Pve) -> None:
    node = FakePve()
    node.faults["cluster/status"] = refusing(403, "Permission check failed (/, Sys.Audit)")
    node.answers["cluster/resources"] = RESOURCES[2:]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert [guest.name for guest in reading.value.guests] == ["worker-1", "db-1"]
    assert reading.value.quorate is None
    assert "PVEAuditor" in reading.warnings[0]


async def test_a_token_without_rights_is_forbidden_not_an_empty_cluster(pve: Pve) -> None:
    node = FakePve()
    node.faults["cluster/status"] = refusing(403, "Permission check failed (/, Sys.Audit)")
    node.answers["cluster/resources"] = []
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.FORBIDDEN
    assert "Sys.Audit" in reading.failure.what
