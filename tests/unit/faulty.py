"""Farms with one thing wrong, for the tests of what is said about it."""

from __future__ import annotations

import dataclasses
from typing import Any

from farmtui.farm.farm import Farm
from farmtui.farm.node import (
    Node,
    Tier,
)
from farmtui.farm.state import Severity
from farmtui.farm.traffic import Edge
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from tests.screens.farms import (
    ago,
    make_node,
)

CRITICAL, WARNING, UNKNOWN, INFO = Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN, Severity.INFO


def found(farm: Farm) -> dict[str, Finding]:
    """The findings by their keys; a key that comes twice is a fault."""
    told = findings(farm)
    assert len({finding.key for finding in told}) == len(told), "two findings have one key"
    return {finding.key: finding for finding in told}


def down(name: str, tier: Tier = Tier.CACHE, **other: Any) -> Node:
    """A machine that is gone."""
    node = make_node(name, tier, state=CRITICAL, why="all 2 exporters do not answer", **other)
    return dataclasses.replace(node, serving=False, metrics=dataclasses.replace(node.metrics, seen_at=ago(7)))


def quiet_edge(**changes: Any) -> Edge:
    """An edge of which nothing is wrong but what is given."""
    edge = Edge((), (), 1000.0, 0.001, 0.2, 500, 0, (), (), ())
    return dataclasses.replace(edge, **changes)
