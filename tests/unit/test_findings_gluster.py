"""What is wrong with GlusterFS: peers, bricks and what a replica set still bears, heals, split-brain, quotas, room."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.farm import Farm
from farmtui.farm.gluster import Quota
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.insight.gluster import bears, replica_sets
from tests.screens.gluster_farms import GB, brick, gluster, volume
from tests.unit.faulty import down


def found(farm: Farm) -> dict[str, Finding]:
    """By key, of those about Gluster."""
    return {finding.key: finding for finding in findings(farm) if finding.key.startswith("gluster/")}


BRICKS = "gluster/files/www/bricks"


def test_a_pool_that_is_well_is_no_finding() -> None:
    assert found(gluster(volume())) == {}


@pytest.mark.parametrize(
    ("replica", "up", "severity", "words"),
    [
        (3, "110", Severity.WARNING, "the loss of one more stops writes"),
        (3, "100", Severity.CRITICAL, "writes to some of its files fail"),
        (3, "000", Severity.CRITICAL, "no copy of some of its files can be reached"),
        (5, "11110", Severity.WARNING, "it bears the loss of 1 more"),
        (2, "10", Severity.WARNING, "the loss of one more stops writes"),
        (2, "01", Severity.CRITICAL, "writes to some of its files fail"),
        (1, "10", Severity.CRITICAL, "no copy of some of its files can be reached"),
        (3, "111110", Severity.WARNING, "the loss of one more stops writes"),
        (3, "111100", Severity.CRITICAL, "writes to some of its files fail"),
    ],
)
def test_what_is_left_of_the_weakest_replica_set(replica: int, up: str, severity: Severity, words: str) -> None:
    bricks = (brick(number, online=state == "1") for number, state in enumerate(up, 1))
    finding = found(gluster(volume(*bricks, replica=replica)))[BRICKS]
    assert finding.severity is severity
    assert words in finding.cause
    assert "gluster volume start www force" in finding.evidence[1]


def test_one_brick_or_several_in_the_title() -> None:
    one = found(gluster(volume(brick(1), brick(2), brick(3, online=False))))[BRICKS]
    assert one.title == "a brick of www is down"
    assert one.evidence[0] == "10.0.0.3:/bricks/www"
    two = found(gluster(volume(brick(1), brick(2, online=False), brick(3, online=False))))[BRICKS]
    assert two.title == "2 of 3 bricks of www are down"


def test_a_peer_that_is_away_stands_for_its_bricks_and_the_margin_stays_told() -> None:
    told = found(gluster(volume(brick(1), brick(2), brick(3, online=False)), away=(3,)))
    assert list(told) == ["gluster/files/peers"]
    finding = told["gluster/files/peers"]
    assert finding.title == "Gluster has lost peer 10.0.0.3"
    assert "so a brick of www is down: the loss of one more stops writes" in finding.evidence


def test_a_machine_that_is_down_stands_for_its_peer_and_its_bricks() -> None:
    farm = gluster(volume(brick(1), brick(2), brick(3, online=False)), away=(3,))
    dead = down("stor-3", Tier.STORAGE, address="10.0.0.3")
    told = findings(dataclasses.replace(farm, nodes=(dead,)))
    [machine] = [finding for finding in told if finding.key == "node/stor-3"]
    assert "so Gluster has lost peer stor-3" in machine.evidence
    assert not [finding for finding in told if finding.key.startswith("gluster/")]


def test_heals_are_counted_once_though_each_good_brick_owes_them() -> None:
    told = found(gluster(volume(brick(1, heal_pending=30), brick(2, heal_pending=30), brick(3))))
    assert told["gluster/files/www/heal"].title == "30 entries of www wait to be healed"


def test_heals_follow_from_the_brick_that_left_them() -> None:
    told = found(gluster(volume(brick(1, heal_pending=30), brick(2, heal_pending=30), brick(3, online=False))))
    assert list(told) == [BRICKS]
    assert "so 30 entries of www wait to be healed" in told[BRICKS].evidence


def test_split_brain_is_critical_says_what_to_do_and_is_not_told_twice() -> None:
    torn = [brick(number, heal_pending=2, split_brain=2) for number in (1, 2, 3)]
    told = found(gluster(volume(*torn)))
    assert list(told) == ["gluster/files/www/split"]
    finding = told["gluster/files/www/split"]
    assert finding.severity is Severity.CRITICAL
    assert any("split-brain latest-mtime" in line for line in finding.evidence)


def test_counts_that_are_not_known_are_not_zero_and_no_fault() -> None:
    unknown = [brick(number, heal_pending=None, split_brain=None, size_bytes=None) for number in (1, 2, 3)]
    assert found(gluster(volume(*unknown))) == {}


@pytest.mark.parametrize(
    ("soft", "hard", "severity", "words"),
    [
        (True, False, Severity.WARNING, "/home of www is near its quota"),
        (True, True, Severity.CRITICAL, "/home of www is at its quota"),
    ],
)
def test_quotas(soft: bool, hard: bool, severity: Severity, words: str) -> None:
    quota = Quota("/home", 10 * GB, 8 * GB, 9 * GB, soft, hard)
    [finding] = found(gluster(volume(quotas=(quota, Quota("/", None, None, 1.0))))).values()
    assert (finding.severity, finding.title) == (severity, words)


def test_a_volume_that_is_stopped_and_one_that_was_never_started() -> None:
    [finding] = found(gluster(volume(status="Stopped", quotas=(Quota("/", 1.0, 1.0, 2.0, True, True),)))).values()
    assert finding.title == "Gluster volume www is stopped"
    assert found(gluster(volume(status="Created"))) == {}


def test_the_fullest_brick_is_named() -> None:
    [finding] = found(gluster(volume(brick(1), brick(2, free_bytes=1 * GB), brick(3)))).values()
    assert finding.title == "a brick of www is 99.0 % full"
    assert finding.evidence[0].startswith("10.0.0.2:/bricks/www")


@pytest.mark.parametrize("freshness", [Freshness.STALE, Freshness.FORBIDDEN])
def test_what_a_silent_source_said_then_is_no_fault_of_now(freshness: Freshness) -> None:
    assert found(gluster(volume(brick(1, online=False)), freshness=freshness)) == {}


@given(st.lists(st.booleans(), min_size=1, max_size=7))
def test_one_brick_less_never_leaves_more_to_lose(up: list[bool]) -> None:
    """Against gluster's own rule, counted out: writes go on as long as `bears` is not below 0."""
    bricks = [brick(number, online=online) for number, online in enumerate(up, 1)]
    live = sum(up)
    majority = 2 * live > len(up) or (2 * live == len(up) and up[0])
    assert (bears(bricks) >= 0) == majority
    for index, one in enumerate(bricks):
        if one.online:
            fewer = [*bricks[:index], dataclasses.replace(one, online=False), *bricks[index + 1 :]]
            assert bears(fewer) < bears(bricks)


@given(st.integers(0, 12), st.integers(0, 4))
def test_every_brick_is_in_one_replica_set(count: int, replica: int) -> None:
    bricks = tuple(brick(number) for number in range(count))
    sets = replica_sets(dataclasses.replace(volume(), bricks=bricks, replica=replica))
    assert tuple(one for group in sets for one in group) == bricks
