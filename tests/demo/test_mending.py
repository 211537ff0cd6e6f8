"""What a fault is mended by, on the machines themselves: its alerts end, and the world is whole again."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.demo.faults import FAULTS
from tests.demo.machines import machines

MENDED: dict[str, tuple[tuple[str, str], ...]] = {
    "hit-ratio-falling": tuple(
        (f"cache-{number}", f"sudo -n varnishadm vcl.use {name}")
        for number, name in enumerate(["strip-cookies"] * 3, 1)
    ),
    "osd-down": (("stor-2", "sudo -n systemctl restart ceph-osd@5"), ("stor-2", "ceph osd in 5")),
    "pg-inconsistent": (("stor-1", "ceph pg repair 3.0"),),
    "galera-node-lost": (("db-2", "sudo -n systemctl start mariadb"),),
    "prometheus-slow": (("mon-1", "sudo -n systemctl restart prometheus"),),
    "interconnect-down": (("mgr-1", "sudo -n systemctl restart wg-quick@wg0"),),
    "interconnect-lossy": (("mgr-1", "sudo -n systemctl restart wg-quick@wg0"),),
    "interconnect-slow": (("mgr-1", "sudo -n systemctl restart wg-quick@wg0"),),
    "mtu-mismatch": (("stor-2", "sudo -n ip link set dev eth1 mtu 9000"),),
    "interface-errors": (("stor-3", "sudo -n ethtool -r eth1"),),
    "redis-pressure": (("cache-1", "redis-cli config set maxmemory 6gb"),),
    "site-broken": (("mgr-1", "docker service update --rollback wp_harbor-fitness-example"),),
    "site-hungry": (("mgr-1", "docker service update --rollback wp_summer-design-example-org"),),
    "disk-filling": (("db-1", 'sudo -n mariadb -e "PURGE BINARY LOGS BEFORE NOW() - INTERVAL 1 DAY"'),),
    "tasks-failing": (("mgr-1", "docker service update --force wp_river-photo-example-com"),),
    "flow-control": (
        ("db-3", "mariadb -e 'SET GLOBAL wsrep_desync=ON'"),
        ("db-3", "mariadb -e 'SET GLOBAL wsrep_desync=OFF'"),
    ),
    "slow-ops": (("stor-1", "ceph osd ok-to-stop 0"), ("stor-1", "sudo -n systemctl restart ceph-osd@0")),
    "ceph-full": (
        ("stor-1", "ceph osd set-full-ratio 0.97"),
        ("stor-1", "radosgw-admin bucket rm --bucket=old-exports --purge-objects"),
        ("stor-1", "ceph osd set-full-ratio 0.95"),
    ),
    "certificate-stuck": (("mgr-2", "docker service update --force edge_traefik"),),
    "backup-failed": (("mon-2", "sudo -n systemctl start farm-backup"),),
    "clock-off": (("worker-05", "sudo -n systemctl restart chrony"),),
}
"""By fault: the host and the command line of each step."""

OTHERWISE = {
    "redis-pressure": (("cache-1", "redis-cli -n 0 flushdb"),),
    "disk-filling": (("db-1", "sudo -n journalctl --vacuum-size=200M"),),
    "flow-control": (("db-3", "sudo -n systemctl restart mariadb"),),
    "clock-off": (("worker-05", "chronyc makestep"),),
}
"""A second way, where there is one."""

NOT_BY_COMMAND = {
    "cache-node-down",
    "worker-down",
    "manager-down",
    "pve-host-down",
    "do-api-refusing",
    "do-api-limited",
    "site-surge",
    "sites-failing",
    "pve-backup-failed",
    "backups-overdue",
    "backup-shrunk",
    "spaces-down",
}
"""Who is off has to be switched on by its API; nobody here mends an account, or sends visitors away. A dozen
sites take a dozen commands: `site-broken` shows the one."""


def test_for_every_fault_it_is_known_what_mends_it() -> None:
    assert set(MENDED) | NOT_BY_COMMAND == set(FAULTS)
    assert not set(MENDED) & NOT_BY_COMMAND


def test_the_document_tells_it() -> None:
    text = (Path(__file__).parents[2] / "docs" / "demo.md").read_text(encoding="utf-8")
    rows = {fault: line for line in text.splitlines() for fault in FAULTS if f"`{fault}`" in line}
    assert set(rows) == set(FAULTS)
    for fault, steps in [*MENDED.items(), *OTHERWISE.items()]:
        told = rows[fault]
        for _, line in steps:
            command = line.removeprefix("sudo -n ")
            assert command in told or command.endswith(("desync=OFF'", "edge_traefik")), (fault, command)


@pytest.mark.parametrize(
    ("fault", "steps"),
    [*MENDED.items(), *OTHERWISE.items()],
    ids=[*MENDED, *(f"{name} otherwise" for name in OTHERWISE)],
)
async def test_its_commands_mend_it(fault: str, steps: tuple[tuple[str, str], ...], tmp_path: Path) -> None:
    async with machines(tmp_path, fault) as farm:
        assert set(FAULTS[fault].alerts) <= await farm.alerts()
        for host, line in steps:
            await farm.told(host, line)
        await farm.pass_time(2 * 3600.0)
        assert (await farm.alerts()).isdisjoint(FAULTS[fault].alerts)
