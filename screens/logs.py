"""A log: followed at its end, left where one reads; time, unit and priority are a key away, and nothing is changed."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.content import Content
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.actions import ActionError
from farmtui.farm.state import Severity
from farmtui.farm.units import plural
from farmtui.tail.line import LogLine
from farmtui.tail.saving import save
from farmtui.tail.standing import State, empty_words
from farmtui.tail.target import LEVELS, WINDOWS_S, MachineLog, Wanted
from screens.frame import ViewScreen
from screens.lines import Line
from screens.log_targets import down_of, target_of, units_of
from screens.log_words import (
    SOURCE_WIDTHS,
    count_text,
    down_text,
    line_text,
    standing_text,
    trouble_text,
    wanted_text,
)
from screens.places import Subject
from widgets import ink
from widgets.dialog import Choice, ChoiceDialog
from widgets.live_log import LiveLog
from widgets.log_lines import LogLines
from widgets.table_paint import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.tail.desk import LogReader
    from farmtui.tail.follow import Tail
    from screens.log_targets import Down
    from screens.places import Place

REFRESH_S = 0.2
PATIENCE_S = 0.5
"""How long a new filter may take over all lines. RE2 is never caught for ever; 20,000 lines add up all the same."""
ALL = "*"
"""The choice that is no unit."""


class LogScreen(ViewScreen):
    """The log of a machine, of a unit of it, or of a Swarm service."""

    CSS_PATH = "logs.tcss"
    AUTO_FOCUS = "#lines"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("logs.follow", "f", "follow", "Follow", "Follow the end, or pause", ("follow",), shown=True),
        Command("logs.window", "t", "window(1)", "Time", "A longer window: 5 min, 15 min, 1 h, 6 h, 24 h", shown=True),
        Command("logs.window.back", "T", "window(-1)", "Time", "A shorter window"),
        Command("logs.unit", "u", "unit", "Unit", "Choose another unit of the machine", ("units",), shown=True),
        Command("logs.level", "p", "level", "Level", "All, warnings and worse, errors and worse", shown=True),
        Command("logs.wrap", "w", "wrap", "Wrap", "Wrap long lines, or pan them", ("wrap",), shown=True),
        Command("logs.save", "e", "save", "Save", "Write what is shown to a file, redacted", ("save",), shown=True),
        Command("logs.again", "r", "again", "Again", "Read it again from the beginning", ("again",)),
        Command("logs.unit.of", "", "screen.use_unit", "Unit", "Another unit of the machine", ("unit",),
                argument="unit"),
    )  # fmt: skip

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._target = target_of(self.subject)
        self._wanted = Wanted()
        self.reader: LogReader | None = None
        self.tail: Tail | None = None
        self._down: tuple[Farm | None, Down | None] = (None, None)
        """A picture of the farm, and what it says of a machine that is down."""
        self._anyway = False
        """Whether somebody wants to try a machine that is switched off."""
        self._texts: list[Content] = []
        """All lines that are kept, as they are painted; one for each of the ring's."""
        self._first = 0
        """The number of the first of them, counted from the first that ever came."""
        self._shown: list[Content] = []
        self._numbers: list[int] = []
        """Of the lines that are shown: their numbers."""
        self._gone = 0
        self._paused_at = 0
        self._source_width = 8
        self._said: dict[str, Content] = {}

    def compose_body(self) -> ComposeResult:
        """What is read and how it stands, what is wrong, and the lines."""
        yield Line(id="head")
        yield Static(id="trouble", markup=False)
        yield LogLines(id="lines")

    def on_mount(self) -> None:
        """Begin to read."""
        super().on_mount()
        self.query_one("#trouble").display = False
        self.set_interval(REFRESH_S, self._refresh)
        self._begin()

    def on_unmount(self) -> None:
        """What is followed ends with its screen."""
        self._leave()

    def _leave(self) -> None:
        reader, self.reader = self.reader, None
        if reader is not None:
            self.console.logs.leave(reader)

    def selected(self) -> Subject:
        """The machine or the service whose log it is, for everything but what is copied."""
        if isinstance(self._target, MachineLog):
            return Subject("node", self._target.host, self._target.host)
        return Subject(f"swarm-{self._target.what}", self._target.ident, self._target.title)

    @property
    def _lines(self) -> LogLines:
        return self.query_one("#lines", LogLines)

    # -- reading --------------------------------------------------------------------------------

    @work(exclusive=True, group="log", exit_on_error=False)
    async def _begin(self) -> None:
        """Read the log anew, by the connection that there is."""
        self.tail = None
        self._look()
        self._forget()
        if refusal := self.console.logs.refusal:
            self._put("trouble", Content.styled(refusal, ink.WARNING))
            return
        if self.waits:
            self._leave()
            return
        if self.reader is None:
            self.reader = self.console.logs.reader()
        self.tail = await self.reader.read(self._target, self._wanted, self.console.farm)

    def _look(self) -> None:
        """What the newest picture says of the machine."""
        farm = self.console.farm
        if self._down[0] is not farm or farm is None:
            self._down = farm, down_of(farm, self._target)

    @property
    def waits(self) -> bool:
        """Whether nothing is asked, since the machine is switched off and nobody has said to try."""
        down = self._down[1]
        return down is not None and down.off and not self._anyway

    def _forget(self) -> None:
        self._texts, self._first = [], 0
        self._shown, self._numbers, self._gone = [], [], 0
        self._source_width = 8
        self._lines.show_lines(self._shown, 0)
        self._lines.follow()
        self._show_words()

    def _refresh(self) -> None:
        """Paint what has come since."""
        if self.app.screen is not self:
            return
        waited = self.waits
        self._look()
        if waited and not self.waits:
            # It is on again.
            self._begin()
            return
        if self.tail is not None:
            self._catch_up(self.tail)
            self._show_words()

    def _catch_up(self, tail: Tail) -> None:
        ring = tail.ring
        if ring.total != self._first + len(self._texts) or ring.dropped != self._first:
            fresh = ring.lines[max(0, self._first + len(self._texts) - ring.dropped) :]
            del self._texts[: ring.dropped - self._first]
            self._first = ring.dropped
            self._take(fresh)

    def _take(self, lines: Sequence[LogLine]) -> None:
        widest = min(self._source_most, max((width_of(line.source) for line in lines), default=0))
        if widest > self._source_width:
            # The lines before stand further left: a wider name comes now and then only.
            self._source_width = widest
            self._show_anew()
            return
        today, width = datetime.now(UTC), self._source_width
        number = self._first + len(self._texts)
        for line in lines:
            text = line_text(line, today, width)
            self._texts.append(text)
            if self._passes(line, text):
                self._shown.append(text)
                self._numbers.append(number)
            number += 1
        gone = bisect_left(self._numbers, self._first)
        del self._shown[:gone], self._numbers[:gone]
        self._gone += gone
        self._lines.show_lines(self._shown, self._gone)

    def _passes(self, line: LogLine, text: Content) -> bool:
        found = self.row_filter
        if not found:
            return True
        labels = {"source": line.source, "unit": line.unit, "priority": line.word} if found.labels else {}
        return found.passes(text.plain, labels)

    def _show_anew(self) -> None:
        """The same lines, painted otherwise."""
        if self.tail is None:
            return
        ring = self.tail.ring
        self._texts, self._first = [], ring.dropped
        self._shown, self._numbers, self._gone = [], [], 0
        self._lines.show_lines((), 0)
        self._take(ring.lines)
        self._show_words()

    @property
    def _source_most(self) -> int:
        return next((width for name, width in SOURCE_WIDTHS.items() if self.has_class(name)), 18)

    def set_filter(self, text: str) -> str:
        """Show only lines that match; gives what is wrong with the filter, and then changes nothing."""
        if self.tail is not None:
            self._catch_up(self.tail)
        before = self.row_filter
        problem = super().set_filter(text)
        if self.row_filter == before or self.tail is None:
            return problem
        if not self._sift(self.tail):
            super().set_filter(before.text)
            return f"this filter takes too long on {len(self._texts):,} lines; write it shorter, or read a shorter time"
        self._lines.follow()
        self._show_words()
        return problem

    def _sift(self, tail: Tail) -> bool:
        """Hold the lines that are there against the filter; whether it came to an end in time."""
        until = monotonic() + PATIENCE_S
        shown: list[Content] = []
        numbers: list[int] = []
        for number, (line, text) in enumerate(zip(tail.ring.lines, self._texts, strict=True), self._first):
            if self._passes(line, text):
                shown.append(text)
                numbers.append(number)
            if monotonic() > until:
                return False
        self._shown, self._numbers, self._gone = shown, numbers, 0
        self._lines.show_lines((), 0)
        self._lines.show_lines(self._shown, 0)
        return True

    def repaint_anew(self) -> None:
        """Another width has another room for names."""
        super().repaint_anew()
        self._source_width = min(self._source_width, self._source_most)
        self.call_after_refresh(self._show_anew)

    # -- words ----------------------------------------------------------------------------------

    @on(LiveLog.Followed)
    def _followed(self) -> None:
        self._paused_at = self.tail.ring.total if self.tail is not None else 0
        self._show_words()

    def _show_words(self) -> None:
        tail, lines = self.tail, self._lines
        standing = tail.standing if tail is not None else None
        below = tail.ring.total - self._paused_at if tail is not None else 0
        dropped = tail.ring.dropped if tail is not None else 0
        gap = Content("  ")
        left = gap.join([
            Content.styled(self._target.title, f"{ink.STRONG} {ink.ACCENT}"),
            standing_text(standing, following=lines.following, below=below, waits=tail is None and self.waits),
            count_text(len(self._shown), len(self._texts), dropped, filtered=bool(self.row_filter)),
        ])  # fmt: skip
        right = wanted_text(self._wanted, service=not isinstance(self._target, MachineLog), wraps=lines.wraps)
        self.query_one("#head", Line).show(left, right)
        down = self._down[1]
        known = down_text(down, waits=self.waits) if down is not None else None
        if tail is None or standing is None:
            if known is not None:
                self._put("trouble", known)
            return
        empty = empty_words(self._target, self._wanted) if tail.empty else ""
        trouble = trouble_text(standing, empty=empty, note=tail.note, more=tail.more)
        if known is not None and standing.state in (State.BEGINS, State.LOST):
            trouble = known if trouble is None else Content("\n").join([known, trouble])
        self._put("trouble", trouble)

    def _put(self, where: str, text: Content | None) -> None:
        shown = self.query_one(f"#{where}", Static)
        if shown.display is not (text is not None):
            shown.display = text is not None
        if text is not None and (where not in self._said or not self._said[where].is_same(text)):
            self._said[where] = text
            shown.update(text)

    # -- what can be done -----------------------------------------------------------------------

    def action_follow(self) -> None:
        """To the end, and stay there; or stay here."""
        if self._lines.following:
            self._lines.pause()
        else:
            self._lines.follow()

    def action_window(self, by: int) -> None:
        """Another stretch of time, up to now."""
        place = WINDOWS_S.index(self._wanted.since_s) + int(by)
        self._want(replace(self._wanted, since_s=WINDOWS_S[place % len(WINDOWS_S)]))

    def action_level(self) -> None:
        """Other priorities."""
        if not isinstance(self._target, MachineLog):
            self.console.say("what a container prints has no priority; / filters by its words", Severity.INFO)
            return
        self._want(replace(self._wanted, level=LEVELS[(LEVELS.index(self._wanted.level) + 1) % len(LEVELS)]))

    def action_again(self) -> None:
        """From the beginning; what is switched off is tried then."""
        self._anyway = True
        self._want(self._wanted)

    def _want(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._begin()

    def action_unit(self) -> None:
        """Choose among the units that are likely here, and those that were heard."""
        if not isinstance(self._target, MachineLog):
            self.console.say("a service has no units", Severity.INFO)
            return
        host = self._target.host
        heard = (
            {line.unit.removesuffix(".service") for line in self.tail.ring.lines} if self.tail is not None else set()
        )
        likely = units_of(self.console.farm, host)
        others = sorted(unit for unit in heard if unit and unit not in likely and not unit.endswith(".scope"))
        choices = [
            Choice(ALL, "all", "the whole journal"),
            *(Choice(unit, unit, "heard here" if unit in heard else "") for unit in likely),
            *(Choice(unit, unit, "heard here") for unit in others),
        ]
        self.app.push_screen(ChoiceDialog(f"Unit on {host}  (or :unit NAME)", choices, heading="UNIT"), self._chosen)

    def _chosen(self, unit: str | None) -> None:
        if unit is not None:
            self.action_use_unit("" if unit == ALL else unit)

    def action_use_unit(self, unit: str) -> None:
        """Read another unit of the machine."""
        unit = unit.strip()
        if not isinstance(self._target, MachineLog):
            self.console.say("a service has no units", Severity.INFO)
        elif unit.startswith("-") or not unit.isprintable() or " " in unit:
            self.console.say(f"{unit!r} is no unit's name", Severity.WARNING)
        else:
            self._target = MachineLog(self._target.host, unit if unit != ALL else "")
            self._begin()

    def action_wrap(self) -> None:
        """Wrap long lines, or pan them."""
        self._lines.toggle_wrap()
        self._show_words()

    def action_copy(self) -> None:
        """Copy the line under the cursor, whole."""
        tail = self.tail
        place = self._numbers[self._lines.cursor] - tail.ring.dropped if tail is not None and self._numbers else -1
        if tail is None or not 0 <= place < len(tail.ring.lines):
            self.console.say("there is no line to copy", Severity.INFO)
        else:
            self.console.clip(tail.ring.lines[place].plain, "the line")

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_save(self) -> None:
        """Write what is shown to a file."""
        if self.console.read_only:
            self.console.say(f"no file is written: {self.console.read_only}", Severity.WARNING)
            return
        tail = self.tail
        if tail is None or not self._numbers:
            self.console.say("there is no line to save", Severity.INFO)
            return
        kept = tail.ring.lines
        chosen = [kept[n - tail.ring.dropped] for n in self._numbers if n >= tail.ring.dropped]
        try:
            path = await asyncio.to_thread(save, self._target.title, chosen)
        except ActionError as error:
            self.console.say(str(error), Severity.CRITICAL)
        else:
            self.console.say(f"saved {plural(len(chosen), 'line')}: {path}")
