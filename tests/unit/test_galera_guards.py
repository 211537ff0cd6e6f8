"""In words: whether the database takes writes, what may go, and with which node a new cluster would begin."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from farmtui.farm.cluster import Galera, GaleraNode
from farmtui.farm.state import Severity
from farmtui.insight.galera_guards import beginning, may_go, node_guard, takes_writes


def node(number: int, size: int = 3, **changes: Any) -> GaleraNode:
    """A node that is well but for the changes."""
    made = GaleraNode(f"db-{number}", True, size, 4, True, True, 0.0, 0.0, last_committed=100.0)
    return dataclasses.replace(made, **changes)


def down(number: int) -> GaleraNode:
    return GaleraNode(f"db-{number}", up=False)


def said(*nodes: GaleraNode) -> tuple[str, ...]:
    """The three sentences, with how bad each is."""
    galera = Galera(nodes)
    guards = (takes_writes(galera, 3, name), may_go(galera, 3), beginning(galera, name))
    return tuple(f"{guard.severity.name}: {guard.words}" for guard in guards if guard is not None)


def name(node: GaleraNode) -> str:
    return node.instance


ALONE = {"primary": False, "ready": False, "local_state": 0}


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ((node(1), node(2), node(3)), ("OK: takes writes on all nodes", "OK: one may fail and writes go on")),
        (
            (node(1, 2), node(2, 2), down(3)),
            (
                "WARNING: takes writes on db-1, db-2",
                "WARNING: one may be stopped in good order; one that dies stops every write",
            ),
        ),
        (
            (node(1, 1), down(2), down(3)),
            ("WARNING: takes writes on db-1", "WARNING: no node may go: only one is synced"),
        ),
        (
            (node(1), node(2), GaleraNode("db-3")),
            ("WARNING: takes writes on db-1, db-2; nothing is heard of db-3", "OK: one may fail and writes go on"),
        ),
        (
            (node(1, flow_control_ratio=0.4), node(2), node(3, flow_control_sent_per_s=2.0)),
            (
                "CRITICAL: takes writes on all nodes, slowly: they wait 40 % of the time for db-3",
                "OK: one may fail and writes go on",
            ),
        ),
        (
            (node(1, 1, **ALONE, last_committed=102.0), node(2, 1, **ALONE), down(3)),
            (
                "CRITICAL: takes no writes: no node is in a primary component",
                "WARNING: galera-primary with db-1, at 102 makes those that run a cluster again",
            ),
        ),
        (
            (down(1), down(2), down(3)),
            (
                "CRITICAL: takes no writes: MariaDB runs on none of 3 nodes",
                "WARNING: galera-bootstrap begins anew: it reads grastate.dat and the position of each",
            ),
        ),
        (
            (down(1), GaleraNode("db-2")),
            (
                "UNKNOWN: whether writes are taken is not known: nothing is heard of db-2",
                "WARNING: begin no new cluster before every node is heard of: one may be primary",
            ),
        ),
        ((), ("UNKNOWN: no database is seen: whether writes are taken is not known",)),
    ],
)
def test_what_is_said_of_a_cluster(nodes: tuple[GaleraNode, ...], words: tuple[str, ...]) -> None:
    assert said(*nodes) == words


def test_what_would_be_without_a_node() -> None:
    whole = Galera((node(1), node(2), node(3)))
    assert node_guard(whole, whole.nodes[0]).severity is Severity.OK
    two = Galera((node(1, 2), node(2, 2), down(3)))
    assert "if it dies, the rest is no majority" in node_guard(two, two.nodes[0]).words
    assert "it is not in the cluster: 2 others" in node_guard(two, two.nodes[2]).words
    one = Galera((node(1, 1), down(2)))
    assert node_guard(one, one.nodes[0]).severity is Severity.CRITICAL


def test_the_lag_is_what_waits_at_the_rate_at_which_it_comes() -> None:
    assert node(1, recv_queue=0.0, received_per_s=0.0).lag_s == 0.0
    assert node(1, recv_queue=50.0, received_per_s=10.0).lag_s == 5.0
    assert node(1, recv_queue=50.0, received_per_s=0.0).lag_s is None
    assert node(1, recv_queue=None).lag_s is None
