"""The documents: links lead somewhere, what they tell to type exists, what is generated is up to date."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from textual.binding import Binding
from typer.main import get_command

from farmtui.cli import app
from farmtui.commands import normal_key
from farmtui.config import Config, ConfigError, parse_config
from farmtui.config.parsing import parse
from farmtui.keys import GLOBAL, key_scopes
from farmtui.runbooks.book import Book
from screens.console import SCREENS
from screens.logs import LogScreen
from screens.marks_list import MarksDialog
from screens.run import RunScreen
from tests.house.tree import ROOT, files, name
from tests.layering import layers
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
        assert wrong_values(words) == "", words
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


def wrong_values(words: list[str]) -> str:
    """What typer says of the values in a command line that is read and not run; a sentence may leave arguments out."""
    if any(word.isupper() or "..." in word or word in ("--help", "-h", "--version") for word in words):
        return ""
    command = get_command(app)
    context, rest = None, list(words)
    try:
        while True:
            context = command.make_context(command.name or "farmtui", rest, parent=context)
            commands = getattr(command, "commands", {})
            if not (rest := [*getattr(context, "_protected_args", ()), *context.args]) or rest[0] not in commands:
                return ""
            command, rest = commands[rest[0]], rest[1:]
    except Exception as error:
        missing = type(error).__name__ == "MissingParameter"
        return "" if missing else str(getattr(error, "message", "")) or type(error).__name__


def is_flag(parameter: object) -> bool:
    """Whether an option takes no value."""
    return bool(getattr(parameter, "is_flag", False))


def test_the_finder_of_wrong_commands_finds_them() -> None:
    assert problem_of(["status", "--json", "--config", "x.yaml"]) == ""
    assert problem_of(["config", "show"]) == ""
    assert problem_of(["run", "book", "node=cache-2", "--plan"]) == ""
    assert wrong_values(["status", "--json", "--deadline", "30"]) == ""
    assert "number" in wrong_values(["status", "--deadline", "nine"])
    assert wrong_values(["serve", "--port", "70000"]) != ""
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


# -- what documents name ------------------------------------------------------------------------

PROSE = {path: SPAN.findall(FENCE.sub("", path.read_text(encoding="utf-8"))) for path in DOCUMENTS}
PROMPT = {name for command in GLOBAL for name in command.names} | {
    name
    for keys in (*(entry.load().KEYS for entry in SCREENS), LogScreen.KEYS)
    for command in keys
    for name in command.names
}
KEYS = {
    normal_key(key)
    for items in key_scopes().values()
    for binding in items
    for key in (binding.key.split(",") if binding.key != "," else [","])
} | {key for view in (RunScreen, LogScreen) for command in view.KEYS for key in command.keys.split(",")}
KEYS |= {key for one in MarksDialog.BINDINGS if isinstance(one, Binding) for key in one.key.split(",")}
SPELLED = {"Enter": "enter", "Esc": "escape", "Tab": "tab", "Space": "space"}
"""How documents write keys whose names Textual writes otherwise."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_prompt_commands_exist(path: Path) -> None:
    typed = [span.removeprefix(":").split()[0] for span in PROSE[path] if re.match(r":[a-z]", span)]
    assert [word for word in typed if word not in PROMPT] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_keys_exist(path: Path) -> None:
    spans = [
        span
        for span in PROSE[path]
        if re.fullmatch(r"[A-Za-z0-9?:/.,\[\]-]|(?:Ctrl|Shift|Alt)\+\w+|Enter|Esc|Tab|Space|F\d+", span)
    ]
    pressed = [normal_key(SPELLED.get(span, span.lower() if "+" in span else span)) for span in spans]
    free = KEYS | set(SPELLED.values()) | NOT_KEYS.get(name(path), set())
    assert [key for key in pressed if key not in free] == []


NOT_KEYS = {
    "docs/keys.md": {normal_key(chr(code)) for code in range(33, 127)},
    "docs/demo.md": {"ctrl+d"},
}
"""One letter in a code span that is no key, and keys of other programs, by document."""

SECTIONS = set(Config.model_fields)


def mistakes(part: str, path: Path) -> list[str]:
    """What is wrong in a part of a config; what it does not say stands elsewhere in a config."""
    try:
        parse_config(part, path)
    except ConfigError as error:
        return [line for line in str(error).splitlines() if not line.endswith(" is missing")]
    return []


def test_the_finder_of_mistakes_in_configs_finds_them() -> None:
    assert mistakes("prometheus: {queries: {}}", ROOT / "x.md") == []
    assert len(mistakes("prometheus: {querys: {}}", ROOT / "x.md")) == 1


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_yaml_blocks_are_what_they_look_like(path: Path) -> None:
    """A config, whole or in part, is read as one; a runbook as one; a theme or a catalogue has a test of its own."""
    for language, block in FENCE.findall(path.read_text(encoding="utf-8")):
        if language != "yaml":
            continue
        read = yaml.safe_load(block)
        if isinstance(read, dict) and set(read) <= SECTIONS:
            assert mistakes(block, path) == []
        elif isinstance(read, dict) and {"title", "steps", "risk"} <= set(read):
            parse(block, path, Book, like="docs/runbooks.md")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_files_that_are_named_exist(path: Path) -> None:
    named = [
        span for span in PROSE[path]
        if re.fullmatch(r"(?:farmtui|screens|widgets|themes|tests|docs)/[\w./-]*\w/?|\w+\.(?:md|toml|txt)", span)
    ]  # fmt: skip
    assert [span for span in named if not (ROOT / span).exists() and not (path.parent / span).exists()] == []


def test_the_layers_in_words_are_those_of_the_contract() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[\w.]+`(?:, )?)+) \|", text, re.MULTILINE)
    named = {module for row in rows for module in re.findall(r"`([\w.]+)`", row)}
    assert len(named) > 15
    assert named - {module for layer in layers() for module in layer} == set()


def test_the_readme_begins_with_what_it_is_how_it_looks_and_what_to_type() -> None:
    first = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20])
    assert "operations console of a WordPress farm" in first
    assert "](docs/screenshot.svg)" in first
    assert {words[0] for words in commands_in(first, "make")} == {"demo", "test"}
