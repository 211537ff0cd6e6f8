"""The world: one farm, its history so far, and everything that can be done to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random

from farmtui.demo.world.changes import Change
from farmtui.demo.world.condition import Ceph, Condition, Database, Osd, Relaxing, Swarm, Varnish, level
from farmtui.demo.world.day import living_day
from farmtui.demo.world.flows import Flows
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, EDGE, STORAGE, Inventory, build_inventory
from farmtui.demo.world.settling import MISS_RATIO
from farmtui.demo.world.timeline import Epoch, Timeline

HISTORY_S = 15 * 86_400.0
"""How far back the world's history reaches when it begins: a week of trends, and the week before to compare with."""

_EVENTFUL_S = 8 * 86_400.0
"""How far back small things have gone wrong: before, all was well. Each event costs some start-up time."""

_DAY = 86_400.0
TASKS_PER_SITE = 2


class World:
    """A farm with a past. Not thread-safe: one thread asks and acts.

    Equal seeds, clocks and actions give equal worlds.
    """

    def __init__(
        self,
        seed: int,
        clock: Callable[[], float],
        *,
        nodes: int = 34,
        sites: int = 500,
        living: bool = True,
        calm_s: float | None = None,
        before: Iterable[tuple[float, Change]] = (),
    ) -> None:
        """`clock` gives Unix seconds. `living`: small things go wrong by themselves; none begins in the last `calm_s`
        seconds before the present, nor later, where it is given. `before`: changes with the seconds before the
        present at which they have already happened."""
        self.seed = seed
        self.clock = clock
        self.farm: Inventory = build_inventory(seed, nodes, sites)
        self.born = clock()
        self.origin = math.floor(self.born / _DAY) * _DAY - HISTORY_S
        self.timeline = Timeline.begin(self.farm, self._beginning(), self.origin)
        self.flows = Flows(self.farm, self.timeline, seed)
        self.revision = 0
        """Counts changes that came from outside: what was computed for their moment is void."""
        self._living_until = self.origin + HISTORY_S - _EVENTFUL_S
        self._living = living
        self._calm_from = math.inf if calm_s is None else self.born - calm_s
        self.timeline.plan((self.born - ago, change) for ago, change in before)
        self.advance()

    @property
    def now(self) -> float:
        """The present, Unix seconds."""
        return self.clock()

    def advance(self) -> float:
        """Let happen what is due; returns the present."""
        now = self.clock()
        while self._living and self._living_until <= now:
            day = round(self._living_until / _DAY)
            self.timeline.plan(living_day(self.seed, day, self.farm, self._calm_from))
            self._living_until += _DAY
        self.timeline.advance(now)
        return now

    def epoch(self) -> Epoch:
        """The present epoch."""
        self.advance()
        return self.timeline.last

    def happen(self, *changes: Change) -> bool:
        """Let changes happen now. Returns whether any has changed something."""
        now = self.advance()
        done = [self.timeline.happen(change, now) for change in changes]
        self.revision += 1
        self.flows.forget()
        return any(done)

    def plan(self, changes: Iterable[tuple[float, Change]]) -> None:
        """Let changes happen in so many seconds from now."""
        now = self.advance()
        self.timeline.plan((now + delay, change) for delay, change in changes)

    # -- the condition in which the world begins

    def _beginning(self) -> Condition:
        farm, at = self.farm, self.origin
        random = Random(f"{self.seed}:beginning")
        warm = Relaxing(MISS_RATIO, MISS_RATIO, at, 600.0)
        full = Relaxing(0.985, 0.985, at, 600.0)
        caches = farm.tiers[CACHE]
        workers = farm.tiers[APP]
        tasks = TASKS_PER_SITE * len(farm.sites) / len(workers)
        return Condition(
            off=frozenset(),
            hosts_off=frozenset(),
            booted={},
            varnish={
                m.name: Varnish(running=True, started=at - random.uniform(2, 40) * _DAY, miss=warm, fill=full)
                for m in caches
            },
            redis_master=caches[0].name,
            redis_full=frozenset(),
            databases={
                m.name: Database(running=True, started=at - random.uniform(5, 60) * _DAY) for m in farm.tiers[DATABASE]
            },
            primary=True,
            members=len(farm.tiers[DATABASE]),
            swarm=Swarm(
                leader=farm.tiers[EDGE][0].name,
                tasks={m.name: tasks for m in workers},
                starting=Relaxing(0.0, 0.0, at, 50.0),
            ),
            ceph=Ceph(
                osds=tuple(Osd(True, True, at, level(0.0), level(0.0)) for _ in farm.osd_hosts),
                mgr=farm.tiers[STORAGE][0].name,
                mds=farm.tiers[STORAGE][1].name,
            ),
        )
