"""Alertmanager's API v2 over the world's alerts: several replicas of one cluster, with one gossiped state."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from random import Random
from typing import Any
from urllib.parse import quote_plus

import yaml
from aiohttp import web

from farmtui.demo.alerting import ActiveAlert
from farmtui.demo.exporters.watchers import ALERTMANAGER_VERSION
from farmtui.demo.observed import Keeper, Observed
from farmtui.demo.promql.regex import regex_words
from farmtui.demo.promql.series import Labels
from farmtui.demo.servers.moments import parse_rfc3339, rfc3339
from farmtui.demo.servers.silences import Matcher, RefusedError, Silences, parse_matcher
from farmtui.farm.expressions import ExpressionError, anchored, expression

RESEND_S = 60.0
"""How often Prometheus tells of an alert that goes on (rules.alert.resend-delay)."""

_TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the routing tree."""

    receiver: str
    matchers: tuple[Matcher, ...]
    group_by: tuple[str, ...]
    goes_on: bool
    routes: tuple[Route, ...]

    def matching(self, labels: Labels) -> list[Route]:
        """The routes that take an alert: the deepest ones that match."""
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return []
        found: list[Route] = []
        for route in self.routes:
            taken = route.matching(labels)
            found += taken
            if taken and not route.goes_on:
                break
        return found or [self]


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """Alerts that match `source` inhibit those that match `target`, where the `equal` labels are equal."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """The config that all replicas share; `text` is what the status shows."""

    text: str
    route: Route
    inhibit: tuple[InhibitRule, ...]
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A firing alert as Alertmanager has been told of it. Times are Unix seconds."""

    labels: Labels
    annotations: Mapping[str, str]
    fingerprint: str
    starts_at: float
    updated_at: float
    ends_at: float
    generator_url: str
    routes: tuple[Route, ...]
    inhibited_by: tuple[str, ...] = ()


@dataclass(slots=True)
class Cluster:
    """What the replicas gossip. Its alerts are looked at in the world's thread, its silences in the event loop."""

    keeper: Keeper
    seed: int
    addresses: Sequence[str]
    """Where each replica gossips: host and port."""
    settings: Settings = field(default_factory=lambda: load_settings())
    silences: Silences = field(init=False)
    _told: tuple[float, tuple[Received, ...]] = (0.0, ())
    _posted: dict[str, Received] = field(default_factory=dict)
    """What others than Prometheus have told of, by fingerprint."""

    def __post_init__(self) -> None:
        self.silences = Silences(self.seed)

    async def alerts(self) -> tuple[Received, ...]:
        """All firing alerts, by fingerprint, inhibitions worked out."""
        return await self.keeper.ask(self._received)

    async def take(self, body: object) -> None:
        """Take alerts that somebody tells of. Raises RefusedError."""
        try:
            told = [_posted(one, self.settings.route) for one in body] if isinstance(body, list) else None
        except (AttributeError, KeyError, TypeError, ValueError):
            told = None
        if told is None:
            raise RefusedError(400, {"code": 400, "message": 'parsing alerts body from "" failed'})

        def put(observed: Observed) -> None:
            now = observed.world.advance()
            self._posted |= {alert.fingerprint: replace(alert, updated_at=now) for alert in told}
            self._told = (0.0, ())

        await self.keeper.ask(put)

    def _received(self, observed: Observed) -> tuple[Received, ...]:
        active = observed.alerts()
        evaluated_at = observed.alerting.evaluated_at
        # Between two evaluations of the rules nothing can have changed.
        if self._told[0] != evaluated_at:
            told = [self._alert(alert, observed, evaluated_at) for alert in active if alert.fired_at is not None]
            told += [alert for alert in self._posted.values() if alert.ends_at > evaluated_at]
            self._told = evaluated_at, inhibited(sorted(told, key=lambda a: a.fingerprint), self.settings.inhibit)
        return self._told[1]

    def _alert(self, alert: ActiveAlert, observed: Observed, evaluated_at: float) -> Received:
        assert alert.fired_at is not None
        labels = dict(sorted({"farm": "demo", **alert.labels}.items()))
        sent_at = evaluated_at - (evaluated_at - alert.fired_at) % RESEND_S
        prometheus = observed.scraped.targets.of("prometheus")[0].instance
        return Received(
            labels=labels,
            annotations=dict(sorted(alert.annotations.items())),
            fingerprint=fingerprint(labels),
            starts_at=alert.fired_at,
            updated_at=sent_at,
            ends_at=sent_at + 4 * RESEND_S,
            generator_url=f"http://{prometheus}/graph?g0.expr={quote_plus(alert.rule.query)}&g0.tab=1",
            routes=tuple(self.settings.route.matching(labels)),
        )

    def peers(self) -> list[dict[str, str]]:
        """The replicas as the status lists them."""
        random = Random(f"{self.seed}:peers")
        return [
            {"address": address, "name": "01" + "".join(random.choice(_ULID) for _ in range(24))}
            for address in self.addresses
        ]


class AlertmanagerServer:
    """One replica of a cluster."""

    def __init__(self, cluster: Cluster, replica: int = 0) -> None:
        """`replica` is its place among the cluster's addresses."""
        self._cluster = cluster
        self._keeper = cluster.keeper
        self._replica = replica

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=2**20, middlewares=[_in_its_words])
        app.router.add_get("/api/v2/status", self._status)
        app.router.add_get("/api/v2/receivers", self._receivers)
        app.router.add_get("/api/v2/alerts", self._alerts)
        app.router.add_post("/api/v2/alerts", self._post)
        app.router.add_get("/api/v2/alerts/groups", self._groups)
        app.router.add_get("/api/v2/silences", self._silences)
        app.router.add_post("/api/v2/silences", self._put)
        app.router.add_get("/api/v2/silence/{id}", self._silence)
        app.router.add_delete("/api/v2/silence/{id}", self._expire)
        app.router.add_get("/-/ready", _ok)
        app.router.add_get("/-/healthy", _ok)
        return app

    async def _status(self, _request: web.Request) -> web.Response:
        peers = self._cluster.peers()
        started = await self._keeper.ask(lambda observed: observed.world.born)
        return _json(
            {
                "cluster": {"name": peers[self._replica]["name"], "peers": peers, "status": "ready"},
                "config": {"original": self._cluster.settings.text},
                "uptime": rfc3339(started),
                "versionInfo": {
                    "branch": "debian/sid",
                    "buildDate": "20230409-09:50:43",
                    "buildUser": "farmtui demo",
                    "goVersion": "go1.19.8",
                    "revision": "0.25.0-1+b4",
                    "version": ALERTMANAGER_VERSION,
                },
            }
        )

    async def _receivers(self, _request: web.Request) -> web.Response:
        return _json([{"name": name} for name in self._cluster.settings.receivers])

    # -- alerts

    async def _alerts(self, request: web.Request) -> web.Response:
        chosen = await self._chosen(request)
        return _json([_shown(alert, silenced) for alert, silenced in chosen])

    async def _post(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        await self._cluster.take(body)
        return web.Response()

    async def _groups(self, request: web.Request) -> web.Response:
        groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[dict[str, Any]]] = {}
        for alert, silenced in await self._chosen(request):
            for route in alert.routes:
                labels = tuple(sorted((name, alert.labels[name]) for name in route.group_by if name in alert.labels))
                shown = _shown(alert, silenced)
                groups.setdefault((route.receiver, labels), []).append(shown)
        return _json(
            [
                {"alerts": alerts, "labels": dict(labels), "receiver": {"name": receiver}}
                for (receiver, labels), alerts in sorted(groups.items(), key=lambda item: (item[0][1], item[0][0]))
            ]
        )

    async def _chosen(self, request: web.Request) -> list[tuple[Received, list[str]]]:
        """The alerts that a request asks for, with the silences that cover each. Raises RefusedError."""
        filters = _filters(request)
        wanted = {
            name: request.query.get(name, "true").lower() in _TRUE for name in ("active", "silenced", "inhibited")
        }
        pattern = request.query.get("receiver", "")
        try:
            receiver = expression(pattern, whole=True) if pattern else None
        except ExpressionError as error:
            words = regex_words(anchored(pattern), error)
            raise RefusedError(400, f"failed to parse receiver param: {words}") from None
        now = self._keeper.now
        chosen = []
        for alert in await self._cluster.alerts():
            silenced = self._cluster.silences.silencing(alert.labels, now)
            is_active = not silenced and not alert.inhibited_by
            if (
                (is_active and not wanted["active"])
                or (silenced and not wanted["silenced"])
                or (alert.inhibited_by and not wanted["inhibited"])
                or not all(matcher.matches(alert.labels) for matcher in filters)
                or (receiver and not any(receiver.found_in(route.receiver) for route in alert.routes))
            ):
                continue
            chosen.append((alert, silenced))
        return chosen

    # -- silences

    async def _silences(self, request: web.Request) -> web.Response:
        now = self._keeper.now
        return _json([silence.json(now) for silence in self._cluster.silences.all(now, _filters(request))])

    async def _silence(self, request: web.Request) -> web.Response:
        silence = self._cluster.silences.get(request.match_info["id"])
        return web.Response(status=404) if silence is None else _json(silence.json(self._keeper.now))

    async def _put(self, request: web.Request) -> web.Response:
        text = await request.text()
        if not text.strip():
            raise RefusedError(422, {"code": 602, "message": "silence in body is required"})
        try:
            body = json.loads(text)
        except ValueError:
            message = 'parsing silence body from "" failed, because invalid character in literal'
            raise RefusedError(400, {"code": 400, "message": message}) from None
        return _json({"silenceID": self._cluster.silences.put(body, self._keeper.now)})

    async def _expire(self, request: web.Request) -> web.Response:
        self._cluster.silences.expire(request.match_info["id"], self._keeper.now)
        return web.Response()


def _posted(alert: Any, route: Route) -> Received:
    """An alert as somebody tells of it, who is not Prometheus."""
    labels = {str(name): str(value) for name, value in sorted(alert["labels"].items())}
    starts_at, ends_at = parse_rfc3339(alert["startsAt"]), parse_rfc3339(alert["endsAt"])
    return Received(
        labels=labels,
        annotations={str(name): str(value) for name, value in sorted(alert.get("annotations", {}).items())},
        fingerprint=fingerprint(labels),
        starts_at=starts_at,
        updated_at=starts_at,
        ends_at=ends_at,
        generator_url=str(alert.get("generatorURL", "")),
        routes=tuple(route.matching(labels)),
    )


def _shown(alert: Received, silenced: Sequence[str]) -> dict[str, Any]:
    suppressed = bool(silenced or alert.inhibited_by)
    return {
        "annotations": alert.annotations,
        "endsAt": rfc3339(alert.ends_at),
        "fingerprint": alert.fingerprint,
        "receivers": [{"name": name} for name in dict.fromkeys(route.receiver for route in alert.routes)],
        "startsAt": rfc3339(alert.starts_at),
        "status": {
            "inhibitedBy": list(alert.inhibited_by),
            "silencedBy": list(silenced),
            "state": "suppressed" if suppressed else "active",
        },
        "updatedAt": rfc3339(alert.updated_at),
        "generatorURL": alert.generator_url,
        "labels": alert.labels,
    }


def fingerprint(labels: Labels) -> str:
    """Prometheus's fingerprint of a label set: FNV-1a, 64 bits, over the sorted names and values."""
    total = 0xCBF29CE484222325
    for name, value in sorted(labels.items()):
        for byte in b"%s\xff%s\xff" % (name.encode(), value.encode()):
            total = (total ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def inhibited(alerts: Sequence[Received], rules: Sequence[InhibitRule]) -> tuple[Received, ...]:
    """The alerts with what inhibits each; an alert that matches both sides of a rule is no source of it."""
    by: dict[str, dict[str, None]] = {}
    for rule in rules:
        sources: dict[tuple[str, ...], list[str]] = {}
        targets = [alert for alert in alerts if all(m.matches(alert.labels) for m in rule.target)]
        both = {alert.fingerprint for alert in targets}
        for alert in alerts:
            if alert.fingerprint not in both and all(m.matches(alert.labels) for m in rule.source):
                sources.setdefault(_equal(alert, rule), []).append(alert.fingerprint)
        for alert in targets:
            # Alertmanager names one source of each rule.
            for found in sources.get(_equal(alert, rule), [])[:1]:
                by.setdefault(alert.fingerprint, {})[found] = None
    return tuple(
        alert if alert.fingerprint not in by else replace(alert, inhibited_by=tuple(by[alert.fingerprint]))
        for alert in alerts
    )


def _equal(alert: Received, rule: InhibitRule) -> tuple[str, ...]:
    return tuple(alert.labels.get(name, "") for name in rule.equal)


def load_settings() -> Settings:
    """The cluster's config, from the package's file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("farmtui.demo").joinpath("alertmanager.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=loader)  # noqa: S506 - either is a safe loader
    return Settings(
        text=text,
        route=_route(data["route"], ()),
        inhibit=tuple(
            InhibitRule(
                _matchers(rule["source_matchers"]), _matchers(rule["target_matchers"]), tuple(rule.get("equal", ()))
            )
            for rule in data["inhibit_rules"]
        ),
        receivers=tuple(receiver["name"] for receiver in data["receivers"]),
    )


def _route(data: Mapping[str, Any], group_by: tuple[str, ...]) -> Route:
    group_by = tuple(data.get("group_by", group_by))
    return Route(
        receiver=data["receiver"],
        matchers=_matchers(data.get("matchers", ())),
        group_by=group_by,
        goes_on=bool(data.get("continue")),
        routes=tuple(_route(child, group_by) for child in data.get("routes", ())),
    )


def _matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    return tuple(parse_matcher(text) for text in texts)


def _filters(request: web.Request) -> list[Matcher]:
    return [parse_matcher(text) for text in request.query.getall("filter", [])]


def _json(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, separators=(",", ":")) + "\n"
    return web.Response(text=text, status=status, content_type="application/json")


async def _ok(_request: web.Request) -> web.Response:
    return web.Response(text="OK")


@web.middleware
async def _in_its_words(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refusals, unknown paths and methods, as Alertmanager words them."""
    try:
        return await handler(request)
    except RefusedError as refused:
        return _json(refused.body, refused.status)
    except web.HTTPMethodNotAllowed as error:
        allowed = ",".join(sorted(error.allowed_methods - {"HEAD"}, reverse=True))
        message = f"method {request.method} is not allowed, but [{allowed}] are"
        return _json({"code": 405, "message": message}, 405)
    except web.HTTPNotFound:
        return _json({"code": 404, "message": f"path {request.path} was not found"}, 404)
