"""node_exporter: CPU, memory, filesystems, network, clock and boot of every machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from farmtui.demo.exporters.series import Counter, Family, Gauge, named
from farmtui.demo.exporters.targets import Target, Targets, boot_time
from farmtui.demo.promql.series import Series
from farmtui.demo.world.ceph_state import CephModel
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, EDGE, GIB, STORAGE, Inventory, Machine
from farmtui.demo.world.signals import NOTHING, Mix, Signal, steady
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.waves import ONE, Wave
from farmtui.demo.world.world import World

_RELEASES = {True: "6.12.48+deb13-cloud-amd64", False: "6.12.48+deb13-amd64"}
_NOISES = 16
_CPU_PER_REQUEST_S = {EDGE: 0.0011, CACHE: 0.0015, APP: 0.27, DATABASE: 0.0011}
_IDLE_BUSY = {EDGE: 0.05, CACHE: 0.04, APP: 0.06, DATABASE: 0.05, STORAGE: 0.07}
_MEMORY_USED = {EDGE: 0.34, CACHE: 0.12, APP: 0.16, DATABASE: 0.74, STORAGE: 0.58}
_TASK_BYTES = 0.33 * GIB
_ROOT_USED = {EDGE: 0.31, CACHE: 0.22, APP: 0.48, DATABASE: 0.52, STORAGE: 0.27}
_MODES = {"user": 0.74, "system": 0.19, "softirq": 0.06, "irq": 0.0, "nice": 0.01}
_IOWAIT, _STEAL = 0.006, 0.002
_TMPFS = 0.1
_TRAFFIC_SHARES = {"eth0": 1.0, "eth1": 0.7, "lo": 0.02}
_TUNNEL_BYTES = (41_000.0, 14_000.0)
"""In and out, for each page that the caches fetch through the tunnel."""


class NodeExporter:
    """The node exporters of all machines."""

    def __init__(self, world: World, targets: Targets, ceph: CephModel) -> None:
        self._world = world
        self._targets = targets
        self._ceph = ceph
        self._one = world.flows.signal("one", lambda _epoch: Mix((1.0, ONE)))

    def families(self) -> list[Family]:
        """All metrics of the exporter."""
        gauges: dict[str, tuple[str, Callable[[Machine], Callable[[float], float]]]] = {
            "node_memory_MemTotal_bytes": ("Memory information field MemTotal_bytes.", self._memory_total),
            "node_memory_MemAvailable_bytes": ("Memory information field MemAvailable_bytes.", self._memory_available),
            "node_memory_MemFree_bytes": (
                "Memory information field MemFree_bytes.",
                lambda m: _times(self._memory_available(m), 0.35),
            ),
            "node_load1": ("1m load average.", lambda m: self._load(m, 1.0)),
            "node_load5": ("5m load average.", lambda m: self._load(m, 0.6)),
            "node_load15": ("15m load average.", lambda m: self._load(m, 0.3)),
            "node_time_seconds": ("System time in seconds since epoch (1970).", lambda _m: lambda t: t),
            "node_boot_time_seconds": ("Node boot time, in unixtime.", self._boot),
            "node_timex_offset_seconds": ("Time offset in between local system and reference clock.", self._clock),
        }
        families = [
            Family(name, "gauge", text, lambda name=name, of=of: self._each(name, of))  # type: ignore[misc]
            for name, (text, of) in gauges.items()
        ]
        filesystem = {
            "node_filesystem_size_bytes": ("Filesystem size in bytes.", self._disk_size),
            "node_filesystem_avail_bytes": ("Filesystem space available to non-root users in bytes.", self._disk_avail),
        }
        families += [
            Family(name, "gauge", text, lambda name=name, of=of: self._filesystems(name, of))  # type: ignore[misc]
            for name, (text, of) in filesystem.items()
        ]
        families += [
            Family("node_uname_info", "gauge", "Labeled system information as provided by uname.", self._uname),
            Family("node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.", self._cpu),
            Family(
                "node_network_receive_bytes_total",
                "counter",
                "Network device statistic receive_bytes.",
                lambda: self._network("node_network_receive_bytes_total", 0),
            ),
            Family(
                "node_network_transmit_bytes_total",
                "counter",
                "Network device statistic transmit_bytes.",
                lambda: self._network("node_network_transmit_bytes_total", 1),
            ),
        ]
        return families

    def busy(self, machine: Machine) -> Signal:
        """Busy cores of a machine."""
        return self._world.flows.signal("busy", lambda e: self._busy(e, machine), machine.name)

    # -- what the figures are made of

    def _noise(self, machine: Machine) -> Wave:
        # A machine's noise is one of a few: 10,000 machines do not need 10,000 sums of sinusoids.
        return self._world.flows.noise(f"machine {sum(map(ord, machine.name)) % _NOISES}")

    def _work(self, machine: Machine) -> Signal | None:
        """Requests or queries per second that the machine works on."""
        flows = self._world.flows
        match machine.tier:
            case "edge":
                return flows.signal(
                    "edge", lambda e: Mix((flows.edge_share(e.condition, machine.name), flows.demand)), machine.name
                )
            case "cache":
                return flows.cache_requests(machine.name)
            case "app":
                return flows.worker_requests(machine.name)
            case "database":
                return flows.database_queries(machine.name)
        return None

    def _busy(self, epoch: Epoch, machine: Machine) -> Mix:
        cores = float(machine.size.cpus)
        base = steady(cores * _IDLE_BUSY.get(machine.tier, 0.14)) + Mix((cores * 0.02, self._noise(machine)))
        work = self._work(machine)
        if work is not None:
            slower = epoch.condition.slow_queries if machine.tier == DATABASE else 1.0
            # A bench's workers have fewer cores and each less to do: what they do stays below what they can.
            return base + Mix((_CPU_PER_REQUEST_S[machine.tier] * slower, work))
        if machine.tier == STORAGE:
            recovering = 1.6 if self._ceph.recovers(epoch.condition) else 0.0
            return base + steady(recovering) + self._ceph.node_operations(epoch) * 0.0009
        return base

    def _each(self, name: str, of: Callable[[Machine], Callable[[float], float]]) -> list[Series]:
        return [
            Gauge(named(name, t.labels), self._targets.answering(t), of(t.machine)) for t in self._targets.of("node")
        ]

    def _uname(self) -> list[Series]:
        return [
            Gauge(
                named(
                    "node_uname_info",
                    t.labels,
                    domainname="(none)",
                    machine="x86_64",
                    nodename=t.machine.name,
                    release=_RELEASES[t.machine.droplet],
                    sysname="Linux",
                    version="#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1",
                ),
                self._targets.answering(t),
                lambda _t: 1.0,
            )
            for t in self._targets.of("node")
        ]

    def _cpu(self) -> list[Series]:
        return [series for target in self._targets.of("node") for series in self._cores(target)]

    def _cores(self, target: Target) -> list[Series]:
        machine, present = target.machine, self._targets.answering(target)
        busy, one = self.busy(machine), self._one
        cores = machine.size.cpus
        series: list[Series] = []
        for core in range(cores):
            # Interrupts make the first cores a little busier.
            share = (1.0 + 0.12 * (1 - 2 * core / (cores - 1)) if cores > 1 else 1.0) / cores
            parts = {mode: ((share * part, busy),) for mode, part in _MODES.items() if part}
            parts["iowait"] = ((_IOWAIT, one),)
            parts["steal"] = ((_STEAL if machine.droplet else 0.0, one),)
            spare = 1.0 - _IOWAIT - (_STEAL if machine.droplet else 0.0)
            parts["idle"] = ((spare, one), (-share, busy))  # type: ignore[assignment]
            parts["irq"] = ((0.0, one),)
            for mode, terms in sorted(parts.items()):
                labels = named("node_cpu_seconds_total", target.labels, cpu=str(core), mode=mode)
                series.append(Counter(labels, present, terms, whole=False))
        return series

    def _memory_total(self, machine: Machine) -> Callable[[float], float]:
        # What firmware and kernel keep for themselves is not in MemTotal.
        total = float(round(machine.size.memory_bytes * 0.974))
        return lambda _t: total

    def _memory_available(self, machine: Machine) -> Callable[[float], float]:
        total = machine.size.memory_bytes * 0.974
        base = _MEMORY_USED.get(machine.tier, 0.47)
        noise, timeline = self._noise(machine), self._world.timeline

        def available(t: float) -> float:
            now = timeline.at(t).condition
            used = base + 0.012 * noise.value(t)
            if machine.tier == APP:
                used += now.swarm.tasks.get(machine.name, 0.0) * _TASK_BYTES / total
            elif machine.tier == CACHE:
                used += 0.66 * now.varnish[machine.name].fill.value(t)
            return float(round(total * max(0.02, 1.0 - used)))

        return available

    def _load(self, machine: Machine, restless: float) -> Callable[[float], float]:
        busy, noise = self.busy(machine), self._noise(machine)
        return lambda t: round(max(0.0, busy.value(t) * (1.08 + 0.25 * restless * noise.value(t))), 2)

    def _boot(self, machine: Machine) -> Callable[[float], float]:
        timeline, first = self._world.timeline, boot_time(self._world, machine.name)
        return lambda t: float(round(timeline.at(t).condition.booted.get(machine.name, first)))

    def _clock(self, machine: Machine) -> Callable[[float], float]:
        timeline, noise = self._world.timeline, self._noise(machine)
        return lambda t: timeline.at(t).condition.clocks.get(machine.name, 0.0) + 0.0004 * noise.value(t)

    def _filesystems(self, name: str, of: Callable[[Machine], Callable[[float], float]]) -> list[Series]:
        series: list[Series] = []
        for target in self._targets.of("node"):
            present, machine = self._targets.answering(target), target.machine
            device = "/dev/vda1" if machine.droplet else "/dev/sda1"
            root = named(name, target.labels, device=device, fstype="ext4", mountpoint="/")
            tmpfs = named(name, target.labels, device="tmpfs", fstype="tmpfs", mountpoint="/run")
            share = 1.0 if name.endswith("size_bytes") else 0.985
            run = machine.size.memory_bytes * _TMPFS * share
            series.append(Gauge(root, present, of(machine)))
            series.append(Gauge(tmpfs, present, lambda _t, run=run: run))  # type: ignore[misc]
        return series

    def _disk_size(self, machine: Machine) -> Callable[[float], float]:
        size = float(round(machine.size.disk_bytes * 0.984))
        return lambda _t: size

    def _disk_avail(self, machine: Machine) -> Callable[[float], float]:
        size, timeline = machine.size.disk_bytes * 0.984, self._world.timeline
        base = _ROOT_USED.get(machine.tier, 0.47) + 0.05 * ((sum(map(ord, machine.name)) % 7) / 7 - 0.5)
        noise = self._noise(machine)

        def available(t: float) -> float:
            filling = timeline.at(t).condition.filling.get(machine.name)
            used = base + 0.004 * noise.value(t) + (filling.value(t) if filling else 0.0)
            return float(round(size * max(0.004, 1.0 - used)))

        return available

    def _network(self, name: str, direction: int) -> list[Series]:
        series: list[Series] = []
        for target in self._targets.of("node"):
            present, machine = self._targets.answering(target), target.machine
            traffic = self._world.flows.signal(
                "network", partial(self._traffic, machine, direction), machine.name, str(direction)
            )
            devices = [(device, _TRAFFIC_SHARES.get(device, 0.0)) for device in devices_of(machine, self._world.farm)]
            devices += [("docker_gwbridge", 0.6)] if machine.tier in (EDGE, APP) else []
            for device, share in sorted(devices):
                through = ((_TUNNEL_BYTES[direction], self._world.flows.worked),) if device == "wg0" else None
                labels = named(name, target.labels, device=device)
                series.append(Counter(labels, present, through or ((share, traffic),)))
        return series

    def _traffic(self, machine: Machine, direction: int, epoch: Epoch) -> Mix:
        """Bytes per second in (0) or out (1)."""
        base = steady(21_000.0) + Mix((6_000.0, self._noise(machine)))
        work = self._work(machine)
        if machine.tier == STORAGE:
            per_operation = (22_000.0, 34_000.0)[direction]
            recovering = 6.5e7 if self._ceph.recovers(epoch.condition) else 0.0
            return base + self._ceph.node_operations(epoch) * per_operation + steady(recovering)
        if work is None:
            return base + (steady(260_000.0) if direction == 0 else NOTHING)
        per_request = {
            EDGE: (33_000.0, 34_500.0),
            CACHE: (6_200.0, 33_000.0),
            APP: (14_000.0, 41_000.0),
            DATABASE: (320.0, 2_900.0),
        }[machine.tier][direction]
        return base + Mix((per_request, work))


def devices_of(machine: Machine, farm: Inventory) -> tuple[str, ...]:
    """The interfaces of a machine, those of containers and bridges aside."""
    found = ["eth0", "lo"]
    if machine.tier == STORAGE:
        # The second is Ceph's cluster network; nothing is plugged into the third.
        found += ["eth1", "eth2"]
    if machine.name == farm.tiers[EDGE][0].name:
        found.append("wg0")
    return tuple(sorted(found))


def _times(function: Callable[[float], float], factor: float) -> Callable[[float], float]:
    return lambda t: float(round(function(t) * factor))
