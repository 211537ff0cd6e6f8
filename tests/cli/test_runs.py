"""Runbooks, runs and the journal on the command line: what the screens do, with processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tests.cli.run import Ended, farmtui
from tests.cli.servers import serving

HELLO = """\
title: Say hello
risk: {risk}
inputs:
  word: {{type: text, pattern: '[a-z]+'}}
steps:
  - name: Greet
    local: {{argv: [sh, -c, 'echo "hello $1"', x, '{{{{ word }}}}']}}
  - name: Look
    manual: Look at {{{{ word }}}}.
  - name: Bye
    local: {{argv: [echo, bye]}}
"""
OK, FAILED, REFUSED, WAITING = 0, 1, 2, 3


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A user's home with a config, three books, and no runner left behind."""
    books = tmp_path / ".config/farmtui/runbooks"
    books.mkdir(parents=True)
    for risk in (1, 2, 3):
        (books / f"hello-{risk}.yaml").write_text(HELLO.format(risk=risk))
    (tmp_path / "farmtui.yaml").write_text("farm: {name: test}\n")
    yield tmp_path
    for process in runners(tmp_path):
        # One that has nothing to do ends by itself, and may do so now.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
            process.wait(10)


def runners(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if words[-1:] == ["runner"] and str(home / "farmtui.yaml") in words:
            found.append(process)
    return found


def started(home: Path, *more: str) -> tuple[Ended, str]:
    ended = farmtui("run", *more, home=home)
    line = next(line for line in ended.out.splitlines() if line.startswith("run "))
    return ended, line.split()[1]


def test_a_plan_is_printed_and_nothing_is_done(home: Path) -> None:
    ended = farmtui("run", "hello-2", "word=anna", "--plan", home=home)
    assert ended.code == OK
    assert "here: sh -c 'echo \"hello $1\"' x anna" in ended.out
    assert "no run is under way" in farmtui("runs", "--all", home=home).out
    as_json = json.loads(farmtui("run", "hello-2", "word=anna", "--plan", "--json", home=home).out)
    assert as_json["hash"] in ended.out


def test_a_run_from_the_plan_to_its_end_in_three_terminals(home: Path) -> None:
    first, run = started(home, "hello-2", "word=anna", "--confirm", "hello-2", "--reason", "a try")
    assert first.code == WAITING
    assert "because: a try" in first.out
    assert "[greet] | hello anna" in first.out
    assert "QUESTION: Look at anna." in first.out
    listed = json.loads(farmtui("runs", "--json", home=home).out)
    assert [(one["run"], one["state"]) for one in listed] == [(run, "waits for an answer")]
    assert farmtui("answer", run, "maybe", home=home).code == REFUSED
    assert farmtui("answer", run, "done", "--note", "it is there", home=home).code == OK
    last = farmtui("attach", run[:12], home=home)
    assert last.code == OK
    assert "(it is there)" in last.out
    assert last.out.index("hello anna") < last.out.index("| bye") < last.out.index("ENDED: ok")
    assert farmtui("journal", "verify", home=home).code == OK
    assert "no run is under way" in farmtui("runs", home=home).out


def test_the_runner_is_killed_and_the_run_is_finished_from_another_terminal(home: Path) -> None:
    _, run = started(home, "hello-1", "word=anna", "--confirm", "hello-1")
    [runner] = runners(home)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait(10)
    assert farmtui("answer", run, "done", home=home).code == OK
    last = farmtui("attach", run, home=home)
    assert last.code == OK, last.out + last.err
    assert last.out.count("hello anna") == 1


def test_who_attaches_to_a_run_whose_runner_is_gone_starts_one(home: Path) -> None:
    book = home / ".config/farmtui/runbooks/slow.yaml"
    pid = home / "pid"
    book.write_text(
        "title: Take long\nrisk: 1\nsteps:\n  - name: Wait\n    idempotent: true\n"
        f"    local: {{argv: [sh, -c, 'test -e {pid} || {{ echo $$ > {pid}; sleep 60; }}; echo waited']}}\n"
    )
    ended, run = started(home, "slow", "--confirm", "slow", "--detach")
    assert ended.code == OK
    while not pid.exists() or not pid.read_text().strip():
        time.sleep(0.05)
    [runner] = runners(home)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait(10)
    attached = farmtui("attach", run, home=home)
    assert attached.code == OK, attached.out + attached.err
    assert "one is started" in attached.err
    assert "waited" in attached.out
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(pid.read_text())).kill()


def test_a_run_is_confirmed_by_its_target_s_name_and_not_left_behind(home: Path) -> None:
    ended = farmtui("run", "hello-2", "word=anna", home=home)
    assert ended.code == REFUSED
    assert "type the target's name: hello-2" in ended.err
    assert runners(home) == []


def test_risk_3_waits_for_another_user(home: Path) -> None:
    ended, run = started(home, "hello-3", "word=anna", "--confirm", "hello-3")
    assert ended.code == WAITING
    assert "waits for a second person's approval" in ended.out
    mine = farmtui("approve", run, home=home)
    assert mine.code == REFUSED
    assert "nobody approves their own run" in mine.err
    assert farmtui("cancel", run, "--reason", "never mind", home=home).code == OK
    assert "cancelled" in farmtui("attach", run, home=home).out


def test_a_run_that_nobody_approved_in_time_is_over(home: Path) -> None:
    _, run = started(home, "hello-3", "word=anna", "--confirm", "hello-3")
    for process in runners(home):
        process.kill()
        process.wait(10)
    [path] = home.rglob("journal.db")
    with sqlite3.connect(path) as database:
        # As if all of it had been said long ago.
        database.execute("update farmtui_entry set at = '2020' || substr(at, 5)")
    database.close()
    [row] = json.loads(farmtui("runs", "--json", home=home).out)
    assert (row["run"], row["state"]) == (run, "expired")
    ended = farmtui("attach", run, home=home)
    assert (ended.code, "expired: nobody has approved it within 60 min" in ended.out) == (FAILED, True)


def test_the_glass_is_broken(home: Path) -> None:
    told = home / "told"
    (home / "farmtui.yaml").write_text(f"runbooks: {{announce: {{command: [dd, of={told}]}}}}\n")
    ended, run = started(home, "hello-3", "word=anna", "--confirm", "hello-3", "--break-glass", "alone at night")
    assert "GLASS BROKEN, without a second person: alone at night" in ended.out
    assert "announced: the command dd has taken it" in ended.out
    assert told.read_text().startswith("BREAK-GLASS on farm: ")
    assert f"Run {run}, from " in told.read_text()
    assert "GLASS BROKEN, without a second person: alone at night" in farmtui("runs", home=home).out
    assert "[greet] | hello anna" in ended.out


def test_who_is_no_operator_and_a_farm_that_is_read_only(home: Path) -> None:
    (home / "farmtui.yaml").write_text("roles: {operators: [nobody-here]}\n")
    ended = farmtui("run", "hello-1", "word=anna", "--confirm", "hello-1", home=home)
    assert ended.code == REFUSED
    assert "is no operator (roles.operators in the config); nothing was done" in ended.err
    (home / "farmtui.yaml").write_text("farm: {read_only: true}\n")
    ended = farmtui("run", "hello-1", "word=anna", "--confirm", "hello-1", home=home)
    assert ended.code == REFUSED
    assert "read-only" in ended.err


def test_books_are_listed_shown_and_checked(home: Path) -> None:
    books = home / ".config/farmtui/runbooks"
    (books / "bad.yaml").write_text("title: x\nrisk: 9\n")
    listed = farmtui("runbooks", "list", home=home)
    assert listed.code == FAILED
    assert "varnish-restart" in listed.out
    assert f"{books / 'bad.yaml'}:2: risk" in listed.out
    assert farmtui("runbooks", "lint", books / "bad.yaml", home=home).code == FAILED
    assert farmtui("runbooks", "lint", books / "hello-1.yaml", home=home).code == OK
    hello = books / "hello-2.yaml"
    unwise = farmtui("runbooks", "lint", hello, home=home)
    assert (unwise.code, f"{hello}:6: warning: steps.0: nothing says whether it" in unwise.out) == (OK, True)
    assert farmtui("runbooks", "lint", hello, "--strict", home=home).code == FAILED
    assert farmtui("runbooks", "lint", books / "hello-1.yaml", "--strict", home=home).code == OK
    assert "there is no Prometheus in the config" in farmtui("runbooks", "lint", hello, "--live", home=home).err
    assert "is no sample" in farmtui("runbooks", "lint", hello, "--against", hello, home=home).err
    assert json.loads(farmtui("runbooks", "schema", home=home).out)["title"] == "farmtui runbook"
    assert farmtui("runbooks", "show", "hello-1", home=home).out == HELLO.format(risk=1)
    assert "there is no runbook 'x'; there are" in farmtui("runbooks", "show", "x", home=home).err
    assert json.loads(farmtui("runbooks", "list", "--json", home=home).out)["broken"][0]["name"] == "bad"


def test_a_request_s_secret_reaches_neither_the_terminal_nor_the_journal(home: Path) -> None:
    secret = "s3cr3t/of the request"
    heard: list[str] = []

    def answer(path: str, _: dict[str, str]) -> tuple[int, bytes]:
        heard.append(path)
        return 200, f"you said {secret}".encode()

    with serving(answer) as url:
        (home / ".config/farmtui/runbooks/tell.yaml").write_text(
            f"title: Tell\nrisk: 1\nsteps:\n  - name: Tell\n    http: {{url: '{url}/x', method: POST, auth: {{bearer: "
            "env:THE_SECRET}, headers: {X-Token: 'env:THE_SECRET'}, json: {token: 'env:THE_SECRET'}}\n"
        )
        ended = farmtui("run", "tell", "--confirm", "tell", home=home, environ={"THE_SECRET": secret})
    assert ended.code == OK, ended.out + ended.err
    assert "[tell] | you said •••" in ended.out
    assert "ENDED: ok" in ended.out
    assert heard == ["/x"]
    assert secret not in ended.out + ended.err
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"env:THE_SECRET" in kept
    assert secret.encode() not in kept
    assert b"s3cr3t" not in kept


def test_a_journal_that_was_tampered_with_is_found_out(home: Path) -> None:
    farmtui("run", "hello-2", "word=anna", home=home)
    assert farmtui("journal", "verify", home=home).code == OK
    [path] = home.rglob("journal.db")
    with sqlite3.connect(path) as database:
        database.execute("update farmtui_entry set who = 'somebody' where seq = 1")
    database.close()
    ended = farmtui("journal", "verify", home=home)
    assert ended.code == FAILED
    assert "BROKEN at entry 1" in ended.out


def test_a_shortened_journal_is_found_out_by_who_has_seen_it(home: Path) -> None:
    farmtui("run", "hello-2", "word=anna", home=home)
    assert farmtui("journal", "verify", home=home).code == OK
    [path] = home.rglob("journal.db")
    with sqlite3.connect(path) as database:
        [(digest,)] = database.execute("select hash from farmtui_entry where seq = 1").fetchall()
        database.execute("delete from farmtui_entry where seq > 1")
        database.execute("update farmtui_head set seq = 1, hash = ?", (digest,))
    database.close()
    ended = farmtui("journal", "verify", home=home)
    assert ended.code == FAILED
    assert "this machine has seen" in ended.out


def test_the_journal_is_shown_filtered_and_exported(home: Path) -> None:
    farmtui("run", "hello-2", "word=anna", "--reason", "first", home=home)
    time.sleep(0.01)
    farmtui("run", "hello-1", "word=bert", "--reason", "second", home=home)
    both = farmtui("journal", "show", home=home).out
    assert "because: first" in both
    assert "because: second" in both
    one = farmtui("journal", "show", "--target", "hello-1", home=home).out
    assert "because: first" not in one
    assert "because: second" in one
    assert farmtui("journal", "show", "--user", "nobody", home=home).out == ""
    assert farmtui("journal", "show", "--since", "2999-01-01", home=home).out == ""
    assert "is not a time" in farmtui("journal", "show", "--since", "yesterday", home=home).err
    rows = [json.loads(line) for line in farmtui("journal", "export", home=home).out.splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(later["previous"] == row["hash"] for row, later in pairwise(rows))


@pytest.mark.parametrize("arguments", [("attach", "x"), ("cancel", "x"), ("answer", "x", "done"), ("approve", "x")])
def test_a_run_that_there_is_not(home: Path, arguments: tuple[str, ...]) -> None:
    ended = farmtui(*arguments, home=home)
    assert ended.code == REFUSED
    assert "there is no run 'x'; see: farmtui runs --all" in ended.err
