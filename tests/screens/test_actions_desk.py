"""The desk between dialog and Alertmanager: who asks, from when to when, and how a failure is told."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from farmtui.farm.actions import ActionError
from farmtui.farm.alerts import Matcher
from farmtui.farm.reading import FailureKind
from farmtui.silences import AlertmanagerDesk, desk_for, make_desk
from farmtui.sources.alertmanager import UnknownOutcomeError
from farmtui.sources.errors import SourceError, status_error
from farmtui.unix import unix_user
from tests.screens.farms import NOW

MATCHERS = (Matcher("alertname", "Down"),)


class Api:
    """An Alertmanager that remembers, or fails with what it is given."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails
        self.created: list[tuple[tuple[Matcher, ...], datetime, datetime, str, str, str | None]] = []
        self.expired: list[str] = []

    async def create_silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
        id: str | None = None,  # noqa: A002
    ) -> str:
        if self.fails:
            raise self.fails
        self.created.append((tuple(matchers), starts_at, ends_at, created_by, comment, id))
        return "made"

    async def expire_silence(self, id: str) -> None:  # noqa: A002
        if self.fails:
            raise self.fails
        self.expired.append(id)


def desk_over(api: Api, polls: list[str], read_only: str = "") -> AlertmanagerDesk:
    return AlertmanagerDesk(
        api, poll=lambda: polls.append("now"), author="anna", read_only=read_only, clock=lambda: NOW
    )


async def test_a_silence_begins_now_in_the_name_of_the_user_and_the_next_picture_is_asked_for() -> None:
    api, polls = Api(), list[str]()
    ident = await desk_over(api, polls).create(MATCHERS, 5400, " why ", replaces="")
    assert ident == "made"
    assert api.created == [(MATCHERS, NOW, NOW + timedelta(minutes=90), "anna", "why", None)]
    assert polls == ["now"]


async def test_one_that_replaces_another_names_it() -> None:
    api = Api()
    await desk_over(api, []).create(MATCHERS, 60, "why", replaces="old")
    assert api.created[0][-1] == "old"


async def test_ending_one_asks_for_the_next_picture_too() -> None:
    api, polls = Api(), list[str]()
    await desk_over(api, polls).expire("x")
    assert (api.expired, polls) == (["x"], ["now"])


async def test_read_only_is_held_by_the_engine_not_by_the_screen() -> None:
    api, polls = Api(), list[str]()
    desk = desk_over(api, polls, read_only="--read-only was given")
    with pytest.raises(ActionError, match="read-only: --read-only was given; nothing was changed"):
        await desk.create(MATCHERS, 60, "why")
    with pytest.raises(ActionError, match="nothing was changed"):
        await desk.expire("x")
    assert (api.created, api.expired, polls) == ([], [], [])


@pytest.mark.parametrize(
    ("matchers", "duration_s", "comment"), [((), 60, "why"), (MATCHERS, 0, "why"), (MATCHERS, 60, " ")]
)
async def test_half_a_silence_is_refused(matchers: tuple[Matcher, ...], duration_s: float, comment: str) -> None:
    api = Api()
    with pytest.raises(ActionError, match="nothing was changed"):
        await desk_over(api, []).create(matchers, duration_s, comment)
    assert api.created == []


@pytest.mark.parametrize(
    ("error", "certain"),
    [
        (status_error(403), True),
        (status_error(401), True),
        (ConnectionRefusedError(111, "Connection refused"), True),
        (status_error(400, detail="invalid silence"), True),
        (UnknownOutcomeError(FailureKind.TIMEOUT, "alertmanager at am-1:9093: no answer", "look"), False),
        (TimeoutError(), False),
        (status_error(502), False),
        (ConnectionResetError(104, "Connection reset by peer"), False),
        (SourceError(FailureKind.BAD_ANSWER, "the answer holds no id", "look at it"), False),
    ],
)
async def test_a_failure_says_whether_anything_may_have_changed(error: Exception, certain: bool) -> None:
    polls: list[str] = []
    desk = desk_over(Api(error), polls)
    with pytest.raises(ActionError) as made:
        await desk.create(MATCHERS, 60, "why")
    with pytest.raises(ActionError) as ended:
        await desk.expire("x")
    assert ("the silence was not made" in str(made.value)) is certain
    assert ("the silence goes on" in str(ended.value)) is certain
    assert ("it is not known whether" in str(made.value)) is not certain
    assert ("look at the silences before you try again" in str(ended.value)) is not certain
    assert polls == ["now", "now"], "after a failure all the more"


def test_the_author_is_who_runs_the_process_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert unix_user() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert unix_user() == "uid 3999999999"


def test_without_an_alertmanager_there_is_no_desk() -> None:
    assert make_desk(None, poll=lambda: None) is None
    assert isinstance(make_desk(Api(), poll=lambda: None), AlertmanagerDesk)


class Feed:
    """What is polled."""

    def __init__(self, *sources: object) -> None:
        self.sources = sources
        self.refreshed = 0

    def refresh(self) -> None:
        self.refreshed += 1


class AlertmanagerApi(Api):
    """A source of the kind that silences are made at."""

    kind = "alertmanager"


async def test_the_desk_of_a_feed_is_over_its_alertmanager_and_asks_it_again() -> None:
    api = AlertmanagerApi()
    feed = Feed(object(), api)
    desk = desk_for(feed)
    assert desk is not None
    await desk.expire("x")
    assert (api.expired, feed.refreshed) == (["x"], 1)
    assert desk_for(Feed(object())) is None
    locked = desk_for(feed, read_only="--read-only")
    assert locked is not None
    with pytest.raises(ActionError, match="--read-only"):
        await locked.expire("y")
