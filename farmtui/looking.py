"""The console's looks: what is asked about the one thing that is on the screen, and kept while it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from farmtui.farm.looks import Look

if TYPE_CHECKING:
    from farmtui.config import Config
    from farmtui.farm.farm import Farm
    from farmtui.sources.looking import Looking

KINDS: Final = frozenset({"pve-task", "guest", "droplet"})
"""Kinds of subjects about which more is asked than is in the picture."""
AGAIN_S: Final = 10.0
"""What is on the screen is asked about again after so long."""


class Looks:
    """One thing at a time: what was found about the last one is forgotten when another is looked at."""

    def __init__(self, config: Callable[[], Config | None]) -> None:
        """`config` gives the one that holds now: things are asked about by it."""
        self._holds = config
        self._config: Config | None = None
        self._looking: Looking | None = None
        self._about = ("", "")
        self._look: Look | None = None
        self._asked_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def of(self, farm: Farm, kind: str, key: str, then: Callable[[], None]) -> Look | None:
        """What is known about a thing now; where that is nothing or old it is asked, and `then` called with the answer.

        None while nothing has been answered yet, and for kinds about which nothing is asked.
        """
        config = self._holds()
        if kind not in KINDS or config is None:
            return None
        if config is not self._config:
            self._config, self._looking = config, None
        if self._about != (kind, key):
            self._about, self._look, self._asked_at = (kind, key), None, float("-inf")
            if self._task is not None:
                self._task.cancel()
                self._task = None
        now = asyncio.get_running_loop().time()
        if (self._task is None or self._task.done()) and now - self._asked_at >= AGAIN_S:
            self._asked_at = now
            self._task = asyncio.create_task(self._ask(farm, kind, key, then))
        return self._look

    async def _ask(self, farm: Farm, kind: str, key: str, then: Callable[[], None]) -> None:
        looking = self._looking if self._looking is not None else await asyncio.to_thread(self._connect)
        found = await looking.look(farm, kind, key)
        # A failure does not take away what was seen before.
        if found is not None and (self._look is None or found.found is not None or self._look.found is None):
            self._look = found
        elif found is not None and self._look is not None:
            self._look = Look(self._look.at, self._look.found, found.problem)
        then()

    def _connect(self) -> Looking:
        from farmtui.sources.looking import Looking

        assert self._config is not None
        looking = self._looking = Looking(self._config)
        return looking
