"""A cell's style as the codes that make it, and the fewest codes from one style to the next.

A pen is a string: SGR codes as Textual gives them ("1;38;5;12"), with a hyperlink's address after `LINK` if there
is one. "" is the terminal's default.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["LINK", "PLAIN", "change_pen", "linked"]

PLAIN: Final = ""
LINK: Final = "\x1f"

# An address goes out as it is, between the escapes of OSC 8: nothing in it may end them.
_ADDRESS: Final = re.compile(r"[!-~]{1,2048}")

# Attributes that every terminal with colours can take back one by one; for others the pen is reset and drawn anew.
_OFF: Final = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27"}


@dataclass(frozen=True)
class _Parts:
    attributes: frozenset[str]
    foreground: str
    background: str
    link: str


def linked(codes: str, address: str) -> str:
    """The pen of SGR `codes` that also links to `address`; without the link if the address is not printable ASCII."""
    return f"{codes}{LINK}{address}" if _ADDRESS.fullmatch(address) else codes


@lru_cache(maxsize=4096)
def _parts(pen: str) -> _Parts:
    codes, _, link = pen.partition(LINK)
    attributes = set()
    foreground = background = ""
    rest = codes.split(";") if codes else []
    while rest:
        code = rest[0]
        taken = 1
        if code in {"38", "48"}:
            taken = 5 if rest[1] == "2" else 3
            colour = ";".join(rest[:taken])
            if code == "38":
                foreground = colour
            else:
                background = colour
        elif code in {"39", "49"}:
            pass  # the default, which is what a pen has that names none
        elif (len(code) == 2 and code[0] in "39") or (len(code) == 2 and code[0] == "4") or len(code) == 3:
            if code[0] in "39":
                foreground = code
            else:
                background = code
        else:
            attributes.add(code)
        rest = rest[taken:]
    return _Parts(frozenset(attributes), foreground, background, link)


@lru_cache(maxsize=16384)
def change_pen(old: str, new: str) -> str:
    """The shortest escape sequences that turn pen `old` into pen `new`; "" if they look the same."""
    before, after = _parts(old), _parts(new)
    if before.link == after.link:
        link = ""
    elif after.link:
        # Cells with one address and one id are one link, though it wraps over lines.
        link = f"\x1b]8;id={zlib.crc32(after.link.encode()):x};{after.link}\x1b\\"
    else:
        link = "\x1b]8;;\x1b\\"
    return link + _change_codes(before, after)


def _change_codes(before: _Parts, after: _Parts) -> str:
    looks = (after.attributes, after.foreground, after.background)
    if looks == (before.attributes, before.foreground, before.background):
        return ""
    anew = [*sorted(after.attributes), after.foreground, after.background]
    reset = ";".join(["0", *filter(None, anew)]) if any(anew) else ""
    gone = before.attributes - after.attributes
    if not gone <= _OFF.keys():
        return f"\x1b[{reset}m"
    off = {_OFF[attribute] for attribute in gone}
    # 22 takes back bold and dim at once.
    kept = {a for a in before.attributes & after.attributes if _OFF.get(a) not in off}
    codes = [*sorted(off), *sorted(after.attributes - kept)]
    if before.foreground != after.foreground:
        codes.append(after.foreground or "39")
    if before.background != after.background:
        codes.append(after.background or "49")
    step = ";".join(codes)
    return f"\x1b[{min(step, reset, key=len)}m"
