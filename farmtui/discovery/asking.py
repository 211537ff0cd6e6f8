"""Questions on a plain terminal: a default that Enter accepts, secrets that are not echoed, nothing but lines."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TextIO

from farmtui.plain import Page, put, wrapped

NONE = "-"
"""What is typed for: leave it out."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where questions are asked, and where what was found is told. Its methods raise EOFError and KeyboardInterrupt."""

    out: TextIO
    page: Page
    asks: bool
    """False: each question is answered by its default, and is not asked."""

    def tell(self, text: str) -> None:
        """A paragraph."""
        put(self.out, self.page, f"{text}\n")

    def say(self, words: str) -> None:
        """A line or two."""
        put(self.out, self.page, "\n".join(wrapped(words, 2)))

    def ask(self, question: str, default: str = "") -> str:
        """A line; the default where nothing is typed, and nothing for `NONE`."""
        if not self.asks:
            return default
        typed = self._line(f"? {question}{f' [{default}]' if default else ''}:").strip()
        if typed == NONE:
            return ""
        return typed or default

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no; asked again until it is one of them."""
        if not self.asks:
            return default
        while True:
            typed = self._line(f"? {question} [{'Y/n' if default else 'y/N'}]:").strip().casefold()
            if not typed:
                return default
            if typed in ("y", "yes", "n", "no"):
                return typed[0] == "y"
            self.say("Please type y or n.")

    def hidden(self, question: str) -> str:
        """A line that is not echoed; nothing where nothing is asked."""
        if not self.asks:
            return ""
        return getpass.getpass(self._last_of(f"? {question}:")).strip()

    def _line(self, prompt: str) -> str:
        return input(self._last_of(prompt))

    def _last_of(self, prompt: str) -> str:
        """The prompt's last line; those before it are written: a terminal would break it within a word."""
        *before, last = wrapped(prompt, 0)
        if before:
            put(self.out, self.page, "\n".join(before))
        return f"{self.page.carried(last)} "
