"""The simulated machines' SSH servers: whom they let in, what they make of a command line, and what outlives what."""

from __future__ import annotations

import ast
import asyncio
import shlex
import stat
from pathlib import Path
from typing import Any

import asyncssh
import pytest

import farmtui.demo.ssh
from farmtui.config import load_config
from farmtui.demo.config import write_config
from farmtui.demo.farm import Options, running
from farmtui.demo.ssh.servers import MOST
from farmtui.demo.world.changes import Interconnect, MachineOff, MachineOn
from farmtui.demo.world.inventory import APP
from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError
from farmtui.sources.ssh.pool import SshPool
from tests.demo.machines import machines
from tests.demo.stage import Clock

SCRIPT = "mode=$1 key=$2; exit 1"


def wrapped(mode: str, key: str, *argv: str, read: tuple[int, int] = (0, 0), limit: int = 1000) -> str:
    """What the runner has run; the script itself is never looked at."""
    return shlex.join(
        ["sh", "-c", SCRIPT, "farmtui-step", mode, key, str(limit), *map(str, read), "1", "0", "10", *argv]
    )


async def test_every_machine_is_reached_by_its_name_with_strict_host_keys(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        inventory = farm.farm.running.farm
        names = [*(m.name for m in inventory.machines), *(host.name for host in inventory.hosts)]
        told = await asyncio.gather(*(farm.told(name, "hostname") for name in names))
        assert [line.strip() for line in told] == names
        assert len(names) == 39


async def test_the_files_beside_the_config_are_its_users_alone_and_everything_is_on_loopback(tmp_path: Path) -> None:
    async with machines(tmp_path):
        files = {file.name: file for file in sorted(tmp_path.iterdir())}  # noqa: ASYNC240
        assert {"ssh_config", "ssh-key", "ssh_known_hosts"} <= set(files)
        assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
        places = [line for line in files["ssh_config"].read_text().splitlines() if "HostName" in line]
        assert places == ["  HostName 127.0.0.1"]


async def test_of_a_large_farm_the_first_machines_are_reached_and_its_swarm_is_not_asked(tmp_path: Path) -> None:
    async with running(Options(nodes=600, sites=1_100, clock=Clock(), pace=0.0)) as farm:
        assert len(farm.doors.ssh.ports) == MOST
        assert {machine.name for machine in farm.farm.machines if machine.tier != APP} <= set(farm.doors.ssh.ports)
        write_config(tmp_path / "farmtui.yaml", farm.farm, farm.doors)
        assert load_config(tmp_path / "farmtui.yaml").swarm is None


async def test_a_host_key_that_is_not_known_is_refused(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        config = farm.farm.config(tmp_path).ssh
        assert config is not None
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        (tmp_path / "ssh_known_hosts").write_text(f"mgr-1 {other}")
        pool = SshPool(config, environ={})
        with pytest.raises(SourceError) as error:
            await pool.run("mgr-1", ["true"], deadline_s=10)
        await pool.close()
        assert error.value.kind is FailureKind.HOST_KEY


async def test_a_key_or_a_user_that_is_not_known_is_not_let_in(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        config = farm.farm.config(tmp_path).ssh
        assert config is not None
        for given in ({"user": "mallory"}, {"identity_files": [tmp_path / "other"]}):
            asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")
            pool = SshPool(config.model_copy(update=given), environ={})
            with pytest.raises(SourceError):
                await pool.run("mgr-1", ["true"], deadline_s=10)
            await pool.close()


async def test_a_machine_that_is_down_is_gone_and_comes_back(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        before = await farm.told("worker-07", "cat /proc/sys/kernel/random/boot_id")
        assert await farm.told("worker-07", "cat /proc/sys/kernel/random/boot_id") == before
        await farm.happen(MachineOff("worker-07"))
        with pytest.raises(SourceError) as error:
            await farm.do("worker-07", "true")
        assert error.value.kind is FailureKind.UNREACHABLE
        await farm.happen(MachineOn("worker-07"))
        assert await farm.told("worker-07", "cat /proc/sys/kernel/random/boot_id") != before


async def test_behind_a_cut_link_nobody_answers(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.happen(Interconnect(cut=True))
        with pytest.raises(SourceError) as error:
            await farm.do("worker-07", "true", deadline_s=0.3)
        assert error.value.kind is FailureKind.TIMEOUT
        assert (await farm.do("mgr-1", "true")).exit_status == 0


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("nonsense --now", 127, "sh: 1: nonsense: not found"),
        ("sudo -n nonsense", 1, "sudo: nonsense: command not found"),
        ("rm -rf /", 1, "rm: cannot remove '/': Read-only file system"),
        ("sh -c 'hostname | tee /tmp/x'", 127, "sh: 1: tee: not found"),
        ("sh -c 'hostname &'", 2, 'sh: 1: Syntax error: "&" is beyond this simulated shell'),
        ("sh -c 'hostname > /tmp/x'", 2, 'sh: 1: Syntax error: ">" is beyond this simulated shell'),
        ("cat /etc/shadow", 1, "cat: /etc/shadow: No such file or directory"),
        ("systemctl restart nginx", 5, "Failed to restart nginx.service: Unit nginx.service not found."),
        ("systemctl frobnicate x", 1, "Unknown command verb 'frobnicate'."),
        ("systemctl stop ssh", 1, "Failed to stop ssh.service: Access denied"),
    ],
)
async def test_wrong_input_gets_the_originals_error(tmp_path: Path, line: str, status: int, words: str) -> None:
    async with machines(tmp_path) as farm:
        assert await farm.refused("cache-1", line) == (status, words)


async def test_no_word_is_ever_run_on_the_real_machine(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    async with machines(tmp_path) as farm:
        for line in (
            f"echo x; touch {marker}",
            f"echo $(touch {marker})",
            f"echo `touch {marker}`",
            f"hostname && touch {marker}",
            f"echo x > {marker}",
        ):
            # Both as one word among others, and as a shell's text.
            await farm.pool.run("cache-1", line.split(), deadline_s=10)
            await farm.pool.run("cache-1", ["echo", line], deadline_s=10)
            await farm.pool.run("cache-1", ["sh", "-c", line], deadline_s=10)
    assert not marker.exists()


def test_nothing_here_could_run_a_process() -> None:
    folder = Path(farmtui.demo.ssh.__path__[0])
    files = list(folder.rglob("*.py"))
    assert len(files) > 5
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            assert not {"subprocess", "os", "pty", "shutil"} & {name.partition(".")[0] for name in names}, file
            if isinstance(node, ast.Attribute | ast.Name):
                called = node.attr if isinstance(node, ast.Attribute) else node.id
                assert not called.startswith(("create_subprocess", "subprocess_", "exec", "eval")) or (
                    called == "exec_requested"
                ), file


async def test_a_script_runs_its_commands_in_a_row(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert (
            await farm.told("cache-1", "sh -c 'hostname; false || id -un; true && echo a b'") == "cache-1\nops\na b\n"
        )
        assert await farm.told("cache-1", "sh -c 'echo a b | xargs echo x | wc -w'") == "3\n"
        assert await farm.told("cache-1", "sh -c 'redis-cli --scan | grep -v users | head -n 2 | wc -l'") == "2\n"
        assert await farm.told("cache-1", "sh -c 'false && hostname\nid -un'") == "ops\n"
        assert await farm.told("cache-1", "sudo -n timeout -k 1 10 id -un") == "root\n"
        assert (await farm.do("cache-1", "sh -c 'true && false'")).exit_status == 1


async def test_term_ends_a_command_with_143(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.do("cache-1", "true")
        connection = await asyncssh.connect(**_given(tmp_path, "cache-1"))
        async with connection, connection.create_process("sh -c 'echo begun; sleep 3000'") as process:
            assert await process.stdout.readline() == "begun\n"
            process.send_signal("TERM")
            done = await process.wait()
        assert done.exit_status == 143


def _given(folder: Path, host: str) -> dict[str, Any]:
    return {
        "host": host,
        "config": [str(folder / "ssh_config")],
        "known_hosts": str(folder / "ssh_known_hosts"),
        "client_keys": [str(folder / "ssh-key")],
    }


# -- work that outlives its connection


async def test_wrapped_work_is_begun_once_and_found_again(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        first = await farm.do("cache-1", wrapped("start", "k1", "systemctl", "stop", "varnish"))
        assert (first.exit_status, first.stderr.strip()) == (0, "farmtui-end k1 code 0")
        assert not farm.now.varnish["cache-1"].running
        await farm.told("cache-1", "systemctl start varnish")
        for mode in ("start", "attach", "stop"):
            again = await farm.do("cache-1", wrapped(mode, "k1", "systemctl", "stop", "varnish"))
            assert again.stderr.strip() == "farmtui-end k1 code 0"
        assert farm.now.varnish["cache-1"].running


async def test_wrapped_output_goes_on_where_it_was_left_and_is_cut(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        done = await farm.do("cache-1", wrapped("start", "k", "echo", "0123456789", limit=6))
        assert done.stdout == b"012345"
        assert (await farm.do("cache-1", wrapped("attach", "k", "echo", read=(4, 0)))).stdout == b"45"
        wrong = await farm.do("cache-1", wrapped("start", "bad", "cat", "/nonsense"))
        assert wrong.stderr == "cat: /nonsense: No such file or directory↵↵farmtui-end bad code 1"


async def test_what_was_never_begun_is_absent_for_ever(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        for mode in ("attach", "start", "stop"):
            done = await farm.do("cache-1", wrapped(mode, "k", "systemctl", "stop", "varnish"))
            assert done.stderr.strip() == "farmtui-end k absent"
        assert farm.now.varnish["cache-1"].running


async def _begin(folder: Path, host: str, key: str) -> asyncssh.SSHClientConnection:
    """A connection on which work that never ends by itself has begun."""
    connection = await asyncssh.connect(**_given(folder, host))
    line = wrapped("start", key, "sh", "-c", "echo begun; sleep 3000")
    process: asyncssh.SSHClientProcess[str] = await connection.create_process(line)
    assert await process.stdout.readline() == "begun\n"
    return connection


async def test_wrapped_work_survives_its_connection_and_is_stopped_by_term(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        (await _begin(tmp_path, "cache-1", "k")).abort()
        done = await farm.do("cache-1", wrapped("stop", "k", "sleep", "3000"))
        assert done.stdout == b"begun\n"
        assert done.stderr.strip() == "farmtui-end k code 143"


async def test_wrapped_work_is_lost_with_its_machine_and_its_end_is_not(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.do("worker-07", wrapped("start", "ended", "echo", "x"))
        connection = await _begin(tmp_path, "worker-07", "running")
        await farm.happen(MachineOff("worker-07"))
        await connection.wait_closed()
        await farm.happen(MachineOn("worker-07"))
        done = await farm.do("worker-07", wrapped("attach", "ended", "echo", "x"))
        assert done.stderr.strip() == "farmtui-end ended code 0"
        done = await farm.do("worker-07", wrapped("start", "running", "sleep", "3000"))
        assert done.stderr.strip() == "farmtui-end running lost the machine was started anew meanwhile"
