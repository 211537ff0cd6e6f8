"""The world with its monitoring, and the one thread in which both are asked and acted on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from farmtui.demo.alerting import ActiveAlert, Alerting
from farmtui.demo.exporters.scrape import Scraped
from farmtui.demo.promql.evaluate import Evaluator, Scalar, Value, Vector
from farmtui.demo.promql.parser import parse
from farmtui.demo.world.changes import Change
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory
from farmtui.demo.world.world import World

T = TypeVar("T")

LOOK_BACK_S = 300.0


class Observed:
    """A world, what Prometheus has scraped of it, and the alerts that follow. Not thread-safe."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.scraped = Scraped(world)
        self.evaluator = Evaluator(self.scraped)
        self.alerting = Alerting(self.evaluator, world.born)

    def instant(self, query: str, at: float) -> Value:
        """An instant query's value. Raises QueryError."""
        return self.range(query, (at,))

    def range(self, query: str, times: Sequence[float]) -> Value:
        """A query's value at each of the times; up to five minutes into the future the last samples count.

        Times must ascend. Raises QueryError.
        """
        node = parse(query)
        now = self.world.advance()
        known = [min(at, now) for at in times if at < now + LOOK_BACK_S]
        later = len(times) - len(known)
        if not later:
            return self.evaluator.range(node, known)
        value = self.evaluator.range(node, known or times)
        if isinstance(value, Scalar):
            return self.evaluator.range(node, times)
        # Nothing has been scraped yet of what is to come.
        return Vector([(labels, [*column, *[None] * later]) for labels, column in value.rows] if known else [])

    def alerts(self) -> list[ActiveAlert]:
        """The alerts that are active now."""
        self.alerting.advance(self.world.advance())
        return self.alerting.alerts()

    def meet(self, family: str) -> None:
        """Make a metric's series, and what they stand on."""
        kind = self.scraped.families[family].kind
        self.instant(f"count(rate({family}[5m]))" if kind == "counter" else f"count({family})", self.world.now)

    def happen(self, *changes: Change) -> bool:
        """Let changes happen to the world now. Returns whether any has changed something."""
        # Alerts of the time before are settled first: what happens now does not reach back.
        self.alerting.advance(self.world.advance())
        changed = self.world.happen(*changes)
        self.evaluator.forget()
        self.scraped.ceph.forget()
        return changed


class Keeper:
    """Lets coroutines ask the world, one at a time, without holding up the event loop."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self.questions = 0
        """How many were asked."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="world")

    @property
    def now(self) -> float:
        """The world's present, Unix seconds."""
        return self._observed.world.now

    @property
    def condition(self) -> Condition:
        """The farm's condition as the last question has found it; it costs no turn in the world's thread."""
        return self._observed.world.timeline.last.condition

    @property
    def farm(self) -> Inventory:
        """What the farm consists of."""
        return self._observed.world.farm

    async def ask(self, question: Callable[[Observed], T]) -> T:
        """The answer to a question, computed in the world's thread."""
        self.questions += 1
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._observed)

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=True, cancel_futures=True)
