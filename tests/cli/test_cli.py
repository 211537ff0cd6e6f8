"""The command line: what it says, where, and with which exit code."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from farmtui.config import schema
from tests.cli.run import farmtui

COMMANDS = [
    (),
    ("demo",),
    ("status",),
    ("cost",),
    ("init",),
    ("check",),
    ("config",),
    ("config", "schema"),
    ("config", "show"),
    ("config", "keys"),
    ("config", "path"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_its_help(command: tuple[str, ...], tmp_path: Path) -> None:
    done = farmtui(*command, "--help", home=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "Usage: farmtui" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 80


def test_the_version(tmp_path: Path) -> None:
    assert farmtui("--version", home=tmp_path).out == f"farmtui {version('farmtui')}\n"


def test_without_a_config_it_says_where_it_looked_and_what_else_there_is(tmp_path: Path) -> None:
    for command, code in ((("status",), 3), (("check",), 2), (("config", "path"), 2)):
        done = farmtui(*command, home=tmp_path)
        assert (done.code, done.out) == (code, "")
        assert "farmtui.yaml" in done.err
        assert str(tmp_path) in done.err
        assert "farmtui init" in done.err
        assert "farmtui demo" in done.err
        assert "Traceback" not in done.err


def test_a_wrong_config_is_told_by_line_and_key(tmp_path: Path) -> None:
    wrong = tmp_path / "farmtui.yaml"
    wrong.write_text("farm:\n  naem: x\nprometheus: {}\n")
    for command, code in ((("status",), 3), (("status", "--json"), 3), (("check",), 2), (("config", "show"), 2)):
        done = farmtui(*command, home=tmp_path)
        assert (done.code, done.out) == (code, "")
        assert done.err.splitlines() == [
            "farmtui.yaml:2: farm.naem: is not a key farmtui knows; did you mean name?",
            "farmtui.yaml:3: prometheus.url: is missing",
        ]


def test_a_wrong_command_line_ends_with_2(tmp_path: Path) -> None:
    for command in (("statsu",), ("status", "--jsn"), ("status", "--deadline", "0")):
        done = farmtui(*command, home=tmp_path)
        assert done.code == 2
        assert "Usage:" in done.err
    assert "Did you mean 'status'" in farmtui("statsu", home=tmp_path).err


@pytest.mark.parametrize("command", [(), ("demo",)], ids=["console", "demo"])
def test_without_a_terminal_the_console_points_to_status(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text("farm: {name: x}\n")
    done = farmtui(*command, home=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "needs a terminal" in done.err
    assert "farmtui status" in done.err


def test_config_schema_is_the_schema(tmp_path: Path) -> None:
    assert json.loads(farmtui("config", "schema", home=tmp_path).out) == schema()


def test_config_path_takes_the_first_that_there_is(tmp_path: Path) -> None:
    users = tmp_path / ".config" / "farmtui" / "config.yaml"
    users.parent.mkdir(parents=True)
    users.write_text("farm: {name: users}\n")
    mine = tmp_path / "mine.yaml"
    mine.write_text("farm: {name: mine}\n")
    assert farmtui("config", "path", home=tmp_path).out == f"{users}\n"
    (tmp_path / "farmtui.yaml").write_text("farm: {name: here}\n")
    assert farmtui("config", "path", home=tmp_path).out == "farmtui.yaml\n"
    by_environment = {"FARMTUI_CONFIG": str(mine)}
    assert farmtui("config", "path", home=tmp_path, environ=by_environment).out == f"{mine}\n"
    # --config may stand before the command and after it, and wins over all.
    for command in (("--config", users, "config", "path"), ("config", "path", "--config", users)):
        assert farmtui(*command, home=tmp_path, environ=by_environment).out == f"{users}\n"


def test_config_show_shows_references_and_never_values(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text(
        "prometheus: {url: 'http://p:9090', auth: {bearer: 'env:TOKEN'}, headers: {X-Auth: swordfish}}\n"
    )
    done = farmtui("config", "show", home=tmp_path, environ={"TOKEN": "hunter2hunter2"})
    assert done.code == 0
    assert "bearer: env:TOKEN" in done.out
    assert "interval_s: 15.0" in done.out
    assert "hunter2" not in done.out
    assert "swordfish" not in done.out


def test_config_keys_lists_the_ids_and_refuses_conflicts(tmp_path: Path) -> None:
    done = farmtui("config", "keys", home=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "faults" in done.out
    assert "ctrl+z" in done.out
    (tmp_path / "farmtui.yaml").write_text("ui: {keys: {faults: f5}}\n")
    assert "f5" in farmtui("config", "keys", home=tmp_path).out
    (tmp_path / "farmtui.yaml").write_text("ui: {keys: {faults: f5, refresh: f5, nothing: f6}}\n")
    done = farmtui("config", "keys", home=tmp_path)
    assert done.code == 2
    assert "ui.keys.refresh: 'f5' is the key of faults (everywhere)" in done.err
    assert "ui.keys.nothing: is not a command" in done.err


def test_a_farm_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "farmtui" / "farms"
    folder.mkdir(parents=True)
    (folder / "shop.yaml").write_text("farm: {name: the-shop}\n")
    command: tuple[str, ...]
    for command in (("--farm", "shop", "config", "show"), ("config", "show", "--farm", "shop")):
        done = farmtui(*command, home=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert "the-shop" in done.out
    for command, code in (
        (("status", "--farm", "shpo"), 3),
        (("--farm", "shpo", "status"), 3),
        (("check", "-F", "x"), 2),
    ):
        done = farmtui(*command, home=tmp_path)
        assert (done.code, done.out) == (code, "")
        assert "there is no farm" in done.err
    assert "did you mean shop?" in farmtui("status", "--farm", "shpo", home=tmp_path).err
    for command in (("--farm", "shop", "check", "--config", "x.yaml"), ("check", "-c", "x.yaml", "--farm", "shop")):
        done = farmtui(*command, home=tmp_path)
        assert done.code == 2
        assert "not both" in done.err


def test_check_tells_every_mistake_at_once(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text(
        "ui: {mouse: 7up, mouse: true}\nprometheus: {url: x}\nceph: {via: pve}\nroles: {operatrs: [a]}\n"
    )
    done = farmtui("check", home=tmp_path)
    assert done.code == 2
    assert [line.partition(": ")[2].partition(": ")[0] for line in done.err.splitlines()] == [
        "ui.mouse", "prometheus.url", "(file)", "roles.operatrs",
    ]  # fmt: skip
    (tmp_path / "farmtui.yaml").write_text("ui: {keys: {nothing: f6}}\n")
    assert "farmtui.yaml:1: ui.keys.nothing: is not a command" in farmtui("check", home=tmp_path).err
