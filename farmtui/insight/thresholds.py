"""From which values on something is wrong: each as (warning, critical), with why just there.

The screens colour their figures by the same values, so that a table and the list of faults never disagree.
"""

from __future__ import annotations

from typing import Final

from farmtui.farm.state import Severity

ERROR_RATIO: Final = (0.01, 0.05)
"""Share of 5xx answers: one visitor in a hundred notices; one in twenty is an outage."""
LATENCY_S: Final = (1.0, 3.0)
"""95th percentile at the edge; beyond three seconds visitors leave."""
HIT_RATIO: Final = (0.80, 0.60)
"""Below: the farm's plan counts on four of five requests being answered by the cache."""
HIT_RATIO_LOST: Final = (0.05, 0.15)
"""Against the same hour last week, in points of 1: five points are a quarter more work for WordPress."""
CERTIFICATE_S: Final = (14 * 86_400.0, 3 * 86_400.0)
"""Time left: Traefik renews 30 days ahead, so two weeks left mean that it has failed for two weeks."""
RESIDENCE_S: Final = (300.0, 0.0)
"""Of a page in one Varnish that evicts. A full cache evicts as much as it stores, and is well; what it throws out
within minutes is asked for again. However short, it is no outage."""
REDIS_EVICTIONS_PER_S: Final = (1.0, 100.0)
CONNECTIONS: Final = (0.85, 0.95)
"""Of max_connections."""
FLOW_CONTROL: Final = (0.05, 0.30)
"""Share of time that a Galera node holds the others up."""
GALERA_LAG_S: Final = (5.0, 60.0)
"""In which a node would apply what waits: a site that reads there what it has just written elsewhere misses it."""
CERTIFICATION_FAILURES_PER_S: Final = (1.0, 50.0)
RAW_CAPACITY: Final = (0.85, 0.95)
"""mon_osd_nearfull_ratio and mon_osd_full_ratio: at the second Ceph stops all writes."""
FULL_IN_S: Final = (14 * 86_400.0, 3 * 86_400.0)
"""New disks take days to come and days to fill."""
BRICK_FULL: Final = (0.90, 0.97)
"""Of a Gluster brick: cluster.min-free-disk, below which new files go elsewhere, is a tenth."""
STORAGE_FULL: Final = (0.85, 0.95)
"""Of a storage of Proxmox VE: a thin pool or a ZFS that is full stops the guests on it."""
LOSS: Final = (0.01, 0.20)
"""Share of probes: from one in a hundred on TCP is several times slower."""
INTERCONNECT_S: Final = (0.03, 0.15)
"""Round trip between the farm's sites: WordPress asks its database dozens of times for a page."""
HOP_S: Final = (0.005, 0.05)
"""Round trip within a site, where it takes a tenth of that; the plan counts on 1-2 ms for the hop to the cache."""
SLOW_TO_CRITICAL: Final = 5.0
"""Where the config says from when on a network is slow, it is critically so from this many times that on."""
HANDSHAKE_S: Final = (300.0, float("inf"))
"""WireGuard shakes hands every two minutes while anything goes through, and drops a session after three."""
INTERFACE_ERRORS_PER_S: Final = (0.1, 100.0)
"""Damaged packets: a cable, a transceiver or a port; a link that is well has none."""
INTERFACE_DROPS_PER_S: Final = (20.0, 2_000.0)
"""Some are thrown away on every machine (unknown protocols, multicast)."""
RATE_LEFT: Final = (0.10, 0.02)
"""Share of the hour's API requests that is left."""


def above(value: float | None, limits: tuple[float, float]) -> Severity:
    """How bad a value is of which more is worse. None and NaN are OK: what is not measured is not a fault."""
    if value is None or value != value or value < limits[0]:
        return Severity.OK
    return Severity.CRITICAL if value >= limits[1] else Severity.WARNING


def below(value: float | None, limits: tuple[float, float]) -> Severity:
    """How bad a value is of which less is worse. None and NaN are OK."""
    if value is None or value != value or value >= limits[0]:
        return Severity.OK
    return Severity.CRITICAL if value < limits[1] else Severity.WARNING
