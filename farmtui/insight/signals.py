"""Faults of what the console sees by: its sources, and alerts that nothing else explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from farmtui.farm.alerts import Alert
from farmtui.farm.farm import Farm
from farmtui.farm.node import TierSummary
from farmtui.farm.reading import FailureKind, SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import ago, duration, plural
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines
from farmtui.insight.machines import CEPH_HOST

EYES = frozenset({"prometheus", "alertmanager"})
"""Without one of these the farm's state is not known; without the others less is known of it."""

_TOPICS = {
    "prometheus": ("prometheusslow", "prometheusqueries", "prometheusdown"),
    "alertmanager": ("alertmanagerdown",),
    "digitalocean": ("cloudapi", "digitalocean"),
    "bill": ("cloudapi", "digitalocean"),
    "proxmox": ("proxmoxapi", "pveapi"),
}
"""Pieces of alerts' names that say the same as a source that fails."""


def source_faults(farm: Farm) -> Iterator[Finding]:
    """Sources that fail, answer in part, are out of date, or are missed: the one that others ask too comes first."""
    blind = not any(source.freshness in (Freshness.LIVE, Freshness.EMPTY) for source in farm.sources)
    for source in farm.sources:
        if source.failure is not None:
            yield _failing(farm, source, blind=blind)
        elif source.freshness in (Freshness.AGEING, Freshness.STALE):
            seen_at = source.last_success_at
            yield Finding(
                f"source/{source.name}", Severity.WARNING, f"{source.name} is late",
                f"its answer takes {duration(source.duration_s)}, and is wanted every {duration(source.interval_s)}"
                if (source.duration_s or 0.0) > source.interval_s
                else "it has not been asked in time: this machine is busy, or was asleep",
                (f"last answer {ago((farm.at - seen_at).total_seconds())}",) if seen_at else (),
                ("source", source.name), "sources", "sources", since=seen_at,
                covers=_at_the_same_door(farm, source)
                | (_out_of_sight(farm, source.kind) if source.freshness is Freshness.STALE else frozenset()),
                topics=_TOPICS.get(source.kind, ()),
            )  # fmt: skip
        elif source.freshness is Freshness.EMPTY and source.name not in _MAY_BE_EMPTY and source.kind in _WHY_EMPTY:
            yield Finding(
                f"source/{source.name}", Severity.WARNING, f"{source.name} answers, and knows nothing",
                _WHY_EMPTY[source.kind][0], (f"→ {_WHY_EMPTY[source.kind][1]}",), ("source", source.name),
                "sources", "sources",
            )  # fmt: skip
        if source.warnings and source.failure is None:
            more = f" and {len(source.warnings) - 1} more" if len(source.warnings) > 1 else ""
            yield Finding(
                f"source-partial/{source.name}", Severity.WARNING, f"{source.name} answers in part",
                source.warnings[0] + more, source.warnings[1:3], ("source", source.name), "sources", "sources",
            )  # fmt: skip
    if farm.clock_ahead_s:
        yield _clock(farm.clock_ahead_s)
    yield from _unwatched(farm)
    yield from _gaps(farm)


_WHY_EMPTY = {
    "prometheus": (
        "it holds no metric that any figure is made of",
        "is it the right Prometheus (or tenant), and does it scrape the farm? farmtui check names what is missing",
    ),
    "proxmox": (
        "it lists no host and no guest",
        "a token sees only what it was granted: give it PVEAuditor on / (and check `privsep`)",
    ),
    "digitalocean": ("it lists no droplet", "see whether the token is of the right team, and its scope reads droplets"),
    "swarm": ("it lists no node", "see whether the host that is asked is a manager of this Swarm"),
    "gluster": ("it lists no peer", "see whether the host that is asked is in the trusted pool: gluster peer status"),
}
"""Why a source that is there for a farm may hold nothing of it, and what to do."""

_MAY_BE_EMPTY = ("prometheus sites", "prometheus trends")
"""A farm need not count per site: the screen says so, and what it shows instead. Trends follow from the figures."""


def _clock(ahead_s: float) -> Finding:
    how = f"{duration(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'}"
    return Finding(
        "clock", Severity.WARNING, f"this machine's clock is {how} Prometheus's",
        "silences begin and end, and ages and charts are, wrong by as much",
        ("which of the two is right, this tells on each of them: chronyc tracking, or timedatectl timesync-status",),
        screen="sources", part="sources",
    )  # fmt: skip


def _failing(farm: Farm, source: SourceState, *, blind: bool) -> Finding:
    failure = source.failure
    assert failure is not None
    fresh = source.freshness in (Freshness.LIVE, Freshness.EMPTY)
    seen_at = source.last_success_at
    if fresh:
        # One lost answer is told, and no more: what is on the screen is still young, or has come in part.
        severity = Severity.INFO if source.failures_in_a_row == 1 else Severity.WARNING
    else:
        # While its last picture is not old yet, a source that fails is a warning: the figures still tell the truth.
        eye = source.name in EYES and source.freshness is not Freshness.AGEING
        severity = Severity.UNKNOWN if eye or blind else Severity.WARNING
    word = _WORDS.get(failure.kind, "does not answer")
    seen = f"last answer {ago((farm.at - seen_at).total_seconds())}" if seen_at else "it has never answered"
    times = f"{source.failures_in_a_row} polls in a row have failed" if source.failures_in_a_row > 1 else ""
    return Finding(
        f"source/{source.name}", severity, f"{source.name} {word}", failure.what,
        tuple(text for text in (seen, times, f"→ {failure.remedy}" if failure.remedy else "") if text),
        ("source", source.name), "sources", "sources", since=seen_at,
        covers=_at_the_same_door(farm, source) | (frozenset() if fresh else _out_of_sight(farm, source.kind)),
        topics=_TOPICS.get(source.kind, ()),
    )  # fmt: skip


_WORDS = {
    FailureKind.FORBIDDEN: "refuses us",
    FailureKind.RATE_LIMITED: "limits our requests",
    FailureKind.TIMEOUT: "is too slow",
    FailureKind.TLS: "cannot be trusted",
    FailureKind.HOST_KEY: "cannot be trusted",
    FailureKind.SERVER: "has an error",
    FailureKind.BAD_ANSWER: "answers nonsense",
    FailureKind.CONFIG: "is not configured right",
}


def _at_the_same_door(farm: Farm, source: SourceState) -> frozenset[Thing]:
    """Other sources that ask the same server by the same login, and have no answer either."""
    if source.kind not in _KNOW_MACHINES:
        return frozenset()
    return frozenset(
        ("source", other.name) for other in farm.sources
        if other is not source and other.endpoint == source.endpoint
        and (other.failure is not None or other.freshness in (Freshness.AGEING, Freshness.STALE))
    )  # fmt: skip


_KNOW_MACHINES = ("prometheus", "proxmox", "digitalocean")
"""Kinds that list machines; their servers are asked by others too: for trends and sites, backups, the bill."""


def _out_of_sight(farm: Farm, kind: str) -> frozenset[Thing]:
    """The machines that are in doubt because a source of this kind is silent, and tiers whose machines may be."""
    doubtful = {
        ("node", node.name) for node in farm.nodes
        if node.state is Severity.UNKNOWN and any(sighting.source == kind for sighting in node.sightings)
    }  # fmt: skip
    return frozenset(
        doubtful | ({("tier", tier.tier.value) for tier in _unseen(farm)} if kind in _KNOW_MACHINES else set())
    )


def _unseen(farm: Farm) -> tuple[TierSummary, ...]:
    """Tiers of which machines are in doubt that no source has seen."""
    return tuple(tier for tier in farm.tiers if tier.state is Severity.UNKNOWN and tier.seen < (tier.expected or 0))


def _unwatched(farm: Farm) -> Iterator[Finding]:
    """Machines that only Prometheus could see, where the config has none (or a wrong one, which is left out)."""
    tiers = _unseen(farm)
    if not tiers or farm.source("prometheus") is not None:
        return
    unseen = sum((tier.expected or 0) - tier.seen for tier in tiers)
    yield Finding(
        "unwatched", Severity.UNKNOWN, "Prometheus is not configured",
        f"nobody has looked at {plural(unseen, 'machine')} that the config expects",
        ("→ add prometheus.url to the config",), screen="sources", part="sources",
        covers=frozenset(("tier", tier.tier.value) for tier in tiers),
    )  # fmt: skip


def _gaps(farm: Farm) -> Iterator[Finding]:
    if farm.figure_problems:
        names = ", ".join(name for name, _ in farm.figure_problems[:4])
        more = f" and {len(farm.figure_problems) - 4} more" if len(farm.figure_problems) > 4 else ""
        yield Finding(
            "figures", Severity.INFO, f"{plural(len(farm.figure_problems), 'figure')} could not be had",
            f"{names}{more}",
            tuple(f"{name}: {why}" for name, why in farm.figure_problems[:2]), screen="sources", part="sources",
        )  # fmt: skip
    if farm.identity_problems:
        first = farm.identity_problems[0]
        yield Finding(
            "identity", Severity.INFO, f"{plural(len(farm.identity_problems), 'machine is', 'machines are')} doubtful",
            f"{first.subject}: {first.detail}", (f"→ {first.remedy}",), screen="sources", part="sources",
        )  # fmt: skip
    if broken := [rule for rule in farm.rules if rule.health == "err"]:
        yield Finding(
            "rules", Severity.WARNING, f"{plural(len(broken), 'alert rule')} cannot be evaluated",
            f"never fires: {', '.join(rule.name for rule in broken[:4])}",
            (broken[0].last_error,) if broken[0].last_error else (), screen="alerts", part="alerts",
        )  # fmt: skip
    if farm.book and (gone := [replica for replica in farm.book.replicas if not replica.up]):
        yield Finding(
            "alertmanager/replica", Severity.WARNING,
            f"{len(gone)} of {len(farm.book.replicas)} Alertmanagers do not answer",
            f"{gone[0].url}: {gone[0].problem or 'no answer'}",
            ("the others still hold the alerts and send the notifications",) if len(gone) < len(farm.book.replicas)
            else ("nobody is told of any alert",), screen="sources", part="alerts",
            topics=("alertmanager",),
        )  # fmt: skip
    yield from lost_heartbeats(farm)


def lost_heartbeats(farm: Farm) -> Iterator[Finding]:
    """An alert that always fires, and does not arrive: the others may not arrive either."""
    looked = all(farm.freshness(kind) in (Freshness.LIVE, Freshness.EMPTY) for kind in ("prometheus", "alertmanager"))
    if farm.book is None or not looked:
        return
    arrived = {alert.name for alert in farm.book.alerts}
    for rule in farm.rules:
        if rule.heartbeat and rule.state == "firing" and rule.name not in arrived:
            yield Finding(
                f"heartbeat/{rule.group}/{rule.name}", Severity.WARNING, f"{rule.name} does not reach Alertmanager",
                "Prometheus fires it always, and no Alertmanager holds it: other alerts may not arrive, nor be sent on",
                ("→ look at alerting: in prometheus.yml, and at what Prometheus logs of its notifier",),
                ("rule", f"{rule.group}/{rule.name}"), "alerts", "alerts",
            )  # fmt: skip


def explain_alerts(farm: Farm, found: Sequence[Finding], machines: Machines) -> tuple[Finding, ...]:
    """The findings with what alerts add to them (since when, the runbook), and one more for each name of an alert
    that nothing explains. Silenced and inhibited alerts are left out: somebody knows of them."""
    said: defaultdict[int, list[Alert]] = defaultdict(list)
    rest: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in farm.book.heard if farm.book else ():
        things = frozenset(_things(alert, machines))
        scores = [_likeness(finding, alert, things) for finding in found]
        best = max(scores, default=0)
        (said[scores.index(best)] if best else rest[alert.name]).append(alert)
    return (
        *(_told(finding, said[i]) if i in said else finding for i, finding in enumerate(found)),
        *(_unexplained(name, alerts) for name, alerts in rest.items()),
    )


def _things(alert: Alert, machines: Machines) -> Iterator[Thing]:
    for label in ("instance", "node", "host", "nodename"):
        value = alert.label(label)
        if value:
            yield from (("varnish", value), ("redis", value), ("galera", value), ("interconnect", value))
            yield (CEPH_HOST, value.partition(".")[0])
            if node := machines.of(value):
                yield ("node", node.name)
    for label, kind in (("ceph_daemon", "osd"), ("router", "site"), ("service", "site"), ("pool", "pool")):
        if value := alert.label(label):
            yield (kind, value)


def _likeness(finding: Finding, alert: Alert, things: Iterable[Thing]) -> int:
    """How surely an alert tells what the finding tells: about the same thing, or else by how much of its name."""
    if any(thing == finding.subject or thing in finding.covers for thing in things):
        return _SAME_THING
    name = alert.name.casefold()
    return max((len(topic) for topic in finding.topics if topic in name), default=0)


_SAME_THING = 1000


def _told(finding: Finding, alerts: Sequence[Alert]) -> Finding:
    alerts = sorted(alerts, key=lambda alert: (-alert.severity, alert.starts_at))
    names = list(dict.fromkeys(alert.name for alert in alerts))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    runbook = next((text for alert in alerts if (text := runbook_of(alert))), "")
    since = min(alert.starts_at for alert in alerts)
    return replace(
        finding,
        severity=max(finding.severity, alerts[0].severity),
        evidence=(*finding.evidence, f"alerts: {', '.join(names[:3])}{more}"),
        runbook=finding.runbook or runbook,
        alerts=tuple(names),
        since=min(since, finding.since) if finding.since else since,
    )


def _unexplained(name: str, alerts: Sequence[Alert]) -> Finding:
    first = min(alerts, key=lambda alert: (-alert.severity, alert.starts_at))
    many = f" ×{len(alerts)}" if len(alerts) > 1 else ""
    words = first.annotation("summary") or first.annotation("description") or first.annotation("message")
    where = first.label("instance") or first.label("node") or first.label("job")
    return Finding(
        f"alert/{name}", max(alert.severity for alert in alerts), f"{name}{many}",
        words or f"it fires on {where}" if where or words else "its rule gives no summary",
        (f"on {where}",) if where and words and where not in words else (),
        ("alert", first.fingerprint), "alerts", "alerts", runbook_of(first),
        min(alert.starts_at for alert in alerts), alerts=(name,),
    )  # fmt: skip


def runbook_of(alert: Alert) -> str:
    """The runbook that an alert's annotations name, or the empty string."""
    return alert.annotation("runbook_url") or alert.annotation("runbook")
