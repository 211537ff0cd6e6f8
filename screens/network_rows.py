"""The table of networks: a row each, with what is wrong, how far it is, and what goes over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.networks import ORDER, Network, NetworkKind
from farmtui.farm.state import Severity
from farmtui.farm.units import NOT_MEASURED, data_rate, percent, round_trip
from farmtui.insight.networks import Flaw, flaws, is_measured, latency_limits, loss_severity, network_state
from farmtui.insight.thresholds import above
from screens.columns import figure
from screens.places import Subject
from widgets import ink
from widgets.table_columns import Column

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm

NOUN = "networks: no probe, tunnel, Ceph or cache tier tells of one, and the config names none"
UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """A network with what is wrong with it."""

    network: Network
    severity: Severity
    flaws: tuple[Flaw, ...]


def network_rows(farm: Farm) -> tuple[NetworkRow, ...]:
    """All networks, in the order of a request's path."""
    return tuple(NetworkRow(net, network_state(farm, net), flaws(farm, net)) for net in farm.networks)


def network_subject(network: Network) -> Subject:
    """The subject of a network."""
    return Subject("network", network.name, network.name)


def columns() -> tuple[Column[NetworkRow], ...]:
    """The columns of the table of networks."""
    return (
        Column("name", "network", lambda r: r.network.name, width=13, flex=1, priority=0,
               sort=lambda r: r.network.name),
        Column("state", "state", lambda r: r.severity.word, width=7, priority=0, sort=lambda r: r.severity,
               descending=True),
        Column("latency", "latency", _latency, width=9, align="right", priority=0,
               sort=lambda r: r.network.latency_s, descending=True, help="round trip over its slowest hop"),
        Column("jitter", "jitter", lambda r: round_trip(r.network.jitter_s), width=8, align="right", priority=2,
               sort=lambda r: r.network.jitter_s, descending=True, help="how far the slow ones are from the usual one"),
        Column("loss", "lost", _lost,
               width=8, align="right", priority=0, sort=lambda r: r.network.loss_ratio, descending=True,
               help="share of probes of five minutes that did not come back"),
        Column("traffic", "traffic", lambda r: data_rate(r.network.bytes_per_s), width=9, align="right", priority=2,
               sort=lambda r: r.network.bytes_per_s, descending=True, help="what goes over its known interfaces"),
        Column("members", "members", _members, width=8, align="right", priority=2,
               sort=lambda r: len(r.network.members), descending=True, help="machines that are in it, and how many of "
               "those whose answers are known do answer"),
        Column("mtu", "mtu", _mtu, width=11, align="right", priority=3, sort=lambda r: r.network.mtus),
        Column("why", "what is wrong", _why, width=30, flex=3, priority=0),
        Column("cidr", "addresses", lambda r: ", ".join(r.network.cidrs) or NOT_MEASURED, width=18, priority=3),
        Column("kind", "kind", lambda r: r.network.kind.value, width=12, priority=5,
               sort=lambda r: ORDER.index(r.network.kind)),
        Column("by", "measured by", lambda r: r.network.measured[0].by.value if r.network.measured else NOT_MEASURED,
               width=16, priority=4),
    )  # fmt: skip


def _lost(row: NetworkRow) -> Content | str:
    worst = max(map(loss_severity, row.network.measured), default=Severity.OK)
    return figure(percent(row.network.loss_ratio), worst)


def _latency(row: NetworkRow) -> Content | str:
    limits_s = latency_limits(row.network)
    if row.network.measured and not any(hop.up for hop in row.network.measured):
        return figure("none", Severity.CRITICAL)
    return figure(round_trip(row.network.latency_s), above(row.network.latency_s, limits_s))


def _members(row: NetworkRow) -> Content | str:
    members = row.network.members
    told = [member for member in members if member.answers is not None]
    if not told:
        return str(len(members)) if members else NOT_MEASURED
    well = sum(member.answers is True for member in told)
    return figure(f"{well}/{len(told)}", Severity.OK if well == len(told) else Severity.WARNING)


def _mtu(row: NetworkRow) -> Content | str:
    mtus = row.network.mtus
    if not mtus:
        return NOT_MEASURED
    return figure("/".join(map(str, mtus[:3])), Severity.OK if len(mtus) == 1 else Severity.WARNING)


def _why(row: NetworkRow) -> Content | str:
    if row.flaws:
        words = "; ".join(flaw.text for flaw in row.flaws)
        return Content.styled(words, ink.SEVERITY[row.severity])
    if not is_measured(row.network):
        return Content.styled(f"{UNMEASURED}: Enter says how to", ink.SEVERITY[Severity.UNKNOWN])
    if not row.network.hops and row.network.kind is NetworkKind.INTERCONNECT:
        return Content.styled("no probe measures latency and loss", ink.MUTED)
    return ""
