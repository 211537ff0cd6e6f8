"""How the console is opened, on a config or on the simulated farm; and how a command ends that cannot go on.

Nothing here imports typer or pydantic: the first frame of `farmtui demo` does not wait for them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from farmtui.config import Config, ConfigError
    from farmtui.config.salvage import Salvaged
    from farmtui.web.start import Wanted

USAGE = 2
"""Exit code for a command line or a config that cannot be used."""
COMPLETE = "__complete"
"""What the shells' completion scripts call, with the command line so far as the only argument."""


def main() -> None:
    """The `farmtui` command. The one that people begin with goes past the command line's parser: it takes 0.1 s."""
    if sys.argv[1:] == ["demo"]:
        sys.exit(open_demo())
    from farmtui.cli import app

    if sys.argv[1:2] == [COMPLETE]:
        from typer.main import get_command

        from farmtui.completing.words import print_completions

        sys.exit(print_completions(get_command(app), " ".join(sys.argv[2:])))
    app(prog_name="farmtui")


def open_demo(
    faults: Sequence[str] = (), *, seed: int | None = None, screen: str | None = None, read_only: bool = False
) -> int:
    """Open the console on a simulated farm; gives the exit code."""
    _begin()
    from farmtui import logs, simulation

    notice = logs.to_file()
    try:
        with simulation.running(faults=faults, seed=seed) as farm:
            from farmtui.marking import MarkingApp

            app = MarkingApp(
                farm.config,
                restore=False,
                keep=False,
                first_screen=screen_name(screen),
                read_only=_why_read_only(read_only),
                notices=[notice] if notice else [],
                themes_dir=_themes_folder(),
                config_file=farm.config_file,
            )
            app.run()
            return app.return_code or 0
    except simulation.SimulationError as error:
        leave(str(error))


def open_console(path: Path, *, screen: str | None, read_only: bool, fresh: bool = False) -> int:
    """Open the console on the config at `path`, wrong as it may be; gives the exit code. `fresh`: not where one was."""
    _begin()
    from farmtui import logs

    notice = logs.to_file()
    from farmtui.config.salvage import salvage_file
    from farmtui.keys import misfits
    from farmtui.marking import MarkingApp
    from farmtui.opened import already_known

    salvaged = salvage_file(path, misfits)
    # The screen to start on is where there is none to come back to; one that is asked for comes before both.
    app = MarkingApp(
        already_known,
        first_screen=screen_name(screen),
        usual_screen=screen_name(salvaged.config.ui.screen) or "",
        restore=not fresh and not in_browser(),
        read_only=_why_read_only(read_only),
        notices=[notice] if notice else [],
        themes_dir=_themes_folder(),
        config_file=path,
        salvaged=salvaged,
    )
    app.run(mouse=salvaged.config.ui.mouse)
    return app.return_code or 0


def open_wall(path: Path, *, every_s: float, theme: str) -> int:
    """Show the wall on the config at `path`, wrong as it may be; gives the exit code."""
    _begin()
    from farmtui.config.salvage import salvage_file
    from farmtui.keys import misfits

    return _wall(None, path, salvage_file(path, misfits), every_s=every_s, theme=theme)


def open_demo_wall(faults: Sequence[str] = (), *, seed: int | None = None, every_s: float, theme: str) -> int:
    """Show the wall on a simulated farm; gives the exit code."""
    _begin()
    from farmtui import simulation

    try:
        with simulation.running(faults=faults, seed=seed) as farm:
            return _wall(farm.config, None, None, every_s=every_s, theme=theme)
    except simulation.SimulationError as error:
        leave(str(error))


def _wall(
    start: Callable[[], Awaitable[Config]] | None,
    path: Path | None,
    salvaged: Salvaged | None,
    *,
    every_s: float,
    theme: str,
) -> int:
    from farmtui import logs

    notice = logs.to_file()
    from farmtui.term.deadman import beating
    from farmtui.wall import run

    # In a browser it is the page that notices when nothing comes any more.
    with contextlib.nullcontext(_no_beat) if in_browser() else beating() as beat:
        return run(
            start,
            config_file=path,
            salvaged=salvaged,
            every_s=every_s,
            theme=theme,
            notices=[notice] if notice else [],
            themes_dir=_themes_folder(),
            beat=beat,
        )


def _no_beat() -> None:
    pass


def open_served(
    path: Path | None,
    wanted: Wanted,
    *,
    faults: Sequence[str] = (),
    seed: int | None = None,
) -> int:
    """Serve the console or the wall to browsers; gives the exit code. Without `path`: on a simulated farm."""
    from farmtui.web.start import ServeError, run

    try:
        if path is not None:
            return run(path, wanted)
        import asyncio

        from farmtui import simulation

        try:
            with simulation.running(faults=faults, seed=seed) as farm:
                asyncio.run(farm.config())
                return run(farm.config_file, wanted)
        except simulation.SimulationError as error:
            leave(str(error))
    except ServeError as error:
        leave(str(error))


def in_browser() -> bool:
    """Whether what we paint goes to a browser, through textual-serve."""
    return os.environ.get("TEXTUAL_DRIVER", "") == "textual.drivers.web_driver:WebDriver"


def _begin() -> None:
    """Leave where there is no terminal; else import and open all that is needed, with nothing in between."""
    terminal_or_leave()
    from farmtui.term.quiet import hold

    hold()


def terminal_or_leave() -> None:
    """The console reads keys from the standard input and paints on the standard error, or output."""
    if in_browser():
        return
    if not os.isatty(0) or not (os.isatty(2) or os.isatty(1)):
        leave("the console needs a terminal, and this is none; for pipes, cron and monitoring there is: farmtui status")
    if os.environ.get("TERM", "") in ("", "dumb"):
        leave("TERM says that this terminal cannot place its cursor; plain text is what this gives: farmtui status")


def screen_name(asked: str | None) -> str | None:
    """A screen's name from any name that it has, or leave."""
    if asked is None:
        return None
    from screens.console import SCREENS

    names = {name: entry.name for entry in SCREENS for name in (entry.name, *entry.names)}
    if asked not in names:
        leave(f"there is no screen {asked!r}; there are: {', '.join(entry.name for entry in SCREENS)}")
    return names[asked]


def _why_read_only(asked: bool) -> str:
    return "the console was started with --read-only" if asked else ""


def _themes_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("farmtui") / "themes"


def load_found(given: Path | str | None) -> tuple[Path, Config]:
    """The config that is found, with its file. Raises ConfigError."""
    from farmtui.config import load_config

    path = found(given)
    config = load_config(path)
    if config.prometheus is not None and config.prometheus.queries:
        from farmtui.sources.prometheus.catalogue import catalogue

        catalogue().with_overrides(config.prometheus.queries)
    return path, config


def found(given: Path | str | None) -> Path:
    """The config file: a path is one, a name is a farm's; without either the first there is. Raises ConfigError."""
    from farmtui.config import find_config

    if isinstance(given, str):
        from farmtui.config.farms import find_farm

        return find_farm(given)
    return find_config(given)


def find_or_leave(given: Path | str | None) -> Path:
    """Where the config is that is found, wrong as it may be; or leave with where it was looked for."""
    from farmtui.config import ConfigError

    try:
        return found(given)
    except ConfigError as error:
        leave_config(error)


def load_or_leave(given: Path | str | None, code: int = USAGE) -> tuple[Path, Config]:
    """The config that is found, with its file; or leave with what is wrong with it."""
    from farmtui.config import ConfigError

    try:
        return load_found(given)
    except ConfigError as error:
        leave_config(error, code)


def leave_config(error: ConfigError, code: int = USAGE) -> NoReturn:
    """End with what is wrong in a config; its text names the file."""
    leave(str(error), code, name="")


def leave(words: str, code: int = USAGE, *, name: str = "farmtui: ") -> NoReturn:
    """End with words on the standard error, never with a traceback."""
    from farmtui.farm.text import visible

    print(f"{name}{visible(words, multiline=True)}", file=sys.stderr)
    sys.exit(code)
