"""Ceph's health checks in plain words."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from farmtui.insight.ceph_checks import book, explain

PER_LINE = 110
"""Characters of a meaning or a remedy: one row of a wide table, two of a narrow one."""

DOCUMENTED_NAMES = """
DAEMON_OLD_VERSION MON_DOWN MON_CLOCK_SKEW MON_MSGR2_NOT_ENABLED MON_DISK_LOW MON_DISK_CRIT MON_DISK_BIG MON_NETSPLIT
AUTH_INSECURE_GLOBAL_ID_RECLAIM AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED AUTH_BAD_CAPS AUTH_INSECURE_KEYS_ALLOWED
AUTH_INSECURE_KEYS_CREATABLE AUTH_INSECURE_SERVICE_TICKETS AUTH_INSECURE_SERVICE_KEY_TYPE
AUTH_INSECURE_ROTATING_SERVICE_KEY_TYPE AUTH_INSECURE_CLIENT_KEY_TYPE AUTH_EMERGENCY_CIPHERS_SET
MGR_DOWN MGR_MODULE_DEPENDENCY MGR_MODULE_ERROR
OSD_DOWN OSD_HOST_DOWN OSD_ROOT_DOWN OSD_ORPHAN OSD_OUT_OF_ORDER_FULL OSD_FULL OSD_BACKFILLFULL OSD_NEARFULL
OSDMAP_FLAGS OSD_FLAGS OLD_CRUSH_TUNABLES OLD_CRUSH_STRAW_CALC_VERSION CACHE_POOL_NO_HIT_SET OSD_NO_SORTBITWISE
OSD_FILESTORE OSD_UNREACHABLE OSD_UPGRADE_FINISHED OSD_NO_DOWN_OUT_INTERVAL OSD_SLOW_PING_TIME_BACK
OSD_SLOW_PING_TIME_FRONT OSD_TOO_MANY_REPAIRS OSD_SCRUB_ERRORS
POOL_FULL POOL_NEAR_FULL POOL_NEARFULL POOL_BACKFILLFULL POOL_APP_NOT_ENABLED POOL_NO_REDUNDANCY
POOL_PG_NUM_NOT_POWER_OF_TWO POOL_TOO_FEW_PGS POOL_TOO_MANY_PGS POOL_TARGET_SIZE_BYTES_OVERCOMMITTED
POOL_HAS_TARGET_SIZE_BYTES_AND_RATIO POOL_DEFAULT_OVERRIDDEN TOO_FEW_OSDS TOO_FEW_PGS TOO_MANY_PGS SMALLER_PGP_NUM
MANY_OBJECTS_PER_PG CACHE_POOL_NEAR_FULL LARGE_OMAP_OBJECTS OBJECT_MISPLACED OBJECT_UNFOUND SLOW_OPS
BLUEFS_SPILLOVER BLUEFS_AVAILABLE_SPACE BLUEFS_LOW_SPACE BLUESTORE_FRAGMENTATION BLUESTORE_FREE_FRAGMENTATION
BLUESTORE_LEGACY_STATFS BLUESTORE_NO_PER_POOL_OMAP BLUESTORE_NO_PER_PG_OMAP BLUESTORE_NO_DB_SHARDING
BLUESTORE_LEGACY_MIN_ALLOC_SIZE BLUESTORE_DISK_SIZE_MISMATCH BLUESTORE_NO_COMPRESSION BLUESTORE_SPURIOUS_READ_ERRORS
BLOCK_DEVICE_STALLED_READ_ALERT WAL_DEVICE_STALLED_READ_ALERT DB_DEVICE_STALLED_READ_ALERT BLUESTORE_SLOW_OP_ALERT
DEVICE_HEALTH DEVICE_HEALTH_IN_USE DEVICE_HEALTH_TOOMANY
PG_AVAILABILITY PG_DEGRADED PG_RECOVERY_FULL PG_BACKFILL_FULL PG_DAMAGED PG_NOT_SCRUBBED PG_NOT_DEEP_SCRUBBED
PG_SLOW_SNAP_TRIMMING
INCORRECT_NUM_BUCKETS_STRETCH_MODE UNEVEN_WEIGHTS_STRETCH_MODE STRETCH_MODE_BUCKET_WEIGHT_IMBALANCE
NONEXISTENT_MON_CRUSH_LOC_STRETCH_MODE DEGRADED_STRETCH_MODE RECOVERING_STRETCH_MODE
NVMEOF_SINGLE_GATEWAY NVMEOF_GATEWAY_DOWN NVMEOF_GATEWAY_DELETING
RECENT_CRASH RECENT_MGR_MODULE_CRASH TELEMETRY_CHANGED DASHBOARD_DEBUG HIGH_DEBUG_LEVEL BLAUM_ROTH_W_IS_NOT_PRIME
DEPRECATED_EC_PLUGIN
MDS_TRIM MDS_CLIENT_RECALL MDS_CLIENT_RECALL_MANY MDS_CLIENT_LATE_RELEASE MDS_CLIENT_LATE_RELEASE_MANY
MDS_CLIENT_OLDEST_TID MDS_CLIENT_OLDEST_TID_MANY MDS_DAMAGE MDS_READ_ONLY MDS_SLOW_REQUEST MDS_CACHE_OVERSIZED
MDS_SLOW_METADATA_IO MDS_CLIENTS_LAGGY MDS_CLIENTS_BROKEN_ROOTSQUASH MDS_ESTIMATED_REPLAY_TIME
MDS_INSUFFICIENT_STANDBY MDS_UP_LESS_THAN_MAX MDS_ALL_DOWN FS_DEGRADED FS_WITH_FAILED_MDS FS_INLINE_DATA_DEPRECATED
CEPHADM_PAUSED CEPHADM_STRAY_HOST CEPHADM_STRAY_DAEMON CEPHADM_HOST_CHECK_FAILED CEPHADM_FAILED_DAEMON
CEPHADM_REFRESH_FAILED CEPHADM_DAEMON_PLACE_FAIL CEPHADM_APPLY_SPEC_FAIL CEPHADM_AGENT_DOWN CEPHADM_CERT_ERROR
CEPHADM_CHECK_KERNEL_LSM CEPHADM_CHECK_SUBSCRIPTION CEPHADM_CHECK_PUBLIC_MEMBERSHIP CEPHADM_CHECK_MTU
CEPHADM_CHECK_LINKSPEED CEPHADM_CHECK_NETWORK_MISSING CEPHADM_CHECK_CEPH_RELEASE CEPHADM_CHECK_KERNEL_VERSION
UPGRADE_NO_STANDBY_MGR UPGRADE_FAILED_PULL HOST_IN_MAINTENANCE
"""
"""Names in Ceph's documentation from Pacific on, and those that a real cluster of ours has raised."""


@pytest.mark.parametrize("name", DOCUMENTED_NAMES.split())
def test_a_documented_check_is_explained(name: str) -> None:
    text = explain(name)
    assert text.known
    assert text.meaning.lower() != name.replace("_", " ").lower()


@pytest.mark.parametrize(
    ("named", "raised"),
    [
        ("MDS_HEALTH_TRIM", "MDS_TRIM"),
        ("MDS_HEALTH_READ_ONLY", "MDS_READ_ONLY"),
        ("MDS_HEALTH_CLIENT_LATE_RELEASE_MANY", "MDS_CLIENT_LATE_RELEASE_MANY"),
    ],
)
def test_the_documentation_s_names_mean_what_is_raised(named: str, raised: str) -> None:
    assert explain(named) == explain(raised)
    assert explain(named).known


@pytest.mark.parametrize(("name", "kind"), [("OSD_POD_DOWN", "pod"), ("OSD_DEVICE_CLASS_DOWN", "device class")])
def test_every_kind_of_crush_bucket_has_words(name: str, kind: str) -> None:
    text = explain(name)
    assert text.known
    assert f"all OSDs of a {kind} " in text.meaning
    assert f"of the {kind};" in text.remedy


def test_buckets_with_words_of_their_own_keep_them() -> None:
    assert explain("OSD_HOST_DOWN").remedy.startswith("look at the host")


def test_a_check_of_a_ceph_to_come_is_shown_in_words_of_its_name() -> None:
    text = explain("FROBNICATOR_STUCK")
    assert not text.known
    assert text.meaning == "frobnicator stuck"
    assert "ceph health detail" in text.remedy


@given(st.text())
def test_no_name_fails(name: str) -> None:
    text = explain(name)
    assert text.meaning
    assert text.remedy


@pytest.mark.parametrize("name", ["", "___", "OSD__DOWN", "OSD_{kind}_DOWN", "OSD_*_DOWN_", "mon_down"])
def test_odd_names(name: str) -> None:
    text = explain(name)
    assert not text.known
    assert text.meaning


def test_every_entry_is_short_and_says_what_to_do() -> None:
    for name, text in book().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+|OSD_\*_DOWN", name)
        for words in (text.meaning, text.remedy):
            assert 8 < len(words) <= PER_LINE, name
            assert not words.endswith("."), name
            assert words.isprintable(), name
        assert text.remedy != "ceph health detail", f"{name}: the name is known, so there is more to say"


def test_no_name_is_told_twice() -> None:
    """YAML would take the second and say nothing."""
    text = files("farmtui.insight").joinpath("ceph_checks.yaml").read_text(encoding="utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    names = [key.value for key, _ in root.value]
    assert len(names) == len(set(names))


def test_the_book_is_read_when_it_is_asked_and_not_before() -> None:
    code = "from farmtui.insight import ceph_checks as c; b = c.book; assert not b.cache_info().misses; c.explain('X')"
    subprocess.run([sys.executable, "-c", f"{code}; assert b.cache_info().misses == 1"], check=True, timeout=60)
