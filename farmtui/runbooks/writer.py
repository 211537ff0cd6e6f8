"""What a runner writes into the journal: in order, many notes at once, and through an outage of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from farmtui.journal.entry import Entry, Note
from farmtui.journal.store import Guard, Journal, Lease, UnavailableError

T = TypeVar("T")

RETRY_S: Final = 0.5
"""Pause before a database that did not answer is tried again."""


def _future() -> asyncio.Future[tuple[Entry, ...]]:
    return asyncio.get_running_loop().create_future()


@dataclass
class _Letter:
    notes: tuple[Note, ...]
    guard: Guard | None
    written: asyncio.Future[tuple[Entry, ...]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Writer:
    """Writes under one lease. A context manager: at its end everything is written, or has failed."""

    def __init__(self, journal: Journal, lease: Lease) -> None:
        self._journal = journal
        self._lease = lease
        self._letters: asyncio.Queue[_Letter | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Writer:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._letters.put_nowait(None)
        await self._task

    async def write(self, *notes: Note, guard: Guard | None = None) -> tuple[Entry, ...]:
        """Write notes, and return when they are written. Raises FencedError, RefusedError, JournalError.

        While the database does not answer it waits: what has happened is not forgotten. Cancelling the caller does not
        take back what was handed in.
        """
        letter = _Letter(notes, guard)
        self._letters.put_nowait(letter)
        return await asyncio.shield(letter.written)

    async def _work(self) -> None:
        while (letter := await self._letters.get()) is not None:
            bundle = [letter]
            # Whatever waits goes in one transaction: each costs the disk a turn.
            while letter.guard is None and not self._letters.empty():
                following = self._letters.get_nowait()
                if following is None:
                    self._letters.put_nowait(None)
                    break
                if following.guard is not None:
                    await self._deliver(bundle)
                    bundle = []
                bundle.append(following)
                letter = following
            await self._deliver(bundle)

    async def _deliver(self, bundle: list[_Letter]) -> None:
        notes = [note for letter in bundle for note in letter.notes]
        try:
            entries = await persistent(lambda: self._journal.append(*notes, lease=self._lease, guard=bundle[0].guard))
        except Exception as error:  # noqa: BLE001 - each writer is told, whatever it is
            for letter in bundle:
                if not letter.written.cancelled():
                    letter.written.set_exception(error)
                    # Nobody may wait for it any more.
                    letter.written.exception()
            return
        start = 0
        for letter in bundle:
            if not letter.written.cancelled():
                letter.written.set_result(entries[start : start + len(letter.notes)])
            start += len(letter.notes)


async def persistent(work: Callable[[], T]) -> T:
    """Do something with the journal in a thread, again and again while its database does not answer."""
    while True:
        try:
            return await asyncio.to_thread(work)
        except UnavailableError:
            await asyncio.sleep(RETRY_S)
