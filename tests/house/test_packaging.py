"""What a wheel holds: every stylesheet, palette, catalogue and schema, not just the modules."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatchcase
from importlib.metadata import files as files_of
from importlib.metadata import metadata
from typing import Any

import pytest

from tests.house.tree import PACKAGES, ROOT, files, name

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
DATA = [path for package in PACKAGES for path in files(below=ROOT / package) if path.suffix not in (".py", ".md")]


def test_there_is_data_to_ship() -> None:
    assert {".tcss", ".yaml"} <= {path.suffix for path in DATA}


@pytest.mark.parametrize("path", DATA, ids=name)
def test_every_data_file_is_shipped(path: Any) -> None:
    package = path.parent
    assert (package / "__init__.py").is_file(), "only packages are shipped"
    dotted = name(package).replace("/", ".")
    assert any(fnmatchcase(dotted, pattern) for pattern in SETUPTOOLS["packages"]["find"]["include"])
    shipped = SETUPTOOLS["package-data"]["*"]
    assert any(fnmatchcase(path.name, pattern) for pattern in shipped), (
        f"pyproject's package-data has none of {shipped}"
    )


def test_the_command_exists() -> None:
    from farmtui.start import main

    assert PROJECT["project"]["scripts"] == {"farmtui": "farmtui.start:main"}
    assert callable(main)


def test_textual_is_pinned_exactly_since_the_terminal_reaches_into_it() -> None:
    assert any(re.fullmatch(r"textual==[\d.]+", line) for line in PROJECT["project"]["dependencies"])


DEPENDENCIES = [
    re.split(r"[=<>~!\[; ]", line)[0]
    for line in [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
]


LAB = [re.split(r"[=<>~[]", line)[0] for line in PROJECT["project"]["optional-dependencies"]["lab"]]
"""Installed by `make lab` only."""


def told() -> dict[str, list[str]]:
    """The rows of docs/dependencies.md by library: why, types, licence."""
    rows = re.findall(
        r"^\| `([^`]+)` \|(.*)\|$", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    return {library: [cell.strip() for cell in rest.split("|")] for library, rest in rows}


def test_every_dependency_has_its_reason_and_no_other_is_listed() -> None:
    assert set(told()) == {library.lower() for library in [*DEPENDENCIES, *LAB]}
    assert all(len(why) > 4 for why, _, _ in told().values())


@pytest.mark.parametrize("library", DEPENDENCIES)
def test_licences_and_types_are_as_told(library: str) -> None:
    _, types, licence = told()[library.lower()]
    found = metadata(library)
    said = " ".join(
        words for key in ("License-Expression", "License", "Classifier") for words in found.get_all(key) or []
    )
    plain = re.sub(r"[^a-z0-9]", "", said.lower())
    forms = {"LGPL-3.0": "LGPLv3", "BSD-2-Clause": "BSD 2-Clause"}
    for part in re.split(r" OR | AND ", licence):
        assert re.sub(r"[^a-z0-9]", "", forms.get(part, part).lower()) in plain, said
    if types == "yes":
        shipped = [str(file) for file in files_of(library) or []]
        assert any(file.endswith(("py.typed", ".pyi")) for file in shipped)


def test_every_dependency_is_pinned_for_make() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.split("==")[0].lower() for line in lines if line and not line.startswith("#")}
    assert {library.lower() for library in [*DEPENDENCIES, *LAB]} - pins == set()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+-]+", line) for line in lines if line and not line.startswith("#"))
