"""What each command loads: the headless ones load no Textual, and `--help` loads nothing but typer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.run import farmtui

HEAVY = ("textual", "screens", "widgets", "themes")
SILENT = "farm: {name: x}\nprometheus: {url: 'http://127.0.0.1:1'}\nalertmanager: {urls: ['http://127.0.0.1:1']}\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("--help",), 0),
        (("--version",), 0),
        (("status",), 3),
        (("status", "--json"), 3),
        (("check",), 2),
        (("init", "--yes", "--no-do", "--prometheus", "http://127.0.0.1:1", "--output", "new.yaml"), 1),
        (("config", "show"), 0),
        (("config", "schema"), 0),
        (("runbooks", "schema"), 0),
        (("runbooks", "list"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_headless_commands_never_load_the_terminal_framework(
    command: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    (tmp_path / "farmtui.yaml").write_text(SILENT)
    done = farmtui(*command, home=tmp_path, python=("-X", "importtime"))
    loaded = set(re.findall(r"\| +([\w.]+)$", done.err, re.MULTILINE))
    assert done.code == code
    assert "farmtui.cli" in loaded
    assert {module for module in loaded if module.partition(".")[0] in HEAVY} == set()
    assert "pydo" not in loaded, "DigitalOcean is not configured"


def test_help_loads_nothing_of_the_engine(tmp_path: Path) -> None:
    done = farmtui("--help", home=tmp_path, python=("-X", "importtime"))
    loaded = {module.partition(".")[0] for module in re.findall(r"\| +([\w.]+)$", done.err, re.MULTILINE)}
    assert loaded & {"pydantic", "yaml", "aiohttp", "requests", "rich", "pydo", "asyncio"} == set()
