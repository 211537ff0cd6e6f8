"""A coordinator: when it asks, what it keeps, and that nothing a source does gets past it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.polling.backoff import CAP_S, jittered, plain_delay_s
from farmtui.polling.coordinator import GRACE_S, REFRESH_GAP_S, Coordinator
from farmtui.secrets import Secret
from tests.unit.polling_stage import START, Answer, StageClock, StageSource, fails, no_chance, settle


@asynccontextmanager
async def running(
    *answers: Answer, **more: Any
) -> AsyncIterator[tuple[StageClock, StageSource, Coordinator, list[float]]]:
    """A coordinator at work over a source with these answers; and when it told of a poll."""
    clock = StageClock()
    source = StageSource(clock, answers, **more)
    told: list[float] = []
    coordinator = Coordinator(source, lambda: told.append(clock.elapsed_s), clock=clock, chance=no_chance)
    task = asyncio.ensure_future(coordinator.run())
    try:
        yield clock, source, coordinator, told
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_next_poll_is_armed_when_the_last_has_ended() -> None:
    async with running("value", takes_s=4.0) as (clock, source, _, told):
        await clock.advance(60)
        assert [round(later - earlier, 6) for earlier, later in pairwise(source.polled_at)] == [14.0] * 4
        assert not source.overlapped
        assert len(told) == 4


async def test_the_start_is_spread() -> None:
    clock = StageClock()
    sources = [StageSource(clock, ["value"]) for _ in range(2)]
    chances = iter([0.0, 1.0])
    tasks = [
        asyncio.ensure_future(Coordinator(s, lambda: None, clock=clock, chance=lambda: next(chances, 0.5)).run())
        for s in sources
    ]
    await clock.advance(1)
    assert sources[0].polled_at != sources[1].polled_at
    assert max(s.polled_at[0] for s in sources) <= 0.25
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_failure_keeps_the_last_good_value() -> None:
    async with running("good", fails()) as (clock, _, coordinator, _):
        await clock.advance(1)
        taken_at = coordinator.report.taken_at
        await clock.advance(10)
        report = coordinator.report
        assert (report.value, report.taken_at, report.failures_in_a_row) == ("good", taken_at, 1)
        assert report.failure is not None
        assert report.failure.kind is FailureKind.UNREACHABLE


async def test_failures_are_asked_after_ever_more_rarely_and_then_not_more_rarely() -> None:
    async with running(fails()) as (clock, source, _, _):
        await clock.advance(400)
        gaps = [round(later - earlier) for earlier, later in pairwise(source.polled_at)]
        assert gaps[:4] == [10, 20, 40, 60]
        assert set(gaps[3:]) == {60}


async def test_recovery_goes_back_to_the_interval() -> None:
    async with running(fails(), fails(), fails(), "good") as (clock, source, coordinator, _):
        await clock.advance(100)
        gaps = [round(later - earlier) for earlier, later in pairwise(source.polled_at)]
        assert gaps[:3] == [10, 20, 40]
        assert set(gaps[3:]) == {10}
        assert coordinator.report.failures_in_a_row == 0
        assert coordinator.report.failure is None


async def test_a_refusal_backs_off_to_minutes_and_says_so() -> None:
    async with running("good", fails(FailureKind.FORBIDDEN)) as (clock, source, coordinator, _):
        await clock.advance(11)
        failure = coordinator.report.failure
        assert failure is not None
        assert failure.remedy == "start it; it is asked again in about 2 min"
        asked = len(source.polled_at)
        await clock.advance(115)
        assert len(source.polled_at) == asked
        await clock.advance(10)
        assert len(source.polled_at) == asked + 1
        assert coordinator.report.refused
        assert coordinator.report.value == "good"


async def test_what_the_server_asked_for_is_obeyed_even_by_a_refresh() -> None:
    async with running(fails(FailureKind.RATE_LIMITED, retry_after_s=90.0), "good") as (clock, source, coordinator, _):
        await clock.advance(1)
        coordinator.refresh()
        await clock.advance(85)
        assert len(source.polled_at) == 1
        await clock.advance(9)
        assert len(source.polled_at) == 2
        assert source.polled_at[1] - source.polled_at[0] >= 90


async def test_a_partial_answer_is_an_answer() -> None:
    partial = Reading("half", START, 0.1, fails(), ("one of two is down",))
    async with running(partial) as (clock, source, coordinator, _):
        await clock.advance(35)
        assert len(source.polled_at) == 4
        report = coordinator.report
        assert (report.value, report.warnings, report.failure, report.refused) == (
            "half",
            ("one of two is down",),
            fails(),
            False,
        )


async def test_a_refresh_asks_at_once_and_often_is_once() -> None:
    async with running("value", interval_s=100.0) as (clock, source, coordinator, _):
        await clock.advance(50)
        for _ in range(20):
            coordinator.refresh()
            await settle()
        await clock.advance(0.5)
        assert len(source.polled_at) == 2
        for _ in range(10):
            coordinator.refresh()
            await clock.advance(0.01)
        assert len(source.polled_at) == 2
        await clock.advance(REFRESH_GAP_S)
        assert len(source.polled_at) == 3
        await clock.advance(50)
        assert len(source.polled_at) == 3


async def test_a_refresh_during_a_poll_asks_once_more_after_it() -> None:
    async with running("value", interval_s=100.0, takes_s=5.0) as (clock, source, coordinator, _):
        await clock.advance(2)
        coordinator.refresh()
        await clock.advance(10)
        assert len(source.polled_at) == 2
        assert not source.overlapped


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("boom"),
        Reading(None, START, 0.0),
        Reading("value", datetime(2026, 1, 1), 0.0),  # noqa: DTZ001 - a time without a zone is the point
        asyncio.CancelledError(),
    ],
    ids=["raises", "neither", "naive", "cancels itself"],
)
async def test_a_source_that_misbehaves_is_reported_as_a_bug_of_ours(answer: Answer) -> None:
    async with running("good", answer, "good again") as (clock, _, coordinator, _):
        await clock.advance(11)
        failure = coordinator.report.failure
        assert failure is not None
        assert "a bug of farmtui" in failure.what
        assert coordinator.report.value == "good"
        await clock.advance(11)
        assert coordinator.report.value == "good again"
        assert coordinator.report.failure is None


class Rude(StageSource):
    """A source that keeps to no protocol."""

    def __init__(self, clock: StageClock, *, raises: BaseException | None = None) -> None:
        super().__init__(clock, ["unused"])
        self.raises = raises

    def poll(self) -> Any:
        """Neither asynchronous nor a reading."""
        if self.raises is not None:
            raise self.raises
        return _answer()


async def _answer() -> str:
    return "not a reading"


class Lying(BaseException):
    """Raised where even `except Exception` does not look."""


@pytest.mark.parametrize("raises", [None, ValueError("at once"), Lying()])
async def test_a_source_that_keeps_to_no_protocol_is_contained(raises: BaseException | None) -> None:
    clock = StageClock()
    coordinator = Coordinator(Rude(clock, raises=raises), lambda: None, clock=clock, chance=no_chance)
    await coordinator.poll()
    assert coordinator.report.failure is not None
    assert "a bug of farmtui" in coordinator.report.failure.what


def hangs(*, stubborn: bool) -> Callable[[], Awaitable[Any]]:
    """A poll that never ends; a stubborn one cannot even be cancelled (until the test lets go of it)."""

    async def poll() -> Any:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not stubborn or released:
                    raise

    released: list[bool] = []
    poll.released = released  # type: ignore[attr-defined]
    return poll


async def test_a_poll_that_hangs_is_cut_and_asked_again() -> None:
    async with running(hangs(stubborn=False), "good") as (clock, source, coordinator, _):
        await clock.advance(89)
        assert coordinator.report.polls == 0
        await clock.advance(3)
        failure = coordinator.report.failure
        assert failure is not None
        assert "did not end within 1 min" in failure.what
        await clock.advance(20)
        assert coordinator.report.value == "good"
        assert not source.overlapped


async def test_a_poll_that_cannot_be_cancelled_is_never_doubled() -> None:
    stubborn = hangs(stubborn=True)
    async with running(stubborn, "good") as (clock, source, coordinator, _):
        await clock.advance(90 + GRACE_S + 30)
        assert len(source.polled_at) == 1
        assert coordinator.report.polls >= 2
        assert coordinator.report.failure is not None
        assert "still has not ended" in coordinator.report.failure.what
        stubborn.released.append(True)  # type: ignore[attr-defined]
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task() and "_call" in repr(task.get_coro()):
                task.cancel()
        await clock.advance(120)
        assert coordinator.report.value == "good"


async def test_an_outage_is_logged_once_and_its_end_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE_TOKEN", "hunter2-hunter2")
    Secret("env:STAGE_TOKEN").reveal()
    spoken = Failure(FailureKind.SERVER, "prometheus: HTTP 500: hunter2-hunter2", "see its log")
    caplog.set_level(logging.INFO, logger="farmtui.polling")
    async with running("good", spoken, spoken, spoken, "good") as (clock, _, _, _):
        await clock.advance(120)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["prometheus: HTTP 500: •••; see its log", "prometheus answers again"]


async def test_an_exceptions_text_never_reaches_the_screen() -> None:
    async with running(RuntimeError("password=hunter2")) as (clock, _, coordinator, _):
        await clock.advance(1)
        failure = coordinator.report.failure
        assert failure is not None
        assert "hunter2" not in failure.what + failure.remedy
        assert "RuntimeError at polling_stage.py:" in failure.what


KINDS = st.sampled_from(FailureKind)
DELAYS = st.floats(1.0, 600.0)


@given(DELAYS, KINDS, st.integers(1, 100), st.floats(0, 1), st.none() | st.floats(0, 3600), st.booleans())
def test_delays_are_bounded(
    interval_s: float, kind: FailureKind, in_a_row: int, chance: float, retry_after_s: float | None, partial: bool
) -> None:
    failure = Failure(kind, "", "", retry_after_s)
    delay_s = jittered(plain_delay_s(interval_s, failure, in_a_row, partial=partial), failure, chance)
    assert delay_s >= (retry_after_s or 0.0)
    assert delay_s >= 0.8 * interval_s
    assert delay_s <= 1.2 * max(interval_s, CAP_S, 600.0, retry_after_s or 0.0)


@given(DELAYS, KINDS)
def test_delays_never_shrink_while_it_fails(interval_s: float, kind: FailureKind) -> None:
    failure = Failure(kind, "", "")
    delays = [plain_delay_s(interval_s, failure, number, partial=False) for number in range(1, 40)]
    assert delays == sorted(delays)
