"""`farmtui init`: from nothing to a config that works, by questions or by flags."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farmtui.start import USAGE, leave, leave_config

if TYPE_CHECKING:
    from farmtui.discovery.asking import Terminal
    from farmtui.discovery.interview import Given, Interview

FAULTY = 1
"""Exit code: it is written, and a source in it does not answer."""
STOPPED = 130
"""Exit code after Ctrl+C, as shells have it."""


def init(
    context: typer.Context,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: take what is found and what the flags say.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else the user's config folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there; a backup is kept.")] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the config on the standard output; write nothing.")
    ] = False,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The farm's name.")] = "",
    prometheus: Annotated[str, typer.Option("--prometheus", metavar="URL", help="Prometheus's address.")] = "",
    alertmanager: Annotated[
        list[str] | None,
        typer.Option("--alertmanager", metavar="URL", help="An Alertmanager; may be given several times."),
    ] = None,
    pve: Annotated[
        list[str] | None,
        typer.Option("--pve", metavar="HOST", help="A Proxmox VE API host (or its URL); may be given several times."),
    ] = None,
    pve_token: Annotated[str, typer.Option("--pve-token", metavar="USER@REALM!NAME", help="Its API token.")] = "",
    pve_secret: Annotated[
        str,
        typer.Option("--pve-secret", metavar="REF", help="The token's secret: env:NAME, file:PATH or cmd:COMMAND."),
    ] = "",
    do: Annotated[
        bool | None, typer.Option("--do/--no-do", help="DigitalOcean, or not; else where a token is found.")
    ] = None,
    do_token: Annotated[
        str, typer.Option("--do-token", metavar="REF", help="Its token: env:NAME, file:PATH or cmd:COMMAND.")
    ] = "",
    do_tag: Annotated[str, typer.Option("--do-tag", metavar="TAG", help="Only droplets with this tag.")] = "",
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca-file", metavar="FILE", help="The CA of servers that sign for themselves (Proxmox VE does)."),
    ] = None,
    ssh_config: Annotated[
        Path | None, typer.Option("--ssh-config", metavar="FILE", help="Instead of ~/.ssh/config.")
    ] = None,
    ssh: Annotated[
        bool, typer.Option("--ssh/--no-ssh", help="Log in to hosts that ssh knows, to look, or not.")
    ] = True,
) -> None:
    """Find the farm, explain what was found, and write a config.

    It asks nothing of the farm but to be looked at, and writes no secret into the config. Exit code: 0 written, and all
    of it answers; 1 written, and something in it does not; 2 nothing was written.
    """
    for option, file in (("--ca-file", ca_file), ("--ssh-config", ssh_config)):
        if file is not None and not file.is_file():
            leave(f"{option}: there is no file {file}")
    _only_references({"--pve-secret": pve_secret, "--do-token": do_token})
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        leave(
            "init asks questions, and this is no terminal: --yes takes what is found, farmtui init --help has the flags"
        )
    from farmtui.discovery.interview import Given

    given = Given(
        name, prometheus, tuple(alertmanager or ()), tuple(pve or ()), pve_token, pve_secret, do, do_token, do_tag,
        ca_file, ssh_config, ssh,
    )  # fmt: skip
    path = _place(output or context.obj or _default(), print_only=print_only)
    try:
        raise typer.Exit(_run(given, path, yes=yes, force=force, print_only=print_only))
    except (KeyboardInterrupt, EOFError):
        print(file=sys.stderr)
        leave("stopped: nothing was written", STOPPED)


def _only_references(given: dict[str, str]) -> None:
    from farmtui.secrets import Secret, SecretError

    for option, reference in given.items():
        if reference:
            try:
                Secret(reference)
            except SecretError as error:
                leave(f"{option}: {error}")


def _place(path: Path, *, print_only: bool) -> Path:
    """The file itself, where it may be a link; leaves where no file can be written there."""
    try:
        path = path.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        leave(f"--output: {error}")
    if path.is_dir():
        leave(f"{path} is a folder: --output names a file")
    existing = next(folder for folder in path.parents if folder.exists())
    if not print_only and not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        leave(f"nothing can be written below {existing}: --output FILE writes elsewhere")
    return path


def _default() -> Path:
    from platformdirs import user_config_path

    from farmtui.config import CONFIG_ENV

    named = os.environ.get(CONFIG_ENV)
    return Path(named) if named else user_config_path("farmtui") / "config.yaml"


def _run(given: Given, path: Path, *, yes: bool, force: bool, print_only: bool) -> int:
    import asyncio
    from datetime import UTC, datetime

    from farmtui.discovery import words
    from farmtui.discovery.asking import Terminal
    from farmtui.discovery.interview import AnswerError, Interview
    from farmtui.discovery.surroundings import look_round
    from farmtui.plain import page_for

    # What is printed for a script is the config alone.
    out = sys.stderr if print_only else sys.stdout
    terminal = Terminal(out, page_for(out), asks=not yes)
    replaces = _replaces(path, terminal, force=force, print_only=print_only)
    around = asyncio.run(look_round(os.environ, Path.home(), given.ssh_config))
    if given.do is True and not given.do_token and around.token is None and yes:
        leave("--do: there is no token in $DIGITALOCEAN_ACCESS_TOKEN, nor in doctl's config; give --do-token REF")
    if not yes:
        terminal.tell(
            f"farmtui init looks at your farm, changes nothing on it, and writes {path}.\n"
            "Enter takes what stands in [brackets], - leaves a thing out, Ctrl+C stops and writes nothing."
        )
    terminal.tell(words.here(around, terminal.page))
    now = datetime.now(UTC)
    interview = Interview(given, around, terminal, path.parent, now)
    try:
        interview.run()
    except AnswerError as error:
        leave(f"{error}; nothing was written")
    return _finish(interview, path, replaces=replaces, print_only=print_only)


def _replaces(path: Path, terminal: Terminal, *, force: bool, print_only: bool) -> bool:
    """Whether what is there is to be replaced; leaves where it may not be."""
    if print_only or force or not path.exists():
        return force
    if not terminal.asks:
        leave(f"{path} is there already; --force replaces it and keeps a backup, --output FILE writes elsewhere")
    if not terminal.confirm(f"{path} is there already. Replace it (a backup is kept)?", default=False):
        leave("nothing was written; --output FILE writes elsewhere")
    return True


def _finish(interview: Interview, path: Path, *, replaces: bool, print_only: bool) -> int:
    from farmtui.config import ConfigError, parse_config
    from farmtui.discovery import words
    from farmtui.discovery.proposal import propose
    from farmtui.discovery.saving import SavingError, save

    terminal = interview.terminal
    proposal = propose(interview.answers, interview.found, interview.now)
    if proposal.machines:
        terminal.tell(words.tiers(proposal, terminal.page))
    if proposal.sources:
        terminal.tell(words.screen_list(interview.found, proposal, terminal.page))
    if missing := words.missing(proposal, terminal.page):
        terminal.tell(missing)
    try:
        if print_only:
            parse_config(proposal.text, path)
            sys.stdout.write(proposal.text)
            for name in interview.typed_secrets():
                terminal.say(f"what was typed is kept nowhere: put it into the file {name} beside the config")
            return 0
        if not terminal.confirm(f"Write {path}?", default=True):
            leave("nothing was written")
        saved = save(path, proposal.text, interview.typed_secrets(), replace=replaces, now=interview.now)
    except SavingError as error:
        leave(str(error))
    except ConfigError as error:
        leave_config(error, USAGE)
    for secret in saved.secrets:
        terminal.say(f"written: {secret} (a secret that was typed; for you alone, mode 0600)")
    terminal.say(f"written: {path}" if saved.changed else f"{path} is just so already: it was left alone")
    if saved.backup is not None:
        terminal.say(f"kept: {saved.backup}, what was there before")
    if saved.difference:
        terminal.tell("\n" + "\n".join(saved.difference))
    try:
        return _check(path, terminal)
    except KeyboardInterrupt:
        leave(f"stopped; {path} is written, and not tried: farmtui check", STOPPED)


def _check(path: Path, terminal: Terminal) -> int:
    """Try the config as `farmtui check` does, and tell what to type next."""
    import asyncio

    from farmtui import check
    from farmtui.config import load_config

    terminal.say("... trying it, as farmtui check does")
    report = asyncio.run(check.tried(load_config(path), path))
    figures = [figure for source in report.sources for figure in source.figures]
    bare = replace(report, sources=tuple(replace(source, figures=()) for source in report.sources))
    terminal.tell("\n" + check.text(bare, terminal.page))
    if figures:
        well = sum(figure.series > 0 for figure in figures)
        terminal.say(f"{well} of {len(figures)} queries give data; farmtui check tells of the others")
    if not report.sources:
        terminal.say("No source was found, and what is written shows nothing yet. Next: farmtui init --prometheus URL")
        terminal.say("--force, where you know one; or look around without a farm: farmtui demo")
        return FAULTY
    terminal.say(f"next: farmtui{'' if _is_found(path) else f' --config {shlex.quote(str(path))}'}")
    return 0 if report.exit_code != check.EXIT_FAILED else FAULTY


def _is_found(path: Path) -> bool:
    """Whether farmtui finds the file by itself."""
    from farmtui.config import ConfigError, find_config

    try:
        return find_config(None).samefile(path)
    except (ConfigError, OSError):
        return False
