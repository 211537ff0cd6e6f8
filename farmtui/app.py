"""FarmApp: the one place where engine and screens meet."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.binding import BindingType
from textual.screen import Screen

from farmtui import switching
from farmtui.asking import NotUnderstoodError, suggestions, understood
from farmtui.commands import Command, bindings, keymap
from farmtui.farm.actions import ActionError
from farmtui.farm.state import Severity
from farmtui.keys import GLOBAL, misfits
from farmtui.looking import Looks
from farmtui.opened import OpenedFarm, already_known
from farmtui.showing import make_screen, weigh
from farmtui.skins import Skins
from farmtui.tail.desk import LogDesk
from farmtui.terminal import TerminalApp
from screens.console import SCREENS, RemedyDesk, SilenceDesk
from screens.frame import COMMON, FarmScreen, ViewScreen
from screens.lines import Line
from screens.opened import view_of
from screens.places import History, Place, Subject
from screens.statusline import nav_text, status_texts
from themes import APP_CSS, choose, variable_defaults
from widgets.ascii_filter import terminal_filters
from widgets.glyphs import set_ascii
from widgets.prompt import History as Typed
from widgets.prompt import Prompt, Suggestion
from widgets.scrollbars import install_scrollbars

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.filter import LineFilter
    from textual.theme import Theme

    from farmtui.config import Config
    from farmtui.config.salvage import Salvaged
    from farmtui.farm.farm import Farm
    from farmtui.farm.mistake import ConfigState
    from farmtui.insight.finding import Finding
    from farmtui.polling import Feed


class FarmApp(TerminalApp[int], inherit_bindings=False):
    """The console. It holds the newest Farm; screens hold no data of their own. Its keys are its own, not Textual's."""

    TITLE = "farmtui"
    ENABLE_COMMAND_PALETTE = False  # `:` is the prompt; the palette's dimming repaints everything
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(GLOBAL))
    CSS_PATH = APP_CSS
    EXECUTES: ClassVar[bool] = True
    """Whether runs are kept in sight, and can be begun, from here."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Config]],
        *,
        config: Config | None = None,
        first_screen: str | None = None,
        read_only: str = "",
        notices: Sequence[str] = (),
        themes_dir: Path | None = None,
        config_file: Path | None = None,
        salvaged: Salvaged | None = None,
    ) -> None:
        """`start` gives the config once it is known (the simulated farm has to start first); `config` if it is.

        `config_file` is where it is read from: what executes runs reads it there. Without one nothing can be run.
        `salvaged` is what was read there, in the place of `config`: the console begins with what is right in it.
        """
        super().__init__()
        # There is no screen yet that a key could be meant for: what is typed ahead waits for the first one.
        self.type_ahead.hold()
        self._asked_read_only = read_only
        self._opened = OpenedFarm(
            self, start, config=config, file=config_file, salvaged=salvaged, read_only=read_only, check=misfits
        )
        self._first_file = config_file
        self._first_screen = first_screen
        self._notices = tuple(notices)
        self._skins = Skins(themes_dir)
        self._farms: tuple[str, ...] = ()
        self._begin_with_nothing()
        self._typed = Typed()

    def _begin_with_nothing(self) -> None:
        """What is known of a farm before anything is."""
        self._remedies_begun = False
        self._told_state = self._opened.state
        self._findings: tuple[Finding, ...] = ()
        self._overall = Severity.UNKNOWN
        self._screen_health: Mapping[str, Severity] = MappingProxyType({})
        self._farm: Farm | None = None
        self._faults_only = False
        self.farm_name = self._opened.name
        self.logs = LogDesk(lambda: self._opened.config, lambda: self.read_only)
        self.looks = Looks(lambda: self._opened.config)
        self.history = History()

    # -- what screens may ask (screens.console.Console) -----------------------------------------

    @property
    def farm(self) -> Farm | None:
        """The newest picture, or None before the first."""
        return self._farm

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, worst first."""
        return self._findings

    @property
    def overall(self) -> Severity:
        """How the farm is, as a whole."""
        return self._overall

    @property
    def screen_health(self) -> Mapping[str, Severity]:
        """How bad the worst thing on each screen is."""
        return self._screen_health

    @property
    def faults_only(self) -> bool:
        """Whether rows that are well are hidden."""
        return self._faults_only

    @property
    def read_only(self) -> str:
        """Why nothing can be changed; empty when it can. Nothing inside the console lifts it."""
        return self._opened.read_only

    @property
    def config_state(self) -> ConfigState:
        """What is wrong in the config file, and what follows from it."""
        return self._opened.state

    @property
    def farm_colour(self) -> int:
        """The ground of the farm's name: one of the theme's line colours, from 1; 0: none."""
        return (self._opened.config.farm.colour or 0) if self._opened.config else 0

    @property
    def silences(self) -> SilenceDesk | None:
        """None where no Alertmanager is configured."""
        return self._opened.silences

    @property
    def remedies(self) -> RemedyDesk | None:
        """None until the first picture: the journal is not what the first paint waits for."""
        return self._opened.remedies

    def go(self, place: Place) -> None:
        """Show a place, and remember it in the history."""
        self.history.visit(place)
        self._show(place)

    def open(self, subject: Subject) -> None:
        """Drill into a thing, on the screen where somebody is."""
        here = self.history.here
        if here is not None:
            self.go(here.into(subject))

    def say(self, text: str, severity: Severity = Severity.OK) -> None:
        """A passing notice."""
        level: Literal["information", "warning", "error"] = "information" if severity < Severity.WARNING else "warning"
        level = "error" if severity is Severity.CRITICAL else level
        self.notify(text, severity=level, markup=False)

    def clip(self, text: str, what: str) -> None:
        """Copy to the terminal's clipboard (OSC 52) and say so."""
        self.copy_to_clipboard(text)
        self.say(f"copied {what}: {text if len(text) <= 60 else text[:59] + '…'}")

    def shell(self, host: str) -> None:
        """Give the terminal to a shell on a machine, and take it back when that has ended."""
        self._in_shell(host)

    @work(exclusive=True, group="shell", exit_on_error=False)
    async def _in_shell(self, host: str) -> None:
        from farmtui.lending import lend_to_shell

        remedies, config = self._opened.remedies, self._opened.config
        if remedies is None or config is None:
            self.say("nothing is known yet to log in by", Severity.WARNING)
            return
        try:
            await lend_to_shell(self, host, config.ssh, remedies)
        except ActionError as error:
            self.say(str(error), Severity.CRITICAL)

    def refresh_sources(self) -> None:
        """Poll everything now."""
        if self._opened.feed is not None:
            self._opened.feed.refresh()
            self.say("asking every source now")

    def reload(self) -> None:
        """Read the config file and the themes again."""
        self.run_worker(self._opened.reload(asked=True), group="reload", exit_on_error=False)
        self._reskin(self._skins.load())

    # -- life -----------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """The first frame, before any screen is imported: who this is, and where one can go."""
        yield Line(id="status")
        yield Line(id="nav")

    def on_mount(self) -> None:
        """Paint first; everything heavy comes after."""
        install_scrollbars()
        for theme in self._skins.load():
            self.register_theme(theme)
        self._apply_ui()
        self.begin()

    def begin(self) -> None:
        """The screens, of which the first is shown as soon as the first frame is painted."""
        self._add_screens()
        first = self._first_screen or SCREENS[0].name
        said = status_texts(None, (), Severity.UNKNOWN, name=self.farm_name, flags=(), crumbs=())
        self.query_one("#status", Line).show(said[0])
        self.query_one("#nav", Line).show(nav_text(SCREENS, first, {}, width=self.size.width))
        self.call_after_refresh(self._show_first, first, (*self._notices, *self._skins.problems))

    def _add_screens(self) -> None:
        for entry in SCREENS:
            self.add_mode(entry.name, partial(self._make_screen, entry.name))

    def _make_screen(self, name: str) -> FarmScreen:
        return make_screen(name)

    def _first_place(self, first: str) -> Place:
        return Place(first if first in self._modes else SCREENS[0].name)

    def _show_first(self, first: str, notices: Sequence[str]) -> None:
        """The first screen, then what was typed ahead, then what polls."""
        self.go(self._first_place(first))
        self.call_after_refresh(self.type_ahead.listen)
        for notice in notices:
            self.say(notice, Severity.WARNING)
        self.call_after_refresh(self._begin_polling)

    def _begin_polling(self) -> None:
        self._start_feed()
        self._watch_config()
        self.run_worker(self._skins.watch(self._reskin), group="themes", exclusive=True, exit_on_error=False)

    def _reskin(self, changed: Sequence[Theme]) -> None:
        """Themes have changed: the one that is shown is shown anew."""
        shown = self.theme
        for theme in changed:
            self.register_theme(theme)
        for problem in self._skins.problems:
            self.say(problem, Severity.WARNING)
        if shown not in self._skins.known or self.asked_theme() in {theme.name for theme in changed}:
            self._apply_ui()
        if self.theme == shown and any(theme.name == shown for theme in changed):
            # It is only looked at when another name is given.
            self.theme = "textual-dark"
            self.theme = shown

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our stylesheet parses under a foreign theme too."""
        return variable_defaults()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, then ours."""
        return terminal_filters(super().get_line_filters())

    def take(self, config: Config, changed: Sequence[str]) -> None:
        """Another config holds, of which these keys differ: looks and keys follow it at once."""
        self._opened.config = config
        if self.is_running:
            looks = {key.split(".")[1] for key in changed if key.startswith("ui.")}
            self._apply_ui(theme=not changed or "theme" in looks)
            if "ascii" in looks:
                self._repaint(anew=True)

    def asked_theme(self) -> str:
        """The theme that somebody wants; empty: whatever suits the terminal."""
        return self._opened.config.ui.theme if self._opened.config is not None else ""

    def _apply_ui(self, *, theme: bool = True) -> None:
        """Theme, signs and keys, from the config where there is one yet."""
        if theme:
            self.theme, notice = choose(self.asked_theme(), self._skins.known, os.environ)
            if notice:
                self.say(notice, Severity.WARNING)
        if (config := self._opened.config) is not None:
            self.farm_name = self._opened.name
            set_ascii(config.ui.ascii)
            self.set_keymap(keymap(config.ui.keys))

    @work(exclusive=True, group="feed", exit_on_error=False)
    async def _start_feed(self) -> None:
        """Poll until the console ends."""
        try:
            await self._opened.run()
        except Exception as error:  # noqa: BLE001 - whatever keeps it from polling is said; with nothing known it ends
            text = f"cannot start: {error}"
            self.say(text, Severity.CRITICAL) if self._opened.config else self.exit(return_code=1, message=text)

    @work(exclusive=True, group="config", exit_on_error=False)
    async def _watch_config(self) -> None:
        await self._opened.watch_file()

    def make_feed(self, config: Config) -> Feed:
        """What polls."""
        from farmtui.polling import Feed

        return Feed(config, on_farm=self.publish, weigh=partial(weigh, self._farm_screen))

    def publish(self, farm: Farm) -> None:
        """A new picture: work out what is wrong once, then let the screen on top repaint what differs."""
        from farmtui.insight.config_faults import with_config
        from farmtui.insight.findings import findings
        from farmtui.insight.health import components, overall

        self._farm = farm
        self._findings = with_config(findings(farm), self.config_state)
        self._overall = overall(farm, self._findings)
        self._told_state = self.config_state
        health: dict[str, Severity] = {}
        for component in components(farm, self._findings):
            health[component.screen] = max(component.severity, health.get(component.screen, Severity.OK))
        self._screen_health = MappingProxyType(health)
        self._repaint()
        if not self._remedies_begun and self.EXECUTES and self._opened.config and self._opened.file is not None:
            self._remedies_begun = True
            self._watch_remedies()

    def tell(self) -> None:
        """What is known of the config, or of runs, has changed: show it."""
        if self._farm is not None and self.config_state is not self._told_state:
            self.publish(self._farm)
        self._repaint()

    @work(exclusive=True, group="remedies", exit_on_error=False)
    async def _watch_remedies(self) -> None:
        """Runs and books, once there is a farm to look at."""
        await self._opened.watch_remedies(lambda: self._farm)

    def _repaint(self, *, anew: bool = False) -> None:
        screen = self._farm_screen()
        if screen is not None:
            screen.repaint_anew() if anew else screen.repaint()

    # -- places ---------------------------------------------------------------------------------

    def _show(self, place: Place) -> None:
        """Make the terminal show a place: its mode, and its trail as views on top of that mode's screen."""
        if self.current_mode != place.screen:
            self.switch_mode(place.screen)
        views = [screen for screen in self.screen_stack[1:] if isinstance(screen, ViewScreen)]
        shared = 0
        while shared < min(len(views), len(place.trail)) and views[shared].subject == place.trail[shared]:
            shared += 1
        while len(self.screen_stack) > 1 + shared:
            self.pop_screen()
        for depth in range(shared, len(place.trail)):
            self.push_screen(view_of(Place(place.screen, place.trail[: depth + 1])))

    def action_screen(self, name: str) -> None:
        """Go to a top-level screen."""
        self.go(Place(name))

    def action_step(self, by: str) -> None:
        """Walk the history."""
        place = self.history.back() if int(by) < 0 else self.history.forward()
        if place is not None:
            self._show(place)

    def action_last(self) -> None:
        """To the place before this one, and back."""
        place = self.history.last()
        if place is not None:
            self.go(place)

    # -- farms ----------------------------------------------------------------------------------

    @work(exclusive=True, group="farm", exit_on_error=False)
    async def action_farm(self, name: str = "") -> None:
        """Leave this farm and open another; without a name: say which there are.

        Nothing of the one that is left stays: no screen, no dialog, no plan. Its runs go on by themselves.
        """
        try:
            switching.check_may_leave(self.is_web)
            path = await asyncio.to_thread(switching.path_of, name, self._opened.file, self._first_file)
        except switching.StayError as error:
            self.say(str(error), error.severity)
            return
        salvaged = await asyncio.to_thread(switching.salvaged_at, path, misfits)
        await self.leaving()
        left = self.farm_name
        self._opened = OpenedFarm(
            self, already_known, file=path, salvaged=salvaged, read_only=self._asked_read_only, check=misfits
        )
        self._begin_with_nothing()
        self.add_mode(switching.AWAY, Screen)
        await self.switch_mode(switching.AWAY)
        for entry in SCREENS:
            await self.remove_mode(entry.name)
        self._add_screens()
        self._apply_ui()
        self.go(self._first_place(salvaged.config.ui.screen))
        await self.remove_mode(switching.AWAY)
        self._begin_polling()
        self.say(f"{left} is left; this is {self.farm_name}")

    async def leaving(self) -> None:
        """Another farm is about to be opened."""
        for group in ("feed", "config", "remedies", "reload", "shell"):
            self.workers.cancel_group(self, group)

    @work(exclusive=True, group="farms", exit_on_error=False)
    async def _look_for_farms(self) -> None:
        self._farms = await asyncio.to_thread(switching.names, self._opened.file, self._first_file)

    # -- commands -------------------------------------------------------------------------------

    def action_faults(self) -> None:
        """Show only what is not well, or everything again."""
        self._faults_only = not self._faults_only
        self._repaint()

    def action_poll(self) -> None:
        """Ask every source now."""
        self.refresh_sources()

    def action_reload(self) -> None:
        """As `reload`, by name."""
        self.reload()

    def action_help(self) -> None:
        """Every key that does something here."""
        from screens.help import HelpScreen

        screen = self._farm_screen()
        if screen is self.screen and screen is not None:
            self.push_screen(HelpScreen(screen, (*screen.KEYS, *COMMON, *GLOBAL)))

    def action_prompt(self) -> None:
        """Open the `:` prompt."""
        screen = self._farm_screen()
        self._look_for_farms()
        if screen is not None:
            screen.query_one(Prompt).ask(":", complete=self.complete, history=self._typed)

    def action_theme(self, name: str) -> None:
        """Change the colours."""
        if name in self._skins.known:
            self.theme = name
        else:
            self.say(f"there is no theme {name!r}; known: {', '.join(self._skins.names)}", Severity.WARNING)

    def _farm_screen(self) -> FarmScreen | None:
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, FarmScreen)), None)

    # -- the `:` prompt -------------------------------------------------------------------------

    def _prompt_commands(self) -> dict[str, Command]:
        """Everything that can be typed after `:`, by every name that it has."""
        screen = self._farm_screen()
        own = screen.KEYS if screen is not None else ()
        return {name: command for command in (*GLOBAL, *own) for name in command.names}

    def complete(self, typed: str) -> list[Suggestion]:
        """What a command may become."""
        arguments = {"theme": self._skins.names, "skin": self._skins.names, "farm": self._farms}
        return suggestions(typed, self._prompt_commands(), arguments)

    @on(Prompt.Submitted)
    async def _command_entered(self, message: Prompt.Submitted) -> None:
        if message.kind != ":" or not message.text.strip():
            return
        try:
            command, argument = understood(message.text, self._prompt_commands())
        except NotUnderstoodError as error:
            message.prompt.complain(str(error))
            return
        if command.argument:
            await self.run_action(f"{command.action}({argument!r})")
        else:
            screen = self._farm_screen()
            await self.run_action(command.action, screen if screen is not None and command in screen.KEYS else None)
