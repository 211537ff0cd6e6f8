"""The remediation as a console has it: runs and books kept in sight, and what people say to runs.

The journal is read in threads: no database, however slow, holds a key up. What is shown is the picture; it is made anew
when something has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar

from farmtui.config import Config
from farmtui.farm.actions import ActionError
from farmtui.farm.farm import Farm
from farmtui.journal.entry import Entry
from farmtui.journal.proof import Proof, prove
from farmtui.journal.store import Journal, JournalError, Reader
from farmtui.logs import log_file
from farmtui.runbooks import kinds
from farmtui.runbooks.decide import Rest, decide
from farmtui.runbooks.desk import Desk
from farmtui.runbooks.instruments import Instruments
from farmtui.runbooks.loading import Shelf, signature
from farmtui.runbooks.people import author, rights
from farmtui.runbooks.picture import ALONE_S, Line, Picture, Story
from farmtui.runbooks.planned import Plan
from farmtui.runbooks.planning import PlanError, Planner
from farmtui.runbooks.process import book_folders, open_journal, open_shelf, start_runner, witness
from farmtui.runbooks.runner import states_of
from farmtui.runbooks.state import RunState, after
from farmtui.runbooks.story import lines_of
from farmtui.unix import unix_groups, unix_user

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S: Final = 1.0
"""How often the journal is looked at."""
FOLLOW_S: Final = 0.3
"""The same, while somebody looks at a run."""
SHELF_S: Final = 5.0
"""How often the books' files are looked at."""
ENDED_KEPT: Final = 200
"""Runs that have ended, of which the state is kept."""
LINES_KEPT: Final = 5_000
"""Lines of a run's story; one that prints more has its beginning in the journal."""
PAGE: Final = 2_000
"""Entries of a story that are read at a time."""


class Remedies:
    """See the module. Its coroutines raise ActionError, in words."""

    def __init__(
        self,
        config: Config,
        config_file: Path,
        *,
        farm: Callable[[], Farm | None],
        on_change: Callable[[], object],
        read_only: str = "",
    ) -> None:
        """`config_file` is what runners are started on; `farm` gives the newest picture of it."""
        self._config = config
        self._config_file = config_file
        self._farm = farm
        self._on_change = on_change
        self._author = author()
        self._rights = rights(config.roles, self._author.user, unix_groups(), read_only=read_only)
        self._picture = Picture(rights=self._rights)
        self._journal: Journal | None = None
        self._seq = -1
        self._states: dict[str, RunState] = {}
        self._followed: dict[str, _Followed] = {}
        self._shelf_signature: object = None
        self._shelf_looked_at = float("-inf")
        self._wanted = asyncio.Event()
        self._alone_since: dict[str, float] = {}
        self._runners: set[int] = set()
        """Process ids of runners that were started from here, and may have ended."""
        self._instruments = Instruments(config, self._present_farm)
        self._unfit = ""
        self._stale = False
        """Whether the config names another journal than the one that is open."""

    def use(self, config: Config, *, read_only: str = "", unfit: str = "") -> None:
        """Go on under another config: what it allows holds at once, its journal and books from the next look on.

        `unfit` is why no run can begin though the user may begin one: the file has mistakes, and runners, who read it
        themselves, act on none that has.
        """
        before, self._config, self._unfit = self._config, config, unfit
        self._rights = rights(config.roles, self._author.user, unix_groups(), read_only=read_only)
        self._picture = replace(self._picture, rights=self._rights)
        if config != before:
            self._stale = self._stale or config.journal != before.journal
            self._shelf_looked_at, self._shelf_signature = float("-inf"), None
            self._instruments.close()
            self._instruments = Instruments(config, self._present_farm)
        self._wanted.set()

    @property
    def picture(self) -> Picture:
        """Runs and books as they are known now."""
        return self._picture

    @property
    def user(self) -> str:
        """Who sits at this console."""
        return self._author.user

    # -- keeping in sight -----------------------------------------------------------------------

    async def watch(self) -> None:
        """Look at the journal and the books again and again, until cancelled."""
        try:
            while True:
                before = self._picture
                if self._stale:
                    self._followed = {run: _Followed() for run in self._followed}
                try:
                    # What is allowed may have changed while it was read.
                    self._picture = replace(await asyncio.to_thread(self._look), rights=self._rights)
                except JournalError as error:
                    self._picture = replace(before, trouble=str(error))
                except Exception as error:
                    # Not its text: it may hold anything.
                    log.exception("the journal cannot be looked at: %s", type(error).__name__)
                    self._picture = replace(before, trouble=f"{type(error).__name__}: see {log_file()}, and report it")
                if self._picture != before:
                    self._tell()
                await self._see_to_runners()
                # Not wait_for: before Python 3.12 it may swallow being cancelled.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FOLLOW_S if self._followed else LOOK_S):
                        await self._wanted.wait()
                self._wanted.clear()
        finally:
            self._instruments.close()
            if self._journal is not None:
                self._journal.close()

    def _tell(self) -> None:
        try:
            self._on_change()
        except Exception:
            # What cannot be shown now must not end the looking: the next picture may be another one.
            log.exception("a picture of the runs could not be shown")

    def follow(self, run: str) -> None:
        """Keep a run's story in the picture, from its first entry on, until `leave`."""
        self._followed.setdefault(run, _Followed())
        self._wanted.set()

    def leave(self, run: str) -> None:
        """Nobody looks at its story any more."""
        self._followed.pop(run, None)

    def _look(self) -> Picture:
        """Read what is new. In a thread."""
        if self._stale:
            self._stale = False
            self._forget_journal()
        shelf = self._shelf()
        if self._journal is None:
            self._journal = open_journal(self._config)
        return self._journal.read(lambda reader: self._read(reader, shelf))

    def _forget_journal(self) -> None:
        """Another one is opened, and read from its first entry on."""
        journal, self._journal = self._journal, None
        self._seq, self._states = -1, {}
        if journal is not None:
            journal.close()

    def _shelf(self) -> Shelf:
        if monotonic() - self._shelf_looked_at < SHELF_S:
            return self._picture.shelf
        self._shelf_looked_at = monotonic()
        found = signature(book_folders(self._config))
        if found == self._shelf_signature:
            return self._picture.shelf
        self._shelf_signature = found
        return open_shelf(self._config)

    def _read(self, reader: Reader, shelf: Shelf) -> Picture:
        assert self._journal is not None
        head = reader.head()
        if self._seq < 0:
            unended = reader.runs(kinds.PLANNED, kinds.ENDED)
            latest = reader.runs(kinds.PLANNED)[-ENDED_KEPT:]
            self._states = {state.run: state for state in states_of(reader, dict.fromkeys((*unended, *latest)))}
        elif head.seq > self._seq:
            for entry in reader.entries(after=self._seq, kinds=kinds.DECISIVE):
                state = after(self._states.get(entry.run), entry)
                if state is not None:
                    self._states[entry.run] = state
        self._seq = head.seq
        # Somebody may come or leave while it is read.
        followed_now = self._followed.copy()
        for run, followed in followed_now.items():
            followed.take(reader.entries(run=run, after=followed.seq, limit=PAGE))
        runs = sorted(self._states.values(), key=lambda state: state.planned_at, reverse=True)
        ended = [state for state in runs if state.outcome is not None]
        for state in ended[ENDED_KEPT:]:
            del self._states[state.run]
        return Picture(
            shelf=shelf,
            runs=tuple(state for state in runs if state.run in self._states),
            holders={s.run: holder for s in runs if s.outcome is None and (holder := reader.holder(s.run))},
            stories={run: followed.story for run, followed in followed_now.items()},
            rights=self._rights,
            place=self._journal.place,
        )

    async def _see_to_runners(self) -> None:
        """A run that wants a runner and has none gets one: its own may have died with its bastion."""
        self._reap()
        now, clock = datetime.now(UTC), monotonic()
        alone = {
            state.run for state in self._picture.under_way
            if state.run not in self._picture.holders and not isinstance(decide(state, now), Rest)
        }  # fmt: skip
        self._alone_since = {run: self._alone_since.get(run, clock) for run in alone}
        if not self._rights.operate and any(clock - since > ALONE_S for since in self._alone_since.values()):
            self._alone_since = {}
            await self._wake()

    def _reap(self) -> None:
        """Runners that have ended are waited for: nobody else does."""
        self._runners -= {runner for runner in self._runners if os.waitpid(runner, os.WNOHANG)[0]}

    # -- what people say ------------------------------------------------------------------------

    async def plan(self, book: str, texts: Mapping[str, str]) -> Plan:
        """The plan of a run on the farm as this console has it; nothing is written down."""
        farm = self._farm()
        if farm is None:
            raise ActionError("no source has told of the farm yet")
        self._check_fit()
        try:
            return await Planner(self._picture.shelf, self._instruments.measure, unix_user()).plan(book, texts, farm)
        except PlanError as error:
            raise ActionError(str(error)) from None

    async def start(self, plan: Plan, reason: str, *, typed: str = "", break_glass: str = "") -> str:
        """Write a plan down, confirm it and see to a runner; gives the run's id."""

        def work(desk: Desk) -> str:
            run = desk.plan(plan, reason)
            try:
                desk.confirm(run, plan.hash, typed=typed, break_glass=break_glass)
            except JournalError:
                # The plan is not left behind.
                desk.cancel(run, "not confirmed")
                raise
            return run

        self._check_fit()
        return await self._said(work)

    def _check_fit(self) -> None:
        if self._unfit:
            raise ActionError(self._unfit)

    async def answer(self, run: str, question: int, choice: str, note: str = "") -> None:
        """Answer what a run asks; `question` is the number of the one that was seen."""
        await self._said(lambda desk: desk.answer(run, choice, note, question=question))

    async def approve(self, run: str, digest: str) -> None:
        """Approve another's run, by the hash of its plan."""
        await self._said(lambda desk: desk.approve(run, digest))

    async def reject(self, run: str, why: str) -> None:
        """Refuse another's run."""
        await self._said(lambda desk: desk.reject(run, why))

    async def cancel(self, run: str, why: str, *, undo: bool = False) -> None:
        """End a run; with `undo` what was done is taken back, as far as its book can."""
        await self._said(lambda desk: desk.cancel(run, why, undo=undo))

    async def pause(self, run: str, why: str = "") -> None:
        """Let a run begin no further step."""
        await self._said(lambda desk: desk.pause(run, why))

    async def resume(self, run: str) -> None:
        """Let a paused run go on."""
        await self._said(lambda desk: desk.resume(run))

    async def shell_opened(self, host: str) -> None:
        """Write down that a shell is opened on a machine. What is typed there is not the journal's."""
        await self._written(lambda desk: desk.shell(host, {"state": "opened"}))

    async def shell_closed(self, host: str, code: int, lasted_s: float) -> None:
        """Write down that it has ended."""
        body = {"state": "closed", "code": code, "lasted_s": round(lasted_s, 1)}
        await self._written(lambda desk: desk.shell(host, body))

    # -- the record -----------------------------------------------------------------------------

    async def record(self, *, before: int | None = None, limit: int = PAGE) -> list[Entry]:
        """The latest entries (before a number), the newest last, without what commands have printed."""
        return await self._asked(lambda journal: journal.latest(limit, before=before, kinds=kinds.RECORDED))

    async def prove(self) -> Proof:
        """Prove the journal whole; it is read from its first entry on."""

        def work(journal: Journal) -> Proof:
            seen = witness()
            proof = prove(journal, seen)
            if proof.whole:
                seen.saw(proof.head)
            return proof

        return await self._asked(work)

    # -- inside ---------------------------------------------------------------------------------

    async def _said(self, work: Callable[[Desk], T]) -> T:
        said = await self._written(work)
        await self._wake()
        return said

    async def _written(self, work: Callable[[Desk], T]) -> T:
        try:
            return await self._asked(lambda journal: work(Desk(journal, self._author, self._rights)))
        finally:
            self._wanted.set()

    async def _asked(self, work: Callable[[Journal], T]) -> T:
        journal = self._journal
        if journal is None:
            raise ActionError(self._picture.trouble or "the journal is being opened; try again")
        try:
            return await asyncio.to_thread(work, journal)
        except JournalError as error:
            raise ActionError(str(error)) from None

    async def _wake(self) -> None:
        try:
            runner = await asyncio.to_thread(start_runner, self._config_file)
        except OSError as error:
            raise ActionError(f"it is written down, and no runner could be started: {error.strerror}") from None
        self._runners.add(runner)

    async def _present_farm(self) -> Farm:
        farm = self._farm()
        assert farm is not None, "plan has seen to it"
        return farm


class _Followed:
    """The story of one run."""

    def __init__(self) -> None:
        self.seq = 0
        self.story = Story()
        self._lines: deque[Line] = deque(maxlen=LINES_KEPT)
        self._told = 0

    def take(self, entries: list[Entry]) -> None:
        """Go on by these."""
        if not entries:
            return
        for entry in entries:
            lines = [Line(entry.at, entry.kind, text) for text in lines_of(entry)]
            self._lines.extend(lines)
            self._told += len(lines)
        self.seq = entries[-1].seq
        self.story = Story(tuple(self._lines), self._told - len(self._lines))
