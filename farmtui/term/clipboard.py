"""Copying to the clipboard of the terminal the operator sits at, through OSC 52."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from farmtui.term.capabilities import detect

__all__ = ["CLIPBOARD_LIMIT", "ClipboardError", "copy_sequence"]

CLIPBOARD_LIMIT: Final = 74_994
"""Base64 bytes that terminals take in one OSC 52; several drop a longer one without a word."""

_SCREEN_CHUNK: Final = 512
"""Bytes that GNU screen passes in one device control string; a longer one is cut."""


class ClipboardError(ValueError):
    """The text cannot be copied; the message says why and is meant to be shown."""


def copy_sequence(text: str, env: Mapping[str, str]) -> str:
    """The escape sequence that puts `text` on the clipboard of the terminal that `env` describes.

    Inside tmux it goes twice: wrapped, for `allow-passthrough` and tmux before 3.3, and plain, for
    `set-clipboard on`. Inside GNU screen it goes wrapped in pieces.

    Raises ClipboardError if it is over `CLIPBOARD_LIMIT` when encoded, or the terminal has no such sequence.
    """
    if not detect(env).operating_system_commands:
        raise ClipboardError(f"not copied: a terminal of type {env.get('TERM') or 'unknown'} has no clipboard")
    payload = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(payload) > CLIPBOARD_LIMIT:
        raise ClipboardError(
            f"not copied: {len(text)} characters are {len(payload)} bytes encoded, and terminals take {CLIPBOARD_LIMIT}"
        )
    sequence = f"\x1b]52;c;{payload}\x07"
    if env.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" + sequence
    if env.get("STY"):
        chunks = (sequence[start : start + _SCREEN_CHUNK] for start in range(0, len(sequence), _SCREEN_CHUNK))
        return "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)
    return sequence
