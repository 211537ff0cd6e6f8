"""Reading a YAML file into a model: each error names the file, the line, the key and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

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
    root, data = _data(text, path, like)
    try:
        return model.model_validate(data, context={"base": path.resolve().parent}), root
    except ValidationError as error:
        # The input is left out: it may be a secret that somebody has pasted.
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = sorted(_problem(root, problem, model) for problem in problems)
        raise FileError("\n".join(f"{path}:{line}: {words}" for line, words in told)) from None
    except RecursionError:
        raise FileError(f"{path}: it refers to itself (`&` and `*`); write it out") from None


def _data(text: str, path: Path, like: str) -> tuple[yaml.Node | None, dict[Any, Any]]:
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
    duplicates = list(duplicate_keys(root))
    if duplicates:
        raise FileError("\n".join(f"{path}:{line}: {key}: given twice; remove one" for key, line in duplicates))
    return root, data


def _problem(root: yaml.Node | None, problem: Any, model: type[Section]) -> tuple[int, str]:
    keys = [part for part in problem["loc"] if part != "[key]" and not str(part).startswith("function-")]
    dotted = ".".join(shown_key(part) for part in keys) or "(file)"
    kind, said = str(problem["type"]), str(problem["msg"]).removeprefix("Value error, ")
    message = f"is not a key farmtui knows{_suggestion(keys, model)}" if kind == "extra_forbidden" else said
    return line_of(root, keys), f"{dotted}: {_WORDS.get(kind, message)}"


_WORDS = {
    "missing": "is missing",
    "invalid_key": "is not a text: put the key in quotes",
    "model_type": "must be a section: lines of `key: value` below it",
    "dict_type": "must be a section: lines of `key: value` below it",
    "list_type": "must be a list: [one, two], or lines that begin with `- `",
    "string_type": "must be a text: put it in quotes",
    "path_type": "must be a path: put it in quotes",
}
"""Pydantic's own words for these speak of Python's types."""


def _suggestion(keys: list[str | int], model: type[Section]) -> str:
    import difflib

    section: Any = model
    for part in keys[:-1]:
        # A place in a list or in a mapping (of tiers) is no key of a section, whether or not it is a good one.
        if isinstance(part, int) or part not in section.model_fields:
            continue
        section = section_in(section.model_fields[part].annotation) or section
    known = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(str(keys[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"
