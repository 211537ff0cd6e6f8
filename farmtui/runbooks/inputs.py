"""Inputs against the farm: what may be given, what was given, and what a template may ask of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from farmtui.farm.expressions import expression
from farmtui.farm.farm import Farm
from farmtui.farm.identity import DIGITALOCEAN, PROXMOX
from farmtui.farm.node import Guest, Node
from farmtui.farm.state import Severity
from farmtui.runbooks.book import Input
from farmtui.runbooks.written import seconds

OTHER_NAMES: Final = ("farm", "run", "user")
"""Names that every template has beside the inputs."""
FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "node": ("name", "ssh", "address", "tier", "provider", "place", "cluster"),
    "osd": ("name", "id", "host"),
    "pool": ("name", "id"),
    "service": ("name", "id", "desired"),
    "volume": ("name", "pool"),
    "guest": ("name", "vmid", "node", "cluster", "type", "address", "cpus", "memory_mib"),
    "droplet": ("name", "id", "region", "size", "address"),
    "site": ("name", "slug"),
}
"""What a template may ask of each type: `{{ node.address }}`; by itself each is its name."""
THINGS: Final = (*FACTS, "nodes")
"""Types that are parts of the farm: a run holds them."""


EVERY: Final = "all"
"""Given for nodes of a tier: each of them. Of the whole farm it is not understood: too much would hang on one word."""


class InputError(ValueError):
    """An input that cannot be used; the text names it, what is wrong, and what would do."""


class Thing(Mapping[str, Any]):
    """A part of the farm, as a template sees it."""

    def __init__(self, kind: str, facts: Mapping[str, Any]) -> None:
        self.kind = kind
        self._facts = facts

    def __getitem__(self, key: str) -> Any:
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __str__(self) -> str:
        return str(self._facts["name"])


@dataclass(frozen=True, slots=True)
class Given:
    """All inputs of a run."""

    values: Mapping[str, Any]
    """By name, as templates see them."""
    texts: Mapping[str, str]
    """By name, as they are written down."""
    targets: tuple[str, ...]
    """The parts of the farm among them: `node:cache-2`."""


def choices(given: Input, farm: Farm) -> tuple[str, ...]:
    """What may be given, where that can be told; empty where it cannot."""
    if given.type == "choice":
        return tuple(given.of or ())
    if given.type == "bool":
        return ("yes", "no")
    return names(given, farm)


def names(given: Input, farm: Farm) -> tuple[str, ...]:
    """The names of the things of a type, without all that a template might ask of each: there may be ten thousand."""
    match given.type:
        case "node" | "nodes":
            found = [n.name for n in farm.nodes if given.tier in (None, n.tier.value)]
        case "osd":
            found = [osd.id for osd in (farm.ceph.osds if farm.ceph else ())]
        case "pool":
            found = [pool.name for pool in (farm.ceph.pools if farm.ceph else ())]
        case "service":
            found = [service.name for service in (farm.swarm_cluster.services if farm.swarm_cluster else ())]
        case "volume":
            found = [volume.name for pool in farm.gluster for volume in pool.volumes]
        case "guest":
            found = [guest.name for cluster in farm.pve for guest in cluster.guests]
        case "droplet":
            found = [droplet.name for droplet in (farm.cloud.droplets if farm.cloud else ())]
        case _:
            found = []
    return tuple(dict.fromkeys(found))


def problem(given: Input, text: str, farm: Farm) -> str:
    """What is wrong with one input; empty when it may be given."""
    try:
        _value(given, text.strip(), farm)
    except InputError as error:
        return str(error)
    return ""


def suggested(given: Input, farm: Farm) -> str:
    """What would do where nothing is said: the default, or a well machine where a command is merely run on it."""
    if given.default is not None:
        return _default(given.default)
    if given.type == "node" and given.target is False:
        possible = choices(given, farm)
        return next((n.name for n in farm.nodes if n.name in possible and n.state <= Severity.WARNING), "")
    return ""


def take(inputs: Mapping[str, Input], texts: Mapping[str, str], farm: Farm) -> Given:
    """The inputs of a run from what was written. Raises InputError with every mistake, a line each."""
    wrong = [
        f"{name}: there is no such input; there are {', '.join(inputs) or 'none'}"
        for name in texts
        if name not in inputs
    ]
    values: dict[str, Any] = {}
    said: dict[str, str] = {}
    targets: list[str] = []
    for name, given in inputs.items():
        text = texts.get(name)
        if text is None:
            if given.default is None:
                wrong.append(f"{name}: is missing{f' ({given.help})' if given.help else ''}{_possible(given, farm)}")
                continue
            text = _default(given.default)
        try:
            values[name] = _value(given, text.strip(), farm)
        except InputError as error:
            wrong.append(f"{name}: {error}")
            continue
        said[name] = text.strip()
        targets += _targets(name, given, values[name])
    if wrong:
        raise InputError("\n".join(wrong))
    return Given(values, said, tuple(dict.fromkeys((*targets, *_same_machines(targets, farm)))))


def _same_machines(targets: Sequence[str], farm: Farm) -> Iterator[str]:
    """The nodes that guests and droplets among the targets are: no two runs work on one machine, by whichever name."""
    idents = {
        *((PROXMOX, g.ident) for cluster in farm.pve for g in cluster.guests if f"guest:{g.name}" in targets),
        *(
            (DIGITALOCEAN, d.ident)
            for d in (farm.cloud.droplets if farm.cloud else ())
            if f"droplet:{d.name}" in targets
        ),
    }
    for node in farm.nodes if idents else ():
        if any((sighting.source, sighting.ident) in idents for sighting in node.sightings):
            yield f"node:{node.name}"


def _default(value: str | float | bool) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _targets(name: str, given: Input, value: Any) -> list[str]:
    is_target = given.type in THINGS if given.target is None else given.target
    if not is_target:
        return []
    if given.type == "nodes":
        return [f"node:{node}" for node in value]
    return [f"{given.type if given.type in THINGS else name}:{value}"]


def _value(given: Input, text: str, farm: Farm) -> Any:
    match given.type:
        case "text":
            assert given.pattern is not None
            if not expression(given.pattern, whole=True).found_in(text) or not text.isprintable():
                raise InputError(f"must match {given.pattern}")
            if given.refused is not None and expression(given.refused, whole=True).found_in(text):
                raise InputError(f"must not match {given.refused}")
            return text
        case "int" | "number" | "duration":
            return _number(given, text)
        case "bool":
            if text.lower() not in ("yes", "no", "true", "false"):
                raise InputError("must be yes or no")
            return text.lower() in ("yes", "true")
        case "choice":
            if text not in (given.of or ()):
                raise InputError(f"must be one of {', '.join(given.of or ())}")
            return text
        case "nodes":
            every = _things(given, farm) if text == EVERY and given.tier is not None else ()
            names = list(every or dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
            if not names:
                raise InputError("names no node: give them with commas between")
            return tuple(_thing(given, name, farm) for name in names)
        case "site":
            return _site(text)
    return _thing(given, text, farm)


def _number(given: Input, text: str) -> Any:
    try:
        value = seconds(text) if given.type == "duration" else float(text)
        low, high = (seconds(b) if isinstance(b, str) else b for b in (given.min, given.max))
        whole = given.type != "int" or value == int(value)
    except (ValueError, OverflowError):
        wanted = {"duration": "a duration such as 30s or 5m", "int": "a whole number", "number": "a number"}
        raise InputError(f"must be {wanted[given.type]}") from None
    if not whole or value != value:
        raise InputError("must be a whole number")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"{given.min if given.min is not None else '…'} to {given.max if given.max is not None else '…'}"
        raise InputError(f"must be within {bounds}")
    return int(value) if given.type == "int" or value == int(value) else value


def _site(text: str) -> Thing:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text) or len(text) > 253:
        raise InputError("must be a site's host name, such as www.example.org")
    return Thing("site", {"name": text, "slug": text.replace(".", "-")})


def _thing(given: Input, name: str, farm: Farm) -> Thing:
    known = _things(given, farm)
    if not known:
        raise InputError(
            f"the farm shows no {given.type.removesuffix('s')} now; see what its sources say: farmtui check"
        )
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else _possible(given, farm)
        what = f"{given.type} of tier {given.tier}" if given.tier else given.type.removesuffix("s")
        raise InputError(f"there is no {what} {name!r} in the farm{hint}")
    return known[name]


def _possible(given: Input, farm: Farm) -> str:
    known = choices(given, farm)
    if not known:
        return ""
    shown: Sequence[str] = known[:8]
    return f"; possible: {', '.join(shown)}{' …' if len(known) > len(shown) else ''}"


def _things(given: Input, farm: Farm) -> dict[str, Thing]:
    match given.type:
        case "node" | "nodes":
            return {n.name: _node(n) for n in farm.nodes if given.tier in (None, n.tier.value)}
        case "osd":
            osds = farm.ceph.osds if farm.ceph else ()
            return {o.id: Thing("osd", {"name": o.id, "id": o.id.rpartition(".")[2], "host": o.host}) for o in osds}
        case "pool":
            pools = farm.ceph.pools if farm.ceph else ()
            return {p.name: Thing("pool", {"name": p.name, "id": p.id}) for p in pools}
        case "service":
            services = farm.swarm_cluster.services if farm.swarm_cluster else ()
            return {s.name: Thing("service", {"name": s.name, "id": s.id, "desired": s.desired}) for s in services}
        case "volume":
            volumes = ({"name": v.name, "pool": pool.name} for pool in farm.gluster for v in pool.volumes)
            return {facts["name"]: Thing("volume", facts) for facts in volumes}
        case "guest":
            at = _addresses(farm, PROXMOX)
            guests = (guest for cluster in farm.pve for guest in cluster.guests)
            return {g.name: Thing("guest", {**_guest(g), "address": at.get(g.ident, "")}) for g in guests}
        case "droplet":
            at = _addresses(farm, DIGITALOCEAN)
            droplets = farm.cloud.droplets if farm.cloud else ()
            return {
                d.name: Thing("droplet", {
                    "name": d.name, "id": d.id, "region": d.region, "size": d.size, "address": at.get(d.ident, "")
                })
                for d in droplets
            }  # fmt: skip
    return {}


def _addresses(farm: Farm, source: str) -> dict[str, str]:
    """The first address of each machine that a source has sighted, also of one that is off; by the source's ident."""
    return {
        sighting.ident: node.addresses[0]
        for node in farm.nodes
        if node.addresses
        for sighting in node.sightings
        if sighting.source == source
    }


def _guest(guest: Guest) -> Mapping[str, Any]:
    return {
        "name": guest.name, "vmid": guest.vmid, "node": guest.host, "cluster": guest.cluster, "type": guest.kind,
        "cpus": round(guest.cpus or 0), "memory_mib": round((guest.memory_max_bytes or 0) / 2**20),
    }  # fmt: skip


def _node(node: Node) -> Thing:
    return Thing("node", {
        "name": node.name, "ssh": node.name, "address": node.addresses[0] if node.addresses else "",
        "tier": node.tier.value, "provider": node.provider.value, "place": node.place,
        "cluster": next((s.ident.partition("/")[0] for s in node.sightings if s.source == PROXMOX), ""),
    })  # fmt: skip
