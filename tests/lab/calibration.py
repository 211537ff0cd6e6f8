"""The simulated farm held against real daemons: what a catalogue query, and each metric it reads, looks like in both.

    wrong = differences("ceph", prometheus.url, simulated_url)

A difference is a line in words. What is empty on one side says nothing of the shape: a test provokes it on both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from farmtui.config import load_config
from farmtui.sources.prometheus.catalogue import Figure, catalogue
from tests.lab.daemons import get_json

SCRAPED: Final = frozenset({"__name__", "instance", "job", "node", "tier", "pve_host"})
"""Labels that name a series, or that a farm's Prometheus puts on it itself: no exporter's doing."""
WHOLE_UNITS: Final = ("info", "bool", "state", "count", "bytes")


@dataclass(frozen=True, slots=True)
class Signature:
    """What the series that a query gives have in common."""

    labels: frozenset[tuple[str, ...]]
    """The names of the labels that each has; more than one combination where series differ."""
    whole: bool
    """Whether every value is a whole number."""

    def __str__(self) -> str:
        sets = " or ".join(f"{{{', '.join(names)}}}" for names in sorted(self.labels))
        return f"{sets}, {'whole numbers' if self.whole else 'numbers with fractions'}"


def vector(url: str, promql: str) -> list[dict[str, Any]]:
    """What an instant query gives, a single number as a series without labels."""
    data = get_json(f"{url}/api/v1/query?query={quote(promql)}")["data"]
    return [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else data["result"]


def signature(url: str, promql: str, ignoring: frozenset[str] = frozenset()) -> Signature | None:
    """The shape of what a query gives; None where it gives nothing."""
    found = vector(url, promql)
    if not found:
        return None
    return Signature(
        labels=frozenset(tuple(sorted(set(series["metric"]) - ignoring)) for series in found),
        whole=all(float(series["value"][1]).is_integer() for series in found),
    )


def types(url: str) -> dict[str, str]:
    """Each metric's type (`gauge`, `counter`, ..., `unknown` where its exporter names none), by name."""
    return {name: kinds[0]["type"] for name, kinds in get_json(f"{url}/api/v1/metadata")["data"].items()}


def figures_of(*groups: str) -> tuple[Figure, ...]:
    """The catalogue's figures of these groups that are switched on."""
    return tuple(figure for figure in catalogue().asked if figure.group in groups)


def differences(
    figures: Sequence[Figure], real: str, simulated: str, absent: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Where the two differ in a figure, or in a metric that it needs.

    `absent` are labels that the lab's daemons leave empty, which is as good as not there, and those of a farm do not.
    A figure or metric that the real side has, and the simulated one has not, is a difference; the other way round is
    the business of the test that provokes it.
    """
    kinds = types(real), types(simulated)
    added = SCRAPED | absent
    for figure in figures:
        ours, theirs = (signature(url, figure.promql, added) for url in (real, simulated))
        yield from _differ(figure.name, ours, theirs, numbers=figure.unit in WHOLE_UNITS)
        for metric in figure.needs:
            ours, theirs = (signature(url, metric, added) for url in (real, simulated))
            yield from _differ(metric, ours, theirs, numbers=False)
            kind, other = (_type(metric, each) for each in kinds)
            if ours and theirs and kind != other:
                yield f"{metric}: really of type {kind}, simulated {other}"


def _type(metric: str, known: dict[str, str]) -> str:
    """A metric's type; a histogram's series are known by the name of the whole."""
    return known.get(metric) or known.get(metric.removesuffix("_bucket"), "none")


def _differ(what: str, ours: Signature | None, theirs: Signature | None, *, numbers: bool) -> Iterator[str]:
    if ours is None:
        return
    if theirs is None:
        yield f"{what}: really {ours}; simulated nothing"
    elif ours.labels != theirs.labels or (numbers and ours.whole and not theirs.whole):
        yield f"{what}: really {ours}; simulated {theirs}"


@contextmanager
def simulated_farm(folder: Path, *faults: str) -> Iterator[str]:
    """A simulated farm as a process of its own; gives the address of its Prometheus."""
    path = folder / "simulated.yaml"
    command = [sys.executable, "-m", "farmtui.demo", f"--write-config={path}", *(f"--fault={name}" for name in faults)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline()) == {"config": str(path)}
            config = load_config(path).prometheus
            assert config is not None
            yield config.url
        finally:
            process.kill()
