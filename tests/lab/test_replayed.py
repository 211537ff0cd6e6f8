"""The console on a pty, over a real Prometheus and real Alertmanagers: what it shows is what they hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from farmtui.farm.units import count
from farmtui.sources.prometheus.batches import LABEL, batched
from farmtui.sources.prometheus.catalogue import catalogue
from tests.lab.daemons import get_json, wait_until
from tests.lab.farm import LabFarm
from tests.lab.reading import causes
from tests.terminal.pty_harness import PtySession


@pytest.fixture
def console(farm: LabFarm) -> Iterator[PtySession]:
    """The console on the farm's config."""
    with PtySession(["-m", "farmtui", "--config", str(farm.config)], columns=160, lines=45) as session:
        session.wait_for("1 overv")
        yield session


def show(session: PtySession, keys: str, shown: str | Callable[[], bool]) -> str:
    """Type, wait until something is shown, and give the whole text."""
    session.send(keys)
    session.wait_for(shown)
    return session.text


def query(farm: LabFarm, promql: str, at: float | None = None) -> list[Any]:
    """What Prometheus itself says, now or at a time."""
    when = "" if at is None else f"&time={at}"
    result: list[Any] = get_json(f"{farm.prometheus_url}/api/v1/query?query={quote(promql)}{when}")["data"]["result"]
    return result


def alerts(farm: LabFarm, name: str) -> list[Any]:
    """What the second Alertmanager itself holds: the first has told it."""
    return [
        alert
        for alert in get_json(f"{farm.alertmanager_urls[1]}/api/v2/alerts")
        if alert["labels"]["alertname"] == name
    ]


def test_the_figures_are_the_daemons_own(farm: LabFarm, console: PtySession) -> None:
    text = show(console, "3", lambda: "90 %" in console.text and "cache-3" in console.text)
    assert "-7.0 pt on last week" in text, "the back-filled week: 97 % then, 90 % now"
    requests = "max(rate(varnish_main_client_req[5m]))"
    console.wait_for(lambda: count(float(query(farm, requests)[0]["value"][1])) in console.text)
    show(console, "1", lambda: "CPU 100 %" not in console.text)
    show(console, "4", lambda: "HEALTH_OK" in console.text and "osd.5" in console.text)
    assert all(f"osd.{number}" in console.text for number in range(6))
    show(console, "2", lambda: "db-2" in console.text)
    assert "stor-1" in console.text


def test_figures_asked_together_are_what_each_is_by_itself(farm: LabFarm) -> None:
    at = time.time() - 5.0
    answered = 0
    for batch in batched(catalogue().over(30).asked, ()):
        assert len(batch.figures) > 1
        together: dict[str, list[Any]] = {name: [] for name in batch.names}
        for series in query(farm, batch.promql, at):
            together[series["metric"].pop(LABEL)].append(series)
        for figure in batch.figures:
            alone = query(farm, figure.promql, at)
            assert sorted(together[figure.name], key=json.dumps) == sorted(alone, key=json.dumps), figure.name
            answered += bool(alone)
    assert answered > 40


def test_an_alert_fires_for_real_and_a_silence_is_really_held(farm: LabFarm, console: PtySession) -> None:
    wsrep = farm.exporters["db-2"].replay.overrides
    wsrep["mysql_global_status_wsrep_local_state"] = 2.0
    try:
        show(console, "5", "GaleraNodeNotSynced")
        wait_until("the alert", lambda: bool(alerts(farm, "GaleraNodeNotSynced")))
        show(console, "/Galera\r", "/Galera")
        # What mends it stands before what keeps it quiet.
        show(console, "x", "galera-")
        show(console, "s\r", "would cover 1 of 1")
        console.send("the lab's own test")
        wait_until("the silence", lambda: silence_made(farm, console))
        held = get_json(f"{farm.alertmanager_urls[0]}/api/v2/silences")
        mine = [silence for silence in held if silence["comment"] == "the lab's own test"]
        assert [silence["status"]["state"] for silence in mine] == ["active"]
        # The second Alertmanager is told by the first.
        wait_until(
            "the silence at the other one",
            lambda: alerts(farm, "GaleraNodeNotSynced")[0]["status"]["state"] == "suppressed",
        )
    finally:
        wsrep.clear()


def silence_made(farm: LabFarm, console: PtySession) -> bool:
    """Press on until Alertmanager holds it: Enter goes to the next field, at last to the button that makes it."""
    console.send("\r")
    console.pump(0.5)
    return any(s["comment"] == "the lab's own test" for s in get_json(f"{farm.alertmanager_urls[0]}/api/v2/silences"))


def test_a_prometheus_that_stops_and_comes_back(farm: LabFarm, console: PtySession) -> None:
    show(console, "3", lambda: "cache-3" in console.text and " live" in console.text)
    farm.prometheus.stop()
    try:
        console.wait_for("prometheus stale")
        assert "cache-3" in console.text, "the last picture stays readable"
        show(console, ":sources\r", "refused")
        causes(console, "3", "prometheus does not answer", "connection refused", "polls in a row have failed")
    finally:
        farm.prometheus.start()
    console.send("3")
    console.wait_for(lambda: "prometheus stale" not in console.text and "cache-3" in console.text)
    assert console.finish("\x03") == 0


def test_a_prometheus_that_hangs_stops_nothing_else(farm: LabFarm, console: PtySession) -> None:
    show(console, "3", lambda: "cache-3" in console.text and " live" in console.text)
    show(console, "5", lambda: "alerts" in console.text)
    farm.prometheus.freeze()
    try:
        console.wait_for("prometheus stale")
        show(console, "2", "machine")
        show(console, "5", "alerts")
    finally:
        farm.prometheus.thaw()
    console.wait_for(lambda: "prometheus stale" not in console.text)


def test_one_alertmanager_down_is_said_and_the_other_serves(farm: LabFarm, console: PtySession) -> None:
    farm.alertmanagers[0].stop()
    try:
        port = farm.alertmanager_urls[0].rpartition(":")[2]
        show(console, "5", lambda: port in console.text)
    finally:
        farm.alertmanagers[0].start()
    console.wait_for(lambda: alertmanagers_up(farm))


def alertmanagers_up(farm: LabFarm) -> bool:
    """Whether both answer."""
    return all(get_json(f"{url}/api/v2/status")["versionInfo"] for url in farm.alertmanager_urls)


def test_status_without_a_screen_agrees(farm: LabFarm) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "farmtui", "status", "--json", "--config", str(farm.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1, 2), done.stderr
    told = json.loads(done.stdout)
    ratio = float(query(farm, HIT_RATIO)[0]["value"][1])
    assert told["figures"]["cache_hit_ratio"]["value"] == pytest.approx(ratio, abs=0.01)


HIT_RATIO = (
    "sum(rate(varnish_main_cache_hit[5m])) / "
    "(sum(rate(varnish_main_cache_hit[5m])) + sum(rate(varnish_main_cache_miss[5m])))"
)


def test_check_tells_the_metrics_that_are_missing(farm: LabFarm) -> None:
    config = yaml.safe_load(farm.config.read_text(encoding="utf-8"))
    config["prometheus"]["queries"] = {"cache.evictions_per_s": "rate(varnish_evictions_of_our_own[5m])"}
    other = farm.config.with_name("other.yaml")
    other.write_text(yaml.safe_dump(config), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "farmtui", "check", "--config", str(other)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "varnish_evictions_of_our_own" in done.stdout, done.stderr
    assert "prometheus.queries.cache.evictions_per_s" in done.stdout
    assert re.search(r"probe: none of its \d+ queries gives data", done.stdout), done.stdout
