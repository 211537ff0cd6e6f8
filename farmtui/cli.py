"""The command line. Everything but typer is imported inside the commands: `--help` waits for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from farmtui import books_cli, init_cli, logs_cli, remedy_cli
from farmtui.start import (
    USAGE,
    find_or_leave,
    found,
    leave,
    leave_config,
    load_found,
    load_or_leave,
    open_console,
    open_demo,
    open_demo_wall,
    open_served,
    open_wall,
)

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
app.add_typer(books_cli.runbooks_app, name="runbooks")
app.command()(init_cli.init)
remedy_cli.register(app)
app.command()(logs_cli.logs)


def _config_wanted(context: typer.Context, given: Path | None) -> Path | None:
    return _only_one(context, "config", given)


def _farm_wanted(context: typer.Context, name: str | None) -> str | None:
    context.obj = _only_one(context, "farm", name) or context.obj
    return name


T = TypeVar("T")


def _only_one(context: typer.Context, option: str, given: T | None) -> T | None:
    """Two ways to say which config it is would leave it open which one was meant."""
    if given is not None:
        said = context.meta.setdefault("farmtui.config", option)
        if said != option:
            raise typer.BadParameter("give --config or --farm, not both")
    return given


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The config file, instead of the first one found.",
        callback=_config_wanted,
    ),
]
FarmOption = Annotated[
    str | None,
    typer.Option("--farm", "-F", metavar="NAME", help="The farm of this name (docs/farms.md).", callback=_farm_wanted),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ScreenOption = Annotated[str | None, typer.Option("--screen", "-s", metavar="NAME", help="The screen to start on.")]
ReadOnlyOption = Annotated[
    bool, typer.Option("--read-only", help="No action is possible; not to be lifted from inside.")
]
FaultOption = Annotated[
    list[str] | None,
    typer.Option("--fault", "-f", metavar="NAME", help="Start with this fault; may be given several times."),
]
EveryOption = Annotated[
    float, typer.Option("--every", metavar="SECONDS", min=2, max=3600, help="How long each page of a wall is shown.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="The same number gives the same farm.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"farmtui {version('farmtui')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    config: ConfigOption = None,
    farm: FarmOption = None,
    screen: ScreenOption = None,
    read_only: ReadOnlyOption = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, not where you were.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The operations console of a WordPress farm. Without a command it opens the console.

    The config is that of --farm, or the first of: --config, $FARMTUI_CONFIG, ./farmtui.yaml, the user's config folder.
    """
    context.obj = config or context.obj
    if context.invoked_subcommand is None:
        raise typer.Exit(open_console(find_or_leave(context.obj), screen=screen, read_only=read_only, fresh=fresh))


@app.command()
def demo(
    fault: FaultOption = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Name the faults that there are, and exit.")
    ] = False,
    seed: SeedOption = None,
    screen: ScreenOption = None,
    read_only: ReadOnlyOption = False,
) -> None:
    """Open the console on a simulated farm: no config, no network, nothing to install."""
    if list_faults:
        from farmtui import simulation

        raise typer.Exit(simulation.list_faults())
    raise typer.Exit(open_demo(fault or (), seed=seed, screen=screen, read_only=read_only))


@app.command()
def wall(
    context: typer.Context,
    config: ConfigOption = None,
    farm: FarmOption = None,
    every: EveryOption = 15.0,
    theme: Annotated[str, typer.Option("--theme", metavar="NAME", help="Other colours than the wall's own.")] = "",
    simulated: Annotated[bool, typer.Option("--demo", help="On a simulated farm.")] = False,
    fault: FaultOption = None,
    seed: SeedOption = None,
) -> None:
    """Show the farm to a room: large, in turn, pinned by what is critical. No keys but Ctrl+C; it changes nothing."""
    if simulated:
        raise typer.Exit(open_demo_wall(fault or (), seed=seed, every_s=every, theme=theme))
    if fault or seed is not None:
        leave("--fault and --seed are for --demo: a real farm brings its own")
    raise typer.Exit(open_wall(find_or_leave(config or context.obj), every_s=every, theme=theme))


@app.command()
def serve(
    context: typer.Context,
    config: ConfigOption = None,
    farm: FarmOption = None,
    show_wall: Annotated[bool, typer.Option("--wall", help="The wall instead of the console.")] = False,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Listen there, and not on loopback alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0: any free one.")] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", metavar="NAME", help="A host name that browsers call it by; may be given several times."
        ),
    ] = None,
    token: Annotated[
        str,
        typer.Option("--token", metavar="REF", help="The token: env:NAME, file:PATH or cmd:COMMAND; else a new one."),
    ] = "",
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Let whoever has the token change the farm.")
    ] = False,
    every: EveryOption = 15.0,
    simulated: Annotated[bool, typer.Option("--demo", help="On a simulated farm.")] = False,
    fault: FaultOption = None,
    seed: SeedOption = None,
) -> None:
    """Serve the console, or the wall, to browsers: on loopback, read-only, behind a token."""
    if (fault or seed is not None) and not simulated:
        leave("--fault and --seed are for --demo: a real farm brings its own")
    if show_wall and allow_changes:
        leave("a wall changes nothing: take --allow-changes or --wall away")
    from farmtui.web.start import Wanted

    wanted = Wanted(show_wall, host, port, tuple(name or ()), token, allow_changes, every)
    path = None if simulated else find_or_leave(config or context.obj)
    raise typer.Exit(open_served(path, wanted, faults=fault or (), seed=seed))


@app.command()
def status(
    context: typer.Context,
    json: JsonOption = False,
    config: ConfigOption = None,
    farm: FarmOption = None,
    deadline: Annotated[
        float,
        typer.Option("--deadline", metavar="SECONDS", min=1, max=600, help="Give up on a source after this long."),
    ] = 20.0,
) -> None:
    """Tell the farm's health once. Exit code: 0 ok, 1 warning, 2 critical, 3 unknown."""
    _, loaded = load_or_leave(config or context.obj, UNKNOWN)
    from farmtui import status as farm_status

    raise typer.Exit(farm_status.run(loaded, as_json=json, deadline_s=deadline))


@app.command()
def cost(
    context: typer.Context,
    json: JsonOption = False,
    config: ConfigOption = None,
    farm: FarmOption = None,
    deadline: Annotated[
        float,
        typer.Option("--deadline", metavar="SECONDS", min=1, max=600, help="Give up on a source after this long."),
    ] = 20.0,
) -> None:
    """Tell what the farm costs: now, against the plan, by scenario, and what is wasted.

    Exit code: 0 all of it is known, 3 a part is not (or the plan cannot be read), 2 the config cannot be used.
    """
    _, loaded = load_or_leave(config or context.obj)
    from farmtui import cost as farm_cost

    raise typer.Exit(farm_cost.run(loaded, as_json=json, deadline_s=deadline))


@app.command()
def check(
    context: typer.Context, json: JsonOption = False, config: ConfigOption = None, farm: FarmOption = None
) -> None:
    """Try every source and every query, and tell what is wrong and how to mend it.

    Exit code: 0 all well, 1 a query gives nothing, 2 a source fails (or the config cannot be used).
    """
    path, loaded = load_or_leave(config or context.obj)
    if loaded.ui.keys or loaded.ui.screen != "overview":
        # Which keys and screens there are, the screens know.
        from farmtui.config.salvage import salvage_file
        from farmtui.keys import misfits

        if mistakes := salvage_file(path, misfits).mistakes:
            leave("\n".join(map(str, mistakes)), name="")
    from farmtui import check as farm_check

    raise typer.Exit(farm_check.run(loaded, path, as_json=json))


@config_app.command("schema")
def config_schema() -> None:
    """Print the config's JSON schema, for editors."""
    import json

    from farmtui.config import schema

    typer.echo(json.dumps(schema(), indent=2))


@config_app.command("show")
def config_show(context: typer.Context, config: ConfigOption = None, farm: FarmOption = None) -> None:
    """Print the config in force, defaults included; secrets stay references."""
    from farmtui.config.text import shown

    path, loaded = load_or_leave(config or context.obj)
    typer.echo(f"# {path}\n{shown(loaded)}", nl=False)


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell that is to read it.")],
) -> None:
    """Print the script that has a shell complete commands, options and their values."""
    from farmtui.completing.shells import SHELLS, script

    if shell not in SHELLS:
        leave(f"there is no completion for {shell!r}; there is for {', '.join(SHELLS)}")
    typer.echo(script(shell), nl=False)


@config_app.command("path")
def config_path(context: typer.Context, config: ConfigOption = None, farm: FarmOption = None) -> None:
    """Print which file is the config, or where one was looked for."""
    from farmtui.config import ConfigError

    try:
        typer.echo(found(config or context.obj))
    except ConfigError as error:
        leave_config(error, USAGE)


@config_app.command("keys")
def config_keys(context: typer.Context, config: ConfigOption = None, farm: FarmOption = None) -> None:
    """List every command that has a key, by the id with which `ui.keys` in the config rebinds it."""
    from farmtui.commands import keymap_problems
    from farmtui.config import ConfigError
    from farmtui.keys import key_scopes

    overrides: dict[str, str] = {}
    try:
        overrides = load_found(config or context.obj)[1].ui.keys
    except ConfigError as error:
        if config or context.obj:
            leave_config(error, USAGE)
    scopes = key_scopes()
    for scope, bindings in scopes.items():
        typer.echo(f"{scope}:")
        for binding in bindings:
            keys = overrides.get(binding.id or "", binding.key)
            typer.echo(f"  {binding.id or '-':<24} {keys:<24} {binding.tooltip or binding.description}".rstrip())
    if problems := keymap_problems(overrides, scopes):
        leave("\n".join(f"ui.keys.{ident}: {what}" for ident, what in problems))
