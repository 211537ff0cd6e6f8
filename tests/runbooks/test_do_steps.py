"""Steps at DigitalOcean: an action is sent once, followed by its number, and looked for where the answer was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pytest

from farmtui.farm.reading import Failure, FailureKind
from farmtui.runbooks.planned import DoCall, PlannedStep
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.digitalocean import TRIES, DropletActions
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said
from farmtui.sources.errors import SourceError, UnsentError
from tests.runbooks.test_api_steps import Written

T = TypeVar("T")

CALL = DoCall(what="droplet", ident="41", action="power_cycle")
BEFORE, NUMBER = Said("note", "the newest action before it: 7"), Said("note", "action 9")
GOES_ON, GOOD, BAD = ({"id": 9, "type": "power_cycle", "status": s} for s in ("in-progress", "completed", "errored"))
OLD = {"id": 7, "type": "power_cycle", "status": "completed"}
OTHER = {"id": 8, "type": "snapshot", "status": "in-progress"}
DOWN = SourceError(FailureKind.UNREACHABLE, "connection refused", "look at it")
LIMITED = SourceError(FailureKind.RATE_LIMITED, "too many requests", "wait", 600.0)
DONE = Done(Outcome.OK, why="action 9 is completed")


def effect(*notes: Said) -> Effect:
    step = PlannedStep(id="step", name="Step", call=CALL, text="step")
    return Effect("run-1", step, "", 1, notes=tuple(note.text for note in notes))


class Api:
    """An account whose answers a test chooses: to a listing, to what is sent, and to each look at the action."""

    def __init__(self, lists: list[Any], answer: Any = GOES_ON, looks: list[Any] | None = None) -> None:
        self.lists = lists
        self.answer = answer
        self.looks = looks or []
        self.sent: list[str] = []

    async def send(self, what: str, ident: str, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        self.sent.append(f"{what} {ident} {kind}")
        return _given(self.answer)

    async def action(self, number: int) -> Mapping[str, Any]:
        assert number == 9
        return _given(self.looks.pop(0))

    async def recent(self, what: str, ident: str) -> list[Mapping[str, Any]]:
        assert (what, ident) == ("droplet", "41")
        return _given(self.lists.pop(0))

    def failure(self, error: Exception) -> Failure:
        if isinstance(error, SourceError):
            return Failure(error.kind, error.what, error.remedy, error.retry_after_s)
        return Failure(FailureKind.TIMEOUT, "no answer", "wait")


def _given(answer: T | Exception) -> T:
    if isinstance(answer, Exception):
        raise answer
    return answer


class Performing:
    """The performer, and for how long it has slept."""

    def __init__(self, api: Api | None, patience_s: float = 60.0) -> None:
        self.slept: list[float] = []
        self.actions = DropletActions(api, patience_s=patience_s, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_an_action_is_noted_and_followed_to_its_end() -> None:
    api, tell = Api([[OLD]], GOES_ON, [GOES_ON, DOWN, GOOD]), Written()
    assert await Performing(api).actions.perform(effect(), tell) == DONE
    assert tell.said == [BEFORE, NUMBER]
    assert api.sent == ["droplet 41 power_cycle"]


async def test_an_action_that_fails() -> None:
    told = await Performing(Api([[]], GOES_ON, [BAD])).actions.perform(effect(), Written())
    assert isinstance(told, Done)
    assert (told.outcome, "action 9 has failed" in told.why) == (Outcome.FAILED, True)


@pytest.mark.parametrize(
    ("lists", "answer", "words"),
    [
        ([DOWN], GOES_ON, "connection refused; look at it; nothing was begun"),
        ([[]], UnsentError(FailureKind.UNREACHABLE, "refused", "look"), "refused; look; nothing was begun"),
        ([[]], SourceError(FailureKind.BAD_ANSWER, "a pending event", "wait", status=422), "a pending event; wait"),
    ],
)
async def test_what_was_certainly_not_begun_has_failed(lists: list[Any], answer: Any, words: str) -> None:
    told = await Performing(Api(lists, answer)).actions.perform(effect(), Written())
    assert told == Done(Outcome.FAILED, why=words)


@pytest.mark.parametrize("error", [TimeoutError(), SourceError(FailureKind.SERVER, "HTTP 502", "look", status=502)])
async def test_an_answer_that_was_lost_is_found_among_the_newer_actions_of_its_kind(error: Exception) -> None:
    api, tell = Api([[OLD], [OTHER, OLD], DOWN, [GOES_ON, OTHER, OLD]], error, [GOOD]), Written()
    assert await Performing(api).actions.perform(effect(), tell) == DONE
    assert tell.said == [BEFORE, NUMBER]
    assert len(api.sent) == 1


async def test_what_is_not_found_is_unknown_and_not_sent_again() -> None:
    api = Api([[OLD], *[[OTHER, OLD]] * TRIES], TimeoutError())
    told = await Performing(api).actions.perform(effect(), Written())
    assert isinstance(told, Lost)
    assert "whether it was heard is not known" in told.why
    assert len(api.sent) == 1
    assert api.lists == []


async def test_another_runner_follows_what_was_noted_and_never_sends() -> None:
    api = Api([[GOES_ON, OLD]], looks=[GOOD, GOES_ON, GOOD])
    actions = Performing(api).actions
    assert await actions.recover(effect(BEFORE, NUMBER), Written()) == DONE
    assert await actions.recover(effect(BEFORE), Written()) == DONE
    assert await actions.recover(effect(), Written()) == Done(Outcome.ABSENT, why="it was not sent yet")
    assert api.sent == []


async def test_an_api_that_falls_silent_leaves_the_end_unknown() -> None:
    told = await Performing(Api([], looks=[DOWN]), patience_s=-1.0).actions.recover(effect(BEFORE, NUMBER), Written())
    assert told == Lost("connection refused; look at it; how action 9 ended is not known")


async def test_an_api_that_wants_to_be_left_alone_is_and_goes_on_counting_as_there() -> None:
    performing = Performing(Api([], looks=[LIMITED, GOOD]), patience_s=-1.0)
    assert await performing.actions.recover(effect(BEFORE, NUMBER), Written()) == DONE
    assert performing.slept == [60.0]


async def test_no_action_can_be_stopped() -> None:
    assert await Performing(Api([], looks=[GOOD])).actions.stop(effect(BEFORE, NUMBER), Written()) == DONE
    assert await Performing(Api([])).actions.stop(effect(), Written()) == Done(
        Outcome.CANCELLED, why="it was not sent yet"
    )
    for looks, notes in (([GOES_ON], [BEFORE, NUMBER]), ([DOWN], [BEFORE, NUMBER]), ([], [BEFORE])):
        assert isinstance(await Performing(Api([], looks=looks)).actions.stop(effect(*notes), Written()), Lost)


async def test_an_account_that_there_is_not() -> None:
    told = await Performing(None).actions.perform(effect(), Written())
    assert told == Done(Outcome.FAILED, why="there is no digitalocean in the config")
