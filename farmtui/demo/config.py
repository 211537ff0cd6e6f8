"""The console's config that leads to the simulated servers, with the secrets and certificates beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from farmtui.demo.servers.s3_state import BUCKET
from farmtui.demo.ssh.keys import SshDoors
from farmtui.demo.world.inventory import EDGE, HYPERVISOR, MONITORING, PVE_CLUSTER, STORAGE, Inventory

INTERVAL_S = 5.0
CLOUD_INTERVAL_S = 15.0
BILL_INTERVAL_S = 60.0
BACKUPS_INTERVAL_S = 120.0
TRENDS_INTERVAL_S = 15.0
SITES_INTERVAL_S = 30.0
SWARM_INTERVAL_S = 30.0
PROXMOX_DEADLINE_S = 4.0
"""Behind a cut link each API node is given so much time, one after the other."""

PVE_USER, PVE_TOKEN_NAME = "farmtui@pve", "demo"
_DO_TOKEN_FILE, _PVE_TOKEN_FILE, _CA_FILE = "do-token", "pve-token", "ca.pem"
_S3_ACCESS_FILE, _S3_SECRET_FILE = "s3-access-key", "s3-secret-key"
_MOST_SERVICES = 1_000
"""A larger Swarm is not asked by command: each of its services is a word of several command lines."""
_SSH_CONFIG_FILE, _SSH_KEY_FILE, _KNOWN_HOSTS_FILE = "ssh_config", "ssh-key", "ssh_known_hosts"


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the simulated servers listen, and what opens them."""

    prometheus: str
    alertmanagers: Sequence[str]
    proxmox: Sequence[str]
    """Each API node's host and port."""
    proxmox_token: str = field(repr=False)
    digitalocean: str
    digitalocean_token: str = field(repr=False)
    s3: str
    """The store of the sites' backups."""
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    ca: bytes
    """The certificate (PEM) of who vouches for the servers with TLS: Proxmox VE's, DigitalOcean's and the store's."""
    ssh: SshDoors
    gluster: bool = False
    """Whether the Gluster pool of the storage nodes is to be seen."""


_JOURNAL_FILE = "journal.db"


def write_config(path: Path, farm: Inventory, doors: Doors) -> None:
    """Write the config and what it refers to; the config last and in one piece. Raises OSError."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _CA_FILE, doors.ca)
    _write(folder / _PVE_TOKEN_FILE, doors.proxmox_token.encode())
    _write(folder / _DO_TOKEN_FILE, doors.digitalocean_token.encode())
    _write(folder / _S3_ACCESS_FILE, doors.s3_access_key.encode())
    _write(folder / _S3_SECRET_FILE, doors.s3_secret_key.encode())
    _write(folder / _SSH_KEY_FILE, doors.ssh.user_key)
    _write(folder / _KNOWN_HOSTS_FILE, doors.ssh.known_hosts().encode())
    _write(folder / _SSH_CONFIG_FILE, doors.ssh.ssh_config().encode())
    data = config(farm, doors)
    # What is done to the simulated farm is no part of the user's own record.
    data["journal"] = {"url": f"sqlite:///{folder.resolve() / _JOURNAL_FILE}"}
    text = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=120)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    _write(unfinished, text.encode())
    unfinished.replace(path)


def config(farm: Inventory, doors: Doors) -> dict[str, Any]:
    """The config as data."""
    managers = [machine.name for machine in farm.tiers[EDGE]]
    pool = {"name": "files", "hosts": [machine.name for machine in farm.tiers[STORAGE][:3]], "sudo": True}
    swarm = {"hosts": managers, "via": "cli", "interval_s": SWARM_INTERVAL_S}
    patterns = {tier: {m.name.rpartition("-")[0] for m in machines} for tier, machines in farm.tiers.items()}
    return {
        "farm": {"name": "demo farm", "sites": len(farm.sites)},
        "tiers": {
            **{
                tier: {"expect": len(machines), "match": [f"{name}-*" for name in sorted(patterns[tier])]}
                for tier, machines in farm.tiers.items()
            },
            HYPERVISOR: {"expect": len(farm.hosts), "match": ["pve-*"]},
        },
        "prometheus": {
            "url": doors.prometheus,
            "interval_s": INTERVAL_S,
            "trends_interval_s": TRENDS_INTERVAL_S,
            "sites_interval_s": SITES_INTERVAL_S,
        },
        "alertmanager": {"urls": list(doors.alertmanagers), "interval_s": INTERVAL_S},
        "proxmox": [
            {
                "name": PVE_CLUSTER,
                "hosts": list(doors.proxmox),
                "token_id": f"{PVE_USER}!{PVE_TOKEN_NAME}",
                "token_secret": f"file:{_PVE_TOKEN_FILE}",
                "ca_file": _CA_FILE,
                "interval_s": INTERVAL_S,
                "deadline_s": PROXMOX_DEADLINE_S,
            }
        ],
        "ceph": {"via": "pve", "pve": PVE_CLUSTER, "interval_s": INTERVAL_S, "deadline_s": PROXMOX_DEADLINE_S},
        "digitalocean": {
            "token": f"file:{_DO_TOKEN_FILE}",
            "endpoint": doors.digitalocean,
            "ca_file": _CA_FILE,
            "interval_s": CLOUD_INTERVAL_S,
            "bill_interval_s": BILL_INTERVAL_S,
        },
        "backups": {
            "stores": [
                {
                    "name": "spaces",
                    "endpoint": doors.s3,
                    "bucket": BUCKET,
                    "region": "ams3",
                    "access_key": f"file:{_S3_ACCESS_FILE}",
                    "secret_key": f"file:{_S3_SECRET_FILE}",
                    "ca_file": _CA_FILE,
                    "interval_s": BACKUPS_INTERVAL_S,
                    "deadline_s": 20,
                }
            ],
            "pve_interval_s": BACKUPS_INTERVAL_S,
            "exempt": ["lab-*"],
        },
        "cost": {
            "follows": "B",
            "hardware": {
                "hosts": len(farm.hosts),
                "once_per_host": 9_500,
                "once": 15_000,
                "watts_per_host": 480,
                "power_kw": 0.6,
                "kwh_price": 0.19,
                "colocation_per_month": 400,
                "bandwidth_per_month": 350,
            },
            "fixed": [
                {"name": "alerting (SendGrid, Twilio)", "per_month": 50, "tier": MONITORING, "provider": "services"}
            ],
            "spread": {"hosts": "memory", "sites": "requests"},
        },
        "ssh": {
            "config_files": [_SSH_CONFIG_FILE],
            "known_hosts": [_KNOWN_HOSTS_FILE],
            "identity_files": [_SSH_KEY_FILE],
            "agent": False,
        },
        **({"gluster": [pool]} if doors.gluster else {}),
        **({"swarm": swarm} if len(farm.sites) <= _MOST_SERVICES else {}),
    }


def _write(path: Path, content: bytes) -> None:
    """Only for this user's eyes from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
