"""A book's queries, asked of the farm's Prometheus with sample inputs: which give nothing, and which are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farmtui.config import Config
from farmtui.farm.farm import Farm
from farmtui.runbooks.book import Book, Input
from farmtui.runbooks.inputs import InputError, choices, take
from farmtui.runbooks.instruments import Instruments
from farmtui.runbooks.linting import Finding, unmatched
from farmtui.runbooks.template import Context, RenderError, render
from farmtui.sources.failures import failure_of
from farmtui.sources.http import HttpClient
from farmtui.sources.prometheus.rules import RULES


class TryError(Exception):
    """Why nothing can be tried, in words."""


async def alert_names(config: Config) -> frozenset[str]:
    """The alerts that the farm's rules can raise. Raises TryError."""
    if config.prometheus is None:
        raise TryError("there is no Prometheus in the config: give prometheus.url")
    client = HttpClient(config.prometheus)
    try:
        answer = await client.json(
            f"{config.prometheus.url}{RULES.path}", params=RULES.params, list_key=RULES.list_key, each=RULES.read_each
        )
        return frozenset(rule.name for rule in RULES.read(answer))
    except Exception as error:  # noqa: BLE001 - whatever it is becomes words
        failure = failure_of(error, source="prometheus", where=config.prometheus.url)
        raise TryError(f"{failure.what}; {failure.remedy}") from None
    finally:
        await client.close()


async def tried(
    book: Book, instruments: Instruments, alerts: frozenset[str], farm: Farm, given: Mapping[str, str]
) -> Sequence[Finding]:
    """What the farm's Prometheus does not know of a book. `given` are inputs to try it with; others are sampled."""
    found = list(unmatched(book, alerts))
    values = {"farm": farm.name, "user": "lint", **_samples(book, farm, given)}
    asked: dict[str, str] = {}
    for where, text, context in book.texts():
        if context is not Context.PROMQL or not text:
            continue
        try:
            query = render(text, Context.PROMQL, values)
        except RenderError as error:
            found.append(Finding(where, f"was not tried: {error}; give an input to try it with (--with NAME=VALUE)"))
            continue
        if query not in asked:
            value, problem = await instruments.ask(query)
            asked[query] = problem or ("gives no data now" if value is None and not _may_be_empty(book, where) else "")
        if asked[query]:
            found.append(Finding(where, f"{asked[query]}: {query}"))
    return found


def _samples(book: Book, farm: Farm, given: Mapping[str, str]) -> Mapping[str, Any]:
    """The inputs as a template sees them: as many of them as can be had."""
    values: dict[str, Any] = {}
    for name, one in book.inputs.items():
        text = given.get(name) or _sample(one, farm)
        try:
            values |= take({name: one}, {name: text} if text else {}, farm).values
        except InputError:
            # What needs it says that it was not tried.
            continue
    return values


def _sample(given: Input, farm: Farm) -> str:
    if given.default is not None:
        return ""
    if given.type in ("int", "number", "duration"):
        return str(given.min if given.min is not None else given.max or "")
    return next(iter(choices(given, farm)), "")


def _may_be_empty(book: Book, where: tuple[str | int, ...]) -> bool:
    """Whether a condition wants to know just that: `is: empty`, `is: present`."""
    part: Any = book
    for key in where[:-1]:
        part = part[key] if isinstance(key, int) else getattr(part, key)
    return getattr(part, "is_", None) in ("empty", "present")
