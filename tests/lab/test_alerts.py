"""What the alerts screen shows is what amtool and promtool say of a real Alertmanager and a real Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farmtui.farm.alerts import Matcher
from farmtui.farm.matchers import MatcherError, parse_matchers
from tests.lab.conftest import Console
from tests.lab.daemons import free_port, wait_until
from tests.lab.reading import row, shows, undone
from tests.lab.service import Lab
from tests.lab.services.alertmanager import Alertmanagers
from tests.lab.services.prometheus import Prometheus
from tests.terminal.pty_harness import PtySession

MADE = {
    "TooHot": ("critical", "rack 1 is at 41 degrees"),
    "RaidDegraded": ("warning", "md0 has lost a disk"),
    "BackupLate": ("info", "no backup for 30 h"),
}


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, alertmanagers: Alertmanagers) -> PtySession:
    """The alerts screen, its rules known."""
    session = console(prometheus, alertmanagers, screen="alerts", columns=180, lines=40)
    shows(session, "alerts", re.compile(r"rules +3"))
    return session


@pytest.fixture
def made(alertmanagers: Alertmanagers) -> Iterator[None]:
    """Alerts that somebody has sent to both replicas: they tell each other of silences, and of no alerts."""
    for replica in range(2):
        for name, (severity, summary) in MADE.items():
            labels = (name, f"severity={severity}", "node=rack-1", f"--annotation=summary={summary}")
            amtool(alertmanagers, "alert", "add", *labels, replica=replica)
    yield
    over = ("--start=2019-12-31T00:00:00Z", "--end=2020-01-01T00:00:00Z")
    for replica in range(2):
        for name, (severity, _) in MADE.items():
            amtool(alertmanagers, "alert", "add", name, f"severity={severity}", "node=rack-1", *over, replica=replica)


def amtool(alertmanagers: Alertmanagers, *words: str, replica: int = 0) -> str:
    """Alertmanager's own tool on one replica."""
    command = ["amtool", f"--alertmanager.url={alertmanagers.urls[replica]}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def held(alertmanagers: Alertmanagers, *words: str) -> list[dict[str, Any]]:
    """What the second replica holds, by amtool: `alert query`, `silence query`."""
    found: list[dict[str, Any]] = json.loads(amtool(alertmanagers, *words, "-o", "json", replica=1))
    return found


def test_alerts_and_silences_are_amtools_own(screen: PtySession, alertmanagers: Alertmanagers, made: None) -> None:
    def agree() -> bool:
        screen.pump(0.2)
        told = held(alertmanagers, "alert", "query")
        lines = [row(screen, alert["labels"]["alertname"]) for alert in told]
        words = {"critical": "CRIT", "warning": "warn", "info": "info"}
        return (
            {alert["labels"]["alertname"] for alert in told} >= set(MADE)
            and re.search(rf"alerts +{len(told)}\b", screen.text) is not None
            and all(
                words[alert["labels"]["severity"]] in line
                and alert["annotations"]["summary"] in line
                and (alert["labels"].get("node", "") in line)
                and ("firing" in line) == (alert["status"]["state"] == "active")
                for alert, line in zip(told, lines, strict=True)
            )
        )

    wait_until("alerts agree", agree)
    why = "the disk comes on Monday"
    silence = amtool(
        alertmanagers, "silence", "add", "alertname=RaidDegraded", f"--comment={why}", "--duration=2h"
    ).strip()
    with undone(lambda: amtool(alertmanagers, "silence", "expire", silence)):

        def gossiped() -> list[dict[str, Any]]:
            return [one for one in held(alertmanagers, "silence", "query") if one["id"] == silence]

        wait_until("the second replica has it", lambda: bool(gossiped()))
        [told] = gossiped()
        screen.wait_for(lambda: "silenced" in row(screen, "RaidDegraded"))
        screen.send("v")
        shows(screen, why, told["createdBy"], silence[:4], 'alertname="RaidDegraded"', "active")
        screen.send("vv")
        shows(screen, "sev")
    screen.wait_for(lambda: "firing" in row(screen, "RaidDegraded"))


PREVIEWED = {
    'alertname=~"(?i)toohot|RAIDDEGRADED"': {"TooHot", "RaidDegraded"},
    'alertname=~"[[:upper:]][[:lower:]]+[[:upper:]][[:alpha:]]+", node=~"rack-[[:digit:]]"': set(MADE),
    'alertname=~"\\pL{6}", severity=~"crit.*"': {"TooHot"},
    'alertname=~"\\p{Greek}+|BackupLate"': {"BackupLate"},
    'alertname!~"(?i)t.*", node="rack-1"': {"RaidDegraded", "BackupLate"},
    'alertname=~"T(o+)+Hot|RaidDegrade", node="rack-1"': {"TooHot"},
    'alertname=~".{,5}|Raid\\w+\\b"': {"RaidDegraded"},
}
"""Matchers as they are typed, and which of the alerts that were made they silence."""
REFUSED = (
    r"(?=x)y",
    r"(?<!x)y",
    r"(x)\1",
    r"x*+",
    r"x{1001}",
    r"x\Z",
    r"\u00e9",
    "[[:letters:]]",
    "(x",
    "x)",
    "[x",
)


def test_what_a_silence_would_cover_is_what_it_then_covers(alertmanagers: Alertmanagers, made: None) -> None:
    def alerts() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(exchange(f"{alertmanagers.urls[0]}/api/v2/alerts")[1])
        return [alert for alert in found if alert["labels"]["alertname"] in MADE]

    wait_until("the alerts are there", lambda: len(alerts()) == len(MADE))
    for text, expected in PREVIEWED.items():
        matchers = parse_matchers(text)
        preview = {
            alert["labels"]["alertname"]
            for alert in alerts()
            if all(matcher.matches(alert["labels"]) for matcher in matchers)
        }
        assert preview == expected, text
        status, body = silence(alertmanagers, *matchers)
        assert status == 200, body
        ident = json.loads(body)["silenceID"]
        with undone(lambda ident=ident: amtool(alertmanagers, "silence", "expire", ident)):  # type: ignore[misc]
            covered = {a["labels"]["alertname"] for a in alerts() if ident in a["status"]["silencedBy"]}
            assert covered == preview, text
    for expression in REFUSED:
        with pytest.raises(MatcherError):
            parse_matchers(str(Matcher("alertname", expression, is_regex=True)))
        status, body = silence(alertmanagers, Matcher("alertname", expression, is_regex=True))
        assert status == 400, (expression, body)
        assert "error parsing regexp" in body


def silence(alertmanagers: Alertmanagers, *matchers: Matcher) -> tuple[int, str]:
    """Ask the first replica for a silence of an hour; its answer."""
    now = datetime.now(UTC)
    wanted = {
        "matchers": [
            {"name": one.name, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal} for one in matchers
        ],
        "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat(), "createdBy": "lab",
        "comment": "a test",
    }  # fmt: skip
    return exchange(f"{alertmanagers.urls[0]}/api/v2/silences", json.dumps(wanted).encode())


def exchange(url: str, body: bytes | None = None) -> tuple[int, str]:
    """The status and the body of an answer, whatever it is."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_rules_are_promtools_own(
    screen: PtySession, lab: Lab, prometheus: Prometheus, alertmanagers: Alertmanagers
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    screen.send("vv")
    shows(screen, "expression")
    with undone(lambda: lab.unscrape("nobody")):
        lab.scrape("nobody", {nobody: "nowhere"})
        firing = 'ALERTS{alertname="TargetDown",job="nobody",alertstate="firing"}'
        wait_until("it fires", lambda: "TargetDown" in promtool(prometheus, firing))
        screen.wait_for(lambda: "firing" in row(screen, "TargetDown"))
        wait_until(
            "Alertmanager has it",
            lambda: nobody in amtool(alertmanagers, "alert", "query", f"instance={nobody}", "-o", "json"),
        )
        screen.send("v")
        shows(screen, f"nobody {nobody} does not answer")
        screen.send("vv")
    wait_until("it has ended", lambda: "TargetDown" not in promtool(prometheus, firing))
    ended = 'ALERTS{alertname="TargetDown"}'
    state = "firing" if "TargetDown" in promtool(prometheus, ended) else "inactive"
    screen.wait_for(lambda: state in row(screen, "TargetDown"))


def promtool(prometheus: Prometheus, promql: str) -> str:
    """Prometheus's own tool."""
    command = ["promtool", "query", "instant", prometheus.url, promql]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
