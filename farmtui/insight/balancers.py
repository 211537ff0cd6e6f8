"""Load balancers: whom each sends to, and whether any of them serves."""

from __future__ import annotations

from collections.abc import Iterator

from farmtui.farm.farm import Farm
from farmtui.farm.node import Droplet, LoadBalancer, Node
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding


def droplets_behind(farm: Farm, balancer: LoadBalancer) -> tuple[tuple[Droplet, Node | None], ...]:
    """The droplets that it sends to, each with the machine that it is: by number, and all with its tag."""
    droplets = farm.cloud.droplets if farm.cloud is not None else ()
    wanted = frozenset(balancer.droplet_ids)
    behind = [d for d in droplets if d.id in wanted or (balancer.tag and balancer.tag in d.tags)]
    idents = {droplet.ident for droplet in behind}
    nodes = {
        sighting.ident: node
        for node in farm.nodes
        for sighting in node.sightings
        if sighting.source == "digitalocean" and sighting.ident in idents
    }
    return tuple((droplet, nodes.get(droplet.ident)) for droplet in behind)


def serves(droplet: Droplet, node: Node | None) -> bool:
    """Whether a droplet serves, as far as is known: DigitalOcean's API does not tell what its balancers find."""
    return droplet.status == "active" and (node is None or node.serving)


def balancer_state(farm: Farm, balancer: LoadBalancer) -> tuple[Severity, str]:
    """How bad a balancer looks, and why; empty where it is well."""
    if balancer.status == "errored":
        return Severity.CRITICAL, "DigitalOcean says that it is errored"
    behind = droplets_behind(farm, balancer)
    if not behind:
        return Severity.WARNING, "no droplet is behind it: whoever asks it is refused"
    silent = [droplet.name for droplet, node in behind if not serves(droplet, node)]
    if len(silent) == len(behind):
        return Severity.CRITICAL, f"none of the {len(behind)} droplets behind it serves"
    if silent:
        names = ", ".join(silent[:3]) + (f" and {len(silent) - 3} more" if len(silent) > 3 else "")
        return Severity.WARNING, f"{len(silent)} of {len(behind)} behind it do not serve: {names}"
    return (Severity.INFO, "it is being made") if balancer.status == "new" else (Severity.OK, "")


def balancer_faults(farm: Farm) -> Iterator[Finding]:
    """Balancers through which nothing comes. That a part of what is behind one is down is told of the machines."""
    for balancer in farm.cloud.load_balancers if farm.cloud is not None else ():
        severity, why = balancer_state(farm, balancer)
        if severity < Severity.CRITICAL and droplets_behind(farm, balancer):
            continue
        failed = balancer.status == "errored"
        yield Finding(
            f"do-balancer/{balancer.id}", severity,
            f"load balancer {balancer.name} {'has failed' if failed else 'has nothing to send to'}", why,
            (f"address {balancer.address}", f"region {balancer.region}"),
            ("balancer", balancer.id), "compute", "edge", topics=("loadbalancer",),
        )  # fmt: skip
