"""The floor of the first paint: a Textual app with one label."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Label


class OneLabel(App[None]):
    """Nothing but a label."""

    def compose(self) -> ComposeResult:
        """The label."""
        yield Label("one label")


if __name__ == "__main__":
    OneLabel().run()
