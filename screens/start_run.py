"""Starting a run: its inputs against the farm, its plan, its confirmation. Nothing is written down before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Static

from farmtui.farm.actions import ActionError
from farmtui.farm.state import Severity
from farmtui.runbooks.inputs import choices, problem, suggested
from screens.run_dialogs import PlanDialog, risk_text
from widgets import ink
from widgets.dialog import key_hints
from widgets.glyphs import glyphs

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.runbooks.book import Input as Asked
    from farmtui.runbooks.loading import Shelved
    from farmtui.runbooks.planned import Plan
    from screens.console import Console

CHOICES_SHOWN = 8


class ChoiceInput(Input):
    """A field with things that may be given: up and down go through them, right takes what is suggested."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False, tooltip="the one before"),
        Binding("down", "step(1)", show=False, tooltip="the next one"),
    ]

    def __init__(self, value: str, possible: Sequence[str], *, id: str, several: bool) -> None:  # noqa: A002
        super().__init__(
            value, id=id, compact=True, select_on_focus=False,
            suggester=SuggestFromList(possible) if possible and not several else None,
        )  # fmt: skip
        self._possible = tuple(possible)
        self._several = several

    def action_step(self, by: int) -> None:
        """The next one, from the one that is typed or from the ends; of several, the last of them."""
        if not self._possible:
            return
        before, comma, last = self.value.rpartition(",") if self._several else ("", "", self.value)
        known = last.strip() in self._possible
        here = self._possible.index(last.strip()) if known else (-1 if by > 0 else len(self._possible))
        chosen = self._possible[(here + by) % len(self._possible)]
        self.value = f"{before}{comma}{chosen}"
        self.cursor_position = len(self.value)


class StartScreen(ModalScreen[str]):
    """Gives the id of the run that it started, or None."""

    CSS_PATH = "start_run.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "close", id="start.close", show=False, tooltip="close without doing anything")
    ]

    def __init__(self, shelved: Shelved, known: Mapping[str, str], reason: str = "") -> None:
        """`known` are inputs that are known already, by name."""
        super().__init__()
        self._shelved = shelved
        self._known = dict(known)
        self._reason = reason
        self._busy = False
        self._writing = False
        """It is being written down: whether anything was done is not known until the journal has answered."""
        self._unsaid: set[str] = set(self._inputs) - set(self._known)
        """Inputs that nobody has touched: what is wrong with them is no news."""

    @property
    def console(self) -> Console:
        """The application, as screens see it."""
        return cast("Console", self.app)

    @property
    def _inputs(self) -> Mapping[str, Asked]:
        return self._shelved.book.inputs

    def _first(self, name: str, given: Asked) -> str:
        farm = self.console.farm
        return self._known.get(name, "") or (suggested(given, farm) if farm is not None else "")

    def compose(self) -> ComposeResult:
        """What it is, what it asks, why it is done, and one button."""
        book = self._shelved.book
        with Vertical(id="start") as box:
            box.border_title = Content(f"{self._shelved.name}: {book.title}")
            yield Static(Content.assemble(risk_text(book.risk), ("   " + _about(book.about), ink.MUTED)), id="about")
            with VerticalScroll(id="fields", can_focus=False):
                for name, given in self._inputs.items():
                    with Horizontal(classes="field"):
                        yield Label(name, markup=False)
                        yield ChoiceInput(
                            self._first(name, given), self._possible(given), id=f"input-{name}",
                            several=given.type == "nodes",
                        )  # fmt: skip
                    yield Static(id=f"hint-{name}", classes="hint", markup=False)
                with Horizontal(classes="field"):
                    yield Label("because", markup=False)
                    yield Input(
                        self._reason, id="reason", compact=True, select_on_focus=False,
                        placeholder="why; it is written down",
                    )  # fmt: skip
            yield Static(id="outcome", markup=False)
            with Horizontal(id="buttons"):
                yield Button(Content("[ Show the plan ]"), id="plan", compact=True)
                yield Static(key_hints(("↑↓", "choose"), ("Tab", "next"), ("Esc", "close")), id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin where something is missing."""
        for name in self._inputs:
            self._check(name)
        first = next((name for name, given in self._inputs.items() if not self._first(name, given)), None)
        self.query_one(f"#input-{first}" if first else "#reason").focus()

    def _possible(self, given: Asked) -> tuple[str, ...]:
        farm = self.console.farm
        return choices(given, farm) if farm is not None else ()

    # -- what is typed --------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        name = (message.input.id or "").removeprefix("input-")
        if name in self._inputs:
            if message.value:
                self._unsaid.discard(name)
            self._check(name)

    def _check(self, name: str) -> str:
        """Show what is wrong with an input, or what it is and may be; gives what is wrong."""
        given, farm = self._inputs[name], self.console.farm
        text = self.query_one(f"#input-{name}", Input).value
        wrong = problem(given, text, farm) if farm is not None else "no source has told of the farm yet"
        hint = self.query_one(f"#hint-{name}", Static)
        if wrong and name not in self._unsaid:
            hint.update(Content.styled(f"{glyphs().severity[Severity.WARNING]} {wrong}", ink.WARNING))
        else:
            possible = self._possible(given)
            more = f" {glyphs().ellipsis}" if len(possible) > CHOICES_SHOWN else ""
            known = f"{', '.join(possible[:CHOICES_SHOWN])}{more}" if possible else ""
            hint.update(Content.styled("; ".join(filter(None, (given.help, known))), ink.MUTED))
        return wrong

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        """Enter goes on to the next field: only the button does anything."""
        message.stop()
        self.focus_next()

    # -- doing it -------------------------------------------------------------------------------

    def action_refuse(self) -> None:
        """Close: nothing was done. Not while it is being written down, for that would not be true."""
        if not self._writing:
            self.dismiss(None)

    @on(Button.Pressed, "#plan")
    def _pressed(self) -> None:
        if self._busy:
            return
        self._unsaid.clear()
        wrong = [name for name in self._inputs if self._check(name)]
        refused = self._refusal()
        if refused or wrong:
            self._say(refused or f"look at {', '.join(wrong)}", Severity.WARNING)
            if wrong:
                self.query_one(f"#input-{wrong[0]}").focus()
            return
        self._busy = True
        self._say("measuring what is required", Severity.INFO)
        self.run_worker(self._plan(), exclusive=True)

    def _refusal(self) -> str:
        remedies = self.console.remedies
        if remedies is None:
            return "the journal is being opened; try again"
        if remedies.picture.trouble:
            return remedies.picture.trouble
        if remedies.picture.rights.operate:
            return remedies.picture.rights.operate
        return "" if self.query_one("#reason", Input).value.strip() else "say why: it is written down"

    async def _plan(self) -> None:
        remedies = self.console.remedies
        assert remedies is not None, "_refusal has seen to it"
        texts = {name: self.query_one(f"#input-{name}", Input).value for name in self._inputs}
        try:
            plan = await remedies.plan(self._shelved.name, texts)
        except ActionError as error:
            self._say(str(error), Severity.CRITICAL)
            return
        finally:
            self._busy = False
        self._say("")
        dialog = PlanDialog(plan, self.console.farm_name)

        def answered(yes: bool | None) -> None:
            if yes:
                self._busy = self._writing = True
                self._say("writing it down", Severity.INFO)
                self.run_worker(self._start(plan, dialog.typed, dialog.break_glass), exclusive=True)

        self.app.push_screen(dialog, answered)

    async def _start(self, plan: Plan, typed: str, break_glass: str) -> None:
        remedies = self.console.remedies
        assert remedies is not None, "_refusal has seen to it"
        # It begins with what was found and a colon, after which more may be said.
        reason = self.query_one("#reason", Input).value.strip().removesuffix(":")
        try:
            run = await remedies.start(plan, reason, typed=typed, break_glass=break_glass)
        except ActionError as error:
            self._say(str(error), Severity.CRITICAL)
        else:
            self.dismiss(run)
        finally:
            self._busy = self._writing = False

    def _say(self, words: str, severity: Severity = Severity.OK) -> None:
        box = self.query_one("#outcome", Static)
        box.display = bool(words)
        box.update(Content.styled(f"{glyphs().severity[severity]} {words}", ink.SEVERITY[severity]))


def _about(text: str) -> str:
    return " ".join(text.split())
