"""The simulated Alertmanager, over HTTP: what it shows of alerts, groups, inhibition, and its own state."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from farmtui.demo.servers.alertmanager import fingerprint, load_settings
from farmtui.demo.world.changes import DatabaseStart, MachineOff
from farmtui.sources.alertmanager import AlertmanagerSource
from tests.demo.stage import Clock, names, stage


def test_a_fingerprint_is_prometheus_own() -> None:
    # Both as a real Alertmanager has computed them.
    assert fingerprint({"alertname": "A", "x": "1"}) == "6051004c729abe0e"
    labels = {"alertname": "SlowEdge", "instance": "127.0.0.1:19100", "job": "node"}
    assert fingerprint({**labels, "tier": "edge", "severity": "warning"}) == "b4957ea759accc28"


async def test_an_alert_is_shown_as_alertmanager_shows_it() -> None:
    async with stage("galera-node-lost") as farm:
        alerts = await farm.alertmanagers[0].get("/api/v2/alerts", ("filter", 'alertname="GaleraNodeDown"'))
    assert len(alerts) == 1
    [alert] = alerts
    labels = alert["labels"]
    assert (labels["node"], labels["severity"], labels["job"]) == ("db-2", "critical", "mysql")
    assert alert["fingerprint"] == fingerprint(labels)
    assert alert["status"] == {"inhibitedBy": [], "silencedBy": [], "state": "active"}
    assert [receiver["name"] for receiver in alert["receivers"]] == ["pager", "chat"]
    # The database ended 540 s before noon; the rule waits for 30 s, evaluated each 15 s.
    assert alert["startsAt"] == "2026-11-23T11:51:30.000Z"
    assert alert["updatedAt"] <= "2026-11-23T12:00:00.000Z" < alert["endsAt"]
    assert alert["annotations"]["summary"] == "the database on db-2 is down"
    assert alert["annotations"]["runbook_url"].endswith("/galera-node-down")
    assert "mysql_up" in alert["generatorURL"]


async def test_alerts_are_told_by_fingerprint_and_only_while_they_fire() -> None:
    clock = Clock()
    async with stage("galera-node-lost", clock=clock) as farm:
        before = await farm.alertmanagers[0].get("/api/v2/alerts")
        prints = [alert["fingerprint"] for alert in before]
        assert prints == sorted(prints)
        assert "GaleraNodeDown" in names(before)
        await farm.running.keeper.ask(lambda o: o.happen(DatabaseStart("db-2")))
        clock.at += 120.0
        after = await farm.alertmanagers[0].get("/api/v2/alerts")
    assert "GaleraNodeDown" not in names(after)
    assert "Watchdog" in names(after)


async def test_a_host_inhibits_its_guests_and_names_itself() -> None:
    async with stage("pve-host-down") as farm:
        alertmanager = farm.alertmanagers[0]
        alerts = await alertmanager.get("/api/v2/alerts")
        [host] = [a for a in alerts if a["labels"]["alertname"] == "PveHostDown"]
        guests = [a for a in alerts if a["labels"]["alertname"] == "NodeDown"]
        assert {a["labels"]["pve_host"] for a in guests} == {"pve-2"}
        assert len(guests) == 6
        for guest in guests:
            assert guest["status"]["state"] == "suppressed"
            assert guest["status"]["inhibitedBy"] == [host["fingerprint"]]
        assert host["status"]["state"] == "active"
        shown = await alertmanager.get("/api/v2/alerts", ("inhibited", "false"))
        assert "NodeDown" not in names(shown)
        assert "PveHostDown" in names(shown)
        suppressed = await alertmanager.get("/api/v2/alerts", ("active", "false"))
        assert {a["status"]["state"] for a in suppressed} == {"suppressed"}


async def test_what_is_critical_on_a_machine_inhibits_its_warnings() -> None:
    async with stage("cache-node-down") as farm:
        alerts = await farm.alertmanagers[0].get("/api/v2/alerts", ("filter", "node=cache-2"))
    state = {a["labels"]["alertname"]: a["status"]["state"] for a in alerts}
    assert state == {"NodeDown": "active", "CacheNodeDown": "active", "TargetDown": "suppressed"}


async def test_groups_are_those_of_the_routes() -> None:
    async with stage("galera-node-lost") as farm:
        groups = await farm.alertmanagers[0].get("/api/v2/alerts/groups")
    found = {(g["receiver"]["name"], g["labels"]["alertname"], g["labels"]["tier"]) for g in groups}
    assert found == {
        ("heartbeat", "Watchdog", "monitoring"),
        ("pager", "GaleraNodeDown", "database"),
        ("chat", "GaleraNodeDown", "database"),
        ("chat", "GaleraClusterSmall", "database"),
    }
    assert all(len(g["alerts"]) == 1 for g in groups)


async def test_filters_are_matchers_and_a_bad_one_is_refused_in_its_words() -> None:
    async with stage("galera-node-lost") as farm:
        alertmanager = farm.alertmanagers[0]
        for text, expected in (
            ('alertname=~"Galera.*"', {"GaleraNodeDown", "GaleraClusterSmall"}),
            ('alertname!~"Galera.*"', {"Watchdog"}),
            ("severity!=critical", {"GaleraClusterSmall", "Watchdog"}),
            ('node=""', {"GaleraClusterSmall", "Watchdog"}),
            ('alertname=~"Galera"', set()),
        ):
            assert names(await alertmanager.get("/api/v2/alerts", ("filter", text))) == expected, text
        assert names(await alertmanager.get("/api/v2/alerts", ("receiver", "heart.*"))) == {"Watchdog"}
        for parameter, words in (
            (("filter", "nonsense"), "bad matcher format: nonsense"),
            (("filter", 'a=~"("'), "error parsing regexp: missing closing ): `^(?:()$`"),
            (("receiver", "("), "failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`"),
        ):
            assert await alertmanager.ask("GET", "/api/v2/alerts", parameter) == (400, words)


async def test_status_names_both_replicas_and_shows_the_config_that_routes() -> None:
    async with stage() as farm:
        statuses = [await replica.get("/api/v2/status") for replica in farm.alertmanagers]
        receivers = await farm.alertmanagers[0].get("/api/v2/receivers")
    assert len(statuses) == 2
    assert {status["cluster"]["status"] for status in statuses} == {"ready"}
    peers = [peer["name"] for peer in statuses[0]["cluster"]["peers"]]
    assert [status["cluster"]["name"] for status in statuses] == peers
    assert statuses[0]["config"]["original"] == load_settings().text
    assert statuses[0]["versionInfo"]["version"] == "0.25.0"
    assert [receiver["name"] for receiver in receivers] == ["pager", "chat", "mail", "heartbeat"]


async def test_what_there_is_not_is_refused_as_alertmanager_does() -> None:
    async with stage() as farm:
        alertmanager = farm.alertmanagers[0]
        assert await alertmanager.ask("GET", "/api/v2/nope") == (
            404,
            {"code": 404, "message": "path /api/v2/nope was not found"},
        )
        status, body = await alertmanager.ask("PUT", "/api/v2/silences")
        assert (status, body["code"]) == (405, 405)
        assert body["message"] == "method PUT is not allowed, but [POST,GET] are"


async def test_a_replica_is_gone_with_its_machine() -> None:
    async with stage() as farm:
        await farm.running.keeper.ask(lambda o: o.happen(MachineOff("mon-2")))
        with pytest.raises(aiohttp.ClientError):
            await farm.alertmanagers[1].get("/api/v2/status")
        assert await farm.alertmanagers[0].get("/api/v2/status")


async def test_an_alert_of_somebody_else_s_is_taken_shown_by_both_and_ends(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(clock=clock) as farm:
        config = farm.config(tmp_path).alertmanager
        assert config is not None
        source = AlertmanagerSource(config, clock=clock.moment)
        now = clock.moment()
        labels = {"alertname": "FarmtuiBreakGlass", "severity": "critical", "run": "r1"}
        assert await source.raise_alert(labels, {"summary": "so"}, now, now + timedelta(hours=1)) == 2
        reading = await source.poll()
        assert reading.value is not None
        [alert] = [one for one in reading.value.alerts if one.name == "FarmtuiBreakGlass"]
        assert "pager" in alert.receivers
        clock.at += 3_601.0
        assert "FarmtuiBreakGlass" not in names(await farm.alertmanagers[1].get("/api/v2/alerts"))
        await source.close()


@pytest.mark.parametrize("body", [{}, [{}], [{"labels": {}, "startsAt": "x", "endsAt": "y"}], ["x"]])
async def test_what_is_no_alert_is_refused(body: object) -> None:
    async with stage() as farm:
        status, told = await farm.alertmanagers[0].post("/api/v2/alerts", body)
    assert (status, told["code"]) == (400, 400)
