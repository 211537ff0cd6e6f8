"""All figures, targets and rules as the one value that a poll of Prometheus gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from farmtui.farm.alerts import Rule, Target
from farmtui.farm.farm import PrometheusView
from farmtui.sources.prometheus.ceph import ceph
from farmtui.sources.prometheus.clusters import galera, swarm
from farmtui.sources.prometheus.figures import Figures
from farmtui.sources.prometheus.hosts import Machine, hosts
from farmtui.sources.prometheus.traffic import cache_tier, edge
from farmtui.sources.prometheus.wires import wires


def view(
    figures: Figures,
    machines: Iterable[Machine] = (),
    targets: tuple[Target, ...] = (),
    rules: tuple[Rule, ...] = (),
    problems: Mapping[str, str] | None = None,
) -> PrometheusView:
    """The farm as Prometheus knows it. `problems` are those of `targets` and `rules`, by these names."""
    return PrometheusView(
        edge=edge(figures),
        cache=cache_tier(figures),
        galera=galera(figures),
        swarm=swarm(figures),
        ceph=ceph(figures),
        wires=wires(figures),
        hosts=hosts(figures, machines, targets),
        targets=targets,
        rules=rules,
        figure_problems=tuple(sorted({**figures.problems, **(problems or {})}.items())),
    )
