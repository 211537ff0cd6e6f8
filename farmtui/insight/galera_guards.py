"""Whether the database takes writes, whether a node of it may go, and which one a new beginning would begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from farmtui.farm.cluster import Galera, GaleraNode
from farmtui.farm.state import Severity
from farmtui.farm.units import percent
from farmtui.insight.thresholds import FLOW_CONTROL, above

SYNCED: Final = 4
Named = Callable[[GaleraNode], str]


@dataclass(frozen=True, slots=True)
class Guard:
    """A sentence about the cluster, and how bad what it says is."""

    severity: Severity
    words: str


def takes_writes(galera: Galera, whole: int, named: Named) -> Guard:
    """Whether a write is taken, where, and what holds it up. `whole` is how many nodes there should be."""
    nodes = galera.nodes
    if not nodes:
        return Guard(Severity.UNKNOWN, "no database is seen: whether writes are taken is not known")
    writers = [node for node in nodes if _takes(node)]
    unheard = [node for node in nodes if node.up is None]
    if not writers:
        if unheard:
            return Guard(
                Severity.UNKNOWN, f"whether writes are taken is not known: nothing is heard of {_names(unheard, named)}"
            )
        if not any(node.up for node in nodes):
            return Guard(Severity.CRITICAL, f"takes no writes: MariaDB runs on none of {len(nodes)} nodes")
        if all(node.primary is False for node in nodes if node.up):
            return Guard(Severity.CRITICAL, "takes no writes: no node is in a primary component")
        return Guard(Severity.CRITICAL, "takes no writes: no node that runs is ready")
    where = "on all nodes" if len(writers) >= whole else f"on {_names(writers, named)}"
    severity = Severity.OK if len(writers) >= whole else Severity.WARNING
    ratio = galera.paused_ratio
    slowly = above(ratio, FLOW_CONTROL)
    if slowly is Severity.OK:
        silent = f"; nothing is heard of {_names(unheard, named)}" if unheard else ""
        return Guard(severity, f"takes writes {where}{silent}")
    slow = f" for {named(galera.slow[0])}" if galera.slow else ""
    return Guard(max(severity, slowly), f"takes writes {where}, slowly: they wait {percent(ratio)} of the time{slow}")


def may_go(galera: Galera, whole: int) -> Guard | None:
    """How many nodes may be taken away while the rest goes on; None where there is no cluster to take one from."""
    members = [node for node in galera.nodes if node.up and node.primary]
    synced = sum(node.local_state == SYNCED for node in members)
    if not members:
        return None
    # An orderly leave makes the component smaller; what may die at once is less than half of it. Its size is what its
    # members say: one whose exporter is gone is in it all the same.
    dying = (max(len(members), galera.size_min or 0) - 1) // 2
    if synced < 2:
        return Guard(
            Severity.WARNING, "no node may go: only one is synced" if synced else "no node may go: none is synced"
        )
    if not dying:
        return Guard(Severity.WARNING, "one may be stopped in good order; one that dies stops every write")
    many = "one may fail" if dying == 1 else f"{dying} may fail"
    return Guard(Severity.OK, f"{many} and writes go on")


def beginning(galera: Galera, named: Named) -> Guard | None:
    """Whether a new cluster may be begun, and with which node; None while there is no need to."""
    nodes = galera.nodes
    if not nodes or any(node.primary for node in nodes if node.up):
        return None
    if any(node.up is None for node in nodes):
        return Guard(Severity.WARNING, "begin no new cluster before every node is heard of: one may be primary")
    if any(node.up for node in nodes):
        first = most_advanced([node for node in nodes if node.up])
        return Guard(Severity.WARNING, f"galera-primary{_with(first, named)} makes those that run a cluster again")
    first = most_advanced(nodes)
    seen = _with(first, named) or ": it reads grastate.dat and the position of each"
    return Guard(Severity.WARNING, f"galera-bootstrap begins anew{seen}")


def _with(nodes: Sequence[GaleraNode], named: Named) -> str:
    if not nodes:
        return ""
    return (
        f" with {named(nodes[0])}, at {nodes[0].last_committed:.0f}"
        if len(nodes) == 1
        else (f" with {_names(nodes, named)}, all at {nodes[0].last_committed:.0f}")
    )


def most_advanced(nodes: Sequence[GaleraNode]) -> tuple[GaleraNode, ...]:
    """The nodes with the highest seqno by their last figures; none unless it is known of each of them."""
    known = [node for node in nodes if node.last_committed is not None]
    if len(known) < len(nodes) or not known:
        return ()
    most = max(node.last_committed or 0.0 for node in known)
    return tuple(node for node in known if node.last_committed == most)


def node_guard(galera: Galera, node: GaleraNode) -> Guard:
    """What happens to writes when this node goes, by what the others say now."""
    others = [one for one in galera.nodes if one is not node and one.up and one.primary]
    synced = sum(one.local_state == SYNCED for one in others)
    members = max(len(others) + 1, galera.size_min or 0)
    if not node.up or not node.primary:
        return Guard(
            Severity.OK, f"it is not in the cluster: {synced} other{'s' * (synced != 1)} take writes without it"
        )
    if not synced:
        return Guard(Severity.CRITICAL, "writes end: no other node is synced")
    if (members - 1) * 2 <= members:
        return Guard(
            Severity.WARNING, "stopped in good order, writes go on; if it dies, the rest is no majority and refuses all"
        )
    return Guard(Severity.OK, f"writes go on: {members - 1} of {members} stay, {synced} of them seen synced")


def _takes(node: GaleraNode) -> bool:
    return node.up is True and node.primary is not False and node.ready is not False


def _names(nodes: Sequence[GaleraNode], named: Named) -> str:
    return ", ".join(map(named, nodes[:3])) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
