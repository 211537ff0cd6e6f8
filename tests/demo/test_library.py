"""The library's books on the simulated farm: run from the command line over real SSH, they mend what they should."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farmtui.runbooks.loading import LIBRARY
from tests.cli.run import farmtui
from tests.cli.test_runs import runners

OK, WAITING = 0, 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose config leads to a simulated farm with an OSD that is down and a service whose tasks crash."""
    folder = tmp_path_factory.mktemp("library")
    command = [sys.executable, "-m", "farmtui.demo", f"--write-config={folder / 'farmtui.yaml'}", "--fault=osd-down"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as farm:
        ends_at = time.monotonic() + 60
        while not (folder / "farmtui.yaml").exists():
            assert farm.poll() is None
            assert time.monotonic() < ends_at
            time.sleep(0.05)
        yield folder
        for runner in runners(folder):
            runner.kill()
            runner.wait(10)
        assert farm.stdin is not None
        farm.stdin.close()
        farm.wait(20)


def run(home: Path, book: str, confirm: str, *inputs: str) -> str:
    """Run a book to its end; gives what it said."""
    ended = farmtui("run", book, *inputs, "--confirm", confirm, "--reason", "test", home=home)
    assert ended.code == OK, ended.out + ended.err
    return ended.out


def answered(home: Path, book: str, confirm: str, *inputs: str) -> str:
    """Run a book that asks for a person's work, and say that it is done."""
    ended = farmtui("run", book, *inputs, "--confirm", confirm, home=home)
    assert ended.code == WAITING, ended.out + ended.err
    ident = next(line.split()[1] for line in ended.out.splitlines() if line.startswith(f"run {book}"))
    assert farmtui("answer", ident, "done", home=home).code == OK
    last = farmtui("attach", ident, home=home)
    assert last.code == OK, last.out
    return last.out


def parts(home: Path) -> dict[str, str]:
    told = json.loads(farmtui("status", "--json", home=home).out)
    return {part["name"]: part["summary"] for part in told["components"]}


def service(home: Path) -> str:
    """The name of a replicated service."""
    ended = farmtui("run", "swarm-scale", "manager=mgr-1", "service=?", "replicas=3", "--plan", home=home)
    return next(word.rstrip(",") for word in ended.err.split() if word.startswith("wp_"))


def test_an_osd_is_started_and_taken_in(home: Path) -> None:
    assert "11 of 12 OSDs up" in parts(home)["storage"]
    told = run(home, "ceph-osd-return", "osd.5", "osd=osd.5")
    assert "it is up: 1 (== 1)" in told
    assert "12 of 12 OSDs up" in parts(home)["storage"]


def test_a_service_is_scaled_and_its_tasks_started_anew(home: Path) -> None:
    name = service(home)
    run(home, "swarm-scale", name, "manager=mgr-2", f"service={name}", "replicas=4")
    plan = json.loads(
        farmtui("run", "swarm-force-update", "manager=mgr-1", f"service={name}", "--plan", "--json", home=home).out
    )
    assert f"service {name}" in {one["what"] for one in plan["blast"]}
    assert "of 4 tasks run" in next(one["text"] for one in plan["blast"] if one["what"] == f"service {name}")
    run(home, "swarm-force-update", name, "manager=mgr-1", f"service={name}")


def test_a_worker_is_drained_worked_on_and_returned(home: Path) -> None:
    told = answered(home, "swarm-drain", "worker-05", "manager=mgr-1", "node=worker-05")
    assert "Do what is to be done on worker-05 now." in told


def test_varnish_and_mariadb_are_restarted(home: Path) -> None:
    assert "it answers requests" in run(home, "varnish-restart", "cache-2", "node=cache-2")
    assert "it is synced: 4 (== 4)" in run(home, "galera-restart", "db-2", "node=db-2")


def test_a_guest_is_restarted_by_proxmox_ve(home: Path) -> None:
    assert "the task ended with: OK" in run(home, "guest-restart", "worker-07", "guest=worker-07")


def test_a_droplet_is_switched_off_and_on_and_kept_as_a_snapshot(home: Path) -> None:
    told = run(home, "do-power-cycle", "cache-3", "droplet=cache-3")
    assert "its exporters answer: 1 (== 1)" in told
    assert "is completed" in told
    assert "is completed" in run(home, "do-snapshot", "cache-1", "droplet=cache-1", "name=before-work")


def test_an_alert_is_silenced_and_says_by_which_run(home: Path) -> None:
    assert "[silence-it] ok: silence" in run(home, "silence", "x", "alert=SomethingElse", "why=a test")


def test_the_library_s_queries_are_tried_at_prometheus(home: Path) -> None:
    books = [
        path for path in LIBRARY.glob("*.yaml") if path.stem in ("do-power-cycle", "varnish-restart", "ceph-osd-out")
    ]
    assert farmtui("runbooks", "lint", *books, "--live", "--strict", home=home).out == ""
    wrong = (
        (LIBRARY / "varnish-restart.yaml")
        .read_text()
        .replace("varnish_up", "varnish_upp")
        .replace("sum(rate", "sum(rat")
    )
    (home / "wrong.yaml").write_text(wrong.replace("Varnish*", "Varnihs*"))
    told = farmtui("runbooks", "lint", home / "wrong.yaml", "--live", "--with", "node=cache-2", home=home)
    assert told.code == OK
    assert "no rule raises an alert 'Varnihs*'" in told.out
    assert "gives no data now: max(varnish_upp" in told.out
    assert "verify.0.promql: " in told.out


def test_every_book_of_the_library_can_be_planned(home: Path) -> None:
    inputs = {
        "ceph-noout": ["node=stor-1"],
        "ceph-osd-out": ["osd=osd.3"],
        "ceph-osd-restart": ["osd=osd.3"],
        "ceph-osd-return": ["osd=osd.5"],
        "ceph-pg-repair": ["node=stor-1", "pg=3.1f"],
        "do-power-cycle": ["droplet=cache-1"],
        "do-snapshot": ["droplet=cache-1", "name=before-work"],
        "galera-restart": ["node=db-1"],
        "guest-restart": ["guest=worker-01"],
        "silence": ["alert=X", "why=a test"],
        "swarm-drain": ["manager=mgr-1", "node=worker-01"],
        "swarm-force-update": ["manager=mgr-1", f"service={service(home)}"],
        "swarm-scale": ["manager=mgr-1", f"service={service(home)}", "replicas=3"],
        "varnish-restart": ["node=cache-1"],
    }
    assert {path.stem for path in LIBRARY.glob("*.yaml")} == set(inputs)
    for book, given in inputs.items():
        ended = farmtui("run", book, *given, "--plan", home=home)
        assert "hash" in ended.out, f"{book}: {ended.out}{ended.err}"
