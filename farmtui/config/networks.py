"""The config's section of networks: what each is for, and what is in it."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from farmtui.config.fields import Section
from farmtui.farm.networks import NetworkKind


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value.strip()))
    except ValueError:
        pass
    try:
        hint = f"; {value.strip()} is an address in {ipaddress.ip_network(value.strip(), strict=False)}"
    except ValueError:
        hint = ""
    raise ValueError(f"must be a network with its prefix length, such as 10.21.5.0/24{hint}")


Cidr = Annotated[str, AfterValidator(_cidr)]


class NetworkConfig(Section):
    """One network. What is not said is found out, as far as the farm tells it."""

    kind: NetworkKind = NetworkKind.OTHER
    """interconnect (the VPN between the sites), cache-net, ceph-public, ceph-cluster or other."""
    cidr: list[Cidr] = []
    """Its addresses: [10.21.5.0/24]. Interfaces are known by them where the node exporter tells addresses
    (--collector.netdev.address-info)."""
    interface: list[str] = []
    """Shell patterns of the interfaces that are in it, where addresses are not told: [wg0]."""
    jobs: list[str] = []
    """Prometheus jobs whose probes measure it (blackbox exporter, smokeping_prober), where their names do not begin
    with the network's kind."""
    members: list[str] = []
    """Shell patterns of machines that must be in it; one that is not is a fault."""
    slow_s: Annotated[float, Field(gt=0, le=60)] | None = None
    """From which round trip on it is slow, in seconds, and five times that critically so; unset: 0.03 for an
    interconnect, 0.005 for the others."""
