"""Steps at APIs: a call that is lost is never repeated, a task is followed to its end, a silence is found again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from farmtui.farm.alerts import AlertBook
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.runbooks.planned import PlannedStep, PveCall, SilenceCall
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said
from farmtui.runbooks.steps.proxmox import PveTasks
from farmtui.runbooks.steps.silences import Silences
from farmtui.sources.alertmanager import UnknownOutcomeError
from farmtui.sources.errors import SourceError, UnsentError
from tests.screens.farms import NOW, make_replica, make_silence

UPID = "UPID:pve-2:0000C530:001C9BEC:65A7F0E1:qmreboot:101:farmtui@pve!console:"
SILENCE = SilenceCall(matchers=('alertname="X"',), duration_s=60, comment="work")
DOWN = SourceError(FailureKind.UNREACHABLE, "connection refused", "look at it")


def effect(call: PveCall | SilenceCall, *notes: str) -> Effect:
    step = PlannedStep(id="step", name="Step", call=call, text="step")
    return Effect("run-1", step, "", 1, notes=notes)


REBOOT = PveCall(cluster="main", method="POST", path="nodes/pve-2/qemu/101/status/reboot")


class Api:
    """A cluster whose answers a test chooses."""

    def __init__(self, answer: Any = UPID, *statuses: Any) -> None:
        self.answer = answer
        self.statuses = list(statuses)
        self.sent: list[str] = []

    async def send(self, method: str, path: str, data: Mapping[str, Any]) -> Any:
        self.sent.append(f"{method} {path}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def ask(self, path: str) -> Any:
        assert path == f"nodes/pve-2/tasks/{UPID}/status"
        status = self.statuses.pop(0)
        if isinstance(status, Exception):
            raise status
        return status

    def failure(self, error: Exception, host: str) -> Failure:
        if isinstance(error, SourceError):
            return Failure(error.kind, error.what, error.remedy)
        return Failure(FailureKind.TIMEOUT, "no answer", "wait")


def tasks(api: Api, patience_s: float = 60.0) -> PveTasks:
    async def no_time(_: float) -> None:
        return None

    return PveTasks({"main": api}, patience_s=patience_s, sleep=no_time)


class Written:
    """What was told."""

    def __init__(self) -> None:
        self.said: list[Said] = []

    async def __call__(self, said: Said) -> None:
        self.said.append(said)


RUNNING, GOOD = {"status": "running"}, {"status": "stopped", "exitstatus": "OK"}


async def test_a_task_is_noted_and_followed_to_its_end() -> None:
    api, tell = Api(UPID, RUNNING, DOWN, RUNNING, GOOD), Written()
    assert await tasks(api).perform(effect(REBOOT), tell) == Done(Outcome.OK, why="the task ended with: OK")
    assert tell.said == [Said("note", UPID)]
    assert api.sent == ["POST nodes/pve-2/qemu/101/status/reboot"]


@pytest.mark.parametrize(
    ("how", "outcome"), [("OK", Outcome.OK), ("WARNINGS: 1", Outcome.OK), ("command failed", Outcome.FAILED)]
)
async def test_a_task_s_name_says_nothing_of_its_success(how: str, outcome: Outcome) -> None:
    told = await tasks(Api(UPID, {"status": "stopped", "exitstatus": how})).perform(effect(REBOOT), Written())
    assert told == Done(outcome, why=f"the task ended with: {how}")


async def test_a_call_without_a_task_is_done_when_it_is_taken() -> None:
    assert await tasks(Api(None)).perform(effect(REBOOT), Written()) == Done(Outcome.OK, why="the API has taken it")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UnsentError(FailureKind.UNREACHABLE, "refused", "look"), Done),
        (SourceError(FailureKind.FORBIDDEN, "not allowed", "give it the role"), Done),
        (SourceError(FailureKind.SERVER, "VM is locked", "wait"), Done),
        (TimeoutError(), Lost),
        (SourceError(FailureKind.UNREACHABLE, "connection reset", "look"), Lost),
    ],
)
async def test_only_what_may_have_been_heard_is_unknown(error: Exception, expected: type) -> None:
    api = Api(error)
    told = await tasks(api).perform(effect(REBOOT), Written())
    assert isinstance(told, expected)
    assert not isinstance(told, Done) or told.outcome is Outcome.FAILED
    assert len(api.sent) == 1


async def test_another_runner_follows_the_task_that_was_noted_and_never_calls_again() -> None:
    api = Api(UPID, RUNNING, GOOD)
    assert await tasks(api).recover(effect(REBOOT, UPID), Written()) == Done(Outcome.OK, why="the task ended with: OK")
    assert isinstance(await tasks(api).recover(effect(REBOOT), Written()), Lost)
    assert api.sent == []


async def test_an_api_that_falls_silent_leaves_the_end_unknown() -> None:
    told = await tasks(Api(UPID, DOWN, DOWN), patience_s=-1.0).recover(effect(REBOOT, UPID), Written())
    assert isinstance(told, Lost)
    assert UPID in told.why


async def test_a_task_is_stopped_and_that_is_seen() -> None:
    api = Api(None, {"status": "stopped", "exitstatus": "interrupted by signal"})
    told = await tasks(api).stop(effect(REBOOT, UPID), Written())
    assert told == Done(Outcome.CANCELLED, why="stopped: the task ended with: interrupted by signal")
    assert api.sent == [f"DELETE nodes/pve-2/tasks/{UPID}"]


async def test_a_cluster_that_there_is_not() -> None:
    call = REBOOT.model_copy(update={"cluster": "other"})
    told = await tasks(Api()).perform(effect(call), Written())
    assert told == Done(Outcome.FAILED, why="there is no cluster 'other' under proxmox in the config")


class Alertmanager:
    """An Alertmanager that holds what it is given, or loses its answer, or refuses."""

    def __init__(self, error: Exception | None = None, *, held: bool = True, up: bool = True) -> None:
        self.error = error
        self.held = held
        self.up = up
        self.comments: list[str] = []

    async def create_silence(self, *given: Any) -> str:
        if self.held:
            self.comments.append(given[4])
        if self.error:
            raise self.error
        return "s-1"

    async def poll(self) -> Reading[AlertBook]:
        silences = tuple(make_silence(f"s-{n}", comment=comment) for n, comment in enumerate(self.comments, 1))
        return Reading(AlertBook((), silences, (make_replica(up=self.up),)), NOW, 0.0)


def silences(source: Alertmanager | None) -> Silences:
    async def no_time(_: float) -> None:
        return None

    return Silences(source, "anna", sleep=no_time)


async def test_a_silence_names_its_attempt() -> None:
    source = Alertmanager()
    told = await silences(source).perform(effect(SILENCE), Written())
    assert isinstance(told, Done)
    assert told.outcome is Outcome.OK
    assert source.comments == [f"work [run {effect(SILENCE).key}]"]


@pytest.mark.parametrize(("held", "outcome"), [(True, Outcome.OK), (False, Outcome.ABSENT)])
async def test_an_answer_that_was_lost_is_found_out(held: bool, outcome: Outcome) -> None:
    source = Alertmanager(UnknownOutcomeError(FailureKind.TIMEOUT, "no answer", "wait"), held=held)
    told = await silences(source).perform(effect(SILENCE), Written())
    assert isinstance(told, Done)
    assert told.outcome is outcome


async def test_while_one_of_the_alertmanagers_does_not_say_it_is_unknown() -> None:
    told = await silences(Alertmanager(up=False)).recover(effect(SILENCE), Written())
    assert isinstance(told, Lost)


@pytest.mark.parametrize(
    ("source", "call", "words"),
    [
        (None, SILENCE, "there is no Alertmanager in the config"),
        (Alertmanager(SourceError(FailureKind.FORBIDDEN, "not allowed", "log in"), held=False), SILENCE, "not allowed"),
        (Alertmanager(), SILENCE.model_copy(update={"matchers": ("nonsense",)}), "nonsense"),
    ],
)
async def test_a_silence_that_was_not_made(source: Alertmanager | None, call: SilenceCall, words: str) -> None:
    told = await silences(source).perform(effect(call), Written())
    assert isinstance(told, Done)
    assert told.outcome is Outcome.FAILED
    assert words in told.why
