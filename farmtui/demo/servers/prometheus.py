"""Prometheus's HTTP API over the world's own series."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from aiohttp import web

from farmtui.demo.alerting import INTERVAL_S, ActiveAlert, Rule
from farmtui.demo.exporters.series import SCRAPE_S, Family
from farmtui.demo.exporters.targets import Target, down_reason
from farmtui.demo.exporters.watchers import PROMETHEUS_VERSION
from farmtui.demo.observed import Keeper, Observed
from farmtui.demo.promql.evaluate import Scalar, Value
from farmtui.demo.promql.parser import parse
from farmtui.demo.promql.series import Labels
from farmtui.demo.promql.syntax import QueryError, Selector
from farmtui.demo.promql.tokens import seconds, tokenize
from farmtui.demo.servers.moments import parse_rfc3339, rfc3339

MOST_POINTS = 11_000
_STATUS = {"bad_data": 400, "execution": 422, "not_found": 404}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answerer = Callable[[Mapping[str, list[str]], web.Request], Awaitable[Any]]


class PrometheusServer:
    """One Prometheus."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=2**20)
        both: dict[str, Answerer] = {
            "/query": self._query,
            "/query_range": self._query_range,
            "/series": self._series,
            "/labels": self._labels,
        }
        for path, handler in both.items():
            app.router.add_get(f"/api/v1{path}", self._answering(handler))
            app.router.add_post(f"/api/v1{path}", self._answering(handler))
        only: dict[str, Answerer] = {
            "/label/{name}/values": self._label_values,
            "/metadata": self._metadata,
            "/rules": self._rules,
            "/alerts": self._alerts,
            "/targets": self._targets,
            "/alertmanagers": self._alertmanagers,
            "/status/buildinfo": self._buildinfo,
        }
        for path, handler in only.items():
            app.router.add_get(f"/api/v1{path}", self._answering(handler))
        app.router.add_get("/-/ready", _plain("Prometheus Server is Ready.\n"))
        app.router.add_get("/-/healthy", _plain("Prometheus Server is Healthy.\n"))
        app.router.add_route("*", "/{path:.*}", _plain("404 page not found\n", 404))
        return app

    def _answering(self, handler: Answerer) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            if delay_s := self._keeper.condition.prometheus_delay_s:
                await asyncio.sleep(delay_s)
            try:
                data = await handler(await _parameters(request), request)
            except QueryError as error:
                body = {"status": "error", "errorType": error.kind, "error": str(error)}
                return web.json_response(body, status=_STATUS.get(error.kind, 500))
            text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
            return web.Response(text=f'{{"status":"success","data":{text}}}', content_type="application/json")

        return answer

    # -- queries

    async def _query(self, given: Mapping[str, list[str]], _request: web.Request) -> str:
        query = _one(given, "query")
        at = _time(given, "time", self._keeper.now)
        return await self._keeper.ask(lambda observed: _vector_text(observed.instant(query, at), at))

    async def _query_range(self, given: Mapping[str, list[str]], _request: web.Request) -> str:
        query = _one(given, "query")
        start, end = _time(given, "start", None), _time(given, "end", None)
        if end < start:
            raise QueryError("bad_data", 'invalid parameter "end": end timestamp must not be before start time')
        step = _step(given)
        if (end - start) / step > MOST_POINTS:
            raise QueryError(
                "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)",
            )
        times = [start + k * step for k in range(math.floor((end - start) / step + 1e-9) + 1)]
        return await self._keeper.ask(lambda observed: _matrix_text(observed.range(query, times), times))

    # -- metadata

    async def _series(self, given: Mapping[str, list[str]], _request: web.Request) -> Any:
        selectors = [_selector(text) for text in given.get("match[]", [])]
        if not selectors:
            raise QueryError("bad_data", "no match[] parameter provided")
        return await self._keeper.ask(lambda observed: _matching(observed, selectors))

    async def _labels(self, given: Mapping[str, list[str]], _request: web.Request) -> Any:
        selectors = [_selector(text) for text in given.get("match[]", [])]
        found = await self._keeper.ask(lambda observed: _matching(observed, selectors))
        return sorted({name for labels in found for name in labels})

    async def _label_values(self, given: Mapping[str, list[str]], request: web.Request) -> Any:
        name = request.match_info["name"]
        selectors = [_selector(text) for text in given.get("match[]", [])]
        if name == "__name__" and not selectors:
            return await self._keeper.ask(lambda observed: sorted(observed.scraped.families))
        found = await self._keeper.ask(lambda observed: _matching(observed, selectors))
        return sorted({labels[name] for labels in found if name in labels})

    async def _metadata(self, given: Mapping[str, list[str]], _request: web.Request) -> Any:
        wanted = given.get("metric", [""])[0]
        families = await self._keeper.ask(lambda observed: list(observed.scraped.families.values()))
        named = {_family_name(family): family for family in sorted(families, key=lambda family: family.name)}
        return {
            name: [{"type": family.kind, "help": family.help, "unit": ""}]
            for name, family in named.items()
            if not wanted or name == wanted
        }

    # -- rules, alerts, targets

    async def _rules(self, given: Mapping[str, list[str]], _request: web.Request) -> Any:
        if given.get("type", ["alert"])[0] == "record":
            return {"groups": []}
        return await self._keeper.ask(_rule_groups)

    async def _alerts(self, _given: Mapping[str, list[str]], _request: web.Request) -> Any:
        return await self._keeper.ask(lambda observed: {"alerts": [_alert(alert) for alert in observed.alerts()]})

    async def _targets(self, given: Mapping[str, list[str]], _request: web.Request) -> Any:
        state = given.get("state", ["any"])[0]
        active = [] if state == "dropped" else await self._keeper.ask(_active_targets)
        return {"activeTargets": active, "droppedTargets": []}

    async def _alertmanagers(self, _given: Mapping[str, list[str]], _request: web.Request) -> Any:
        addresses = await self._keeper.ask(
            lambda observed: [t.instance for t in observed.scraped.targets.of("alertmanager")]
        )
        urls = [{"url": f"http://{address}/api/v2/alerts"} for address in addresses]
        return {"activeAlertmanagers": urls, "droppedAlertmanagers": []}

    async def _buildinfo(self, _given: Mapping[str, list[str]], _request: web.Request) -> Any:
        return {
            "version": PROMETHEUS_VERSION,
            "revision": "2.42.0+ds-5+b5",
            "branch": "debian/sid",
            "buildUser": "farmtui demo",
            "buildDate": "20230409-09:50:43",
            "goVersion": "go1.19.8",
        }


def number_text(value: float) -> str:
    """A sample's value as Prometheus prints it: the shortest text without an exponent."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def _time_text(at: float) -> str:
    return str(int(at)) if at == int(at) else f"{at:.3f}"


def _metric_text(labels: Labels) -> str:
    return json.dumps(dict(sorted(labels.items())), separators=(",", ":"))


def _vector_text(value: Value, at: float) -> str:
    time = _time_text(at)
    if isinstance(value, Scalar):
        return f'{{"resultType":"scalar","result":[{time},"{number_text(value.column[0])}"]}}'
    rows = [
        f'{{"metric":{_metric_text(labels)},"value":[{time},"{number_text(sample)}"]}}'
        for labels, column in value.rows
        if (sample := column[0]) is not None
    ]
    return f'{{"resultType":"vector","result":[{",".join(rows)}]}}'


def _matrix_text(value: Value, times: Sequence[float]) -> str:
    rows = [({}, value.column)] if isinstance(value, Scalar) else value.rows
    stamps = [_time_text(at) for at in times]
    texts = []
    for labels, column in sorted(rows, key=lambda row: sorted(row[0].items())):
        points = ",".join(
            f'[{stamp},"{number_text(sample)}"]'
            for stamp, sample in zip(stamps, column, strict=True)
            if sample is not None
        )
        texts.append(f'{{"metric":{_metric_text(labels)},"values":[{points}]}}')
    return f'{{"resultType":"matrix","result":[{",".join(texts)}]}}'


async def _parameters(request: web.Request) -> Mapping[str, list[str]]:
    given: dict[str, list[str]] = {}
    pairs = list(request.query.items())
    if request.method == "POST":
        pairs += [(name, value) for name, value in (await request.post()).items() if isinstance(value, str)]
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return given


def _one(given: Mapping[str, list[str]], name: str) -> str:
    return given.get(name, [""])[0]


def _time(given: Mapping[str, list[str]], name: str, default: float | None) -> float:
    text = _one(given, name)
    if not text and default is not None:
        return default
    try:
        at = float(text)
    except ValueError:
        at = math.nan
    if math.isfinite(at):
        return at
    try:
        return parse_rfc3339(text)
    except ValueError:
        more = "Invalid time value for 'time': " if name == "time" else ""
        raise QueryError(
            "bad_data", f'invalid parameter "{name}": {more}cannot parse "{text}" to a valid timestamp'
        ) from None


def _step(given: Mapping[str, list[str]]) -> float:
    text = _one(given, "step")
    try:
        step = float(text)
    except ValueError:
        tokens = tokenize(text) if text.isalnum() else []
        if len(tokens) != 2 or tokens[0].kind != "duration":
            raise QueryError(
                "bad_data", f'invalid parameter "step": cannot parse "{text}" to a valid duration'
            ) from None
        step = seconds(text)
    if not step > 0:
        raise QueryError(
            "bad_data",
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer",
        )
    return step


def _selector(text: str) -> Selector:
    node = parse(text)
    if not isinstance(node, Selector) or node.range_s is not None:
        raise QueryError("bad_data", f'invalid parameter "match[]": {text} is not a series selector')
    return node


def _matching(observed: Observed, selectors: Sequence[Selector]) -> list[Labels]:
    """Labels of the series that exist now; of all series without a selector."""
    now = observed.world.advance()
    tick = (math.floor(now / SCRAPE_S) * SCRAPE_S,)
    chosen = [selector.matchers for selector in selectors] or [()]
    seen: dict[tuple[tuple[str, str], ...], Labels] = {}
    for matchers in chosen:
        for series in observed.scraped.select(matchers):
            if series.column(tick)[0] is not None:
                seen[tuple(series.labels.items())] = series.labels
    return list(seen.values())


def _alert(alert: ActiveAlert) -> dict[str, Any]:
    return {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.state,
        "activeAt": rfc3339(alert.active_at, 9),
        "value": f"{alert.value:e}",
    }


def _rule_groups(observed: Observed) -> dict[str, Any]:
    observed.alerts()
    groups: dict[str, list[dict[str, Any]]] = {}
    for rule in observed.alerting.rules:
        active = list(observed.alerting.active.get(rule.name, {}).values())
        groups.setdefault(rule.group, []).append(_rule(rule, active, observed.alerting.evaluated_at))
    return {
        "groups": [
            {
                "name": name,
                "file": "/etc/prometheus/rules/farm.yml",
                "rules": rules,
                "interval": INTERVAL_S,
                "limit": 0,
                "evaluationTime": 0.0031,
                "lastEvaluation": rfc3339(observed.alerting.evaluated_at, 9),
            }
            for name, rules in groups.items()
        ]
    }


def _rule(rule: Rule, active: Sequence[ActiveAlert], evaluated_at: float) -> dict[str, Any]:
    states = {alert.state for alert in active}
    return {
        "state": "firing" if "firing" in states else "pending" if states else "inactive",
        "name": rule.name,
        "query": rule.query,
        "duration": rule.for_s,
        "keepFiringFor": 0,
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
        "alerts": [_alert(alert) for alert in active],
        "health": "ok",
        "evaluationTime": 0.00042,
        "lastEvaluation": rfc3339(evaluated_at, 9),
        "type": "alerting",
    }


def _active_targets(observed: Observed) -> list[dict[str, Any]]:
    epoch = observed.world.epoch()
    scraped_at = math.floor(observed.world.now / SCRAPE_S) * SCRAPE_S
    return [_target(observed, target, epoch.condition, scraped_at) for target in observed.scraped.targets.all]


def _target(observed: Observed, target: Target, now: Any, scraped_at: float) -> dict[str, Any]:
    error = down_reason(now, observed.world.farm, target)
    address = target.through or target.instance
    url = f"http://{address}{target.path}{f'?target={quote_plus(target.instance)}' if target.through else ''}"
    return {
        "discoveredLabels": {
            "__address__": address,
            "__metrics_path__": target.path,
            "__scheme__": "http",
            "__scrape_interval__": f"{SCRAPE_S:g}s",
            "__scrape_timeout__": "4s",
            **target.labels,
        },
        "labels": dict(target.labels),
        "scrapePool": target.job,
        "scrapeUrl": url,
        "globalUrl": url,
        "lastError": error,
        "lastScrape": rfc3339(scraped_at, 9),
        "lastScrapeDuration": 4.0 if error else 0.012,
        "health": "down" if error else "up",
        "scrapeInterval": f"{SCRAPE_S:g}s",
        "scrapeTimeout": "4s",
    }


def _family_name(family: Family) -> str:
    """The name that an exporter's metadata has: a histogram's series are several, and one family."""
    if family.kind != "histogram":
        return family.name
    return family.name.removesuffix("_bucket").removesuffix("_count")


def _plain(text: str, status: int = 200) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    return answer
