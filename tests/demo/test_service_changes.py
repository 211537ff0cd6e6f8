"""What operators do to the services, as the world takes it: each change alone, with no server in between."""

from __future__ import annotations

import pytest

from farmtui.demo.world.ceph_changes import FullRatio, MdsFails, MgrFails, OsdReweight, OsdStop, SlowOps
from farmtui.demo.world.changes import Change, FlowControl, RedisPressure, TasksFailing, Uncacheable, VarnishStop
from farmtui.demo.world.inventory import GIB
from farmtui.demo.world.service_changes import (
    Availability,
    BackedUp,
    Ban,
    Desync,
    Moved,
    RedisFlush,
    RedisLimit,
    RedisMaster,
    Scaled,
    ServiceUpdated,
    StripCookies,
    UnitStart,
    UnitStop,
)
from farmtui.demo.world.settling import REDIS
from farmtui.demo.world.world import World
from tests.demo.stage import Clock


def world(*changes: Change) -> tuple[World, Clock]:
    """A farm to which this has just happened."""
    clock = Clock()
    farm = World(1, clock, living=False)
    farm.happen(*changes)
    return farm, clock


@pytest.mark.parametrize(
    "change",
    [
        UnitStop("cache-1", "chrony"),
        RedisMaster("cache-2"),
        StripCookies("cache-1", True),
        Desync("db-1", True),
        Availability("worker-01", "drain"),
        Availability("worker-01", "pause"),
        Scaled(0, 5, 2),
        OsdReweight(0, 0.5),
        MgrFails("stor-1"),
        MdsFails("stor-2"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_it_happens_once(change: Change) -> None:
    farm, _ = world()
    assert farm.happen(change)
    if not isinstance(change, Scaled):
        assert not farm.happen(change)


@pytest.mark.parametrize(
    "change",
    [
        UnitStart("cache-1", "chrony"),
        StripCookies("cache-1", False),
        Desync("db-1", False),
        Availability("worker-01", "active"),
        Scaled(0, 2, 2),
        OsdReweight(0, 1.0),
        MgrFails("stor-2"),
        MdsFails("stor-1"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_what_changes_nothing_is_no_change(change: Change) -> None:
    farm, _ = world()
    assert not farm.happen(change)


def test_a_stopped_varnish_bans_nothing() -> None:
    farm, _ = world(VarnishStop("cache-1"))
    assert not farm.happen(Ban("cache-1", 1.0, "req.url ~ ."))


def test_only_the_caches_that_strip_cookies_keep_pages_again() -> None:
    farm, clock = world(Uncacheable(0.4), StripCookies("cache-1", True))
    clock.at += 8 * 3_600.0
    farm.advance()
    misses = {name: v.miss.value(clock.at) for name, v in farm.timeline.last.condition.varnish.items()}
    assert misses["cache-1"] < 0.1
    assert misses["cache-2"] > 0.4


def test_a_redis_that_may_hold_more_keeps_what_it_holds() -> None:
    farm, clock = world(RedisPressure("cache-1", True), RedisLimit("cache-1", 6 * GIB))
    now = farm.timeline.last.condition
    assert "cache-1" not in now.redis_full
    assert now.redis_fill["cache-1"].value(clock.at) > 1.3
    # One that may hold as much as it likes evicts nothing either.
    farm.happen(RedisLimit("cache-1", 1 * GIB), RedisLimit("cache-1", 0.0))
    assert "cache-1" not in farm.timeline.last.condition.redis_full


def test_a_few_keys_less_relieve_no_redis() -> None:
    farm, _ = world(RedisPressure("cache-1", True), RedisFlush("cache-1", 0.001))
    assert "cache-1" in farm.timeline.last.condition.redis_full
    farm.happen(RedisFlush("cache-1", 0.5))
    assert "cache-1" not in farm.timeline.last.condition.redis_full


def test_sentinel_leaves_a_redis_that_was_stopped() -> None:
    farm, _ = world(UnitStop("cache-1", REDIS))
    assert farm.timeline.last.condition.redis_master == "cache-2"
    farm.happen(UnitStart("cache-1", REDIS))
    assert farm.timeline.last.condition.redis_master == "cache-2"


def test_who_leaves_flow_control_holds_up_nobody() -> None:
    farm, _ = world(FlowControl("db-3", 0.2, slower=2.0), Desync("db-3", True))
    now = farm.timeline.last.condition
    assert (now.databases["db-3"].paused, now.slow_queries) == (0.0, 1.0)


def test_a_stopped_engine_s_tasks_move() -> None:
    farm, _ = world(UnitStop("worker-01", "docker"))
    tasks = farm.timeline.last.condition.swarm.tasks
    assert tasks["worker-01"] == 0
    assert sum(tasks.values()) == pytest.approx(1_000)


def test_more_tasks_are_spread_over_those_that_have_some() -> None:
    farm, _ = world(Scaled(0, 22, 2))
    assert farm.timeline.last.condition.swarm.tasks["worker-01"] == pytest.approx(51)
    farm.happen(ServiceUpdated("x", True), TasksFailing(0))
    assert farm.timeline.last.condition.swarm.updated["x"][1]


def test_slow_operations_end_with_the_osd_that_holds_them() -> None:
    farm, _ = world(SlowOps(9), OsdStop(7))
    assert farm.timeline.last.condition.ceph.slow_ops == 9
    farm.happen(OsdStop(1))
    assert farm.timeline.last.condition.ceph.slow_ops == 0


def test_a_guest_is_where_it_has_moved_to_and_a_backup_is_from_when_it_was_made() -> None:
    farm, clock = world(Moved("db-1", "pve-4"), BackedUp(), FullRatio("backfillfull", 0.91))
    now = farm.timeline.last.condition
    assert (now.moved, now.backed_up_at, now.ceph.backfillfull_ratio) == ({"db-1": "pve-4"}, clock.at, 0.91)
