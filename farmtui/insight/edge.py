"""Faults of the edge: errors, slowness, backends, sites and certificates, as Traefik tells them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from farmtui.farm.traffic import Backend, Edge
from farmtui.farm.units import duration, percent, rate
from farmtui.insight.finding import Finding
from farmtui.insight.lookup import Machines
from farmtui.insight.sites import site_name
from farmtui.insight.thresholds import (
    CERTIFICATE_S,
    ERROR_RATIO,
    LATENCY_S,
    above,
    below,
)


def edge_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """Errors, slowness, backends, sites and certificates, as Traefik tells them."""
    edge = farm.edge
    if edge is None:
        return
    yield from _backends(edge, machines)
    if severity := above(edge.error_ratio, ERROR_RATIO):
        yield Finding(
            "edge/errors",
            severity,
            f"{percent(edge.error_ratio)} of all answers are errors",
            _failing_sites(farm, edge),
            (f"{rate((edge.error_ratio or 0.0) * (edge.requests_per_s or 0.0))} of {rate(edge.requests_per_s)} fail",),
            screen="overview",
            part="edge",
            covers=frozenset(("site", site.router) for site in edge.sites_failing),
            topics=("edgeerror", "httperror", "errorrate", "5xx", "sitedown"),
        )
    elif edge.sites_failing_count:
        worst = edge.sites_failing[0] if edge.sites_failing else None
        many = edge.sites_failing_count
        subject = ("site", worst.router) if worst and many == 1 else ("", "")
        yield Finding(
            "edge/sites",
            Severity.WARNING,
            f"{site_name(farm, worst.router)} fails" if worst and many == 1 else f"{many} sites fail",
            "more than half of its answers are 5xx: the site itself is broken, or what only it uses"
            if many == 1
            else f"more than half of their answers are 5xx; {_failing_sites(farm, edge)}",
            (f"{site_name(farm, worst.router)}: {percent(worst.value)} are errors",) if worst else (),
            subject,
            "sites",
            "wordpress",
            covers=frozenset(("site", site.router) for site in edge.sites_failing),
            topics=("sitedown", "siteerror"),
        )
    if severity := above(edge.latency_p95_s, LATENCY_S):
        yield Finding(
            "edge/latency",
            severity,
            f"answers are slow: p95 {duration(edge.latency_p95_s)}",
            "one visitor in twenty waits longer than that; WordPress, its database or its files are slow",
            (f"{rate(edge.requests_per_s)} at the edge",),
            screen="overview",
            part="edge",
            topics=("edgeslow", "edgelatency", "latency", "responsetime"),
        )
    yield from _certificates(farm, edge)


def _failing_sites(farm: Farm, edge: Edge) -> str:
    if not edge.sites_failing_count:
        return "they are spread over the sites: no single site fails more than half of its requests"
    names = ", ".join(site_name(farm, site.router) for site in edge.sites_failing[:3])
    if edge.sites_failing_count == 1:
        return f"they come from one site: {names}"
    return f"{edge.sites_failing_count} sites fail, the worst {names}"


def _backends(edge: Edge, machines: Machines) -> Iterator[Finding]:
    services: defaultdict[str, list[Backend]] = defaultdict(list)
    for backend in edge.backends:
        services[backend.service].append(backend)
    hurt = {name: [b for b in all_of if not b.up] for name, all_of in services.items()}
    hurt = {name: down for name, down in hurt.items() if down}
    if not hurt:
        return
    dead = [name for name, down in hurt.items() if len(down) == len(services[name])]
    down = sum(len(backends) for backends in hurt.values())
    if dead:
        cause = f"no server is left of {', '.join(dead[:3])}" + (f" and {len(dead) - 3} more" if len(dead) > 3 else "")
    else:
        cause = f"Traefik's health check has taken them out of {', '.join(list(hurt)[:3])}"
    urls = [backend.url for backends in hurt.values() for backend in backends]
    gone = machines.gone_behind(urls)
    yield Finding(
        "edge/backends",
        Severity.CRITICAL if dead else Severity.WARNING,
        f"{down} of {len(edge.backends)} backends are down",
        cause,
        (", ".join(urls[:4]) + (f" and {len(urls) - 4} more" if len(urls) > 4 else ""),),
        ("node", gone.name) if gone else ("", ""),
        screen="topology",
        part="edge",
        topics=("edgebackend", "backenddown", "serverdown"),
    )


def _certificates(farm: Farm, edge: Edge) -> Iterator[Finding]:
    ending = []
    for certificate in edge.certificates:
        left_s = (certificate.not_after - farm.at).total_seconds()
        if severity := below(left_s, CERTIFICATE_S):
            ending.append((left_s, severity, certificate.cn))
    if not ending:
        return
    ending.sort()
    left_s, severity, name = ending[0]
    when = f"ended {duration(-left_s)} ago" if left_s < 0 else f"ends in {duration(left_s)}"
    more = f"; {len(ending) - 1} more end soon" if len(ending) > 1 else ""
    yield Finding(
        "edge/certificates",
        severity,
        f"certificate of {name} {when}",
        f"Traefik has not renewed it, as it does 30 days ahead{more}",
        tuple(f"{cn}: {duration(max(0.0, left))}" for left, _, cn in ending[1:4]),
        screen="overview",
        part="edge",
        topics=("certificate", "certexpir"),
    )
