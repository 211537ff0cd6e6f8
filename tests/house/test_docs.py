"""The documents: links lead somewhere, what they tell to type exists, what is generated is up to date."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from farmtui.cli import app
from farmtui.config import parse_config
from tests.house.tree import ROOT, files, name
from tests.regenerate import GENERATED

DOCUMENTS = [path for path in files(".md") if path.parent in (ROOT, ROOT / "docs")]
LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def commands_in(text: str, program: str) -> list[list[str]]:
    """Every command line of a program in code spans and in shell blocks, as words up to a comment or a pipe."""
    lines = SPAN.findall(FENCE.sub("", text))
    for language, block in FENCE.findall(text):
        if language in ("", "sh", "console", "bash"):
            lines += block.splitlines()
    found = []
    for line in lines:
        text = line.strip().removeprefix("$ ")
        if re.match(rf"(?:\S*/)?{re.escape(program)}(?:\s|$)", text):
            words = shlex.split(text, comments=True)[1:]
            ends = [number for number, word in enumerate(words) if word[0] in "|;>&"]
            found.append(words[: ends[0]] if ends else words)
    return found


def headings(path: Path) -> set[str]:
    """The anchors that a Markdown file's headings give."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_there_are_documents() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/README.md"} <= {name(path) for path in DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    dead = []
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place) if place else path
        if not target.exists() or (anchor and anchor not in headings(target)):
            dead.append(link)
    assert dead == []


def test_every_document_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    assert [name(path) for path in files(".md", below=ROOT / "docs") if path not in linked and path != index] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_what_a_document_tells_to_type_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands_in(text, "make"):
        assert {word for word in words if "=" not in word} <= targets, words
    for words in commands_in(text, "farmtui"):
        assert problem_of(words) == "", words
    for words in commands_in(text, "python3") + commands_in(text, "python"):
        if words and words[0] == "-m" and words[1] not in ("venv", "pip"):
            assert importlib.util.find_spec(words[1]), words


def problem_of(words: list[str]) -> str:
    """What is wrong with a farmtui command line; words in capitals stand for anything."""
    command = get_command(app)
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            option = word.partition("=")[0]
            if option not in options | {"--help", "-h"}:
                return f"there is no option {option}"
            taking = {name for parameter in command.params for name in parameter.opts if not is_flag(parameter)}
            if option in taking and "=" not in word:
                rest = rest[1:]
        elif isinstance(command, typer.core.TyperGroup) and word in command.commands:
            command = command.commands[word]
            options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        elif not word.isupper() and not any(isinstance(one, typer.core.TyperArgument) for one in command.params):
            return f"there is no command {word}"
    return ""


def is_flag(parameter: object) -> bool:
    """Whether an option takes no value."""
    return bool(getattr(parameter, "is_flag", False))


def test_the_finder_of_wrong_commands_finds_them() -> None:
    assert problem_of(["status", "--json", "--config", "x.yaml"]) == ""
    assert problem_of(["config", "show"]) == ""
    assert problem_of(["run", "book", "node=cache-2", "--plan"]) == ""
    assert "statsu" in problem_of(["statsu"])
    assert "--jsn" in problem_of(["status", "--jsn"])
    assert commands_in("see `farmtui statsu --x` or\n```sh\n$ farmtui demo | cat # y\n```\n", "farmtui") == [
        ["statsu", "--x"],
        ["demo"],
    ]


@pytest.mark.parametrize("file", GENERATED)
def test_what_is_generated_is_up_to_date(file: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == GENERATED[file](), "run: make docs"


def test_the_config_in_the_readme_is_twenty_lines_that_work() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = [block for language, block in FENCE.findall(text) if language == "yaml"]
    config = parse_config(example, ROOT / "farmtui.yaml")
    assert config.prometheus
    assert config.alertmanager
    assert config.proxmox
    assert config.digitalocean
    assert len([line for line in example.splitlines() if not line.startswith("#")]) <= 20
