"""The kept places: one of them to go to, or to forget; what was forgotten by mistake comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from widgets.dialog import Choice, ChoiceDialog, key_hints

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Forget: TypeAlias = "Callable[[str], Awaitable[Sequence[Choice] | None]]"
"""Forgets the one of this name, and gives those that are left; None where it was said why it was not forgotten."""
BringBack: TypeAlias = "Callable[[], Awaitable[Sequence[Choice] | None]]"
"""Brings the last forgotten one back, in the same way."""


class MarksDialog(ChoiceDialog):
    """Gives the name of the mark to go to. A mark is the user's own: forgetting one asks nothing, and can be undone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "forget", "forget", id="marks.forget", show=False, tooltip="forget this mark"),
        Binding("u", "undo", "undo", id="marks.undo", show=False, tooltip="bring the last forgotten one back"),
    ]

    def __init__(self, choices: Sequence[Choice], forget: Forget, bring_back: BringBack) -> None:
        super().__init__("Marks", choices, ":mark NAME keeps where you are", heading="MARK")
        self._forget = forget
        self._bring_back = bring_back
        self._forgotten: list[str] = []
        self._turn = asyncio.Lock()

    def keys(self) -> Content:
        """Undo is named with what it would bring back, once there is something."""
        undo = [("u", f"undo {self._forgotten[-1]}")] if self._forgotten else []
        left = [("Enter", "go"), ("d", "forget")] if self.choices else []
        return key_hints(*left, *undo, ("Esc", "close"))

    @work(group="marks-change", exit_on_error=False)
    async def action_forget(self) -> None:
        """The one under the cursor, once what was asked before is done."""
        async with self._turn:
            chosen = self.table.cursor_row
            left = await self._forget(chosen.key) if chosen is not None else None
            if chosen is not None and left is not None:
                self._forgotten.append(chosen.key)
                await self._show(left)

    @work(group="marks-change", exit_on_error=False)
    async def action_undo(self) -> None:
        """The last one that was forgotten; once more for the one before."""
        async with self._turn:
            if self._forgotten:
                left = await self._bring_back()
                name = self._forgotten.pop()
                await self._show(self.choices if left is None else left)
                self.table.move_to(name)

    async def _show(self, left: Sequence[Choice]) -> None:
        self.show_choices(left)
        await self.table.settled()
