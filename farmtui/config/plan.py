"""The plan file: its model, the plan that farmtui brings, and the plan as the farm's own values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from farmtui.config.cost import Money
from farmtui.config.fields import Section
from farmtui.config.parsing import parse, read_text
from farmtui.farm.node import Tier
from farmtui.farm.plan import ZERO, Claim, Line, Phase, Plan, Scenario, Size, Stated

SHIPPED = Path(__file__).with_name("plan.yaml")
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class LineFile(Section):
    """A line: `count` times a size, so many GB, or a sum a month; and what it costs once."""

    count: Count = 1
    size: str | None = None
    gb: Count | None = None
    per_month: Money | None = None
    once: Money = ZERO
    tier: Tier | None = None
    provider: str = ""
    machines: bool = False
    rack_units: Count = 0
    low: Money | None = None
    high: Money | None = None
    unexplained: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _one_price(self) -> LineFile:
        if sum(part is not None for part in (self.size, self.gb, self.per_month)) > 1:
            raise ValueError("give one of size, gb and per_month")
        return self


class PhaseFile(Section):
    """A time within a scenario."""

    title: str
    months: Annotated[int, Field(ge=1, le=600)] | None = None
    of: str = ""
    per_month: Money = ZERO
    buys: str = ""


class StatedFile(Section):
    """What the document says."""

    per_month: Money | None = None
    per_site: Money | None = None
    nodes: Count | None = None
    once: Money | None = None


class ScenarioFile(Section):
    """A scenario: lines (on top of another's, without some of them), or phases."""

    title: str
    choice: bool = False
    extends: str | None = None
    without: list[str] = []
    lines: dict[str, LineFile] = {}
    phases: list[PhaseFile] = []
    stated: StatedFile = StatedFile()


class ClaimFile(Section):
    """A claim that can be worked out again."""

    kind: Literal["break_even_months", "saving_per_month", "change_percent", "rack_units"]
    of: str
    against: str = ""
    stated: Money


class PlanFile(Section):
    """The whole file."""

    name: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    sites: Annotated[int, Field(ge=1)]
    follows: str
    sizes: dict[str, Money] = {}
    per_gb_month: Money = Decimal("0.10")
    scenarios: Annotated[dict[str, ScenarioFile], Field(min_length=1)]
    claims: list[ClaimFile] = []
    remarks: list[str] = []

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> PlanFile:
        seen: set[str] = set()
        for key, scenario in self.scenarios.items():
            if scenario.extends is not None and scenario.extends not in seen:
                raise ValueError(f"scenarios.{key}.extends: {scenario.extends!r} is no scenario above it")
            if scenario.phases and (scenario.lines or scenario.extends):
                raise ValueError(f"scenarios.{key}: give either lines or phases")
            for name, line in scenario.lines.items():
                if line.size is not None and line.size not in self.sizes:
                    raise ValueError(f"scenarios.{key}.lines.{name}: there is no size {line.size!r}")
            seen.add(key)
        for words, key in self._references():
            if key not in self.scenarios or (words.startswith("scenarios") and self.scenarios[key].phases):
                raise ValueError(f"{words}: {key!r} is no scenario with lines")
        for claim in self.claims:
            if claim.kind != "rack_units" and not claim.against:
                raise ValueError(f"claims: {claim.kind} of {claim.of} needs `against`")
        return self

    def _references(self) -> Iterator[tuple[str, str]]:
        yield "follows", self.follows
        for key, scenario in self.scenarios.items():
            for phase in scenario.phases:
                if phase.months is None and phase is not scenario.phases[-1]:
                    raise ValueError(f"scenarios.{key}.phases: only the last one may be without months")
                yield from ((f"scenarios.{key}.phases", name) for name in (phase.of, phase.buys) if name)
        for claim in self.claims:
            yield from (("claims", name) for name in (claim.of, claim.against) if name)


def load_plan(path: Path | None) -> Plan:
    """The plan of a file; None is the one that farmtui brings. Raises FileError with file, line and key."""
    path = path or SHIPPED
    found, _ = parse(read_text(path), path, PlanFile, like="farmtui/config/plan.yaml")
    sizes = tuple(Size(name, price) for name, price in found.sizes.items())
    lines: dict[str, tuple[Line, ...]] = {}
    scenarios: list[Scenario] = []
    for key, scenario in found.scenarios.items():
        own = {name: _line(name, line, found) for name, line in scenario.lines.items()}
        above = lines.get(scenario.extends or "", ())
        kept = (own.pop(line.name, line) for line in above if line.name not in scenario.without)
        lines[key] = (*tuple(kept), *own.values())
        phases = tuple(Phase(p.title, p.months, p.of, p.per_month, p.buys) for p in scenario.phases)
        said = scenario.stated
        stated = Stated(said.per_month, said.per_site, said.nodes, said.once)
        scenarios.append(Scenario(key, scenario.title, lines[key], phases, stated, scenario.choice))
    return Plan(
        name=found.name,
        currency=found.currency,
        sites=found.sites,
        follows=found.follows,
        sizes=sizes,
        per_gb_month=found.per_gb_month,
        scenarios=tuple(scenarios),
        claims=tuple(Claim(claim.kind, claim.of, claim.stated, claim.against) for claim in found.claims),
        remarks=tuple(found.remarks),
    )


def _line(name: str, line: LineFile, plan: PlanFile) -> Line:
    each = line.per_month or ZERO
    if line.size is not None:
        each = plan.sizes[line.size]
    elif line.gb is not None:
        each = line.gb * plan.per_gb_month
    return Line(
        name=name,
        count=line.count,
        each_per_month=each,
        each_once=line.once,
        tier=line.tier,
        provider=line.provider,
        size=line.size or "",
        machines=line.machines,
        rack_units_each=line.rack_units,
        low=line.low,
        high=line.high,
        unexplained=line.unexplained,
        note=line.note,
    )
