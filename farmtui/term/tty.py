"""The line discipline and the size of the terminal."""

from __future__ import annotations

import contextlib
import os
import termios
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["read_attributes", "restore_attributes", "set_raw", "terminal_size"]

_LARGEST: Final = os.terminal_size((1000, 500))
"""Columns and rows beyond which a size is taken for nonsense: more than an 8K display has in its smallest type."""

_DEFAULT: Final = os.terminal_size((80, 24))


def terminal_size(fds: Iterable[int]) -> os.terminal_size:
    """Columns and rows of the first of `fds` that is a terminal and knows them; 80x24 if none does."""
    for fd in fds:
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(fd)
            if size.columns > 0 and size.lines > 0:
                return os.terminal_size((min(size.columns, _LARGEST.columns), min(size.lines, _LARGEST.lines)))
    return _DEFAULT


def read_attributes(fd: int) -> list[Any] | None:
    """The line discipline of `fd`, to be restored later; None if it is no terminal, or not any more."""
    with contextlib.suppress(termios.error):
        return termios.tcgetattr(fd)
    return None


def set_raw(fd: int, *, signals: bool) -> None:
    """Have each byte typed on `fd` delivered at once, unchanged and without an echo; Ctrl+C signals only if `signals`.

    Output is left as it is: what other programs print while we run would stagger down the screen.
    """
    with contextlib.suppress(termios.error):
        attributes = termios.tcgetattr(fd)
        attributes[0] &= ~(
            termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP
        )
        attributes[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | (0 if signals else termios.ISIG))
        attributes[6][termios.VMIN] = 1
        attributes[6][termios.VTIME] = 0
        termios.tcsetattr(fd, termios.TCSANOW, attributes)


def restore_attributes(fd: int, attributes: list[Any]) -> None:
    """Give `fd` its line discipline back, and throw away what was typed for us: reports of the mouse, mostly."""
    with contextlib.suppress(termios.error):
        termios.tcflush(fd, termios.TCIFLUSH)
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
