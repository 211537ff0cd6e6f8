"""Every screen with each upstream absent, failing, refusing or empty: it works, and says which of them it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from screens.console import SCREENS
from tests.screens.host import text_of
from tests.screens.upstreams import FAILURES, STATES, Console, Recorded, record

SECTIONS = ("prometheus", "alertmanager", "proxmox", "digitalocean", "ceph", "swarm", "gluster", "backups")

SHOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "prometheus": {
        "cache": ("not configured", "no answer", "stale|ago", "not allowed", "empty"),
        "database": ("not configured", "no answer", "stale|ago", "not allowed", "empty"),
        "sites": ("configure prometheus", "connection refused", "stale|ago|no answer in", "401", "no counts per site"),
    },
    "alertmanager": {
        "alerts": ("no Alertmanager is configured", "no answer", "stale|ago|no answer in", "not allowed", "holds none"),
    },
    "ceph": {
        "storage": ("", "cannot be asked", "cannot be asked|ago", "refuses us", "0 checks"),
    },
    "digitalocean": {
        "cost": ("", "connection refused", "no answer in", "401", "listed $0"),
    },
    "backups": {
        "backups": ("no backups are configured", "connection refused", "no answer in", "401", "0 objects|560 objects"),
    },
    "swarm": {
        "compute": ("", "no answer", "stale|ago", "not allowed", "∅ empty"),
    },
}
"""What tells the states of a section apart on the screens that live by it, in the order of STATES; empty: nothing does,
since what is not in the config is not missed there."""

FAILING = tuple(FAILURES)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return asyncio.run(record(tmp_path_factory.mktemp("upstreams")))


@pytest.fixture
def no_mistakes(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What the console catches so that it may live on is a fault all the same."""
    yield
    mistakes = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert mistakes == []


def test_every_section_that_has_sources_is_tried(recorded: Recorded) -> None:
    assert set(recorded.sections) == set(SECTIONS)


@pytest.mark.usefixtures("no_mistakes")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("section", SECTIONS)
async def test_every_screen_works_and_says_what_is_missing(recorded: Recorded, section: str, state: str) -> None:
    app = Console(recorded, section, state)
    names = [upstream.name for upstream in app.upstreams if app.touched(upstream.name)]
    texts: dict[str, str] = {}
    async with app.run_test(size=(120, 40)) as pilot:
        await app.polled(pilot)
        for entry in SCREENS:
            await pilot.press(*([entry.key] if entry.key else [*f":{entry.name}", "enter"]))
            await pilot.pause()
            texts[entry.name] = "\n".join(text_of(app))
            # Into the first thing that is there, and back: what a description needs may be what is missing.
            await pilot.press("enter")
            await pilot.pause()
            await pilot.press("escape")
            await pilot.pause()
        await pilot.press(*":sources", "enter")
        await pilot.pause()
        texts["sources"] = "\n".join(text_of(app))
        assert app.farm is not None
        causes = " ".join(f"{finding.title} {finding.cause}" for finding in app.findings)
    if state in FAILING:
        assert names[0] in causes
        assert FAILURES[state].what in causes
        assert FAILURES[state].what in texts["sources"]
    if state == "empty" and section not in ("alertmanager", "ceph", "backups"):
        assert f"{names[0]} answers, and knows nothing" in causes
    for screen, words in SHOWN.get(section, {}).items():
        wanted = words[STATES.index(state)].split("|")
        assert any(word in texts[screen] for word in wanted), (wanted, texts[screen])
