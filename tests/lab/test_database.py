"""The database on a real Galera: each figure is the node's own, and each fault is said in plain words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from farmtui.farm.units import count
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import agrees, row, shows, undone
from tests.lab.services.galera import NODES, Galera, write
from tests.lab.services.prometheus import Prometheus
from tests.terminal.pty_harness import PtySession


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, galera: Galera) -> Iterator[PtySession]:
    """The database screen over a whole cluster; whatever a test has done, the cluster is whole again after it."""
    prometheus.wait_scraped("galera")
    session = console(prometheus, galera, screen="database", columns=180, lines=45)
    shows(session, "db-1", "db-2", "db-3", "3 of 3 in it")
    yield session
    wait_until("Galera whole", galera.whole, 60.0)


def node(screen: PtySession, name: str) -> str:
    """A node's row."""
    return row(screen, name, after="takes queries")


def causes(screen: PtySession, *texts: str) -> None:
    """Wait until the overview tells these."""
    screen.send("1")
    shows(screen, *texts)
    screen.send("8")


def test_the_figures_are_the_nodes_own(screen: PtySession, galera: Galera) -> None:
    write(galera, "db-1", 20)
    for name in NODES:

        def shown(name: str = name) -> str:
            return node(screen, name)

        def told(figure: str, like: str, name: str = name) -> str:
            return galera.status(name, like)[figure]

        agrees(
            screen,
            f"{name}'s figures",
            (shown, lambda told=told: told("wsrep_local_state_comment", "wsrep%")),  # type: ignore[misc]
            (shown, lambda told=told: told("wsrep_cluster_status", "wsrep%")),  # type: ignore[misc]
            (shown, lambda told=told: f" {told('wsrep_cluster_size', 'wsrep%')} "),  # type: ignore[misc]
            (shown, lambda told=told: f" {count(float(told('wsrep_local_recv_queue', 'wsrep%')))} "),  # type: ignore[misc]
        )


def test_a_node_that_is_desynced(screen: PtySession, galera: Galera) -> None:
    with undone(lambda: galera.sql("db-2", "SET GLOBAL wsrep_desync=OFF")):
        galera.sql("db-2", "SET GLOBAL wsrep_desync=ON")
        screen.wait_for(lambda: "Donor/Desynced" in node(screen, "db-2"))
        causes(screen, "MariaDB on db-2 is Donor/Desynced", "behind the cluster")
    screen.wait_for(lambda: "Synced" in node(screen, "db-2") and "Donor" not in node(screen, "db-2"))


def test_flow_control_names_the_node_that_asks_the_others_to_wait(screen: PtySession, galera: Galera) -> None:
    galera.sql(
        "db-1", "USE shop; CREATE TABLE nokey (a INT, b INT); INSERT INTO nokey SELECT seq, 0 FROM seq_1_to_1500"
    )
    # Without a key each changed row is looked for in the whole table by those that apply it: they fall behind.
    writes = ";".join(f"UPDATE shop.nokey SET b = {n} WHERE a % 10 = {n % 10}" for n in range(400))
    socket = str(galera.folder / "db-1" / "sock")
    writer = subprocess.Popen(["mariadb", "--socket", socket, "--user", "root", "--execute", writes])
    with undone(writer.kill, writer.wait, lambda: galera.sql("db-1", "DROP TABLE shop.nokey", timeout_s=60.0)):
        screen.wait_for(lambda: "by db-2" in screen.text or "by db-3" in screen.text)
        sent = {name: int(galera.status(name)["wsrep_flow_control_sent"]) for name in NODES}
        assert sent["db-1"] == 0
        assert max(sent.values()) > 0
        causes(screen, "slows the cluster", "every write in the cluster waits")


def test_a_node_that_is_killed(screen: PtySession, galera: Galera) -> None:
    with undone(lambda: galera.join("db-3")):
        galera.daemons["db-3"].kill()
        screen.wait_for(lambda: "down" in node(screen, "db-3"))
        shows(screen, "2 of 3 in it")
        wait_until("the others agree", lambda: galera.status("db-1")["wsrep_cluster_size"] == "2")
        causes(screen, "MariaDB on db-3 is down", "Galera has 2 of 3 nodes", "one more loss stops every write")
    screen.wait_for(lambda: "Synced" in node(screen, "db-3"))


def test_no_majority_is_no_primary_component(screen: PtySession, galera: Galera) -> None:
    frozen = [galera.daemons[name] for name in ("db-2", "db-3")]
    with undone(*(daemon.thaw for daemon in frozen)):
        for daemon in frozen:
            daemon.freeze()
        screen.wait_for(lambda: "non-Primary" in node(screen, "db-1"))
        assert galera.status("db-1")["wsrep_cluster_status"] == "non-Primary"
        causes(screen, "Galera has no primary component", "refuses every query")
    screen.wait_for(lambda: all("Synced" in node(screen, name) for name in NODES), 90.0)


def test_total_loss_and_a_new_beginning(screen: PtySession, galera: Galera) -> None:
    with undone(galera.bootstrap):
        for daemon in galera.daemons.values():
            daemon.kill()
        screen.wait_for(lambda: all("down" in node(screen, name) for name in NODES))
        causes(screen, "MariaDB on db-1 is down", "MariaDB on db-2 is down", "MariaDB on db-3 is down")
    screen.wait_for(lambda: all("Synced" in node(screen, name) for name in NODES), 90.0)


def test_an_exporter_that_is_gone_leaves_figures_that_age(screen: PtySession, galera: Galera) -> None:
    exporter = galera.exporters["db-2"]
    with undone(exporter.start):
        exporter.stop()
        # Its figures stay, and say how old they are: they neither freeze nor vanish.
        screen.wait_for(lambda: "stale" in node(screen, "db-2") and "Synced" in node(screen, "db-2"))
        causes(screen, "db-2")
    screen.wait_for(lambda: "Synced" in node(screen, "db-2"))
