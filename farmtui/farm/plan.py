"""The farm's plan as it was written down: configurations and scenarios made of priced lines, and what it claims."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from farmtui.farm.node import Tier

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Size:
    """A machine that can be had by the month."""

    name: str
    per_month: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a scenario: `count` times something that costs by the month, once, or both."""

    name: str
    count: int = 1
    each_per_month: Decimal = ZERO
    each_once: Decimal = ZERO
    """Capital: paid when it is bought."""
    tier: Tier | None = None
    """None: of no tier alone."""
    provider: str = ""
    size: str = ""
    """A size's name, where it is a machine of the plan's list."""
    machines: bool = False
    """Whether its count is one of machines of its tier: it follows the farm's present size."""
    rack_units_each: int = 0
    low: Decimal | None = None
    high: Decimal | None = None
    """The sum of its parts as the document has them, from and to; None where it has none."""
    unexplained: bool = False
    """Money of a stated sum that no line of the document explains."""
    note: str = ""

    @property
    def per_month(self) -> Decimal:
        """All of it by the month."""
        return self.count * self.each_per_month

    @property
    def once(self) -> Decimal:
        """All of it, once."""
        return self.count * self.each_once


@dataclass(frozen=True, slots=True)
class Phase:
    """A time within a scenario: another scenario's sum, or one that is only stated, and what is added to it."""

    title: str
    months: int | None
    """None: from then on."""
    of: str = ""
    """The key of the scenario that it is run as; empty: `per_month` is all that is known."""
    per_month: Decimal = ZERO
    """Added to what `of` costs."""
    buys: str = ""
    """The key of the scenario whose hardware is bought when it begins."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the document says of a scenario; None where it says nothing."""

    per_month: Decimal | None = None
    per_site: Decimal | None = None
    nodes: int | None = None
    once: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to run the farm: lines, or phases that refer to others."""

    key: str
    title: str
    lines: tuple[Line, ...] = ()
    phases: tuple[Phase, ...] = ()
    stated: Stated = Stated()
    choice: bool = False
    """Whether it is one to choose between; the others are steps on the way."""

    @property
    def per_month(self) -> Decimal:
        """What its lines cost by the month. Of phases see `farmtui.insight.scenarios`."""
        return sum((line.per_month for line in self.lines), ZERO)

    @property
    def once(self) -> Decimal:
        """The capital that its lines take."""
        return sum((line.once for line in self.lines), ZERO)

    @property
    def nodes(self) -> int:
        """Machines of the farm's tiers."""
        return sum(line.count for line in self.lines if line.machines)

    def with_line(self, line: Line) -> Scenario:
        """The same with the line of that name replaced."""
        return replace(self, lines=tuple(line if old.name == line.name else old for old in self.lines))


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that the document says of two scenarios, which can be worked out from their lines.

    `kind` is `break_even_months`, `saving_per_month`, `change_percent` or `rack_units`.
    """

    kind: str
    of: str
    stated: Decimal
    against: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan."""

    name: str
    currency: str
    sites: int
    follows: str
    """The key of the scenario that the farm follows, unless the config says another."""
    sizes: tuple[Size, ...] = ()
    per_gb_month: Decimal = ZERO
    """Block storage."""
    scenarios: tuple[Scenario, ...] = ()
    claims: tuple[Claim, ...] = ()
    remarks: tuple[str, ...] = ()
    """What its reader has had to assume, in words."""

    def scenario(self, key: str) -> Scenario | None:
        """The scenario of this key."""
        return next((scenario for scenario in self.scenarios if scenario.key == key), None)

    def size(self, name: str) -> Size | None:
        """The size of this name."""
        return next((size for size in self.sizes if size.name == name), None)
