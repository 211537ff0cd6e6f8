"""Small farms for tests of screens: pure values, every one of them the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from farmtui.farm.alerts import Alert, AlertBook, AlertmanagerState, Matcher, Rule, Silence
from farmtui.farm.farm import Farm
from farmtui.farm.node import Exporter, HostMetrics, IdentityProblem, Node, Provider, Sighting, Tier
from farmtui.farm.reading import Failure, FailureKind, SourceState
from farmtui.farm.state import Freshness, Severity

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
"""The moment of every picture: a Monday."""

HOSTILE = "[/x] \x1b[31mred\x1b]52;c;aGk=\x07 \u202egnp.exe [@click=app.quit]boo[/]"
"""What a label may hold when somebody means harm: markup, ESC, OSC 52, a bidi override, an action."""


def ago(minutes: float) -> datetime:
    """A moment before NOW."""
    return NOW - timedelta(minutes=minutes)


def make_alert(
    name: str = "TargetDown",
    severity: str = "critical",
    *,
    minutes: float = 5.0,
    summary: str = "",
    receivers: Sequence[str] = ("pager",),
    silenced_by: Sequence[str] = (),
    inhibited_by: Sequence[str] = (),
    replicas: Sequence[str] = ("http://am-1:9093",),
    runbook: str = "",
    **labels: str,
) -> Alert:
    """One alert that began `minutes` ago; further labels by keyword."""
    all_labels = tuple(sorted({"alertname": name, "severity": severity, **labels}.items()))
    annotations = {"summary": summary or f"{name} on {labels.get('instance', 'the farm')}"}
    if runbook:
        annotations["runbook_url"] = runbook
    return Alert(
        fingerprint=f"{_stable(repr(all_labels)):016x}",
        labels=all_labels,
        annotations=tuple(sorted(annotations.items())),
        state="suppressed" if silenced_by or inhibited_by else "active",
        starts_at=ago(minutes),
        ends_at=None,
        silenced_by=tuple(silenced_by),
        inhibited_by=tuple(inhibited_by),
        receivers=tuple(receivers),
        generator_url="http://prometheus:9090/graph",
        replicas=tuple(replicas),
    )


def _stable(text: str) -> int:
    """A number for a text that is the same in each run, as `hash` is not."""
    number = 0xCBF29CE484222325
    for byte in text.encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return number


def make_silence(
    ident: str = "1ae49131-8139-42bb-934d-1acf9cf9b5ef",
    *matchers: Matcher,
    state: str = "active",
    by: str = "anna",
    comment: str = "disk swap, ticket 4711",
    started: float = 10.0,
    ends_in: float = 50.0,
) -> Silence:
    """A silence that began `started` minutes ago and ends in `ends_in` minutes."""
    return Silence(
        id=ident,
        state=state,
        matchers=matchers or (Matcher("alertname", "DiskFull"),),
        created_by=by,
        comment=comment,
        starts_at=ago(started),
        ends_at=ago(-ends_in),
        replicas=("http://am-1:9093",),
    )


def make_replica(url: str = "http://am-1:9093", *, up: bool = True, problem: str = "") -> AlertmanagerState:
    """One Alertmanager."""
    return AlertmanagerState(url, up, version="0.25.0" if up else "", cluster="ready", peers=2, problem=problem)


def make_book(
    *alerts: Alert, silences: Sequence[Silence] = (), replicas: Sequence[AlertmanagerState] | None = None
) -> AlertBook:
    """What the Alertmanagers hold; one replica that answers, unless told otherwise."""
    return AlertBook(tuple(alerts), tuple(silences), tuple(replicas if replicas is not None else (make_replica(),)))


def make_source(
    kind: str = "alertmanager",
    freshness: Freshness = Freshness.LIVE,
    *,
    name: str = "",
    answered: float | None = 0.1,
    failure: Failure | None = None,
    warnings: Sequence[str] = (),
) -> SourceState:
    """One source, whose last answer came `answered` minutes ago (None: never)."""
    return SourceState(
        name=name or kind,
        kind=kind,
        endpoint=f"http://{kind}.example:9093",
        interval_s=15.0,
        freshness=freshness,
        last_success_at=None if answered is None else ago(answered),
        last_attempt_at=ago(0.1),
        next_attempt_at=ago(-0.15),
        duration_s=0.042,
        failure=failure,
        failures_in_a_row=3 if failure else 0,
        warnings=tuple(warnings),
        requests_per_cycle=2,
        polls=17,
    )


def make_failure(kind: FailureKind = FailureKind.UNREACHABLE, what: str = "", remedy: str = "") -> Failure:
    """A failed poll."""
    return Failure(
        kind,
        what or "alertmanager at http://am-1:9093 does not answer: connection refused",
        remedy or "check that it runs and that this machine may reach port 9093",
    )


def make_node(
    name: str, tier: Tier = Tier.CACHE, *, address: str = "10.0.0.1", state: Severity = Severity.OK, why: str = ""
) -> Node:
    """One machine with a node exporter on port 9100 of its address."""
    return Node(
        name=name,
        tier=tier,
        provider=Provider.PROXMOX,
        place="pve-1",
        addresses=(address,),
        sightings=(Sighting("prometheus", address, name, (address,)),),
        exporters=(Exporter("node", f"{address}:9100", up=state < Severity.CRITICAL),),
        metrics=HostMetrics(cpu_ratio=0.2, memory_ratio=0.5, seen_at=NOW),
        power="running",
        state=state,
        reasons=(why,) if why else (),
    )


def make_rule(
    name: str = "TargetDown", state: str = "inactive", *, group: str = "farm", health: str = "ok", severity: str = ""
) -> Rule:
    """One alerting rule."""
    error = "" if health == "ok" else "vector cannot contain metrics with the same labelset"
    labels = (("severity", severity),) if severity else ()
    return Rule(name, group, "up == 0", state, health, 300.0, error, labels=labels)


def make_farm(
    book: AlertBook | None = None,
    *,
    sources: Sequence[SourceState] | None = None,
    nodes: Sequence[Node] = (),
    rules: Sequence[Rule] = (),
    figure_problems: Sequence[tuple[str, str]] = (),
    identity_problems: Sequence[IdentityProblem] = (),
    at: datetime = NOW,
) -> Farm:
    """A farm with these parts. Sources follow from the parts, all live, unless they are given."""
    if sources is None:
        sources = tuple(make_source(kind) for kind in ("prometheus", *(("alertmanager",) if book else ())))
    return Farm(
        name="lab",
        at=at,
        nodes=tuple(nodes),
        sources=tuple(sources),
        book=book,
        rules=tuple(rules),
        figure_problems=tuple(figure_problems),
        identity_problems=tuple(identity_problems),
    )


def incident() -> Farm:
    """A bad morning: a PVE host is gone, a cache node evicts, a disk swap is silenced, an Alertmanager is down."""
    both = ("http://am-1:9093", "http://am-2:9093")
    silence = make_silence()
    pve = make_alert("PveHostDown", minutes=31, summary="PVE host pve-3 is offline", tier="app", host="pve-3")
    alerts = (
        pve,
        *(
            make_alert(
                "TargetDown",
                minutes=30 - number,
                summary=f"node exporter of worker-{number} does not answer",
                instance=f"10.0.1.{number}:9100",
                tier="app",
                job="node",
                runbook="https://runbooks.example/target-down",
            )
            for number in (7, 8, 9)
        ),
        make_alert(
            "CacheEvictions",
            "warning",
            minutes=190,
            summary="cache-2 evicts 120 objects a second: its storage is full",
            instance="10.0.0.2:9131",
            receivers=("chat",),
            replicas=both[:1],
            tier="cache",
        ),
        make_alert(
            "DiskFull",
            "critical",
            minutes=9,
            summary="/var of db-1 is 97 % full",
            instance="10.0.2.1:9100",
            silenced_by=(silence.id,),
            tier="database",
        ),
        make_alert(
            "SlowEdge",
            "warning",
            minutes=12,
            summary="p95 of edge-1 is 2.1 s",
            instance="10.0.3.1:9100",
            inhibited_by=(pve.fingerprint,),
            receivers=("chat",),
            tier="edge",
        ),
        make_alert("Heartbeat", "info", minutes=9000, summary="always firing", receivers=("log",), tier="monitoring"),
    )
    book = make_book(
        *alerts,
        silences=(
            silence,
            make_silence("77b2", Matcher("tier", "cache"), state="expired", by="bert", comment="deploy", ends_in=-100),
            make_silence("9c1d", Matcher("job", "node|ceph", is_regex=True), state="pending", started=-60, ends_in=180),
        ),
        replicas=(
            make_replica(),
            make_replica(both[1], up=False, problem="http://am-2:9093 does not answer: connection refused"),
        ),
    )
    nodes = [make_node(f"worker-{n}", Tier.APP, address=f"10.0.1.{n}", state=Severity.CRITICAL) for n in (7, 8, 9)]
    nodes += [make_node("cache-2", address="10.0.0.2"), make_node("db-1", Tier.DATABASE, address="10.0.2.1")]
    rules = (
        make_rule("TargetDown", "firing", severity="critical"),
        make_rule("CacheEvictions", "firing", severity="warning"),
        make_rule("GaleraNodeNotSynced", "pending", group="database", severity="critical"),
        make_rule("CephNearFull", health="err", group="storage", severity="warning"),
        make_rule("Heartbeat", "firing", severity="info"),
    )
    return make_farm(book, nodes=nodes, rules=rules)


def many_alerts(number: int) -> Farm:
    """A farm on fire: `number` alerts of 40 names on 500 machines."""
    alerts = tuple(
        make_alert(
            f"Alert{index % 40:02d}",
            ("critical", "warning", "info")[index % 3],
            minutes=index % 600,
            instance=f"10.{index % 500 // 250}.{index % 250}.1:9100",
            series=str(index),
        )
        for index in range(number)
    )
    return make_farm(make_book(*alerts))


def troubled() -> Farm:
    """Sources in every state, figures that could not be had, and machines in doubt."""
    sources = (
        make_source("prometheus", warnings=["thanos: store gateway 10.0.4.2 did not answer, results are partial"]),
        make_source("prometheus", name="prometheus trends"),
        make_source("alertmanager", Freshness.AGEING, answered=0.6, failure=make_failure()),
        make_source(
            "proxmox",
            Freshness.STALE,
            name="proxmox main",
            answered=14,
            failure=make_failure(
                FailureKind.TIMEOUT,
                "proxmox main at pve-3:8006: no answer within 10 s; neither did pve-1 and pve-2",
                "check that the API nodes run and that the link to them is up (interconnect)",
            ),
        ),
        make_source(
            "digitalocean",
            Freshness.FORBIDDEN,
            answered=None,
            failure=make_failure(
                FailureKind.FORBIDDEN,
                "digitalocean at api.digitalocean.com: HTTP 401, our login is not accepted",
                "check the token that digitalocean.token refers to, and that it has read scope",
            ),
        ),
        make_source("proxmox", Freshness.NEVER, name="proxmox lab", answered=None),
        make_source("proxmox", Freshness.EMPTY, name="proxmox spare"),
    )
    return make_farm(
        incident().book,
        sources=sources,
        nodes=incident().nodes,
        figure_problems=(
            ("cache.hit_ratio", "no data: the metric varnish_main_cache_hit is missing"),
            ("ceph.pools", "the query was refused: parse error at character 12"),
        ),
        identity_problems=(
            IdentityProblem(
                "conflict",
                "worker-7",
                "PVE says guest main/107 has 10.0.1.7, DigitalOcean says droplet 4711 has it",
                "add a line under nodes: to the config that says which one it is",
            ),
            IdentityProblem("stranger", "10.0.9.9", "a Prometheus target that no tier claims", "give it a tier"),
        ),
    )
