"""Dialogs about runs: the plan to confirm, an answer to a question, a reason to give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Label, Static

from farmtui.farm.state import Severity
from farmtui.farm.units import duration
from farmtui.runbooks.planned import ManualCall, WaitCall
from farmtui.runbooks.wording import wanted
from screens.run_words import WORDS
from widgets import ink
from widgets.dialog import RISK, Choice, ConfirmDialog, Dialog, key_hints
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.events import Key

    from farmtui.runbooks.planned import Plan, PlannedStep
    from farmtui.runbooks.state import Question

FIELD_CSS = """
    .field { height: 1; }
    .field Label { width: 11; color: $text-muted; background: $panel; }
    .field Input { width: 1fr; }
    .hint { height: auto; background: $panel; }
"""


class PlanDialog(ConfirmDialog):
    """The plan, whole, and its confirmation by risk. At risk 3 a reason here starts it without the second person."""

    DEFAULT_CSS = f"PlanDialog {{ & > .dialog {{ width: 104; }} {FIELD_CSS} }}"

    def __init__(self, plan: Plan, farm: str) -> None:
        """`farm` is the name of the one that it is for: nobody should act on the wrong one."""
        super().__init__(
            f"{farm}: {plan.title}", list(plan_text(plan)), risk=plan.risk, target=plan.confirm, verb="start it",
        )  # fmt: skip
        self._plan = plan
        self.break_glass = ""
        """Why the second person is not waited for; empty when it is."""

    @property
    def typed(self) -> str:
        """What was typed to confirm it, once it is confirmed."""
        return self._target if self._risk > 1 else ""

    @property
    def missing(self) -> list[str]:
        """What is required and does not hold: then it cannot be started."""
        return [one.value for one in self._plan.requires if not one.holds]

    def compose_question(self) -> ComposeResult:
        """What is missing, or what confirms it."""
        if self.missing:
            yield Static(
                Content.styled(
                    f"{glyphs().severity[Severity.CRITICAL]} it cannot be started: {'; '.join(self.missing)}",
                    ink.CRITICAL,
                ),
                markup=False,
            )
            return
        yield from super().compose_question()
        if self._plan.risk == 3:
            yield Static(
                Content.styled("Then a second person approves it (x on the run, or farmtui approve).", ink.MUTED),
                markup=False,
            )
            with Horizontal(classes="field"):
                yield Label("or, at once", markup=False)
                yield Input(
                    compact=True, id="glass", placeholder="why nobody can be waited for: written down, and announced"
                )

    def keys(self) -> Content:
        """What is missing is not confirmed."""
        return key_hints(("Esc", "close")) if self.missing else super().keys()

    def action_confirm(self) -> None:
        """Only what can be started."""
        if not self.missing:
            super().action_confirm()

    @on(Input.Changed, "#glass")
    def _glass_typed(self, event: Input.Changed) -> None:
        self.break_glass = event.value.strip()


def plan_text(plan: Plan) -> Iterator[Content]:
    """A plan in lines: what is done, what is required and how it is now, what hangs on it."""
    for number, step in enumerate(plan.steps, 1):
        yield from _step_text(number, step)
    for condition in plan.verify:
        yield Content.assemble(("in the end ", ink.STRONG), wanted(condition))
    if plan.requires:
        yield Content.styled("required", ink.STRONG)
    for one in plan.requires:
        yield Content.assemble("  ", status_mark(Severity.OK if one.holds else Severity.CRITICAL), f" {one.value}")
    if plan.blast:
        yield Content.styled("hangs on it", ink.STRONG)
    severities = {"ok": Severity.OK, "warning": Severity.WARNING, "critical": Severity.CRITICAL}
    for dependent in plan.blast:
        mark = status_mark(severities[dependent.severity])
        yield Content.assemble("  ", mark, (f" {dependent.what}  ", ink.MUTED), dependent.text)
    yield Content.styled(f"plan {plan.hash[:16]}: what runs is this, or nothing", ink.MUTED)


def _step_text(number: int, step: PlannedStep) -> Iterator[Content]:
    yield Content.assemble((f"{number}. ", ink.MUTED), (step.name, ink.STRONG))
    if not isinstance(step.call, ManualCall):
        yield Content.styled(f"    {step.text}", ink.ACCENT)
    else:
        yield Content.styled(f"    {glyphs().arrow} you do this, and say so: {step.call.text}", ink.INFO)
    for condition in step.expect:
        yield Content.assemble(("    expects  ", ink.MUTED), wanted(condition))
    for condition in step.abort_if:
        yield Content.assemble(("    stops if  ", ink.MUTED), wanted(condition))
    # Neither a person nor a condition that is waited for is stopped after a time.
    notes = [] if isinstance(step.call, ManualCall | WaitCall) else [f"at most {duration(step.timeout_s)}"]
    notes += [f"undo: {step.undo_text}"] if step.undo_text else []
    if notes:
        yield Content.styled(f"    {'; '.join(notes)}", ink.MUTED)


class AnswerDialog(Dialog[tuple[str, str]]):
    """Gives an answer and a note, or None. Enter chooses only after another key among the answers: it is often still on
    its way, from what was pressed before or from the note."""

    DEFAULT_CSS = f"""
    AnswerDialog {{
        & > .dialog {{ width: 92; }}
        LiveTable {{ height: auto; background: $panel; }}
        {FIELD_CSS}
    }}
    """
    AUTO_FOCUS = "LiveTable"

    def __init__(self, question: Question) -> None:
        super().__init__("The run asks", [Content(question.text)], Severity.WARNING)
        self._choices = tuple(Choice(word, word, WORDS.get(word, "")) for word in question.choices)
        self._looked = False

    def compose_question(self) -> ComposeResult:
        """The answers, and a note."""
        table: LiveTable[Choice] = LiveTable(
            (
                Column("title", "answer", lambda c: Content.styled(c.title, ink.STRONG), width=10, priority=0),
                Column("help", "", lambda c: c.help, width=30, min_width=10, flex=1, priority=0),
            ),
            key=lambda choice: choice.key,
            noun="answers",
        )
        table.set_rows(self._choices)
        table.styles.height = len(self._choices) + 1
        yield table
        with Horizontal(classes="field"):
            yield Label("note", markup=False)
            yield Input(compact=True, id="note", placeholder="what was seen or done; it is written down")
        yield Static(id="hint", classes="hint", markup=False)

    def keys(self) -> Content:
        """Choose, write, leave."""
        return key_hints(("letter or ↓", "choose"), ("Tab", "note"), ("Enter", "answer"), ("Esc", "close"))

    def on_key(self, event: Key) -> None:
        """A letter moves to the answer that begins with it."""
        table = self.query_one(LiveTable)
        if self.focused is table and event.key not in ("enter", "tab", "shift+tab"):
            self._looked = True
        if self.focused is not table or event.character is None or not event.character.isalpha():
            return
        found = next((c.key for c in self._choices if c.key.startswith(event.character.lower())), None)
        if found is not None:
            table.move_to(found)
            event.stop()

    def on_mouse_down(self) -> None:
        """A click is no key that was on its way."""
        self._looked = True

    @on(Input.Submitted)
    def _noted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(LiveTable).focus()

    @on(LiveTable.RowSelected)
    def _chosen(self, event: LiveTable.RowSelected) -> None:
        event.stop()
        choice: Choice = event.row
        if not self._looked:
            self.query_one("#hint", Static).update(
                Content.styled("choose first: by its letter, or with ↓", ink.WARNING)
            )
            return
        self.dismiss((choice.key, self.query_one("#note", Input).value.strip()))


class WhyDialog(Dialog[str]):
    """Asks for a reason before an effect, and gives it; an empty one does not do."""

    DEFAULT_CSS = f"WhyDialog {{ & > .dialog {{ width: 92; }} {FIELD_CSS} }}"

    def __init__(
        self, title: str, body: Sequence[Content | str], verb: str, severity: Severity = Severity.WARNING
    ) -> None:
        super().__init__(title, list(body), severity)
        self._verb = verb

    def compose_question(self) -> ComposeResult:
        """The reason."""
        with Horizontal(classes="field"):
            yield Label("because", markup=False)
            yield Input(compact=True, id="why")
        yield Static(id="hint", classes="hint", markup=False)

    def keys(self) -> Content:
        """Do it, or not."""
        return key_hints(("Enter", self._verb), ("Esc", "close"))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())
        else:
            self.query_one("#hint", Static).update(Content.styled("say why: it is written down", ink.WARNING))


def risk_text(risk: int) -> Content:
    """`risk 2: ▲ affects service`."""
    word, severity = RISK[risk]
    sign = glyphs().severity[severity]
    return Content.assemble((f"risk {risk}: ", ink.MUTED), (f"{sign} {word}", ink.SEVERITY[severity]))
