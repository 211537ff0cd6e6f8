"""The console that remembers where somebody was: it is written down as it goes, and shown when they come back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from farmtui.app import FarmApp
from farmtui.farm.state import Severity
from farmtui.farm.units import age
from farmtui.resuming import TEXT, Session, SessionError, keep, kept, session_file
from screens.console import SCREENS
from screens.frame import FarmScreen
from screens.places import Place
from widgets.live_table import LiveTable

log = logging.getLogger(__name__)

AWAIT_S: Final = 60.0
"""How long a row is waited for that the cursor was on: until every source had its first answer."""
KEEP_S: Final = 2.0
"""How often it is looked at whether there is something to write down."""


class ReturningApp(FarmApp):
    """FarmApp, with a session that outlives it."""

    def __init__(
        self, *arguments: Any, usual_screen: str = "", restore: bool = True, keep: bool = True, **options: Any
    ) -> None:
        """`usual_screen` is where it begins with no place to come back to. Without `restore` it begins anew.

        What is written down then takes the place of what was. Without `keep` nothing is, of the farm that it begins
        with: a simulated one is gone with the console.
        """
        super().__init__(*arguments, **options)
        self._passing = None if keep else self._opened.file
        self._usual_screen = usual_screen
        self._wants_back = restore
        self._how_anew = "; --fresh begins anew"
        self._back = self._latest = Session()
        self._written: tuple[Path, Session] | None = None
        self._turn = asyncio.Lock()

    def begin(self) -> None:
        """As it began before, or anew; and it is written down from now on."""
        super().begin()
        self.set_interval(KEEP_S, self._note_down)

    def _add_screens(self) -> None:
        """What was written down of this farm is read before its screens are made: a small file of this machine."""
        config, file = self._opened.config, self._opened.file
        if self._wants_back and file is not None and (config is None or config.ui.restore):
            now = datetime.now(UTC)
            try:
                found = kept(session_file(file), now)
            except SessionError as error:
                problem = f"where you were is not known: {session_file(file)} {error}"
                self.call_after_refresh(self.say, problem, Severity.WARNING)
                found = None
            if found is not None:
                self._back, at = found
                self._latest = self._back
                self._come_back(age((now - at).total_seconds()))
        super()._add_screens()

    def _come_back(self, ago: str) -> None:
        """A screen that was asked for is shown all the same, with the history behind it."""
        for place in self._back.places:
            self.history.visit(place)
        self._faults_only = self._back.faults_only
        here = self.history.here
        if here is not None and self._first_screen is None and (here.screen != SCREENS[0].name or here.trail):
            crumbs = " / ".join(here.crumbs)
            self.call_after_refresh(self.say, f"back at {crumbs}, as you left it {ago} ago{self._how_anew}")

    def _first_place(self, first: str) -> Place:
        """Where they were, unless a screen is asked for."""
        if self._first_screen is not None:
            return Place(first)
        return self.history.here or super()._first_place(self._usual_screen or first)

    def _make_screen(self, name: str) -> FarmScreen:
        screen = super()._make_screen(name)
        # It is the screen's own when all of its parts are there.
        screen.call_later(self._resume, screen, name)
        return screen

    def _resume(self, screen: FarmScreen, name: str) -> None:
        if self._back.filters.get(name):
            screen.set_filter(self._back.filters[name])
        for ident, (column, descending) in self._back.sorts.get(name, {}).items():
            for table in screen.query(LiveTable):
                if table.id == ident:
                    table.sort_by(column, descending)
        awaited = self._back.rows.get(name, {})
        for table in screen.query(LiveTable):
            if table.id is not None and table.id in awaited:
                table.await_key(awaited[table.id])
                # A row that comes much later must not take the cursor from who reads at the top.
                screen.set_timer(AWAIT_S, partial(table.await_key, ""))

    # -- writing it down ------------------------------------------------------------------------

    def session(self) -> Session:
        """Where they are now."""
        filters, sorts, rows = dict(self._back.filters), dict(self._back.sorts), dict(self._back.rows)
        for entry in SCREENS:
            screen = self._base(entry.name)
            if screen is not None:
                filters[entry.name] = screen.row_filter.text
                sorts[entry.name] = {
                    table.id: (column, descending)
                    for table in screen.query(LiveTable)
                    for column, descending in [table.sorted_by]
                    if table.id is not None and column is not None
                }
                rows[entry.name] = {
                    table.id: table.kept_key
                    for table in screen.query(LiveTable)
                    if table.id is not None and 0 < len(table.kept_key) <= TEXT
                }
        return Session(self.history.places, filters, sorts, self.faults_only, rows)

    def _base(self, name: str) -> FarmScreen | None:
        """The screen itself, under what is opened on it; None where it was never shown."""
        try:
            stack = self.get_screen_stack(name)
        except KeyError:
            return None
        return stack[0] if stack and isinstance(stack[0], FarmScreen) and stack[0].is_mounted else None

    async def _note_down(self) -> None:
        self._latest = self.session()
        await self._write()

    async def _write(self) -> None:
        file = self._opened.file
        if file is None or file == self._passing:
            return
        now = (session_file(file), self._latest)
        async with self._turn:
            if now == self._written or not now[1].places:
                return
            try:
                await asyncio.to_thread(keep, *now, datetime.now(UTC))
            except OSError as error:
                if self._written is None or self._written[0] != now[0]:
                    log.warning("where somebody is cannot be written down: %s", error.strerror)
            self._written = now

    async def on_unmount(self) -> None:
        """The last moment: the console is left, or its terminal is gone. Its screens are gone already."""
        self._latest = replace(self._latest, places=self.history.places, faults_only=self.faults_only)
        await self._write()

    async def leaving(self) -> None:
        """Another farm is opened: there nothing of this one is resumed, but what was written down of that one.

        What the command line says of where to begin held for the first farm.
        """
        await self._note_down()
        self._back = Session()
        self._wants_back, self._how_anew = True, ""
        self._first_screen, self._usual_screen = None, ""
        await super().leaving()
