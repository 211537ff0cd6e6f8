"""A shell on a machine: what ssh is told, and that the terminal always comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from farmtui.config import SshConfig
from farmtui.farm.actions import ActionError
from farmtui.shelling import Shell, signals_left_to_it, ssh_config


def asked(config: SshConfig, host: str, folder: Path) -> dict[str, list[str]]:
    """What ssh itself makes of it."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("there is no ssh on this machine")
    file = folder / "made"
    file.write_text(ssh_config(config))
    told = subprocess.run([ssh, "-G", "-F", str(file), host], check=True, capture_output=True, text=True).stdout
    found: dict[str, list[str]] = {}
    for line in told.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key, []).append(value)
    return found


def test_ssh_reads_it_as_the_console_does(tmp_path: Path) -> None:
    (tmp_path / "own config").write_text("Host cache-1\n  HostName 127.0.0.9\n  Port 2222\n  User other\n")
    config = SshConfig.model_validate({
        "user": "ops", "config_files": [str(tmp_path / "own config")], "known_hosts": [str(tmp_path / "known hosts")],
        "identity_files": [str(tmp_path / "key")], "agent": False, "jump": "bastion", "connect_timeout_s": 7,
    })  # fmt: skip
    told = asked(config, "cache-1", tmp_path)
    assert told["hostname"] == ["127.0.0.9"]
    assert told["port"] == ["2222"]
    assert told["user"] == ["ops"], "the console's config comes before ssh_config"
    assert told["stricthostkeychecking"] == ["true"]
    assert told["userknownhostsfile"] == [str(tmp_path / "known hosts")]
    assert told["identityfile"] == [str(tmp_path / "key")]
    assert told["identityagent"] == ["none"]
    assert told["proxyjump"] == ["bastion"]
    assert told["connecttimeout"] == ["7"]


def test_the_bastion_is_not_gone_through_to_itself_and_ssh_config_knows_a_better_way(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("Host db-1\n  ProxyJump other\n")
    config = SshConfig.model_validate({"config_files": [str(tmp_path / "own")], "jump": "bastion"})
    assert "proxyjump" not in asked(config, "bastion", tmp_path)
    assert asked(config, "db-1", tmp_path)["proxyjump"] == ["other"]
    assert asked(config, "db-2", tmp_path)["proxyjump"] == ["bastion"]


def test_nothing_turns_the_check_of_host_keys_off(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("Host *\n  StrictHostKeyChecking no\n")
    config = SshConfig.model_validate({"config_files": [str(tmp_path / "own")]})
    assert asked(config, "cache-1", tmp_path)["stricthostkeychecking"] == ["true"]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that does what a test writes into it."""
    file = tmp_path / "bin/ssh"
    file.parent.mkdir()
    monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")

    def make(script: str) -> None:
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    make("exit 0")
    return file


def test_its_exit_code_is_told_and_its_config_is_gone_with_it(fake: Path, tmp_path: Path) -> None:
    fake.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\ncp "$2" {tmp_path}/config\nexit 7\n')
    assert Shell(SshConfig(), "cache-1").run() == 7
    words = (tmp_path / "told").read_text().split()
    assert words[2:] == ["--", "cache-1"], "a host cannot be taken for an option"
    assert "StrictHostKeyChecking yes" in (tmp_path / "config").read_text()
    assert not Path(words[1]).exists()


def test_one_that_stops_itself_is_brought_back(fake: Path) -> None:
    fake.write_text("#!/bin/sh\nkill -STOP $$\nexit 3\n")
    assert Shell(SshConfig(), "cache-1").run() == 3


def test_what_ssh_said_stays_until_it_is_read(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.write_text("#!/bin/sh\nexit 255\n")
    asked_for: list[str] = []
    monkeypatch.setattr("builtins.input", asked_for.append)
    assert Shell(SshConfig(), "cache-1").run() == 255
    assert asked_for == ["ssh cache-1 ended with 255. Enter goes back to the console. "]


def test_without_ssh_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ActionError, match="no ssh on this machine"):
        Shell(SshConfig(), "cache-1")


def test_what_is_typed_for_the_shell_does_not_end_the_console(fake: Path) -> None:
    """Ctrl+C before ssh has logged in goes to every process on the terminal; the child must still hear it."""
    fake.write_text("#!/bin/sh\ntrap 'exit 9' INT\nkill -INT $PPID\nkill -INT $$\nsleep 5\n")
    before = signal.getsignal(signal.SIGINT)
    with signals_left_to_it():
        assert Shell(SshConfig(), "cache-1").run() == 9
    assert signal.getsignal(signal.SIGINT) is before
