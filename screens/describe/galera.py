"""All that is known of one Galera node: its part in the cluster, what holds it up, and what would happen without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import count, data_size, duration, percent, rate
from farmtui.insight.galera_guards import beginning, most_advanced, node_guard
from farmtui.insight.thresholds import GALERA_LAG_S, above
from screens import limits
from screens.describe import Block, Field
from screens.describe.measured import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.cluster import Galera, GaleraNode
    from farmtui.farm.farm import Farm

SYNCED = 4
"""`wsrep_local_state` of a node that takes part."""
_YES = {True: "yes", False: "no", None: "–"}


def node_severity(node: GaleraNode) -> Severity:
    """How bad one node looks by its own figures."""
    if node.up is False or node.primary is False or node.ready is False:
        return Severity.CRITICAL
    if node.up is None:
        return Severity.UNKNOWN
    taking_part = Severity.OK if node.local_state in (None, SYNCED) else Severity.WARNING
    return max(
        taking_part,
        Severity.WARNING if node.replica_running is False else Severity.OK,
        # All are paused alike: only the one that asks for it is to blame.
        limits.FLOW_CONTROL.severity(node.flow_control_ratio) if node.flow_control_sent_per_s else Severity.OK,
        limits.CONNECTIONS.severity(used) if (used := connections_ratio(node)) is not None else Severity.OK,
    )


def connections_ratio(node: GaleraNode) -> float | None:
    """Connections as a share of max_connections, 0-1; None where either is not measured."""
    return node.connections / node.max_connections if node.connections is not None and node.max_connections else None


def galera_blocks(farm: Farm, node: GaleraNode) -> Iterator[Block]:
    """Everything, the most telling first."""
    galera = farm.galera
    yield Block(
        "Galera node",
        (
            Field(
                "state", node.state_word, Severity.OK if node.local_state == SYNCED and node.up else Severity.CRITICAL
            ),
            Field("component", {True: "Primary", False: "non-Primary", None: "–"}[node.primary]),
            Field("cluster size it sees", count(node.cluster_size)),
            Field("takes queries", _YES[node.ready]),
            measured(farm, node.seen_at),
        ),
    )
    if galera is not None:
        yield Block("If it goes, or all begins anew", tuple(_guards(farm, galera, node)))
        yield Block("Replication", tuple(_replication(galera, node)))
    yield Block(
        "Flow control",
        (
            Field("writes held up", f"{percent(node.flow_control_ratio)} of the time, by whichever node"),
            Field("asks to wait", rate(node.flow_control_sent_per_s)),
            Field("is asked to wait", rate(node.flow_control_received_per_s)),
        ),
    )
    yield Block(
        "Collisions",
        (
            Field("certification failures", rate(node.cert_failures_per_s)),
            Field("ended by others (bf)", rate(node.bf_aborts_per_s)),
        ),
    )
    yield Block(
        "Load",
        (
            Field("queries", rate(node.queries_per_s)),
            Field("slow queries", rate(node.slow_per_s)),
            Field("connections", f"{count(node.connections)} of {count(node.max_connections)}"),
            Field("most at once", count(node.max_used_connections)),
            Field("refused or broken off", rate(node.aborted_per_s)),
            Field("buffer pool answers", f"{percent(node.buffer_hit_ratio)} of the reads"),
            Field("buffer pool free", percent(node.buffer_free_ratio)),
        ),
    )
    if node.replica_running is not None or node.replica_behind_s is not None:
        yield Block("Asynchronous replica", tuple(_replica(node)))


def _guards(farm: Farm, galera: Galera, node: GaleraNode) -> Iterator[Field]:
    guard = node_guard(galera, node)
    yield Field("when it goes", guard.words, guard.severity)
    anew = beginning(galera, lambda one: getattr(farm.node_of_instance(one.instance), "name", one.instance))
    yield Field("a new beginning", anew.words if anew else "not needed: a primary component is there")
    ahead = most_advanced(galera.nodes)
    words = "not known of every node" if not ahead else "yes, by its last figures" if node in ahead else "no"
    yield Field("has the most", words)
    yield Field("safe_to_bootstrap", "in grastate.dat on its disk: galera-bootstrap reads it before it does anything")


def _replication(galera: Galera, node: GaleraNode) -> Iterator[Field]:
    behind = galera.behind(node)
    seqno = "–" if node.last_committed is None else f"{node.last_committed:.0f}"
    yield Field("last committed", f"{seqno}, {count(behind)} behind the newest" if behind else seqno)
    yield Field("receive queue", count(node.recv_queue))
    lag = above(node.lag_s, GALERA_LAG_S)
    yield Field("would catch up in", duration(node.lag_s), lag if lag is not Severity.OK else None)
    yield Field("receives", f"{rate(node.received_per_s)} write sets")
    yield Field("sends", f"{rate(node.replicated_per_s)} write sets of {data_size(node.write_set_bytes)}")
    if node.local_state in (1, 2):
        told = percent(node.transfer_ratio) if node.transfer_ratio is not None else "not told by this server"
        yield Field("state transfer", told, Severity.WARNING)


def _replica(node: GaleraNode) -> Iterator[Field]:
    yield Field("runs", _YES[node.replica_running], Severity.WARNING if node.replica_running is False else None)
    yield Field("behind", duration(node.replica_behind_s))
