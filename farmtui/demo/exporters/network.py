"""What measures networks: interfaces (node exporter), pings (smokeping_prober), and WireGuard's handshakes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from farmtui.demo.exporters.node import devices_of
from farmtui.demo.exporters.series import Counter, Family, Gauge, named
from farmtui.demo.exporters.targets import SMOKEPING, WIREGUARD, Target, Targets
from farmtui.demo.exporters.traefik import share_below
from farmtui.demo.promql.series import Series
from farmtui.demo.world.inventory import Machine
from farmtui.demo.world.signals import Mix, Signal, steady
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.world import World

USUAL_S = 0.0118
"""Round trip between the sites."""
_FAR_END = "10.99.0.2"
_NEAR_END = "10.99.0.1"
CLUSTER_MTU = 9_000
"""Of Ceph's cluster network."""
_PING_SPREAD = 0.12
_PINGS_PER_S = 1.0
_BOUNDS = (*(0.00005 * 2**power for power in range(20)), math.inf)
_HANDSHAKE_S = 120.0
_PEER = "9vTx0Yh2zq1rGfB6o3Qw5uJc8sLkEaPn4iDmVtUyXgM="
_DROPS_PER_S = 0.02


class NetworkExporter:
    """Interfaces of all machines, and the probes of the link between the sites that are no blackbox exporter's."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets
        self._drops = world.flows.signal("drops", lambda _epoch: steady(_DROPS_PER_S))

    def families(self) -> list[Family]:
        """All these metrics."""
        gauges: dict[str, tuple[str, Callable[[Machine, str], Callable[[float], float]]]] = {
            "node_network_mtu_bytes": ("Network device property: mtu_bytes", self._mtu),
            "node_network_speed_bytes": ("Network device property: speed_bytes", self._speed),
            "node_network_carrier": ("Network device property: carrier", self._carrier),
        }
        families = [Family(name, "gauge", text, partial(self._each, name, of)) for name, (text, of) in gauges.items()]
        counters: dict[str, tuple[str, Callable[[Machine, str], Signal]]] = {
            "node_network_receive_errs_total": ("Network device statistic receive_errs.", self._errors),
            "node_network_transmit_errs_total": ("Network device statistic transmit_errs.", self._none),
            "node_network_receive_drop_total": ("Network device statistic receive_drop.", lambda _m, _d: self._drops),
            "node_network_transmit_drop_total": ("Network device statistic transmit_drop.", self._none),
        }
        families += [
            Family(name, "counter", text, partial(self._counted, name, of)) for name, (text, of) in counters.items()
        ]
        histogram = "A histogram of latencies for ping responses."
        return [
            *families,
            Family("node_network_address_info", "gauge", "node network address by device", self._addresses),
            Family("smokeping_requests_total", "counter", "Number of ping requests sent", self._requests),
            Family("smokeping_response_duration_seconds_bucket", "histogram", histogram, self._buckets),
            Family("smokeping_response_duration_seconds_count", "histogram", histogram, self._responses),
            Family(
                "wireguard_latest_handshake_seconds",
                "gauge",
                "UNIX timestamp seconds of the last handshake",
                self._handshakes,
            ),
        ]

    # -- interfaces

    def _devices(self) -> Iterator[tuple[Target, str]]:
        for target in self._targets.of("node"):
            for device in devices_of(target.machine, self._world.farm):
                yield target, device

    def _each(self, name: str, of: Callable[[Machine, str], Callable[[float], float]]) -> list[Series]:
        return [
            Gauge(
                named(name, target.labels, device=device), self._targets.answering(target), of(target.machine, device)
            )
            for target, device in self._devices()
            # A tunnel has negotiated nothing.
            if not (name == "node_network_speed_bytes" and device == "wg0")
        ]

    def _counted(self, name: str, of: Callable[[Machine, str], Signal]) -> list[Series]:
        return [
            Counter(
                named(name, target.labels, device=device),
                self._targets.answering(target),
                ((1.0, of(target.machine, device)),),
            )
            for target, device in self._devices()
        ]

    def _mtu(self, machine: Machine, device: str) -> Callable[[float], float]:
        timeline = self._world.timeline
        usual = {"eth1": float(CLUSTER_MTU), "wg0": 1_420.0, "lo": 65_536.0}.get(device, 1_500.0)
        if device != "eth1":
            return lambda _t: usual
        return lambda t: float(timeline.at(t).condition.mtus.get(machine.name, usual))

    def _speed(self, machine: Machine, device: str) -> Callable[[float], float]:
        # A droplet's virtual interface says that it has none.
        speed = -125_000.0 if machine.droplet or device in ("lo", "eth2") else 1.25e9
        return lambda _t: speed

    def _carrier(self, _machine: Machine, device: str) -> Callable[[float], float]:
        return lambda _t: 0.0 if device == "eth2" else 1.0

    def _none(self, _machine: Machine, _device: str) -> Signal:
        return self._world.flows.signal("no packets", lambda _epoch: steady(0.0))

    def _errors(self, machine: Machine, device: str) -> Signal:
        if device != "eth1":
            return self._none(machine, device)
        return self._world.flows.signal(
            "damaged", lambda epoch: steady(epoch.condition.worn_links.get(machine.name, 0.0)), machine.name
        )

    def _addresses(self) -> list[Series]:
        series: list[Series] = []
        for target, device in self._devices():
            machine = target.machine
            address = {
                "eth0": machine.address, "eth1": cluster_address(machine), "wg0": _NEAR_END, "lo": "127.0.0.1",
            }.get(device)  # fmt: skip
            if address:
                labels = named(
                    "node_network_address_info", target.labels, address=address, device=device,
                    netmask={"wg0": "30", "lo": "8"}.get(device, "24"),
                    scope="link-local" if device == "lo" else "global",
                )  # fmt: skip
                series.append(Gauge(labels, self._targets.answering(target), lambda _t: 1.0))
        return series

    # -- smokeping_prober: from DigitalOcean to the far end of the tunnel

    def _pinged(self) -> Signal:
        return self._world.flows.signal("pings answered", self._answered)

    @staticmethod
    def _answered(epoch: Epoch) -> Mix:
        now = epoch.condition
        return steady(0.0 if now.cut else _PINGS_PER_S * (1.0 - now.interconnect_loss))

    def _requests(self) -> list[Series]:
        sent = self._world.flows.signal("pings sent", lambda _epoch: steady(_PINGS_PER_S))
        return self._pings("smokeping_requests_total", sent)

    def _responses(self) -> list[Series]:
        return self._pings("smokeping_response_duration_seconds_count", self._pinged())

    def _buckets(self) -> list[Series]:
        name = "smokeping_response_duration_seconds_bucket"
        found: list[Series] = []
        for bound in _BOUNDS:
            within = self._world.flows.signal("pings within", partial(self._within, bound), str(bound))
            found += self._pings(name, within, le="+Inf" if bound == math.inf else f"{bound:g}")
        return found

    def _within(self, bound: float, epoch: Epoch) -> Mix:
        now = epoch.condition
        answered = 0.0 if now.cut else _PINGS_PER_S * (1.0 - now.interconnect_loss)
        share = share_below(bound, USUAL_S + now.interconnect_extra_s, _PING_SPREAD)
        return steady(answered * share)

    def _pings(self, name: str, signal: Signal, **labels: str) -> list[Series]:
        return [
            Counter(
                named(name, target.labels, host="pve-gw", ip=_FAR_END, **labels),
                self._targets.answering(target),
                ((1.0, signal),),
            )
            for target in self._targets.of(SMOKEPING)
        ]

    # -- WireGuard

    def _handshakes(self) -> list[Series]:
        return [
            Gauge(
                named(
                    "wireguard_latest_handshake_seconds", target.labels, allowed_ips="10.20.0.0/16",
                    friendly_name="pve-main", interface="wg0", public_key=_PEER,
                ),
                self._targets.answering(target),
                self._handshake,
            )
            for target in self._targets.of(WIREGUARD)
        ]  # fmt: skip

    def _handshake(self, t: float) -> float:
        """Every two minutes, as long as the other side answers."""
        latest = t
        for epoch in reversed(self._world.timeline.epochs):
            if epoch.start > t:
                continue
            if not epoch.condition.cut:
                # A link that is there again shakes hands at once.
                return max(epoch.start, math.floor(latest / _HANDSHAKE_S) * _HANDSHAKE_S)
            latest = epoch.start
        return 0.0


def cluster_address(machine: Machine) -> str:
    """A storage node's address on Ceph's cluster network."""
    return machine.address.replace("10.20.", "10.21.", 1)
