"""The pool over real sshd: every way in, strict host keys with their remedy, what hangs costs its own deadline only."""

from __future__ import annotations

import asyncio
import getpass
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from farmtui.config import SshConfig
from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError
from farmtui.sources.ssh.pool import SshPool
from tests.lab.services.ssh import SshHosts

Open = Callable[..., SshPool]
D = 15.0


@pytest.fixture
async def pool(ssh: SshHosts) -> AsyncIterator[Open]:
    """Opens a pool with the lab's config, and some of it otherwise."""
    opened: list[SshPool] = []

    def open_pool(environ: dict[str, str] | None = None, **changes: Any) -> SshPool:
        opened.append(SshPool(SshConfig(**{**ssh.config()["ssh"], **changes}), environ=environ or {}))
        return opened[-1]

    yield open_pool
    for one in opened:
        await one.close()


async def word(pool: SshPool, host: str) -> str:
    """What a host echoes."""
    done = await pool.run(host, ["echo", 'it\'s $HOME; "x"'], deadline_s=D)
    assert done.exit_status == 0, done.stderr
    return done.stdout.decode().strip()


WORD = 'it\'s $HOME; "x"'


def output(*command: str, environment: dict[str, str] | None = None) -> str:
    """What a command prints."""
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout


@pytest.mark.parametrize("host", ["plain", "signed", "bastion", "inner"])
async def test_every_host_is_reached_and_words_arrive_as_they_are(pool: Open, host: str) -> None:
    assert await word(pool(), host) == WORD


async def test_the_inner_host_is_reached_by_nobody_else(ssh: SshHosts, tmp_path: Path) -> None:
    config = tmp_path / "direct"
    config.write_text(ssh.ssh_config.read_text().replace("ProxyJump bastion", ""))
    one = SshPool(SshConfig(**{**ssh.config()["ssh"], "config_files": [str(config)]}), environ={})
    with pytest.raises(SourceError, match="inner: connection refused"):
        await one.run("inner", ["true"], deadline_s=D)
    await one.close()


async def test_the_agents_key_is_enough(pool: Open, ssh: SshHosts) -> None:
    one = pool({"SSH_AUTH_SOCK": str(ssh.agent_socket)}, identity_files=[], agent=True)
    assert await word(one, "plain") == WORD


async def test_a_certificate_is_enough(pool: Open, ssh: SshHosts) -> None:
    assert await word(pool(identity_files=[ssh.folder / "id_signed"]), "plain") == WORD


async def test_without_a_key_the_refusal_says_who_and_what_was_tried(pool: Open, ssh: SshHosts) -> None:
    with pytest.raises(SourceError) as refused:
        await pool(identity_files=[ssh.folder / "host_ca"]).run("plain", ["true"], deadline_s=D)
    assert refused.value.kind is FailureKind.FORBIDDEN
    assert refused.value.what == f"plain: {getpass.getuser()} is not let in; tried: 1 key, no agent"


async def test_a_jump_host_of_the_configs_own(pool: Open, ssh: SshHosts, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(ssh.ssh_config.read_text().replace("ProxyJump bastion", ""))
    assert await word(pool(config_files=[config], jump="bastion"), "inner") == WORD


async def test_hosts_behind_a_bastion_share_one_connection_to_it(pool: Open, ssh: SshHosts) -> None:
    one = pool()
    await asyncio.gather(*(word(one, host) for host in ("inner", "bastion", "inner")))
    assert len([door for door in one._doors.values() if door.connection]) == 2


async def test_forty_calls_at_once_are_all_answered(pool: Open) -> None:
    one = pool()
    assert await asyncio.gather(*(word(one, "plain") for _ in range(40))) == [WORD] * 40


async def test_a_changed_host_key_is_refused_with_the_exact_remedy(pool: Open, ssh: SshHosts) -> None:
    host = ssh.add("renewed")
    assert await word(pool(), "renewed") == WORD
    ssh.renew_key("renewed")
    with pytest.raises(SourceError) as refused:
        await pool().run("renewed", ["true"], deadline_s=D)
    shown = await asyncio.to_thread(output, "ssh-keygen", "-lf", f"{host.key}.pub")
    assert refused.value.kind is FailureKind.HOST_KEY
    assert "CHANGED" in refused.value.what
    assert shown.split()[1] in refused.value.what
    assert f"{ssh.known_hosts}:" in refused.value.what
    remedy = f"ssh-keygen -R '{host.place}' -f {ssh.known_hosts}"
    assert remedy in refused.value.remedy
    await asyncio.to_thread(output, "sh", "-c", remedy)
    with pytest.raises(SourceError, match="is not known") as unknown:
        await pool().run("renewed", ["true"], deadline_s=D)
    learn = f"ssh-keyscan -p {host.port} {host.address} >> {ssh.known_hosts}"
    assert learn in unknown.value.remedy
    await asyncio.to_thread(output, "sh", "-c", learn)
    assert await word(pool(), "renewed") == WORD


async def test_hashed_known_hosts(pool: Open, ssh: SshHosts, tmp_path: Path) -> None:
    hashed = tmp_path / "known_hosts"
    hashed.write_text(ssh.known_hosts.read_text())
    await asyncio.to_thread(output, "ssh-keygen", "-q", "-H", "-f", str(hashed))
    assert ssh.hosts["plain"].address not in hashed.read_text()
    assert await word(pool(known_hosts=[hashed]), "plain") == WORD


async def test_an_authority_that_nobody_trusts(pool: Open, ssh: SshHosts, tmp_path: Path) -> None:
    none = tmp_path / "known_hosts"
    none.write_text("")
    with pytest.raises(SourceError) as refused:
        await pool(known_hosts=[none]).run("signed", ["true"], deadline_s=D)
    assert refused.value.kind is FailureKind.HOST_KEY


async def test_ssh_config_cannot_turn_the_check_off(pool: Open, ssh: SshHosts, tmp_path: Path) -> None:
    config = tmp_path / "config"
    text = "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile none\n"
    config.write_text(text + ssh.ssh_config.read_text())
    with pytest.raises(SourceError, match="no way round"):
        await pool(config_files=[config], known_hosts=None).run("plain", ["true"], deadline_s=D)
    none = tmp_path / "known_hosts"
    none.write_text("")
    with pytest.raises(SourceError, match="is not known"):
        await pool(config_files=[config], known_hosts=[none]).run("plain", ["true"], deadline_s=D)


async def test_a_host_that_stops_and_comes_back(pool: Open, ssh: SshHosts) -> None:
    one = pool()
    ssh.add("restarted")
    assert await word(one, "restarted") == WORD
    ssh.hosts["restarted"].daemon.stop()
    door = next(door for hop, door in one._doors.items() if hop.host == "restarted")
    assert door.connection is not None
    door.connection.abort()
    with pytest.raises(SourceError, match="connection refused"):
        await one.run("restarted", ["true"], deadline_s=D)
    ssh.hosts["restarted"].daemon.start()
    assert await word(one, "restarted") == WORD


async def test_a_frozen_host_costs_its_own_deadline_only(pool: Open, ssh: SshHosts) -> None:
    one = pool()
    ssh.add("frozen")
    ssh.hosts["frozen"].daemon.freeze()
    try:
        hung = asyncio.ensure_future(one.run("frozen", ["true"], deadline_s=3.0))
        assert await word(one, "plain") == WORD
        assert not hung.done()
        with pytest.raises(SourceError, match="no answer within 3 s"):
            await hung
    finally:
        ssh.hosts["frozen"].daemon.thaw()


async def test_commands_that_were_given_up_do_not_pile_up(pool: Open) -> None:
    one = pool()
    calls = [one.run("plain", ["sleep", "300"], deadline_s=1.5) for _ in range(4)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all("no answer within" in str(error) for error in ended)
    assert await word(one, "plain") == WORD, "sshd has ended them: it does so for what was started without a terminal"


async def test_a_flood_is_refused_and_a_bad_byte_is_only_a_byte(pool: Open) -> None:
    one = pool()
    with pytest.raises(SourceError, match="prints more than"):
        await one.run("plain", ["head", "-c", "3000000", "/dev/zero"], deadline_s=D, limit_bytes=1_000_000)
    done = await one.run("plain", ["printf", "a\\377b"], deadline_s=D)
    assert done.stdout == b"a\xffb"
    assert (await one.run("plain", ["sh", "-c", "kill -9 $$"], deadline_s=D)).exit_status != 0


async def test_a_socket_is_reached_and_one_that_is_not_there_is_named(pool: Open, ssh: SshHosts) -> None:
    one = pool()
    local = await one.unix_socket("plain", str(ssh.agent_socket), deadline_s=D)
    assert local.parent.stat().st_mode & 0o777 == 0o700
    listed = await asyncio.to_thread(output, "ssh-add", "-l", environment={"SSH_AUTH_SOCK": str(local)})
    assert "id_agent" in listed
    assert await one.unix_socket("plain", str(ssh.agent_socket), deadline_s=D) == local
    with pytest.raises(SourceError, match="nobody answers at /run/no-such-socket"):
        await one.unix_socket("plain", "/run/no-such-socket", deadline_s=D)
