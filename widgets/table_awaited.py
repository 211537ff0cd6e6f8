"""The row that a live table waits for: the one that the cursor was on before, which may come later than the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


class AwaitedRow:
    """Known by the text of its key, as that is what can be written down; empty: none is waited for."""

    def __init__(self) -> None:
        self.text = ""

    def forget(self) -> None:
        """Somebody has moved the cursor."""
        self.text = ""

    def position(self, keys: Sequence[Hashable]) -> int | None:
        """Where it is among these; None while it is not there, or none is waited for."""
        if not self.text:
            return None
        return next((at for at, key in enumerate(keys) if str(key) == self.text), None)
