"""Reading a YAML file into a model: each error names the file, the line, the key and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import ValidationError

from farmtui.config.fields import Section, section_in
from farmtui.config.places import duplicate_keys, line_of, shown_key, yaml_words

M = TypeVar("M", bound=Section)


class FileError(Exception):
    """A file that cannot be used. Each line of the text names the file, the place and the remedy."""


def read_text(path: Path) -> str:
    """A file's text. Raises FileError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: is not UTF-8 (byte {error.start}): save it as UTF-8") from None


def parse(text: str, path: Path, model: type[M], *, like: str) -> tuple[M, yaml.Node | None]:
    """Validate a file's text; gives the model, and the YAML's nodes for the lines of later findings.

    `path` is named in errors, and relative paths in the file are relative to it. `like` is a file to compare with.
    Raises FileError whose lines read `FILE:LINE: KEY: what; remedy`.
    """
    root, data = read_mapping(text, path, like)
    duplicates = list(duplicate_keys(root))
    if duplicates:
        raise FileError("\n".join(f"{path}:{line}: {shown(keys)}: {GIVEN_TWICE}" for keys, line in duplicates))
    found = validated(data, path, model)
    if not isinstance(found, list):
        return found, root
    told = sorted((line_of(root, problem.keys), f"{shown(problem.keys)}: {problem.what}") for problem in found)
    raise FileError("\n".join(f"{path}:{line}: {words}" for line, words in told))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a model does not accept."""

    keys: tuple[str | int, ...]
    """Where in the file; empty: in what its sections must agree on."""
    kind: str
    """Pydantic's name of the error: `missing`, `extra_forbidden`, ..."""
    what: str
    """What is wrong, and the remedy. The input is not in it: it may be a secret that somebody has pasted."""
    meant: str = ""
    """Of an unknown key: the known one that it resembles."""


def validated(data: Mapping[Any, Any], path: Path, model: type[M]) -> M | list[Problem]:
    """The model, or what is wrong. Relative paths are relative to the file at `path`.

    Raises FileError where the mapping holds itself.
    """
    try:
        return model.model_validate(data, context={"base": path.resolve().parent})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        return [_problem(problem, model) for problem in problems]
    except RecursionError:
        raise FileError(f"{path}: it refers to itself (`&` and `*`); write it out") from None


def read_mapping(text: str, path: Path, like: str) -> tuple[yaml.Node | None, dict[Any, Any]]:
    """A YAML text as nodes, which know their lines, and as data. Raises FileError where it is no mapping."""
    try:
        loader = yaml.SafeLoader(text)
        try:
            # Nodes for the places of mistakes, and data from them: one reading.
            root = loader.get_single_node()
            data = loader.construct_document(root) if root is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileError(f"{path}:{line}: not YAML: {yaml_words(error.problem)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FileError(f"{path}:{line}: not YAML: a control character (U+{ord(text[error.position]):04X})") from None
    except RecursionError:
        raise FileError(f"{path}: not YAML that farmtui can read: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError):
        # What PyYAML's constructors raise for an explicit tag on a text that does not fit it (`!!int ""`).
        raise FileError(f"{path}: not YAML: a value does not fit its tag, or is no date or number") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise FileError(f"{path}:1: the file must be a mapping of sections, like {like}")
    return root, data


GIVEN_TWICE: Final = "given twice; remove one"


def shown(keys: Sequence[str | int]) -> str:
    """The place as an error names it."""
    return ".".join(shown_key(part) for part in keys) or "(file)"


def _problem(problem: Any, model: type[Section]) -> Problem:
    keys = tuple(part for part in problem["loc"] if part != "[key]" and not str(part).startswith("function-"))
    kind, said = str(problem["type"]), str(problem["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = _known_beside(keys, model)
        meant = next(iter(difflib.get_close_matches(str(keys[-1]), known, n=1)), "")
        hint = f"did you mean {meant}?" if meant else f"known here: {', '.join(known)}"
        return Problem(keys, kind, f"is not a key farmtui knows; {hint}", meant)
    return Problem(keys, kind, _WORDS.get(kind, said))


_WORDS = {
    "missing": "is missing",
    "invalid_key": "is not a text: put the key in quotes",
    "model_type": "must be a section: lines of `key: value` below it",
    "dict_type": "must be a section: lines of `key: value` below it",
    "list_type": "must be a list: [one, two], or lines that begin with `- `",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be a text: put it in quotes",
    "path_type": "must be a path: put it in quotes",
}
"""Pydantic's own words for these speak of Python's types."""


def _known_beside(keys: Sequence[str | int], model: type[Section]) -> list[str]:
    """The keys that there are where an unknown one stands."""
    section: Any = model
    for part in keys[:-1]:
        # A place in a list or in a mapping (of tiers) is no key of a section, whether or not it is a good one.
        if isinstance(part, int) or part not in section.model_fields:
            continue
        section = section_in(section.model_fields[part].annotation) or section
    return [field.alias or name for name, field in section.model_fields.items()]
