"""A command that ends with its connection: without a terminal sshd leaves it running, for ever where it is silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MARK: Final = "farmtui-leash"
"""Its name among a host's processes."""

_SCRIPT: Final = """\
exec 3<&0
"$@" </dev/null 3<&- & c=$!
{ cat <&3; kill $c; } >/dev/null 2>&1 & w=$!
exec 3<&-
wait $c; s=$?
kill $w 2>/dev/null
exit $s
"""
"""`cat` reads until the connection is gone: whoever holds its other end says so by letting go."""


def leashed(argv: Sequence[str]) -> list[str]:
    """A command that is ended when its standard input is closed. Its own is empty."""
    return ["sh", "-c", _SCRIPT, MARK, *argv]
