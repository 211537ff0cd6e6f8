"""The feed: all coordinators together, and a Farm published once per change that somebody could see."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from farmtui.config import Config
from farmtui.farm.farm import Farm
from farmtui.farm.reading import Failure, FailureKind
from farmtui.polling.assemble import Assembly, assembly, differs, is_big
from farmtui.polling.build import wanted_sources
from farmtui.polling.clock import Clock, SystemClock, wait_for_event
from farmtui.polling.coordinator import Coordinator
from farmtui.polling.mistakes import trace_of
from farmtui.polling.report import Report, next_change_s
from farmtui.sources import Source

log = logging.getLogger("farmtui.polling")

COALESCE_S: Final = 0.05
"""Answers that come within this are one change: most polls end together."""
SELDOM: Final = 2.5
"""What is asked so many times less often than the most frequent source waits until those have been asked once, or for
`PATIENCE_S`: whoever opens the console wants to know first what is wrong, and then its course and its cost."""
PATIENCE_S: Final = 2.0
SHOWN_S: Final = 0.3
"""What the first picture gets to be made and painted in, before threads import what is needed next."""
CLOSE_S: Final = 5.0
"""What sources get to let go of their connections in, when the console ends."""
LONGEST_SLEEP_S: Final = 3600.0


class Feed:
    """Polls a farm's sources and publishes what they say. `on_farm` is called from the loop."""

    def __init__(
        self,
        config: Config,
        *,
        sources: Sequence[Source[Any]] | None = None,
        on_farm: Callable[[Farm], None] | None = None,
        weigh: Callable[[Farm], object] | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Without `sources` those of the config are built when they are first needed (see `build_sources`).

        `weigh` is called in a thread with each big picture before `on_farm` is: for what `on_farm` would else have to
        work out of it on the loop.
        """
        self._config = config
        self._on_farm = on_farm
        self._weigh = weigh
        self._clock = clock or SystemClock()
        self._chance = chance
        self._given = None if sources is None else tuple(sources)
        self._coordinators: tuple[Coordinator, ...] | None = None
        self._made_of: dict[Coordinator, tuple[object, ...]] = {}
        """What each one's source was made of."""
        self._tasks: dict[Coordinator, asyncio.Task[None]] = {}
        self._running = False
        self._changed = asyncio.Event()
        self._assembly: Assembly | None = None

    @property
    def sources(self) -> tuple[Source[Any], ...]:
        """The sources; built on first use, which imports their modules. Raises what `build_sources` raises."""
        return tuple(coordinator.source for coordinator in self._ensure())

    @property
    def farm(self) -> Farm:
        """The newest picture; before the first answer one in which every source is NEVER."""
        if self._assembly is None:
            self._assembly = assembly(self._config, self._reports(), self._clock.now())
        return self._assembly.farm

    async def asked_first(self) -> None:
        """Until each source that is asked often has been asked once and that is shown, or for `PATIENCE_S`."""
        waited_s = 0.0
        while any(one.report.polls == 0 for one in self._first()):
            if waited_s >= PATIENCE_S:
                return
            await self._clock.sleep(COALESCE_S)
            waited_s += COALESCE_S
        await self._clock.sleep(SHOWN_S)

    def refresh(self, name: str | None = None) -> None:
        """Ask every source now, or the one of this name. Often in a row is the same as once."""
        for coordinator in self._coordinators or ():
            if name is None or coordinator.source.name == name:
                coordinator.refresh()

    async def prepare(self) -> None:
        """Import what the sources are made of, in a thread: to build them takes the loop no time then."""
        if self._given is None:
            await asyncio.to_thread(_import_sources, self._config)

    async def run(self) -> None:
        """Poll and publish until cancelled; then close the sources.

        Raises what `build_sources` raises. Nothing that a source does, or `on_farm`, ends it.
        """
        await self.prepare()
        self._keep_all_running()
        self._running = True
        try:
            self._publish(self.farm)
            while True:
                await self._next_change()
                await self._assemble_and_publish()
        finally:
            self._running = False
            await _stop(list(self._tasks.values()))
            self._tasks.clear()
            await self.close()

    async def use(self, config: Config) -> None:
        """Go on under another config: sources whose sections are the same go on untouched, with all they know.

        Raises what `build_sources` raises, and has changed nothing then.
        """
        await asyncio.to_thread(_import_sources, config)
        before = self._coordinators or ()
        free = [coordinator for coordinator in before if coordinator in self._made_of]
        now: list[Coordinator] = []
        made_of: dict[Coordinator, tuple[object, ...]] = {}
        for wanted in wanted_sources(config, self._clock.now):
            same = next((one for one in free if self._made_of[one] == wanted.made_of), None)
            coordinator = same or self._coordinator(wanted.make())
            if same is not None:
                free.remove(same)
            now.append(coordinator)
            made_of[coordinator] = wanted.made_of
        self._config, self._coordinators, self._made_of = config, tuple(now), made_of
        # What is built upon an earlier picture is so under the same config only.
        self._assembly = None
        ended = [coordinator for coordinator in before if coordinator not in made_of]
        await _stop([task for one in ended if (task := self._tasks.pop(one, None)) is not None])
        if self._running:
            self._keep_all_running()
        self._changed.set()
        await _close_all(ended)

    async def one_cycle(self, deadline_s: float) -> Farm:
        """Poll every source once, all at the same time, and give the Farm; then close the sources.

        A source that has not answered within `deadline_s` is NEVER, with a failure that says so.
        """
        await self.prepare()
        coordinators = self._ensure()
        tasks = [asyncio.ensure_future(coordinator.poll()) for coordinator in coordinators]
        try:
            if tasks:
                passing = asyncio.ensure_future(self._clock.sleep(deadline_s))
                everything = asyncio.ensure_future(asyncio.wait(tasks))
                await asyncio.wait({everything, passing}, return_when=asyncio.FIRST_COMPLETED)
                passing.cancel()
                everything.cancel()
            late = {
                id(c): _late(c.report, deadline_s) for c, t in zip(coordinators, tasks, strict=True) if not t.done()
            }
            reports = [late.get(id(coordinator), coordinator.report) for coordinator in coordinators]
            self._assembly = await self._assembled(reports)
            return self._assembly.farm
        finally:
            await _stop(tasks)
            await self.close()

    async def close(self) -> None:
        """Close the sources. What does not close in time is left behind, and logged."""
        coordinators, self._coordinators = self._coordinators or (), None
        await _close_all(coordinators)

    # -- inside ---------------------------------------------------------------------------------

    def _ensure(self) -> tuple[Coordinator, ...]:
        if self._coordinators is None and self._given is not None:
            self._coordinators = tuple(self._coordinator(source) for source in self._given)
        elif self._coordinators is None:
            wanted = wanted_sources(self._config, self._clock.now)
            self._coordinators = tuple(self._coordinator(one.make()) for one in wanted)
            self._made_of = dict(zip(self._coordinators, (one.made_of for one in wanted), strict=True))
        return self._coordinators

    def _coordinator(self, source: Source[Any]) -> Coordinator:
        return Coordinator(source, self._changed.set, clock=self._clock, chance=self._chance)

    def _keep_all_running(self) -> None:
        first = self._first()
        for coordinator in self._ensure():
            if coordinator not in self._tasks:
                keeping = self._keep_running(coordinator, patient=coordinator not in first)
                self._tasks[coordinator] = asyncio.ensure_future(keeping)

    def _first(self) -> list[Coordinator]:
        often_s = SELDOM * min((one.source.interval_s for one in self._ensure()), default=0.0)
        return [one for one in self._ensure() if one.source.interval_s <= often_s]

    def _reports(self) -> list[Report]:
        return [coordinator.report for coordinator in self._ensure()]

    async def _keep_running(self, coordinator: Coordinator, *, patient: bool) -> None:
        """A fault in a coordinator itself costs one poll, not the source."""
        if patient:
            await self.asked_first()
        while True:
            try:
                await coordinator.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                log.error("the coordinator of %s failed; it begins anew:\n%s", coordinator.source.name, trace_of(error))
                await self._clock.sleep(coordinator.source.interval_s)

    async def _next_change(self) -> None:
        """Until a poll has ended (and those that end with it), or an age that is shown has grown."""
        now = self._clock.now()
        wait_s = min((next_change_s(report, now) for report in self._reports()), default=LONGEST_SLEEP_S)
        # A clock that was set back must not leave a picture without ages for hours.
        if await wait_for_event(self._changed, min(max(wait_s, 0.01), LONGEST_SLEEP_S), self._clock):
            await self._clock.sleep(COALESCE_S)
            self._changed.clear()

    async def _assemble_and_publish(self) -> None:
        before, config, reports = self._assembly, self._config, self._reports()
        found = await self._assembled(reports)
        if config is not self._config:
            # Another config has come meanwhile; the next picture is under that one.
            return
        self._assembly = found
        if before is None or differs(before.farm, found.farm):
            if self._weigh is not None and is_big(reports):
                await self._weighed(found.farm, self._weigh)
            if config is self._config:
                self._publish(found.farm)
        else:
            # What was shown stays what the next picture is compared with, or ages would creep past unseen.
            self._assembly = replace(found, farm=replace(found.farm, at=before.farm.at, sources=before.farm.sources))

    async def _assembled(self, reports: Sequence[Report]) -> Assembly:
        """What the reports make, built upon the last; in a thread where that takes longer than a frame."""
        now, before = self._clock.now(), self._assembly
        if is_big(reports):
            return await asyncio.to_thread(assembly, self._config, reports, now, before)
        return assembly(self._config, reports, now, before)

    async def _weighed(self, farm: Farm, weigh: Callable[[Farm], object]) -> None:
        try:
            await asyncio.to_thread(weigh, farm)
        except Exception as error:  # noqa: BLE001 - whoever shows it will find the same, and say what is wrong
            log.error("a picture of the farm could not be weighed:\n%s", trace_of(error))

    def _publish(self, farm: Farm) -> None:
        if self._on_farm is not None:
            try:
                self._on_farm(farm)
            except Exception as error:  # noqa: BLE001 - a screen's fault must not stop the polling
                log.error("a picture of the farm could not be shown:\n%s", trace_of(error))


def _import_sources(config: Config) -> None:
    """Import the sources' modules, in a thread: aiohttp and the clients take longer than a frame."""
    import importlib

    wanted: Iterable[tuple[str, object]] = (
        ("prometheus", config.prometheus),
        ("alertmanager", config.alertmanager),
        ("proxmox", config.proxmox),
        ("digitalocean", config.digitalocean),
        ("digitalocean_costs", config.digitalocean),
        ("swarm", config.swarm),
        ("gluster", config.gluster),
        ("varnish", config.varnish),
        (f"ceph_detail_{config.ceph.via}" if config.ceph else "", config.ceph),
        ("backups_s3", config.backups and config.backups.stores),
        ("proxmox_backups", config.backups and config.backups.pve),
    )
    for name, section in wanted:
        if section:
            importlib.import_module(f"farmtui.sources.{name}")


def _late(report: Report, deadline_s: float) -> Report:
    what = f"{report.name}: no answer within {deadline_s:g} s"
    return replace(report, failure=Failure(FailureKind.TIMEOUT, what, "give more time, or see why it is slow"))


async def _stop(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CLOSE_S)


async def _close_all(coordinators: Iterable[Coordinator]) -> None:
    closing = {asyncio.ensure_future(_close(coordinator.source)) for coordinator in coordinators}
    if closing:
        _, left = await asyncio.wait(closing, timeout=CLOSE_S)
        for task in left:
            task.cancel()


async def _close(source: Source[Any]) -> None:
    try:
        await source.close()
    except Exception as error:  # noqa: BLE001 - one that cannot let go keeps no other from it
        log.warning("%s did not close: %s", source.name, type(error).__name__)
