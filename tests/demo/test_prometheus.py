"""The simulated Prometheus over HTTP: formats, refusals in the original's words, and that it is always the same."""

from __future__ import annotations

import pytest

from farmtui.demo.promql.syntax import QueryError
from farmtui.demo.servers.prometheus import number_text
from farmtui.demo.world.changes import DatabaseStop
from tests.demo.stage import NOON, Clock, observed, stage

QUERY, RANGE = "/api/v1/query", "/api/v1/query_range"
WRONG_QUERY = 'invalid parameter "query": '
TOO_FINE = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
NOT_POSITIVE = (
    'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'
)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nope(up)", '1:1: parse error: unknown function with name "nope"'),
        ("foo(", "1:5: parse error: unclosed left parenthesis"),
        ("", "1:1: parse error: no expression found in input"),
        ("up{", "1:4: parse error: unexpected end of input inside braces"),
        ('up{a=~"("}', "1:4: parse error: error parsing regexp: missing closing ): `^(?:()$`"),
        ("up{a}", '1:5: parse error: unexpected "}" in label matching, expected label matching operator'),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("up +", "1:5: parse error: unexpected end of input"),
        ("up{} {}", '1:6: parse error: unexpected "{"'),
        (
            "rate(up)",
            '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
        ),
        ("rate(up[0s])", "1:9: parse error: duration must be greater than 0"),
        ("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"),
        (
            "topk(up)",
            "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
        ),
        ("sum by (a up", '1:11: parse error: unexpected identifier "up" in grouping opts, expected "," or ")"'),
        ("1 == 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("up and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
    ],
)
async def test_a_query_that_it_does_not_understand_is_a_400(query: str, words: str) -> None:
    async with stage() as farm:
        status, body = await farm.prometheus.ask("GET", QUERY, ("query", query))
    assert (status, body) == (400, {"status": "error", "errorType": "bad_data", "error": WRONG_QUERY + words})


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"start": "2", "end": "1", "step": "1"},
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        (
            {"start": "1", "end": "100000", "step": "1"},
            TOO_FINE,
        ),
        (
            {"start": "1", "end": "2", "step": "0"},
            NOT_POSITIVE,
        ),
        ({"start": "1", "end": "2", "step": "x"}, 'invalid parameter "step": cannot parse "x" to a valid duration'),
        ({"start": "x", "end": "2", "step": "1"}, 'invalid parameter "start": cannot parse "x" to a valid timestamp'),
        ({"end": "2", "step": "1"}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
    ],
)
async def test_a_range_that_cannot_be_is_a_400(parameters: dict[str, str], words: str) -> None:
    async with stage() as farm:
        status, body = await farm.prometheus.ask("GET", RANGE, ("query", "up"), *parameters.items())
    assert (status, body["errorType"], body["error"]) == (400, "bad_data", words)


async def test_a_query_that_cannot_be_executed_is_a_422() -> None:
    async with stage() as farm:
        status, body = await farm.prometheus.ask("GET", QUERY, ("query", "up * on (tier) up"))
    assert (status, body["errorType"]) == (422, "execution")
    assert "many-to-many matching not allowed" in body["error"]


async def test_answers_have_the_originals_form() -> None:
    async with stage() as farm:
        site = farm.prometheus
        vector = await site.text(QUERY, ("query", 'mysql_up{node="db-1"}'))
        scalar = await site.text(QUERY, ("query", "1 / 3"))
        unknown = await site.text(QUERY, ("query", "no_such_metric"))
        matrix = await site.get(
            RANGE, ("query", 'up{job="mysql"}'), ("start", str(NOON - 60)), ("end", str(NOON)), ("step", "15s")
        )
        status, _ = await site.ask("GET", "/api/v1/nope")
    labels = '"instance":"10.20.4.11:9104","job":"mysql","node":"db-1","pve_host":"pve-1","tier":"database"'
    assert vector == (
        '{"status":"success","data":{"resultType":"vector","result":'
        f'[{{"metric":{{"__name__":"mysql_up",{labels}}},"value":[{NOON:.0f},"1"]}}]}}}}'
    )
    assert scalar == (
        f'{{"status":"success","data":{{"resultType":"scalar","result":[{NOON:.0f},"0.3333333333333333"]}}}}'
    )
    assert unknown == '{"status":"success","data":{"resultType":"vector","result":[]}}'
    assert [len(row["values"]) for row in matrix["data"]["result"]] == [5, 5, 5]
    assert status == 404


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (123456789012.0, "123456789012"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Inf"),
    ],
)
def test_numbers_are_printed_without_an_exponent(value: float, text: str) -> None:
    assert number_text(value) == text


async def test_what_is_to_come_has_no_samples() -> None:
    async with stage() as farm:
        site = farm.prometheus
        later = ("time", str(NOON + 3600))
        assert (await site.get(QUERY, ("query", "up"), later))["data"]["result"] == []
        # What was scraped last counts for five minutes.
        assert (await site.get(QUERY, ("query", "up"), ("time", str(NOON + 60))))["data"]["result"]
        bounds = (("start", str(NOON - 600)), ("end", str(NOON + 3600)), ("step", "300"))
        answer = await site.get(RANGE, ("query", 'up{job="mysql"}'), *bounds)
    assert {len(row["values"]) for row in answer["data"]["result"]} == {3}


async def test_rules_targets_and_names_are_told() -> None:
    async with stage("galera-node-lost", "pve-host-down") as farm:
        site = farm.prometheus
        groups = (await site.get("/api/v1/rules"))["data"]["groups"]
        targets = (await site.get("/api/v1/targets"))["data"]["activeTargets"]
        metrics = (await site.get("/api/v1/label/__name__/values"))["data"]
        alerts = (await site.get("/api/v1/alerts"))["data"]["alerts"]
        series = await site.get("/api/v1/series", ("match[]", 'up{job="mysql"}'))
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert rules["GaleraNodeDown"]["state"] == "firing"
    assert rules["GaleraNodeDown"]["duration"] == 30
    assert rules["RedisEvicting"]["state"] == "inactive"
    assert {alert["labels"]["alertname"] for alert in alerts} >= {"GaleraNodeDown", "PveHostDown"}
    down = {target["labels"]["node"]: target["lastError"] for target in targets if target["health"] == "down"}
    assert "no route to host" in down["worker-02"]
    assert "pve-2" in down
    assert {"up", "varnish_main_cache_hit", "ceph_health_status", "pve_up"} <= set(metrics)
    assert len(series["data"]) == 3


QUERIES = (
    "sum by (instance) (rate(traefik_entrypoint_requests_total[5m]))",
    "topk(50, sum by (router) (rate(traefik_router_requests_total[5m])))",
    "varnish_main_uptime",
    "node_filesystem_avail_bytes",
    "max by (ceph_daemon) (ceph_osd_stat_bytes_used)",
    "up",
)


async def _told(seed: int) -> list[str]:
    """All that a farm of that seed says: to the letter."""
    async with stage("osd-down", "galera-node-lost", seed=seed) as farm:
        told = [await farm.prometheus.text(QUERY, ("query", query)) for query in QUERIES]
        bounds = (("start", str(NOON - 86_400)), ("end", str(NOON)), ("step", "300"))
        told += [await farm.prometheus.text(RANGE, ("query", query), *bounds) for query in QUERIES[:1]]
        told += [await farm.prometheus.text(path) for path in ("/api/v1/rules", "/api/v1/targets")]
        status, made = await farm.alertmanagers[0].post(
            "/api/v2/silences",
            {
                "matchers": [{"name": "tier", "value": "storage", "isRegex": False}],
                "startsAt": "2026-11-23T12:00:00Z",
                "endsAt": "2026-11-23T14:00:00Z",
                "createdBy": "me",
                "comment": "why",
            },
        )
        assert status == 200, made
        paths = ("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/status")
        return [*told, *[await replica.text(path) for replica in farm.alertmanagers for path in paths]]


async def test_the_same_seed_and_clock_tell_the_same_to_the_letter() -> None:
    first, second, other = await _told(3), await _told(3), await _told(4)
    assert first == second
    assert first[:4] != other[:4]


def test_the_order_of_questions_changes_no_answer() -> None:
    clock = Clock()
    one, other = observed(clock=clock), observed(clock=clock)
    for query in reversed(QUERIES):
        other.instant(query, NOON - 300.0)
    assert [one.instant(query, NOON) for query in QUERIES] == [other.instant(query, NOON) for query in QUERIES]


def test_what_happens_now_leaves_the_past_as_it_was() -> None:
    clock = Clock()
    farm = observed("do-api-limited", clock=clock)
    times = [NOON - 3600.0 + 60.0 * k for k in range(60)]
    query = "sum by (instance) (rate(mysql_global_status_queries[5m]))"
    before = farm.range(query, times)
    farm.happen(DatabaseStop("db-3"))
    clock.at += 600.0
    assert farm.range(query, times) == before
    with pytest.raises(QueryError):
        farm.instant("nope(up)", NOON)
