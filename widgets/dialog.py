"""Dialogs: something said, something asked, one of several chosen; nothing is ever done by the key that opened it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from farmtui.farm.state import Severity
from widgets import ink
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.table_columns import Cell, Column

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

Result = TypeVar("Result")

RISK = {
    1: ("harmless", Severity.INFO),
    2: ("affects service", Severity.WARNING),
    3: ("may lose data", Severity.CRITICAL),
}
"""What the three levels of risk are called, and how they look."""


class Dialog(ModalScreen[Result]):
    """A box over the screen. The screen below is not dimmed: that would send all of it again."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: transparent;
        & > .dialog {
            width: 76;
            max-width: 96%;
            height: auto;
            max-height: 100%;
            overflow-y: auto;
            padding: 0 2;
            background: $panel;
            border: round $border;
            border-title-style: bold;
        }
        & > .-warning { border: round $warning; }
        & > .-critical { border: heavy $error; }
        & .dialog--body { height: auto; max-height: 50vh; margin: 1 0; background: $panel; }
        & .dialog--foot { height: auto; background: $panel; }
        & .dialog--body Static { background: $panel; }
        & .dialog--keys { height: 1; color: $text-muted; text-align: right; }
        & Input { border: none; height: 1; padding: 0 1; background: $surface; }
        & Input:focus { border: none; background-tint: transparent; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "close", id="dialog.close", show=False, tooltip="close without doing anything"),
        Binding("pagedown", "read(1)", "read on", id="dialog.read_on", show=False, tooltip="the text, a page on"),
        Binding("pageup", "read(-1)", "read back", id="dialog.read_back", show=False, tooltip="the text, a page back"),
    ]

    def __init__(self, title: str, body: Cell | Sequence[Cell], severity: Severity = Severity.OK) -> None:
        """`body` is one text or one a line; a `str` is plain text."""
        super().__init__()
        self._title = title
        self._body = [body] if isinstance(body, str) or not isinstance(body, Sequence) else list(body)
        self._severity = severity

    def compose(self) -> ComposeResult:
        """Title, body, what the dialog asks, keys."""
        with Vertical(classes="dialog") as box:
            sign = f"{glyphs().severity[self._severity]} " if self._severity > Severity.OK else ""
            box.border_title = Content(f"{sign}{self._title}")
            if self._severity >= Severity.WARNING:
                box.add_class("-critical" if self._severity is Severity.CRITICAL else "-warning")
            with VerticalScroll(classes="dialog--body", can_focus=False):
                yield Static(_joined(self._body), markup=False)
            with Vertical(classes="dialog--foot"):
                yield from self.compose_question()
                yield Static(self.keys(), classes="dialog--keys", markup=False)

    def on_resize(self) -> None:
        """Whatever the size: what is asked stays in sight, and the body scrolls in what is left."""
        self.call_after_refresh(self._fit_body)

    def _fit_body(self) -> None:
        frame_and_margins = 4
        foot = self.query_one(".dialog--foot").outer_size.height
        room = max(1, self.size.height - frame_and_margins - foot)
        body = self.query_one(".dialog--body")
        body.styles.max_height = room
        self.call_after_refresh(self._tell_of_more, body)

    def _tell_of_more(self, body: Widget) -> None:
        """Where the text does not fit, the keys that show the rest are named."""
        keys, line = self.keys(), self.query_one(".dialog--keys", Static)
        both = Content.assemble(key_hints(("PgDn", "read on")), keys)
        line.update(both if body.max_scroll_y and both.cell_length <= line.size.width else keys)

    def action_read(self, pages: int) -> None:
        """The text, a page on or back, wherever the focus is."""
        body = self.query_one(".dialog--body")
        body.scroll_to(y=body.scroll_y + pages * max(1, body.size.height - 1), animate=False)

    def compose_question(self) -> ComposeResult:
        """What is asked; nothing by default."""
        yield from ()

    def keys(self) -> Content:
        """The keys that do something, for the last line."""
        return key_hints(("Esc", "close"))

    def action_refuse(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class MessageDialog(Dialog[None]):
    """Says something; Enter or Esc closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,q", "refuse", "close", id="dialog.ok", show=False, tooltip="close")
    ]

    def keys(self) -> Content:
        """One key."""
        return key_hints(("Enter", "close"))


class ConfirmDialog(Dialog[bool]):
    """Asks before an effect, by risk: 1 wants the key `y`, 2 and 3 want the target's name typed.

    Gives True only when it was confirmed; Esc gives None. Enter alone never confirms: it is often still on its way
    from the keystroke before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "yes", id="dialog.yes", show=False, tooltip="do it"),
        Binding("n", "refuse", "no", id="dialog.no", show=False, tooltip="do not"),
    ]

    def __init__(
        self,
        title: str,
        body: Cell | Sequence[Cell],
        *,
        risk: Literal[1, 2, 3] = 1,
        target: str = "",
        verb: str = "do it",
    ) -> None:
        """`target` is what has to be typed at risk 2 and 3; ValueError without one."""
        if risk > 1 and not target.strip():
            raise ValueError(f"a dialog of risk {risk} needs the name of its target")
        super().__init__(title, body, RISK[risk][1])
        self._risk = risk
        self._target = target.strip()
        self._verb = verb

    def compose_question(self) -> ComposeResult:
        """The risk in words, and from level 2 on the line to type in."""
        word, severity = RISK[self._risk]
        yield Static(
            Content.assemble(
                ("risk ", ink.MUTED), (f"{self._risk}: {glyphs().severity[severity]} {word}", ink.SEVERITY[severity])
            ),
            markup=False,
        )
        if self._risk > 1:
            yield Static(
                Content.assemble("type ", (self._target, ink.STRONG), f" to {self._verb}"), id="ask", markup=False
            )
            yield Input(compact=True, id="typed")

    def keys(self) -> Content:
        """By risk."""
        if self._risk == 1:
            return key_hints(("y", self._verb), ("n", "no"), ("Esc", "close"))
        return key_hints(("Enter", self._verb), ("Esc", "close"))

    def action_confirm(self) -> None:
        """The key `y`, which only does for harmless things."""
        if self._risk == 1:
            self.dismiss(True)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if self.query_one("#typed", Input).value.strip() == self._target:
            self.dismiss(True)
            return
        self.query_one("#ask", Static).update(
            Content.assemble(
                (f"{glyphs().severity[Severity.WARNING]} that is not ", ink.WARNING),
                (self._target, ink.STRONG),
                (": nothing was done", ink.WARNING),
            )
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: `key` is the result. With `refused` it is shown with the reason and cannot be chosen."""

    key: str
    title: str
    help: str = ""
    severity: Severity = Severity.OK
    refused: str = ""


class ChoiceDialog(Dialog[str]):
    """Gives the key of the chosen one, or None."""

    DEFAULT_CSS = "ChoiceDialog LiveTable { height: auto; max-height: 14; background: $panel; }"

    def __init__(
        self, title: str, choices: Sequence[Choice], body: Cell | Sequence[Cell] = "", *, heading: str = "ACTION"
    ) -> None:
        """`heading` stands over the choices: what each of them is."""
        super().__init__(title, body)
        self.choices = tuple(choices)
        self._heading = heading

    def compose_question(self) -> ComposeResult:
        """A table of the choices."""
        self.table: LiveTable[Choice] = LiveTable(
            [
                Column("title", self._heading, lambda choice: choice.title, width=24, min_width=12, priority=0),
                Column("help", "", _choice_help, width=30, min_width=10, flex=1),
            ],
            key=lambda choice: choice.key,
            noun=f"{self._heading.lower()}s",
        )
        self._fill()
        yield self.table

    def _fill(self) -> None:
        self.table.set_rows(self.choices)
        self.table.styles.height = min(len(self.choices), 12) + 2

    def show_choices(self, choices: Sequence[Choice]) -> None:
        """Others than before; what the keys do is said anew."""
        self.choices = tuple(choices)
        self._fill()
        self.on_resize()

    def keys(self) -> Content:
        """Choose or leave."""
        return key_hints(("Enter", "choose"), ("Esc", "close"))

    @on(LiveTable.RowSelected)
    def _chosen(self, event: LiveTable.RowSelected) -> None:
        event.stop()
        choice: Choice = event.row
        if not choice.refused:
            self.dismiss(choice.key)


def _choice_help(choice: Choice) -> Cell:
    if choice.refused:
        return Content.styled(f"not now: {choice.refused}", ink.UNKNOWN)
    if choice.severity > Severity.OK:
        sign = glyphs().severity[choice.severity]
        return Content.assemble((f"{sign} ", ink.SEVERITY[choice.severity]), (choice.help, ink.MUTED))
    return Content.styled(choice.help, ink.MUTED)


def key_hints(*keys: tuple[str, str]) -> Content:
    """`y do it  Esc close`: keys in the accent's colour, their words beside them."""
    parts: list[tuple[str, str]] = []
    for key, word in keys:
        parts += [(f"  {key} ", f"{ink.ACCENT} bold"), (word, ink.MUTED)]
    return Content.assemble(*parts)


def _joined(body: Sequence[Cell]) -> Content:
    contents = [
        cell if isinstance(cell, Content) else Content(cell) if isinstance(cell, str) else Content.from_rich_text(cell)
        for cell in body
    ]
    return Content("\n").join(contents)
