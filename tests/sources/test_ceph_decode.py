"""What Ceph's answers are read as, on real ones; and what comes of answers that mean harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.ceph_detail import CheckDetail, OsdPlace
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Severity
from farmtui.sources import ceph_detail_commands as commands
from farmtui.sources import ceph_detail_pve_decode as pve
from farmtui.sources.ceph_detail_decode import (
    LINES,
    WORDS,
    decode_health,
    decode_status,
    mds_state,
    named_filesystems,
    short_version,
)
from farmtui.sources.errors import SourceError
from tests.sources.ceph_fakes import AT, pve_answers, sample

# -- real answers


def test_checks_come_with_ceph_s_own_words_and_the_muted_last() -> None:
    found = decode_health(sample("osd-down")["health detail"])
    assert found.health is Severity.WARNING
    assert [check.name for check in found.checks] == ["OSD_DOWN", "PG_DEGRADED", "OSDMAP_FLAGS"]
    down, degraded, flags = found.checks
    assert down == CheckDetail(
        "OSD_DOWN", Severity.WARNING, "1 osds down", ("osd.3 (root=default,host=stor-2) is down",)
    )
    assert degraded.summary.startswith("Degraded data redundancy: ")
    assert degraded.lines[0].startswith("pg 1.1 is active+undersized+degraded")
    assert (flags.muted, found.flags) == (True, ("noout",))


def test_a_healthy_cluster_has_no_checks() -> None:
    found = decode_health(sample("ok")["health detail"])
    assert (found.health, found.checks, found.flags) == (Severity.OK, (), ())


def test_damaged_data_is_critical() -> None:
    found = decode_health(sample("inconsistent")["health detail"])
    assert found.health is Severity.CRITICAL
    assert [(check.name, check.severity) for check in found.checks] == [
        ("OSD_SCRUB_ERRORS", Severity.CRITICAL),
        ("PG_DAMAGED", Severity.CRITICAL),
    ]


def test_a_status_tells_quorum_groups_ranks_and_gateways() -> None:
    found = decode_status(sample("ok")["status"], AT)
    assert found.members == ("a", "b", "c")
    assert found.quorum_since is not None
    assert timedelta(0) < AT - found.quorum_since < timedelta(hours=1)
    assert found.mgr_available is True
    assert found.pgs is not None
    assert found.pgs.total == dict(found.pgs.states)["clean"] == dict(found.pgs.states)["active"]
    [rank] = found.ranks
    assert (rank.rank, rank.name, rank.state, rank.well) == (0, "b", "active", True)
    [gateway] = found.rgws
    assert (gateway.name, gateway.host) == ("rgw.a", "stor-3")


def test_a_recovery_is_told_with_its_groups_objects_and_progress() -> None:
    found = decode_status(sample("backfilling")["status"], AT)
    assert found.pgs is not None
    # A group counts in each of its states: 49 clean ones, and 15 that are at something.
    assert dict(found.pgs.states) == {
        "active": 64, "clean": 49, "backfill_wait": 10, "remapped": 10, "recovery_wait": 4, "degraded": 3,
        "recovering": 1,
    }  # fmt: skip
    assert found.pgs.objects_degraded == 42
    event, other = found.events
    assert event.message == "Global Recovery Event (0s)"
    assert other.message == "Rebalancing after osd.5 marked in (5s) (remaining: 16s)"
    assert other.ratio == pytest.approx(0.2304, abs=1e-4)


def test_mons_that_are_out_are_told_from_those_in_quorum() -> None:
    found = decode_status(sample("mon-down")["status"], AT)
    assert found.members == ("a", "b")
    mons = commands.decode_mons(sample("ok")["quorum_status"])
    assert (mons.names, mons.leader) == (("a", "b", "c"), "a")


def test_the_tree_stands_in_ceph_s_own_order() -> None:
    tree = commands.decode_tree(sample("osd-down")["osd tree"])
    assert [(place.depth, place.kind, place.name, place.status) for place in tree] == [
        (0, "root", "default", ""),
        (1, "host", "stor-1", ""), (2, "osd", "osd.0", "up"), (2, "osd", "osd.1", "up"),
        (1, "host", "stor-2", ""), (2, "osd", "osd.2", "up"), (2, "osd", "osd.3", "down"),
        (1, "host", "stor-3", ""), (2, "osd", "osd.4", "up"), (2, "osd", "osd.5", "up"),
    ]  # fmt: skip
    used = commands.with_usage(tree, sample("osd-down")["osd df"])
    first = used[2]
    assert first.is_in is True
    assert first.size_bytes == 3 * 2**30
    assert first.used_bytes is not None
    assert 0 < first.used_bytes < first.size_bytes
    assert (first.crush_weight, first.reweight, first.device_class) == (1.0, 1.0, "hdd")
    assert used[0].is_in is None


def test_an_osd_that_was_destroyed_is_told_as_that() -> None:
    tree = commands.decode_tree(sample("laggy")["osd tree"])
    assert [place.status for place in tree if place.kind == "osd"] == ["up", "up", "destroyed"]


def test_an_osd_out_of_the_cluster_and_one_in_no_tree() -> None:
    osd = {"id": 7, "name": "osd.7", "type": "osd", "status": "up", "reweight": 0}
    tree = commands.decode_tree({"nodes": [osd], "stray": [{**osd, "id": 8, "name": "osd.8", "reweight": 0.5}]})
    assert [(place.name, place.depth, place.is_in) for place in tree] == [("osd.7", 0, False), ("osd.8", 0, True)]


def test_a_laggy_mds_is_laggy_by_both_that_tell_of_it() -> None:
    by_status = decode_status(sample("laggy")["status"], AT).ranks
    assert [(mds.rank, mds.name, mds.state) for mds in by_status] == [(0, "a", "active"), (1, "b", "active (laggy)")]
    by_fs = commands.decode_filesystems(sample("laggy")["fs status"])
    assert [(mds.rank, mds.name, mds.state, mds.well) for mds in by_fs.ranks] == [
        (0, "a", "active", True),
        (1, "b", "active (laggy)", False),
    ]
    assert by_fs.clients == (("cephfs", 0),)


def test_pools_versions_places_and_the_active_mgr() -> None:
    told = sample("ok")
    pools = {pool.name: pool for pool in commands.decode_pools(told["df"])}
    assert pools["cephfs.meta"].stored_bytes is not None
    assert pools["rbd"].max_avail_bytes is not None
    assert pools["rbd"].unclean is None, "df tells nothing of placement groups"
    [(version, daemons)] = commands.decode_versions(told["versions"])
    assert (version, daemons > 10) == ("16.2.15", True)
    assert commands.decode_places(told["node ls"])["mon.b"] == "stor-2"
    assert commands.decode_active_mgr(told["mgr stat"]) == "x"
    assert commands.decode_active_mgr(sample("mgr-down")["mgr stat"]) == ""


def test_a_mon_without_quorum_says_so_of_itself() -> None:
    found = commands.decode_mon_state(sample("quorum-lost")["mon_status"])
    assert (found.name, found.state, found.agrees, found.mons) == ("a", "probing", False, ("a", "b", "c"))


def test_words() -> None:
    assert mds_state("up:standby-replay") == "standby-replay"
    assert mds_state(None) == "unknown"
    assert short_version("ceph version 19.2.3-pve2 (abc) squid (stable)") == "19.2.3-pve2"
    assert short_version("custom") == "custom"


def test_file_systems_are_named_only_where_it_is_certain_which_is_which() -> None:
    ranks = decode_status(sample("laggy")["status"], AT).ranks
    assert [mds.filesystem for mds in named_filesystems(ranks, [("cephfs", 3)])] == ["cephfs", "cephfs"]
    assert [(m.filesystem, m.clients) for m in named_filesystems(ranks, [("a", 1), ("b", 2)])] == [("", None)] * 2


def test_pve_s_tree_is_the_same_tree() -> None:
    told = sample("osd-down")
    own = commands.with_usage(commands.decode_tree(told["osd tree"]), told["osd df"])
    by_pve, versions = pve.decode_osds(pve_answers(told)["nodes/pve-1/ceph/osd"])
    assert [_place(place) for place in by_pve] == [_place(place) for place in own]
    assert versions == {"16.2.15": 6}
    assert {place.apply_latency_s for place in by_pve if place.kind == "osd"} == {0.003}


def _place(place: OsdPlace) -> tuple[object, ...]:
    return (
        place.depth,
        place.kind,
        place.name,
        place.status,
        place.size_bytes,
        place.used_bytes,
        place.is_in,
        place.pgs,
    )


# -- answers that mean harm

DECODERS: dict[str, Callable[[Any], Any]] = {
    "status": lambda answer: decode_status(answer, AT),
    "health detail": decode_health,
    "osd tree": commands.decode_tree,
    "osd df": lambda answer: commands.with_usage((OsdPlace("osd.0", "osd", 0),), answer),
    "df": commands.decode_pools,
    "fs status": commands.decode_filesystems,
    "quorum_status": commands.decode_mons,
    "mon_status": commands.decode_mon_state,
    "node ls": commands.decode_places,
    "versions": commands.decode_versions,
    "mgr stat": commands.decode_active_mgr,
    "pve nodes": pve.decode_nodes,
    "pve osd": pve.decode_osds,
    "pve pool": pve.decode_pve_pools,
    "pve mds": lambda answer: pve.decode_mdss(answer, ()),
    "pve mon": lambda answer: pve.decode_daemons(answer, "mon"),
    "pve fs": pve.decode_names,
    "pve monmap": pve.decode_monmap,
    "pve mgrmap": pve.decode_mgrmap,
}
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\x1b]52;c;aGk=\x07", "\u202e", "[/]", "HEALTH_OK", "-1", "1e999", 10**400])
)  # fmt: skip
KEYS = st.sampled_from(
    ["checks", "status", "severity", "summary", "message", "detail", "pgmap", "num_pgs", "pgs_by_state", "nodes", "id",
     "children", "name", "type", "pools", "stats", "mdsmap", "rank", "monmap", "mons", "overall", "root",
     "quorum_names", "fsmap", "by_rank", "servicemap", "services", "rgw", "daemons", "metadata", "state", "mon",
     "progress_events", "osdmap", "quorum_age", "active_name", "clients", "fs", "reweight", "stray", "kb", "quorum"]
)  # fmt: skip
HOSTILE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@pytest.mark.parametrize("name", DECODERS)
@given(answer=HOSTILE)
def test_whatever_comes_is_a_value_or_words(name: str, answer: Any) -> None:
    assert_clean(read(name, answer))


@pytest.mark.parametrize("name", ["status", "health detail", "osd tree", "osd df", "df", "fs status"])
@given(data=st.data())
def test_a_real_answer_with_a_broken_part_is_a_value_or_words(name: str, data: st.DataObject) -> None:
    answer = sample("osd-down")[name]
    for _ in range(data.draw(st.integers(1, 3))):
        _break(answer, data)
    assert_clean(read(name, answer))


def read(name: str, answer: Any) -> Any:
    """What a decoder makes of an answer, or of its refusal: any other exception fails the test."""
    try:
        return DECODERS[name](answer)
    except SourceError as error:
        return [error.what, error.remedy, {FailureKind.BAD_ANSWER: "as it should be"}[error.kind]]


def _break(answer: Any, data: st.DataObject) -> None:
    """Put something else in the place of one part, wherever it stands."""
    while isinstance(answer, dict | list) and answer:
        key = data.draw(st.sampled_from(list(answer) if isinstance(answer, dict) else range(len(answer))))
        if not isinstance(answer[key], dict | list) or not answer[key] or data.draw(st.booleans()):
            answer[key] = data.draw(HOSTILE)
            return
        answer = answer[key]


def assert_clean(value: Any) -> None:
    """No text in it acts on a terminal, and no number is none."""
    if isinstance(value, str):
        assert value.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value)
        assert "\u202e" not in value
    elif isinstance(value, float):
        assert value == value
        assert abs(value) != float("inf")
    elif isinstance(value, dict):
        for key, inner in value.items():
            assert_clean(key)
            assert_clean(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            assert_clean(inner)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            # What only tells whether anything has changed is shown to nobody.
            if field.name != "maps":
                assert_clean(getattr(value, field.name))


def test_much_is_cut_and_counted() -> None:
    lines = [{"message": "x" * 10_000}] * 5_000
    checks = {f"CHECK_{n}": {"severity": "HEALTH_WARN", "summary": {}, "detail": lines} for n in range(300)}
    found = decode_health({"status": "HEALTH_WARN", "checks": checks})
    assert len(found.checks) == 200
    first = found.checks[0]
    assert (len(first.lines), first.lines_left) == (LINES, 5_000 - LINES)
    assert len(first.lines[0]) == WORDS
    nodes = [{"id": n, "name": f"osd.{n}", "type": "osd"} for n in range(50_000)]
    assert len(commands.decode_tree({"nodes": nodes})) == commands.TREE
    assert len(commands.decode_pools({"pools": [{}] * 5_000})) == commands.POOLS


def test_a_tree_that_bites_its_tail_ends() -> None:
    nodes = [
        {"id": 1, "name": "a", "type": "root", "children": [2, 2, 3, 99]},
        {"id": 2, "name": "b", "type": "host", "children": [1]},
        {"id": 3, "name": "c", "type": "host", "children": [3]},
    ]
    assert sorted(place.name for place in commands.decode_tree({"nodes": nodes})) == ["a", "b", "c"]
    deep: dict[str, Any] = {"id": 0, "name": "0", "type": "root"}
    root = deep
    for n in range(1, 500):
        deep["children"] = [{"id": n, "name": str(n), "type": "host"}]
        deep = deep["children"][0]
    tree, _ = pve.decode_osds({"root": {"children": [root]}})
    assert len(tree) == commands.DEPTH + 1


def test_samples_are_what_a_version_of_ceph_really_prints() -> None:
    """They are json, and whoever adds one sees here that it is read."""
    for name in ("ok", "osd-down", "mgr-down", "laggy"):
        told = sample(name)
        for words, answer in told.items():
            assert DECODERS[words](json.loads(json.dumps(answer))) is not None
