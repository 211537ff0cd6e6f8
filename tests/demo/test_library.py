"""The library on the simulated farm: some books from the command line, as a user runs them, and what all must be.

The other files of this name run every book to its end.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from farmtui import demo
from farmtui.runbooks.loading import LIBRARY, shelf
from tests.cli.run import farmtui
from tests.cli.test_runs import runners

OK, WAITING = 0, 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose config leads to a simulated farm with an OSD that is down."""
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


def test_a_service_s_plan_tells_what_hangs_on_it(home: Path) -> None:
    name = service(home)
    plan = json.loads(
        farmtui("run", "swarm-force-update", "manager=mgr-1", f"service={name}", "--plan", "--json", home=home).out
    )
    assert f"service {name}" in {one["what"] for one in plan["blast"]}
    assert "of 2 tasks run" in next(one["text"] for one in plan["blast"] if one["what"] == f"service {name}")


def test_a_worker_is_drained_worked_on_and_returned(home: Path) -> None:
    told = answered(home, "swarm-drain", "worker-05", "manager=mgr-1", "node=worker-05")
    assert "Do what is to be done on worker-05 now." in told


# -- the library as a whole


def run_to_their_end() -> set[str]:
    """The books that the tests beside this one run to their end: `farm.run` sees to that, and `farm.ended`."""
    found: set[str] = set()
    for path in Path(__file__).parent.glob("test_library_*.py"):
        for test in ast.parse(path.read_text(encoding="utf-8")).body:
            calls = [
                (node.func.attr, node.args)
                for node in ast.walk(test)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            ]
            wanted = ("run", "begun") if any(name == "ended" for name, _ in calls) else ("run",)
            found |= {
                str(arguments[0].value)
                for name, arguments in calls
                if name in wanted and arguments and isinstance(arguments[0], ast.Constant)
            }
    return found


def test_the_library_s_queries_are_tried_at_prometheus(home: Path) -> None:
    books = [path for path in LIBRARY.glob("*.yaml") if path.stem in ("do-power-cycle", "ceph-osd-out")]
    assert farmtui("runbooks", "lint", *books, "--live", "--strict", home=home).out == ""
    wrong = (
        (LIBRARY / "varnish-restart.yaml")
        .read_text()
        .replace("varnish_up", "varnish_upp")
        .replace("sum(rate", "sum(rat")
    )
    (home / "wrong.yaml").write_text(wrong.replace("VarnishChild*", "VarnihsChild*"))
    told = farmtui("runbooks", "lint", home / "wrong.yaml", "--live", "--with", "node=cache-2", home=home)
    assert told.code == OK
    assert "no rule raises an alert 'VarnihsChild*'" in told.out
    assert "gives no data now: max(varnish_upp" in told.out
    assert "verify.0.promql: " in told.out


def test_every_book_is_run_to_its_end_by_a_test() -> None:
    assert run_to_their_end() == {path.stem for path in LIBRARY.glob("*.yaml")}


def test_every_alert_of_the_farm_is_offered_a_book() -> None:
    groups = yaml.safe_load((Path(demo.__file__).parent / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    # An alert of severity none tells that all is well.
    names = {rule["alert"] for group in groups for rule in group["rules"] if rule["labels"]["severity"] != "none"}
    assert "CephOsdDown" in names
    patterns = [pattern for one in shelf([]).books.values() for pattern in one.book.alerts]
    assert {name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)} == set()


def test_the_document_tells_of_every_book_and_of_one_for_every_fault() -> None:
    docs = Path(__file__).parents[2] / "docs"
    told = (docs / "runbooks.md").read_text(encoding="utf-8")
    for name, one in shelf([]).books.items():
        assert f"| `{name}` | {one.book.risk} | {one.book.title} |" in told
    rows = [line for line in (docs / "demo.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    last = [set(re.findall(r"`([^`]+)`", row.split("|")[-2])) for row in rows]
    assert all(books and books <= set(shelf([]).books) for books in last)


def test_a_book_that_another_names_is_there() -> None:
    """What an `about` names as the book to take is one: a word with a dash that begins as some book does."""
    names = {path.stem for path in LIBRARY.glob("*.yaml")}
    kinds = {name.partition("-")[0] for name in names}
    known = {"droplet-action", "redis-cli"}
    for path in LIBRARY.glob("*.yaml"):
        told = re.findall(r"[a-z]+(?:-[a-z0-9]+)+", shelf([]).books[path.stem].book.about)
        wrong = {word for word in told if word.partition("-")[0] in kinds} - names - known
        assert wrong == set(), f"{path.name} names {wrong}"
