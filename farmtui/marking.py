"""The console that keeps places under names and goes back to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from textual import work

from farmtui.coming_back import ReturningApp
from farmtui.farm.state import Severity
from farmtui.marks import Mark, MarksError, change_marks, checked_name, fits, marks_file, read_marks
from screens.marks_list import MarksDialog
from screens.places import LOGS, Place
from widgets.dialog import Choice
from widgets.live_table import LiveTable
from widgets.prompt import Prompt, Suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from screens.frame import FarmScreen

VIEWS: Final = 16
"""More views than any screen has."""


class MarkingApp(ReturningApp):
    """ReturningApp, with marks."""

    _marks: dict[str, Mark] | None = None

    def action_prompt(self) -> None:
        """The marks are read for completion."""
        super().action_prompt()
        self._look_for_marks()

    def action_ask(self, begun: str) -> None:
        """Open the prompt with a command begun."""
        screen = self._farm_screen()
        self._look_for_marks()
        if screen is not None:
            screen.query_one(Prompt).ask(":", begun, complete=self.complete, history=self._typed)

    @work(exclusive=True, group="marks-read", exit_on_error=False)
    async def _look_for_marks(self) -> None:
        if self._opened.file is not None and not self.is_web:
            await self._with_marks(None)

    def complete(self, typed: str) -> list[Suggestion]:
        """The names of marks, each with what it is."""
        name, space, begun = typed.partition(" ")
        if space and name in ("go", "unmark", "mark"):
            known = sorted((self._marks or {}).items())
            return [Suggestion(f"{name} {one}", mark.words) for one, mark in known if one.startswith(begun)]
        return super().complete(typed)

    async def _with_marks(self, change: Callable[[dict[str, Mark]], None] | None) -> dict[str, Mark] | None:
        """The marks, changed if so wanted; None where it was said why not."""
        file = self._opened.file
        if self.is_web or file is None:
            # Who looks at a served page may be anybody: they neither see nor change the marks of who serves it.
            where = "in a browser" if self.is_web else "of a farm without a config file"
            self.say(f"there are no marks {where}", Severity.WARNING)
            return None
        path = marks_file(file)
        try:
            if file == self._passing:
                found = self._marks or {}, ""
                if change is not None:
                    change(found[0])
            else:
                found = await (
                    asyncio.to_thread(change_marks, path, change) if change else asyncio.to_thread(read_marks, path)
                )
        except MarksError as error:
            self.say(str(error), Severity.WARNING)
            return None
        except OSError as error:
            self.say(f"the marks cannot be kept: {error.strerror}", Severity.WARNING)
            return None
        self._marks, notice = found
        if notice:
            self.say(notice, Severity.WARNING)
        return self._marks

    @work(group="marks", exit_on_error=False)
    async def action_mark(self, name: str) -> None:
        """Keep the present place."""
        mark = self._mark_here()
        if mark is None:
            return

        def change(marks: dict[str, Mark]) -> None:
            if not fits(mark):
                raise MarksError("this place's name or filter is too long to be kept")
            marks[checked_name(name)] = mark

        if await self._with_marks(change) is not None:
            self.say(f"{name} is kept: {mark.words}")

    def _mark_here(self) -> Mark | None:
        here = self.history.here
        screen = self._base(here.screen) if here is not None else None
        if here is None:
            return None
        if screen is None:  # on its way
            return Mark(here, faults_only=self.faults_only)
        sorts = {
            table.id: (column, down)
            for table in screen.query(LiveTable)
            for column, down in [table.sorted_by]
            if table.id is not None and column is not None
        }
        return Mark(here, screen.row_filter.text, sorts, _view(screen), self.faults_only)

    @work(exclusive=True, group="marks-go", exit_on_error=False)
    async def action_goto(self, name: str) -> None:
        """Go to a mark, and look at it as it was looked at."""
        marks = await self._with_marks(None)
        if marks is None:
            return
        if name not in marks:
            hint = f"there are {', '.join(sorted(marks)[:10])}" if marks else ":mark NAME keeps where you are"
            self.say(f"there is no mark {name[:40]!r}; {hint}", Severity.WARNING)
            return
        from screens.known import known_of

        mark = marks[name]
        place = mark.place
        # A log is nothing that the farm knows: its own view says what is wrong with it.
        known = not place.trail or self.farm is None or place.trail[-1].kind == LOGS
        if not known and known_of(self, place.trail[-1]) is None:
            self.say(f"{place.trail[-1].title} is gone; this is its screen", Severity.WARNING)
            place = Place(place.screen)
        self._faults_only = mark.faults_only
        self.go(place)
        self.call_after_refresh(self._look_as, mark)

    def _look_as(self, mark: Mark) -> None:
        screen = self._base(mark.place.screen)
        if screen is None:
            return
        for _ in range(VIEWS):
            if not mark.view or _view(screen) in ("", mark.view):
                break
            screen.action_next_view()  # type: ignore[attr-defined]  # whoever has a view has this
        screen.set_filter(mark.filter)
        for table in screen.query(LiveTable):
            if table.id is not None and table.id in mark.sorts:
                table.sort_by(*mark.sorts[table.id])
        self._repaint()

    @work(group="marks", exit_on_error=False)
    async def action_unmark(self, name: str) -> None:
        """Forget a mark."""

        def change(marks: dict[str, Mark]) -> None:
            _taken(marks, name)

        if await self._with_marks(change) is not None:
            self.say(f"{name} is no mark any more")

    @work(exclusive=True, group="marks-list", exit_on_error=False)
    async def action_marks(self) -> None:
        """List them: one goes there, forgets one, and takes that back."""
        marks = await self._with_marks(None)
        if marks is None:
            return
        if not marks:
            self.say("there are no marks; :mark NAME keeps where you are", Severity.INFO)
            return
        forgotten: list[tuple[str, Mark]] = []

        async def forget(name: str) -> list[Choice] | None:
            def change(marks: dict[str, Mark]) -> None:
                forgotten.append((name, _taken(marks, name)))

            return _choices(await self._with_marks(change))

        async def bring_back() -> list[Choice] | None:
            name, mark = forgotten.pop()

            def change(marks: dict[str, Mark]) -> None:
                if marks.setdefault(name, mark) is not mark:
                    raise MarksError(f"there is another mark {name!r} by now; that one stays")

            return _choices(await self._with_marks(change))

        def chosen(name: str | None) -> None:
            if name is not None:
                self.action_goto(name)

        self.push_screen(MarksDialog(_choices(marks) or (), forget, bring_back), chosen)

    async def leaving(self) -> None:
        """The other farm has marks of its own."""
        self._marks = None
        await super().leaving()


def _view(screen: FarmScreen) -> str:
    view = getattr(screen, "view", "")
    return view if isinstance(view, str) and hasattr(screen, "action_next_view") else ""


def _taken(marks: dict[str, Mark], name: str) -> Mark:
    """The mark, which is none any more. Raises MarksError."""
    mark = marks.pop(name, None)
    if mark is None:
        raise MarksError(f"there is no mark {name[:40]!r}")
    return mark


def _choices(marks: dict[str, Mark] | None) -> list[Choice] | None:
    return None if marks is None else [Choice(name, name, mark.words) for name, mark in sorted(marks.items())]
