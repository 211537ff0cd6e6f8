"""The config written out: the one in force (`farmtui config show`), and the reference of all keys (docs/config.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from farmtui.config.described import described
from farmtui.config.fields import ApiHost, ConfigPath, Seconds, SecretRef, Section, Url, section_in
from farmtui.config.remote import SshHost
from farmtui.config.whole import Config
from farmtui.secrets import REDACTED

_REFERENCE = re.compile(r"^(env|file|cmd):")


def shown(config: Config) -> str:
    """The config in force as YAML, defaults included. A secret stays the reference that it is.

    A header's value may be a secret that was given by value: only references are shown of headers.
    """
    data = config.model_dump(mode="json", exclude_none=True)
    for section in ("prometheus", "alertmanager"):
        headers: dict[str, str] = data.get(section, {}).get("headers", {})
        for name, value in headers.items():
            headers[name] = value if _REFERENCE.match(value) else REDACTED
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def secret_references(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every secret reference in the config, with the keys that lead to it."""
    yield from _references(config, ())


def _references(value: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Section):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            if isinstance(inner, str) and _words(_annotation(field)).startswith(_words(SecretRef)):
                yield (*keys, name), inner
            elif name == "headers":
                yield from (((*keys, name, header), text) for header, text in inner.items() if _REFERENCE.match(text))
            else:
                yield from _references(inner, (*keys, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, (*keys, index))


def reference() -> str:
    """docs/config.md: every key with its type, its default and its meaning, from the models themselves."""
    parts = [_HEAD]
    for title, section in _sections(described(Config), ""):
        if not title:
            parts.append(_table(section))
            continue
        words = " ".join((section.__doc__ or "").split())
        parts.append(f"## `{title}`\n\n{words}\n\n{_table(section)}")
    return "\n".join(parts)


_HEAD = """\
# The config, key by key

Written by `make docs` from the models in `farmtui/config/`; a test holds it up to date. A commented file to begin
with is [config.example.yaml](../config.example.yaml), the JSON schema for editors is
[config.schema.json](config.schema.json) (`farmtui config schema`).

- The file is the first of: `--config FILE`, `$FARMTUI_CONFIG`, `./farmtui.yaml`, `config.yaml` in the user's config
  folder (`farmtui config path` says which).
- A key that farmtui does not know is an error that names the line. A section that is not there is not configured, and
  the console shows nothing of it.
- A **secret** is never written down here, it is referred to: `env:NAME` (an environment variable), `file:PATH` (the
  content of a file), `cmd:COMMAND LINE` (what a command prints; no shell, no terminal to ask on, 15 s at most).
- A **path** may begin with `~`; a relative one is relative to the config file.
- `farmtui config show` prints what is in force, `farmtui check` tries it.
- **A wrong file still starts** the console and the wall, with what is right in it: a chip in the header, a finding on
  the overview and `:config` name each mistake with its line and its remedy. A wrong interval or colour has its default;
  a source with a wrong address is left out; so is one whose certificates, login or scope are wrong. Where a mistake may
  have been a limit (`roles`, `farm.read_only`, `ssh`, a section that nobody knows, a file that is no YAML) nothing can
  be changed until it is mended, and no run begins while there is any. Commands for scripts refuse such a file (exit 2;
  `status`: 3).
- **A changed file holds at once** (it is looked at each second; `:reload` does it by hand). Only sources whose sections
  differ begin anew. A file that is changed for the worse leaves the console as it was, says what is wrong, and forbids
  what the new text may forbid. Themes follow their files, too. `ui.mouse` and `ui.screen` hold from the next start.

## The whole file
"""


def _sections(section: type[Section], at: str) -> Iterator[tuple[str, type[Section]]]:
    """The section and all sections in it, each with its dotted place: `proxmox[]`, `tiers.TIER`."""
    yield at, section
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        if inner is not None:
            suffix = {str(list): "[]", str(dict): ".TIER"}.get(str(get_origin(field.annotation)), "")
            yield from _sections(inner, f"{at}.{name}{suffix}".removeprefix("."))


def _table(section: type[Section]) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in section.model_fields.items():
        words = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {_type_words(field)} | {_default_words(field)} | {words} |")
    return "\n".join(rows) + "\n"


def _default_words(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ("", [], {}) or isinstance(default, Section):
        return "–"
    return f"`{default:g}`" if isinstance(default, float) else f"`{str(default).lower()}`"


_NAMED: tuple[tuple[Any, str], ...] = (
    (SecretRef, "secret reference"),
    (Url, "address"),
    (ApiHost, "host"),
    (ConfigPath, "path"),
    (SshHost, "host"),
    (Seconds, "seconds"),
)
_PLAIN = {str: "text", int: "whole number", float: "number", Decimal: "number", bool: "true or false", Path: "path"}


def _type_words(field: FieldInfo) -> str:
    return _words(_annotation(field))


def _annotation(field: FieldInfo) -> Any:
    """A field's whole annotation: pydantic keeps the outermost metadata apart."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return next((words for known, words in _NAMED if _same(known, arguments)), "") or _words(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_words(part) for part in arguments if part is not NoneType)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is list:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"{_words(arguments[0])} → {_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section"
    return _PLAIN[annotation]


def _same(known: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether an annotation is one of our named ones: the same validator, or the same bounds."""
    mine, theirs = get_args(known)[1:], arguments[1:]
    validators = [part for part in mine if isinstance(part, AfterValidator)]
    if validators:
        return any(part in validators for part in theirs)
    return get_args(known)[0] is arguments[0] and repr(mine[0].metadata) == repr(list(theirs))
