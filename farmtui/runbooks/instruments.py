"""Measuring on the farm: queries at its Prometheus, and what a fresh picture of it tells."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from farmtui.config import Config
from farmtui.farm.farm import Farm
from farmtui.farm.reading import Failure
from farmtui.farm.state import Freshness
from farmtui.insight.blast import galera_left, managers_left, mons_left
from farmtui.insight.quorums import without
from farmtui.polling import Feed
from farmtui.runbooks.measuring import Measurement, compared
from farmtui.runbooks.planned import Condition, Measured, QuorumHolds, SourcesFresh
from farmtui.sources.prometheus.client import PrometheusClient

PICTURE_S: Final = 20.0
"""How long a picture of the farm may take."""
KEPT_S: Final = 3.0
"""A picture that is no older is looked at again: the conditions of one plan are of one moment."""


@dataclass(frozen=True, slots=True)
class _Query:
    name: str
    promql: str


class Instruments:
    """See the module."""

    def __init__(self, config: Config, picture: Callable[[], Awaitable[Farm]] | None = None) -> None:
        """`picture` gives the farm as it is now; by default every source is asked."""
        self._config = config
        self._picture = picture or (lambda: Feed(config).one_cycle(PICTURE_S))
        self._client: PrometheusClient | None = None
        self._kept: tuple[float, Farm] | None = None
        self._looking = asyncio.Lock()

    async def farm(self, anew: bool = False) -> Farm:
        """The farm as it is now; or, unless `anew`, as it was a moment ago."""
        async with self._looking:
            clock = asyncio.get_running_loop().time
            if anew or self._kept is None or clock() - self._kept[0] > KEPT_S:
                farm = await self._picture()
                self._kept = clock(), farm
            return self._kept[1]

    async def measure(self, condition: Condition) -> Measurement:
        """See `Measure`."""
        match condition:
            case Measured():
                return await self._query(condition)
            case SourcesFresh():
                return _fresh(condition, await self.farm())
            case QuorumHolds():
                return _quorum(condition, await self.farm())
        return Measurement(False, f"{condition.kind}: there is no command whose end it could be")

    def close(self) -> None:
        """Let go of what it asks with; may be called more than once."""
        if self._client is not None:
            self._client.close()

    async def _query(self, condition: Measured) -> Measurement:
        value, problem = await self.ask(condition.query)
        if problem:
            return Measurement(False, f"{condition.name or condition.query}: {problem}")
        return compared(condition, value)

    async def ask(self, promql: str) -> tuple[float | None, str]:
        """A query's number now (None: it gives none), and why it cannot be had."""
        if self._config.prometheus is None:
            return None, "there is no Prometheus in the config"
        if self._client is None:
            self._client = PrometheusClient(self._config.prometheus, source="prometheus")
        found = await self._client.round(
            [_Query("query", promql)],
            lambda api, query: api.instant(query.promql, ()),
            self._config.prometheus.deadline_s,
        )
        vector = found.answers.get("query")
        if vector is None:
            failure: Failure | None = found.failures.get("query") or found.stopped
            return None, failure.what if failure else "no answer in time"
        if vector.problem or len(vector.values) > 1:
            return None, vector.problem or "the query gives more than one number"
        value = next(iter(vector.values.values()), None)
        return None if value is None or math.isnan(value) else value, ""


def _fresh(condition: SourcesFresh, farm: Farm) -> Measurement:
    old = [s for s in condition.sources if farm.freshness(s) not in (Freshness.LIVE, Freshness.EMPTY)]
    if not old:
        return Measurement(True, f"{', '.join(condition.sources)}: live")
    return Measurement(False, "; ".join(f"{source} is {farm.freshness(source).value}" for source in old))


_LEFT = {"galera": galera_left, "swarm": managers_left, "ceph": mons_left}


def _quorum(condition: QuorumHolds, farm: Farm) -> Measurement:
    if condition.of == "any":
        bearing = without(farm, condition.without)
        return Measurement(bearing.holds, condition.name + (": " if condition.name else "") + bearing.words)
    left, majority = _LEFT[condition.of](farm, condition.without)
    going = f" without {', '.join(condition.without)}" if condition.without else ""
    text = f"{condition.of} quorum{going}: {left} of at least {majority}"
    return Measurement(majority > 0 and left >= majority, condition.name + (": " if condition.name else "") + text)
