"""The Swarm on real engines: what is shown is docker's own word, and each fault is said in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import causes, row, shows, undone, until_agreed
from tests.lab.services.prometheus import Prometheus
from tests.lab.services.swarm import IMAGE, MANAGERS, WORKERS, Swarm
from tests.terminal.pty_harness import PtySession


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, swarm: Swarm) -> Iterator[PtySession]:
    """The compute screen over a Swarm that is well; whatever a test has done, it is well again after it."""
    wait_until("the Swarm settled", swarm.settled, 60.0)
    session = console(prometheus, swarm, screen="compute", columns=180, lines=45)
    shows(session, "worker-1", "leader", "services", "live")
    yield session
    wait_until("the Swarm settled", swarm.settled, 90.0)


def view(screen: PtySession, name: str) -> None:
    """Go on to a view."""
    for _ in range(4):
        if row(screen, name, after="machines") and _header(name) in screen.text:
            return
        screen.send("v")
        screen.pump(0.5)
    assert _header(name) in screen.text


def _header(name: str) -> str:
    return {"machines": "machine   ", "services": "replicas", "tasks": "should", "networks": "subnets"}[name]


@pytest.mark.parametrize("via", ["socket", "cli"])
def test_nodes_services_and_networks_are_dockers_own(
    console: Console, prometheus: Prometheus, swarm: Swarm, via: str
) -> None:
    wait_until("the Swarm settled", swarm.settled, 60.0)
    screen = console(prometheus, swarm, screen="compute", columns=260, lines=45, swarm={"via": via})
    shows(screen, "worker-1", "leader")

    def node_lines() -> Iterator[tuple[str, list[str]]]:
        for node in swarm.rows(MANAGERS[0], "node", "ls"):
            role = {"Leader": "leader", "Reachable": "manager", "": "worker"}[node["ManagerStatus"]]
            line = row(screen, node["Hostname"], after="machine   ")
            yield line, [role, node["Status"].lower(), node["EngineVersion"][:8]]

    def service_lines() -> Iterator[tuple[str, list[str]]]:
        for service in swarm.rows(MANAGERS[0], "service", "ls"):
            counted = via == "socket" or service["Mode"] == "replicated"
            said = [service["Mode"], service["Image"], *([service["Replicas"]] if counted else [])]
            yield row(screen, service["Name"]), said

    def task_lines() -> Iterator[tuple[str, list[str]]]:
        running = ("--filter", "desired-state=running", "--format", "{{.Name}} {{.Node}} {{.CurrentState}}")
        for service in ("wordpress", "watcher"):
            placed = swarm.docker(MANAGERS[0], "service", "ps", service, *running).splitlines()
            for task, node_name, state in (line.split()[:3] for line in placed):
                # A global service's tasks have no number: docker names them by the node's id.
                name = task if service == "wordpress" else f"{service}.{node_name}"
                yield row(screen, name, having="running"), [node_name, state.lower()]

    def network_lines() -> Iterator[tuple[str, list[str]]]:
        for network in swarm.rows(MANAGERS[0], "network", "ls", "--filter", "driver=overlay"):
            yield row(screen, network["Name"]), [network["Driver"]]

    agree(screen, "nodes", node_lines)
    view(screen, "services")
    agree(screen, "services", service_lines)
    view(screen, "tasks")
    agree(screen, "tasks", task_lines)
    view(screen, "networks")
    agree(screen, "networks", network_lines)


def agree(screen: PtySession, what: str, lines: Callable[[], Iterator[tuple[str, list[str]]]]) -> None:
    """Wait until every line of the screen holds what docker says for it; both go on changing."""

    def wrong() -> list[object]:
        told = list(lines())
        return (
            [(line, said) for line, said in told if not all(word in line for word in said)]
            if told
            else ["nothing is told"]
        )

    until_agreed(screen, what, wrong)


def test_the_metrics_count_what_docker_lists(swarm: Swarm, prometheus: Prometheus) -> None:
    wait_until("the Swarm settled", swarm.settled, 60.0)
    prometheus.wait_scraped("dockerd")
    leads = "and on (instance) swarm_manager_leader == 1"
    ready = f'sum(swarm_manager_nodes{{state="ready"}} {leads})'
    wait_until("nodes counted", lambda: prometheus.value(ready) == len(MANAGERS) + len(WORKERS))
    services = len(swarm.rows(MANAGERS[0], "service", "ls"))
    wait_until("services counted", lambda: prometheus.value(f"swarm_manager_services_total {leads}") == services)


def test_a_node_that_is_drained_is_said_to_be_set_aside(screen: PtySession, swarm: Swarm) -> None:
    with undone(lambda: swarm.docker(MANAGERS[0], "node", "update", "--availability", "active", "worker-1")):
        swarm.docker(MANAGERS[0], "node", "update", "--availability", "drain", "worker-1")
        screen.wait_for(lambda: "drained" in row(screen, "worker-1", after="machine   "))
        causes(screen, "7", "worker-1 is drained", "somebody has set it aside")
        listed = {node["Hostname"]: node["Availability"] for node in swarm.rows(MANAGERS[0], "node", "ls")}
        assert listed["worker-1"] == "Drain"
    rebalance(swarm)


def test_a_service_that_cannot_place_its_tasks_says_why(screen: PtySession, swarm: Swarm) -> None:
    with undone(lambda: swarm.docker(MANAGERS[0], "service", "rm", "homeless")):
        swarm.docker(
            MANAGERS[0], "service", "create", "--detach", "--no-resolve-image", "--name", "homeless", "--replicas", "2",
            "--constraint", "node.labels.disk == ssd", IMAGE, "/bin/sleep", "1000",
        )  # fmt: skip
        view(screen, "services")
        screen.wait_for(lambda: "0/2" in row(screen, "homeless"))
        causes(screen, "7", "service homeless runs 0 of 2 tasks", "no suitable node")
        told = swarm.docker(MANAGERS[0], "service", "ps", "homeless", "--no-trunc", "--format", "{{.Error}}")
        assert "no suitable node" in told


def test_a_service_whose_tasks_fail_says_with_what(screen: PtySession, swarm: Swarm) -> None:
    with undone(lambda: swarm.docker(MANAGERS[0], "service", "rm", "broken")):
        swarm.docker(
            MANAGERS[0], "service", "create", "--detach", "--no-resolve-image", "--name", "broken", "--restart-delay",
            "2s", IMAGE, "/bin/false",
        )  # fmt: skip
        causes(screen, "7", "service broken runs 0 of 1 tasks", "non-zero exit (1)")


def test_a_manager_that_is_lost_and_the_margin_that_is_left(screen: PtySession, swarm: Swarm) -> None:
    lost = next(name for name in MANAGERS if name != swarm.leader())
    with undone(swarm.daemons[lost].start):
        swarm.daemons[lost].kill()
        screen.wait_for(
            lambda: "unreachable" in row(screen, lost, after="machine   ") or "down" in row(screen, lost), 60.0
        )
        # At first by itself; once its exporter is known to be silent too, as what follows from the machine's loss.
        causes(screen, "7", lost, f"Swarm manager {lost} is lost", "the loss of one more stops every change")


def test_a_leader_that_is_lost_has_a_successor(screen: PtySession, swarm: Swarm) -> None:
    old = swarm.leader()
    with undone(swarm.daemons[old].start):
        swarm.daemons[old].kill()
        wait_until("a new leader", lambda: swarm.leader() not in ("", old), 60.0)
        new = swarm.leader()
        screen.wait_for(lambda: "leader" in row(screen, new, after="machine   "), 60.0)


def test_without_a_majority_nothing_is_shown_as_of_now(screen: PtySession, swarm: Swarm) -> None:
    lost: list[Any] = [swarm.daemons[name] for name in MANAGERS[1:]]
    with undone(lambda: swarm.restart(*MANAGERS[1:])):
        for daemon in lost:
            daemon.kill()
        shows_no_leader(screen)
        causes(screen, "7", "Swarm has no leader", "what runs goes on running")


def shows_no_leader(screen: PtySession) -> None:
    """Wait until the screen says that nobody leads, beside what was known before."""
    screen.wait_for("no leader", 90.0)
    assert "worker-1" in screen.text, "what was known before stays readable"


def rebalance(swarm: Swarm) -> None:
    """Have Swarm spread the tasks again, as it does not by itself when a node comes back."""
    swarm.docker(MANAGERS[0], "service", "update", "--detach", "--force", "wordpress")
    wait_until("the Swarm settled", swarm.settled, 90.0)
