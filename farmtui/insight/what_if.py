"""What if: a scenario of the plan with counts, sizes and prices changed on the spot. Nothing of it is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from farmtui.farm.node import Tier
from farmtui.farm.plan import Line, Plan, Scenario
from farmtui.insight.scenarios import at_size, with_scenario

MOST = 1_000_000
SITES, LIFE = "sites", "hardware's life"
"""Two rows that are no lines of a scenario: for how many sites, and over how many months."""


class WhatIfError(Exception):
    """What was typed cannot be understood, in words."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A scenario and what is changed of it."""

    key: str
    """The scenario's."""
    sites: int
    life_months: int
    changed: tuple[Line, ...] = ()
    """Lines as they would be, by their names."""
    sites_before: int = 0
    life_before: int = 0

    @property
    def any(self) -> bool:
        """Whether anything differs from the plan."""
        return bool(self.changed) or self.sites != self.sites_before or self.life_months != self.life_before

    def line(self, name: str) -> Line | None:
        """The changed line of that name."""
        return next((line for line in self.changed if line.name == name), None)


def begin(key: str, sites: int, life_months: int) -> WhatIf:
    """With nothing changed."""
    return WhatIf(key, sites, life_months, (), sites, life_months)


def applied(plan: Plan, what_if: WhatIf) -> Plan:
    """The plan as it would be: scenarios that refer to the changed one follow."""
    scenario = plan.scenario(what_if.key)
    if scenario is None:
        return plan
    for line in what_if.changed:
        scenario = scenario.with_line(line)
    return with_scenario(plan, scenario)


def bases(plan: Plan) -> tuple[Scenario, ...]:
    """The scenarios that can be changed: those with lines; the choices first."""
    return tuple(sorted((s for s in plan.scenarios if s.lines), key=lambda scenario: not scenario.choice))


def stepped(plan: Plan, what_if: WhatIf, name: str, by: int) -> WhatIf:
    """One row's count by so many more or fewer, never below 0 (below 1 for sites and months)."""
    if name == SITES:
        return replace(what_if, sites=max(1, min(MOST, what_if.sites + by)))
    if name == LIFE:
        return replace(what_if, life_months=max(1, min(240, what_if.life_months + by)))
    line = _line(plan, what_if, name)
    return _with(plan, what_if, replace(line, count=max(0, min(MOST, line.count + by))))


def resized(plan: Plan, what_if: WhatIf, name: str) -> WhatIf:
    """One row's machines of the next size of the plan's list. Raises WhatIfError for a row without a size."""
    line = _line(plan, what_if, name) if name not in (SITES, LIFE) else None
    if line is None or not line.size:
        raise WhatIfError(f"{name} has no size of the plan's list")
    names = [size.name for size in plan.sizes]
    here = names.index(line.size) if line.size in names else -1
    size = plan.sizes[(here + 1) % len(names)]
    return _with(plan, what_if, replace(line, size=size.name, each_per_month=size.per_month))


def at_present(plan: Plan, what_if: WhatIf, machines: Mapping[Tier, int], sites: int | None) -> WhatIf:
    """With as many machines and sites as the farm has now; what else is changed stays."""
    scenario = applied(plan, what_if).scenario(what_if.key)
    if scenario is None:
        return what_if
    found = replace(what_if, sites=sites or what_if.sites)
    for line in at_size(scenario, machines).lines:
        found = _with(plan, found, line)
    return found


_PRICE = re.compile(r"(?:[x@$*]|at)\s*([0-9][0-9,]*(?:\.[0-9]+)?)(\s*once)?$", re.IGNORECASE)
_COUNT = re.compile(r"[0-9][0-9,]*$")
HINT = "24 · 24 32gb-8vcpu · 24 @ 110 · @ 110 · @ 2600 once"


def edited(plan: Plan, what_if: WhatIf, name: str, text: str) -> WhatIf:
    """One row as it was typed: a count, a size of the plan's list, `@ PRICE`, `@ PRICE once`, or a count before them.

    Raises WhatIfError.
    """
    typed = text.strip()
    count: int | None = None
    first, _, rest = typed.partition(" ")
    if _COUNT.match(first):
        count, typed = int(first.replace(",", "")), rest.strip()
        if count > MOST:
            raise WhatIfError(f"at most {MOST:,}")
    if name in (SITES, LIFE):
        if count is None or typed or count < 1 or (name == LIFE and count > 240):
            raise WhatIfError("a whole number, 1 to 240 months" if name == LIFE else "a whole number from 1 on")
        return replace(what_if, sites=count) if name == SITES else replace(what_if, life_months=count)
    line = _line(plan, what_if, name)
    if count is not None:
        line = replace(line, count=count)
    if typed:
        line = _priced(plan, line, typed)
    elif count is None:
        raise WhatIfError(f"for example: {HINT}")
    return _with(plan, what_if, line)


def _priced(plan: Plan, line: Line, typed: str) -> Line:
    if (size := plan.size(typed)) is not None:
        return replace(line, size=size.name, each_per_month=size.per_month)
    if (found := _PRICE.match(typed)) is None:
        known = ", ".join(size.name for size in plan.sizes)
        raise WhatIfError(f"neither a price nor a size of the plan's list ({known}); for example: {HINT}")
    try:
        price = Decimal(found[1].replace(",", ""))
    except InvalidOperation:
        raise WhatIfError(f"{found[1]} is no price") from None
    if price > 1_000_000_000:
        raise WhatIfError("at most 1,000,000,000")
    return replace(line, each_once=price) if found[2] else replace(line, each_per_month=price, size="")


def text_of(line: Line) -> str:
    """A line as it can be typed."""
    if line.size:
        return f"{line.count} {line.size}"
    if line.each_once and not line.each_per_month:
        return f"{line.count} @ {line.each_once:f} once"
    return f"{line.count} @ {line.each_per_month:f}"


def _line(plan: Plan, what_if: WhatIf, name: str) -> Line:
    scenario = plan.scenario(what_if.key)
    line = what_if.line(name) or next(
        (line for line in (scenario.lines if scenario else ()) if line.name == name), None
    )
    if line is None:
        raise WhatIfError(f"there is no line {name!r}")
    return line


def _with(plan: Plan, what_if: WhatIf, line: Line) -> WhatIf:
    """With this line; one that is as the plan has it is no change."""
    others = tuple(other for other in what_if.changed if other.name != line.name)
    scenario = plan.scenario(what_if.key)
    same = scenario is not None and line in scenario.lines
    return replace(what_if, changed=others if same else (*others, line))
