"""Faults that the simulated farm can be started with: what has happened some minutes ago, and which alert tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from farmtui.demo.world.backup_changes import DumpStopped, FilesMissing, SpacesDown
from farmtui.demo.world.ceph_changes import OsdStop, ScrubError, SlowOps, Written
from farmtui.demo.world.changes import (
    BackupFailing,
    CertificateStuck,
    Change,
    ClockOff,
    CloudApi,
    DatabaseStop,
    DiskFilling,
    FlowControl,
    HostOff,
    Interconnect,
    MachineOff,
    PrometheusDelay,
    RedisPressure,
    SiteBroken,
    Surge,
    TasksFailing,
    Uncacheable,
)
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, EDGE, OSDS_PER_NODE, STORAGE, Inventory
from farmtui.demo.world.machine_changes import GuestBackupsFailing
from farmtui.demo.world.network_changes import LinkWorn, MtuSet
from farmtui.demo.world.site_changes import SiteHungry, SitesBroken

CALM_S = 2 * 3600.0
"""With a fault nothing else goes wrong by itself from so long ago on: what began before has ended by now."""

Begin = Callable[[Inventory], Change]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `alerts` are firing when the farm starts; one without any is seen by the console alone."""

    name: str
    words: str
    ago_s: float
    begin: Begin
    alerts: tuple[str, ...]


_ALL = (
    Fault(
        "cache-node-down",
        "the droplet of one cache node is off; the two others take its sites and warm up for them",
        420.0,
        lambda farm: MachineOff(farm.tiers[CACHE][1].name),
        ("CacheNodeDown", "NodeDown"),
    ),
    Fault(
        "hit-ratio-falling",
        "more and more pages cannot be cached: a plugin sets a cookie on each of them",
        1_500.0,
        lambda _farm: Uncacheable(0.42),
        ("CacheHitRatioLow",),
    ),
    Fault(
        "osd-down",
        "an OSD's daemon has ended; it was marked out, and Ceph is backfilling",
        780.0,
        lambda _farm: OsdStop(OSDS_PER_NODE + 1),
        ("CephOsdDown", "CephHealthWarning", "CephDegraded"),
    ),
    Fault(
        "pg-inconsistent",
        "a deep scrub has found a placement group whose copies differ",
        1_260.0,
        lambda _farm: ScrubError(1),
        ("CephPgDamaged", "CephHealthError"),
    ),
    Fault(
        "galera-node-lost",
        "MariaDB has ended on one of three database nodes",
        540.0,
        lambda farm: DatabaseStop(farm.tiers[DATABASE][1].name),
        ("GaleraNodeDown", "GaleraClusterSmall"),
    ),
    Fault(
        "pve-host-down",
        "a Proxmox VE host is down, with its workers, a database node and a storage node",
        360.0,
        lambda farm: HostOff(farm.hosts[1].name),
        ("PveHostDown", "NodeDown", "GaleraNodeDown", "CephOsdDown"),
    ),
    Fault(
        "do-api-refusing",
        "DigitalOcean's API refuses the farm's token",
        720.0,
        lambda _farm: CloudApi("unauthorized"),
        ("CloudApiFailing",),
    ),
    Fault(
        "do-api-limited",
        "DigitalOcean's API has had too many requests this hour",
        720.0,
        lambda _farm: CloudApi("limited"),
        ("CloudApiFailing",),
    ),
    Fault(
        "prometheus-slow",
        "every answer of Prometheus takes most of a second: a poll takes ten, and not all figures come in time",
        480.0,
        lambda _farm: PrometheusDelay(0.8),
        ("PrometheusQueriesSlow",),
    ),
    Fault(
        "interconnect-down",
        "the link between DigitalOcean and Proxmox VE is cut: the edge reaches no worker",
        420.0,
        lambda _farm: Interconnect(cut=True),
        ("InterconnectDown", "EdgeErrorsHigh"),
    ),
    Fault(
        "interconnect-lossy",
        "the link between DigitalOcean and Proxmox VE is slow and loses packets",
        900.0,
        lambda _farm: Interconnect(extra_s=0.09, loss=0.08),
        ("InterconnectLossy", "InterconnectSlow"),
    ),
    Fault(
        "interconnect-slow",
        "the link between DigitalOcean and Proxmox VE takes a detour: nothing is lost, all takes five times as long",
        900.0,
        lambda _farm: Interconnect(extra_s=0.055),
        ("InterconnectSlow",),
    ),
    Fault(
        "mtu-mismatch",
        "a storage node has come back with the usual MTU on Ceph's cluster network, where the others have jumbo frames",
        900.0,
        lambda farm: MtuSet(farm.tiers[STORAGE][1].name, 1_500),
        ("NetworkMtuMismatch",),
    ),
    Fault(
        "interface-errors",
        "a storage node receives damaged packets on Ceph's cluster network: its cable, or the port, is worn",
        1_200.0,
        lambda farm: LinkWorn(farm.tiers[STORAGE][2].name, 6.0),
        ("NetworkInterfaceErrors",),
    ),
    Fault(
        "redis-pressure",
        "the Redis master is out of memory and evicts keys",
        1_200.0,
        lambda farm: RedisPressure(farm.tiers[CACHE][0].name, True),
        ("RedisEvicting",),
    ),
    Fault(
        "site-broken",
        "one busy site answers nearly every request with an error",
        900.0,
        lambda farm: SiteBroken(min(7, len(farm.sites) - 1), 0.94),
        ("SiteDown",),
    ),
    Fault(
        "sites-failing",
        "a plugin's update has broken a part of each of a dozen sites that have it",
        1_500.0,
        lambda farm: SitesBroken(
            {min(11 + 13 * n, len(farm.sites) - 1): (0.86, 0.31, 0.12, 0.64)[n % 4] for n in range(12)}
        ),
        ("SitesFailing",),
    ),
    Fault(
        "site-hungry",
        "a quiet site works much more than it is asked: its plugin runs a heavy query on each page, and all wait",
        1_260.0,
        lambda farm: SiteHungry(min(87, len(farm.sites) - 1), 0.55),
        ("SiteHungry",),
    ),
    Fault(
        "site-surge",
        "one site suddenly gets as many requests as a quarter of the farm",
        1_080.0,
        lambda farm: Surge(min(3, len(farm.sites) - 1), 0.25),
        ("SiteTrafficSurge",),
    ),
    Fault(
        "disk-filling",
        "the root filesystem of a database node is filling up",
        3_000.0,
        lambda farm: DiskFilling(farm.tiers[DATABASE][0].name, 0.6, 4_500.0),
        ("NodeDiskFilling",),
    ),
    Fault(
        "worker-down",
        "a Swarm worker is down; its tasks have moved to the others",
        600.0,
        lambda farm: MachineOff(farm.tiers[APP][6 % len(farm.tiers[APP])].name),
        ("NodeDown", "SwarmNodeDown"),
    ),
    Fault(
        "manager-down",
        "the Swarm manager that led is down; another leads now",
        600.0,
        lambda farm: MachineOff(farm.tiers[EDGE][0].name),
        ("NodeDown",),
    ),
    Fault(
        "tasks-failing",
        "tasks of a service crash and are started over and over",
        1_500.0,
        lambda _farm: TasksFailing(3),
        ("SwarmTasksPending",),
    ),
    Fault(
        "flow-control",
        "one database node applies too slowly and holds up the cluster",
        900.0,
        lambda farm: FlowControl(farm.tiers[DATABASE][2].name, 0.18, slower=2.0),
        ("GaleraFlowControl",),
    ),
    Fault(
        "slow-ops",
        "operations of Ceph are blocked for more than 30 seconds",
        600.0,
        lambda _farm: SlowOps(14),
        ("CephSlowOps", "CephHealthWarning"),
    ),
    Fault(
        "ceph-full",
        "somebody has exported terabytes into the object store: OSDs are full, and Ceph takes no writes",
        1_200.0,
        lambda _farm: Written(5.45e12),
        ("CephHealthError", "CephCapacity"),
    ),
    Fault(
        "certificate-stuck",
        "a site's certificate was not renewed and ends soon",
        4_000.0,
        lambda farm: CertificateStuck(min(11, len(farm.sites) - 1)),
        ("CertificateExpires",),
    ),
    Fault(
        "backup-failed",
        "the nightly backup has failed for longer than a day",
        36 * 3600.0,
        lambda _farm: BackupFailing(True),
        ("BackupOld",),
    ),
    Fault(
        "pve-backup-failed",
        "the last night's backup of one Proxmox VE host's guests has ended with errors; no alert tells of it",
        26 * 3600.0,
        lambda farm: GuestBackupsFailing(farm.hosts[2].name),
        (),
    ),
    Fault(
        "backups-overdue",
        "the database of one site is dumped no more: its last good backup is days old",
        3.2 * 86_400.0,
        lambda farm: DumpStopped(min(23, len(farm.sites) - 1)),
        (),
    ),
    Fault(
        "backup-shrunk",
        "the file backup of one site came in time, and is much smaller than the one before",
        86_400.0,
        lambda farm: FilesMissing(min(41, len(farm.sites) - 1)),
        (),
    ),
    Fault(
        "spaces-down",
        "the object store that holds the sites' backups answers with errors: how old they are is not known",
        900.0,
        lambda _farm: SpacesDown(True),
        (),
    ),
    Fault(
        "clock-off",
        "the clock of a worker is off",
        1_200.0,
        lambda farm: ClockOff(farm.tiers[APP][4 % len(farm.tiers[APP])].name, 0.21),
        ("NodeClockSkew",),
    ),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
"""All faults by their names."""


def begun(names: Iterable[str], farm: Inventory) -> list[tuple[float, Change]]:
    """The changes of these faults with the seconds before the present at which they have happened.

    Raises KeyError for a name that there is not.
    """
    return [(FAULTS[name].ago_s, FAULTS[name].begin(farm)) for name in dict.fromkeys(names)]
