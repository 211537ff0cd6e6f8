"""Letters and digits of pixels, five high: what is read from across the room, by whatever draws it."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Final

HEIGHT: Final = 5

PIXELS: Final = MappingProxyType({
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    "-": ("   ", "   ", "###", "   ", "   "),
    "+": ("   ", " # ", "###", " # ", "   "),
    ".": (" ", " ", " ", " ", "#"),
    ",": (" ", " ", " ", " ", "#"),
    ":": (" ", "#", " ", "#", " "),
    "/": ("  #", "  #", " # ", "#  ", "#  "),
    "%": ("# #", "  #", " # ", "#  ", "# #"),
    "<": ("  #", " # ", "#  ", " # ", "  #"),
    ">": ("#  ", " # ", "  #", " # ", "#  "),
    "$": ("###", "## ", "###", " ##", "###"),
    " ": (" ", " ", " ", " ", " "),
})  # fmt: skip
"""Figures and what stands beside them."""

LETTERS: Final = MappingProxyType({
    "A": ("###", "# #", "###", "# #", "# #"),
    "B": ("## ", "# #", "## ", "# #", "## "),
    "C": ("###", "#  ", "#  ", "#  ", "###"),
    "D": ("## ", "# #", "# #", "# #", "## "),
    "E": ("###", "#  ", "## ", "#  ", "###"),
    "F": ("###", "#  ", "## ", "#  ", "#  "),
    "G": ("####", "#   ", "# ##", "#  #", "####"),
    "H": ("# #", "# #", "###", "# #", "# #"),
    "I": ("#", "#", "#", "#", "#"),
    "J": ("  #", "  #", "  #", "# #", "###"),
    "K": ("#  #", "# # ", "##  ", "# # ", "#  #"),
    "L": ("#  ", "#  ", "#  ", "#  ", "###"),
    "M": ("#   #", "## ##", "# # #", "#   #", "#   #"),
    "N": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "O": ("###", "# #", "# #", "# #", "###"),
    "P": ("###", "# #", "###", "#  ", "#  "),
    "Q": ("####", "#  #", "#  #", "# ##", "####"),
    "R": ("###", "# #", "## ", "# #", "# #"),
    "S": ("###", "#  ", "###", "  #", "###"),
    "T": ("###", " # ", " # ", " # ", " # "),
    "U": ("# #", "# #", "# #", "# #", "###"),
    "V": ("# #", "# #", "# #", "# #", " # "),
    "W": ("#   #", "#   #", "# # #", "## ##", "#   #"),
    "X": ("# #", "# #", " # ", "# #", "# #"),
    "Y": ("# #", "# #", " # ", " # ", " # "),
    "Z": ("###", "  #", " # ", "#  ", "###"),
    "(": (" #", "# ", "# ", "# ", " #"),
    ")": ("# ", " #", " #", " #", "# "),
    "=": ("   ", "###", "   ", "###", "   "),
    "_": ("   ", "   ", "   ", "   ", "###"),
    "#": (" # # ", "#####", " # # ", "#####", " # # "),
    "?": ("###", "  #", " ##", "   ", " # "),
    "!": ("#", "#", "#", " ", "#"),
    "&": (" #  ", "# # ", " #  ", "# ##", " # #"),
    "@": ("####", "#  #", "# ##", "#   ", "####"),
    "*": ("   ", "# #", " # ", "# #", "   "),
    "'": ("#", "#", " ", " ", " "),
    '"': ("# #", "# #", "   ", "   ", "   "),
    ";": (" ", "#", " ", "#", "#"),
    "|": ("#", "#", "#", "#", "#"),
    "[": ("##", "# ", "# ", "# ", "##"),
    "]": ("##", " #", " #", " #", "##"),
})  # fmt: skip
"""Capitals only: at a distance they are told apart best."""

UNKNOWN: Final = ("###", "# #", "# #", "# #", "###")
"""What no shape is known for: an empty box, as in print."""

_SIGNS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


@lru_cache(maxsize=1024)
def enlarged(text: str, scale: int, block: str = "") -> tuple[str, ...]:
    """The text as lines of equal width, `rows_of(scale)` of them.

    A pixel is `scale` columns wide and half as many lines high, so it is square. With `block` whole cells of it,
    for terminals that have no halves: then an odd scale comes out somewhat too high.
    """
    shapes = [PIXELS.get(letter) or LETTERS.get(letter) or UNKNOWN for letter in text.upper()]
    rows = ["".join(pixel * scale for pixel in " ".join(shape[y] for shape in shapes)) for y in range(HEIGHT)]
    halves = [row for row in rows for _ in range(scale)]
    if len(halves) % 2:
        halves.append(" " * len(halves[0]))
    pairs = [zip(halves[at], halves[at + 1], strict=True) for at in range(0, len(halves), 2)]
    if block:
        return tuple("".join(block if "#" in pair else " " for pair in line) for line in pairs)
    return tuple("".join(_SIGNS[above == "#", below == "#"] for above, below in line) for line in pairs)


def rows_of(scale: int) -> int:
    """How many lines a text of this scale is high: 3, 5, 8, 10, 13, ... from 1 on."""
    return (HEIGHT * scale + 1) // 2


def columns_of(text: str, scale: int) -> int:
    """How many columns it is wide."""
    widths = [len((PIXELS.get(letter) or LETTERS.get(letter) or UNKNOWN)[0]) for letter in text.upper()]
    return scale * (sum(widths) + max(0, len(widths) - 1))
