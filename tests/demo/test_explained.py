"""Each fault of the simulated farm is told by its cause first, and by nothing that contradicts it."""

from __future__ import annotations

import pytest

from farmtui.demo.faults import FAULTS
from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from farmtui.insight.findings import findings
from farmtui.polling import Feed
from tests.demo.stage import patient, stage
from tests.screenshot import Standing

FIRST = {
    "cache-node-down": "cache-2 is down",
    "hit-ratio-falling": "hit ratio is 70 %",
    "osd-down": "Ceph PG_DEGRADED",
    "pg-inconsistent": "Ceph OSD_SCRUB_ERRORS",
    "galera-node-lost": "MariaDB on db-2 is down",
    "pve-host-down": "PVE host pve-2 is offline",
    "do-api-refusing": "digitalocean refuses us",
    "do-api-limited": "digitalocean limits our requests",
    "prometheus-slow": "PrometheusQueriesSlow",
    "interconnect-down": "interconnect pve-gw is down",
    "interconnect-lossy": "the interconnect loses",
    "interconnect-slow": "the interconnect takes",
    "mtu-mismatch": "ceph-cluster: MTU 1500 and 9000",
    "interface-errors": "ceph-cluster: errors",
    "redis-pressure": "Redis on cache-1 evicts keys",
    "site-broken": "1.6 % of all answers are errors",
    "sites-failing": "2.5 % of all answers are errors",
    "site-hungry": "summer-design.example.org eats",
    "site-surge": "SiteHungry",
    "disk-filling": "db-1 is not well",
    "worker-down": "worker-07 is down",
    "manager-down": "mgr-1 is down",
    "tasks-failing": "service wp_river-photo-example-com runs 0 of 3 tasks",
    "flow-control": "MariaDB on db-3 slows the cluster",
    "slow-ops": "Ceph SLOW_OPS",
    "ceph-full": "Ceph OSD_FULL",
    "certificate-stuck": "certificate of mellow-travel.example ends",
    "backup-failed": "500 sites have no fresh database backup",
    "pve-backup-failed": "PVE backup on pve-3 failed",
    "backups-overdue": "bright-media.example.net: no database backup",
    "backup-shrunk": "amber-coach.example.net: files backup is shrunk",
    "spaces-down": "backups spaces has an error",
    "clock-off": "NodeClockSkew",
}
"""How the worst finding begins."""

SILENT = {
    "interconnect-down": ("alertmanager", "ceph", "proxmox"),
    "pve-host-down": ("proxmox", "ceph"),
    "manager-down": ("swarm", "alertmanager"),
}
"""Faults by which something does not answer: each of these sources waits for it, is late, and is told so."""

FOLLOW = {"osd-down": 2, "sites-failing": 2, "backup-failed": 2}
"""Findings above INFO that may stand beside it, itself among them, where it is more than the one."""


async def seen(fault: str, folder: pytest.TempPathFactory) -> Farm:
    """The farm with a fault, through the console's own sources at the farm's own moment."""
    async with stage(fault) as running:
        config = patient(running.config(folder.mktemp("farm")), but=SILENT.get(fault, ()))
        return await Feed(config, clock=Standing(running.clock)).one_cycle(60.0)


def test_every_fault_is_tried() -> None:
    assert set(FIRST) == set(FAULTS)


@pytest.mark.parametrize("fault", FIRST)
async def test_its_cause_is_told_first(fault: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = findings(await seen(fault, tmp_path_factory))
    told = [(finding.title, finding.cause) for finding in found]
    assert found[0].title.startswith(FIRST[fault]), told
    loud = [finding for finding in found if finding.severity > Severity.INFO]
    assert fault in SILENT or len(loud) <= FOLLOW.get(fault, 1), told
