"""What a Ceph cluster has on disk before its first daemon starts: ceph.conf, everybody's keys, the monitors' map."""

from __future__ import annotations

import base64
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

USER: Final = "ceph"

OSD_BYTES: Final = 3 << 30
"""The size of an OSD: a sparse file of which little is ever written."""

_CAPS: Final = {
    "mon": {"mon": "allow *"},
    "mgr": {"mon": "allow profile mgr", "osd": "allow *", "mds": "allow *"},
    "osd": {"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"},
    "mds": {"mon": "allow profile mds", "mgr": "allow profile mds", "osd": "allow rw tag cephfs *=*", "mds": "allow"},
    "rgw": {"mon": "allow rw", "mgr": "allow rw", "osd": "allow rwx"},
}
_ADMIN_CAPS: Final = {"mon": "allow *", "mgr": "allow *", "osd": "allow *", "mds": "allow *"}


def conf(
    folder: Path, fsid: str, mons: Mapping[str, str], hosts: Mapping[str, Sequence[str]], addresses: Mapping[str, str]
) -> str:
    """The text of ceph.conf. `mons` are addresses with ports by id; `hosts` the daemons, `addresses` the IP, by host.

    Settings make faults show, and mend, in seconds instead of minutes.
    """
    lines = [
        "[global]",
        f"fsid = {fsid}",
        f"mon_host = {','.join(f'[v2:{address}]' for address in mons.values())}",
        f"mon_initial_members = {','.join(mons)}",
        f"keyring = {folder}/keyring",
        f"run_dir = {folder}",
        f"admin_socket = {folder}/$name.asok",
        # To their standard error, which the lab keeps; nothing in /var.
        "log_file =",
        "log_to_stderr = true",
        "err_to_stderr = true",
        "mon_cluster_log_file =",
        f"crash_dir = {folder}/crash",
        "log_max_recent = 100",
        "ms_bind_msgr1 = false",
        "auth_allow_insecure_global_id_reclaim = false",
        "osd_pool_default_size = 3",
        "osd_pool_default_min_size = 2",
        "osd_pool_default_pg_num = 8",
        "osd_pool_default_pg_autoscale_mode = off",
        "mon_allow_pool_delete = true",
        "mon_data_avail_warn = 1",
        "mon_data_avail_crit = 1",
        # Faults that are seen soon, in a cluster that is a minute old too.
        "mon_down_mkfs_grace = 0",
        "mon_mgr_mkfs_grace = 5",
        "osd_heartbeat_interval = 1",
        "osd_heartbeat_grace = 4",
        "mon_osd_adjust_heartbeat_grace = false",
        "mon_osd_min_down_reporters = 1",
        "mon_osd_down_out_interval = 600",
        "mon_lease = 2",
        "mon_tick_interval = 1",
        "mon_election_timeout = 2",
        "paxos_propose_interval = 0.2",
        "mon_mgr_digest_period = 1",
        "mon_mgr_beacon_grace = 5",
        "mgr_beacon_period = 1",
        "mgr_tick_period = 1",
        "mgr_stats_period = 1",
        "osd_beacon_report_interval = 2",
        "mds_beacon_interval = 1",
        "mds_beacon_grace = 4",
        "mds_beacon_mon_down_grace = 4",
        "mds_reconnect_timeout = 2",
        # The average of a quarter of an hour: an OSD that was frozen would be reproached with it for as long.
        "mon_warn_on_slow_ping_time = 60000",
        # Recovery that takes seconds.
        "osd_recovery_sleep = 0",
        "osd_recovery_sleep_hdd = 0",
        "osd_max_backfills = 4",
        "osd_recovery_max_active = 8",
        "osd_recovery_delay_start = 0",
        "osd_scrub_sleep = 0",
        "osd_scrub_auto_repair = false",
        # Small.
        "osd_objectstore = bluestore",
        "bluestore_block_create = true",
        f"bluestore_block_size = {OSD_BYTES}",
        "bluestore_prefer_deferred_size_hdd = 0",
        "bluestore_fsck_on_mount = false",
        "osd_crush_initial_weight = 1",
        "osd_op_num_shards = 2",
        "rgw_thread_pool_size = 16",
        "rgw_enable_usage_log = false",
        *(f"\n[{kind}]\n{kind}_data = {folder}/{kind}.$id" for kind in ("mon", "mgr", "mds", "osd")),
        # Not the MDSs': theirs would be slow at every start.
        "osd_op_complaint_time = 3",
    ]
    for host, daemons in hosts.items():
        for daemon in daemons:
            kind, _, ident = daemon.partition(".")
            section = f"client.{daemon}" if kind == "rgw" else daemon
            lines += ["", f"[{section}]", f"public_addr = {addresses[host]}"]
            if kind == "mon":
                lines[-1] = f"public_addrv = v2:{mons[ident]}"
    return "\n".join(lines) + "\n"


def keyring(daemons: Sequence[str]) -> str:
    """The keys of all daemons and of client.admin, in one file: a mon takes them in when it is made."""
    text = [_key("mon.", _CAPS["mon"]), _key("client.admin", _ADMIN_CAPS)]
    for daemon in daemons:
        kind = daemon.partition(".")[0]
        if kind != "mon":
            text.append(_key(f"client.{daemon}" if kind == "rgw" else daemon, _CAPS[kind]))
    return "".join(text)


def _key(name: str, caps: Mapping[str, str]) -> str:
    secret = struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)
    granted = "".join(f'\tcaps {part} = "{what}"\n' for part, what in caps.items())
    return f"[{name}]\n\tkey = {base64.b64encode(secret).decode()}\n{granted}"


def monmap(path: Path, fsid: str, mons: Mapping[str, str]) -> None:
    """Write the map that the first monitors are made with."""
    added = [word for ident, address in mons.items() for word in ("--addv", ident, f"[v2:{address}]")]
    command = ["monmaptool", "--create", "--clobber", "--fsid", fsid, *added, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def owned(path: Path) -> Path:
    """Make a folder that the daemons' user owns."""
    path.mkdir(exist_ok=True)
    shutil.chown(path, USER, USER)
    return path
