"""One browser's console: a process of its own, ended when the browser is gone, whether or not it wants to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from asyncio.subprocess import PIPE, Process
from typing import TYPE_CHECKING, Any, Final

from textual_serve.app_service import AppService

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from textual_serve.download_manager import DownloadManager

log = logging.getLogger("farmtui.web")

COLUMNS: Final = (20, 500)
LINES: Final = (8, 200)
"""What a browser may ask for: the console keeps all of its cells in memory."""
STOP_S: Final = 3.0


def cells(value: object, least_most: tuple[int, int]) -> int:
    """A number of columns or lines as a browser gives it, kept within reason."""
    least, most = least_most
    try:
        return min(max(int(str(value)), least), most)
    except ValueError:
        return 80 if least_most is COLUMNS else 24


class Session(AppService):
    """An app that is started without a shell, and told nothing of what opens the server."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        withheld: frozenset[str] = frozenset(),
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[Any]],
        downloads: DownloadManager,
    ) -> None:
        super().__init__(
            "", write_bytes=write_bytes, write_str=write_str, close=close, download_manager=downloads
        )  # fmt: skip
        self._arguments = tuple(arguments)
        self._given = dict(environment)
        self._withheld = withheld

    @property
    def process(self) -> Process | None:
        """The app, once it is started."""
        return self._process

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = {
            **self._build_environment(width=width, height=height),
            **self._given,
            # Each of these would have it look for a terminal.
            "LINES": str(height),
            "TERM": "xterm-256color",
        }
        for name in (*self._withheld, "NO_COLOR", "COLORTERM", "TMUX", "STY"):
            environment.pop(name, None)
        self._process = process = await asyncio.create_subprocess_exec(
            *self._arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def set_terminal_size(self, width: int, height: int) -> None:
        """The browser's window has another size."""
        await super().set_terminal_size(cells(width, COLUMNS), cells(height, LINES))

    async def stop(self) -> None:
        """End the app: by its own way, and if it does not go it, by force."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(super().stop(), STOP_S)
        for end in (process.terminate, process.kill):
            if process.returncode is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S)
