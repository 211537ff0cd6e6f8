"""What polling is tested on: a clock that stands until it is told, and sources that do as they are told."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from farmtui.config import Config
from farmtui.farm.farm import Farm, HostView, PrometheusView
from farmtui.farm.node import Exporter, HostMetrics
from farmtui.farm.reading import Failure, FailureKind, Reading

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


class StageClock:
    """Time passes in `advance` only, and stops at each moment somebody sleeps until."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def now(self) -> datetime:
        """The present."""
        return START + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        """Until somebody advances the clock that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed_s + seconds, next(self._count), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everybody do what they do in it."""
        await settle()
        until = self.elapsed_s + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self.elapsed_s = max(self.elapsed_s, at)
                future.set_result(None)
                await settle()
        self.elapsed_s = until
        await settle()


async def settle() -> None:
    """Let every task run until it waits for the clock."""
    for _ in range(30):
        await asyncio.sleep(0)


Answer = Reading[Any] | Failure | BaseException | object | Callable[[], Awaitable[Any]]


class StageSource:
    """A source that gives its answers in turn, the last one for ever.

    An answer is a value, a Failure, a Reading, an exception to raise, or an async function to await.
    """

    def __init__(self, clock: StageClock, answers: Sequence[Answer], **more: Any) -> None:
        self.name: str = more.get("name", "prometheus")
        self.kind: str = more.get("kind", "prometheus")
        self.endpoint = f"http://{self.kind}.example"
        self.interval_s: float = more.get("interval_s", 10.0)
        self.takes_s: float = more.get("takes_s", 0.0)
        self.answers = list(answers)
        self.polled_at: list[float] = []
        self.running = 0
        self.overlapped = False
        self.closed = 0
        self._clock = clock

    async def poll(self) -> Reading[Any]:
        """The next answer."""
        self.polled_at.append(self._clock.elapsed_s)
        self.overlapped |= self.running > 0
        self.running += 1
        try:
            at = self._clock.now()
            if self.takes_s:
                await self._clock.sleep(self.takes_s)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if callable(answer):
                answer = await answer()
            if isinstance(answer, BaseException):
                raise answer
            if isinstance(answer, Reading):
                return answer
            if isinstance(answer, Failure):
                return Reading(None, at, self.takes_s, answer)
            return Reading(answer, at, self.takes_s, requests=3)
        finally:
            self.running -= 1

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


def fails(kind: FailureKind = FailureKind.UNREACHABLE, *, retry_after_s: float | None = None) -> Failure:
    """A failed poll."""
    return Failure(kind, f"prometheus: {kind.value}", "start it", retry_after_s)


def seen(load: float = 1.0, at: datetime = START, count: int = 1) -> PrometheusView:
    """What Prometheus may say: machines with a load."""
    return PrometheusView(
        hosts=tuple(
            HostView(
                f"10.0.0.{number}",
                (f"10.0.0.{number}",),
                f"web-{number}",
                "app",
                (Exporter("node", f"10.0.0.{number}:9100", up=True),),
                HostMetrics(load1=load, seen_at=at),
            )
            for number in range(1, count + 1)
        )
    )


class Audience:
    """Everybody who was shown a Farm."""

    def __init__(self) -> None:
        self.farms: list[Farm] = []

    def __call__(self, farm: Farm) -> None:
        """Be shown one."""
        self.farms.append(farm)

    @property
    def last(self) -> Farm:
        """What is on the screen."""
        return self.farms[-1]


def no_chance() -> float:
    """The middle of every jitter: none at all."""
    return 0.5


CONFIG = Config.model_validate({"farm": {"name": "stage"}})
