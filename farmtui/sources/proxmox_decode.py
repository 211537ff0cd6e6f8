"""Proxmox VE's answers in the farm's terms, whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from farmtui.farm.node import Guest, PveCluster, PveHost
from farmtui.sources.errors import bad_answer
from farmtui.sources.json_values import flag, number, text
from farmtui.sources.proxmox_decode_more import decode_storages

_IP_IN_CONFIG = re.compile(r"\bip6?=([0-9A-Fa-f.:]+)")


def decode_cluster(
    name: str, status: Any, resources: Any, *, names: Mapping[int, str] | None = None, problem: str = ""
) -> PveCluster:
    """A cluster from `cluster/status` and `cluster/resources`. Raises SourceError where they are no such thing.

    `names` are guests' names by vmid, for those whose name is not told (any more); `problem` comes first among the
    cluster's problems. Guests come without addresses.
    """
    if not isinstance(status, list) or not isinstance(resources, list):
        raise bad_answer("cluster/status and cluster/resources are not lists")
    problems = [problem] if problem else []
    quorate: bool | None = None
    stored: list[Mapping[str, Any]] = []
    host_addresses: dict[str, str] = {}
    online: dict[str, bool] = {}
    for item in status:
        if not isinstance(item, Mapping):
            continue
        if item.get("type") == "cluster":
            quorate = flag(item.get("quorate"))
        elif item.get("type") == "node" and (host := text(item.get("name"))):
            host_addresses[host] = text(item.get("ip"))
            online[host] = flag(item.get("online")) is True
    hosts: dict[str, PveHost] = {}
    guests: list[Guest] = []
    unread = 0
    for item in resources:
        try:
            match item["type"]:
                case "node":
                    decoded = _host(name, item, host_addresses, online)
                    hosts[decoded.name] = decoded
                case "qemu" | "lxc":
                    guests.append(_guest(name, item, names or {}))
                case "storage":
                    stored.append(item)
        except (KeyError, TypeError, ValueError, OverflowError):
            unread += 1
    for missing in sorted(set(online) - set(hosts)):
        state = "online" if online[missing] else "offline"
        hosts[missing] = PveHost(name, missing, state, host_addresses.get(missing, ""))
    if unread and unread == len(resources):
        # No empty cluster, but one that we do not understand.
        raise bad_answer("none of the cluster's resources could be read")
    if unread:
        problems.append(f"{unread} of {len(resources)} resources of {name} could not be read")
    offline = {host.name for host in hosts.values() if host.status != "online"}
    found = tuple(_of_offline(guest) if guest.host in offline else guest for guest in guests)
    ordered = tuple(sorted(hosts.values(), key=lambda host: host.name))
    by_id = tuple(sorted(found, key=lambda g: g.vmid))
    return PveCluster(name, quorate, ordered, by_id, decode_storages(name, stored, offline), problems=tuple(problems))


def _of_offline(guest: Guest) -> Guest:
    """What the API says of a guest whose host is off is what it was before: nobody knows how it is now."""
    return Guest(
        guest.cluster, guest.vmid, guest.name, guest.kind, guest.host, "unknown",
        tags=guest.tags, addresses=guest.addresses, template=guest.template, lock=guest.lock,
    )  # fmt: skip


def _host(cluster: str, item: Mapping[str, Any], addresses: Mapping[str, str], online: Mapping[str, bool]) -> PveHost:
    name = text(item["node"])
    if not name:
        raise ValueError("a node without a name")
    status = text(item.get("status")) or "unknown"
    if online.get(name) is False:
        status = "offline"
    return PveHost(
        cluster=cluster,
        name=name,
        status=status,
        address=addresses.get(name, ""),
        cpu_ratio=number(item.get("cpu")),
        cpus=number(item.get("maxcpu")),
        memory_bytes=number(item.get("mem")),
        memory_max_bytes=number(item.get("maxmem")),
        uptime_s=number(item.get("uptime")),
    )


def _guest(cluster: str, item: Mapping[str, Any], names: Mapping[int, str]) -> Guest:
    vmid = int(item["vmid"])
    return Guest(
        cluster=cluster,
        vmid=vmid,
        name=text(item.get("name")) or names.get(vmid, "") or str(vmid),
        kind=str(item["type"]),
        host=text(item.get("node")),
        status=text(item.get("status")) or "unknown",
        cpu_ratio=number(item.get("cpu")),
        cpus=number(item.get("maxcpu")),
        memory_bytes=number(item.get("mem")),
        memory_max_bytes=number(item.get("maxmem")),
        uptime_s=number(item.get("uptime")),
        tags=tuple(tag for tag in re.split(r"[;, ]+", text(item.get("tags"))) if tag),
        template=flag(item.get("template")) is True,
        lock=text(item.get("lock")),
        ha=text(item.get("hastate")),
        disk_bytes=number(item.get("maxdisk")),
    )


def with_addresses(cluster: PveCluster, addresses: Mapping[int, tuple[str, ...]]) -> PveCluster:
    """The cluster, its guests with their addresses by vmid."""
    guests = (replace(g, addresses=addresses[g.vmid]) if g.vmid in addresses else g for g in cluster.guests)
    return replace(cluster, guests=tuple(guests))


def config_addresses(answer: Any) -> tuple[str, ...]:
    """Addresses in a guest's config (`ipconfig0`, `net0` of a container) or in its agent's answer."""
    return tuple(dict.fromkeys(_addresses(answer)))


def _addresses(answer: Any) -> Iterator[str]:
    if not isinstance(answer, Mapping):
        return
    for key, value in answer.items():
        if re.fullmatch(r"(ipconfig|net)\d+", str(key)) and isinstance(value, str):
            yield from filter(_usable, _IP_IN_CONFIG.findall(value))
    interfaces = answer.get("result")
    for interface in interfaces if isinstance(interfaces, list) else ():
        listed = interface.get("ip-addresses") if isinstance(interface, Mapping) else None
        for entry in listed if isinstance(listed, list) else ():
            address = text(entry.get("ip-address")) if isinstance(entry, Mapping) else ""
            if _usable(address):
                yield address


def _usable(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast)
