"""Faults of Galera: its size and quorum, and each node's own troubles."""

from __future__ import annotations

from collections.abc import Iterator

from farmtui.farm.cluster import Galera, GaleraNode
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Severity
from farmtui.farm.units import count, duration, percent, rate
from farmtui.insight.finding import Finding
from farmtui.insight.lookup import Machines
from farmtui.insight.thresholds import CERTIFICATION_FAILURES_PER_S, CONNECTIONS, FLOW_CONTROL, GALERA_LAG_S, above

_SYNCED = 4


def galera_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """The cluster's size and quorum, then each node's own troubles."""
    galera = farm.galera
    if galera is None:
        return
    for node in galera.nodes:
        yield from _galera_node(node, machines.named(node.instance))
    expected = next((tier.expected for tier in farm.tiers if tier.tier is Tier.DATABASE), None)
    if finding := _flow_control(galera, machines):
        yield finding
    if finding := _agreement(galera, max(len(galera.nodes), expected or 0), machines):
        yield finding


def _flow_control(galera: Galera, machines: Machines) -> Finding | None:
    """Every node is paused alike; the one that asks for it is the slow one, as far as that is measured."""
    severity = above(galera.paused_ratio, FLOW_CONTROL)
    if severity is Severity.OK:
        return None
    slow = galera.slow
    who = [machines.named(node.instance) for node in slow]
    waits = tuple(
        f"{name} asks for it {rate(node.flow_control_sent_per_s)}, {count(node.recv_queue)} write sets in its queue"
        for name, node in zip(who, slow, strict=True)
    )
    why = f"every write in the cluster waits {percent(galera.paused_ratio)} of the time"
    return Finding(
        "galera/flow", severity, f"MariaDB on {who[0]} slows the cluster" if who else "Galera holds its writes up",
        f"{why} for {' and '.join(who[:2])} to catch up" if who else f"{why}; which node asks for it is not measured",
        waits[:3], ("galera", slow[0].instance) if slow else ("", ""), "database", "database", topics=("flowcontrol",),
    )  # fmt: skip


def _agreement(galera: Galera, whole: int, machines: Machines) -> Finding | None:
    """`whole` is how many nodes the cluster should have: a node that died before we looked has left no figures."""
    least, most = galera.size_min, galera.size_max
    if least is None or most is None:
        return None
    alone = [machines.named(node.instance) for node in galera.nodes if node.up and node.primary is False]
    sizes = tuple(
        f"{machines.named(node.instance)} sees {node.cluster_size}"
        for node in galera.nodes
        if node.up and node.cluster_size is not None
    )
    if len(alone) == sum(bool(node.up) for node in galera.nodes):
        return Finding(
            "galera/quorum", Severity.CRITICAL, "Galera has no primary component",
            "no node is in the majority: the database refuses every query until one is bootstrapped",
            sizes, screen="database", part="database", topics=("galera", "wsrep"),
        )  # fmt: skip
    if alone or least != most:
        who = f"{', '.join(alone)} is not in it" if alone else "its nodes count it differently"
        return Finding(
            "galera/split", Severity.CRITICAL, "Galera is split",
            f"{who}: they do not see each other", sizes, screen="database", part="database", topics=("galera", "wsrep"),
        )  # fmt: skip
    gone = [node for node in galera.nodes if not node.up]
    if most >= whole:
        return None
    lost = machines.gone.get(Tier.DATABASE, ())
    names = ", ".join(machines.named(node.instance) for node in gone) or ", ".join(node.name for node in lost)
    margin = most - 1 - most // 2
    left = f"it bears the loss of {margin} more" if margin > 0 else "one more loss stops every write"
    return Finding(
        "galera/size", Severity.WARNING, f"Galera has {most} of {whole} nodes",
        f"{names} is gone: {left}" if names else f"a node is up, yet not in the cluster: {left}", sizes,
        ("galera", gone[0].instance) if gone else ("node", lost[0].name) if lost else ("", ""),
        "database", "database", stakes=left, topics=("galera", "wsrep"),
    )  # fmt: skip


def _galera_node(node: GaleraNode, name: str) -> Iterator[Finding]:
    subject = ("galera", node.instance)
    found: list[tuple[str, Severity, str, str, tuple[str, ...], tuple[str, ...]]] = []
    if node.up is False:
        why = "its exporter answers, the database does not"
        found.append(("down", Severity.CRITICAL, f"MariaDB on {name} is down", why, (), ("mysql", "mariadb", "galera")))
    elif node.up:
        if node.ready is False and node.primary is not False:
            why = "wsrep_ready is off: it refuses queries"
            seen = (f"state {node.state_word}",)
            found.append(
                ("ready", Severity.CRITICAL, f"MariaDB on {name} is not ready", why, seen, ("galera", "wsrep"))
            )
        elif node.local_state not in (None, _SYNCED):
            why = "it copies the data to or from another node, and is behind the cluster meanwhile"
            title = f"MariaDB on {name} is {node.state_word}"
            found.append(("state", Severity.WARNING, title, why, (), ("galera", "wsrep", "desync")))
        if severity := above(node.cert_failures_per_s, CERTIFICATION_FAILURES_PER_S):
            why = "writers on several nodes change the same rows: all but one of them are rolled back"
            seen = (f"{rate(node.cert_failures_per_s)} certification failures",)
            found.append(("certify", severity, f"writes collide on {name}", why, seen, ("galeracertif", "wsrepcertif")))
        if severity := above(node.lag_s, GALERA_LAG_S):
            why = "what was just written elsewhere is not read there yet; it will ask the others to wait"
            waits = (f"{count(node.recv_queue)} write sets wait, {duration(node.lag_s)} of work",)
            found.append(("lag", min(severity, Severity.WARNING), f"MariaDB on {name} falls behind", why, waits, ()))
        if node.replica_running is False:
            why = "its replication thread has stopped: what the primary writes does not reach it any more"
            behind = (f"{duration(node.replica_behind_s)} behind",) if node.replica_behind_s is not None else ()
            title = f"the replica on {name} has stopped"
            found.append(("replica", Severity.WARNING, title, why, behind, ("replication", "replicabehind", "slave")))
        used = node.connections / node.max_connections if node.connections and node.max_connections else None
        if severity := above(used, CONNECTIONS):
            why = "at max_connections WordPress gets “Error establishing a database connection”"
            seen = (f"{count(node.connections)} of {count(node.max_connections)} connections",)
            title = f"MariaDB on {name} runs out of connections"
            found.append(
                (
                    "connections",
                    severity,
                    title,
                    why,
                    seen,
                    ("mysqlconnection", "mariadbconnection", "toomanyconnections"),
                )
            )
    for what, severity, title, cause, evidence, topics in found:
        yield Finding(
            f"galera/{what}/{node.instance}", severity, title, cause, evidence, subject, "database", "database",
            covers=frozenset({subject}) if what == "down" else frozenset(), topics=topics,
        )  # fmt: skip
