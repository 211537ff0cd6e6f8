"""Completion in real shells, what it offers, and that it waits for nothing."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from farmtui.cli import app
from farmtui.completing.shells import SHELLS, script
from farmtui.completing.values import FILES, Typed, config_file
from farmtui.completing.words import candidates, split
from farmtui.config import ConfigError, find_config
from farmtui.demo.faults import FAULTS
from screens.console import SCREENS
from tests.cli.run import farmtui

ROOT = get_command(app)
BOOK = """\
title: My own book
risk: 1
inputs:
  worker: {type: text, help: which worker}
  why: {type: text, help: what for}
steps: [{manual: Look.}]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "FARMTUI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def offered(line: str) -> list[str]:
    words = split(line)
    return [one.value for one in candidates(ROOT, words[1:-1], words[-1])]


# -- what is offered ----------------------------------------------------------------------------


def paths(command: Any = ROOT, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is shown, by the words that lead to it."""
    yield above, command
    for name, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield from paths(one, *above, name)


@pytest.mark.parametrize(("words", "command"), [pytest.param(*one, id=" ".join(one[0])) for one in paths()])
def test_every_command_and_every_option_is_offered(words: tuple[str, ...], command: Any) -> None:
    line = " ".join(("farmtui", *words))
    options = {
        name
        for one in command.params
        for name in (*one.opts, *one.secondary_opts)
        if name.startswith("--") and not one.hidden
    }
    assert set(offered(f"{line} --")) == options | {"--help"}
    assert set(getattr(command, "commands", {})) - {"runner"} <= set(offered(f"{line} "))


def test_what_is_hidden_is_not_offered() -> None:
    assert "runner" not in offered("farmtui ")


def test_values_are_offered_where_they_are_wanted(home: Path) -> None:
    assert offered("farmtui demo --fault ") == list(FAULTS)
    assert offered("farmtui demo --fault cache") == ["cache-node-down"]
    assert offered("farmtui demo --fault=cache") == ["--fault=cache-node-down"]
    assert offered("farmtui demo --fault osd-down -f clock") == ["clock-off"]
    assert offered("farmtui -s ") == [entry.name for entry in SCREENS]
    assert {"farm-dark", "farm-16"} <= set(offered("farmtui wall --theme "))
    assert offered("farmtui completion ") == list(SHELLS)
    assert offered("farmtui run varnish-") == ["varnish-restart", "varnish-vcl"]
    assert offered("farmtui --read-only run --plan varnish-r") == ["varnish-restart"]
    assert offered("farmtui run varnish-restart ") == ["node="]
    assert offered("farmtui run varnish-restart node=cache-2 ") == []
    assert offered("farmtui status --config ") == [FILES.value]
    assert offered("farmtui runbooks lint ") == offered("farmtui runbooks lint a.yaml ") == [FILES.value]
    assert offered("farmtui status --deadline ") == [], "a number is the user's own"


def test_an_option_that_was_given_is_not_offered_again() -> None:
    assert "--json" not in offered("farmtui status --json --")
    assert "--fault" in offered("farmtui demo --fault osd-down --"), "unless it may be"


def test_a_quotation_is_one_word() -> None:
    assert split('farmtui run b --reason "child died" no') == ["farmtui", "run", "b", "--reason", "child died", "no"]
    assert split("farmtui run 'va") == ["farmtui", "run", "va"]
    assert split("farmtui") == ["farmtui", ""]
    assert offered('farmtui run --reason "child died" varnish-r') == ["varnish-restart"]


def test_books_and_themes_of_ones_own_are_offered(home: Path) -> None:
    own = home / ".config/farmtui"
    for folder in (own / "runbooks", own / "themes", home / "team"):
        folder.mkdir(parents=True)
    (own / "runbooks/my-own.yaml").write_text(BOOK)
    (own / "themes/night.yaml").write_text("name: night\n")
    (home / "team/shared.yaml").write_text(BOOK)
    (home / "farmtui.yaml").write_text("runbooks: {folders: [team]}\n")
    assert {"my-own", "shared"} <= set(offered("farmtui run "))
    assert "night" in offered("farmtui wall --theme ")
    assert offered("farmtui run shared wor") == ["worker="]
    assert offered("farmtui run shared worker=x ") == ["why="]
    (home / "farmtui.yaml").write_text("runbooks: [\n")
    assert "my-own" in offered("farmtui run "), "a config that is broken hides no book of the user's folder"


def test_runs_are_offered_those_that_go_on_first(home: Path) -> None:
    from tests.cli.test_runs import HELLO, runners

    books = home / ".config/farmtui/runbooks"
    books.mkdir(parents=True)
    (books / "hello-1.yaml").write_text(HELLO.format(risk=1))
    (home / "farmtui.yaml").write_text("farm: {name: x}\n")
    assert offered("farmtui attach ") == []
    try:
        assert farmtui("run", "hello-1", "word=anna", "--confirm", "hello-1", home=home).code == 3
        [run] = offered("farmtui attach ")
        assert run.startswith("hello-1-")
        assert offered(f"farmtui cancel {run[:9]}") == [run]
        assert farmtui("cancel", run, home=home).code == 0
        farmtui("attach", run, home=home)
        assert offered("farmtui attach ") == [run], "where none goes on, those that have ended"
    finally:
        for process in runners(home):
            process.kill()
            process.wait(10)
    (home / "farmtui.yaml").write_text("journal: {url: 'postgresql://127.0.0.1:1/x'}\n")
    assert offered("farmtui attach ") == [], "a server is not asked"


def test_the_config_is_the_one_that_the_command_would_take(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError):
        find_config(None)
    assert config_file(Typed()) is None
    users = home / ".config/farmtui/config.yaml"
    users.parent.mkdir(parents=True)
    for path in (users, Path("farmtui.yaml"), home / "mine.yaml"):
        path.write_text("")
        if path.name == "mine.yaml":
            monkeypatch.setenv("FARMTUI_CONFIG", str(path))
        assert config_file(Typed()) == find_config(None) == path
    assert config_file(Typed().with_option("config", str(users))) == find_config(users)


@pytest.mark.parametrize("line", ["farmtui ", "farmtui run v", "farmtui -s ", "farmtui demo -f ", "farmtui attach "])
def test_nothing_heavy_is_loaded_and_no_socket(line: str, home: Path) -> None:
    (home / "farmtui.yaml").write_text("farm: {name: x}\n")
    done = farmtui("__complete", line, home=home, python=("-X", "importtime"))
    loaded = {name.partition(".")[0] for name in re.findall(r"\| +([\w.]+)$", done.err, re.MULTILINE)}
    assert done.code == 0
    assert loaded & {"pydantic", "textual", "rich", "sqlalchemy", "asyncio", "aiohttp", "socket", "requests"} == set()


# -- in real shells -----------------------------------------------------------------------------


@pytest.fixture
def command(home: Path) -> Path:
    """A `farmtui` on the path of a shell."""
    folder = home / "bin"
    folder.mkdir()
    program = folder / "farmtui"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m farmtui "$@"\n')
    program.chmod(0o755)
    (home / "notes.yaml").write_text("")
    (home / "script").write_text(farmtui("completion", "bash", home=home).out)
    return program


class Shell:
    """An interactive shell on a pty."""

    def __init__(self, words: list[str], home: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = {"HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ ",
                       "LC_ALL": "C.UTF-8"}  # fmt: skip
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=home, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str, until: str) -> str:
        """Type, and give what is printed until a pattern is in it."""
        os.write(self._ours, text.encode())
        self.seen, ends_at = "", time.monotonic() + 60
        while not re.search(until, self.seen):
            assert time.monotonic() < ends_at, self.seen
            if select.select([self._ours], [], [], 1.0)[0]:
                self.seen += os.read(self._ours, 65536).decode(errors="replace")
        return self.seen

    def close(self) -> None:
        """Hang up."""
        self._process.kill()
        self._process.wait(10)
        os.close(self._ours)


@pytest.fixture
def shell(request: pytest.FixtureRequest, command: Path, home: Path) -> Iterator[Shell]:
    name, *options = request.param
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name} here")
    (home / "script").write_text(script(name))
    one = Shell([name, *options], home)
    yield one
    one.close()


@pytest.mark.parametrize("shell", [("bash", "--norc", "--noprofile", "-i")], indirect=True, ids=["bash"])
def test_bash_completes(shell: Shell, home: Path) -> None:
    shell.type("bind 'set show-all-if-ambiguous on'; bind 'set enable-bracketed-paste off'; . ./script; echo re''ady\n",
               r"ready")  # fmt: skip
    shell.type("farmtui stat\t", "farmtui status ")
    shell.type("\x15farmtui run varn\t", "varnish-restart +varnish-vcl")
    shell.type("\x15farmtui run varnish-re\tno\t", r"varnish-restart node=")
    shell.type("cache-2 --pl\t", "cache-2 --plan ")
    shell.type("\x15farmtui demo --fault=osd\t", "--fault=osd-down ")
    shell.type("\x15farmtui status --config no\t", "notes.yaml ")
    shell.type("\x15echo x | farmtui stat\t", "farmtui status ")


@pytest.mark.parametrize("shell", [("zsh", "-f", "-i")], indirect=True, ids=["zsh"])
def test_zsh_completes(shell: Shell, home: Path) -> None:
    shell.type("autoload -U compinit; compinit -u -D; unsetopt zle_bracketed_paste 2>/dev/null; . ./script;"
               " echo re''ady\n", r"ready")  # fmt: skip
    shell.type("farmtui stat\t", "farmtui stat.*us ")
    shell.type("\x15farmtui run varn\t\t", "(?s)varnish-restart +-- Restart Varnish on one cache node.*varnish-vcl")
    shell.type("\x15farmtui demo --fault osd\t", "-down ")
    shell.type("\x15farmtui status --config no\t", "tes.yaml ")


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
def test_fish_completes(command: Path, home: Path) -> None:
    def asked(line: str) -> list[str]:
        (home / "script").write_text(script("fish"))
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source ./script; complete -C '{line}'"], cwd=home, check=True, text=True,
            capture_output=True, env={"HOME": str(home), "PATH": f"{command.parent}:{os.environ['PATH']}"}, timeout=90,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert asked("farmtui stat") == ["status\tTell the farm's health once"]
    assert [line.partition("\t")[0] for line in asked("farmtui run varnish-")] == ["varnish-restart", "varnish-vcl"]
    assert asked("farmtui run varnish-restart ") == ["node=\tthe cache node"]
    assert asked("farmtui status --config no") == ["notes.yaml"]


def test_the_scripts_are_what_the_command_prints(home: Path) -> None:
    for name in SHELLS:
        done = farmtui("completion", name, home=home)
        assert (done.code, done.out, done.err) == (0, script(name), "")
    assert "bash, zsh, fish" in farmtui("completion", "tcsh", home=home).err
