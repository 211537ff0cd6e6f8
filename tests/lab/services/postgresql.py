"""PostgreSQL, for what several bastions share."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from tests.lab.daemons import Daemon, free_port
from tests.lab.service import Lab, Service

_USER = "postgres"


class PostgreSQL(Service):
    """One server as user postgres; `url` is a database of it."""

    name: ClassVar[str] = "postgresql"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.port = free_port()
        self.url = f"postgresql://{_USER}@127.0.0.1:{self.port}/postgres"
        # Debian keeps each version's programs apart; the newest is taken.
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        self.daemon = Daemon(
            lab.ledger,
            "postgresql",
            [
                str(self._bin / "postgres"), "-D", str(self.folder / "data"), "-h", "127.0.0.1", "-p", str(self.port),
                "-k", str(self.folder), "-c", "fsync=off",
            ],
            self.folder,
            self._ready,
            user=_USER,
        )  # fmt: skip

    def start(self) -> None:
        """Make its data folder and start it."""
        shutil.chown(self.folder, _USER, _USER)
        command = [str(self._bin / "initdb"), "-D", str(self.folder / "data"), "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, user=_USER, cwd=self.folder, capture_output=True, check=True, timeout=60)
        self.daemon.start()

    def stop(self) -> None:
        """End it."""
        self.daemon.stop()

    def sql(self, statement: str) -> str:
        """What a statement gives."""
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", self.url, "--command", statement]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    def _ready(self) -> bool:
        command = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
