"""SSH fan-out over 200 hosts, connect and run `true`: against a bare asyncssh gather, pyinfra and ansible."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from farmtui.config import SshConfig
from farmtui.sources.ssh.pool import SshPool
from tests.bench.report import say
from tests.bench.ssh_farm import HOSTS, SSHD, SshFarm

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

FORKS = 50
"""What pyinfra and ansible are given: their defaults, 1 and 5 at once, would not be fair."""


async def ours(farm: SshFarm) -> None:
    """As a fan-out step does it: one pool, strict host keys, as many logins at once as the config allows."""
    config = SshConfig(config_files=[farm.config], known_hosts=[farm.known_hosts], agent=False, concurrency=16)
    pool = SshPool(config)
    try:
        done = await asyncio.gather(*(pool.run(name, ["true"], deadline_s=300) for name in farm.names))
    finally:
        await pool.close()
    assert [one.exit_status for one in done] == [0] * HOSTS


async def bare(farm: SshFarm) -> None:
    """A gather over asyncssh, and nothing else."""
    turns = asyncio.Semaphore(16)
    # Once, not for each host: the floor is to be one.
    known, keys = asyncssh.read_known_hosts(str(farm.known_hosts)), asyncssh.load_keypairs([str(farm.key)])

    async def one(address: str) -> int | None:
        async with turns:
            connection = await asyncssh.connect(
                address, farm.port, username=farm.user, known_hosts=known, client_keys=keys,
                agent_path=None, config=None,
            )  # fmt: skip
        try:
            return (await connection.run("true")).exit_status
        finally:
            connection.close()

    assert await asyncio.gather(*map(one, farm.addresses)) == [0] * HOSTS


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def program(name: str) -> str | None:
    """Where a tool is: in the environment that `make bench` makes for it, or in the path."""
    return shutil.which(name, path=f"{Path(sys.prefix) / 'bench' / 'bin'}:{os.environ.get('PATH', '')}")


def tool(farm: SshFarm, *command: str) -> None:
    quiet = {"ANSIBLE_FORKS": str(FORKS), "ANSIBLE_GATHERING": "explicit", "ANSIBLE_HOME": str(farm.folder)}
    done = subprocess.run(command, cwd=farm.folder, env={**os.environ, **quiet}, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.mark.skipif(SSHD is None, reason="there is no sshd here")
def test_fan_out(tmp_path: Path) -> None:
    farm = SshFarm(tmp_path)
    with farm.serving():
        floor, mine = [], []
        for _ in range(2):
            floor.append(timed(lambda: asyncio.run(bare(farm))))
            mine.append(timed(lambda: asyncio.run(ours(farm))))
        base, took = min(floor), min(mine)
        ratio = took / base
        say(
            f"SSH to {HOSTS} hosts and `true`",
            f"{took:.1f} s = {ratio:.2f}x of {base:.1f} s",
            "1.3x",
            kept=ratio <= 1.3,
        )
        if pyinfra := program("pyinfra"):
            inventory = tmp_path / "inventory.py"
            inventory.write_text(
                f"hosts = [(n, dict(ssh_hostname=a, ssh_port={farm.port}, ssh_user={farm.user!r}, "
                f"ssh_key={str(farm.key)!r}, ssh_known_hosts_file={str(farm.known_hosts)!r})) "
                f"for n, a in zip({farm.names!r}, {farm.addresses!r})]\n"
            )
            command = (
                pyinfra,
                "-y",
                "--parallel",
                str(FORKS),
                str(inventory),
                "exec",
                "--",
                "true",
            )
            other = timed(lambda: tool(farm, *command))
            say("  against pyinfra", f"{took / other:.2f}x of {other:.1f} s", "1x", kept=took < other)
        if ansible := program("ansible"):
            hosts = tmp_path / "hosts"
            line = f"ansible_port={farm.port} ansible_ssh_common_args='-F {farm.config}'"
            hosts.write_text("".join(f"{name} {line}\n" for name in farm.names))
            command = (ansible, "all", "-i", str(hosts), "-m", "raw", "-a", "true")
            other = timed(lambda: tool(farm, *command))
            say("  against ansible", f"{took / other:.2f}x of {other:.1f} s", "1x", kept=took < other)
