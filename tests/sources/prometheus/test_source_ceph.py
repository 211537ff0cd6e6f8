"""Ceph by Prometheus: when the mgr is not to be believed, and what is worked out of several figures."""

from __future__ import annotations

from typing import Any

import pytest

from farmtui.farm.cluster import Ceph
from farmtui.farm.state import Severity
from tests.sources.conftest import Serve
from tests.sources.prometheus.fakes import FakePrometheus, series, status
from tests.sources.prometheus.polls import FIGURES, Polls, good, only, polls

__all__ = ["polls"]

HEALTH, COMMITS = (FIGURES[f"ceph.{name}"].promql for name in ("health_status", "mon_commits_per_s"))
STEP_S = 15.0
Vectors = dict[str, Any]


def cluster(**figures: Any) -> FakePrometheus:
    """A Prometheus that has a mgr which says HEALTH_OK, and these figures."""
    vectors: Vectors = {HEALTH: [series(0)], COMMITS: [series(2.5)], FIGURES["ceph.osd_up"].promql: [osd("osd.0")]}
    vectors |= {FIGURES[f"ceph.{name}"].promql: rows for name, rows in figures.items()}
    return FakePrometheus(vectors)


def osd(name: str, value: float = 1) -> Any:
    """A series of one daemon."""
    return series(value, ceph_daemon=name)


async def ceph_of(source: Any) -> Ceph:
    """The cluster after one more poll."""
    found = good(await source.poll()).ceph
    assert found is not None
    return found


async def test_a_mgr_whose_mons_decide_nothing_is_not_believed(serve: Serve, polls: Polls) -> None:
    fake = cluster()
    source = polls.source(await serve(fake))
    seen_at = (await ceph_of(source)).seen_at
    assert seen_at == polls.clock.at
    fake.vectors[COMMITS] = [series(0)]
    for _ in range(5):
        polls.clock.forward(STEP_S)
        stalled = await ceph_of(source)
        assert (stalled.health, stalled.stalled, stalled.seen_at) == (None, True, seen_at)
        assert stalled.osds, "the last picture stays readable"
    # One answer that fails is no reason to believe it again.
    fake.fault = only("ceph.mon_commits_per_s", status(500))
    polls.clock.forward(STEP_S)
    assert (await ceph_of(source)).stalled
    fake.fault = None
    fake.vectors[COMMITS] = [series(1)]
    polls.clock.forward(STEP_S)
    well = await ceph_of(source)
    assert (well.health, well.stalled, well.seen_at) == (Severity.OK, False, polls.clock.at)


async def test_what_a_console_that_starts_without_quorum_sees_is_minutes_old(serve: Serve, polls: Polls) -> None:
    source = polls.source(await serve(cluster(mon_commits_per_s=[series(0)])))
    began = polls.clock.at
    ages = []
    while (polls.clock.at - began).total_seconds() < 4_000:
        ceph = await ceph_of(source)
        assert ceph.stalled
        assert ceph.seen_at is not None
        ages.append((polls.clock.at - ceph.seen_at).total_seconds())
        polls.clock.forward(100.0)
    assert ages[0] == 120.0
    assert ages == sorted(ages), "it only grows older, past the hour too"


async def test_a_mgr_that_is_gone_is_not_one_that_repeats_itself(serve: Serve, polls: Polls) -> None:
    fake = cluster()
    source = polls.source(await serve(fake))
    seen_at = (await ceph_of(source)).seen_at
    # Its last samples leave the window one by one: two that are alike are not a mon that decides nothing.
    fake.vectors[HEALTH] = []
    fake.vectors[COMMITS] = [series(0)]
    polls.clock.forward(STEP_S)
    gone = await ceph_of(source)
    assert (gone.stalled, gone.seen_at, gone.health) == (False, seen_at, Severity.OK)


async def test_a_mgr_of_which_nobody_counts_the_mons_commits_is_believed(serve: Serve, polls: Polls) -> None:
    ceph = await ceph_of(polls.source(await serve(cluster(mon_commits_per_s=[]))))
    assert (ceph.health, ceph.stalled) == (Severity.OK, False)


def moving(slope: float | None, own: float = 0.0, state: str = "ceph_pg_backfilling") -> Vectors:
    """600 object copies in the wrong place."""
    return {
        "objects_degraded": [series(100)],
        "objects_misplaced": [series(500)],
        "recovering_objects_per_s": [series(own)],
        "pg_states": [series(3, __name__=state, pool_id="1"), series(8, __name__="ceph_pg_total", pool_id="1")],
        "objects_left_slope_per_s": [] if slope is None else [series(slope)],
    }


@pytest.mark.parametrize(
    ("vectors", "left_s"),
    [
        (moving(-20.0), 30.0),
        (moving(-20.0, own=300.0), 30.0),
        (moving(-20.0, own=20.0, state="ceph_pg_backfill_wait"), 30.0),
        # It has begun: what is left over the last minutes is more than there was.
        (moving(12.0, own=300.0), None),
        (moving(0.0, own=0.2), None),
        # Objects are deleted while nothing recovers.
        (moving(-20.0, state="ceph_pg_undersized"), None),
        # Nobody measures them over time: Ceph's own rate is better than nothing.
        (moving(None, own=60.0), 10.0),
        (moving(None), None),
        (moving(float("nan")), None),
    ],
)
async def test_the_end_of_a_recovery_is_told_by_what_is_left(
    serve: Serve, polls: Polls, vectors: Vectors, left_s: float | None
) -> None:
    ceph = await ceph_of(polls.source(await serve(cluster(**vectors))))
    assert ceph.objects_left == 600.0
    assert ceph.recovery_eta_s == left_s


async def test_an_active_mds_that_hears_no_client_is_not_well(serve: Serve, polls: Polls) -> None:
    def mds(name: str, rank: str) -> Any:
        return series(1, ceph_daemon=name, fs_id="1", hostname="stor-1", rank=rank)

    fake = cluster(
        mds_info=[mds("mds.a", "0"), mds("mds.b", "1"), mds("mds.c", "2"), mds("mds.d", "-1")],
        mds_heard_per_s=[osd("mds.a", 0.0), osd("mds.b", 0.4), osd("mds.d", 0.0)],
    )
    ceph = await ceph_of(polls.source(await serve(fake)))
    assert [(mds.name, mds.state, mds.well) for mds in ceph.mdss] == [
        ("mds.a", "silent, rank 0", False),
        ("mds.b", "rank 1", True),
        ("mds.c", "rank 2", True),
        ("mds.d", "standby", True),
    ]


async def test_an_osd_of_which_only_its_latency_is_told_is_down_and_out(serve: Serve, polls: Polls) -> None:
    fake = cluster(
        osd_up=[osd("osd.0"), osd("osd.1", 0)],
        osd_in=[osd("osd.0"), osd("osd.1")],
        osd_apply_latency_ms=[osd(f"osd.{n}", 0) for n in range(3)],
        osd_info=[series(1, ceph_daemon="osd.2", hostname="stor-2", device_class="hdd")],
    )
    ceph = await ceph_of(polls.source(await serve(fake)))
    assert [(o.id, o.host, o.up, o.is_in) for o in ceph.osds] == [
        ("osd.0", "", True, True),
        ("osd.1", "", False, True),
        ("osd.2", "stor-2", False, False),
    ]


async def test_flags_have_cephs_own_names(serve: Serve, polls: Polls) -> None:
    flags = [series(1, __name__=f"ceph_osd_flag_{name}") for name in ("noout", "nodeep_scrub")]
    ceph = await ceph_of(polls.source(await serve(cluster(osd_flags=flags))))
    assert ceph.flags == ("nodeep-scrub", "noout")


async def test_groups_are_counted_by_pool_and_slow_daemons_named(serve: Serve, polls: Polls) -> None:
    def groups(state: str, pool: str, number: float) -> Any:
        return series(number, __name__=f"ceph_pg_{state}", pool_id=pool)

    fake = cluster(
        pg_states=[
            groups("total", "1", 16), groups("clean", "1", 15), groups("inconsistent", "1", 1),
            groups("total", "2", 8), groups("clean", "2", 8), groups("active", "2", float("nan")),
        ],
        slow_daemons=[osd("osd.11", 3), osd("osd.2", 3), osd("osd.4", 7), osd("mon.a", float("nan"))],
    )  # fmt: skip
    ceph = await ceph_of(polls.source(await serve(fake)))
    assert ceph.pg_states == (("clean", 23), ("inconsistent", 1))
    assert [(pool.pgs, pool.pgs_clean, pool.pg_states) for pool in ceph.pools] == [
        (16, 15, (("clean", 15), ("inconsistent", 1))),
        (8, 8, (("clean", 8),)),
    ]
    assert ceph.slow_daemons == (("osd.4", 7), ("osd.2", 3), ("osd.11", 3))
