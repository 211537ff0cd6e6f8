"""The signs that stand beside colours, in two sets: one for Unicode terminals, one for those that show ASCII only."""

from __future__ import annotations

import locale
import os
import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len

from farmtui.farm.state import Freshness, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

ASCII_VARIABLE = "FARMTUI_ASCII"
"""Environment variable: `1` forces ASCII, `0` forces Unicode."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set. Every sign is one cell wide unless it says otherwise."""

    is_ascii: bool
    severity: Mapping[Severity, str]
    freshness: Mapping[Freshness, str]
    cursor: str
    mark: str
    ascending: str
    descending: str
    expanded: str
    collapsed: str
    leaf: str
    branch: str
    """Before a child that is not the last; two cells."""
    last_branch: str
    trunk: str
    blank: str
    hatch: str
    """Fills what is stale."""
    ellipsis: str
    arrow: str
    separator: str
    dot: str
    block: str
    """A full cell, for large digits."""
    bar_full: str
    bar_half: str
    bar_track: str
    bar_limit: str
    """A threshold on a bar."""
    sparks: str
    """Levels of a spark from lowest to highest."""
    spark_gap: str
    grid: str
    threshold: str
    axis: str
    axis_corner: str
    axis_line: str
    axis_tick: str
    rule: str
    beat: str
    """Frames of the heartbeat."""
    cut_left: str
    cut_right: str
    thumb_vertical: str
    thumb_horizontal: str


UNICODE = Glyphs(
    is_ascii=False,
    severity={
        Severity.OK: "●",
        Severity.INFO: "◆",
        Severity.WARNING: "▲",
        Severity.UNKNOWN: "?",
        Severity.CRITICAL: "✖",
    },
    freshness={
        Freshness.LIVE: "●",
        Freshness.AGEING: "○",
        Freshness.STALE: "▒",
        Freshness.NEVER: "…",
        Freshness.FORBIDDEN: "⊘",
        Freshness.EMPTY: "∅",
        Freshness.ABSENT: "–",
    },
    cursor="▌",
    mark="✓",
    ascending="▲",
    descending="▼",
    expanded="▾",
    collapsed="▸",
    leaf="·",
    branch="├─",
    last_branch="└─",
    trunk="│ ",
    blank="  ",
    hatch="░",
    ellipsis="…",
    arrow="→",
    separator="›",
    dot="·",
    block="█",
    bar_full="━",
    bar_half="╸",
    bar_track="─",
    bar_limit="┼",
    sparks="▁▂▃▄▅▆▇█",
    spark_gap=" ",
    grid="┈",
    threshold="╌",
    axis="│",
    axis_corner="└",
    axis_line="─",
    axis_tick="┴",
    rule="─",
    beat="◐◓◑◒",
    cut_left="‹",
    cut_right="›",
    thumb_vertical="┃",
    thumb_horizontal="━",
)

ASCII = Glyphs(
    is_ascii=True,
    severity={
        Severity.OK: "o",
        Severity.INFO: "i",
        Severity.WARNING: "!",
        Severity.UNKNOWN: "?",
        Severity.CRITICAL: "X",
    },
    freshness={
        Freshness.LIVE: "o",
        Freshness.AGEING: "~",
        Freshness.STALE: ":",
        Freshness.NEVER: ".",
        Freshness.FORBIDDEN: "#",
        Freshness.EMPTY: "0",
        Freshness.ABSENT: "-",
    },
    cursor=">",
    mark="*",
    ascending="^",
    descending="v",
    expanded="-",
    collapsed="+",
    leaf=".",
    branch="|-",
    last_branch="`-",
    trunk="| ",
    blank="  ",
    hatch=":",
    ellipsis="~",
    arrow=">",
    separator=">",
    dot="-",
    block="#",
    bar_full="#",
    bar_half="=",
    bar_track=".",
    bar_limit="|",
    sparks="_.-~=*#",
    spark_gap=" ",
    grid=".",
    threshold="-",
    axis="|",
    axis_corner="+",
    axis_line="-",
    axis_tick="+",
    rule="-",
    beat="|/-\\",
    cut_left="<",
    cut_right=">",
    thumb_vertical="#",
    thumb_horizontal="#",
)

_forced: bool | None = None


def set_ascii(forced: bool | None) -> None:
    """Force ASCII (True) or Unicode (False), as the config says; None lets the terminal decide again."""
    global _forced
    _forced = forced


def glyphs() -> Glyphs:
    """The set in force. Widgets ask at each rendering, so that a switch shows at the next refresh."""
    use_ascii = _wants_ascii_here() if _forced is None else _forced
    return ASCII if use_ascii else UNICODE


def wants_ascii(environ: Mapping[str, str], encoding: str) -> bool:
    """Whether a terminal so described shows ASCII only: FARMTUI_ASCII, then TERM, then the locale's encoding."""
    asked = environ.get(ASCII_VARIABLE, "").strip().lower()
    if asked:
        return asked not in ("0", "no", "false", "off")
    if environ.get("TERM", "") in ("linux", "dumb", "vt100", "vt102", "vt220"):
        return True
    return encoding.replace("-", "").replace("_", "").lower() not in ("utf8", "utf8mb4", "cp65001", "utf16")


@lru_cache(maxsize=1)
def _wants_ascii_here() -> bool:
    # Python's UTF-8 mode and its coercion of the C locale say nothing of the terminal: ask the stream first.
    encoding = getattr(sys.__stdout__, "encoding", None) or locale.getpreferredencoding(False)
    return wants_ascii(os.environ, encoding)


_FOLDED = str.maketrans(
    {
        **dict.fromkeys("─━╌┄┈╍┅┉╴╶╸╺╼╾═–—‐‑−", "-"),
        **dict.fromkeys("│┃╎┆┊╏┇┋╵╷╹╻╽╿║┆", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬┍┑┕┙┝┥", "+"),
        **dict.fromkeys("█▉▊▋▀▄■◼", "#"),
        **dict.fromkeys("▌▐▍▎▏▕", "|"),
        **dict.fromkeys("▁▂▃", "_"),
        **dict.fromkeys("▅▆▇", "#"),
        **dict.fromkeys("▔", "^"),
        **dict.fromkeys("░▒▓", ":"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‘’‚′", "'"),
        **dict.fromkeys("·•∙◦", "."),
        **dict.fromkeys("●○◉◐◓◑◒◌", "o"),
        **dict.fromkeys("▲△▴↑", "^"),
        **dict.fromkeys("▼▽▾↓", "v"),
        **dict.fromkeys("▸▶►→›", ">"),
        **dict.fromkeys("◂◀◄←‹", "<"),
        **dict.fromkeys("✖✗✘×✕", "x"),
        **dict.fromkeys("✓✔", "*"),
        **dict.fromkeys("◆◇", "i"),
        "…": "~",
        "⊘": "#",
        "∅": "0",
        "∞": "8",
        "≥": ">",
        "≤": "<",
        "≈": "~",
        "°": "'",
        "µ": "u",
        "€": "E",
        "£": "L",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


@lru_cache(maxsize=8192)
def to_ascii(text: str) -> str:
    """The text in ASCII with the same width in cells: `–` is `-`, `é` is `e`, what has no likeness is `?`."""
    if text.isascii():
        return text
    return "".join(_fold(character) for character in text.translate(_FOLDED))


def _fold(character: str) -> str:
    if character.isascii():
        return character
    width = cell_len(character)
    if width == 0:
        return ""
    if 0x2801 <= ord(character) <= 0x28FF:  # braille of a chart
        return "*"
    bare = unicodedata.normalize("NFKD", character)[0]
    return (bare if bare.isascii() and bare.isprintable() else "?") + "?" * (width - 1)
