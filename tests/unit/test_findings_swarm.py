"""What is wrong with the Swarm, by its managers' own word: each fault in plain words, and what is left to lose."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmTask
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from tests.screens.farms import ago
from tests.screens.swarm_farms import NO_PLACE, manager, service, swarm, task, worker
from tests.unit.faulty import down


def found(farm: Farm) -> dict[str, Finding]:
    """By key, of those about the Swarm."""
    return {finding.key: finding for finding in findings(farm) if finding.key.startswith("swarm/")}


def test_a_swarm_that_is_well_is_no_finding() -> None:
    assert found(swarm(services=(service(),))) == {}


@pytest.mark.parametrize(
    ("managers", "margin"),
    [(3, "the loss of one more stops every change"), (5, "it bears the loss of 1 more")],
)
@pytest.mark.parametrize("change", [{"reachability": "unreachable"}, {"state": "down"}])
def test_a_lost_manager_names_the_margin_that_is_left(managers: int, margin: str, change: dict[str, str]) -> None:
    members = [manager(number) for number in range(1, managers)] + [manager(managers, **change)]
    finding = found(swarm(*members))["swarm/managers"]
    assert finding.title == f"Swarm manager edge-{managers} is lost"
    assert finding.cause == f"{managers - 1} of {managers} managers see each other: {margin}"
    assert finding.severity is Severity.WARNING


def test_the_margin_stays_told_where_the_managers_machine_is_the_cause() -> None:
    farm = swarm(manager(1), manager(2), manager(3, reachability="unreachable", state="down"), worker())
    dead = down("edge-3", Tier.EDGE, address="10.0.0.3")
    told = findings(dataclasses.replace(farm, nodes=(dead,)))
    [machine] = [finding for finding in told if finding.key == "node/edge-3"]
    assert "so Swarm manager edge-3 is lost: the loss of one more stops every change" in machine.evidence
    assert not [finding for finding in told if finding.key == "swarm/managers"]


def test_without_a_leader_nothing_else_is_told_as_of_now() -> None:
    lost = swarm(manager(1), manager(2, state="down"), services=(service(1),), quorum=False, read_at=ago(3))
    [finding] = found(lost).values()
    assert finding.key == "swarm/leader"
    assert finding.severity is Severity.CRITICAL
    assert "what runs goes on running" in finding.cause
    assert "managers edge-1, edge-2; services and tasks are as they were 3 min ago" in finding.evidence


def test_a_manager_that_never_saw_a_quorum_has_no_before() -> None:
    [finding] = found(swarm(quorum=False, read_at=None)).values()
    assert finding.evidence == ("edge-1 answers, and says so",)


@pytest.mark.parametrize("freshness", [Freshness.STALE, Freshness.NEVER, Freshness.FORBIDDEN])
def test_what_a_silent_source_said_then_is_no_fault_of_now(freshness: Freshness) -> None:
    assert found(swarm(services=(service(0),), freshness=freshness)) == {}


def test_lost_workers_are_one_finding() -> None:
    nodes = (manager(1), *(worker(number, state="down", message="heartbeat failure") for number in range(1, 8)))
    finding = found(swarm(*nodes))["swarm/nodes"]
    assert finding.title == "Swarm has lost 7 of 8 nodes"
    assert len(finding.evidence) == 5
    few = found(swarm(manager(1), worker(1, state="down"), worker(2)))["swarm/nodes"]
    assert few.title == "Swarm has lost worker-1"


@pytest.mark.parametrize(("availability", "word"), [("drain", "drained"), ("pause", "paused")])
def test_a_node_that_somebody_set_aside_is_no_fault_but_told(availability: str, word: str) -> None:
    [finding] = found(swarm(manager(1), worker(availability=availability))).values()
    assert finding.title == f"worker-1 is {word}"
    assert finding.severity is Severity.INFO
    assert "docker node update --availability active" in finding.evidence[0]


def test_a_drained_node_that_is_down_is_lost_and_not_set_aside() -> None:
    assert list(found(swarm(manager(1), worker(availability="drain", state="down")))) == ["swarm/nodes"]


@pytest.mark.parametrize(
    ("running", "update", "severity"),
    [
        (0, "", Severity.CRITICAL),
        (3, "", Severity.WARNING),
        (3, "updating", Severity.INFO),
        (0, "updating", Severity.CRITICAL),
    ],
)
def test_how_bad_a_short_service_is(running: int, update: str, severity: Severity) -> None:
    finding = found(swarm(services=(service(running, update_state=update),)))["swarm/service/s1"]
    assert finding.severity is severity
    assert finding.title == f"service wordpress runs {running} of 4 tasks"


@pytest.mark.parametrize(("running", "desired"), [(None, 4), (4, None), (4, 4), (5, 4), (0, 0)])
def test_a_service_that_is_not_short_or_not_known_is_none(running: int | None, desired: int | None) -> None:
    assert found(swarm(services=(service(running, desired),))) == {}


def test_why_a_service_is_short_is_said_in_swarms_own_words() -> None:
    def why(*tasks: SwarmTask, **changes: Any) -> str:
        return found(swarm(services=(service(1, **changes),), tasks=tasks))["swarm/service/s1"].cause

    pending = task(NO_PLACE, "pending", node="")
    assert why(pending) == NO_PLACE
    assert why(pending, dataclasses.replace(pending, id="t2")) == f"2 find no node: {NO_PLACE}"
    older = task("task: non-zero exit (1)", id="t0", since=ago(9))
    assert why(older, task("task: non-zero exit (137)")) == "on worker-1: task: non-zero exit (137)"
    assert why(task("gone", node="")) == "gone"
    assert why(older, pending) == NO_PLACE
    assert why(update_state="updating") == "it is being updated"
    assert why() == "its tasks are being started"


def test_an_update_that_stands_still_and_one_that_was_rolled_back() -> None:
    told = found(swarm(services=(service(update_state="paused", update_message="update paused due to failure"),)))
    assert told["swarm/update/s1"].severity is Severity.WARNING
    assert told["swarm/update/s1"].cause == "update paused due to failure"
    told = found(swarm(services=(service(update_state="rollback_completed"),)))
    assert told["swarm/update/s1"].severity is Severity.INFO
    assert found(swarm(services=(service(update_state="completed"),))) == {}
