"""`farmtui cost`: what the farm costs, against the plan, in plain text or JSON, without Textual."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from importlib.metadata import version
from typing import TextIO

from farmtui.config import Config
from farmtui.cost_document import document
from farmtui.farm.farm import Farm
from farmtui.farm.money import money
from farmtui.farm.state import Severity
from farmtui.insight.costs import Costs, costs
from farmtui.insight.scenarios import Outcome
from farmtui.plain import WIDTH, Page, hanging, page_for, put, wrapped

INCOMPLETE = 3
"""Exit code where a part of the spend is not known."""


_SCENARIO_COLUMNS = (("a month", 8), ("now", 8), ("a site", 8), ("once", 9), ("with hw", 9))


def run(config: Config, *, as_json: bool = False, deadline_s: float = 20.0, out: TextIO | None = None) -> int:
    """Ask what knows of money once, print, and give the exit code: 0, or 3 where a part is not known."""
    out = out or sys.stdout
    farm = asyncio.run(_picture(config, deadline_s))
    found = costs(farm)
    assert found is not None, "a farm made from a config has its costing"
    page = page_for(out)
    if as_json:
        told = document(farm, found, version=version("farmtui"))
        put(out, Page(), json.dumps(told, indent=2, allow_nan=False))
    else:
        put(out, page, text(farm, found, page))
    return 0 if found.spent.complete and not found.costing.problems else INCOMPLETE


async def _picture(config: Config, deadline_s: float) -> Farm:
    """Only machines, prices and traffic are asked for: no login to any machine, no alerts."""
    from farmtui.polling import Feed

    less: dict[str, object] = {"alertmanager": None, "swarm": None, "gluster": [], "ceph": None, "varnish": None}
    return await Feed(config.model_copy(update=less)).one_cycle(deadline_s)


def text(farm: Farm, found: Costs, page: Page | None = None) -> str:
    """The page for people: the sum, who is paid, the plan, its scenarios, what is wasted."""
    page = page or Page()
    at = farm.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    gap = " " * max(1, WIDTH - len(farm.name) - len(at) - 2)
    blocks = [
        [f"{farm.name}{gap}{page.faint(at)}", *_head(found, page)],
        _titled("By tier", _groups(found)),
        _titled("Scenarios", _scenarios(found)),
        _titled("Waste", _waste(found)),
        _titled("Where the plan's document departs from its own inputs", _departures(found)),
        _titled("Problems", (line for problem in _problems(found) for line in wrapped(f"! {problem}", 2))),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return [title, *body] if body else []


def _head(found: Costs, page: Page) -> Iterator[str]:
    spent, currency = found.spent, found.spent.currency
    if spent.known:
        least = "" if spent.complete else "at least "
        sites = f", {money(spent.per_site, currency)} a site" if spent.per_site is not None else ""
        yield f"  {'now':<12}{least}{money(spent.per_month, currency)} a month{sites}"
    else:
        yield f"  {'now':<12}{page.paint('not known' if spent.configured else 'not configured', Severity.UNKNOWN)}"
    if (followed := found.followed) is not None:
        above = found.against_plan
        words = "" if above is None else f", now {_above(above, followed.with_hardware)}"
        state = Severity.WARNING if above is not None and above > 0 else Severity.OK
        planned = f"{money(followed.with_hardware, currency)} a month with hardware ({followed.key})"
        yield f"  {'planned':<12}{page.paint(f'{planned}{words}', state)}"
    if spent.pace is not None:
        pace = f", {money(spent.pace.per_month)} a month at this pace" if spent.pace.per_month is not None else ""
        listed = f"; listed {money(spent.pace.listed)}"
        yield f"  {'DO bill':<12}{money(spent.pace.so_far)} so far{pace}{listed}"
    if found.wasted:
        yield f"  {'wasted':<12}{money(found.wasted_per_month, currency)} a month"


def _above(above: Decimal, planned: Decimal) -> str:
    share = f" ({abs(above) / planned:.0%})" if planned else ""
    return f"{money(abs(above))} {'above' if above > 0 else 'below'}{share}"


def _groups(found: Costs) -> Iterator[str]:
    for group in found.spent.groups:
        tier = group.tier.title if group.tier else "shared"
        share = f"{group.per_month / found.spent.per_month:6.0%}" if found.spent.per_month else ""
        unpriced = f"  {group.unpriced} without a price" if group.unpriced else ""
        yield f"  {tier:<12}{group.provider:<14}{group.machines:>4}{money(group.per_month):>14}{share}{unpriced}"


def _scenarios(found: Costs) -> Iterator[str]:
    if found.plan is None:
        return
    heads = "".join(f"{word:>{width}}" for word, width in _SCENARIO_COLUMNS)
    yield f"  {'':<8}{heads}  breaks even with {found.reference}"
    for planned, now in zip(found.planned, found.now, strict=True):
        row = (planned.per_month, now.per_month, now.per_site, planned.once or None, now.with_hardware)
        cells = "".join(f"{money(a):>{width}}" for a, (_, width) in zip(row, _SCENARIO_COLUMNS, strict=True))
        best = "*" if found.cheapest is not None and now.key == found.cheapest.key else ""
        yield f"  {f'{planned.key} {best}':<8}{cells}  {break_even_words(found, now)}"
    if found.cheapest is not None:
        yield f"  * costs least, hardware over {found.costing.life_months} months included"


def break_even_words(found: Costs, outcome: Outcome) -> str:
    """When a scenario has paid for its hardware, in words."""
    even = outcome.break_even_months
    if not outcome.once:
        return "-"
    if even is None:
        return "never"
    life = found.costing.life_months
    # Hardware that is worn out by then has not paid for itself.
    return f"never: {even:.1f} of {life} months" if even > life else f"{even:.1f} of {life} months"


def _waste(found: Costs) -> Iterator[str]:
    for item in found.wasted:
        amount = money(item.per_month) if item.saves else "-"
        yield hanging(f"  {amount:>10}  {item.kind:<14} ", 29, f"{item.name}: {item.why}")
        yield f"{'':<14}{item.command}"


def _departures(found: Costs) -> Iterator[str]:
    for departure in found.departures:
        why = f" ({departure.why})" if departure.why else ""
        words = f"{departure.what}: says {departure.stated}, gives {departure.computed}{why}"
        yield hanging(f"  {departure.scenario:<8}", 10, words)


def _problems(found: Costs) -> tuple[str, ...]:
    return (*found.spent.notes, *found.costing.problems)
