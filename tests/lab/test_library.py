"""Books of the library on real daemons: what they tell Varnish and Redis through a real sshd is what those understand.

The lab's daemons have places of their own: first in each machine's PATH stand `varnishadm` and `redis-cli` that
add where, and a `sudo` that is root already.
"""

from __future__ import annotations

import asyncio
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from farmtui.config import load_config
from farmtui.journal.entry import Author
from farmtui.journal.store import Journal
from farmtui.runbooks.desk import Desk
from farmtui.runbooks.instruments import Instruments
from farmtui.runbooks.loading import shelf
from farmtui.runbooks.people import Rights
from farmtui.runbooks.planned import Plan, PlannedStep, SshCall
from farmtui.runbooks.planning import Planner
from farmtui.runbooks.process import _hands
from farmtui.runbooks.runner import Hands, Resolution, Runner
from farmtui.runbooks.state import Outcome, RunState, fold
from farmtui.runbooks.story import story
from tests.lab.daemons import wait_until
from tests.lab.service import Lab, console_config
from tests.lab.services.prometheus import Prometheus
from tests.lab.services.redis import NODES as REDIS_NODES
from tests.lab.services.redis import PRIMARY, REPLICA, Redis
from tests.lab.services.ssh import SshHosts
from tests.lab.services.varnish import NODES, Varnish

SITE, OTHER = "www.one.example", "www.other.example"


@pytest.fixture
def machines(lab: Lab, ssh: SshHosts, varnish: Varnish, redis: Redis, tmp_path: Path) -> dict[str, str]:
    """The names under which the cache nodes are logged in to, by node; each finds its own daemons."""
    names = {}
    for node in NODES:
        tools = ssh.folder / f"tools-{node}"
        tools.mkdir(exist_ok=True)
        scripts = {
            "sudo": 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"',
            "varnishadm": f'exec {shutil.which("varnishadm")} -n {varnish.workdir(node)} "$@"',
        }
        if node in REDIS_NODES:
            place = f"-h {REDIS_NODES[node]} -p {redis.ports[node]}"
            scripts["redis-cli"] = f'exec {shutil.which("redis-cli")} {place} "$@"'
        for name, script in scripts.items():
            (tools / name).write_text(f"#!/bin/sh\n{script}\n")
            (tools / name).chmod(0o755)
        names[node] = f"tools-{node}"
        if names[node] not in ssh.hosts:
            ssh.add(names[node], environment={"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin"})
    return names


class Books:
    """Runs of books against the lab."""

    def __init__(self, lab: Lab, config: Path, names: dict[str, str]) -> None:
        self._config = load_config(config)
        self._names = names
        self._journal = Journal.open(f"sqlite:///{config.parent / 'journal.db'}")

    def run(self, book: str, **inputs: str) -> tuple[RunState, str]:
        """Run a book until it ends or asks; gives its state and what it said."""
        return asyncio.run(self._run(book, inputs))

    async def _run(self, book: str, inputs: dict[str, str]) -> tuple[RunState, str]:
        author = Author("anna", "bastion[1]")
        instruments = Instruments(self._config)
        async with AsyncExitStack() as stack:
            stack.callback(instruments.close)
            hands = _hands(self._config, stack)
            plan = await Planner(shelf([]), instruments.measure, "anna").plan(book, inputs, await instruments.farm())
            # The machines of the lab are logged in to by other names than Prometheus knows them by.
            plan = plan.model_copy(update={"steps": tuple(map(self._at_the_lab, plan.steps))})

            async def resolve(plan: Plan) -> Resolution:
                return Resolution()

            desk = Desk(self._journal, author, Rights())
            run = desk.plan(plan, "a test")
            desk.confirm(run, plan.hash, typed=plan.confirm)
            await Runner(
                self._journal, lambda: Hands(hands.performers, hands.measure, resolve, hands.announce), author
            ).drive(run)
        entries = self._journal.entries(run=run)
        state = fold(entries)
        assert state is not None
        return state, "\n".join(line for entry in entries for line in story(entry))

    def _at_the_lab(self, step: PlannedStep) -> PlannedStep:
        assert isinstance(step.call, SshCall)
        hosts = tuple(self._names[host] for host in step.call.hosts)
        return step.model_copy(update={"call": step.call.model_copy(update={"hosts": hosts})})

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()


@pytest.fixture
def books(
    lab: Lab, prometheus: Prometheus, varnish: Varnish, redis: Redis, machines: dict[str, str], tmp_path: Path
) -> Iterator[Books]:
    """The library over the lab's cache tier."""
    prometheus.wait_scraped("varnish")
    prometheus.wait_scraped("redis")
    config = console_config((prometheus, varnish, redis), tmp_path / "farmtui.yaml", {})
    made = Books(lab, config, machines)
    yield made
    made.close()


def hits(varnish: Varnish, node: str, site: str) -> bool:
    """Whether a node answers a site's page from its cache: then two transactions have made it, this one and before."""
    request = urllib.request.Request(varnish.url(node, "/library-test"), headers={"Host": site})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return len(answer.headers["X-Varnish"].split()) == 2


def test_a_site_is_banned_on_every_node_and_no_other(books: Books, varnish: Varnish) -> None:
    for node in NODES:
        for site in (SITE, OTHER):
            hits(varnish, node, site)
            assert hits(varnish, node, site)
    state, said = books.run("cache-ban", site=SITE)
    assert state.outcome is Outcome.OK, said
    assert said.count(f"req.http.host == {SITE}") >= len(NODES)
    for node in NODES:
        assert not hits(varnish, node, SITE)
        assert hits(varnish, node, OTHER)


def test_one_site_s_keys_are_dropped_on_primary_and_replica(books: Books, redis: Redis) -> None:
    for number in range(3):
        redis.cli(PRIMARY, "set", f"site:{SITE}:key with spaces {number}", "x")
    script = "for i=1,1200 do redis.call('set', ARGV[1]..i, 'x') end"
    redis.cli(PRIMARY, "eval", script, "0", f"site:{SITE}:options:")
    redis.cli(PRIMARY, "set", f"site:{OTHER}:options:1", "x")
    state, said = books.run("redis-flush-site", node=PRIMARY, site=SITE)
    assert state.outcome is Outcome.OK, said
    assert "1203" in said
    assert redis.cli(PRIMARY, "--scan", "--pattern", f"site:{SITE}:*") == ""
    assert redis.cli(PRIMARY, "get", f"site:{OTHER}:options:1") == "x"
    wait_until("the replica follows", lambda: redis.cli(REPLICA, "--scan", "--pattern", f"site:{SITE}:*") == "")


def test_a_replica_is_refused(books: Books) -> None:
    state, said = books.run("redis-flush-site", node=REPLICA, site=SITE)
    assert state.question is not None, said
    assert "it is the master: it does not" in state.question.text
