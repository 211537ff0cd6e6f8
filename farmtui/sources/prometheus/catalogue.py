"""The query catalogue: its typed values, its loader, the config's overrides, and its page in the docs."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import yaml

from farmtui.config import ConfigError
from farmtui.secrets import redact

UNITS: Final = ("ratio", "per_s", "bytes", "bytes_per_s", "s", "count", "bool", "state", "info")
"""What a figure's number is: `info` has the value 1 and says it in its labels."""

PACES: Final = ("fast", "slow", "sites", "budget")
"""Each poll, each fourth, each of the sites, each tenth of those."""

WINDOW: Final = "$window"
"""Stands in a query for the objective's window."""

PROBE_JOBS: Final = "interconnect.*|cache-net.*|ceph-public.*|ceph-cluster.*"
"""The jobs whose probes measure networks, as they stand in the queries; the config's are added there."""

_NAME: Final = re.compile(r"[a-z]+(\.[a-z0-9_]+)?")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_RANGE: Final = re.compile(r"\[[^\]]*\]")
_QUOTED: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`")
_BRACES: Final = re.compile(r"\{[^}]*\}")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
_READS: Final = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")
_WORDS: Final = frozenset(
    {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "by", "without", "on", "ignoring", "start", "end"}
)
_FIGURE_KEYS: Final = frozenset({"promql", "unit", "labels", "needs", "title", "pace"})
_TREND_KEYS: Final = frozenset({"promql", "figure", "unit", "title", "by"})


class CatalogueError(Exception):
    """The catalogue file is not well formed; the text names the entry and the key."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One instant query for the whole farm."""

    name: str
    promql: str
    """Empty: switched off."""
    unit: str
    labels: tuple[str, ...]
    """Labels that tell its series apart; `()` for a single number."""
    needs: tuple[str, ...]
    """Metric names that must exist."""
    title: str
    pace: str = "fast"
    """One of `PACES`."""
    overridden: bool = False

    @property
    def group(self) -> str:
        """The part of the farm that it belongs to: `cache` of `cache.hit_ratio`."""
        return self.name.partition(".")[0]

    @property
    def slow(self) -> bool:
        """Asked at each fourth poll only."""
        return self.pace == "slow"

    @property
    def plain(self) -> bool:
        """Whether it reads the present alone. `rate(x[5m])` goes on for minutes after its exporter has gone."""
        return not _RANGE.search(_QUOTED.sub('""', self.promql))

    @property
    def always_answers(self) -> bool:
        """Whether a number comes even where no such exporter exists (`or vector(0)`): it proves nothing."""
        return "vector(" in self.promql


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """One range query for a chart; `by` is the label that tells its lines apart, empty for a single line."""

    name: str
    promql: str
    unit: str
    title: str
    by: str = ""
    figure: str = ""
    """The figure whose query this is; empty where the trend has its own."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is asked of a Prometheus; switched-off figures are in it, with an empty query."""

    figures: Mapping[str, Figure]
    trends: Mapping[str, TrendQuery]
    """A trend of a figure that is switched off has an empty query too."""

    @property
    def switched_on(self) -> tuple[Figure, ...]:
        """The figures that are switched on."""
        return tuple(figure for figure in self.figures.values() if figure.promql)

    @property
    def asked(self) -> tuple[Figure, ...]:
        """Those of the farm as a whole, at each poll or at each fourth."""
        return self.at_pace("fast", "slow")

    def at_pace(self, *paces: str) -> tuple[Figure, ...]:
        """The figures that are switched on, of these paces."""
        return tuple(figure for figure in self.switched_on if figure.pace in paces)

    def over(self, days: int) -> Catalogue:
        """The catalogue with `$window` filled in: the objective's window, in days."""
        figures = {
            name: replace(figure, promql=figure.promql.replace(WINDOW, f"{days}d"))
            if WINDOW in figure.promql
            else figure
            for name, figure in self.figures.items()
        }
        return Catalogue(MappingProxyType(figures), self.trends)

    def probing(self, jobs: Iterable[str]) -> Catalogue:
        """The catalogue with further jobs whose probes measure networks; what the config overrides stays as it is."""
        more = "".join(f"|{re.escape(job)}" for job in sorted(set(jobs)))
        if not more:
            return self
        # It stands in a PromQL string.
        wider = PROBE_JOBS + more.replace("\\", "\\\\").replace('"', '\\"')
        figures = {
            name: figure if figure.overridden else replace(figure, promql=figure.promql.replace(PROBE_JOBS, wider))
            for name, figure in self.figures.items()
        }
        trends = {
            name: replace(trend, promql=trend.promql.replace(PROBE_JOBS, wider)) for name, trend in self.trends.items()
        }
        return Catalogue(MappingProxyType(figures), MappingProxyType(trends))

    def unknown(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """Names that no figure has, each with what to do about it."""
        found: list[tuple[str, str]] = []
        for name in names:
            if name not in self.figures:
                close = difflib.get_close_matches(name, self.figures, n=3)
                hint = f"did you mean {' or '.join(close)}?" if close else "docs/catalogue.md lists them"
                found.append((name, f"is not a figure of the catalogue; {hint}"))
        return found

    def with_overrides(self, overrides: Mapping[str, str]) -> Catalogue:
        """The catalogue with the config's own queries (`prometheus.queries`); trends of such a figure follow it.

        An empty text switches a figure off. Raises ConfigError for a name that the catalogue does not have.
        """
        if wrong := self.unknown(overrides):
            raise ConfigError("\n".join(f"prometheus.queries.{redact(name)}: {what}" for name, what in wrong))
        if not overrides:
            return self
        figures = dict(self.figures)
        trends = dict(self.trends)
        for name, text in overrides.items():
            promql = text.strip()
            figures[name] = replace(figures[name], promql=promql, needs=metrics_in(promql), overridden=True)
            for trend in self.trends.values():
                if trend.figure == name:
                    trends[trend.name] = replace(trend, promql=promql)
        return Catalogue(MappingProxyType(figures), MappingProxyType(trends))


def metrics_in(promql: str) -> tuple[str, ...]:
    """The metric names that a query reads, each once, in their order; a name in `__name__` matchers is not seen."""
    bare = _GROUPING.sub(" ", _RANGE.sub(" ", _BRACES.sub(" ", _QUOTED.sub('""', promql))))
    names = (found for found in _READS.findall(bare) if found.lower() not in _WORDS)
    return tuple(dict.fromkeys(names))


@functools.cache
def catalogue() -> Catalogue:
    """The built-in catalogue. Raises CatalogueError."""
    text = files(__package__).joinpath("catalogue.yaml").read_text(encoding="utf-8")
    return parse(text)


def parse(text: str) -> Catalogue:
    """A catalogue from its YAML text. Raises CatalogueError."""
    # The C loader is ten times faster (5 ms) and as safe; it is not in every build of PyYAML.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Either is a safe loader; the linter knows them by name only.
        data = yaml.load(text, Loader=loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise CatalogueError(f"the query catalogue is not YAML: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("figures"), dict):
        raise CatalogueError("the query catalogue must be a mapping with `figures` and `trends`")
    figures = {name: _figure(name, entry) for name, entry in data["figures"].items()}
    trends = {name: _trend(name, entry, figures) for name, entry in (data.get("trends") or {}).items()}
    return Catalogue(MappingProxyType(figures), MappingProxyType(trends))


def _figure(name: Any, entry: Any) -> Figure:
    place = f"figures.{name}"
    _check_keys(place, name, entry, _FIGURE_KEYS)
    pace = entry.get("pace", "fast")
    if pace not in PACES:
        raise CatalogueError(f"{place}.pace: must be one of {', '.join(PACES)}, not {pace!r}")
    return Figure(
        name=name,
        promql=_text(place, entry, "promql", empty=True),
        unit=_unit(place, entry),
        labels=_names(place, entry, "labels", _LABEL),
        needs=_names(place, entry, "needs", _METRIC),
        title=_text(place, entry, "title"),
        pace=pace,
    )


def _trend(name: Any, entry: Any, figures: Mapping[str, Figure]) -> TrendQuery:
    place = f"trends.{name}"
    _check_keys(place, name, entry, _TREND_KEYS)
    if ("figure" in entry) == ("promql" in entry):
        raise CatalogueError(f"{place}: must have either figure or promql")
    if "figure" in entry:
        figure = figures.get(entry["figure"])
        if figure is None:
            raise CatalogueError(f"{place}.figure: {entry['figure']!r} is not a figure")
        promql = figure.promql
    else:
        promql = _text(place, entry, "promql")
    by = entry.get("by", "")
    if not isinstance(by, str) or (by and not _LABEL.fullmatch(by)):
        raise CatalogueError(f"{place}.by: must be a label's name, not {by!r}")
    return TrendQuery(name, promql, _unit(place, entry), _text(place, entry, "title"), by, entry.get("figure", ""))


def _check_keys(place: str, name: Any, entry: Any, known: frozenset[str]) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CatalogueError(f"{place}: a name is `part.figure` in lower case")
    if not isinstance(entry, dict):
        raise CatalogueError(f"{place}: must be a mapping")
    unknown = sorted(str(key) for key in entry if key not in known)
    if unknown:
        raise CatalogueError(f"{place}.{unknown[0]}: is not a key here; known: {', '.join(sorted(known))}")


def _text(place: str, entry: Mapping[str, Any], key: str, *, empty: bool = False) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not (value.strip() or empty):
        raise CatalogueError(f"{place}.{key}: must be a text")
    return value.strip()


def _unit(place: str, entry: Mapping[str, Any]) -> str:
    unit = entry.get("unit")
    if unit not in UNITS:
        raise CatalogueError(f"{place}.unit: {unit!r} is none of {', '.join(UNITS)}")
    return str(unit)


def _names(place: str, entry: Mapping[str, Any], key: str, shape: re.Pattern[str]) -> tuple[str, ...]:
    value = entry.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) and shape.fullmatch(item) for item in value):
        raise CatalogueError(f"{place}.{key}: must be a list of names")
    return tuple(value)


_TITLES: Final = {
    "up": "Scrape targets",
    "time": "Prometheus itself",
    "node": "Machines (node exporter)",
    "edge": "Edge: Traefik",
    "sites": "Sites: Traefik's routers",
    "site": "One site each",
    "cache": "Cache tier: Varnish",
    "redis": "Cache tier: Redis",
    "swarm": "Application: Docker Swarm",
    "db": "Database: MariaDB Galera",
    "ceph": "Storage: Ceph",
    "probe": "Networks: a blackbox exporter's probes",
    "ping": "Networks: smokeping_prober",
    "tunnel": "Networks: WireGuard",
    "link": "Networks: interfaces (node exporter)",
}


def markdown(known: Catalogue) -> str:
    """The docs' page of a catalogue (docs/catalogue.md)."""
    groups: dict[str, list[Figure]] = {}
    for figure in known.figures.values():
        groups.setdefault(figure.group, []).append(figure)
    lines = [
        "# The query catalogue",
        "",
        "Every figure that farmtui asks a Prometheus for; nothing is asked that is not here. Each is one query for the",
        "whole farm, so the number of requests does not grow with its nodes or sites. `farmtui check` tries them all",
        "and says which give no data, and which metric is missing.",
        "",
        "Up to 16 figures of a poll go into one request (Prometheus's query log shows it as it is sent): each in a",
        "`label_replace` with its name, joined by `or`. A slow server gets fewer at once; what it refuses together, or",
        "does not answer in time, it is asked one by one for sixty polls. Queries of your own are always asked alone.",
        "",
        "Exporters differ. Give a figure a query of your own in the config, or switch it off with an empty text. It",
        "must return the labels in the table, and a number in its unit (a ratio is 0-1):",
        "",
        "```yaml",
        "prometheus:",
        "  queries:",
        '    edge.open_connections: "sum by (instance) (traefik_entrypoint_open_connections)"',
        '    cache.child_deaths: ""',
        "```",
        "",
        "Ratios of a tier are sum over sum, never an average of ratios. Figures marked *slow* are asked at each fourth",
        "poll; those marked *sites* have a row for each site, and are asked at an interval of their own",
        "(`prometheus.sites_interval_s`); those marked *budget* read weeks, and are asked at each tenth of those.",
        "`$window` stands for the objective's window (`slo.window_days`). This page is written from",
        "`farmtui/sources/prometheus/catalogue.yaml` by `make docs`.",
    ]
    for group, figures in groups.items():
        lines += ["", f"## {_TITLES.get(group, group)}", "", "| figure | what | unit | labels | query |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(figure) for figure in figures]
    lines += ["", "## Trends", "", "Range queries for the charts.", ""]
    lines += ["| trend | what | unit | query |", "|---|---|---|---|"]
    lines += [f"| `{t.name}` | {t.title} | {t.unit} | {_code(t.promql)} |" for t in known.trends.values()]
    return "\n".join(lines) + "\n"


def _row(figure: Figure) -> str:
    name = f"`{figure.name}`" + ("" if figure.pace == "fast" else f" *({figure.pace})*")
    labels = ", ".join(f"`{label}`" for label in figure.labels) or "-"
    query = _code(figure.promql) if figure.promql else "*off*"
    return f"| {name} | {figure.title} | {figure.unit} | {labels} | {query} |"


def _code(promql: str) -> str:
    return f"`{promql}`".replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(catalogue()), end="")
