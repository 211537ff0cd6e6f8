"""All that Prometheus has scraped: the storage that the evaluator selects series from."""

from __future__ import annotations

from collections.abc import Sequence

from farmtui.demo.exporters.cache import RedisExporter, VarnishExporter
from farmtui.demo.exporters.ceph import CephExporter
from farmtui.demo.exporters.database import DatabaseExporter
from farmtui.demo.exporters.network import NetworkExporter
from farmtui.demo.exporters.node import NodeExporter
from farmtui.demo.exporters.pve import PveExporter
from farmtui.demo.exporters.series import SCRAPE_S, Family
from farmtui.demo.exporters.sites import SitesExporter
from farmtui.demo.exporters.swarm import SwarmExporter
from farmtui.demo.exporters.targets import Targets
from farmtui.demo.exporters.traefik import TraefikExporter
from farmtui.demo.exporters.watchers import Watchers
from farmtui.demo.promql.series import Series
from farmtui.demo.promql.syntax import Matcher
from farmtui.demo.world.ceph_state import CephModel
from farmtui.demo.world.world import World

_REMEMBERED_SELECTIONS = 512


class Scraped:
    """Every series of the farm, made when it is first asked for. Not thread-safe."""

    interval_s = SCRAPE_S

    def __init__(self, world: World) -> None:
        self.world = world
        self.targets = Targets(world)
        self.ceph = CephModel(world.flows, world.origin)
        self.node = NodeExporter(world, self.targets, self.ceph)
        self.swarm = SwarmExporter(world, self.targets)
        exporters = (
            self.targets,
            self.node,
            TraefikExporter(world, self.targets),
            SitesExporter(world, self.targets),
            VarnishExporter(world, self.targets),
            RedisExporter(world, self.targets),
            self.swarm,
            DatabaseExporter(world, self.targets),
            CephExporter(world, self.targets, self.ceph),
            PveExporter(world, self.targets),
            NetworkExporter(world, self.targets),
            Watchers(world, self.targets),
        )
        self.families: dict[str, Family] = {
            family.name: family for exporter in exporters for family in exporter.families()
        }
        self._built: dict[str, tuple[object, Sequence[Series]]] = {}
        self._selections: dict[tuple[Matcher, ...], tuple[tuple[object, ...], Sequence[Series]]] = {}

    def select(self, matchers: tuple[Matcher, ...]) -> Sequence[Series]:
        """See Storage."""
        tests = [matcher.compile() for matcher in matchers]
        on_name = [test for test in tests if test.name == "__name__"]
        exact = next((m.value for m in matchers if m.name == "__name__" and m.operator == "="), None)
        candidates = self.families if exact is None else [exact] if exact in self.families else []
        names = [name for name in candidates if all(test(name) for test in on_name)]
        keys = tuple(self.families[name].key() for name in names)
        known = self._selections.get(matchers)
        if known is not None and known[0] == keys:
            return known[1]
        others = [test for test in tests if test.name != "__name__"]
        found: list[Series] = []
        for name in names:
            series = self.series(name)
            if others:
                series = [s for s in series if all(test(s.labels.get(test.name, "")) for test in others)]
            found.extend(series)
        if len(self._selections) >= _REMEMBERED_SELECTIONS:
            self._selections.clear()
        self._selections[matchers] = (keys, found)
        return found

    def series(self, name: str) -> Sequence[Series]:
        """All series of one metric."""
        family = self.families[name]
        key = family.key()
        known = self._built.get(name)
        if known is None or known[0] != key:
            known = self._built[name] = (key, family.build())
        return known[1]
