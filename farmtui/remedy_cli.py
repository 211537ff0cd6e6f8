"""The commands for runs and the journal: all that the screens do, without a screen."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farmtui.secrets import redact
from farmtui.start import leave, load_or_leave

if TYPE_CHECKING:
    from farmtui.config import Config
    from farmtui.journal.entry import Entry
    from farmtui.journal.store import Journal
    from farmtui.runbooks.desk import Desk
    from farmtui.runbooks.planned import Plan
    from farmtui.runbooks.state import RunState

FAILED, REFUSED = 1, 2
"""Exit codes: the run did not end well; nothing was done."""
WAITING = 3
"""Exit code of `run` and `attach`: the run waits for somebody."""

ALONE_S = 30.0
"""How long a run may want a runner and have none, before who follows it is told."""

WOKEN_S = 1.0
"""How long a run is left alone before `attach` starts a runner: whoever spoke last may have started one."""

JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or the beginning of it.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; it is written down.")]

journal_app = typer.Typer(help="The record of what was done: read it, prove it, export it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(journal_app, name="journal")
    for command in (run, runs, attach, approve, reject, answer, cancel, pause, resume):
        app.command()(command)
    app.command(hidden=True)(runner)


# -- runs ---------------------------------------------------------------------------------------


def run(
    context: typer.Context,
    book: Annotated[str, typer.Argument(metavar="BOOK", help="The runbook's name.")],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="[INPUT=VALUE]...")] = None,
    plan_only: Annotated[bool, typer.Option("--plan", help="Print the plan, and do nothing.")] = False,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="TARGET", help="From risk 2 on: the target's name, to confirm.")
    ] = "",
    break_glass: Annotated[
        str, typer.Option("--break-glass", metavar="WHY", help="Risk 3 without the second person; written down.")
    ] = "",
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Start it, and do not follow it.")] = False,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Plan a run, show the plan, and start it. Exit code: 0 it ended well, 1 it did not, 2 refused, 3 it waits."""
    from farmtui.journal.store import JournalError

    path, config = _config(context)
    plan = _planned(config, book, inputs or [])
    if plan_only:
        _show_plan(plan, json)
        raise typer.Exit(0 if all(one.holds for one in plan.requires) else REFUSED)
    if not json:
        _show_plan(plan, json=False)
    with _opened(config) as (journal, desk):
        ident = desk.plan(plan, reason)
        if plan.risk >= 2 and not confirm and sys.stdin.isatty():
            confirm = typer.prompt(
                f"risk {plan.risk}: to start it, type {plan.confirm}", default="", show_default=False
            )
        elif plan.risk == 1 and not confirm and sys.stdin.isatty() and not typer.confirm("start it?"):
            desk.cancel(ident, "not confirmed")
            leave("not confirmed; nothing was done")
        try:
            desk.confirm(ident, plan.hash, typed=confirm, break_glass=break_glass)
        except JournalError:
            # The plan is not left behind.
            desk.cancel(ident, "not confirmed")
            raise
        _wake(path)
        typer.echo(f"run {ident}", err=json)
        if not detach:
            raise typer.Exit(_follow(journal, ident))


def runs(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Those that have ended, too.")] = False,
    json: JsonOption = False,
) -> None:
    """List the runs, the newest first."""
    from farmtui.runbooks import kinds
    from farmtui.runbooks.picture import standing
    from farmtui.runbooks.runner import states_of

    now = datetime.now(UTC)
    end = None if all_ else kinds.ENDED
    with _opened(_config(context)[1]) as (journal, _):
        rows = journal.read(lambda reader: states_of(reader, reversed(reader.runs(kinds.PLANNED, end))))
    if json:
        typer.echo(jsonlib.dumps([_row(state) for state in rows], indent=2))
        return
    for state in rows:
        typer.echo(
            f"{state.run:<40} {state.planned_at:%Y-%m-%d %H:%M}  {standing(state, now).text:<28} {state.plan.title}"
        )
        if state.glass_broken:
            typer.echo(f"{'':<40} GLASS BROKEN, without a second person: {state.glass_broken}")
    if not rows:
        typer.echo("no run is under way; farmtui runs --all shows those that have ended")


def attach(context: typer.Context, run: RunArgument) -> None:
    """Follow a run from its first entry on, and see to it that a runner has it.

    Exit code: 0 it ended well, 1 it did not, 3 it waits for somebody.
    """
    path, config = _config(context)
    with _opened(config) as (journal, _):
        # On a read-only farm no runner would do anything but end it.
        raise typer.Exit(_follow(journal, _find(journal, run), None if config.farm.read_only else path))


def approve(context: typer.Context, run: RunArgument) -> None:
    """Approve another's run of risk 3, after having seen its plan."""
    path, config = _config(context)
    with _opened(config) as (journal, desk):
        ident, state = _state(journal, run)
        _show_plan(state.plan, json=False)
        typer.echo(f"asked for by {state.author.user}, because: {state.reason or 'not said'}")
        if sys.stdin.isatty() and not typer.confirm("approve it?"):
            leave("not approved")
        desk.approve(ident, state.hash)
        _wake(path)


def reject(context: typer.Context, run: RunArgument, reason: ReasonOption) -> None:
    """Refuse another's run."""
    _say(context, run, lambda desk, ident: desk.reject(ident, reason))


def answer(
    context: typer.Context,
    run: RunArgument,
    choice: Annotated[str, typer.Argument(metavar="ANSWER", help="One of those that the question names.")],
    note: Annotated[str, typer.Option("--note", "-n", metavar="TEXT", help="What was seen or done.")] = "",
) -> None:
    """Answer what a run asks."""
    _say(context, run, lambda desk, ident: desk.answer(ident, choice, note))


def cancel(
    context: typer.Context,
    run: RunArgument,
    reason: ReasonOption = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was done, as far as its book can.")] = False,
) -> None:
    """End a run: what runs of it is stopped."""
    _say(context, run, lambda desk, ident: desk.cancel(ident, reason, undo=undo))


def pause(context: typer.Context, run: RunArgument, reason: ReasonOption = "") -> None:
    """Let a run begin no further step."""
    _say(context, run, lambda desk, ident: desk.pause(ident, reason))


def resume(context: typer.Context, run: RunArgument) -> None:
    """Let a paused run go on; and see to it that a runner is there."""
    path, config = _config(context)
    with _opened(config) as (journal, desk):
        ident, state = _state(journal, run)
        if state.paused:
            desk.resume(ident)
        _wake(path)


def runner(context: typer.Context, idle: Annotated[float, typer.Option("--idle", metavar="SECONDS")] = 30.0) -> None:
    """Execute runs until nothing wants to be executed. Started by itself where it is needed."""
    from farmtui import logs
    from farmtui.journal.store import JournalError
    from farmtui.runbooks.process import serve

    logs.to_file()
    try:
        serve(_config(context)[0], idle_s=idle)
    except JournalError as error:
        leave(str(error))


# -- the journal --------------------------------------------------------------------------------


@journal_app.command("verify")
def journal_verify(context: typer.Context) -> None:
    """Prove the journal whole. Exit code: 0 it is, 1 it is broken, and where."""
    from farmtui.journal.proof import prove
    from farmtui.runbooks.process import witness

    with _opened(_config(context)[1]) as (journal, _):
        seen = witness()
        proof = prove(journal, seen)
        if proof.whole:
            seen.saw(proof.head)
            typer.echo(f"{journal.place}: whole, {proof.entries} entries, the last hash is {proof.head.hash}")
            return
        typer.echo(f"{journal.place}: BROKEN at entry {proof.broken_at}: {proof.why}")
        typer.echo(f"entries 1 to {proof.entries} are as they were written")
        raise typer.Exit(FAILED)


@journal_app.command("show")
def journal_show(
    context: typer.Context,
    user: Annotated[str, typer.Option("--user", "-u", metavar="NAME", help="Only what this user has said.")] = "",
    target: Annotated[str, typer.Option("--target", "-t", metavar="NAME", help="Only runs on this target.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="2026-11-27 or 2026-11-27T03:12.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="As --since.")] = "",
) -> None:
    """Print entries as lines, filtered."""
    from farmtui.runbooks.story import story

    with _opened(_config(context)[1]) as (journal, _):
        for entry in _filtered(journal.entries(), user, target, _time(since), _time(until)):
            for line in story(entry):
                typer.echo(f"{entry.seq:>6} {entry.at:%Y-%m-%d} {entry.run:<34} {line}")


@journal_app.command("export")
def journal_export(context: typer.Context) -> None:
    """Print every entry as a line of JSON, with its hash: enough to prove the chain elsewhere."""
    with _opened(_config(context)[1]) as (journal, _):
        for row in journal.walk():
            typer.echo(jsonlib.dumps(dict(row), sort_keys=True))


def _filtered(
    entries: list[Entry], user: str, target: str, since: datetime | None, until: datetime | None
) -> Iterator[Entry]:
    from farmtui.runbooks import kinds

    on_target = {
        e.run for e in entries
        if e.kind == kinds.PLANNED and any(target in (t, t.partition(":")[2]) for t in e.body["plan"]["targets"])
    }  # fmt: skip
    for entry in entries:
        if (user and entry.author.user != user) or (target and entry.run not in on_target):
            continue
        if (since and entry.at < since) or (until and entry.at > until):
            continue
        yield entry


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        leave(f"{text!r} is not a time such as 2026-11-27 or 2026-11-27T03:12")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# -- inside -------------------------------------------------------------------------------------


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Journal, Desk]]:
    """The journal and this user's desk, for a block; what the journal refuses in it ends the command, in words."""
    from farmtui.journal.store import JournalError
    from farmtui.runbooks.desk import Desk
    from farmtui.runbooks.people import author, rights
    from farmtui.runbooks.process import open_journal
    from farmtui.unix import unix_groups

    me = author()
    why = "the farm is read-only (farm.read_only in the config)" if config.farm.read_only else ""
    try:
        with closing(open_journal(config)) as journal:
            yield journal, Desk(journal, me, rights(config.roles, me.user, unix_groups(), read_only=why))
    except JournalError as error:
        leave(str(error), REFUSED)


def _config(context: typer.Context) -> tuple[Path, Config]:
    return load_or_leave(context.obj)


def _planned(config: Config, book: str, inputs: list[str]) -> Plan:
    import asyncio

    from farmtui.runbooks.instruments import Instruments
    from farmtui.runbooks.planning import PlanError, Planner
    from farmtui.runbooks.process import open_shelf
    from farmtui.unix import unix_user

    texts: dict[str, str] = {}
    for one in inputs:
        name, is_, value = one.partition("=")
        if not is_:
            leave(f"{one!r}: inputs are given as NAME=VALUE")
        texts[name] = value

    async def make() -> Plan:
        with closing(Instruments(config)) as instruments:
            planner = Planner(open_shelf(config), instruments.measure, unix_user())
            return await planner.plan(book, texts, await instruments.farm())

    try:
        return asyncio.run(make())
    except PlanError as error:
        leave(str(error), REFUSED)


def _show_plan(plan: Plan, json: bool) -> None:
    from farmtui.runbooks.story import plan_lines

    if json:
        typer.echo(redact(jsonlib.dumps({**plan.model_dump(mode="json"), "hash": plan.hash}, indent=2)))
    else:
        typer.echo(redact("\n".join(plan_lines(plan))))


def _wake(config: Path) -> None:
    from farmtui.runbooks.process import start_runner

    start_runner(config)


def _find(journal: Journal, run: str) -> str:
    from farmtui.runbooks import kinds

    known = journal.read(lambda reader: reader.runs(kinds.PLANNED))
    found = [run] if run in known else [ident for ident in known if ident.startswith(run)]
    if len(found) != 1:
        leave(f"there is no run {run!r}; see: farmtui runs --all" if not found else f"{run!r} is {', '.join(found)}")
    return found[0]


def _state(journal: Journal, run: str) -> tuple[str, RunState]:
    from farmtui.runbooks.state import fold

    ident = _find(journal, run)
    state = fold(journal.entries(run=ident))
    assert state is not None
    return ident, state


def _say(context: typer.Context, run: str, say: Any) -> None:
    path, config = _config(context)
    with _opened(config) as (journal, desk):
        ident = _find(journal, run)
        say(desk, ident)
        _wake(path)


def _follow(journal: Journal, run: str, wake: Path | None = None) -> int:
    """Print a run as it goes on, from its first entry, until it has ended or waits for somebody.

    With a config to `wake` one by, a run that wants a runner and has none is given one, once.
    """
    from farmtui.journal.store import UnavailableError
    from farmtui.logs import log_file
    from farmtui.runbooks.decide import Finish, Rest, decide
    from farmtui.runbooks.state import Outcome, after
    from farmtui.runbooks.story import story

    state: RunState | None = None
    seq, alone_since = 0, time.monotonic()
    while True:
        try:
            entries = journal.entries(run=run, after=seq)
        except UnavailableError as error:
            typer.echo(f"{error}; trying again", err=True)
            time.sleep(2.0)
            continue
        for entry in entries:
            state, seq = after(state, entry), entry.seq
            for line in story(entry):
                typer.echo(line)
        assert state is not None
        if state.outcome is not None:
            return 0 if state.outcome is Outcome.OK else FAILED
        needed = decide(state, datetime.now(UTC))
        if isinstance(needed, Rest):
            typer.echo(f"run {run} waits for {needed.waits_for}")
            return WAITING
        if isinstance(needed, Finish) and state.begun_at is None:
            # It is over, whether or not a runner has come by to write that down.
            typer.echo(f"run {run}: {needed.outcome}: {needed.why}")
            return FAILED
        if journal.read(lambda reader: reader.holder(run)):
            alone_since = time.monotonic()
        elif wake is not None and time.monotonic() - alone_since > WOKEN_S:
            typer.echo(f"no runner has run {run} now; one is started", err=True)
            _wake(wake)
            wake, alone_since = None, time.monotonic()
        elif time.monotonic() - alone_since > ALONE_S:
            typer.echo(f"no runner has taken run {run} for {ALONE_S:g} s; see {log_file()}, then: farmtui resume {run}")
            return WAITING
        time.sleep(0.2)


def _row(state: RunState) -> dict[str, Any]:
    from farmtui.runbooks.picture import standing

    return {
        "run": state.run, "book": state.plan.book, "title": state.plan.title, "risk": state.plan.risk,
        "targets": list(state.plan.targets), "by": state.author.user, "reason": state.reason,
        "planned_at": state.planned_at.isoformat(), "state": standing(state, datetime.now(UTC)).text,
        "outcome": state.outcome, "why": state.why,
        "question": state.question.text if state.question else None, "hash": state.hash,
        "glass_broken": state.glass_broken,
    }  # fmt: skip
