"""The frame of every screen: status line, navigation, body, prompt, hints; and k9s's manners, once for all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from farmtui.commands import UNBOUND, Command, bindings
from farmtui.farm.filtering import EVERYTHING, FilterError, RowFilter, parse_filter
from farmtui.farm.state import Severity
from screens.console import SCREENS, Console
from screens.lines import ClickableLine, Line
from screens.places import Place, Subject
from screens.statusline import nav_text, runs_text, status_texts
from widgets import ink
from widgets.live_table import LiveTable
from widgets.painting import LineWidget
from widgets.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding
    from farmtui.runbooks.picture import Picture

COMMON: tuple[Command, ...] = (
    Command(
        "filter",
        "slash",
        "filter",
        "Filter",
        "Show matching rows: regex, !regex, -l label=value, -f fuzzy",
        shown=True,
        group="list",
    ),
    Command(
        "actions", "x", "actions", "Actions", "What can be done with the selected thing", shown=True, group="selection"
    ),
    Command(
        "raw", "y", "raw", "Raw", "All that is known of the selected thing, as JSON", shown=True, group="selection"
    ),
    Command(
        "shell", "s", "shell", "Shell", "A shell on the selected thing's machine, by ssh", ("shell",), group="selection"
    ),
    Command("logs", "l", "logs", "Log", "The selected thing's log, by ssh", shown=True, group="selection"),
    Command("copy", "c", "copy", "Copy", "Copy the selected thing to the clipboard", group="selection"),
    Command("escape", "escape", "escape", "Back", "Close the dialog, the prompt, the filter, the view: in this order"),
)


class FarmScreen(Screen[None]):
    """A screen: a function of (Farm, selection). A subclass says what its body is and how a Farm shows in it."""

    NAME: ClassVar[str] = ""
    """Its name in the registry; the screen on whose stack it lies, for a view that was opened from there."""
    KEYS: ClassVar[tuple[Command, ...]] = ()
    """The screen's own commands, beside the common ones."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(COMMON))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # One declaration per command: the bindings follow from it.
        cls.BINDINGS = list(bindings(cls.KEYS))
        super().__init_subclass__(**kwargs)

    def __init__(self) -> None:
        super().__init__()
        # Classes that the stylesheets ask for: how much fits is said there, not here.
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal"), (170, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall"), (52, "-high")]
        self.row_filter: RowFilter = EVERYTHING
        self._filter_before = ""
        self._painted: tuple[object, ...] = ()
        self._remedied: tuple[object, ...] = ()
        self._composed = False
        """Whether all of its parts are there: a picture may come in between."""

    # -- what a subclass gives ------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """The widgets between navigation and prompt."""
        yield from ()

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Show a picture; called only while the screen is on top. Filter and faults-only are the screen's to apply."""

    def weighs(self) -> Sequence[Callable[[Farm], object]]:
        """What `show_farm` asks of a picture that takes longer than a frame with a big farm, each `of_newest`.

        Asked, and done for each big picture before it is shown, in a thread.
        """
        return ()

    def show_remedies(self, picture: Picture) -> None:
        """Show runs and books; called when they have changed, whether or not there is a farm to show."""

    def labels_of(self, row: object) -> Mapping[str, str]:
        """What `-l` is matched against: a row's labels; by default its plain fields."""
        names = getattr(row, "__slots__", ())
        return {name: str(value) for name in names if isinstance(value := getattr(row, name, None), (str, int))}

    def selected(self) -> Subject | None:
        """What the cursor is on, for open, raw, copy and actions."""
        return None

    @property
    def place(self) -> Place:
        """Where this screen is, for the crumbs."""
        return Place(self.NAME)

    # -- the frame ------------------------------------------------------------------------------

    @property
    def console(self) -> Console:
        """The application, as screens see it."""
        return cast("Console", self.app)

    def compose(self) -> ComposeResult:
        """The frame, with the subclass's body inside."""
        yield ClickableLine(id="status")
        yield ClickableLine(id="nav")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield Prompt(id="prompt")
        yield Line(id="hints")

    def on_mount(self) -> None:
        """The first frame has the frame's lines already."""
        self._composed = True
        self.repaint()
        self._paint_hints()

    def on_screen_resume(self) -> None:
        """Hidden screens are not repainted: catch up."""
        self.repaint()
        self.call_after_refresh(self._paint_hints)

    def on_resize(self) -> None:
        """Lines are cut to the width."""
        self.repaint_anew()

    def repaint_anew(self) -> None:
        """Show everything again, once the layout stands."""
        self._painted = self._remedied = ()
        self.call_after_refresh(self._repaint_all)

    def _repaint_all(self) -> None:
        self.repaint()
        # Those whose figures are the same may have other signs and colours to show them with.
        for widget in self.query(LineWidget):
            widget.repaint()

    def repaint(self) -> None:
        """Show the newest picture, if it is not the one that is shown."""
        console = self.console
        farm = console.farm
        remedies = console.remedies.picture if console.remedies is not None else None
        shown = (farm, console.faults_only, self.row_filter, console.read_only, console.config_state)
        same_farm, same_remedies = _same(shown, self._painted), _same((remedies, *shown[1:]), self._remedied)
        if not self._composed or (same_farm and same_remedies):
            return
        self._painted, self._remedied = shown, (remedies, *shown[1:])
        flags = [word for word, on in (("FAULTS ONLY", console.faults_only), ("READ-ONLY", console.read_only)) if on]
        if self.row_filter:
            flags.append(f"/{self.row_filter.text}")
        left, right = status_texts(
            farm, console.findings, console.overall, name=console.farm_name, flags=flags, crumbs=self.place.crumbs,
            runs=runs_text(remedies, datetime.now(UTC)) if remedies is not None else (),
            config=console.config_state, colour=console.farm_colour, width=self.size.width,
        )  # fmt: skip
        self.query_one("#status", Line).show(left, right)
        nav = nav_text(SCREENS, self.NAME, console.screen_health, width=self.size.width)
        self.query_one("#nav", Line).show(nav)
        if farm is not None and not same_farm:
            self.show_farm(farm, console.findings)
        if remedies is not None and not same_remedies:
            self.show_remedies(remedies)

    def _paint_hints(self) -> None:
        """The footer derives from the bindings that are active now; there is no second list."""
        parts: list[tuple[str, str]] = []
        seen: set[str] = set()
        # Where little fits, what is a view's own comes before the log, which every screen has.
        found = sorted(
            self.active_bindings.items(), key=lambda item: (item[1].node is self.app, item[1].binding.id == "logs")
        )
        for key, active in found:
            binding = active.binding
            if not (binding.show and active.enabled) or binding.action in seen or key.startswith(UNBOUND):
                continue
            seen.add(binding.action)
            parts += [
                (f" {self.app.get_key_display(binding)}", f"{ink.STRONG} {ink.ACCENT}"),
                (f" {binding.description} ", ink.MUTED),
            ]
        self.query_one("#hints", Line).show(Content.assemble(*parts))

    def on_descendant_focus(self) -> None:
        """Another widget has other keys."""
        self._paint_hints()

    @on(ClickableLine.Chosen)
    def _tab_clicked(self, message: ClickableLine.Chosen) -> None:
        message.stop()
        self.console.go(Place(message.name))

    def focused_table(self) -> LiveTable[Any] | None:
        """The table that has the focus; else the first that is shown."""
        if isinstance(self.focused, LiveTable):
            return self.focused
        return next((table for table in self.query(LiveTable) if table.display), None)

    # -- manners --------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Open the prompt for a filter; it acts while it is typed, and Esc brings the former one back."""
        self._filter_before = self.row_filter.text
        hint = "regex, !regex, -l label=value, -f fuzzy"
        self.query_one(Prompt).ask("/", self.row_filter.text, placeholder=hint)

    @on(Prompt.Changed)
    def _filter_typed(self, message: Prompt.Changed) -> None:
        if message.kind == "/":
            problem = self.set_filter(message.text)
            if problem:
                message.prompt.complain(problem)

    @on(Prompt.Submitted)
    def _filter_entered(self, message: Prompt.Submitted) -> None:
        if message.kind == "/":
            message.stop()
            problem = self.set_filter(message.text)
            if problem:
                message.prompt.complain(problem)

    @on(Prompt.Cancelled)
    def _filter_cancelled(self, message: Prompt.Cancelled) -> None:
        if message.kind == "/":
            self.set_filter(self._filter_before)

    def action_escape(self) -> None:
        """Close what is open, innermost first. Dialogs and the prompt have the focus and come before."""
        if self.row_filter:
            self.set_filter("")
        elif self.place.trail:
            self.console.go(self.place.out())

    def action_sort(self, column: str) -> None:
        """Sort the table that has the focus; the same column again turns the direction."""
        table = self.focused_table()
        if table is not None:
            table.sort_by(column)

    def set_filter(self, text: str) -> str:
        """Filter the screen's rows; gives what is wrong with the filter, in words, and then changes nothing."""
        try:
            self.row_filter = parse_filter(text)
        except FilterError as error:
            return str(error)
        found = self.row_filter
        for table in self.query(LiveTable):
            if found:
                table.set_filter(lambda text, row: found.passes(text, self.labels_of(row)), found.text)
            else:
                table.set_filter(None)
        self._painted = self._remedied = ()
        self.repaint()
        return ""

    def action_raw(self) -> None:
        """Show the selected thing as JSON."""
        subject = self.selected()
        if subject is None:
            self.console.say("nothing is selected", Severity.INFO)
            return
        from screens.known import known_of
        from screens.raw import RawScreen

        detail = known_of(self.console, subject)
        if detail is not None:
            self.app.push_screen(RawScreen(subject.title, detail.raw))

    def action_copy(self) -> None:
        """Copy the selected thing's key: an address, a fingerprint, a name."""
        subject = self.selected()
        if subject is None:
            self.console.say("nothing is selected", Severity.INFO)
        else:
            self.console.clip(subject.key, subject.title)

    def action_shell(self) -> None:
        """Log in to the machine of the selected thing."""
        self._perform("shell")

    def action_logs(self) -> None:
        """Read the log of the selected thing."""
        self._perform("logs")

    def action_logs_of(self, name: str) -> None:
        """Read the log of a machine by its name."""
        from screens.actions import perform

        perform(self.app, "logs", Subject("node", name, name))

    def _perform(self, ident: str) -> None:
        from screens.actions import perform

        subject = self.selected()
        if subject is None:
            self.console.say("nothing is selected", Severity.INFO)
        else:
            perform(self.app, ident, subject)

    def action_actions(self) -> None:
        """Open the actions that are possible on the selected thing."""
        from screens.actions import ActionMenu

        subject = self.selected()
        if subject is None or self.console.farm is None:
            self.console.say("nothing is selected", Severity.INFO)
        else:
            self.app.push_screen(ActionMenu(subject))


class ViewScreen(FarmScreen):
    """A view of one thing that was opened from a screen; it lies on that screen's stack."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    @property
    def subject(self) -> Subject:
        """What it shows."""
        return self._place.trail[-1]

    @property
    def place(self) -> Place:
        """Its place, with the trail that led here."""
        return self._place


def _same(new: tuple[object, ...], old: tuple[object, ...]) -> bool:
    return len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True))
