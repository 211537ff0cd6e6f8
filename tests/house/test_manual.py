"""The man page tells every command and option, and no tool that reads it complains."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from typer.main import get_command

from farmtui.cli import app
from tests.house.tree import PACKAGES, ROOT, files
from tests.manual import ENVIRONMENT, FILES, commands

PAGE = ROOT / "docs/farmtui.1"
TEXT = PAGE.read_text(encoding="utf-8").replace("\\-", "-")
READERS = (
    ("mandoc", "-Tlint", "-Wstyle"),
    ("groff", "-man", "-Tutf8", "-ww", "-z"),
    ("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"),
)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader[0])
def test_its_readers_find_nothing_wrong(reader: tuple[str, ...]) -> None:
    if shutil.which(reader[0]) is None:
        pytest.skip(f"there is no {reader[0]} here")
    done = subprocess.run([*reader, str(PAGE)], capture_output=True, text=True, check=False)
    said = [line for line in (done.stderr if reader[0] == "man" else done.stdout + done.stderr).splitlines() if line]
    # No page can be referred to here that is not installed.
    assert [line for line in said if "referenced manual not found" not in line] == []


def test_every_command_and_option_is_told() -> None:
    told = list(commands(get_command(app)))
    assert len(told) > 15
    for words, command in told:
        section = re.search(rf'^\.SS "?{re.escape(" ".join(words))}"?$(.*?)^\.S[SH] ', TEXT, re.MULTILINE | re.DOTALL)
        assert section, words
        for option in (one for one in command.params if one.param_type_name == "option" and not one.hidden):
            assert all(name in section[1] for name in option.opts), (words, option.name)


def test_the_environment_that_is_told_is_the_one_that_is_read() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for package in PACKAGES for path in files(".py", below=ROOT / package)
    )
    told = {name for names, _ in ENVIRONMENT for name in names.split(", ")}
    by_others = {"SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "XDG_STATE_HOME"}
    assert [name for name in sorted(told - by_others) if f'"{name}"' not in code] == []
    # What `init` proposes for the user's own config, and what it keeps for itself while it asks, are none of them.
    own = {"FARMTUI_PVE_TOKEN", "FARMTUI_INIT_"}
    assert set(re.findall(r'"(FARMTUI_[A-Z_]+)"', code)) - told - own == set()


def test_the_files_that_are_told_are_named_in_the_code() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in files(".py", below=ROOT / "farmtui"))
    for place, _ in FILES:
        assert f'"{place.rstrip("/").rpartition("/")[2]}"' in code, place
