"""The wall: the console's feed and findings on one screen that nobody types on and that changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from farmtui.app import FarmApp
from farmtui.commands import Command, bindings
from farmtui.farm.state import Severity
from farmtui.opened import already_known
from screens.wall import WallScreen
from themes import ANSI_THEME, choose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from textual.app import ComposeResult

    from farmtui.config import Config
    from farmtui.config.salvage import Salvaged

KEYS: tuple[Command, ...] = (Command("wall.quit", "ctrl+c", "quit", "Quit", "End the wall", group="wall"),)
"""All that can be typed."""
THEME = "farm-wall"
EVERY_S = 15.0


class WallApp(FarmApp, inherit_bindings=False):
    """FarmApp with one screen and no keys: there is nothing that anybody could do to the farm from here."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(KEYS))
    EXECUTES: ClassVar[bool] = False

    def __init__(
        self,
        start: Callable[[], Awaitable[Config]],
        *,
        config_file: Path | None = None,
        salvaged: Salvaged | None = None,
        every_s: float = EVERY_S,
        theme: str = "",
        notices: Sequence[str] = (),
        themes_dir: Path | None = None,
        beat: Callable[[], None] = lambda: None,
        screen: WallScreen | None = None,
    ) -> None:
        """`beat` is called each second; `config_file` is watched, and `salvaged` what was read there."""
        super().__init__(
            start, read_only="this is a wall", notices=notices, themes_dir=themes_dir,
            config_file=config_file, salvaged=salvaged,
        )  # fmt: skip
        self._asked_theme = theme
        self.wall = screen or WallScreen(every_s=every_s, beat=beat)

    def compose(self) -> ComposeResult:
        """Nothing before the wall itself."""
        yield from ()

    def asked_theme(self) -> str:
        """The wall's own colours, whatever the console's are; the terminal's where it has but few."""
        few = choose("", [], os.environ)[0] == ANSI_THEME
        return self._asked_theme or ("" if few else THEME)

    def begin(self) -> None:
        """The one screen, then what polls."""
        self.push_screen(self.wall)
        self.call_after_refresh(self.type_ahead.listen)
        self.call_after_refresh(self._begin_polling)

    def say(self, text: str, severity: Severity = Severity.OK) -> None:
        """Nobody reads a passing notice: what keeps the wall from showing anything stands on it."""
        if severity >= Severity.WARNING:
            self.wall.words = text
            self._repaint()

    def _repaint(self, *, anew: bool = False) -> None:
        self.wall.repaint()


def run(
    start: Callable[[], Awaitable[Config]] | None = None,
    *,
    config_file: Path | None = None,
    salvaged: Salvaged | None = None,
    every_s: float = EVERY_S,
    theme: str = "",
    notices: Sequence[str] = (),
    themes_dir: Path | None = None,
    beat: Callable[[], None] = lambda: None,
) -> int:
    """Show the wall until Ctrl+C; gives the exit code. Either what was read, or `start` that brings a config."""
    app = WallApp(
        start or already_known, config_file=config_file, salvaged=salvaged, every_s=every_s, theme=theme,
        notices=notices, themes_dir=themes_dir, beat=beat,
    )  # fmt: skip
    app.run(mouse=False)
    return app.return_code or 0
