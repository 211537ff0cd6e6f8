"""What if: the rows of a scenario with what is changed of them, and the sentence that says what it would come to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.money import exact, money, months
from farmtui.farm.plan import ZERO
from farmtui.farm.state import Severity
from farmtui.insight.scenarios import break_even, cumulative, over_life, steady_per_month
from farmtui.insight.what_if import LIFE, SITES, WhatIf, applied
from screens.cost_columns import SHARED
from widgets import ink
from widgets.glyphs import glyphs
from widgets.prompt import Suggestion
from widgets.table_columns import Column
from widgets.trend_chart import Line

if TYPE_CHECKING:
    from farmtui.farm.plan import Plan
    from farmtui.insight.costs import Costs

UNLISTED = Decimal("0.10")
"""From which share of the list on a bill that differs from it is worth a warning."""
SHORTEST, LONGEST = 60, 120
"""Months that the chart shows at least and at most."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that can be changed; `before` is as the plan has it."""

    name: str
    tier: str
    count: int
    count_before: int
    each: Decimal | None
    each_before: Decimal | None
    once: Decimal
    size: str
    per_month: Decimal | None
    change: Decimal
    note: str
    changed: bool


def rows(plan: Plan, what_if: WhatIf) -> tuple[Row, ...]:
    """Sites and the hardware's life, then the scenario's lines."""
    scenario = plan.scenario(what_if.key)
    found = [_plain(SITES, what_if.sites, what_if.sites_before, "the cost a site is over these")]
    if scenario is not None and scenario.once:
        found.append(_plain(LIFE, what_if.life_months, what_if.life_before, "months"))
    for before in scenario.lines if scenario is not None else ():
        line = what_if.line(before.name) or before
        found.append(
            Row(
                line.name, line.tier.title if line.tier else SHARED, line.count, before.count,
                line.each_per_month or None, before.each_per_month or None, line.once, line.size,
                line.per_month, line.per_month - before.per_month, line.note, line != before,
            )
        )  # fmt: skip
    return tuple(found)


def _plain(name: str, value: int, before: int, note: str) -> Row:
    return Row(name, "–", value, before, None, None, ZERO, "", None, ZERO, note, value != before)


def _changed(row: Row, text: str) -> Content | str:
    return Content.styled(text, f"{ink.STRONG} {ink.ACCENT}") if row.changed else text


def _count(row: Row) -> Content | str:
    if row.count == row.count_before:
        return str(row.count)
    return Content.assemble((f"{row.count_before} ", ink.MUTED), (f"→ {row.count}", f"{ink.STRONG} {ink.ACCENT}"))


def _each(row: Row) -> Content | str:
    return exact(row.each) if row.each == row.each_before else _changed(row, exact(row.each))


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "line", lambda r: _changed(r, f"{'≠ ' if r.changed else ''}{r.name}"), width=16, flex=1, priority=0),
    Column("count", "count", _count, width=11, align="right", priority=0),
    Column("each", "each", _each, width=9, align="right", priority=0),
    Column("size", "size", lambda r: r.size or "–", width=11, priority=2),
    Column("cost", "a month", lambda r: exact(r.per_month or None), width=10, align="right", priority=0),
    Column("change", "change", lambda r: _changed(r, _signed(r.change)) if r.change else "", width=10, align="right",
           priority=1),
    Column("once", "once", lambda r: money(r.once or None), width=8, align="right", priority=3),
    Column("tier", "tier", lambda r: r.tier, width=10, priority=4),
    Column("note", "note", lambda r: r.note, width=16, flex=2, priority=5),
)  # fmt: skip


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{exact(amount)}"


def sentences(found: Costs, plan: Plan, what_if: WhatIf) -> tuple[Content, Content]:
    """What it would come to, against the plan: running costs, then hardware and when it has paid for itself."""
    changed = applied(plan, what_if)
    scenario, before = changed.scenario(what_if.key), plan.scenario(what_if.key)
    if scenario is None or before is None:
        return Content(""), Content("")
    sign = found.spent.currency
    now, then = steady_per_month(changed, scenario), steady_per_month(plan, before)
    first: list[tuple[str, str]] = [
        (" WHAT IF ", f"{ink.STRONG} reverse {ink.WARNING}"),
        (f" {what_if.key}: ", ink.MUTED), (f"{money(now, sign)} a month", ink.STRONG),
    ]  # fmt: skip
    if now != then:
        first.append((f" ({_signed(now - then)})", ink.ACCENT))
    first.append((f"  {money(now / what_if.sites, sign)} a site", ""))
    first.append(("  only here, sent nowhere" if what_if.any else "  nothing is changed yet", ink.MUTED))
    if not scenario.once:
        words = f"          it buys no hardware; {before.title}"
        return Content.assemble(*first), Content.styled(words, ink.MUTED)
    whole = over_life(changed, scenario, what_if.life_months)
    against = changed.scenario(found.reference)
    even = break_even(changed, scenario, against) if against is not None else None
    words = "never breaks even" if even is None else f"breaks even after {months(even)}"
    late = even is None or even > what_if.life_months
    sign_of = f"{glyphs().severity[Severity.WARNING]} " if late else ""
    second = Content.assemble(
        (f"          {money(whole, sign)} with hardware  ", ""),
        (f"{sign_of}{words}", ink.WARNING if late else ink.OK),
        (f" of {what_if.life_months}, against {found.reference}", ink.MUTED),
    )
    return Content.assemble(*first), second


def bill_words(found: Costs) -> Content:
    """DigitalOcean's bill of this month beside the list prices of what is seen."""
    pace = found.spent.pace
    if pace is None:
        return Content("")
    parts: list[tuple[str, str]] = [
        (" DigitalOcean: ", ink.MUTED), (f"{money(pace.so_far, 'USD')} billed this month", "")
    ]  # fmt: skip
    if pace.per_month is not None and pace.unlisted is not None:
        parts.append((f", {money(pace.per_month, 'USD')} at this pace", ""))
        parts.append((f"; listed {money(pace.listed, 'USD')}", ink.MUTED))
        if pace.listed and abs(pace.unlisted) > pace.listed * UNLISTED:
            sign = glyphs().severity[Severity.WARNING]
            more = "more" if pace.unlisted > 0 else "less"
            words = f"  {sign} {money(abs(pace.unlisted), 'USD')} {more} than the list explains"
            parts.append((words, ink.WARNING))
    return Content.assemble(*parts)


def suggestions(plan: Plan, row: Row, typed: str) -> list[Suggestion]:
    """What a row may be changed to: sizes of the plan's list, and the forms of a price."""
    number = typed.split(" ", 1)[0] if typed[:1].isdecimal() else str(row.count)
    if row.name in (SITES, LIFE):
        return []
    sizes = [Suggestion(f"{number} {size.name}", f"{money(size.per_month)} a month each") for size in plan.sizes]
    if row.once:
        return [Suggestion(f"{number} @ 1000 once", "a price, paid once")]
    return [*(sizes if row.size else []), Suggestion(f"{number} @ 100", "a price a month")]


def chart_months(found: Costs) -> int:
    """How far the chart looks: past the last break-even, in whole years."""
    evens = [outcome.break_even_months for outcome in found.now if outcome.choice and outcome.once]
    furthest = max((float(even) for even in evens if even is not None), default=0.0)
    return min(LONGEST, max(SHORTEST, math.ceil(furthest * 1.2 / 12) * 12))


def chart_lines(plan: Plan, what_if: WhatIf | None, span: int) -> list[Line]:
    """What has been paid in all, month by month, for each choice, and for what is changed of one."""
    places = tuple(float(month) for month in range(span + 1))

    def line(name: str, key: str, of: Plan, style: str) -> Line | None:
        scenario = of.scenario(key)
        if scenario is None:
            return None
        values = tuple(float(paid) for paid in cumulative(of, scenario, span))
        return Line(name, places, values, style)

    # Each keeps its colour, whether or not something is changed.
    choices = [scenario for scenario in plan.scenarios if scenario.choice]
    lines = [line(choice.key, choice.key, plan, ink.series_style(place)) for place, choice in enumerate(choices)]
    if what_if is not None and what_if.changed:
        style = ink.series_style(len(choices))
        lines.insert(0, line(f"{what_if.key} if", what_if.key, applied(plan, what_if), style))
    return [found for found in lines if found is not None]


def ticks(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Whole years of months on the chart's lower axis."""
    step = next((step for step in (6, 12, 24, 36, 60) if (end - start) / step <= most), 120)
    return [(float(month), f"{month} mo") for month in range(step, int(end) + 1, step)]
