"""A login on a simulated machine: a prompt, a line at a time, and the same commands as without one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LONGEST = 4_000
"""Characters of a line."""


class Terminal:
    """What is typed, as lines; echoed where there is a terminal to echo it on."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._keys: asyncio.Queue[int | None] = asyncio.Queue()
        self.is_tty = False

    def typed(self, data: bytes) -> None:
        """Something came."""
        for key in data:
            self._keys.put_nowait(key)

    def ended(self) -> None:
        """Nothing comes any more."""
        self._keys.put_nowait(None)

    def out(self, part: bytes) -> None:
        """Print, as a terminal wants its line ends."""
        self._write(part.replace(b"\n", b"\r\n") if self.is_tty else part)

    async def line(self, prompt: str) -> str | None:
        """The next line; None at the end."""
        if self.is_tty:
            self.out(prompt.encode())
        kept = bytearray()
        while True:
            key = await self._keys.get()
            match key:
                case None:
                    return kept.decode("utf-8", "replace") if kept else None
                case 4 if not kept:  # Ctrl+D
                    self._echo(b"exit\n")
                    return None
                case 3:  # Ctrl+C
                    kept.clear()
                    self._echo(b"^C\n" + prompt.encode())
                case 10 | 13:
                    self._echo(b"\n")
                    return kept.decode("utf-8", "replace")
                case 8 | 127:
                    if kept:
                        # A character, not a byte of it.
                        while len(kept) > 1 and kept[-1] & 0xC0 == 0x80:
                            kept.pop()
                        kept.pop()
                        self._echo(b"\b \b")
                case 21:  # Ctrl+U
                    self._echo(b"\b \b" * len(kept.decode("utf-8", "replace")))
                    kept.clear()
                case _ if key >= 32 and len(kept) < LONGEST:
                    kept.append(key)
                    self._echo(bytes([key]))

    def _echo(self, part: bytes) -> None:
        if self.is_tty:
            self.out(part)


async def logged_in(terminal: Terminal, name: str, user: str, run: Callable[[str], Awaitable[int]]) -> int:
    """Read lines and run them until the end; gives the exit code."""
    if terminal.is_tty:
        terminal.out(f"{name} is simulated: its commands act on the simulated farm. exit ends.\n".encode())
    status = 0
    while (line := await terminal.line(f"{user}@{name}:~$ ")) is not None:
        words = line.split()
        if words and words[0] in ("exit", "logout"):
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else status
        if words:
            status = await run(line)
    return status
