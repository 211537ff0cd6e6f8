"""The commands for runbooks as files: list, show, check them, and their schema."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farmtui.start import leave, load_or_leave

if TYPE_CHECKING:
    from farmtui.config import Config
    from farmtui.runbooks.book import Book
    from farmtui.runbooks.linting import Finding

FAILED = 1
"""Exit code: a file is no runbook, or a strict check has found something."""

runbooks_app = typer.Typer(help="The runbooks: list, show and check them.", no_args_is_help=True)


@runbooks_app.command("list")
def runbooks_list(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False
) -> None:
    """List all runbooks, and the files that are none, with why. Exit code: 0, or 1 where one is broken."""
    from farmtui.runbooks.process import open_shelf

    shelf = open_shelf(load_or_leave(context.obj)[1])
    if json:
        books = [
            {"name": b.name, "title": b.book.title, "risk": b.book.risk, "own": b.own, "replaces": b.replaces}
            for b in shelf.books.values()
        ]
        broken = [{"name": b.name, "path": str(b.path), "why": b.why} for b in shelf.broken]
        typer.echo(jsonlib.dumps({"books": books, "broken": broken}, indent=2))
    else:
        for one in shelf.books.values():
            origin = "own, in place of the library's" if one.replaces else "own" if one.own else ""
            inputs = " ".join(f"{name}=" for name in one.book.inputs)
            typer.echo(f"{one.name:<24} risk {one.book.risk}  {one.book.title}{f'  ({origin})' if origin else ''}")
            typer.echo(f"{'':<24} {inputs}".rstrip())
        for one_broken in shelf.broken:
            typer.echo(f"{one_broken.name:<24} BROKEN\n{one_broken.why}")
    raise typer.Exit(FAILED if shelf.broken else 0)


@runbooks_app.command("show")
def runbooks_show(
    context: typer.Context, book: Annotated[str, typer.Argument(metavar="BOOK", help="The runbook's name.")]
) -> None:
    """Print a runbook's file."""
    from farmtui.runbooks.process import open_shelf

    shelf = open_shelf(load_or_leave(context.obj)[1])
    if book not in shelf.books:
        leave(f"there is no runbook {book!r}; there are {', '.join(shelf.books) or 'none'}")
    typer.echo(shelf.books[book].path.read_text(encoding="utf-8"), nl=False)


@runbooks_app.command("schema")
def runbooks_schema() -> None:
    """Print the JSON schema of a runbook, for editors."""
    from farmtui.runbooks.book import schema

    typer.echo(jsonlib.dumps(schema(), indent=2))


@runbooks_app.command("lint")
def runbooks_lint(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    strict: Annotated[bool, typer.Option("--strict", help="What is unwise is as bad as what is wrong.")] = False,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Recorded data that must know the queries and alerts: the text of /metrics, the JSON of"
            " /api/v1/series or /api/v1/rules, a file of rules. May be given more than once.",
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the config's Prometheus each query, with samples.")] = False,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=VALUE", help="With --live: an input to try the queries with."),
    ] = None,
) -> None:
    """Check files: what is wrong, and what is unwise. Exit code: 0 all are runbooks, 1 one is none (or is unwise,
    with --strict)."""
    from farmtui.config.parsing import FileError
    from farmtui.config.places import line_of
    from farmtui.runbooks.linting import findings
    from farmtui.runbooks.loading import read_book
    from farmtui.runbooks.recorded import read_recorded

    try:
        recorded = read_recorded(against or ())
    except FileError as error:
        leave(str(error))
    books = {}
    wrong, unwise = 0, 0
    for path in files:
        try:
            books[path] = read_book(path)
        except FileError as error:
            typer.echo(str(error))
            wrong += 1
    asked = _tried(context, [book for book, _ in books.values()], with_ or ()) if live else [()] * len(books)
    for (path, (book, root)), more in zip(books.items(), asked, strict=True):
        for finding in (*findings(book, recorded), *more):
            place = ".".join(map(str, finding.where))
            typer.echo(f"{path}:{line_of(root, finding.where)}: warning: {place}: {finding.words}")
            unwise += 1
    raise typer.Exit(FAILED if wrong or (strict and unwise) else 0)


def _tried(context: typer.Context, books: Sequence[Book], given: Sequence[str]) -> Sequence[Sequence[Finding]]:
    """What the farm's Prometheus does not know of each book."""
    import asyncio

    from farmtui.runbooks.trying import TryError

    inputs: dict[str, str] = {}
    for one in given:
        name, is_, value = one.partition("=")
        if not is_:
            leave(f"{one!r}: inputs are given as NAME=VALUE")
        inputs[name] = value
    try:
        return asyncio.run(_try(load_or_leave(context.obj)[1], books, inputs))
    except TryError as error:
        leave(str(error))


async def _try(config: Config, books: Sequence[Book], inputs: Mapping[str, str]) -> Sequence[Sequence[Finding]]:
    from contextlib import closing

    from farmtui.runbooks.instruments import Instruments
    from farmtui.runbooks.trying import alert_names, tried

    with closing(Instruments(config)) as instruments:
        alerts = await alert_names(config)
        farm = await instruments.farm()
        return [await tried(book, instruments, alerts, farm, inputs) for book in books]
