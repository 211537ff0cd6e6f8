"""The pool against a server that fails in every way it can: each in words with a remedy, in its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError
from farmtui.sources.ssh.pool import UNFINISHED, SshPool
from farmtui.sources.ssh.route import Hop, hops
from tests.sources.ssh_server import FakeHost, Said


@pytest.fixture
async def pool(host: FakeHost) -> AsyncIterator[SshPool]:
    """A pool that may log in there."""
    opened = SshPool(host.config(), environ={})
    yield opened
    await opened.close()


async def failed(pool: SshPool, *argv: str, deadline_s: float = 5.0) -> SourceError:
    """The error that a command ends in."""
    with pytest.raises(SourceError) as caught:
        await pool.run("box", argv or ["true"], deadline_s=deadline_s)
    return caught.value


async def test_words_reach_the_command_as_they_are_and_one_connection_serves_all(host: FakeHost, pool: SshPool) -> None:
    host.answer = lambda words: Said(stdout=words[-1].encode(), stderr=b"note\x1b[31m", status=3)
    words = ["echo", "$(reboot)", "a b; 'c' \"d\"\n&& e"]
    done = await asyncio.gather(*(pool.run("box", words, deadline_s=5) for _ in range(20)))
    assert {one.stdout for one in done} == {words[-1].encode()}
    assert done[0].exit_status == 3
    assert done[0].stderr == "note\ufffd[31m"
    assert host.commands == [words] * 20
    assert host.logins == 1


async def test_an_unknown_key_and_a_changed_one(host: FakeHost, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("# nothing\n")
    error = await failed(SshPool(host.config(known_hosts=[empty]), environ={}))
    assert error.kind is FailureKind.HOST_KEY
    assert "its host key is not known: ssh-ed25519 SHA256:" in error.what
    assert f"ssh-keyscan -p {host.port} 127.0.0.1 >> {empty}" in error.remedy
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    lines = f"garbage here\n\n[127.0.0.1]:{host.port} {other}"
    (tmp_path / "old").write_text(lines)
    error = await failed(SshPool(host.config(known_hosts=[tmp_path / "old"]), environ={}))
    assert error.kind is FailureKind.HOST_KEY
    assert f"{tmp_path / 'old'}:3 has SHA256:" in error.what
    assert f"ssh-keygen -R '[127.0.0.1]:{host.port}' -f {tmp_path / 'old'}" in error.remedy


async def test_a_revoked_key(host: FakeHost, tmp_path: Path) -> None:
    known = (tmp_path / "known_hosts").read_text()
    (tmp_path / "revoked").write_text(f"@revoked {known}\n{known}")
    error = await failed(SshPool(host.config(known_hosts=[tmp_path / "revoked"]), environ={}))
    assert error.kind is FailureKind.HOST_KEY
    assert "@revoked" in error.what


async def test_nobody_is_let_in_without_a_key_that_is_known(host: FakeHost, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "stranger")
    error = await failed(SshPool(host.config(identity_files=[tmp_path / "stranger"]), environ={}))
    assert error.kind is FailureKind.FORBIDDEN
    assert error.what == "box: tester is not let in; tried: 1 key, no agent"
    assert "~tester/.ssh/authorized_keys" in error.remedy


async def test_keys_that_cannot_be_used(host: FakeHost, tmp_path: Path) -> None:
    error = await failed(SshPool(host.config(identity_files=[tmp_path / "missing"]), environ={}))
    assert error.kind is FailureKind.CONFIG
    assert str(tmp_path / "missing") in error.what
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "locked", "pkcs8-pem", passphrase="hush")
    error = await failed(SshPool(host.config(identity_files=[tmp_path / "locked"]), environ={}))
    assert error.kind is FailureKind.CONFIG
    assert "ssh-add" in error.remedy
    assert "hush" not in error.what + error.remedy


async def test_an_ssh_config_that_cannot_be_read(host: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Port many\n")
    error = await failed(SshPool(host.config(), environ={}))
    assert error.kind is FailureKind.CONFIG
    assert "ssh_config" in error.what


async def test_the_check_of_host_keys_cannot_be_turned_off(host: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host *\n  UserKnownHostsFile none\n" + (tmp_path / "config").read_text())
    error = await failed(SshPool(host.config(known_hosts=None), environ={}))
    assert error.kind is FailureKind.CONFIG
    assert "no way round" in error.what


async def test_a_circle_of_jump_hosts_is_no_hang(host: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host box\n  ProxyJump other\nHost other\n  ProxyJump box\n")
    error = await failed(SshPool(host.config(), environ={}))
    assert error.kind is FailureKind.CONFIG
    assert "circle" in error.remedy


async def test_a_jump_host_that_fails_is_named(host: FakeHost, tmp_path: Path) -> None:
    with (tmp_path / "config").open("a") as file:
        file.write("  ProxyJump gate\nHost gate\n  HostName 127.0.0.1\n  Port 1\n")
    error = await failed(SshPool(host.config(), environ={}))
    assert error.what == "box: jump host gate: connection refused"


async def test_a_command_that_hangs_costs_its_deadline_and_they_do_not_pile_up(host: FakeHost, pool: SshPool) -> None:
    host.answer = lambda words: Said(hangs=words == ["hang"])
    hung = [asyncio.ensure_future(failed(pool, "hang", deadline_s=1.0)) for _ in range(UNFINISHED)]
    began = time.monotonic()
    await pool.run("box", ["true"], deadline_s=5)
    errors = await asyncio.gather(*hung)
    assert time.monotonic() - began < 4
    assert {error.kind for error in errors} == {FailureKind.TIMEOUT}
    assert "no answer within 1 s" in errors[0].what


async def test_a_flood_is_refused(host: FakeHost, pool: SshPool) -> None:
    host.answer = lambda words: Said(stdout=b"x" * 300_000)
    with pytest.raises(SourceError, match=r"prints more than 0\.1 MB"):
        await pool.run("box", ["cat"], deadline_s=5, limit_bytes=100_000)
    assert (await pool.run("box", ["cat"], deadline_s=5)).stdout == b"x" * 300_000


async def test_a_server_that_goes_away_is_found_again(host: FakeHost, pool: SshPool) -> None:
    await pool.run("box", ["true"], deadline_s=5)
    await host.stop()
    error = await failed(pool)
    assert error.kind is FailureKind.UNREACHABLE
    await host.start()
    assert (await pool.run("box", ["true"], deadline_s=5)).exit_status == 0


async def test_what_is_no_ssh_server(tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    fake = FakeHost(tmp_path)
    await fake.start()
    (tmp_path / "config").write_text(f"Host box\n  HostName 127.0.0.1\n  Port {port}\n")
    error = await failed(SshPool(fake.config(), environ={}))
    assert error.kind in (FailureKind.BAD_ANSWER, FailureKind.UNREACHABLE)
    server.close()
    await server.wait_closed()
    await fake.stop()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ("none", ()),
        ("gate", (Hop("gate"),)),
        ("me@gate:2222,[fd00::1]:22", (Hop("gate", "me", 2222), Hop("fd00::1", None, 22))),
        ("fd00::2", (Hop("fd00::2"),)),
    ],
)
def test_jump_hosts_are_read_as_ssh_reads_them(text: str, wanted: tuple[Hop, ...]) -> None:
    assert hops(text) == wanted
