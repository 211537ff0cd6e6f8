"""What may be asked on the machines themselves: which section, on which hosts, and in which ways to try it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from farmtui.discovery.found import Candidate, Found
from farmtui.discovery.ssh_names import SshNames
from farmtui.farm.addresses import host_part
from farmtui.farm.node import Node, Tier

MOST_HOSTS: Final = 5
"""Hosts that can stand in for each other are tried up to here; caches are each their own."""

_BY_PVE: Final[Mapping[str, Any]] = {"via": "pve"}
_SOCKET: Final[Mapping[str, Any]] = {"via": "socket"}
_SWARM_WAYS: Final[tuple[Mapping[str, Any], ...]] = (_SOCKET, {"via": "cli"}, {"via": "cli", "sudo": True})
_SUDO_WAYS: Final[tuple[Mapping[str, Any], ...]] = ({}, {"sudo": True})


def candidates(nodes: Sequence[Node], found: Found, ssh: SshNames, *, pve: bool) -> tuple[Candidate, ...]:
    """Swarm, GlusterFS, Ceph and Varnish, as far as the farm seems to have them. Pure.

    Only hosts that ssh knows already are in it: the key of any other could not be verified. With `pve`, Ceph is
    first asked for by the Proxmox VE cluster's API.
    """
    made = (
        _swarm(nodes, found, ssh),
        _gluster(nodes, ssh),
        _ceph(nodes, ssh, pve=pve),
        _varnish(nodes, ssh),
    )
    return tuple(candidate for candidate in made if candidate is not None)


def without_logins(candidate: Candidate) -> Candidate:
    """The same, with only the ways that need no login to a machine."""
    ways = tuple(way for way in candidate.ways if way.get(candidate.section) == _BY_PVE)
    return replace(candidate, hosts=(), ways=ways)


def _swarm(nodes: Sequence[Node], found: Found, ssh: SshNames) -> Candidate | None:
    view = found.prometheus.view if found.prometheus is not None else None
    counts = view.swarm if view is not None else None
    told = {host_part(instance) for instance in (counts.managers if counts else ())}
    engines = [node for node in nodes if _exports(node, ("docker", "swarm"))]
    managers = [node for node in engines if told & {host_part(exporter.instance) for exporter in node.exporters}]
    managers = managers or [node for node in engines if node.tier is Tier.EDGE] or engines
    hosts, unknown = _known(managers, ssh)
    if not managers:
        return None
    listed = hosts[:MOST_HOSTS]
    return Candidate("swarm", listed, _ways("swarm", {"hosts": list(listed)}, _SWARM_WAYS) if listed else (), unknown)


def _gluster(nodes: Sequence[Node], ssh: SshNames) -> Candidate | None:
    peers = [node for node in nodes if _exports(node, ("gluster",)) or "gluster" in node.name.casefold()]
    hosts, unknown = _known(peers, ssh)
    # Its exporters are rare: what ssh_config calls so is worth a try.
    hosts = hosts or tuple(name for name in ssh.hosts if "gluster" in name.casefold())
    if not hosts and not unknown:
        return None
    listed = hosts[:MOST_HOSTS]
    ways = [{"gluster": [{"hosts": list(listed), **way}]} for way in _SUDO_WAYS] if listed else []
    return Candidate("gluster", listed, tuple(ways), () if ways else unknown)


def _ceph(nodes: Sequence[Node], ssh: SshNames, *, pve: bool) -> Candidate | None:
    members = [node for node in nodes if _exports(node, ("ceph",))]
    hosts, unknown = _known(members, ssh)
    if members and not hosts:
        # The mgr's exporter may be called otherwise than the host that has the keyring.
        hosts = tuple(name for name in ssh.hosts if "ceph" in name.casefold())
    if not members and not pve:
        return None
    listed = hosts[:MOST_HOSTS]
    ways: tuple[Mapping[str, Any], ...] = ({"ceph": _BY_PVE},) if pve else ()
    if listed:
        ways += _ways("ceph", {"via": "ssh", "hosts": list(listed)}, _SUDO_WAYS)
    return Candidate("ceph", listed, ways, () if ways else unknown)


def _varnish(nodes: Sequence[Node], ssh: SshNames) -> Candidate | None:
    caches = [node for node in nodes if _exports(node, ("varnish",))]
    hosts, unknown = _known(caches, ssh)
    if not caches:
        return None
    listed = [{"host": host} for host in hosts]
    return Candidate("varnish", hosts, _ways("varnish", {"hosts": listed}, _SUDO_WAYS) if hosts else (), unknown)


def _ways(section: str, base: Mapping[str, Any], ways: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple({section: {**base, **way}} for way in ways)


def _exports(node: Node, words: tuple[str, ...]) -> bool:
    return any(word in exporter.job.casefold() for exporter in node.exporters for word in words)


def _known(nodes: Iterable[Node], ssh: SshNames) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names by which ssh knows the machines, and the machines that it does not know."""
    pairs = [(node, ssh.name_of(_names(node), node.addresses)) for node in nodes]
    hosts = dict.fromkeys(name for _, name in pairs if name)
    return tuple(hosts), tuple(node.name for node, name in pairs if not name)


def _names(node: Node) -> Iterator[str]:
    yield node.name
    yield from (sighting.name for sighting in node.sightings if sighting.name != node.name)
