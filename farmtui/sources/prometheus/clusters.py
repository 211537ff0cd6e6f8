"""Figures as the database and the Swarm."""

from __future__ import annotations

import math

from farmtui.farm.cluster import Galera, GaleraNode, SwarmCounts
from farmtui.sources.prometheus.figures import Figures


def galera(figures: Figures) -> Galera | None:
    """The database tier; None while no database has ever been seen."""
    if "db" not in figures.met:
        return None
    return Galera(tuple(_database(figures, instance) for instance in figures.instances("db")))


def _database(figures: Figures, instance: str) -> GaleraNode:
    def of(name: str) -> float | None:
        return figures.of(f"db.{name}", instance)

    return GaleraNode(
        instance=instance,
        # An exporter that is gone no longer says whether its database is up.
        up=figures.is_one("db.up", instance) if figures.live("db", instance) else None,
        cluster_size=figures.whole("db.cluster_size", instance),
        local_state=figures.whole("db.local_state", instance),
        primary=figures.is_one("db.cluster_status", instance),
        ready=figures.is_one("db.ready", instance),
        flow_control_ratio=of("flow_control_ratio"),
        flow_control_sent_per_s=of("flow_control_sent_per_s"),
        recv_queue=of("recv_queue"),
        cert_failures_per_s=of("cert_failures_per_s"),
        queries_per_s=of("queries_per_s"),
        slow_per_s=of("slow_per_s"),
        connections=of("connections"),
        max_connections=of("max_connections"),
        seen_at=figures.seen("db", instance),
        flow_control_received_per_s=of("flow_control_received_per_s"),
        bf_aborts_per_s=of("bf_aborts_per_s"),
        last_committed=of("last_committed"),
        received_per_s=of("received_per_s"),
        replicated_per_s=of("replicated_per_s"),
        write_set_bytes=of("write_set_bytes"),
        transfer_ratio=of("transfer_ratio"),
        aborted_per_s=of("aborted_per_s"),
        max_used_connections=of("max_used_connections"),
        buffer_hit_ratio=of("buffer_hit_ratio"),
        buffer_free_ratio=of("buffer_free_ratio"),
        replica_behind_s=of("replica_behind_s"),
        replica_running=figures.is_one("db.replica_running", instance),
    )


def swarm(figures: Figures) -> SwarmCounts | None:
    """What the leading manager counts; None while no engine has ever been seen."""
    if "swarm" not in figures.met:
        return None
    # While a new leader takes over, two may say that they lead: the one that is seen, and first by name.
    leaders = sorted(key[0] for key in figures.rows("swarm.leader") if figures.live("swarm", key[0]))
    managers = tuple(sorted(key[0] for key, value in figures.rows("swarm.managers").items() if value > 0))
    seen = [when for when in (figures.seen("swarm", name) for name in managers) if when is not None]
    return SwarmCounts(
        leader=leaders[0] if leaders else "",
        managers=managers,
        nodes_by_state=_counts(figures, "swarm.nodes"),
        tasks_by_state=_counts(figures, "swarm.tasks"),
        services=figures.whole("swarm.services"),
        seen_at=max(seen, default=None),
    )


def _counts(figures: Figures, name: str) -> tuple[tuple[str, int], ...]:
    """States and how many are in each, most first."""
    rows = ((key[0], int(value)) for key, value in figures.rows(name).items() if not math.isnan(value))
    return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))
