"""Swarm, Gluster and Varnish as sources: real answers over SSH, hostile ones, and hosts that fail in every way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import GlusterConfig, SwarmConfig, VarnishConfig, VarnishHost
from farmtui.farm.reading import FailureKind
from farmtui.sources.gluster import GlusterSource
from farmtui.sources.ssh.pool import SshPool
from farmtui.sources.swarm import SwarmSource
from farmtui.sources.varnish import VarnishSource
from tests.sources.ssh_server import FakeHost, Said

DATA = Path(__file__).with_name("data")
NO_LEADER = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers"


@pytest.fixture
async def pool(host: FakeHost) -> AsyncIterator[SshPool]:
    """A pool that may log in there."""
    opened = SshPool(host.config(), environ={})
    yield opened
    await opened.close()


class Engine:
    """A Docker engine behind a socket: answers by path, and takes down what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            f"/{name}": json.loads((DATA / "swarm" / f"{name}.json").read_text())
            for name in ("nodes", "services", "tasks", "networks")
        }
        self.status = 200
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One GET; anything else is a change, and a defect."""
        assert request.method == "GET"
        self.asked.append(request.path)
        found = self.answers[request.path]
        if isinstance(found, bytes):
            return web.Response(body=found, status=self.status)
        return web.json_response(found, status=self.status)


@pytest.fixture
async def engine(host: FakeHost, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine at a socket that SSH may forward to."""
    found = Engine()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    path = str(tmp_path / "docker.sock")
    await web.UnixSite(runner, path).start()
    host.sockets.add(path)
    yield found
    await runner.cleanup()


def swarm(pool: SshPool, tmp_path: Path, **changes: Any) -> SwarmSource:
    """The source over that engine."""
    given = {"hosts": ["box"], "socket": str(tmp_path / "docker.sock"), "deadline_s": 5.0, **changes}
    return SwarmSource(SwarmConfig(**given), pool)


async def test_a_real_swarm_by_its_socket(pool: SshPool, engine: Engine, tmp_path: Path) -> None:
    reading = await swarm(pool, tmp_path).poll()
    assert reading.failure is None
    cluster = reading.value
    assert cluster is not None
    assert [(node.hostname, node.role, node.state, node.leader) for node in cluster.nodes] == [
        ("swarm1", "manager", "ready", True),
        ("swarm2", "worker", "ready", False),
        ("swarm3", "worker", "ready", False),
    ]
    assert cluster.nodes[0].address == "10.77.0.1"
    assert {service.name: (service.running, service.desired) for service in cluster.services}["hostp"] == (3, 3)
    assert {network.name for network in cluster.networks} >= {"ingress"}
    assert all(task.service and task.since is not None for task in cluster.tasks)
    assert sorted(set(engine.asked)) == ["/networks", "/nodes", "/services", "/tasks"]
    assert reading.requests == len(engine.asked)


async def test_a_service_that_runs_too_little_has_its_failures_asked_for(
    pool: SshPool, engine: Engine, tmp_path: Path
) -> None:
    for service in engine.answers["/services"]:
        service["ServiceStatus"] = {"RunningTasks": 1, "DesiredTasks": 3}
    reading = await swarm(pool, tmp_path).poll()
    assert reading.failure is None
    assert engine.asked.count("/tasks") == 2


async def test_the_next_manager_is_asked_and_a_lost_quorum_is_an_answer(
    pool: SshPool, engine: Engine, tmp_path: Path
) -> None:
    source = swarm(pool, tmp_path, hosts=["gone", "box"])
    first = await source.poll()
    assert first.value is not None
    assert first.value.manager == "box"
    assert "gone: connection refused" in first.warnings[0]
    engine.status = 503
    engine.answers = {path: {"message": NO_LEADER} for path in engine.answers}
    second = await source.poll()
    assert second.failure is None
    assert second.value is not None
    assert second.value.quorum is False
    assert second.value.nodes == first.value.nodes, "what was known before stays, marked as of before"
    assert second.value.read_at == first.value.read_at


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", FailureKind.BAD_ANSWER),
        (200, b'{"a": 1}', FailureKind.BAD_ANSWER),
        (503, b'{"message": "This node is not a swarm manager."}', FailureKind.CONFIG),
        (500, b'{"message": "\\u001b[2Jboom"}', FailureKind.SERVER),
    ],
)
async def test_answers_that_are_none(
    pool: SshPool, engine: Engine, tmp_path: Path, status: int, body: bytes, kind: FailureKind
) -> None:
    engine.status, engine.answers = status, dict.fromkeys(engine.answers, body)
    reading = await swarm(pool, tmp_path).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert "\x1b" not in reading.failure.what


@pytest.mark.parametrize("junk", [None, 3, "x", [], [1, None, "y"], [{}], [{"ID": 7, "Spec": [], "Status": "no"}]])
async def test_junk_of_the_right_shape_is_a_swarm_of_what_can_be_read(
    pool: SshPool, engine: Engine, tmp_path: Path, junk: Any
) -> None:
    engine.answers = dict.fromkeys(engine.answers, junk)
    reading = await swarm(pool, tmp_path).poll()
    assert (reading.value is None) is (reading.failure is not None)


async def test_a_socket_that_may_not_be_used(pool: SshPool, host: FakeHost, tmp_path: Path) -> None:
    reading = await swarm(pool, tmp_path).poll()
    assert reading.failure is not None
    assert str(tmp_path / "docker.sock") in reading.failure.what


def docker(words: Sequence[str]) -> Said:
    """The docker command of a manager with one node and one service."""
    known = {"node": "nodes", "service": "services", "network": "networks"}
    match list(words):
        case ["sudo", "-n", "docker", kind, "ls", *_] if kind in known:
            listed = json.loads((DATA / "swarm" / f"{known[kind]}.json").read_text())
            return Said("\n".join(item.get("ID") or item["Id"] for item in listed).encode())
        case ["sudo", "-n", "docker", kind, "inspect", *_] if kind in known:
            return Said((DATA / "swarm" / f"{known[kind]}.json").read_bytes())
        case ["sudo", "-n", "docker", "node" | "service", "ps", *_]:
            tasks = json.loads((DATA / "swarm" / "tasks.json").read_text())
            return Said("\n".join(task["ID"] for task in tasks).encode())
        case ["sudo", "-n", "docker", "inspect", "--type", "task", *_]:
            return Said((DATA / "swarm" / "tasks.json").read_bytes())
    return Said(stderr=b"unknown command", status=1)


async def test_the_docker_command_tells_the_same(host: FakeHost, pool: SshPool, engine: Engine, tmp_path: Path) -> None:
    host.answer = docker
    by_command = await swarm(pool, tmp_path, via="cli", sudo=True).poll()
    by_socket = await swarm(pool, tmp_path).poll()
    assert by_command.failure is None
    assert by_command.value is not None
    assert by_socket.value is not None
    assert by_command.value.nodes == by_socket.value.nodes
    assert by_command.value.networks == by_socket.value.networks
    assert [s.name for s in by_command.value.services] == [s.name for s in by_socket.value.services]


async def test_a_docker_that_refuses(host: FakeHost, pool: SshPool, tmp_path: Path) -> None:
    host.answer = lambda words: Said(stderr=b"sudo: a password is required", status=1)
    reading = await swarm(pool, tmp_path, via="cli", sudo=True).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.FORBIDDEN


# -- Gluster ------------------------------------------------------------------------------------


def gluster_answers(**changed: Said) -> Any:
    """The gluster command's answers, by the first words that tell them apart."""
    known = {
        "pool": Said((DATA / "gluster" / "peer_status_one_down.xml").read_bytes()),
        "info": Said((DATA / "gluster" / "volume_info.xml").read_bytes()),
        "status": Said((DATA / "gluster" / "volume_status_detail.xml").read_bytes()),
        "heal": Said((DATA / "gluster" / "heal_info_summary_pending.xml").read_bytes()),
        **changed,
    }

    def answer(words: Sequence[str]) -> Said:
        assert list(words[:3]) == ["gluster", "--mode=script", "--xml"]
        return known[words[3] if words[3] == "pool" else words[4]]

    return answer


def gluster(pool: SshPool, **changes: Any) -> GlusterSource:
    """The source over that host."""
    return GlusterSource(GlusterConfig(**{"name": "main", "hosts": ["box"], "deadline_s": 5.0, **changes}), pool)


REFUSED = (
    b'<?xml version="1.0"?><cliOutput><opRet>-1</opRet><opErrno>30800</opErrno><opErrstr>%s</opErrstr></cliOutput>'
)


async def test_a_real_volume_with_a_peer_away(host: FakeHost, pool: SshPool) -> None:
    # One of the two that the sample lists is away: with the one that was asked, `pool list` would have three.
    answer = (DATA / "gluster" / "peer_status_one_down.xml").read_bytes()
    third = b"<peer><uuid>u</uuid><hostname>localhost</hostname><connected>1</connected></peer></peerStatus>"
    host.answer = gluster_answers(pool=Said(answer.replace(b"</peerStatus>", third)))
    reading = await gluster(pool).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert {peer.host: peer.connected for peer in reading.value.peers} == {
        "10.78.0.2": True,
        "10.78.0.3": False,
        "localhost": True,
    }
    [volume] = reading.value.volumes
    assert (volume.name, volume.kind, volume.status, volume.replica) == ("wp", "Replicate", "Started", 3)
    assert [brick.heal_pending for brick in volume.bricks] == [102, 102, None]
    assert volume.bricks[2].healing.endswith("(Transport endpoint is not connected)")
    assert volume.bricks[0].size_bytes == 270_553_174_016
    assert len(host.commands) == reading.requests


async def test_a_peer_that_sees_only_itself_is_not_believed_while_another_answers(
    host: FakeHost, pool: SshPool, tmp_path: Path
) -> None:
    host.answer = gluster_answers()
    alone = await gluster(pool).poll()
    assert alone.value is not None, "nobody else is there to ask: then that is how it is"
    assert any("sees 1 of 2 peers" in warning for warning in alone.warnings)


async def test_a_status_that_fails_hides_neither_peers_nor_what_was_known(host: FakeHost, pool: SshPool) -> None:
    source = gluster(pool)
    host.answer = gluster_answers()
    first = await source.poll()
    assert first.value is not None
    locked = REFUSED % b"Locking failed on 10.78.0.3. Please check log file for details."
    host.answer = gluster_answers(status=Said(locked, status=1))
    second = await source.poll()
    assert second.value is not None
    assert second.value.volumes[0].bricks == first.value.volumes[0].bricks
    assert any("as they were" in warning for warning in second.warnings)
    asked = len([words for words in host.commands if "status" in words])
    await source.poll()
    assert len([words for words in host.commands if "status" in words]) == asked, "not asked again at once"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (Said(b"not xml"), FailureKind.BAD_ANSWER, "not XML"),
        (Said(b"<html/>"), FailureKind.BAD_ANSWER, "not the gluster command's"),
        (Said(b'<!DOCTYPE a [<!ENTITY b "c">]><cliOutput>&b;</cliOutput>'), FailureKind.BAD_ANSWER, "entities"),
        (Said(REFUSED % b"Another transaction is in progress for wp."), FailureKind.SERVER, "busy"),
        (Said(stderr=b"Connection failed. Please check if gluster daemon is operational.", status=1),
         FailureKind.UNREACHABLE, "glusterd does not answer"),
        (Said(stderr=b"sudo: a password is required", status=1), FailureKind.FORBIDDEN, "may not be run"),
        (Said(status=1), FailureKind.SERVER, "it says nothing"),
    ],
)  # fmt: skip
async def test_a_gluster_that_does_not_answer(
    host: FakeHost, pool: SshPool, said: Said, kind: FailureKind, words: str
) -> None:
    host.answer = lambda _words: said
    reading = await gluster(pool).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert words in reading.failure.what


# -- Varnish ------------------------------------------------------------------------------------


def varnish(pool: SshPool, *hosts: str) -> VarnishSource:
    """The source over these hosts."""
    given = [VarnishHost(host=host, workdir="/var/lib/varnish/front") for host in hosts]
    return VarnishSource(VarnishConfig(hosts=given, deadline_s=5.0), pool)


async def test_backends_of_a_real_varnish_and_a_host_that_is_gone(host: FakeHost, pool: SshPool) -> None:
    host.answer = lambda words: Said((DATA / "varnish" / "backend_list.json").read_bytes())
    reading = await varnish(pool, "box", "gone").poll()
    assert host.commands == [["varnishadm", "-n", "/var/lib/varnish/front", "backend.list", "-j"]]
    assert reading.failure is None
    assert reading.value is not None
    told, silent = reading.value
    assert [(b.name, b.healthy, b.good, b.window) for b in told.backends] == [("wp1", True, 5, 5), ("wp2", True, 5, 5)]
    assert silent.backends == ()
    assert "connection refused" in silent.problem
    assert len(reading.warnings) == 1


def listed(**backend: Any) -> bytes:
    """A list of one backend."""
    return json.dumps([3, ["backend.list"], 1.0, {"boot.b": {"type": "backend", **backend}}]).encode()


@pytest.mark.parametrize(
    ("backend", "healthy"),
    [
        ({"admin_health": "probe", "probe_message": [5, 8, "healthy"]}, True),
        ({"admin_health": "probe", "probe_message": [0, 8, "sick"]}, False),
        ({"admin_health": "healthy", "probe_message": [0, 0, "healthy"]}, None),
        ({"admin_health": "healthy", "probe_message": [0, 8, "sick"]}, True),
        ({"admin_health": "sick", "probe_message": [8, 8, "healthy"]}, False),
        ({"admin_health": "probe", "probe_message": "?"}, None),
        ({"last_change": "yesterday"}, None),
    ],
)
async def test_what_is_certain_of_a_backend(
    host: FakeHost, pool: SshPool, backend: dict[str, Any], healthy: bool | None
) -> None:
    host.answer = lambda words: Said(listed(**backend))
    reading = await varnish(pool, "box").poll()
    assert reading.value is not None
    assert [one.healthy for one in reading.value[0].backends] == [healthy]


@pytest.mark.parametrize("body", [b"", b"[1]", b"{}", b"[1,2,3,4]", b"Child is not running", b"\xff"])
async def test_a_varnishadm_that_prints_something_else(host: FakeHost, pool: SshPool, body: bytes) -> None:
    host.answer = lambda words: Said(body)
    reading = await varnish(pool, "box").poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER
    assert "box:" in reading.failure.what
