"""What the alerts screen shows is what amtool and promtool say of a real Alertmanager and a real Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

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
