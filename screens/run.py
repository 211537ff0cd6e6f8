"""One run at work: its steps, the current one large, what it prints, and what it asks. To leave it does not stop it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.css.scalar import Scalar
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import duration
from farmtui.runbooks.picture import Standing, Story, standing
from screens.frame import ViewScreen
from screens.lines import Line
from screens.run_words import StepRow, ask, head, people, shown_step, step_rows, step_state, story_line
from widgets import ink
from widgets.live_log import LiveLog
from widgets.live_table import LiveTable
from widgets.table_columns import Column

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.runbooks.picture import Picture
    from farmtui.runbooks.state import RunState
    from screens.places import Place, Subject


class RunScreen(ViewScreen):
    """Attached to a run from its first entry on, whoever started it and wherever it runs."""

    CSS_PATH = "run.tcss"
    AUTO_FOCUS = "#steps"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("run.answer", "a", "answer", "Answer", "Answer what the run asks", ("answer",), shown=True),
    )

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._current = ""
        self._story = Story()
        self._lines: list[Content] = []
        self._shown: dict[str, Content] = {}
        self._followed = False

    def compose_body(self) -> ComposeResult:
        """Head, what is asked, steps beside the one that is looked at, and the story."""
        yield Line(id="head")
        yield Line(id="people")
        yield Static(id="ask", markup=False)
        with Container(id="middle"):
            yield LiveTable[StepRow](
                (
                    Column("number", "", lambda r: r.number, width=2, align="right", priority=0),
                    Column("name", "step", _name, width=16, flex=1, priority=0),
                    Column("state", "state", step_state, width=11, priority=0),
                    Column("took", "took", lambda r: duration(r.took_s) if r.took_s is not None else "", width=7,
                           align="right", priority=1),
                ),
                key=lambda row: row.id,
                freshness=lambda row: Freshness.LIVE if row.word not in ("", "next") else Freshness.AGEING,
                noun="steps",
                id="steps",
            )  # fmt: skip
            with VerticalScroll(id="now-scroll", can_focus=False):
                yield Static(id="now", markup=False)
        yield LiveLog(id="story")

    def on_mount(self) -> None:
        """Let the times go on."""
        super().on_mount()
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        """Nobody looks any more; the run goes on."""
        if self.console.remedies is not None and self._followed:
            self.console.remedies.leave(self.subject.key)

    @property
    def state(self) -> RunState | None:
        """The run as it is known now."""
        remedies = self.console.remedies
        return remedies.picture.run(self.subject.key) if remedies is not None else None

    def show_remedies(self, picture: Picture) -> None:
        """Everything from the newest picture. It is followed from the first one on: before it there is no journal."""
        if not self._followed and self.console.remedies is not None:
            self._followed = True
            self.console.remedies.follow(self.subject.key)
        state = picture.run(self.subject.key)
        if state is None:
            words = picture.trouble or f"The journal does not know the run {self.subject.key}."
            self.query_one("#head", Line).show(Content.styled(words, ink.WARNING))
            return
        rows = step_rows(state, datetime.now(UTC))
        table = self.query_one("#steps", LiveTable)
        table.set_rows(rows)
        # Where steps stand above the story, they leave it half of the room.
        most = max(3, self.size.height // 3) if self.size.height else 8
        height = min(len(rows) + 1, most)
        if table.styles.inline.height != Scalar.from_number(height):
            table.styles.height = height
            self.query_one("#now-scroll").styles.max_height = max(height, 8)
        # Of a run that has ended the end is looked at.
        current = next((row.id for row in rows if row.current), rows[-1].id)
        if current != self._current:
            table.move_to(current)
        self._current = current
        self._show_story(picture.stories.get(self.subject.key, self._story))
        self._show_times(state, picture)

    def _tick(self) -> None:
        """Times go on while nothing is written."""
        remedies = self.console.remedies
        if remedies is None or self.app.screen is not self:
            return
        state = remedies.picture.run(self.subject.key)
        if state is not None and state.outcome is None:
            self.query_one("#steps", LiveTable).set_rows(step_rows(state, datetime.now(UTC)))
            self._show_times(state, remedies.picture)

    def _show_times(self, state: RunState, picture: Picture) -> None:
        now = datetime.now(UTC)
        holder = picture.holders.get(state.run, "")
        how: Standing = standing(state, now, holder)
        self.query_one("#head", Line).show(*head(state, how, now))
        self.query_one("#people", Line).show(*people(state, holder))
        asked = ask(state, how, now, picture.trouble)
        box = self.query_one("#ask")
        box.display = asked is not None
        box.set_class(how.severity is Severity.CRITICAL or bool(state.glass_broken), "-critical")
        self._put("ask", asked or Content())
        self._show_step()

    @on(LiveTable.RowHighlighted, "#steps")
    def _show_step(self) -> None:
        state, row = self.state, self._row
        if state is not None and row is not None:
            self._put("now", shown_step(state, row.id, datetime.now(UTC)))

    def _show_story(self, story: Story) -> None:
        """Only lines that are new are made anew."""
        if story is self._story:
            return
        gone = story.dropped - self._story.dropped
        kept = (
            self._lines[gone:] if 0 <= gone <= len(self._lines) and len(story.lines) >= len(self._lines) - gone else []
        )
        self._lines = [*kept, *map(story_line, story.lines[len(kept) :])]
        self._story = story
        self.query_one("#story", LiveLog).show(self._lines, story.dropped)

    def _put(self, where: str, text: Content) -> None:
        """Update only what differs: an update with the same text would be sent again."""
        if where not in self._shown or not self._shown[where].is_same(text):
            self._shown[where] = text
            self.query_one(f"#{where}", Static).update(text)

    @property
    def _row(self) -> StepRow | None:
        table: LiveTable[Any] = self.query_one("#steps", LiveTable)
        row = table.cursor_row
        return row if isinstance(row, StepRow) else None

    # -- what can be done -----------------------------------------------------------------------

    def selected(self) -> Subject:
        """The run itself."""
        return self.subject

    def action_answer(self) -> None:
        """Answer what the run asks."""
        from screens.actions import perform

        perform(self.app, "run.answer", self.subject)

    @on(LiveTable.RowSelected, "#steps")
    def _step_raw(self) -> None:
        """Everything that is known of a step."""
        state, row = self.state, self._row
        if state is None or row is None:
            return
        from screens.raw import RawScreen

        known = state.undone.get(row.id) or state.steps.get(row.id)
        about: object = {"verify": state.plan.model_dump(mode="json")["verify"], "values": state.values}
        if known is not None:
            about = {
                "step": known.step.model_dump(mode="json"), "outcome": known.outcome, "why": known.why,
                "values": known.values, "parts": known.parts,
            }  # fmt: skip
        self.app.push_screen(RawScreen(f"{self.subject.title}: {row.name}", about))


def _name(row: StepRow) -> Content | str:
    return Content.styled(row.name, ink.STRONG) if row.current else row.name
