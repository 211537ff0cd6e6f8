"""A config written out for people: each key with its meaning above it, from the models' own docstrings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_origin

import yaml

from farmtui.config.described import described
from farmtui.config.fields import Section, section_in
from farmtui.config.whole import Config
from farmtui.farm.text import visible

WIDTH: Final = 100

_HEAD: Final = """\
# The config of farmtui, as `farmtui init` wrote it. It is yours: change it, then try it with `farmtui check`.
#
# Secrets are referred to, never written here: env:NAME (an environment variable), file:PATH (a file's one line),
# cmd:COMMAND LINE (what a command prints; no shell). Paths are relative to this file, or begin with ~.
# A key that farmtui does not know is an error that names the line. Every key: `farmtui config schema`, docs/config.md.
"""


def commented(
    sections: Mapping[str, Any], notes: Mapping[str, Sequence[str]], left_out: Mapping[str, str] | None = None
) -> str:
    """The text of a config file with these sections.

    `notes` are further lines above a key, by its dotted place (`tiers.cache`); `left_out` is why a section is not
    there. Comments hold no control characters, whatever notes say.
    """
    parts = [_HEAD]
    for name, field in described(Config).model_fields.items():
        if name in sections:
            inner = section_in(field.annotation)
            above = _comment([field.description or "", *notes.get(name, ())], 0)
            mapped = get_origin(field.annotation) is dict
            parts.append("\n".join([*above, *_lines(name, sections[name], inner, name, notes, 0, mapped)]) + "\n")
    absent = [name for name in Config.model_fields if name not in sections]
    if absent:
        parts.append("\n".join(_absent(absent, left_out or {})) + "\n")
    return "\n".join(parts)


def _absent(names: Sequence[str], why: Mapping[str, str]) -> Iterator[str]:
    yield "# Not here, and so absent from the console, or at its defaults:"
    for name in names:
        words = (Config.model_fields[name].description or "").rstrip(".")
        reason = f" - {why[name]}" if why.get(name) else ""
        yield from _wrapped(f"{name + ':':<14} {words}{reason}", "#   ", "#                  ")


def _lines(
    name: str,
    value: Any,
    section: type[Section] | None,
    place: str,
    notes: Mapping[str, Sequence[str]],
    depth: int,
    mapped: bool,
) -> Iterator[str]:
    """`name: value` in YAML, and all below it. `mapped`: it holds a section for each name of the user's own."""
    pad = "  " * depth
    if section is None or not value:
        yield f"{pad}{name}: {_flow(value)}"
    elif isinstance(value, list):
        yield f"{pad}{name}:"
        for index, item in enumerate(value):
            yield f"{pad}  -"
            yield from _section(item, section, f"{place}.{index}", notes, depth + 2, told=index > 0)
    elif mapped:
        yield f"{pad}{name}:"
        for key, item in value.items():
            yield from _comment(notes.get(f"{place}.{key}", ()), depth + 1)
            yield f"{pad}  {_flow(key)}: {_flow(item)}"
    else:
        yield f"{pad}{name}:"
        yield from _section(value, section, place, notes, depth + 1)


def _section(
    value: Mapping[str, Any],
    section: type[Section],
    place: str,
    notes: Mapping[str, Sequence[str]],
    depth: int,
    *,
    told: bool = False,
) -> Iterator[str]:
    """A section's keys: those that are set, each with its meaning; then what else there is. `told`: the one before it
    in a list has said all that."""
    pad = "  " * depth
    for name, field in section.model_fields.items():
        if name in value:
            at = f"{place}.{name}"
            yield from _comment([*notes.get(at, ()), "" if told else field.description or ""], depth)
            mapped = get_origin(field.annotation) is dict
            yield from _lines(name, value[name], section_in(field.annotation), at, notes, depth, mapped)
    others = [name for name in section.model_fields if name not in value]
    if others and not told:
        yield from _wrapped(f"also: {', '.join(others)}", f"{pad}# ", f"{pad}#   ")


def _comment(lines: Sequence[str], depth: int) -> list[str]:
    pad = "  " * depth
    return [line for text in lines if text for line in _wrapped(text, f"{pad}# ", f"{pad}# ")]


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    words = visible(" ".join(text.split()))
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()
