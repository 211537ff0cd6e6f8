"""A secret planted in every place where somebody or something could say it: it is found in none of the outputs."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.run import Ended, farmtui
from tests.cli.test_runs import runners

SECRET = "Zq7-planted/secret+9"
BOOK = """\
title: Say it
risk: 1
inputs:
  word: {type: text, pattern: '.*'}
steps:
  - name: Print it
    local: {argv: [sh, -c, 'cat "$1"; cat "$1" >&2; echo half; exit 3', x, KEPT]}
    undo:
      local: {argv: [cat, KEPT]}
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose config has the secret by reference, and a file outside of it that holds it."""
    home, kept = tmp_path / "home", tmp_path / "kept"
    kept.write_text(f"{SECRET}\n")
    books = home / ".config/farmtui/runbooks"
    books.mkdir(parents=True)
    (books / "say.yaml").write_text(BOOK.replace("KEPT", str(kept)))
    (home / "farmtui.yaml").write_text(
        f"farm: {{name: test}}\nalertmanager:\n  urls: ['http://127.0.0.1:9']\n  auth: {{bearer: 'file:{kept}'}}\n"
    )
    yield home
    for process in runners(home):
        process.kill()
        process.wait(10)


def test_it_is_found_nowhere(home: Path) -> None:
    said: list[Ended] = []

    def ran(*words: str) -> Ended:
        said.append(farmtui(*words, home=home))
        return said[-1]

    # What a person says: a reason, and an input, of which the plan would be made.
    assert "a secret is among what it would do" in ran("run", "say", f"word={SECRET}", "--confirm", "say").err
    ran("run", "say", f"word={SECRET}", "--plan", "--json")
    begun = ran("run", "say", "word=x", "--confirm", "say", "--reason", f"the token is {SECRET}")
    run = next(line.split()[1] for line in begun.out.splitlines() if line.startswith("run say"))
    # What a command prints, on both of its streams; and what comes of it.
    assert "[print-it] | •••" in begun.out
    assert "[print-it] ! •••" in begun.out
    ran("pause", run, "--reason", SECRET)
    ran("resume", run)
    ran("answer", run, "again", "--note", f"seen: {SECRET}")
    ran("answer", run, SECRET)
    ran("cancel", run, "--undo", "--reason", f"no more {SECRET}")
    ran("attach", run)
    ran("attach", SECRET)
    ran("run", "say", "word=x", f"{SECRET}=x", "--confirm", "say")
    reading = ["runs --all", "runs --all --json", "journal show", "journal export", "runbooks list", "config show"]
    for words in (*map(str.split, reading), ["journal", "show", "--user", SECRET], ["status"]):
        ran(*words)
    assert ran("journal", "verify").code == 0, "what is written is what is proved"

    asked = (f"there is no run '{SECRET}'", f"{SECRET}: there is no such input")
    for ended in said:
        told = ended.out + ended.err
        for echo in asked:
            # What was typed at this very prompt may be said back there.
            told = told.replace(echo, "")
        assert SECRET not in told
        assert json.dumps(SECRET)[1:-1] not in told
        assert "Traceback" not in told
    everything = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert any(path.name.startswith("journal.db") for path in everything)
    holding = [path for path, content in everything.items() if SECRET.encode() in content]
    # What a command has printed stays where it ran, for who comes to follow it: for its user alone, and for 14 days.
    assert {path.parent.parent for path in holding} == {home / ".cache/farmtui/steps"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}
