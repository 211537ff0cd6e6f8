"""The command line. Everything but typer is imported inside the commands: `--help` waits for nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from farmtui.config import Config, ConfigError

USAGE = 2
"""Exit code for a command line or a config that cannot be used."""
UNKNOWN = 3
"""Exit code of `status` for a config that cannot be used: there, 2 means critical."""

app = typer.Typer(
    add_completion=False,
    # Neither rich's boxes (0.1 s of import) nor its tracebacks, which show the values of variables.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="The config file: its schema, what is in force, the keys.", no_args_is_help=True)
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The config file, instead of the first one found."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ScreenOption = Annotated[str | None, typer.Option("--screen", "-s", metavar="NAME", help="The screen to start on.")]
ReadOnlyOption = Annotated[
    bool, typer.Option("--read-only", help="No action is possible; not to be lifted from inside.")
]


def main() -> None:
    """The `farmtui` command."""
    app(prog_name="farmtui")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"farmtui {version('farmtui')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    config: ConfigOption = None,
    screen: ScreenOption = None,
    read_only: ReadOnlyOption = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The operations console of a WordPress farm. Without a command it opens the console.

    The config is the first of: --config, $FARMTUI_CONFIG, ./farmtui.yaml, the user's config folder.
    """
    context.obj = config
    if context.invoked_subcommand is None:
        _terminal_or_leave()
        raise typer.Exit(_open_console(config, screen, read_only))


@app.command()
def demo(
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", "-f", metavar="NAME", help="Start with this fault; may be given several times."),
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Name the faults that there are, and exit.")
    ] = False,
    seed: Annotated[int | None, typer.Option("--seed", help="The same number gives the same farm.")] = None,
    screen: ScreenOption = None,
    read_only: ReadOnlyOption = False,
) -> None:
    """Open the console on a simulated farm: no config, no network, nothing to install."""
    from farmtui import simulation

    if list_faults:
        raise typer.Exit(simulation.list_faults())
    _terminal_or_leave()
    from farmtui import logs

    notice = logs.to_file()
    try:
        with simulation.running(faults=fault or (), seed=seed) as farm:
            from farmtui.app import run

            raise typer.Exit(
                run(
                    None,
                    farm.config,
                    screen=_screen_name(screen),
                    read_only=_why_read_only(read_only),
                    notices=[notice] if notice else [],
                    themes_dir=_themes_folder(),
                )
            )
    except simulation.SimulationError as error:
        _leave(str(error))


@app.command()
def status(
    context: typer.Context,
    json: JsonOption = False,
    config: ConfigOption = None,
    deadline: Annotated[
        float,
        typer.Option("--deadline", metavar="SECONDS", min=1, max=600, help="Give up on a source after this long."),
    ] = 20.0,
) -> None:
    """Tell the farm's health once. Exit code: 0 ok, 1 warning, 2 critical, 3 unknown."""
    _, loaded = _load_or_leave(config or context.obj, UNKNOWN)
    from farmtui import status as farm_status

    raise typer.Exit(farm_status.run(loaded, as_json=json, deadline_s=deadline))


@app.command()
def check(context: typer.Context, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Try every source and every query, and tell what is wrong and how to mend it.

    Exit code: 0 all well, 1 a query gives nothing, 2 a source fails (or the config cannot be used).
    """
    path, loaded = _load_or_leave(config or context.obj)
    from farmtui import check as farm_check

    raise typer.Exit(farm_check.run(loaded, path, as_json=json))


@config_app.command("schema")
def config_schema() -> None:
    """Print the config's JSON schema, for editors."""
    import json

    from farmtui.config import schema

    typer.echo(json.dumps(schema(), indent=2))


@config_app.command("show")
def config_show(context: typer.Context, config: ConfigOption = None) -> None:
    """Print the config in force, defaults included; secrets stay references."""
    from farmtui.config_text import shown

    path, loaded = _load_or_leave(config or context.obj)
    typer.echo(f"# {path}\n{shown(loaded)}", nl=False)


@config_app.command("path")
def config_path(context: typer.Context, config: ConfigOption = None) -> None:
    """Print which file is the config, or where one was looked for."""
    from farmtui.config import ConfigError, find_config

    try:
        typer.echo(find_config(config or context.obj))
    except ConfigError as error:
        _leave_config(error, USAGE)


@config_app.command("keys")
def config_keys(context: typer.Context, config: ConfigOption = None) -> None:
    """List every command that has a key, by the id with which `ui.keys` in the config rebinds it."""
    from farmtui.app import key_scopes
    from farmtui.commands import keymap_problems
    from farmtui.config import ConfigError

    overrides: dict[str, str] = {}
    try:
        overrides = _load(config or context.obj)[1].ui.keys
    except ConfigError as error:
        if config or context.obj:
            _leave_config(error, USAGE)
    scopes = key_scopes()
    for scope, bindings in scopes.items():
        typer.echo(f"{scope}:")
        for binding in bindings:
            keys = overrides.get(binding.id or "", binding.key)
            typer.echo(f"  {binding.id or '-':<24} {keys:<24} {binding.tooltip or binding.description}".rstrip())
    if problems := keymap_problems(overrides, scopes):
        _leave("\n".join(problems))


def _open_console(given: Path | None, screen: str | None, read_only: bool) -> int:
    path, config = _load_or_leave(given)
    screen = _screen_name(screen or config.ui.screen)
    from farmtui import logs

    notice = logs.to_file()
    from farmtui.app import run

    if config.ui.keys:
        from farmtui.app import key_scopes
        from farmtui.commands import keymap_problems

        if problems := keymap_problems(config.ui.keys, key_scopes()):
            _leave("\n".join(f"{path}: {problem}" for problem in problems))
    return run(
        config,
        screen=screen,
        read_only=_why_read_only(read_only),
        notices=[notice] if notice else [],
        themes_dir=_themes_folder(),
    )


def _load(given: Path | None) -> tuple[Path, Config]:
    """The config's file and the config. Raises ConfigError."""
    from farmtui.config import find_config, load_config

    path = find_config(given)
    return path, load_config(path)


def _load_or_leave(given: Path | None, code: int = USAGE) -> tuple[Path, Config]:
    from farmtui.config import ConfigError

    try:
        return _load(given)
    except ConfigError as error:
        _leave_config(error, code)


def _terminal_or_leave() -> None:
    """The console reads keys from the standard input and paints on the standard error, or output."""
    if not os.isatty(0) or not (os.isatty(2) or os.isatty(1)):
        _leave(
            "the console needs a terminal, and this is none; for pipes, cron and monitoring there is: farmtui status"
        )
    if os.environ.get("TERM", "") in ("", "dumb"):
        _leave("TERM says that this terminal cannot place its cursor; plain text is what this gives: farmtui status")


def _screen_name(asked: str | None) -> str | None:
    """A screen's name from any name that it has, or leave."""
    if asked is None:
        return None
    from screens.console import SCREENS

    names = {name: entry.name for entry in SCREENS for name in (entry.name, *entry.names)}
    if asked not in names:
        _leave(f"there is no screen {asked!r}; there are: {', '.join(entry.name for entry in SCREENS)}")
    return names[asked]


def _why_read_only(asked: bool) -> str:
    return "the console was started with --read-only" if asked else ""


def _themes_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("farmtui") / "themes"


def _leave_config(error: ConfigError, code: int) -> NoReturn:
    _leave(str(error), code, name="")


def _leave(words: str, code: int = USAGE, *, name: str = "farmtui: ") -> NoReturn:
    """End with words on the standard error, never with a traceback."""
    from farmtui.farm.text import visible

    print(f"{name}{visible(words, multiline=True)}", file=sys.stderr)
    raise typer.Exit(code)
