"""The frame of every screen: status line, navigation, body, prompt, hints; and k9s's manners, once for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import Screen
from widgets.prompt import Prompt

from farmtui.commands import Command, bindings
from farmtui.farm.farm import Farm
from farmtui.farm.filtering import EVERYTHING, RowFilter
from screens.console import Console
from screens.lines import ClickableLine, Line
from screens.places import Place, Subject

if TYPE_CHECKING:
    from farmtui.insight.findings import Finding

LIST: tuple[Command, ...] = (
    Command(
        "filter",
        "slash",
        "filter",
        "Filter",
        "Show matching rows: a regex, !regex, -l label=value, -f fuzzy",
        shown=True,
        group="list",
    ),
    Command("open", "", "open_selected", "Open", "Open the selected thing", ("open",), group="selection"),
    Command(
        "actions",
        "x",
        "actions",
        "Actions",
        "What can be done with the selected thing",
        ("actions",),
        shown=True,
        group="selection",
    ),
    Command(
        "raw",
        "y",
        "raw",
        "Raw",
        "All that is known of the selected thing, as JSON",
        ("raw",),
        shown=True,
        group="selection",
    ),
    Command(
        "copy", "c", "copy", "Copy", "Copy the selected thing's name to the clipboard", ("copy",), group="selection"
    ),
    Command(
        "escape",
        "escape",
        "escape",
        "Back",
        "Close the dialog, then the prompt, then the filter, then the view",
        group="history",
    ),
)


class FarmScreen(Screen[None]):
    """A screen: a function of (Farm, selection). A subclass says what its body is and how a Farm shows in it."""

    NAME: ClassVar[str] = ""
    COMMANDS: ClassVar[tuple[Command, ...]] = ()
    """The screen's own commands, beside the common ones."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(LIST))
    AUTO_FOCUS: ClassVar[str | None] = "LiveTable"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # One declaration per command: the bindings follow from it.
        cls.BINDINGS = [*bindings(cls.COMMANDS)]
        super().__init_subclass__(**kwargs)

    def __init__(self) -> None:
        super().__init__()
        self.row_filter: RowFilter = EVERYTHING
        self._shown: tuple[Farm | None, bool] = (None, False)

    # -- what a subclass gives ------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """The widgets between navigation and prompt."""
        raise NotImplementedError

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Show a new picture; called only while the screen is on top."""
        raise NotImplementedError

    def selected(self) -> Subject | None:
        """What the cursor is on, for open, raw, copy and actions."""
        return None

    def raw_of(self, subject: Subject) -> object:
        """What `y` shows of a subject."""
        from screens.describe import describe

        farm = self.console.farm
        detail = describe(farm, subject) if farm else None
        return detail.raw if detail else None

    # -- the frame ------------------------------------------------------------------------------

    @property
    def console(self) -> Console:
        """The application, as screens see it."""
        return cast("Console", self.app)

    @property
    def place(self) -> Place:
        """Where this screen is."""
        return Place(self.NAME)

    def compose(self) -> ComposeResult:
        """The frame, with the subclass's body inside."""
        yield Line(id="status")
        yield ClickableLine(id="nav")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield Prompt(id="prompt")
        yield Line(id="hints")
