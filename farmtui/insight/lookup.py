"""Which machine a label, an address or a backend's name means."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from farmtui.farm.addresses import host_part
from farmtui.farm.farm import Farm
from farmtui.farm.node import Node, Tier


class Machines:
    """The farm's machines by every name that they have; built only where something asks.

    Ten thousand machines take some milliseconds, and a farm that is well needs none of it.
    """

    def __init__(self, farm: Farm) -> None:
        self._farm = farm

    @cached_property
    def _by_label(self) -> dict[str, Node]:
        known: dict[str, Node] = {}
        for node in self._farm.nodes:
            known[node.name] = node
            known.update(dict.fromkeys(node.instances, node))
        return known

    @cached_property
    def _by_host(self) -> dict[str, Node]:
        known: dict[str, Node] = {}
        for node in self._farm.nodes:
            for name in (node.name, node.name.partition(".")[0], *node.addresses):
                known.setdefault(name, node)
        return known

    def of(self, label: str) -> Node | None:
        """The machine with this name or Prometheus instance."""
        return self._by_label.get(label)

    def named(self, instance: str) -> str:
        """The machine's name for an instance; the instance itself where no machine has it."""
        node = self.of(instance)
        return node.name if node else instance

    def at(self, address: str) -> Node | None:
        """The machine behind an address or URL with or without a port, or behind a backend's name in VCL.

        VCL names have no dashes: Varnish's `worker_07` is the machine `worker-07`.
        """
        host = host_part(address)
        return self._by_host.get(host) or self._by_host.get(host.replace("_", "-"))

    @cached_property
    def gone(self) -> dict[Tier, tuple[Node, ...]]:
        """The machines of each tier that do not serve."""
        found: dict[Tier, list[Node]] = {}
        for node in self._farm.nodes:
            if not node.serving:
                found.setdefault(node.tier, []).append(node)
        return {tier: tuple(nodes) for tier, nodes in found.items()}

    def gone_behind(self, addresses: Iterable[str]) -> Node | None:
        """One of the machines behind these addresses, if every one of them is down; else None."""
        nodes = [self.at(address) for address in addresses]
        if not nodes or any(node is None or node.serving for node in nodes):
            return None
        return nodes[0]
