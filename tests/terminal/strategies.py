"""Random text and styles of the kinds that break terminals."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

PLAIN: Final = ["a", "Z", "0", " ", "~", "é", "ß", "Ω", "Ж", "─", "│", "█", "▁", "⣿", "●", "→", "€", "…", "°"]
WIDE: Final = ["漢", "字", "가", "あ", "ア", "ｗ", "！"]
COMBINING: Final = ["e\u0301", "a\u0308\u0304", "क\u093f", "ก\u0e34", "ו\u05b9"]
EMOJI: Final = [
    "🔥",
    "👍🏽",
    "❤\ufe0f",
    "⚠\ufe0f",
    "1\ufe0f\u20e3",
    "👨\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈",
    "🇩🇪",
    "🇫🇷",
    "⌚",
    "☺",
    "⚠",
]
DOUBTFUL: Final = ["\ue0b0", "\U000f0001", "\u4dc0", "\U0001f1e9", "\u2e3b", "\U0001fb00", "꧁", "ﷺ"]
HOSTILE: Final = ["\x1b", "\x9b", "\x07", "\x00", "\x7f", "\r", "\n", "\t", "\x0e", "\u202e", "\u2066", "\u200b"]

tame_text = st.lists(st.sampled_from(PLAIN * 4 + WIDE * 2), max_size=12).map("".join)
any_text = st.lists(st.sampled_from(PLAIN * 4 + WIDE + COMBINING + EMOJI + DOUBTFUL), max_size=12).map("".join)
hostile_text = st.lists(
    st.one_of(st.sampled_from(PLAIN + WIDE + EMOJI + HOSTILE * 2), st.characters(codec=None)), max_size=12
).map("".join)

colours = st.one_of(
    st.none(),
    st.sampled_from(["default", "red", "bright_blue", "color(9)", "color(123)", "#123456", "#fedcba"]),
)
flags = st.sampled_from([None, True, False])
styles = st.one_of(
    st.none(),
    st.builds(
        Style,
        color=colours,
        bgcolor=colours,
        bold=flags,
        dim=flags,
        italic=flags,
        underline=flags,
        strike=flags,
        reverse=flags,
        blink=st.sampled_from([None, None, True]),
        link=st.sampled_from([None, None, None, "http://10.0.0.1/d/ceph"]),
    ),
)


def segments(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[Segment]]:
    """A line's segments, of one to five styles."""
    return st.lists(st.tuples(text, styles).map(lambda pair: Segment(*pair)), min_size=1, max_size=5)
