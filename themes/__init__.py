"""How the console looks: palettes as data (`*.yaml`), and `app.tcss`, the stylesheet that all screens share."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from textual.theme import Theme

from themes.palette import ANSI_THEME, DEFAULT_THEME, PaletteError, read_palette, theme_of, variables_of

__all__ = ["ANSI_THEME", "APP_CSS", "DEFAULT_THEME", "choose", "load_themes", "variable_defaults"]

APP_CSS = Path(__file__).with_name("app.tcss")
"""The app-wide stylesheet."""

_HERE = Path(__file__).parent


def load_themes(extra_dir: Path | None = None) -> tuple[list[Theme], list[str]]:
    """All themes, ours first, then the user's from `extra_dir`, and what is wrong with any, a line each.

    A user's theme that cannot be used is skipped; one with the name of ours takes its place. A missing folder is
    no problem: having no themes of one's own is normal.
    """
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in sorted(_HERE.glob("*.yaml")):
        theme = theme_of(read_palette(path))
        themes[theme.name] = theme
    if extra_dir is not None and extra_dir.is_dir():
        for path in sorted((*extra_dir.glob("*.yaml"), *extra_dir.glob("*.yml"))):
            try:
                theme = theme_of(read_palette(path))
            except PaletteError as error:
                problems.append(f"theme skipped: {error}")
            else:
                themes[theme.name] = theme
    return list(themes.values()), problems


@functools.cache
def variable_defaults() -> dict[str, str]:
    """For the app's `get_theme_variable_defaults`: our stylesheet then parses under a foreign theme too."""
    return variables_of(read_palette(_HERE / f"{DEFAULT_THEME}.yaml"))


def choose(asked: str, known: Mapping[str, Theme] | list[Theme], environ: Mapping[str, str]) -> tuple[str, str]:
    """The theme to begin with, and a notice (or an empty text) where it is not the one that was asked for.

    `asked` may be empty: then a terminal of 16 colours, or NO_COLOR, gets the theme that is made of the terminal's
    own colours, and any other gets the default.
    """
    names = [theme.name for theme in known] if isinstance(known, list) else list(known)
    if asked and asked in names:
        return asked, ""
    few = environ.get("TERM", "") in _FEW_COLOURS and "COLORTERM" not in environ
    fallback = ANSI_THEME if few or environ.get("NO_COLOR") else DEFAULT_THEME
    if not asked:
        return fallback, ""
    return fallback, f"there is no theme {asked!r}: {fallback} is shown; known are {', '.join(sorted(names))}"


_FEW_COLOURS = frozenset({"linux", "screen", "xterm", "vt100", "vt102", "vt220", "ansi", "dumb", "tmux", "rxvt"})
"""Terminal types to which Textual sends 16 colours."""
