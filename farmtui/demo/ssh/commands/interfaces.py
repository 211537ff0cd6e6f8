"""A machine's network interfaces: looking at them, their MTU, and agreeing on the link's speed anew."""

from __future__ import annotations

from collections.abc import Sequence

from farmtui.demo.exporters.network import CLUSTER_MTU
from farmtui.demo.exporters.node import devices_of
from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.world.network_changes import LinkWorn, MtuSet

_FLAGS = "<BROADCAST,MULTICAST,UP,LOWER_UP>"


def _devices(call: Call) -> tuple[str, ...]:
    machine = call.farm.by_name.get(call.machine)
    return devices_of(machine, call.farm) if machine is not None else ("eth0", "lo")


async def _mtu(call: Call, device: str) -> int:
    usual = {"eth1": CLUSTER_MTU, "wg0": 1_420, "lo": 65_536}.get(device, 1_500)
    return (await call.condition()).mtus.get(call.machine, usual) if device == "eth1" else usual


async def _ip(call: Call, words: Sequence[str]) -> int:
    """`ip -s link show dev eth1`, `ip link set dev eth1 mtu 9000`."""
    rest = [word for word in words if not word.startswith("-") and word != "dev"]
    match rest:
        case ["link", "show", device] if device in _devices(call):
            worn = (await call.condition()).worn_links.get(call.machine, 0.0) if device == "eth1" else 0.0
            call.out(f"2: {device}: {_FLAGS} mtu {await _mtu(call, device)} qdisc mq state UP mode DEFAULT\n")
            call.out(f"    RX:  bytes packets errors dropped\n        9e12  7e9 {worn * 1200:.0f} 12\n")
            return 0
        case ["link", "set", device, "mtu", size] if device in _devices(call):
            if call.user != "root":
                return call.fail("RTNETLINK answers: Operation not permitted", 2)
            if not size.isdecimal() or not 68 <= int(size) <= 9_216:
                return call.fail("Error: mtu greater than device maximum.", 2)
            if device == "eth1":
                await call.happen(MtuSet(call.machine, int(size)))
            return 0
        case ["link", _, device, *_]:
            return call.fail(f'Cannot find device "{device}"')
    return call.fail("ip: beyond what is simulated", 255)


async def _ethtool(call: Call, words: Sequence[str]) -> int:
    """`ethtool eth1` tells of the link; `ethtool -r eth1` lets its two ends agree anew."""
    match list(words):
        case ["-r", device] if device in _devices(call):
            if call.user != "root":
                return call.fail("Cannot restart autonegotiation: Operation not permitted", 76)
            if device == "eth1":
                await call.happen(LinkWorn(call.machine, 0.0))
            return 0
        case [device] if device in _devices(call):
            linked = "no" if device == "eth2" else "yes"
            call.out(f"Settings for {device}:\n\tSpeed: 10000Mb/s\n\tDuplex: Full\n\tLink detected: {linked}\n")
            return 0
    return call.fail("netlink error: No such device", 75)


COMMANDS: Table = {"ip": _ip, "ethtool": _ethtool}
