"""Actions: what can be done with a selected thing, one declaration each.

Adding an action is adding one `@action(...)` function to a module of this package; the menu, its help and its test
find it by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual import on

from farmtui.farm.state import Freshness, Severity
from widgets.dialog import Choice, ChoiceDialog, key_hints
from widgets.live_table import LiveTable
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import App, ComposeResult
    from textual.content import Content
    from textual.events import Key
    from textual.screen import ModalScreen

    from farmtui.farm.farm import Farm
    from screens.console import Console
    from screens.places import Subject

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Scene:
    """What an action is for: the selected things (the first under the cursor, all of one kind), and all around them."""

    app: App[Any]
    farm: Farm
    subjects: tuple[Subject, ...]

    @property
    def console(self) -> Console:
        """The application, as screens see it."""
        return cast("Console", self.app)

    @property
    def subject(self) -> Subject:
        """The thing, or the first of several."""
        return self.subjects[0]

    @property
    def title(self) -> str:
        """What the dialogs call it: its title, or how many there are."""
        names = dict.fromkeys(subject.title for subject in self.subjects)
        if len(self.subjects) == 1:
            return self.subject.title
        return f"{next(iter(names))} ×{len(self.subjects)}" if len(names) == 1 else f"{len(self.subjects)} things"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done. Nothing is done by the menu itself: what has an effect asks once more."""

    id: str
    title: str
    """Two or three words; the first letter finds it in the menu."""
    help: str
    kinds: tuple[str, ...]
    """Kinds of subject that it is for; none is all of them."""
    effect: bool
    """Whether it changes something of the farm: then it is refused while the console is read-only."""
    order: int
    applies: Callable[[Scene], str]
    """Why it is not possible now, in words; empty when it is."""
    run: Callable[[Scene], None]

    def refusal(self, scene: Scene) -> str:
        """Why it cannot be done now; empty when it can."""
        if self.effect and scene.console.read_only:
            return f"read-only: {scene.console.read_only}"
        return self.applies(scene)


_ACTIONS: dict[str, Action] = {}


_OFFERS: list[Callable[[Scene], Iterable[Action]]] = []


def offering(offer: Callable[[Scene], Iterable[Action]]) -> Callable[[Scene], Iterable[Action]]:
    """Declare what offers actions that depend on the thing itself, and so are not known before it is selected."""
    _OFFERS.append(offer)
    return offer


def possible(scene: Scene) -> str:
    """For actions that are possible on whatever they are for."""
    return ""


def action(
    ident: str,
    title: str,
    help: str,  # noqa: A002 - the field's name
    *,
    kinds: Iterable[str] = (),
    effect: bool = False,
    order: int = 50,
    applies: Callable[[Scene], str] = possible,
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Declare an action; the function runs it. `order` places it in the menu, the smallest on top."""

    def register(run: Callable[[Scene], None]) -> Callable[[Scene], None]:
        if ident in _ACTIONS:
            raise ValueError(f"two actions {ident!r}")
        _ACTIONS[ident] = Action(ident, title, help, tuple(kinds), effect, order, applies, run)
        return run

    return register


@cache
def _load_all() -> None:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def all_actions() -> tuple[Action, ...]:
    """Every action, in the order of the menu."""
    _load_all()
    return tuple(sorted(_ACTIONS.values(), key=lambda item: (item.order, item.title)))


def actions_for(scene: Scene) -> tuple[Action, ...]:
    """The actions for this kind of thing, possible or not: what is greyed tells why."""
    own = [item for item in all_actions() if not item.kinds or scene.subject.kind in item.kinds]
    offered = [item for offer in _OFFERS for item in offer(scene)]
    return tuple(sorted((*offered, *own), key=lambda item: (item.order, item.title)))


def perform(app: App[Any], ident: str, *subjects: Subject) -> None:
    """Do one action by its id, as if it were chosen from the menu; what refuses it is said."""
    console = cast("Console", app)
    if not subjects or console.farm is None:
        console.say("nothing is selected", Severity.INFO)
        return
    scene = Scene(app, console.farm, subjects)
    wanted = next((item for item in actions_for(scene) if item.id == ident), None)
    refusal = f"not possible on {scene.title}" if wanted is None else wanted.refusal(scene)
    if wanted is None or refusal:
        console.say(refusal, Severity.WARNING)
    else:
        wanted.run(scene)


class ActionMenu(ChoiceDialog):
    """The actions for one thing, or for several of a kind. Enter chooses; letters move to what begins with them."""

    CSS_PATH = "menu.tcss"

    def __init__(self, *subjects: Subject) -> None:
        names = list(dict.fromkeys(subject.title for subject in subjects))
        count = f" ×{len(subjects)}" if len(subjects) > 1 else ""
        super().__init__(f"{', '.join(names[:3])}{count}", ())
        self._subjects = subjects
        self._typed = ""
        """The letters so far, while they begin an entry."""
        self._offered: frozenset[str] = frozenset()
        """Entries that are there for this thing only: a letter finds the constant ones first."""

    def compose_question(self) -> ComposeResult:
        """What is possible is worked out when the menu opens, with the newest picture."""
        scene = self._scene()
        if scene is not None:
            items = actions_for(scene)
            self._choices = tuple(Choice(item.id, item.title, item.help, refused=item.refusal(scene)) for item in items)
            self._offered = frozenset(item.id for item in items if item.id not in _ACTIONS)
        table: LiveTable[Choice] = LiveTable(
            (
                Column("title", "action", lambda choice: choice.title, width=20, min_width=17, priority=0),
                Column("help", "", _what, width=30, min_width=10, flex=1, priority=0),
            ),
            key=lambda choice: choice.key,
            freshness=lambda choice: Freshness.AGEING if choice.refused else Freshness.LIVE,
            noun="actions",
        )
        table.set_rows(self._choices)
        table.styles.height = min(len(self._choices), 15) + 1
        yield table

    def on_mount(self) -> None:
        """Begin on the first that is possible."""
        table = self.query_one(LiveTable)
        table.focus()
        first = next((choice.key for choice in self._choices if not choice.refused), None)
        if first is not None:
            table.move_to(first)

    def keys(self) -> Content:
        """Choose, find, leave."""
        return key_hints(("Enter", "choose"), ("letter", "find"), ("Esc", "close"))

    def on_key(self, event: Key) -> None:
        """Letters move to the entry that begins with them, the same again to the next; none does anything by itself.

        What is in every such menu comes before the books that fit just now: `s` is Silence whatever else is offered.
        """
        if event.character is None or not (event.character.isalnum() or event.character == "-"):
            return
        typed = event.character.casefold()
        longer = self._typed + typed
        found = self._beginning_with(longer)
        table = self.query_one(LiveTable)
        if self._typed and found:
            self._typed = longer
            table.move_to(found[0])
        elif found := self._beginning_with(typed):
            again = self._typed == typed and table.cursor_key in found
            self._typed = typed
            table.move_to(found[(found.index(str(table.cursor_key)) + 1) % len(found)] if again else found[0])
        else:
            return  # the table's own: j, k, g
        event.stop()

    def _beginning_with(self, typed: str) -> list[str]:
        found = [choice.key for choice in self._choices if choice.title.casefold().startswith(typed)]
        return sorted(found, key=lambda key: key in self._offered)

    @on(LiveTable.RowSelected)
    def _picked(self, event: LiveTable.RowSelected) -> None:
        event.stop()
        event.prevent_default()  # the dialog below would only give the key back
        choice: Choice = event.row
        if choice.refused:
            return
        app, subjects = self.app, self._subjects
        self.dismiss(choice.key)
        app.call_later(perform, app, choice.key, *subjects)

    def _scene(self) -> Scene | None:
        farm = cast("Console", self.app).farm
        return Scene(self.app, farm, self._subjects) if farm is not None and self._subjects else None


def _what(choice: Choice) -> str:
    """What an action does, or why it cannot be done now: said in words, not by its greyness alone."""
    return f"not now: {choice.refused}" if choice.refused else choice.help


def ask(scene: Scene, dialog: ModalScreen[Answer], then: Callable[[Answer], None]) -> None:
    """Open a dialog; `then` gets its answer once it has closed, and is not called when there is none.

    Not before it has closed: an answer often opens something, which must not lie under the dialog that goes away.
    """

    def answered(answer: Answer | None) -> None:
        if answer is not None:
            scene.app.call_later(then, answer)

    scene.app.push_screen(dialog, answered)
