"""The themes that the console knows, ours and the user's, and what becomes of them when their files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from farmtui.opened import settled
from themes import load_themes

if TYPE_CHECKING:
    from textual.theme import Theme

Files = frozenset[tuple[str, int, int]]


class Skins:
    """Themes by name."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` holds the user's own; it need not be there."""
        self._folder = folder
        self.known: dict[str, Theme] = {}
        self.problems: tuple[str, ...] = ()
        """What is wrong with files of the user's, a line each."""
        self._files: Files = frozenset()

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return sorted(self.known)

    def load(self) -> list[Theme]:
        """Read them all; gives those that are new or other than before. A few milliseconds, before the first paint."""
        self._files = self._seen()
        themes, problems = load_themes(self._folder)
        changed = [theme for theme in themes if self.known.get(theme.name) != theme]
        self.known = {theme.name: theme for theme in themes}
        self.problems = tuple(problems)
        return changed

    async def watch(self, changed: Callable[[Sequence[Theme]], object]) -> None:
        """Read them again whenever a file of the user's has changed, until cancelled."""

        async def look() -> Files:
            return await asyncio.to_thread(self._seen)

        async for _ in settled(look, self._files):
            changed(self.load())

    def _seen(self) -> Files:
        files: set[tuple[str, int, int]] = set()
        if self._folder is not None and self._folder.is_dir():
            for path in self._folder.glob("*.y*ml"):
                try:
                    told = path.stat()
                except OSError:
                    continue
                files.add((path.name, told.st_mtime_ns, told.st_size))
        return frozenset(files)
