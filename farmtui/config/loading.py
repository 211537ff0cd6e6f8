"""Finding, reading and validating the config file: each error names the file, the line, the key and the remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from platformdirs import user_config_path
from pydantic import ValidationError

from farmtui.config.fields import section_in
from farmtui.config.places import duplicate_keys, line_of, shown_key, yaml_words
from farmtui.config.whole import Config

CONFIG_ENV = "FARMTUI_CONFIG"


class ConfigError(Exception):
    """A config that cannot be used. Each line of the text names the file, the place and the remedy."""


def config_paths(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """Where a config is looked for, first hit wins: --config, $FARMTUI_CONFIG, ./farmtui.yaml, the user's folder."""
    if explicit is not None:
        yield explicit
        return
    if environ.get(CONFIG_ENV):
        yield Path(environ[CONFIG_ENV]).expanduser()
        return
    yield Path("farmtui.yaml")
    yield user_config_path("farmtui") / "config.yaml"


def find_config(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The config file to use. Raises ConfigError with where it was looked for."""
    tried = list(config_paths(explicit, environ))
    for path in tried:
        if path.is_file():
            return path
    places = ", ".join(str(path) for path in tried)
    raise ConfigError(
        f"no config found (looked at {places}).\n"
        "Copy config.example.yaml to one of these places, or look around with: farmtui demo"
    )


def load_config(path: Path) -> Config:
    """Read and validate one file. Raises ConfigError whose lines read `FILE:LINE: KEY: what; remedy`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    return parse_config(text, path)


def parse_config(text: str, path: Path) -> Config:
    """Validate a config's text; `path` is named in errors, and relative paths in the file are relative to it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML: {yaml_words(error.problem)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path}:{line}: not YAML: a control character (U+{ord(text[error.position]):04X})") from None
    except RecursionError:
        raise ConfigError(f"{path}: not YAML that farmtui can read: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError):
        # What PyYAML's constructors raise for an explicit tag on a text that does not fit it (`!!int ""`).
        raise ConfigError(f"{path}: not YAML: a value does not fit its tag, or is no date or number") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: the file must be a mapping of sections, like config.example.yaml")
    duplicates = list(duplicate_keys(root))
    if duplicates:
        raise ConfigError("\n".join(f"{path}:{line}: {key}: given twice; remove one" for key, line in duplicates))
    try:
        return Config.model_validate(data, context={"base": path.resolve().parent})
    except ValidationError as error:
        # The input is left out: it may be a secret that somebody has pasted.
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = sorted(_problem(root, problem) for problem in problems)
        raise ConfigError("\n".join(f"{path}:{line}: {words}" for line, words in told)) from None
    except RecursionError:
        raise ConfigError(f"{path}: it refers to itself (`&` and `*`); write it out") from None


def _problem(root: yaml.Node | None, problem: Any) -> tuple[int, str]:
    keys = [part for part in problem["loc"] if part != "[key]" and not str(part).startswith("function-")]
    dotted = ".".join(shown_key(part) for part in keys) or "(file)"
    kind, said = str(problem["type"]), str(problem["msg"]).removeprefix("Value error, ")
    message = f"is not a key farmtui knows{_suggestion(keys)}" if kind == "extra_forbidden" else _WORDS.get(kind, said)
    return line_of(root, keys), f"{dotted}: {message}"


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


def _suggestion(keys: list[str | int]) -> str:
    import difflib

    section: Any = Config
    for part in keys[:-1]:
        # A place in a list or in a mapping (of tiers) is no key of a section, whether or not it is a good one.
        if isinstance(part, int) or part not in section.model_fields:
            continue
        section = section_in(section.model_fields[part].annotation)
    known = section.model_fields
    close = difflib.get_close_matches(str(keys[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"
