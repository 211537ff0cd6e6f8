"""Every source file: its size, its docstrings, and what must not stand in any."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, files, name

LINES_MAX = 500
LONGER: dict[str, str] = {
    "widgets/live_table.py": "one widget: its keys, mouse and messages act on one state, and share it in every method",
}
"""Files that may be longer, each with its reason."""

SOURCES = [path for package in PACKAGES for path in files(".py", below=ROOT / package)]
TEXTS = [
    path
    for path in files()
    if path.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ".tcss", ".json", ".svg", ".cfg", ""}
    and path.name != "LICENSE"
]

# Put together here, so that this file does not hold them itself.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("yarnpkg", "com"),
        ("debian", "org"),
        ("ubuntu", "com"),
        ("docker", "io"),
        ("quay", "io"),
        ("ghcr", "io"),
        ("crates", "io"),
        ("golang", "org"),
        ("rubygems", "org"),
        ("anaconda", "org"),
    )
]
# Debian's package of the engine is called as a registry's host is.
PACKAGES_NAMED_SO = {("tests/lab/install", f"docker{chr(46)}io")}
HOMES = re.compile(r"(?<![\w.~/])/(?:home|root|work|Users|mnt)/\w")


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 50
    assert len(TEXTS) > len(SOURCES)


def test_no_file_is_too_long() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(".py")}
    assert {file: length for file, length in lengths.items() if length > LINES_MAX and file not in LONGER} == {}
    assert [file for file in LONGER if lengths.get(file, 0) <= LINES_MAX] == [], (
        "no longer too long: take it off the list"
    )


def test_no_registry_is_named() -> None:
    found = [
        f"{name(path)}: {host}"
        for path in TEXTS
        for host in REGISTRIES
        if (name(path), host) not in PACKAGES_NAMED_SO
        and re.search(rf"(?<![\w-]){re.escape(host)}\b", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_path_of_somebodys_machine_is_named() -> None:
    found = [
        f"{name(path)}:{number}: {match[0]}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := HOMES.search(line))
    ]
    assert found == []


@pytest.mark.parametrize("path", [*SOURCES, *files(".py", below=ROOT / "tests")], ids=name)
def test_each_file_says_its_job_first(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "a file's first line says its one job"
    assert len(docstring.splitlines()[0]) > 15


def test_what_is_public_has_a_docstring() -> None:
    assert [place for path in SOURCES for place in undocumented(path)] == []


def undocumented(path: Path) -> list[str]:
    """Public classes and functions without a docstring; a method may have it from the class that it overrides."""
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            found.append(f"{name(path)}:{node.lineno}: {node.name}")
        if isinstance(node, ast.ClassDef) and not node.bases:
            found += [
                f"{name(path)}:{method.lineno}: {node.name}.{method.name}"
                for method in node.body
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
                and not method.name.startswith("_")
                and ast.get_docstring(method) is None
            ]
    return found
