"""Where a plan's document departs from its own inputs: every figure that it states, worked out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final

from farmtui.farm.plan import Claim, Plan, Scenario, Stated
from farmtui.insight.scenarios import break_even, purchases, steady_per_month


@dataclass(frozen=True, slots=True)
class Departure:
    """One figure of the document that its own inputs do not give."""

    scenario: str
    """The key."""
    what: str
    stated: str
    computed: str
    why: str = ""


def departures(plan: Plan) -> tuple[Departure, ...]:
    """All of them, scenario by scenario, then what the document says of two."""
    found: list[Departure] = []
    seen: set[str] = set()
    for scenario in plan.scenarios:
        found += _of_sums(plan, scenario)
        for line in (*_of_lines(scenario), *_of_phases(scenario)):
            # A line that several scenarios share is told once.
            if line.what not in seen:
                seen.add(line.what)
                found.append(line)
    for claim in plan.claims:
        of, against = plan.scenario(claim.of), plan.scenario(claim.against)
        if of is not None:
            found += _of_claim(plan, claim, of, against)
    return tuple(found)


def _of_sums(plan: Plan, scenario: Scenario) -> Iterator[Departure]:
    stated: Stated = scenario.stated
    per_month = steady_per_month(plan, scenario)
    once = sum((amount for _, amount in purchases(plan, scenario)), Decimal(0))
    for what, said, found in (
        ("a month", stated.per_month, per_month),
        ("a month and site", stated.per_site, per_month / plan.sites),
        ("hardware", stated.once, once),
        ("machines", None if stated.nodes is None else Decimal(stated.nodes), Decimal(scenario.nodes)),
    ):
        if said is not None and not _agree(said, found):
            why = "its own sizing counts more than its table" if what == "machines" and found > said else ""
            yield Departure(scenario.key, what, plain(said), plain(found), why)


def _of_lines(scenario: Scenario) -> Iterator[Departure]:
    for line in scenario.lines:
        outside = (line.low is not None and line.per_month < line.low) or (
            line.high is not None and line.per_month > line.high
        )
        if outside:
            low, high = plain(line.low or Decimal(0)), plain(line.high or Decimal(0))
            yield Departure(
                scenario.key, line.name, plain(line.per_month), f"{low} to {high}", f"its parts: {line.note}"
            )
        if line.unexplained:
            rest = plain(scenario.per_month - line.per_month)
            what = f"a month ({plain(line.per_month)} {line.name})"
            yield Departure(scenario.key, what, plain(scenario.per_month), rest, line.note)


def _of_phases(scenario: Scenario) -> Iterator[Departure]:
    for number, phase in enumerate(scenario.phases, 1):
        if not phase.of:
            what = f"phase {number}, {phase.title}"
            yield Departure(scenario.key, what, plain(phase.per_month), "no inputs", "the document only states it")


def _of_claim(plan: Plan, claim: Claim, of: Scenario, against: Scenario | None) -> Iterator[Departure]:
    found, why = _CLAIMS[claim.kind](plan, of, against)
    if found is None:
        yield Departure(claim.of, _what(claim), plain(claim.stated), "never", why)
    elif not _agree(claim.stated, found):
        places = max(1, -_exponent(claim.stated)) if claim.kind in ("break_even_months", "change_percent") else 2
        yield Departure(claim.of, _what(claim), plain(claim.stated), plain(_rounded(found, places)), why)


def _what(claim: Claim) -> str:
    words = {
        "break_even_months": "months to break even with",
        "saving_per_month": "saved a month against",
        "change_percent": "% dearer than",
        "rack_units": "rack units",
    }[claim.kind]
    return f"{words} {claim.against}".strip()


_Worked = tuple[Decimal | None, str]


def _break_even(plan: Plan, of: Scenario, against: Scenario | None) -> _Worked:
    if against is None:
        return None, ""
    saved = plain(against.per_month - of.per_month)
    return break_even(plan, of, against), f"{plain(of.once)} / {saved} saved a month"


def _saving(_plan: Plan, of: Scenario, against: Scenario | None) -> _Worked:
    if against is None:
        return None, ""
    return against.per_month - of.per_month, f"{plain(against.per_month)} - {plain(of.per_month)}"


def _change(_plan: Plan, of: Scenario, against: Scenario | None) -> _Worked:
    if against is None or not against.per_month:
        return None, ""
    return (of.per_month / against.per_month - 1) * 100, f"{plain(of.per_month)} / {plain(against.per_month)}"


def _rack_units(_plan: Plan, of: Scenario, _against: Scenario | None) -> _Worked:
    held = [line for line in of.lines if line.rack_units_each]
    why = ", ".join(f"{line.count} {line.name} of {line.rack_units_each} U" for line in held)
    return Decimal(sum(line.count * line.rack_units_each for line in held)), why


_CLAIMS: Final[Mapping[str, Callable[[Plan, Scenario, Scenario | None], _Worked]]] = MappingProxyType(
    {
        "break_even_months": _break_even,
        "saving_per_month": _saving,
        "change_percent": _change,
        "rack_units": _rack_units,
    }
)


def _agree(stated: Decimal, found: Decimal) -> bool:
    """Whether a figure, rounded as the stated one is, is that one."""
    return _rounded(found, max(0, -_exponent(stated))) == stated


def _exponent(figure: Decimal) -> int:
    """Of its last place that is not 0: 8.30 has one place."""
    exponent = figure.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _rounded(figure: Decimal, places: int) -> Decimal:
    return figure.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def plain(amount: Decimal) -> str:
    """A figure with commas for the thousands, and decimals only where there are some."""
    whole = _rounded(amount, 2)
    return f"{whole:,.0f}" if whole == whole.to_integral_value() else f"{whole.normalize():,f}"
