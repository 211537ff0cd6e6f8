"""prometheus-pve-exporter's metrics: one scrape for each PVE host, through an exporter beside Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from farmtui.demo.exporters.series import Family, Gauge, named
from farmtui.demo.exporters.targets import PVE, Target, Targets
from farmtui.demo.promql.series import Series
from farmtui.demo.world.changes import alive
from farmtui.demo.world.world import World


class PveExporter:
    """What runs on each PVE host. A host tells of itself and of its own guests."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets

    def families(self) -> list[Family]:
        """All these metrics."""
        return [
            Family("pve_up", "gauge", "Node/VM/CT-Status is online/running", self._up),
            Family("pve_node_info", "gauge", "Node info", self._nodes),
            Family("pve_guest_info", "gauge", "VM/CT info", self._guests),
        ]

    def _up(self) -> list[Series]:
        return [
            Gauge(named("pve_up", t.labels, id=ident), self._targets.answering(t), partial(self._runs, name))
            for t in self._targets.of(PVE)
            for ident, name in self._on(t)
        ]

    def _runs(self, name: str, t: float) -> float:
        """Spare guests (those that are no machine of the farm) are stopped on purpose."""
        farm = self._world.farm
        known = name in farm.by_name or name in farm.host_names
        return 1.0 if known and alive(self._world.timeline.at(t).condition, farm, name) else 0.0

    def _nodes(self) -> list[Series]:
        return [
            Gauge(
                named("pve_node_info", t.labels, id=f"node/{t.machine.name}", level="c", name=t.machine.name),
                self._targets.answering(t),
                lambda _t: 1.0,
            )
            for t in self._targets.of(PVE)
        ]

    def _guests(self) -> list[Series]:
        return [
            Gauge(
                named("pve_guest_info", t.labels, id=ident, name=name, type="qemu"),
                self._targets.answering(t),
                lambda _t: 1.0,
            )
            for t in self._targets.of(PVE)
            for ident, name in self._on(t)
            if ident.startswith("qemu/")
        ]

    def _on(self, target: Target) -> Iterator[tuple[str, str]]:
        """The host of a target and its guests, each with its PVE id."""
        host, farm = target.machine.name, self._world.farm
        yield f"node/{host}", host
        guests = [(m.vmid, m.name, m.host) for m in farm.machines] + [(s.vmid, s.name, s.host) for s in farm.spares]
        for vmid, name, place in guests:
            if place == host:
                yield f"qemu/{vmid}", name
