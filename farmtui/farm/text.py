"""Untrusted text made safe to show, once, where it enters the farm.

A label, an annotation or a line of command output may hold characters that move a cursor, rewrite a title, fill a
clipboard, reorder what is read (bidi overrides) or hide. Each becomes one visible placeholder, so that what was
there is seen to be odd, and the text keeps its length. `farmtui.term.cells` is the second wall: it lets none of
them out of a cell, whatever reached it.
"""

import re
import unicodedata
from typing import Final

__all__ = ["ELLIPSIS", "LIMIT", "PLACEHOLDER", "clean_text", "visible"]

PLACEHOLDER: Final = "\ufffd"
"""Stands for one character that must not be shown: one cell wide in every terminal."""

ELLIPSIS: Final = "…"
"""Ends a text that was cut."""

LIMIT: Final = 4096
"""Characters that are kept of a text unless the caller says otherwise."""

_MARKS_PER_BASE: Final = 8
"""Combining marks kept on one base character: more is not writing, it is a flood that spills over other lines."""

_EMOJI: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_TONE_OR_VARIATION: Final = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
_EMOJI_SEQUENCE: Final = (
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"  # the flags of regions, spelled in tags
    f"|{_EMOJI}{_TONE_OR_VARIATION}?(?:\u200d{_EMOJI}{_TONE_OR_VARIATION}?)*"
    "|[0-9#*]\ufe0f\u20e3?"
)
_UNSAFE: Final = (
    "["
    "\u0000-\u001f\u007f-\u009f"  # C0, DEL, C1: NEL and the 8-bit CSI, DCS and OSC among them
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, joiners and fillers: unseen
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, marks, separators, bidi overrides and isolates
    "\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"  # selectors, byte order, halves of a pair
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U00013430-\U0001345f"  # shorthand, music, hieroglyphs
    "\U000e0000-\U000e0fff"  # tags
    "]"
)
_HIDDEN: Final = re.compile(f"({_EMOJI_SEQUENCE})|{_UNSAFE}")
_HIDDEN_KEEPING_LINES: Final = re.compile(f"({_EMOJI_SEQUENCE}|[\n\t])|{_UNSAFE}")
_LINE_END: Final = re.compile("\r\n?")


def visible(text: str, *, multiline: bool = False) -> str:
    """`text` with each character that controls or hides replaced by `PLACEHOLDER`.

    A joiner or a variation selector stays where it makes an emoji. The result has exactly as many characters as
    `text`. With `multiline`, newlines and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    pattern = _HIDDEN_KEEPING_LINES if multiline else _HIDDEN
    return pattern.sub(lambda found: found[1] or PLACEHOLDER, text)


def clean_text(value: str, *, multiline: bool = False, limit: int | None = LIMIT) -> str:
    """Untrusted text as a value that is safe in a cell, a log line or a file.

    On one line (the default) a tab becomes a space, each line end becomes `↵`, and white space at both ends goes. With
    `multiline` newlines and tabs stay and `\\r\\n` is a newline. Control characters, bidi overrides and what else
    would act or hide become `PLACEHOLDER` each; floods of combining marks are cut. At most `limit` characters come
    back (None: no limit), the last being `ELLIPSIS` if any was lost. Cleaning twice is cleaning once.

    Raises ValueError if `limit` is less than 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}: at least 1 character must be kept")
    if limit is not None and len(value) > 4 * limit:
        # What is cut must not be paid for: the value may be a command's whole output.
        text, cut = value[: 4 * limit], True
    else:
        text, cut = value, False
    if not text.isascii() or not text.isprintable():
        text = _LINE_END.sub("\n", text)
        if not multiline:
            text = text.strip(" \n\t").replace("\t", " ").replace("\n", "↵")
        text = _thin_marks(visible(text, multiline=multiline))
    if not multiline:
        text = text.strip(" ")
    if limit is not None and (cut or len(text) > limit):
        # A joiner with nothing left to join would be a hidden character again.
        text = text[: limit - 1].rstrip("\u200d") + ELLIPSIS
        if max(text) >= "\U000e0000":
            text = visible(text, multiline=multiline)  # the cut may have broken a flag's run of tags
    return text


def _thin_marks(text: str) -> str:
    """`text` with at most `_MARKS_PER_BASE` combining marks after each base character."""
    if text.isascii():
        return text
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if run <= _MARKS_PER_BASE:
            kept.append(character)
    return "".join(kept)
