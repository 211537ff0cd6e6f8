"""The simulated farm as a child process: what it says, and that it never outlives whoever has started it."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farmtui.config import load_config
from farmtui.demo.faults import FAULTS
from farmtui.simulation import running

COMMAND = (sys.executable, "-m", "farmtui.demo")
GUARD_S = 60.0


def told(*options: str) -> subprocess.CompletedProcess[str]:
    """A run that ends by itself."""
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, check=False, timeout=GUARD_S, stdin=subprocess.DEVNULL
    )


@contextmanager
def child(path: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A farm that serves."""
    command = [*COMMAND, f"--write-config={path}", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline()) == {"config": str(path)}
            yield process
        finally:
            process.kill()


def test_it_serves_what_its_config_says_and_ends_with_its_input(tmp_path: Path) -> None:
    path = tmp_path / "new" / "farmtui.yaml"
    with child(path, "--fault=galera-node-lost", "--fault=osd-down", "--seed=7") as process:
        config = load_config(path)
        assert config.prometheus is not None
        with urllib.request.urlopen(f"{config.prometheus.url}/api/v1/query?query=sum(mysql_up)") as answer:
            assert json.load(answer)["data"]["result"][0]["value"][1] == "2"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(GUARD_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    with child(tmp_path / "farmtui.yaml") as process:
        process.send_signal(number)
        assert process.wait(GUARD_S) == 0


def test_without_anybody_at_its_input_it_ends() -> None:
    run = told()
    assert run.returncode == 0, run.stderr
    # Its own folder is gone with it.
    assert not Path(json.loads(run.stdout)["config"]).exists()


def test_its_config_is_whole_and_secrets_are_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "farmtui.yaml"
    with child(path, "--nodes=30", "--sites=40"):
        config = load_config(path)
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]
    assert (config.farm.name, config.farm.sites) == ("demo farm", 40)
    assert sum(section.expect or 0 for tier, section in config.tiers.items() if tier.value != "hypervisor") == 30
    assert config.alertmanager is not None
    assert len(config.alertmanager.urls) == 2


def test_an_unknown_fault_is_refused_with_those_that_there_are() -> None:
    run = told("--fault=osd-down", "--fault=nonsense")
    assert run.returncode == 2
    assert "nonsense" in run.stderr
    assert all(name in run.stderr for name in FAULTS)
    assert run.stdout == ""


@pytest.mark.parametrize("option", ["--nodes=3", "--sites=0", "--seed=x", "--nonsense"])
def test_what_cannot_be_is_refused(option: str) -> None:
    run = told(option)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Traceback" not in run.stderr


def test_the_faults_are_listed_one_a_line() -> None:
    run = told("--list-faults")
    assert run.returncode == 0
    assert [line.split("  ")[0].strip() for line in run.stdout.splitlines()] == list(FAULTS)


def test_it_imports_nothing_of_the_console() -> None:
    words = "import farmtui.demo.farm, sys; print([m for m in sys.modules if m.startswith('farmtui.')])"
    run = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert "farmtui.demo.farm" in run.stdout
    assert all(f"'farmtui.{name}" not in run.stdout for name in ("sources", "polling", "insight", "config", "app"))


async def test_the_console_starts_and_stops_it() -> None:
    with running(faults=["pg-inconsistent"], seed=2) as simulation:
        config = await simulation.config()
        assert config.farm.name == "demo farm"
