"""The lab's services as fixtures: each is started when a test first asks for it, and serves until the last test."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.farm import LabFarm, lab_farm
from tests.lab.service import Lab, Service, console_config
from tests.lab.services.alertmanager import Alertmanagers
from tests.lab.services.backups import Backups
from tests.lab.services.ceph import Ceph
from tests.lab.services.ceph_hosts import CephHosts
from tests.lab.services.edge import Edge, Interconnect
from tests.lab.services.galera import Galera
from tests.lab.services.gluster import Gluster
from tests.lab.services.postgresql import PostgreSQL
from tests.lab.services.prometheus import NodeExporter, Prometheus
from tests.lab.services.redis import Redis
from tests.lab.services.ssh import SshHosts
from tests.lab.services.swarm import Swarm
from tests.lab.services.tunnel import Tunnel
from tests.lab.services.varnish import Varnish
from tests.terminal.pty_harness import PtySession


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the lab."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab; what it has started ends with it, whatever becomes of the tests."""
    with Lab() as running:
        yield running


def running(kind: type[Service]) -> Any:
    """A fixture that gives the lab's service of this kind. Its tests leave it as they found it."""

    def fixture(lab: Lab) -> Service:
        return lab.service(kind)

    return pytest.fixture(scope="session", name=kind.name)(fixture)


prometheus = running(Prometheus)
alertmanagers = running(Alertmanagers)
node_exporters = running(NodeExporter)
edge = running(Edge)
interconnect = running(Interconnect)
tunnel = running(Tunnel)
ssh = running(SshHosts)
ceph = running(Ceph)
ceph_hosts = running(CephHosts)
backups = running(Backups)
swarm = running(Swarm)
gluster = running(Gluster)
varnish = running(Varnish)
redis = running(Redis)
galera = running(Galera)
postgresql = running(PostgreSQL)

Console = Callable[..., PtySession]


@pytest.fixture
def console(lab: Lab, tmp_path: Path) -> Iterator[Console]:
    """Opens the console on a pty over some services: `console(prometheus, ceph, screen="storage")`.

    Further sections of the config are given by name, and laid over those of the services.
    """
    opened: list[PtySession] = []

    def open_console(
        *services: Service,
        screen: str = "overview",
        columns: int = 160,
        lines: int = 45,
        environment: dict[str, str] | None = None,
        **sections: dict[str, Any],
    ) -> PtySession:
        config = console_config(services, tmp_path / f"farmtui-{len(opened)}.yaml", sections)
        command = ["-m", "farmtui", "--config", str(config)]
        session = PtySession(command, columns=columns, lines=lines, environment=environment)
        opened.append(session)
        session.wait_for("1 overv")
        if screen != "overview":
            session.send(f":{screen}\r")
        return session

    yield open_console
    for session in opened:
        # In good order, so that it takes its sockets with it; a test may have ended it, or it hangs.
        session.kill(signal.SIGTERM)
        with contextlib.suppress(AssertionError):
            session.finish(deadline_s=10.0)
        session.__exit__(None, None, None)


@pytest.fixture(scope="module")
def farm() -> Iterator[LabFarm]:
    """A running farm of replayed exporters; the tests of a module share it and leave it as they found it."""
    with Lab() as own, lab_farm(own) as started:
        yield started
