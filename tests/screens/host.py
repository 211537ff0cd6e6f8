"""A console of one screen over a given farm: what screens ask of the application is recorded, not done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import App

from farmtui.farm.actions import ActionError
from farmtui.farm.alerts import Matcher
from farmtui.farm.farm import Farm
from farmtui.farm.mistake import ConfigState
from farmtui.farm.state import Severity
from farmtui.looking import Looks
from farmtui.tail.desk import LogDesk
from screens.console import RemedyDesk, SilenceDesk
from screens.frame import FarmScreen
from screens.places import Place, Subject
from themes import APP_CSS, load_themes, variable_defaults

if TYPE_CHECKING:
    from farmtui.insight.finding import Finding

SIZES = ((80, 24), (120, 40), (200, 60))
"""The three terminals that every screen is looked at in."""


class Desk:
    """A SilenceDesk that records; `refuses` is the text of the ActionError that it answers with instead."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.created: list[tuple[tuple[Matcher, ...], float, str, str]] = []
        self.expired: list[str] = []

    async def create(self, matchers: Sequence[Matcher], duration_s: float, comment: str, *, replaces: str = "") -> str:
        """Record a silence; its id is `new-1`, `new-2`, ..."""
        if self.refuses:
            raise ActionError(self.refuses)
        self.created.append((tuple(matchers), duration_s, comment, replaces))
        return f"new-{len(self.created)}"

    async def expire(self, ident: str) -> None:
        """Record an end."""
        if self.refuses:
            raise ActionError(self.refuses)
        self.expired.append(ident)


class HostApp(App[None]):
    """An application with one screen (and the dialogs that it opens)."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = APP_CSS

    def __init__(
        self,
        screen: Callable[[], FarmScreen],
        farm: Farm | None,
        *,
        findings: tuple[Finding, ...] = (),
        read_only: str = "",
        desk: SilenceDesk | None = None,
        remedies: RemedyDesk | None = None,
        theme: str = "farm-dark",
    ) -> None:
        super().__init__()
        self.farm_name = "lab"
        self.logs = LogDesk(lambda: None, lambda: read_only)
        self.farm_colour = 0
        self.farm = farm
        self.findings = findings
        self.overall = Severity.OK
        self.screen_health: Mapping[str, Severity] = {}
        self.faults_only = False
        self.read_only = read_only
        self.config_state = ConfigState()
        self.reloaded = 0
        self.silences = desk
        self.remedies = remedies
        self.looks = Looks(lambda: None)
        self.said: list[tuple[str, Severity]] = []
        self.clipped: list[str] = []
        self.went: list[Place] = []
        self.opened: list[Subject] = []
        self.polled = 0
        self._make = screen
        self._look = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our names, under whatever theme."""
        return variable_defaults()

    def on_mount(self) -> None:
        """Show the screen."""
        for theme in load_themes()[0]:
            self.register_theme(theme)
        self.theme = self._look
        self.push_screen(self._make())

    @property
    def shown(self) -> FarmScreen:
        """The screen, whatever lies over it."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, FarmScreen))

    def publish(self, farm: Farm) -> None:
        """A new picture has come."""
        self.farm = farm
        self.shown.repaint()

    def only_faults(self, on: bool = True) -> None:
        """As Ctrl+Z does."""
        self.faults_only = on
        self.shown.repaint()

    # -- screens.console.Console ----------------------------------------------------------------

    def go(self, place: Place) -> None:
        """Record where somebody wanted to go."""
        self.went.append(place)

    def open(self, subject: Subject) -> None:
        """Record what somebody opened."""
        self.opened.append(subject)

    def say(self, text: str, severity: Severity = Severity.OK) -> None:
        """Record a notice."""
        self.said.append((text, severity))

    def clip(self, text: str, what: str) -> None:
        """Record what was copied."""
        self.clipped.append(text)

    def reload(self) -> None:
        """Count."""
        self.reloaded += 1

    def refresh_sources(self) -> None:
        """Count."""
        self.polled += 1


def text_of(app: App[Any]) -> list[str]:
    """What the terminal shows, line by line."""
    screen = app.screen
    return ["".join(segment.text for segment in strip) for strip in screen._compositor.render_strips()]


async def lines_of(screen: Callable[[], FarmScreen], farm: Farm, size: tuple[int, int], *keys: str) -> list[str]:
    """What a screen shows of a farm, line by line, when these keys have been pressed."""
    app = HostApp(screen, farm)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
        await pilot.pause()
        return text_of(app)
