"""Actions on runbooks and runs, and the books that fit whatever is selected."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.actions import ActionError
from farmtui.farm.state import Severity
from farmtui.runbooks.fitting import Offer, offers
from screens.actions import Action, Scene, action, ask, offering
from screens.places import Subject
from screens.remedy_details import run_subject, run_title
from screens.run_dialogs import AnswerDialog, WhyDialog, plan_text
from screens.start_run import StartScreen
from widgets import ink
from widgets.dialog import ConfirmDialog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping

    from farmtui.runbooks.loading import Shelved
    from farmtui.runbooks.state import RunState
    from screens.console import RemedyDesk

OFFERED = 40
"""Books that a menu offers at most: the fittest."""


@offering
def books_for(scene: Scene) -> Iterator[Action]:
    """The books that fit the selected thing."""
    remedies = scene.console.remedies
    if remedies is None or len(scene.subjects) > 1 or scene.subject.kind in ("book", "run"):
        return
    finding = None
    if scene.subject.kind == "finding":
        finding = next((one for one in scene.console.findings if one.key == scene.subject.key), None)
    found = offers(remedies.picture.shelf, scene.farm, scene.subject.kind, scene.subject.key, finding)
    for place, offer in enumerate(found[:OFFERED]):
        book = offer.book.book
        yield Action(
            id=f"book.{offer.book.name}", title=offer.book.name, help=f"runbook, risk {book.risk}: {book.title}",
            kinds=(), effect=True, order=place - OFFERED, applies=_cannot_operate, run=partial(_begin, offer),
        )  # fmt: skip


def _begin(offer: Offer, scene: Scene) -> None:
    _open_start(scene, offer.book, offer.inputs, f"{scene.subject.title}: " if offer.by_alert else "")


def _open_start(scene: Scene, shelved: Shelved, known: Mapping[str, str], reason: str = "") -> None:
    ask(scene, StartScreen(shelved, known, reason), lambda run: _show(scene, run, shelved.name))


def _show(scene: Scene, ident: str, book: str) -> None:
    remedies = scene.console.remedies
    state = remedies.picture.run(ident) if remedies else None
    scene.console.open(run_subject(state) if state else Subject("run", ident, book))


def _desk(scene: Scene) -> RemedyDesk:
    remedies = scene.console.remedies
    assert remedies is not None, "what is not there refuses"
    return remedies


def _cannot_operate(scene: Scene) -> str:
    remedies = scene.console.remedies
    if remedies is None:
        return "the journal is being opened"
    return remedies.picture.trouble or remedies.picture.rights.operate


# -- books ----------------------------------------------------------------------------------------


def _shelved(scene: Scene) -> Shelved | None:
    remedies = scene.console.remedies
    return remedies.picture.shelf.books.get(scene.subject.key) if remedies else None


def _cannot_run(scene: Scene) -> str:
    return _cannot_operate(scene) or ("" if _shelved(scene) else "it is broken: Enter says why")


@action(
    "book.run", "Run", "Give its inputs, see its plan, confirm it", kinds=("book",), effect=True, order=5,
    applies=_cannot_run,
)  # fmt: skip
def run_book(scene: Scene) -> None:
    """Ask for the inputs."""
    shelved = _shelved(scene)
    if shelved is not None:
        _open_start(scene, shelved, {})


# -- runs -----------------------------------------------------------------------------------------


def _state(scene: Scene) -> RunState | None:
    remedies = scene.console.remedies
    return remedies.picture.run(scene.subject.key) if remedies else None


def _ended(scene: Scene) -> str:
    state = _state(scene)
    if state is None:
        return "the journal does not know it"
    return _cannot_operate(scene) or (f"it has ended: {state.outcome}" if state.outcome is not None else "")


def _do(scene: Scene, work: Awaitable[None], said: str) -> None:
    async def done() -> None:
        try:
            await work
        except ActionError as error:
            scene.console.say(str(error), Severity.CRITICAL)
        else:
            scene.console.say(said)

    scene.app.run_worker(done(), group=f"run {scene.subject.key}")


def _asks_nothing(scene: Scene) -> str:
    state = _state(scene)
    return _ended(scene) or ("" if state and state.question else "it asks nothing now")


@action("run.answer", "Answer", "Answer what it asks", kinds=("run",), effect=True, order=1, applies=_asks_nothing)
def answer(scene: Scene) -> None:
    """Choose an answer, with a note."""
    state = _state(scene)
    if state is None or state.question is None:
        return
    question = state.question

    def answered(given: tuple[str, str]) -> None:
        choice, note = given
        _do(scene, _desk(scene).answer(state.run, question.seq, choice, note), f"answered: {choice}")

    ask(scene, AnswerDialog(question), answered)


def _cannot_approve(scene: Scene) -> str:
    state, remedies = _state(scene), scene.console.remedies
    if state is None or remedies is None:
        return "the journal does not know it"
    if state.outcome is not None:
        return f"it has ended: {state.outcome}"
    if state.plan.risk < 3:
        return f"a run of risk {state.plan.risk} needs no approval"
    if state.begun_at is not None:
        return "it has begun already"
    if remedies.user in {state.author.user, state.confirmed_by.user if state.confirmed_by else ""}:
        return "nobody approves their own run: another user must"
    return remedies.picture.trouble or remedies.picture.rights.approve


@action("run.approve", "Approve", "See another's plan, and approve it", kinds=("run",), effect=True, order=2,
        applies=_cannot_approve)  # fmt: skip
def approve(scene: Scene) -> None:
    """Show the plan, and have its target typed."""
    state = _state(scene)
    if state is None:
        return
    asked = Content.assemble(
        ("asked for by ", ink.MUTED), (state.author.user, ink.STRONG), f", because: {state.reason or 'not said'}"
    )
    dialog = ConfirmDialog(
        f"Approve: {state.plan.title}", [asked, *plan_text(state.plan)], risk=state.plan.risk,
        target=state.plan.confirm, verb="approve it",
    )  # fmt: skip
    ask(scene, dialog, lambda yes: _do(scene, _desk(scene).approve(state.run, state.hash), "approved") if yes else None)


@action("run.reject", "Reject", "Refuse another's run, with a reason", kinds=("run",), effect=True, order=3,
        applies=_cannot_approve)  # fmt: skip
def reject(scene: Scene) -> None:
    """Ask why."""
    dialog = WhyDialog(f"Reject {scene.title}", ["Nothing was begun, and nothing will be."], "reject it")
    ask(scene, dialog, lambda why: _do(scene, _desk(scene).reject(scene.subject.key, why), "rejected"))


def _cannot_pause(scene: Scene) -> str:
    state = _state(scene)
    return _ended(scene) or ("it is paused already" if state and state.paused else "")


@action("run.pause", "Pause", "Begin no further step; what runs goes on to its end", kinds=("run",), effect=True,
        order=4, applies=_cannot_pause)  # fmt: skip
def pause(scene: Scene) -> None:
    """Ask why."""
    dialog = WhyDialog(f"Pause {scene.title}", ["The step that runs goes on; no further one is begun."], "pause it")
    ask(scene, dialog, lambda why: _do(scene, _desk(scene).pause(scene.subject.key, why), "paused"))


def _cannot_resume(scene: Scene) -> str:
    state = _state(scene)
    return _ended(scene) or ("" if state and state.paused else "it is not paused")


@action("run.resume", "Resume", "Go on after a pause", kinds=("run",), effect=True, order=5, applies=_cannot_resume)
def resume(scene: Scene) -> None:
    """Ask once."""
    state = _state(scene)
    body = [f"paused by {state.paused}"] if state else []
    dialog = ConfirmDialog(f"Resume {scene.title}", body, verb="resume it")
    ask(scene, dialog, lambda yes: _do(scene, _desk(scene).resume(scene.subject.key), "resumed") if yes else None)


@action("run.end", "End", "Stop what runs, and end it; what was done stays done", kinds=("run",), effect=True,
        order=6, applies=_ended)  # fmt: skip
def cancel(scene: Scene) -> None:
    """Ask why."""
    dialog = WhyDialog(f"End {scene.title}", ["What runs is stopped. What was done stays done."], "end it")
    ask(scene, dialog, lambda why: _do(scene, _desk(scene).cancel(scene.subject.key, why), "it is being ended"))


def _cannot_undo(scene: Scene) -> str:
    state = _state(scene)
    if refused := _ended(scene):
        return refused
    return "" if state and state.can_undo and not state.undoing else "nothing was done that can be taken back"


@action("run.undo", "Undo", "Stop it, and take back what was done, the last first", kinds=("run",), effect=True,
        order=7, applies=_cannot_undo)  # fmt: skip
def undo(scene: Scene) -> None:
    """Show what is taken back, and ask why."""
    state = _state(scene)
    if state is None:
        return
    steps = [step.step for step in reversed(state.steps.values()) if step.begun and step.step.undo is not None]
    body: list[Content | str] = ["What runs is stopped, then:"]
    body += [Content.styled(f"  {step.undo_text}", ink.ACCENT) for step in steps]
    dialog = WhyDialog(f"Undo {scene.title}", body, "undo it")
    ask(scene, dialog, lambda why: _do(scene, _desk(scene).cancel(state.run, why, undo=True), "it is being undone"))


def _cannot_repeat(scene: Scene) -> str:
    state, remedies = _state(scene), scene.console.remedies
    if state is None or remedies is None:
        return "the journal does not know it"
    if state.outcome is None:
        return "it has not ended"
    return _cannot_operate(scene) or ("" if state.plan.book in remedies.picture.shelf.books else "its book is gone")


@action("run.again", "Plan again", "The same book with the same inputs, planned anew", kinds=("run",), effect=True,
        order=8, applies=_cannot_repeat)  # fmt: skip
def again(scene: Scene) -> None:
    """Ask for the inputs, with those that it had."""
    state = _state(scene)
    if state is not None:
        shelved = _desk(scene).picture.shelf.books[state.plan.book]
        _open_start(scene, shelved, state.plan.inputs, state.reason)


@action("run.copy", "Copy id", "Copy its id, for farmtui attach", kinds=("run",), order=79)
def copy_id(scene: Scene) -> None:
    """Copy the id."""
    scene.console.clip(scene.subject.key, run_title(state) if (state := _state(scene)) else "the run's id")
