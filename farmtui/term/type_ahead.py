"""Keys typed ahead: each one waits until what the one before has begun is done.

Textual gives a key to whatever has the focus when the key arrives. Over a slow link several keys arrive at once
(`3/cache`, Enter), and the letters would go to the table that the slash has not left yet, where each is a command.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from textual import events
from textual.app import App, ScreenStackError
from textual.dom import DOMNode

PATIENCE_S: Final = 1.0
"""A widget that is stuck for longer holds no key back."""
ROUNDS: Final = 4
"""A key's event, the message it makes, the message which that makes, and the screen that comes of it."""


class TypeAhead:
    """Gives an app its keys one at a time."""

    def __init__(self, app: App[Any], dispatch: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._dispatch = dispatch
        self._held: deque[events.Key] = deque()
        self.last_s = -PATIENCE_S
        """When the last key was given to the app, by the event loop's clock."""
        self._target: DOMNode = app
        self._settling = 0
        """The serial number of the key that is waited for; 0: none."""
        self._serial = 0
        self._deaf = False

    def hold(self) -> None:
        """Keep every key until `listen`: there is nobody yet to whom it could be given."""
        self._deaf = True

    def listen(self) -> None:
        """Give what was held, in order, and what comes from now on."""
        self._deaf = False
        if self._held and not self._settling:
            self._settle()

    async def key(self, key: events.Key) -> None:
        """Take a key from the terminal: dispatched now, or when those before it have done their work."""
        if self._settling or self._deaf:
            self._held.append(key)
        else:
            await self._give(key)

    async def _give(self, key: events.Key) -> None:
        self._target = self._focus()
        self.last_s = asyncio.get_running_loop().time()
        await self._dispatch(key)
        # However late the next one comes: on a busy machine the work of this one may take longer than a hand does.
        self._settle()

    def _settle(self) -> None:
        """Send a note after the last key, the way that its messages go: from the focus up to the app, and again."""
        self._serial += 1
        self._settling = serial = self._serial
        asyncio.get_running_loop().call_later(PATIENCE_S, self._late, serial)
        self._walk(serial, self._path(self._target), ROUNDS)

    def _walk(self, serial: int, path: Iterator[DOMNode], rounds: int) -> None:
        if serial != self._settling:
            return
        for pump in path:
            if pump.call_later(self._walk, serial, path, rounds):
                return
        if rounds > 1:
            self._walk(serial, self._path(self._focus()), rounds - 1)
        elif not self._app.call_later(self._release, serial):
            self._settling = 0

    def _late(self, serial: int) -> None:
        if serial == self._settling:
            self._app.call_later(self._release, serial)

    async def _release(self, serial: int) -> None:
        if serial != self._settling:
            return
        self._settling = 0
        if self._held:
            await self._give(self._held.popleft())

    def _focus(self) -> DOMNode:
        try:
            return self._app.focused or self._app.screen
        except ScreenStackError:  # no screen yet, or none any more
            return self._app

    def _path(self, target: DOMNode) -> Iterator[DOMNode]:
        return iter(target.ancestors_with_self)
