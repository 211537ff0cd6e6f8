"""GlusterFS on real peers: what is shown is gluster's own word, and each fault is said in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farmtui.farm.expressions import expression
from farmtui.farm.units import data_size
from farmtui.runbooks.book import Step
from farmtui.runbooks.loading import LIBRARY, load_book
from farmtui.runbooks.template import Context, render
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import causes, row, shows, undone
from tests.lab.services.gluster import PEERS, VOLUME, Gluster
from tests.terminal.pty_harness import PtySession


@pytest.fixture
def screen(console: Console, gluster: Gluster) -> Iterator[PtySession]:
    """The storage screen, so low that its tiles are in plain text; the volume is well before and after each test."""
    session = console(gluster, screen="storage", columns=150, lines=33)
    shows(session, "3 of 3 up", "no split-brain", "bears 1 more")
    yield session
    wait_until("bricks online", lambda: gluster.online() == len(PEERS), 60.0)
    wait_until("healed", lambda: gluster.pending() == ["0", "0", "0"], 60.0)


def brick(screen: PtySession, gluster: Gluster, peer: str) -> str:
    """A brick's row."""
    return row(screen, gluster.address(peer), after="bears")


def test_the_figures_are_glusters_own(screen: PtySession, gluster: Gluster) -> None:
    status = gluster.gluster(PEERS[0], "volume", "status", VOLUME, "detail")
    for node in status.iter("node"):
        line = row(screen, node.findtext("hostname") or "", after="bears")
        assert "online" in line
        assert data_size(float(node.findtext("sizeFree") or 0))[:4] in line
        assert (node.findtext("path") or "")[:10] in line
    info = gluster.gluster(PEERS[0], "volume", "info")
    volume = row(screen, VOLUME, after="volume")
    assert (info.findtext(".//typeStr") or "none") in volume
    assert "started" in volume
    screen.send("v")
    shows(screen, "gluster says")
    for peer in gluster.gluster(PEERS[0], "pool", "list").iter("peer"):
        line = row(screen, peer.findtext("hostname") or "", after="gluster says")
        assert ("connected" if peer.findtext("connected") == "1" else "disconnected") in line


def test_a_brick_that_is_down_and_the_heals_that_it_leaves(screen: PtySession, gluster: Gluster) -> None:
    with gluster.mounted() as point, undone(gluster.start_bricks):
        gluster.inside("gluster-1", "sh", "-c", f"for i in $(seq 1 10); do echo before > {point}/f$i; done")
        gluster.kill_brick("gluster-3")
        screen.wait_for(lambda: "offline" in brick(screen, gluster, "gluster-3"))
        shows(screen, "2 of 3 up", "bears 0 more")
        gluster.inside("gluster-1", "sh", "-c", f"for i in $(seq 1 30); do echo after > {point}/f$i; done")
        pending = gluster.pending()[0]
        assert pending is not None
        assert int(pending) >= 30
        screen.wait_for(lambda: f" {pending} " in brick(screen, gluster, "gluster-1"))
        assert " ? " in f"{brick(screen, gluster, 'gluster-3')} ", "a brick that is down tells no count, which is no 0"
        causes(screen, "4", f"a brick of {VOLUME} is down", "the loss of one more stops writes", "wait to be healed")
    screen.wait_for(lambda: "3 of 3 up" in screen.text and f" {pending} " not in screen.text, 60.0)


def test_two_bricks_of_three_stop_writes(screen: PtySession, gluster: Gluster) -> None:
    with undone(gluster.start_bricks):
        gluster.kill_brick("gluster-2")
        gluster.kill_brick("gluster-3")
        shows(screen, "1 of 3 up", "writes fail")
        causes(screen, "4", f"2 of 3 bricks of {VOLUME} are down", "writes to some of its files fail")


def test_a_split_brain_is_critical_and_says_what_to_do(screen: PtySession, gluster: Gluster) -> None:
    options = {"cluster.quorum-type": "none", "cluster.self-heal-daemon": "off", "cluster.entry-self-heal": "off",
               "cluster.data-self-heal": "off", "cluster.metadata-self-heal": "off"}  # fmt: skip

    def heal() -> None:
        gluster.start_bricks()
        for peer in PEERS:
            gluster.inside(
                PEERS[0], "gluster", "--mode=script", "volume", "heal", VOLUME, "split-brain", "source-brick",
                f"{gluster.address(peer)}:{gluster.brick(peer)}", "/torn", check=False,
            )  # fmt: skip
        for option in options:
            gluster.gluster(PEERS[0], "volume", "reset", VOLUME, option)
        gluster.inside(PEERS[0], "gluster", "--mode=script", "volume", "heal", VOLUME, check=False)

    for option, value in options.items():
        gluster.gluster(PEERS[0], "volume", "set", VOLUME, option, value)
    with gluster.mounted() as point, undone(heal):
        gluster.inside("gluster-1", "sh", "-c", f"echo whole > {point}/torn")
        # Each brick is alone with the file once: each then blames the two others.
        for alone in PEERS:
            gluster.start_bricks()
            wait_until("one brick alone", lambda alone=alone: _alone(gluster, alone))  # type: ignore[misc]
            # The mount finds the brick again some seconds after it has come back.
            wait_until("written there alone", lambda alone=alone: _written(gluster, f"{point}/torn", alone))  # type: ignore[misc]
        gluster.start_bricks()
        screen.wait_for(lambda: "in split-brain" in screen.text and "no split-brain" not in screen.text, 60.0)
        causes(screen, "4", f"of {VOLUME} are in split-brain", "I/O error", "split-brain latest-mtime")


def _written(gluster: Gluster, path: str, text: str) -> bool:
    try:
        gluster.inside("gluster-1", "sh", "-c", f"echo {text} > {path}")
    except RuntimeError:
        return False
    return True


def _alone(gluster: Gluster, peer: str) -> bool:
    for other in PEERS:
        if other != peer:
            try:
                gluster.kill_brick(other)
            except (RuntimeError, ProcessLookupError):
                continue
    return gluster.online() == 1


def test_a_peer_that_is_cut_off_is_not_taken_for_well(screen: PtySession, gluster: Gluster) -> None:
    """While a status waits for the peer, gluster itself goes on calling it connected, for minutes."""
    with undone(lambda: gluster.join("gluster-3")):
        gluster.cut("gluster-3")
        screen.send("1")
        screen.wait_for(
            lambda: (
                f"Gluster has lost peer {gluster.address('gluster-3')}" in screen.text
                or "bricks are shown as they were" in screen.text
            )
        )
    wait_until("joined", lambda: gluster.connected() == len(PEERS), 60.0)
    screen.wait_for(lambda: "as they were" not in screen.text and "lost peer" not in screen.text, 90.0)


def test_a_peer_whose_glusterd_has_ended(screen: PtySession, gluster: Gluster) -> None:
    with undone(gluster.daemons["gluster-3"].start):
        gluster.daemons["gluster-3"].kill()
        causes(screen, "4", f"Gluster has lost peer {gluster.address('gluster-3')}", "its glusterd is down")
    wait_until("joined", lambda: gluster.connected() == len(PEERS), 60.0)


def test_a_quota_that_is_exceeded(screen: PtySession, gluster: Gluster) -> None:
    gluster.gluster(PEERS[0], "volume", "quota", VOLUME, "enable")
    with undone(lambda: gluster.gluster(PEERS[0], "volume", "quota", VOLUME, "disable")):
        with gluster.mounted() as point:
            gluster.inside("gluster-1", "sh", "-c", f"mkdir -p {point}/full")
            gluster.gluster(PEERS[0], "volume", "quota", VOLUME, "limit-usage", "/full", "1MB")
            gluster.gluster(PEERS[0], "volume", "quota", VOLUME, "hard-timeout", "1s")
            gluster.gluster(PEERS[0], "volume", "quota", VOLUME, "soft-timeout", "1s")
            gluster.inside("gluster-1", "sh", "-c", f"dd if=/dev/zero of={point}/full/x bs=64k count=40", check=False)
        causes(screen, "4", f"/full of {VOLUME} is at its quota", "every write to it is refused")


def test_the_library_s_book_heals_a_volume_and_knows_when_it_is_healed(gluster: Gluster) -> None:
    values = {"volume": VOLUME, "pause": 1}
    with gluster.mounted() as point, undone(gluster.start_bricks):
        gluster.inside("gluster-1", "sh", "-c", f"for i in $(seq 1 20); do echo before > {point}/h$i; done")
        gluster.kill_brick("gluster-3")
        wait_until("a brick down", lambda: gluster.online() == len(PEERS) - 1)
        gluster.inside("gluster-1", "sh", "-c", f"for i in $(seq 1 200); do echo after > {point}/h$i; done")
        first, *rest = load_book(LIBRARY / "gluster-heal.yaml").steps
        assert not performed(gluster, first, values)
        gluster.start_bricks()
        for step in (first, *rest):
            # Just after a brick has come back gluster refuses for some seconds to begin: one repeats it.
            wait_until(step.name, lambda step=step: performed(gluster, step, values), 60.0)  # type: ignore[misc]
        assert gluster.pending() == ["0", "0", "0"]


def performed(gluster: Gluster, step: Step, values: dict[str, object]) -> bool:
    """Run a step's command on a peer; whether what it prints is what is expected."""
    assert step.ssh is not None
    words = [render(word, Context.ARGUMENT, values) for word in step.ssh.argv or ()]
    command = words or ["sh", "-c", render(step.ssh.shell or "", Context.SHELL, values)]
    try:
        told = gluster.inside("gluster-1", *command)
    except RuntimeError:
        return False
    return all(
        bool(expression(sought, by_line=True).found_in(told)) is wanted
        for condition in step.expect
        for sought, wanted in ((condition.stdout, True), (condition.lacks, False))
        if sought is not None
    )
