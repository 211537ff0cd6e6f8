"""The runner's process: started on demand, detached from whoever started it, one on each bastion for each journal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_config_path, user_state_path

from farmtui.config import Config, load_config
from farmtui.config.known import know_secrets
from farmtui.journal.proof import Witness
from farmtui.journal.store import Journal
from farmtui.runbooks.announcing import Announcer
from farmtui.runbooks.instruments import Instruments
from farmtui.runbooks.loading import Shelf, shelf
from farmtui.runbooks.people import author
from farmtui.runbooks.planned import Plan
from farmtui.runbooks.planning import Planner
from farmtui.runbooks.runner import Hands, Resolution, Runner, waiting_runs
from farmtui.runbooks.steps.commands import Commands
from farmtui.runbooks.steps.digitalocean import DropletActions
from farmtui.runbooks.steps.effect import Performer
from farmtui.runbooks.steps.http import HttpRequests
from farmtui.runbooks.steps.proxmox import PveTasks
from farmtui.runbooks.steps.silences import Silences
from farmtui.sources.alertmanager import AlertmanagerSource
from farmtui.sources.digitalocean_actions import DoActions
from farmtui.sources.proxmox_api import PveApi
from farmtui.sources.ssh.pool import SshPool
from farmtui.unix import unix_user

IDLE_S: Final = 30.0
"""How long a runner stays when nothing wants it."""


def open_journal(config: Config) -> Journal:
    """The journal that the config names. Raises JournalError.

    What this process writes into it is redacted of the config's secrets, whether or not it has used them.
    """
    know_secrets(config)
    return Journal.open(config.journal.url or f"sqlite:///{user_state_path('farmtui') / 'journal.db'}")


def witness() -> Witness:
    """What this user has seen of journals, on this machine."""
    return Witness(user_state_path("farmtui") / "journals-seen.json")


def book_folders(config: Config) -> list[Path]:
    """Where users' own runbooks are: in their config folder, and in the folders of the config."""
    return [user_config_path("farmtui") / "runbooks", *config.runbooks.folders]


def open_shelf(config: Config) -> Shelf:
    """All runbooks: the library's, and the users' own."""
    return shelf(book_folders(config))


def start_runner(config: Path) -> int:
    """Start a runner that outlives this process, its terminal and its session; an unneeded one ends by itself.

    Gives its process id: who goes on after it has ended must wait for it. Raises OSError.
    """
    words = [sys.executable, "-m", "farmtui", "--config", str(config.resolve()), "runner"]
    nothing = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    return os.posix_spawn(sys.executable, words, os.environ, file_actions=nothing, setsid=True)


def serve(path: Path, *, idle_s: float = IDLE_S) -> None:
    """Be a runner until nothing wants one, unless this user has one on this bastion.

    `path` is the config, read anew for each run. Raises ConfigError, JournalError.
    """
    journal = open_journal(load_config(path))
    # No folder of whoever started it is held in use.
    os.chdir("/")
    try:
        while True:
            with _alone(journal.head().journal) as alone:
                if not alone:
                    return
                asyncio.run(_serve(path, journal, idle_s))
            # Who asked for a runner in the last moment has found us here, and relies on us.
            if not journal.read(waiting_runs):
                return
    finally:
        journal.close()


async def _serve(path: Path, journal: Journal, idle_s: float) -> None:
    async with contextlib.AsyncExitStack() as stack:
        runner = Runner(journal, lambda: _hands(load_config(path), stack), author())
        await runner.serve(idle_s=idle_s)


def _hands(config: Config, stack: contextlib.AsyncExitStack) -> Hands:
    """Everything by which a runner acts under this config; let go of with the stack."""
    instruments = Instruments(config)
    stack.callback(instruments.close)
    planner = Planner(open_shelf(config), instruments.measure, unix_user())
    pool = SshPool(config.ssh)
    stack.push_async_callback(pool.close)
    clusters = {
        one.name: PveApi(one, "proxmox", deadline_s=one.deadline_s, clock=lambda: datetime.now(UTC))
        for one in config.proxmox
    }
    cloud = DoActions(config.digitalocean) if config.digitalocean is not None else None
    if cloud is not None:
        stack.push_async_callback(cloud.close)
    alerts = AlertmanagerSource(config.alertmanager) if config.alertmanager is not None else None
    for cluster in clusters.values():
        stack.push_async_callback(cluster.close)
    if alerts is not None:
        stack.push_async_callback(alerts.close)
    commands = Commands(pool)

    async def resolve(plan: Plan) -> Resolution:
        if config.farm.read_only:
            return Resolution(("the farm is read-only (farm.read_only in the config)",))
        return await planner.resolve_seen(plan, instruments.farm)

    performers: dict[str, Performer] = {
        "ssh": commands, "local": commands, "pve": PveTasks(clusters),
        "do": DropletActions(cloud), "http": HttpRequests(), "silence": Silences(alerts, unix_user()),
    }  # fmt: skip
    return Hands(
        performers, instruments.measure, resolve, Announcer(config.runbooks.announce, alerts, config.farm.name)
    )


@contextlib.contextmanager
def _alone(journal: str) -> Iterator[bool]:
    """Whether no other runner of this user serves this journal on this machine; nobody else will while it is held."""
    folder = user_state_path("farmtui")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / f"runner-{journal}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)
