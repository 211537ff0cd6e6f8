"""The line for `:` commands and `/` filters, with suggestions and a history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label

from farmtui.farm.state import Severity
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.strip import Strip
    from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion: `text` replaces what is typed, `help` says what it does."""

    text: str
    help: str = ""


Complete = Callable[[str], Sequence[Suggestion]]
"""Gets what is typed so far; gives what it may become, the likeliest first."""

SUGGESTIONS_SHOWN = 6


class History:
    """What was submitted, newest last, without repetitions in a row; share one per kind between screens."""

    def __init__(self, limit: int = 200) -> None:
        self._entries: list[str] = []
        self._limit = limit
        self._at = 0
        self._draft = ""

    def add(self, text: str) -> None:
        """Remember a submitted text."""
        if text and (not self._entries or self._entries[-1] != text):
            self._entries = [*self._entries, text][-self._limit :]
        self.rewind()

    def rewind(self) -> None:
        """Begin at the newest again."""
        self._at = len(self._entries)
        self._draft = ""

    def step(self, by: int, typed: str) -> str:
        """An older (-1) or newer (+1) text; past the newest comes back what was being typed."""
        if self._at == len(self._entries):
            self._draft = typed
        self._at = max(0, min(self._at + by, len(self._entries)))
        return self._draft if self._at == len(self._entries) else self._entries[self._at]


class _Entry(Input):
    """The input itself; keys that belong to the prompt are passed on to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "prompt('cancel')", show=False),
        Binding("tab", "prompt('accept')", show=False),
        Binding("down", "prompt('down')", show=False),
        Binding("up", "prompt('up')", show=False),
        Binding("ctrl+n", "prompt('newer')", show=False),
        Binding("ctrl+p", "prompt('older')", show=False),
    ]

    def action_prompt(self, what: str) -> None:
        """Hand the key to the prompt around."""
        prompt = next(node for node in self.ancestors if isinstance(node, Prompt))
        prompt.key(what)


class _Below(LineWidget):
    """Suggestions, or what is wrong with what was typed."""

    DEFAULT_CSS = "_Below { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._contents: list[Content] = []

    def show(self, contents: list[Content]) -> None:
        """Show these lines."""
        resized = len(contents) != len(self._contents)
        self._contents = contents
        if resized:
            self.refresh(layout=True)
        self.repaint()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As high as there are lines."""
        return len(self._contents)

    def draw_line(self, y: int, width: int) -> Strip:
        """One of them."""
        return self.content_strip(self._contents[y] if y < len(self._contents) else "", width)


class Prompt(Vertical):
    """Opened by `ask(":")` or `ask("/")`; it says by messages what is typed, and hides itself when done."""

    DEFAULT_CSS = """
    Prompt {
        height: auto;
        display: none;
        background: $surface;
        & > Horizontal { height: 1; }
        & Label { width: 2; color: $text-accent; text-style: bold; }
        & Input { border: none; padding: 0; height: 1; width: 1fr; background: $surface; }
        & Input:focus { border: none; background-tint: transparent; }
    }
    """

    class Changed(Message):
        """What is typed has changed: a filter follows at once."""

        def __init__(self, prompt: Prompt, kind: str, text: str) -> None:
            self.prompt = prompt
            self.kind = kind
            self.text = text
            super().__init__()

    class Submitted(Message):
        """Enter. The prompt has closed; `complain()` opens it again with the reason why it will not do."""

        def __init__(self, prompt: Prompt, kind: str, text: str) -> None:
            self.prompt = prompt
            self.kind = kind
            self.text = text
            super().__init__()

    class Cancelled(Message):
        """Esc. The prompt has closed."""

        def __init__(self, prompt: Prompt, kind: str) -> None:
            self.prompt = prompt
            self.kind = kind
            super().__init__()

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._kind = ":"
        self._complete: Complete | None = None
        self._histories: dict[str, History] = {}
        self._suggestions: tuple[Suggestion, ...] = ()
        self._chosen = -1
        self._before: Widget | None = None
        self._browsing = False

    def compose(self) -> ComposeResult:
        """The line, and below it the suggestions."""
        with Horizontal():
            yield Label(":", markup=False)
            yield _Entry(select_on_focus=False, compact=True)
        yield _Below()

    def ask(
        self,
        kind: str,
        value: str = "",
        *,
        complete: Complete | None = None,
        history: History | None = None,
        placeholder: str = "",
    ) -> None:
        """Open for a kind (`:` or `/`, or any sign that stands before the line) with `value` already typed."""
        if not self.display:
            self._before = self.screen.focused
        self._kind = kind
        self._complete = complete
        if history is not None:
            self._histories[kind] = history
        self._history.rewind()
        self._browsing = False
        self.display = True
        self.query_one(Label).update(Content(kind))
        entry = self.entry
        entry.placeholder = placeholder
        with self.prevent(Input.Changed):
            entry.value = value
        entry.cursor_position = len(value)
        self._suggest(value)
        entry.focus()

    def close(self) -> None:
        """Close, and give the focus back to what had it."""
        if not self.display:
            return
        self.display = False
        self.query_one(_Below).show([])
        before, self._before = self._before, None
        if before is not None and before.is_attached and before.display:
            before.focus()
        else:
            self.screen.set_focus(None)

    def complain(self, text: str) -> None:
        """Say below the line what is wrong with what was typed; it stays to be mended. Opens it again if it closed."""
        if not self.display:
            self.ask(self._kind, self.entry.value, complete=self._complete)
        sign = glyphs().severity[Severity.WARNING]
        self.query_one(_Below).show([Content.styled(f"  {sign} {text}", ink.WARNING)])

    @property
    def entry(self) -> Input:
        """The input."""
        return self.query_one(_Entry)

    @property
    def kind(self) -> str:
        """What it was opened for."""
        return self._kind

    @property
    def value(self) -> str:
        """What is typed."""
        return self.entry.value

    @property
    def _history(self) -> History:
        return self._histories.setdefault(self._kind, History())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._browsing = False
        self._suggest(event.value)
        self.post_message(self.Changed(self, self._kind, event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        text = self._suggestions[self._chosen].text if self._chosen >= 0 else event.value
        self._history.add(text)
        self.close()
        self.post_message(self.Submitted(self, self._kind, text))

    def on_paste(self, event: events.Paste) -> None:
        """Handled by the input; nothing above may take it for keys."""
        event.stop()

    def key(self, what: str) -> None:
        """A key that the input does not use itself."""
        match what:
            case "cancel":
                self.close()
                self.post_message(self.Cancelled(self, self._kind))
            case "accept":
                self._accept()
            case "down" | "up" if self._suggestions and not self._browsing and (self.value or self._chosen >= 0):
                self._choose(1 if what == "down" else -1)
            case "up" | "older":
                self._browse(-1)
            case _:
                self._browse(1)

    def _accept(self) -> None:
        if self._suggestions:
            self._put(self._suggestions[max(0, self._chosen)].text)

    def _browse(self, by: int) -> None:
        self._put(self._history.step(by, self.value))
        self._browsing = True

    def _put(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self.entry.value = text
        self.entry.cursor_position = len(text)
        self._suggest(text)
        self.post_message(self.Changed(self, self._kind, text))

    def _choose(self, by: int) -> None:
        count = len(self._suggestions)
        # One step before the first is what was typed itself.
        self._chosen = (self._chosen + 1 + by) % (count + 1) - 1
        self._show_suggestions()

    def _suggest(self, text: str) -> None:
        found = self._complete(text) if self._complete is not None else ()
        self._suggestions = tuple(found)[: SUGGESTIONS_SHOWN * 2]
        self._chosen = -1
        self._show_suggestions()

    def _show_suggestions(self) -> None:
        first = max(0, self._chosen - SUGGESTIONS_SHOWN + 1)
        shown = self._suggestions[first : first + SUGGESTIONS_SHOWN]
        width = max((len(suggestion.text) for suggestion in shown), default=0)
        contents = []
        for number, suggestion in enumerate(shown, first):
            chosen = number == self._chosen
            sign = glyphs().cursor if chosen else " "
            contents.append(
                Content.assemble(
                    (f"{sign} ", ink.ACCENT),
                    (suggestion.text.ljust(width), f"{ink.ACCENT} reverse" if chosen else ink.ACCENT),
                    (f"  {suggestion.help}", ink.MUTED),
                )
            )
        self.query_one(_Below).show(contents)
