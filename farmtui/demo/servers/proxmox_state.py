"""What Proxmox VE knows of the world: its hosts, their guests, and what it says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from farmtui.demo.exporters.targets import boot_time
from farmtui.demo.observed import Observed
from farmtui.demo.world.changes import alive, host_of
from farmtui.demo.world.inventory import GIB, PVE_CLUSTER, Inventory, Machine, PveHost, Size, SpareGuest

VERSION = "8.4.14"
SAMPLE_S = 10.0
_KERNEL = "6.8.12-15-pve"
_OWN_CORES, _OWN_BYTES = 0.9, 6 * GIB
"""What a host needs for itself."""
_ROOT_BYTES, _ROOT_USED = 94 * GIB, 0.19
_STORE_BYTES, _STORE_FREE = 3_600 * GIB, 0.12
BACKUPS = "nfs-backup"
_BACKUPS_BYTES = 16_000 * GIB
_SPARE_CPUS, _SPARE_BYTES, _SPARE_DISK = 4, 8 * GIB, 32 * GIB

Json = dict[str, Any]


class RefusedError(Exception):
    """An answer that is no success: the HTTP status and PVE's words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Sampled:
    """What pvestatd has measured last: like the real one it looks every ten seconds. Not thread-safe."""

    def __init__(self) -> None:
        self.at = 0.0
        self._cores: dict[str, float] = {}

    def advance(self, now: float) -> None:
        """Measure anew where it is time to."""
        at = now // SAMPLE_S * SAMPLE_S
        if at != self.at:
            self.at = at
            self._cores = {}

    def busy_cores(self, observed: Observed, machine: Machine) -> float:
        """The cores of a guest that are busy: the node exporter's own figure."""
        known = self._cores.get(machine.name)
        if known is None:
            busy = observed.scraped.node.busy(machine).value(self.at)
            known = self._cores[machine.name] = min(float(machine.size.cpus), max(0.0, busy))
        return known


@dataclass(frozen=True)
class PveState:
    """The cluster at one moment."""

    observed: Observed
    sampled: Sampled
    host: str
    """The API node's own name; empty where it stands nowhere."""
    at: float

    @classmethod
    def of(cls, observed: Observed, sampled: Sampled, host: str = "") -> PveState:
        """The cluster now."""
        at = observed.world.advance()
        sampled.advance(at)
        return cls(observed, sampled, host, at)

    @property
    def farm(self) -> Inventory:
        """What the farm consists of."""
        return self.observed.world.farm

    def runs(self, name: str) -> bool:
        """Whether a host or a machine runs."""
        return alive(self.observed.world.timeline.last.condition, self.farm, name)

    def size(self, machine: Machine) -> Size:
        """What a guest is made of now."""
        return self.observed.world.timeline.last.condition.sizes.get(machine.name, machine.size)

    def host_of(self, machine: Machine) -> str:
        """The host that a guest is on."""
        return host_of(self.observed.world.timeline.last.condition, machine)

    def uptime_s(self, name: str) -> int:
        """Whole seconds since a host or machine that runs has booted."""
        world = self.observed.world
        booted = world.timeline.last.condition.booted.get(name, boot_time(world, name))
        return max(0, int(self.at - booted))

    @cached_property
    def _placed(self) -> dict[str, list[Machine]]:
        placed: dict[str, list[Machine]] = {}
        for machine in self.farm.machines:
            placed.setdefault(self.host_of(machine), []).append(machine)
        return placed

    def guests(self, host: str = "") -> list[Machine]:
        """The farm's machines that are guests here, on one host or on all."""
        return self._placed.get(host, []) if host else [m for m in self.farm.machines if m.host]

    def spares(self, host: str = "") -> list[SpareGuest]:
        """The guests that are no part of the farm."""
        return [spare for spare in self.farm.spares if host in ("", spare.host)]

    def named(self, host: str) -> PveHost:
        """A host by its name. Raises RefusedError as PVE does."""
        found = next((h for h in self.farm.hosts if h.name == host), None)
        if found is None:
            raise RefusedError(
                500,
                f"hostname lookup '{host}' failed - failed to get address info for: {host}: Name or service not known",
            )
        return found

    def must_reach(self, host: str) -> None:
        """Raises RefusedError where the API node cannot pass a request on to that host."""
        self.named(host)
        if not self.runs(host):
            raise RefusedError(595, "No route to host")

    def guest(self, host: str, vmid: int) -> Machine | SpareGuest:
        """A guest by its host and id. Raises RefusedError as PVE does."""
        everybody: Sequence[Machine | SpareGuest] = [*self.guests(host), *self.spares(host)]
        for guest in everybody:
            if guest.vmid == vmid:
                return guest
        raise RefusedError(500, f"Configuration file 'nodes/{host}/qemu-server/{vmid}.conf' does not exist")

    def busy_cores(self, machine: Machine) -> float:
        """The cores of a guest that are busy."""
        return self.sampled.busy_cores(self.observed, machine)

    def used_bytes(self) -> dict[str, float]:
        """The memory in use of every machine that answers, by name: from the node exporters' own series."""
        scraped, ticks = self.observed.scraped, (self.at,)
        total, free = (
            {series.labels["node"]: series.column(ticks)[0] for series in scraped.series(f"node_memory_{field}_bytes")}
            for field in ("MemTotal", "MemAvailable")
        )
        return {
            name: size - rest
            for name, size in total.items()
            if size is not None and (rest := free.get(name)) is not None
        }


def version() -> Json:
    """`/version`."""
    return {"version": VERSION, "release": VERSION.rpartition(".")[0], "repoid": "b502d23c55afcba1"}


def cluster_status(state: PveState) -> list[Json]:
    """`/cluster/status`."""
    hosts = state.farm.hosts
    online = sum(state.runs(host.name) for host in hosts)
    cluster = {
        "type": "cluster",
        "id": "cluster",
        "name": PVE_CLUSTER,
        "nodes": len(hosts),
        "quorate": int(online * 2 > len(hosts)),
        "version": len(hosts) + 2,
    }
    nodes = [
        {
            "type": "node",
            "id": f"node/{host.name}",
            "name": host.name,
            "nodeid": number,
            "ip": host.address,
            "online": int(state.runs(host.name)),
            "local": int(host.name == state.host),
            "level": "c" if state.runs(host.name) else "",
        }
        for number, host in enumerate(hosts, 1)
    ]
    return [cluster, *nodes]


def cluster_resources(state: PveState, kind: str = "") -> list[Json]:
    """`/cluster/resources`, or those of one kind: `vm`, `node`, `storage`."""
    known = ("", "vm", "node", "storage", "sdn")
    if kind not in known:
        raise RefusedError(400, "Parameter verification failed.")
    found: list[Json] = []
    if kind in ("", "vm"):
        found += _guests(state)
    if kind in ("", "node"):
        found += [{**_node(state, host), "id": f"node/{host.name}"} for host in state.farm.hosts]
    if kind in ("", "storage"):
        found += [_storage(state, host) for host in state.farm.hosts]
        found += [_backups(state, host) for host in state.farm.hosts]
    return found


def node_list(state: PveState) -> list[Json]:
    """`/nodes`."""
    return [{**_node(state, host), "id": f"node/{host.name}"} for host in state.farm.hosts]


def node_status(state: PveState, name: str) -> Json:
    """`/nodes/NODE/status`."""
    host = state.named(name)
    node = _node(state, host)
    load = node["cpu"] * host.cpus
    return {
        "uptime": node["uptime"],
        "cpu": node["cpu"],
        "wait": 0.004,
        "loadavg": [f"{load * share:.2f}" for share in (1.06, 1.02, 1.0)],
        "cpuinfo": {"cpus": host.cpus, "cores": host.cpus // 2, "sockets": 1, "model": "AMD EPYC 7543P"},
        "memory": {
            "total": node["maxmem"],
            "used": node["mem"],
            "free": node["maxmem"] - node["mem"],
        },
        "rootfs": {"total": node["maxdisk"], "used": node["disk"], "avail": node["maxdisk"] - node["disk"]},
        "swap": {"total": 0, "used": 0, "free": 0},
        "pveversion": f"pve-manager/{VERSION}/b502d23c55afcba1",
        "kversion": f"Linux {_KERNEL}",
        "current-kernel": {"sysname": "Linux", "release": _KERNEL, "machine": "x86_64"},
    }


def node_storage(state: PveState, name: str) -> list[Json]:
    """`/nodes/NODE/storage`."""
    entry = _storage(state, state.named(name))
    return [
        {
            "storage": entry["storage"],
            "type": entry["plugintype"],
            "content": entry["content"],
            "active": 1,
            "enabled": 1,
            "shared": 0,
            "total": entry["maxdisk"],
            "used": entry["disk"],
            "avail": entry["maxdisk"] - entry["disk"],
        }
    ]


def node_guests(state: PveState, name: str) -> list[Json]:
    """`/nodes/NODE/qemu`."""
    return [{**guest, "cpus": guest["maxcpu"]} for guest in _guests(state, name)]


def guest_status(state: PveState, host: str, vmid: int) -> Json:
    """`/nodes/NODE/qemu/VMID/status/current`."""
    state.guest(host, vmid)
    [entry] = [guest for guest in _guests(state, host) if guest["vmid"] == vmid]
    return {**entry, "cpus": entry["maxcpu"], "qmpstatus": entry["status"], "agent": 1, "ha": {"managed": 0}}


def guest_config(state: PveState, host: str, vmid: int) -> Json:
    """`/nodes/NODE/qemu/VMID/config`."""
    guest = state.guest(host, vmid)
    config: Json = {"name": guest.name, "ostype": "l26", "scsihw": "virtio-scsi-single", "boot": "order=scsi0"}
    config |= {"agent": "1", "onboot": 1, "digest": f"{vmid:040x}"}
    if isinstance(guest, SpareGuest):
        config |= {"cores": _SPARE_CPUS, "memory": str(_mib(_SPARE_BYTES)), "onboot": 0}
        config |= {"template": 1} if guest.template else {}
        return config
    network, _, _ = guest.address.rpartition(".")
    size = state.size(guest)
    return config | {
        "cores": size.cpus,
        "memory": str(_mib(size.memory_bytes)),
        "net0": f"virtio={_hardware_address(guest)},bridge=vmbr0,tag=20",
        "ipconfig0": f"ip={guest.address}/24,gw={network}.1",
        "scsi0": f"local-zfs:vm-{vmid}-disk-0,size={round(size.disk_bytes / GIB)}G",
        "tags": _tags(guest),
    }


def agent_interfaces(state: PveState, host: str, vmid: int) -> Json:
    """`/nodes/NODE/qemu/VMID/agent/network-get-interfaces`."""
    guest = state.guest(host, vmid)
    if isinstance(guest, SpareGuest) or not state.runs(guest.name):
        raise RefusedError(500, f"VM {vmid} is not running")

    def interface(name: str, hardware: str, address: str, prefix: int) -> Json:
        ip = {"ip-address": address, "ip-address-type": "ipv4", "prefix": prefix}
        return {"name": name, "hardware-address": hardware, "ip-addresses": [ip]}

    return {
        "result": [
            interface("lo", "00:00:00:00:00:00", "127.0.0.1", 8),
            interface("eth0", _hardware_address(guest).lower(), guest.address, 24),
        ]
    }


def _node(state: PveState, host: PveHost) -> Json:
    entry: Json = {"node": host.name, "type": "node", "status": "online", "level": "c"}
    if not state.runs(host.name):
        return {**entry, "status": "offline", "level": ""}
    running = [m for m in state.guests(host.name) if state.runs(m.name)]
    cores = _OWN_CORES + sum(map(state.busy_cores, running))
    # A guest's pages stay with it once it has touched them, whether it still uses them or not.
    memory = _OWN_BYTES + sum(m.size.memory_bytes * 0.97 for m in running)
    return {
        **entry,
        "cpu": min(1.0, cores / host.cpus),
        "maxcpu": host.cpus,
        "mem": int(min(memory, host.memory_bytes)),
        "maxmem": int(host.memory_bytes),
        "disk": int(_ROOT_BYTES * _ROOT_USED),
        "maxdisk": int(_ROOT_BYTES),
        "uptime": state.uptime_s(host.name),
    }


def _guests(state: PveState, host: str = "") -> list[Json]:
    used = state.used_bytes()
    return [
        *(_guest(state, machine, used) for machine in state.guests(host)),
        *(_spare(state, spare) for spare in state.spares(host)),
    ]


def _guest(state: PveState, machine: Machine, used: dict[str, float]) -> Json:
    entry: Json = {
        "id": f"qemu/{machine.vmid}",
        "type": "qemu",
        "vmid": machine.vmid,
        "name": machine.name,
        "node": state.host_of(machine),
        "template": 0,
        "tags": _tags(machine),
    }
    if not state.runs(state.host_of(machine)):
        return {**entry, "status": "unknown"}
    size = state.size(machine)
    entry |= {"maxcpu": size.cpus, "maxmem": int(size.memory_bytes), "maxdisk": int(size.disk_bytes), "disk": 0}
    if not state.runs(machine.name):
        return {**entry, "status": "stopped", "cpu": 0, "mem": 0, "uptime": 0}
    return {
        **entry,
        "status": "running",
        "cpu": state.busy_cores(machine) / size.cpus,
        "mem": int(used.get(machine.name, 0.0)),
        "uptime": state.uptime_s(machine.name),
    }


def _spare(state: PveState, spare: SpareGuest) -> Json:
    known = state.runs(spare.host)
    entry: Json = {
        "id": f"qemu/{spare.vmid}",
        "type": "qemu",
        "vmid": spare.vmid,
        "name": spare.name,
        "node": spare.host,
        "template": int(spare.template),
        "status": "stopped" if known else "unknown",
    }
    if not known:
        return entry
    size = {"maxcpu": _SPARE_CPUS, "maxmem": int(_SPARE_BYTES), "maxdisk": int(_SPARE_DISK), "disk": 0}
    return {**entry, **size, "cpu": 0, "mem": 0, "uptime": 0}


def _storage(state: PveState, host: PveHost) -> Json:
    entry: Json = {
        "id": f"storage/{host.name}/local-zfs",
        "type": "storage",
        "storage": "local-zfs",
        "node": host.name,
        "plugintype": "zfspool",
        "content": "images,rootdir",
        "shared": 0,
    }
    if not state.runs(host.name):
        return {**entry, "status": "unknown"}
    disks = [m.size.disk_bytes for m in state.guests(host.name)] + [_SPARE_DISK for _ in state.spares(host.name)]
    size = max(_STORE_BYTES, sum(disks) / (1 - _STORE_FREE))
    return {**entry, "status": "available", "disk": int(sum(disks) * 0.6), "maxdisk": int(size)}


def _backups(state: PveState, host: PveHost) -> Json:
    """The storage that all hosts' backups go to, as one of them sees it."""
    entry: Json = {
        "id": f"storage/{host.name}/{BACKUPS}",
        "type": "storage",
        "storage": BACKUPS,
        "node": host.name,
        "plugintype": "nfs",
        "content": "backup,iso",
        "shared": 1,
    }
    if not state.runs(host.name):
        return {**entry, "status": "unknown"}
    return {**entry, "status": "available", "disk": int(_BACKUPS_BYTES * 0.61), "maxdisk": int(_BACKUPS_BYTES)}


def _tags(machine: Machine) -> str:
    return f"farm;tier-{machine.tier}"


def _hardware_address(machine: Machine) -> str:
    high, low = divmod(machine.vmid, 256)
    return f"BC:24:11:{machine.host[-1:].encode().hex().upper()}:{high % 256:02X}:{low:02X}"


def _mib(size_bytes: float) -> int:
    return round(size_bytes / 2**20)
