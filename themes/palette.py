"""Palettes: colours as data, checked, and turned into Textual themes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT_THEME = "farm-dark"
ANSI_THEME = "farm-16"

TEXT_ROLES = ("text", "muted", "accent", "ok", "info", "warning", "unknown", "critical", "stale")
"""Roles that are read as text: their contrast with each background is at least 4.5:1 in our own palettes."""

GROUND_ROLES = ("background", "surface", "panel", "selection")
"""What text stands on."""

LINE_ROLES = ("faint", "border", "focus")
"""Grids, frames, the frame of what has the focus."""

FILL_ROLES = ("alarm", "alarm_text")
"""A filled sign for the worst, and the text on it."""

ROLES = (*GROUND_ROLES, *TEXT_ROLES, *LINE_ROLES, *FILL_ROLES)

SERIES = 6

_ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class PaletteError(ValueError):
    """A palette that cannot be used; the text names the file, the key and the remedy."""


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where there is one: ten times as fast, and the first frame waits for it."""


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour (as CSS has it, or `ansi_...`) and text attributes such as `dim`, which only text can have."""

    colour: str
    attributes: tuple[str, ...] = ()

    @property
    def is_ansi(self) -> bool:
        """Whether the terminal's own palette decides how it looks."""
        return self.colour.startswith("ansi_")

    @property
    def style(self) -> str:
        """As a style of text."""
        return " ".join((self.colour, *self.attributes))


@dataclass(frozen=True, slots=True)
class Palette:
    """A checked palette: every role has an ink."""

    name: str
    dark: bool
    inks: Mapping[str, Ink]
    series: tuple[Ink, ...]

    @property
    def is_ansi(self) -> bool:
        """Whether it is made of the terminal's 16 colours."""
        return self.inks["background"].is_ansi


def read_palette(path: Path) -> Palette:
    """Read and check one palette. Raises PaletteError, whose text tells people what to change where."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PaletteError(f"{path.name}: cannot be read: {error}; give it in UTF-8, readable for you") from None
    try:
        raw = yaml.load(text, Loader=_LOADER)  # noqa: S506 - either is a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise PaletteError(f"{path.name}:{line} is not YAML; compare it with themes/farm-dark.yaml") from None
    except RecursionError:
        raise PaletteError(f"{path.name}: is nested too deeply; compare it with themes/farm-dark.yaml") from None
    return parse_palette(raw, path.name)


def parse_palette(raw: object, where: str) -> Palette:
    """Check what a palette's file holds; `where` names the file in errors. Raises PaletteError."""
    top = _mapping(raw, where, "(file)")
    _only(top, ("name", "dark", "colours"), where, "")
    name = top.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PaletteError(f"{where}: name: {name!r} is not a theme's name; use small letters, digits and -")
    dark = top.get("dark")
    if not isinstance(dark, bool):
        raise PaletteError(f"{where}: dark: {dark!r} is neither true nor false; say whether the background is dark")
    colours = _mapping(top.get("colours"), where, "colours")
    _only(colours, (*ROLES, "series"), where, "colours.")
    inks = {}
    for role in ROLES:
        if role not in colours:
            raise PaletteError(f"{where}: colours.{role}: is missing; copy it from farm-dark.yaml and change it")
        inks[role] = _ink(colours[role], where, f"colours.{role}", plain=role in GROUND_ROLES + LINE_ROLES)
    series = colours.get("series")
    if not isinstance(series, list) or len(series) != SERIES:
        raise PaletteError(f"{where}: colours.series: wants a list of {SERIES} colours, one for each line of a chart")
    lines = tuple(_ink(value, where, f"colours.series[{index}]") for index, value in enumerate(series))
    palette = Palette(name, dark, inks, lines)
    mixed = [role for role, ink in inks.items() if ink.is_ansi is not palette.is_ansi]
    if mixed:
        raise PaletteError(
            f"{where}: colours.{mixed[0]}: mixes the terminal's colours (ansi_...) with fixed ones (#rrggbb); "
            "use one kind throughout, since nobody knows how they look beside each other"
        )
    return palette


def theme_of(palette: Palette) -> Theme:
    """Textual's form of a palette. `variables_of` says which names the stylesheets may use."""
    colour = {role: ink.colour for role, ink in palette.inks.items()}
    return Theme(
        name=palette.name,
        dark=palette.dark,
        ansi=palette.is_ansi,
        primary=colour["focus"],
        secondary=colour["info"],
        accent=colour["accent"],
        warning=colour["warning"],
        error=colour["critical"],
        success=colour["ok"],
        foreground=colour["text"],
        background=colour["background"],
        surface=colour["surface"],
        panel=colour["panel"],
        boost=colour["surface"],
        variables=variables_of(palette),
    )


def variables_of(palette: Palette) -> dict[str, str]:
    """The theme's variables: `$ROLE` is a colour for stylesheets, `$ink-ROLE` a style for text.

    Only text can be dim or bold, which is how 16 colours tell more than 16 things apart: hence the two forms.
    """
    inks = palette.inks
    colour = {role: ink.colour for role, ink in inks.items()}
    ours = ("ok", "info", "warning", "unknown", "critical", "stale", "muted", "faint", "accent", "selection", "focus")
    variables = {role: colour[role] for role in ours}
    variables["alarm"] = colour["alarm"]
    variables["alarm-text"] = colour["alarm_text"]
    for role in (*TEXT_ROLES, "faint"):
        variables[f"ink-{role}"] = inks[role].style
    variables["ink-alarm"] = f"{inks['alarm_text'].style} on {colour['alarm']}"
    for number, line in enumerate(palette.series, 1):
        variables[f"series-{number}"] = line.colour
        variables[f"ink-series-{number}"] = line.style
    return variables | _textual_variables(colour, ansi=palette.is_ansi)


def _textual_variables(colour: Mapping[str, str], *, ansi: bool) -> dict[str, str]:
    """Textual's own names, so that its widgets wear the same colours."""
    return {
        "ansi-background": colour["background"],
        "ansi-foreground": colour["text"],
        "text": colour["text"],
        "text-muted": colour["muted"],
        "text-disabled": colour["muted"],
        "text-primary": colour["accent"],
        "text-secondary": colour["info"],
        "text-accent": colour["accent"],
        "text-warning": colour["warning"],
        "text-error": colour["critical"],
        "text-success": colour["ok"],
        "foreground-muted": colour["muted"],
        "border": colour["focus"],
        "border-blurred": colour["border"],
        "block-cursor-foreground": colour["text"],
        "block-cursor-background": colour["selection"],
        "block-cursor-text-style": "reverse" if ansi else "bold",
        "block-cursor-blurred-foreground": colour["text"],
        "block-cursor-blurred-background": colour["panel"],
        "block-cursor-blurred-text-style": "underline" if ansi else "none",
        "block-hover-background": colour["panel"],
        "scrollbar": colour["border"],
        "scrollbar-hover": colour["focus"],
        "scrollbar-active": colour["focus"],
        "scrollbar-background": colour["background"],
        "scrollbar-background-hover": colour["background"],
        "scrollbar-background-active": colour["background"],
        "scrollbar-corner-color": colour["background"],
        "footer-foreground": colour["muted"],
        "footer-background": colour["background"],
        "footer-key-foreground": colour["accent"],
        "footer-key-background": colour["background"],
        "footer-description-foreground": colour["muted"],
        "footer-description-background": colour["background"],
        "footer-item-background": colour["background"],
        "input-cursor-background": colour["text"],
        "input-cursor-foreground": colour["background"],
        "input-cursor-text-style": "reverse" if ansi else "none",
        "input-selection-background": colour["selection"],
        "input-selection-foreground": colour["text"],
        "screen-selection-background": colour["selection"],
        "screen-selection-foreground": colour["text"],
        "link-color": colour["text"],
        "link-background-hover": colour["selection"],
        "link-color-hover": colour["text"],
        "button-foreground": colour["text"],
        "button-color-foreground": colour["text"],
        "button-focus-text-style": "reverse" if ansi else "bold",
    }


def _mapping(raw: object, where: str, key: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise PaletteError(f"{where}: {key}: wants `key: value` lines; compare it with themes/farm-dark.yaml")
    return {str(name): value for name, value in raw.items()}


def _only(raw: Mapping[str, Any], known: tuple[str, ...], where: str, prefix: str) -> None:
    for key in raw:
        if key not in known:
            names = ", ".join(known)
            raise PaletteError(f"{where}: {prefix}{key}: is not a key of a palette; take it out (known: {names})")


def _ink(raw: object, where: str, key: str, *, plain: bool = False) -> Ink:
    if not isinstance(raw, str) or not raw.split():
        raise PaletteError(f'{where}: {key}: {raw!r} is not a colour; write "#rrggbb" in quotes, or ansi_red')
    colour, *attributes = raw.split()
    try:
        parsed = Color.parse(colour)
    except ColorParseError:
        raise PaletteError(f'{where}: {key}: {colour!r} is not a colour; write "#rrggbb", or ansi_red') from None
    if parsed.a != 1:
        raise PaletteError(f"{where}: {key}: {colour!r} is see-through; give the colour as it is to look")
    wrong = [word for word in attributes if word not in _ATTRIBUTES]
    if wrong:
        raise PaletteError(f"{where}: {key}: {wrong[0]!r} is not an attribute of text ({', '.join(_ATTRIBUTES)})")
    if plain and attributes:
        raise PaletteError(f"{where}: {key}: only text can be {attributes[0]}; give the colour alone")
    return Ink(colour, tuple(attributes))
