"""The simulated Swarm as the engine's API tells it: nodes, services, tasks and networks, from the world's figures.

The world counts tasks by worker only. Which task runs where is drawn from its name, so that it is the same whenever it
is asked, and stays where it is while its worker does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from farmtui.demo.servers.moments import rfc3339
from farmtui.demo.servers.proxmox_state import Json
from farmtui.demo.world.changes import alive, engine_answers
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import APP, EDGE, Inventory
from farmtui.demo.world.world import TASKS_PER_SITE

ENGINE = "26.1.5+dfsg1"
TRAEFIK = "edge_traefik"
_GLOBAL = {
    TRAEFIK: ("traefik:v3.5", True),
    "watch_cadvisor": ("cadvisor:v0.49", False),
    "watch_logs": ("logs:2.9", False),
}
"""Global services: image, and whether they are on the managers alone."""
_IDLE = {"ops_db-dump": "ops:7", "ops_image-prune": "ops:7", "ops_restore": "ops:7"}
_IMAGE, _FORMER_IMAGE = "registry.farm.example/wordpress:6.8.3-php8.3", "registry.farm.example/wordpress:6.8.2-php8.3"
_BORN_S = 40 * 86_400.0
_HISTORY = 4
"""Failed tasks of a slot that are kept: Swarm's task-history-limit less the one that is to run."""
_BIG_SITE, _BIG_FARM = 5, 8
_OVERLAYS = {"ingress": "10.0.0.0/24", "edge": "10.0.1.0/24", "cache-net": "10.0.3.0/24", "sites": "10.10.0.0/16"}


@cache
def ident(kind: str, name: str) -> str:
    """An id as Swarm makes them: 25 letters and digits."""
    number = int.from_bytes(hashlib.sha1(f"{kind}:{name}".encode(), usedforsecurity=False).digest(), "big")
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    found = ""
    for _ in range(25):
        number, rest = divmod(number, 36)
        found += letters[rest]
    return found


@cache
def service_of(site: str) -> str:
    """The name of a site's service."""
    return f"wp_{site.replace('.', '-')}"


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `since` is Unix seconds; `slot` is 0 where its service is global."""

    id: str
    service: str
    slot: int
    node: str
    state: str
    desired: str
    since: float
    image: str
    error: str = ""
    code: int = 0

    @property
    def name(self) -> str:
        """As docker lists it."""
        return f"{self.service}.{self.slot}" if self.slot else f"{self.service}.{ident('node', self.node)}"


@dataclass(frozen=True)
class SwarmTold:
    """The Swarm at one moment."""

    farm: Inventory
    now: Condition
    at: float
    born: float
    _by_id: dict[str, dict[str, str]] = field(default_factory=dict)

    def known(self, kind: str) -> Collection[str]:
        """The names of all nodes, services or networks."""
        return self.nodes if kind == "node" else self._names if kind == "service" else self.networks

    def by_id(self, kind: str) -> Mapping[str, str]:
        """The same by their ids."""
        if kind not in self._by_id:
            self._by_id[kind] = {ident(kind, name): name for name in self.known(kind)}
        return self._by_id[kind]

    # -- services

    @cached_property
    def sites(self) -> Mapping[str, int]:
        """The index of each site, by its service's name."""
        return {service_of(site): index for index, site in enumerate(self.farm.sites)}

    @property
    def names(self) -> list[str]:
        """All services."""
        return list(self._names)

    @cached_property
    def _names(self) -> Mapping[str, None]:
        return dict.fromkeys([*_GLOBAL, *_IDLE, *self.sites])

    def replicas(self, index: int) -> int:
        """How many tasks a site's service is to run: one busy site has one more, and the quietest one less."""
        scaled = self.now.swarm.replicas.get(index)
        if scaled is not None:
            return scaled
        count = len(self.farm.sites)
        if count < _BIG_FARM:
            return TASKS_PER_SITE
        return TASKS_PER_SITE + (index == _BIG_SITE) - (index == count - 1)

    @cached_property
    def failing(self) -> set[tuple[int, int]]:
        """The sites and slots whose tasks crash."""
        left, found = self.now.swarm.failing, set[tuple[int, int]]()
        for index in range(min(_BIG_SITE, len(self.farm.sites) - 1), len(self.farm.sites)):
            for slot in range(1, self.replicas(index) + 1):
                if len(found) < left:
                    found.add((index, slot))
            if len(found) >= left:
                break
        return found

    def service(self, name: str) -> Json:
        """One service, as it is inspected."""
        index = self.sites.get(name)
        updated, rolled_back = self.now.swarm.updated.get(name, (self.born - _BORN_S, False))
        mode: Json = {"Global": {}}
        image = _GLOBAL[name][0] if name in _GLOBAL else _IDLE.get(name, "")
        if index is not None:
            mode, image = {"Replicated": {"Replicas": self.replicas(index)}}, self.image(name)
        elif name in _IDLE:
            mode = {"Replicated": {"Replicas": 0}}
        spec: Json = {
            "Name": name,
            "Labels": self._labels(self.farm.sites[index]) if index is not None else {},
            "TaskTemplate": {
                "ContainerSpec": {"Image": image},
                "Placement": {"Constraints": [f"node.role == {'worker' if index is not None else 'manager'}"]}
                if index is not None or name == TRAEFIK
                else {},
                "Networks": [{"Target": ident("network", net)} for net in self._networks_of(name, index)],
                "ForceUpdate": int(name in self.now.swarm.updated),
            },
            "Mode": mode,
        }
        found: Json = {
            "ID": ident("service", name),
            "Version": {"Index": 4_000 + len(self.now.swarm.updated)},
            "CreatedAt": rfc3339(self.born - _BORN_S, 0),
            "UpdatedAt": rfc3339(updated, 0),
            "Spec": spec,
            "Endpoint": {},
        }
        if name == TRAEFIK:
            ports = [{"Protocol": "tcp", "TargetPort": p, "PublishedPort": p, "PublishMode": "host"} for p in (80, 443)]
            found["Endpoint"] = {"Ports": ports}
        if name in self.now.swarm.updated:
            state = "rollback_completed" if rolled_back else "completed"
            found["UpdateStatus"] = {"State": state, "StartedAt": rfc3339(updated, 0), "Message": f"update {state}"}
        return found

    @staticmethod
    def _labels(site: str) -> Json:
        """A site's labels: Traefik's router leads to the caches, whose file has it by the same name."""
        router = site.replace(".", "-")
        return {"site": site, f"traefik.http.routers.{router}.rule": f"Host(`{site}`) || Host(`www.{site}`)"}

    def image(self, name: str) -> str:
        """What a site's tasks run."""
        return _FORMER_IMAGE if self.now.swarm.updated.get(name, (0.0, False))[1] else _IMAGE

    # -- nodes

    @property
    def managers(self) -> list[str]:
        """The machines that are managers."""
        return [machine.name for machine in self.farm.tiers[EDGE]]

    @property
    def nodes(self) -> list[str]:
        """All machines of the Swarm."""
        return [*self.managers, *(machine.name for machine in self.farm.tiers[APP])]

    def runs(self, name: str) -> bool:
        """Whether the managers hear from a node."""
        return engine_answers(self.now, self.farm, name)

    def availability(self, name: str) -> str:
        """`active`, `pause` or `drain`."""
        swarm = self.now.swarm
        return "drain" if name in swarm.drained else "pause" if name in swarm.paused else "active"

    def node(self, name: str) -> Json:
        """One node, as it is inspected."""
        machine, manages, runs = self.farm.by_name[name], name in self.managers, self.runs(name)
        found: Json = {
            "ID": ident("node", name),
            "Version": {"Index": 12},
            "CreatedAt": rfc3339(self.born - _BORN_S, 0),
            "Spec": {
                "Role": "manager" if manages else "worker",
                "Availability": self.availability(name),
                "Labels": {"tier": machine.tier},
            },
            "Description": {
                "Hostname": name,
                "Platform": {"Architecture": "x86_64", "OS": "linux"},
                "Resources": {"NanoCPUs": machine.size.cpus * 10**9, "MemoryBytes": int(machine.size.memory_bytes)},
                "Engine": {"EngineVersion": ENGINE},
            },
            "Status": {"State": "ready" if runs else "down", "Addr": machine.address},
        }
        if not runs:
            found["Status"]["Message"] = 'heartbeat failure for node in "unknown" state'
        if manages:
            found["ManagerStatus"] = {
                "Reachability": "reachable" if runs else "unreachable",
                "Addr": f"{machine.address}:2377",
                **({"Leader": True} if name == self.now.swarm.leader else {}),
            }
        return found

    # -- tasks

    @cached_property
    def tasks(self) -> list[Task]:
        """Every task that is to run, and the failed ones before those that crash; the newest of a slot first."""
        return [*self._everywhere(), *self._of_sites()]

    @cached_property
    def by_service(self) -> Mapping[str, list[Task]]:
        """The tasks of each service."""
        found: dict[str, list[Task]] = {}
        for task in self.tasks:
            found.setdefault(task.service, []).append(task)
        return found

    def _everywhere(self) -> Iterator[Task]:
        for name, (image, managers) in _GLOBAL.items():
            for node in self.managers if managers else self.nodes:
                since = self._since(name, node)
                runs = alive(self.now, self.farm, node)
                state = "running" if runs else "shutdown"
                key = f"{name}.{node}.{since:.0f}"
                yield Task(ident("task", key), name, 0, node, state, state, since, image)

    def _of_sites(self) -> Iterator[Task]:
        slots = [(i, slot) for i in range(len(self.farm.sites)) for slot in range(1, self.replicas(i) + 1)]
        placed = self._placed(slots)
        starting = round(self.now.swarm.starting.value(self.at))
        for number, ((index, slot), node) in enumerate(zip(slots, placed, strict=True)):
            name = service_of(self.farm.sites[index])
            image = self.image(name)
            if (index, slot) in self.failing:
                yield from self._crashing(name, slot, node, image)
                continue
            since = self._since(name, node)
            # Which of them start yet: those that are spread evenly over all.
            state = "starting" if number * 7 % len(slots) < starting else "running"
            key = f"{name}.{slot}.{node}.{since:.0f}"
            yield Task(ident("task", key), name, slot, node, state, "running", since, image)

    def _crashing(self, name: str, slot: int, node: str, image: str) -> Iterator[Task]:
        last = self.at // 45.0 * 45.0
        key = f"{name}.{slot}.{last:.0f}"
        yield Task(ident("task", key), name, slot, "", "pending", "running", last, image)
        for lap in range(1, _HISTORY + 1):
            ended = last - 45.0 * (lap - 1)
            key, error = f"{name}.{slot}.{ended:.0f}.failed", "task: non-zero exit (255)"
            yield Task(ident("task", key), name, slot, node, "failed", "shutdown", ended, image, error, 255)

    def _placed(self, slots: list[tuple[int, int]]) -> list[str]:
        """The node of each task: its own, as long as the world has a place there for it."""
        workers = [machine.name for machine in self.farm.tiers[APP]]
        room: dict[str, int] = {}
        counted, given = 0.0, 0
        for name in workers:
            counted += self.now.swarm.tasks.get(name, 0.0)
            room[name] = round(counted) - given
            given = round(counted)
        placed: list[str] = []
        homeless: list[int] = []
        for number in range(len(slots)):
            home = workers[number * 7 % len(workers)]
            if room[home] > 0:
                room[home] -= 1
            else:
                homeless.append(number)
            placed.append(home)
        places = [name for name, left in room.items() for _ in range(max(0, left))]
        for number, name in zip(homeless, places, strict=False):
            placed[number] = name
        return placed

    def _since(self, service: str, node: str) -> float:
        updated = self.now.swarm.updated.get(service, (0.0, False))[0]
        return max(updated, self.now.booted.get(node, 0.0), self.born - 3 * 86_400.0)

    def task(self, task: Task) -> Json:
        """One task, as it is inspected."""
        status: Json = {"Timestamp": rfc3339(task.since, 0), "State": task.state, "Message": _SAID[task.state]}
        if task.error:
            status["Err"] = task.error
        if task.node:
            status["ContainerStatus"] = {"ExitCode": task.code}
        found: Json = {
            "ID": task.id,
            "ServiceID": ident("service", task.service),
            "Spec": {"ContainerSpec": {"Image": task.image}},
            "Status": status,
            "DesiredState": task.desired,
        }
        if task.node:
            found["NodeID"] = ident("node", task.node)
        if task.slot:
            found["Slot"] = task.slot
        return found

    # -- networks

    @staticmethod
    def _networks_of(name: str, index: int | None) -> tuple[str, ...]:
        """The caches stand between the edge and the sites."""
        if index is not None:
            return ("sites", "cache-net")
        return ("edge", "cache-net") if name == TRAEFIK else ("edge",)

    def network(self, name: str) -> Json:
        """One overlay network, as it is inspected."""
        return {
            "Name": name,
            "Id": ident("network", name),
            "Scope": "swarm",
            "Driver": "overlay",
            "IPAM": {"Driver": "default", "Config": [{"Subnet": _OVERLAYS[name]}]},
            "Internal": False,
            "Ingress": name == "ingress",
            "Options": {"encrypted": ""} if name in ("sites", "cache-net") else {},
        }

    @property
    def networks(self) -> list[str]:
        """The overlay networks."""
        return list(_OVERLAYS)


_SAID = {
    "running": "started",
    "starting": "starting",
    "shutdown": "shutdown",
    "pending": "pending task scheduling",
    "failed": "started",
}
