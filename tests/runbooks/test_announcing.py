"""That a dangerous run begins is told: by a command, a webhook, or an alert; and what goes wrong holds nobody up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from farmtui.config import AnnounceConfig
from farmtui.farm.reading import FailureKind
from farmtui.journal.entry import Author
from farmtui.runbooks.announcing import Announcer, announcement
from farmtui.runbooks.state import RunState
from farmtui.sources.errors import SourceError
from tests.runbooks.test_decide import plan
from tests.screens.farms import NOW
from tests.sources.conftest import Serve, serve

__all__ = ["serve"]

ANNA, BERT = Author("anna", "bastion-1"), Author("bert", "bastion-2")
APPROVED = RunState(
    "r1", plan(3), "hash", "the disk is full", ANNA, NOW, {}, confirmed_by=ANNA, confirmed_at=NOW, approved_by=BERT
)
BROKEN = replace(APPROVED, approved_by=None, glass_broken="alone at night")
TEXT = (
    "BREAK-GLASS on demo: anna begins without a second person (alone at night): A book, on node:n1, because: the disk"
    " is full. Run r1, from bastion-1"
)


class Alerts:
    """An Alertmanager that takes alerts, or does not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.taken: list[tuple[Mapping[str, str], Mapping[str, str], timedelta]] = []

    async def raise_alert(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], starts_at: datetime, ends_at: datetime
    ) -> int:
        if self.error is not None:
            raise self.error
        self.taken.append((labels, annotations, ends_at - starts_at))
        return 1


def test_what_is_told() -> None:
    assert announcement(BROKEN, "demo") == TEXT
    assert announcement(APPROVED, "demo").startswith(
        "Risk 3 on demo: anna, approved by bert, begins: A book, on node:n1"
    )
    assert "hunter22" not in announcement(replace(BROKEN, reason="password=hunter22"), "demo")


async def test_a_command_is_given_it_as_its_input(tmp_path: Path) -> None:
    config = AnnounceConfig(command=["dd", f"of={tmp_path / 'told'}"])
    told = await Announcer(config, Alerts(), "demo")(BROKEN)
    assert (told.ok, told.told) == (True, ("the command dd has taken it",))
    assert (tmp_path / "told").read_text() == f"{TEXT}\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/not/there"], "the command /not/there: it cannot be started: No such file or directory"),
        (["false"], "the command false: it ended with 1"),
    ],
)
async def test_a_command_that_fails(command: list[str], words: str) -> None:
    told = await Announcer(AnnounceConfig(command=command), None, "demo")(BROKEN)
    assert (told.ok, told.told) == (False, (words,))


async def test_a_command_that_hangs_is_ended_and_holds_nobody_up(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; sleep 600 & echo $! >> {tmp_path}/pid; wait"
    told = await Announcer(AnnounceConfig(command=["sh", "-c", script]), None, "demo", deadline_s=2.0)(BROKEN)
    assert told.told == ("the command sh: no end within 2 s",)
    for pid in (tmp_path / "pid").read_text().split():
        assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


async def test_a_webhook_is_given_it_as_json_and_shows_nowhere(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[object] = []

    async def hook(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.json())
        return web.Response(text="ok", status=200 if request.path == "/T000" else 404)

    url = await serve(hook)
    for path, ok, words in (("T000", True, "the webhook has taken it"), ("T001", False, "the webhook: HTTP 404")):
        monkeypatch.setenv("FARMTUI_TEST_HOOK", f"{url}/{path}")
        told = await Announcer(AnnounceConfig(url="env:FARMTUI_TEST_HOOK"), None, "demo")(BROKEN)
        assert told.ok is ok
        assert told.told[0].startswith(words)
        assert path not in told.told[0]
    assert bodies == [{"text": TEXT}] * 2


async def test_one_way_that_works_is_enough_and_both_are_told() -> None:
    told = await Announcer(AnnounceConfig(command=["true"], url="env:FARMTUI_NOT_SET"), None, "demo")(BROKEN)
    assert told.ok
    assert told.told[0] == "the command true has taken it"
    assert told.told[1].startswith("the webhook: the environment variable FARMTUI_NOT_SET is not set")


@pytest.mark.parametrize(
    ("state", "name", "severity"),
    [(BROKEN, "FarmtuiBreakGlass", "critical"), (APPROVED, "FarmtuiDangerousRun", "warning")],
)
async def test_without_a_word_in_the_config_it_is_an_alert(state: RunState, name: str, severity: str) -> None:
    alerts = Alerts()
    told = await Announcer(None, alerts, "demo")(state)
    assert (told.ok, told.told) == (True, ("the Alertmanager has taken it",))
    [(labels, annotations, lasts)] = alerts.taken
    assert labels == {"alertname": name, "severity": severity, "run": "r1", "book": "book", "user": "anna"}
    assert annotations == {"summary": announcement(state, "demo")}
    assert lasts == timedelta(hours=1)


async def test_an_alertmanager_that_does_not_take_it_and_nobody_at_all() -> None:
    down = Alerts(SourceError(FailureKind.UNREACHABLE, "connection refused", "look at it"))
    told = await Announcer(None, down, "demo")(BROKEN)
    assert (told.ok, told.told) == (False, ("the Alertmanager: alertmanager: connection refused; look at it",))
    told = await Announcer(None, None, "demo")(BROKEN)
    assert not told.ok
    assert "there is nobody to tell" in told.told[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "give `command` or `url`"),
        ({"url": "http://example.org/"}, "must be https://"),
        ({"url": "https://u:p@example.org/"}, "must not hold credentials"),
        ({"url": "env:A B"}, "must be the name of an environment variable"),
    ],
)
def test_a_config_that_tells_nobody(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AnnounceConfig.model_validate(given)
