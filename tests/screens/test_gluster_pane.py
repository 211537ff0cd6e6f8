"""The storage screen's GlusterFS: what each replica set still bears, what waits to be healed, who is away."""

from __future__ import annotations

import dataclasses

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.gluster import Quota
from farmtui.farm.state import Freshness
from screens.describe import describe
from screens.detail import render
from screens.places import Subject
from screens.storage import StorageScreen
from tests.screens.farms import HOSTILE
from tests.screens.gluster_farms import GB, brick, gluster, volume
from tests.screens.host import SIZES, lines_of


async def shown(farm: Farm, size: tuple[int, int] = (120, 40), *keys: str) -> str:
    """What the screen shows of a farm, blanks drawn together."""
    return " ".join(" ".join(await lines_of(StorageScreen, farm, size, *keys)).replace("░", " ").split())


@pytest.mark.parametrize("size", SIZES)
async def test_a_volume_that_is_well(size: tuple[int, int]) -> None:
    text = await shown(gluster(volume()), size)
    assert "no split-brain" in text
    assert "bears 1 more" in text
    assert "www ● started" in text
    assert "3/3" in text
    assert text.count("● online") == 3


@pytest.mark.parametrize("size", SIZES)
async def test_a_brick_that_is_down_and_what_it_leaves(size: tuple[int, int]) -> None:
    owing = (brick(1, heal_pending=30), brick(2, heal_pending=30))
    text = await shown(gluster(volume(*owing, brick(3, online=False, heal_pending=None, free_bytes=None))), size)
    assert "10.0.0.3 ▲ offline" in text
    assert "2/3" in text
    assert "bears 0 more" in text
    down = text[text.index("10.0.0.3 ▲ offline") :]
    assert " 30 " not in down[:60], "a brick that is down tells no count"


@pytest.mark.parametrize("size", SIZES)
async def test_writes_that_fail_are_said_to(size: tuple[int, int]) -> None:
    text = await shown(gluster(volume(brick(1), brick(2, online=False), brick(3, online=False))), size)
    assert "writes fail" in text
    assert text.count("✖ offline") == 2


@pytest.mark.parametrize("size", SIZES)
async def test_split_brain_is_not_to_be_overlooked(size: tuple[int, int]) -> None:
    torn = [brick(number, heal_pending=2, split_brain=2) for number in (1, 2, 3)]
    text = await shown(gluster(volume(*torn)), size)
    assert "2 in split-brain" in text
    assert "no split-brain" not in text
    assert "✖" in text


async def test_heals_that_nobody_could_count_are_not_none() -> None:
    bricks = [brick(number, heal_pending=None) for number in (1, 2, 3)]
    text = await shown(gluster(volume(*bricks, heal_problem="the self-heal daemon does not run")))
    assert "split-brain not known" in text
    assert "no split-brain" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_peer_that_is_away(size: tuple[int, int]) -> None:
    # Where there is room all tables stand beside each other.
    text = await shown(gluster(volume(), away=(3,)), size, *(() if size[0] >= 170 else ("v",)))
    assert "10.0.0.3 ▲ disconnected" in text
    assert "10.0.0.2 ● connected" in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_quota_at_its_limit(size: tuple[int, int]) -> None:
    quotas = (Quota("/home", 10 * GB, 8 * GB, 10 * GB, True, True), Quota("/well", 10 * GB, 8 * GB, 1 * GB))
    text = await shown(gluster(volume(quotas=quotas)), size, *(() if size[0] >= 170 else ("v", "v")))
    assert "/home ✖" in text
    assert "/well ●" in text


async def test_a_silent_source_leaves_what_was_known_and_its_age() -> None:
    text = await shown(gluster(volume(), freshness=Freshness.STALE))
    assert "stale" in text
    assert "www" in text


async def test_nothing_there_is_not_nothing_known() -> None:
    assert "no volumes" in await shown(gluster())
    never = dataclasses.replace(gluster(freshness=Freshness.NEVER), gluster=())
    assert "no volumes" not in await shown(never)


async def test_names_that_mean_harm_are_only_names() -> None:
    text = await shown(gluster(volume(brick(1, host=HOSTILE, path=HOSTILE), name=HOSTILE)), (200, 60))
    assert "\x1b" not in text
    assert "[/x]" in text


@pytest.mark.parametrize(
    ("kind", "key", "words"),
    [
        ("gluster-volume", "files/www", ("Replicate", "writes fail already")),
        ("gluster-peer", "files/10.0.0.3", ("10.0.0.3", "Peer in Cluster", "connected ▲ no")),
    ],
)
def test_a_thing_that_is_opened_tells_the_rest(kind: str, key: str, words: tuple[str, ...]) -> None:
    farm = gluster(volume(brick(1), brick(2, online=False), brick(3, online=False)), away=(3,))
    found = describe(farm, Subject(kind, key, key))
    assert found is not None, key
    told = " ".join(render(found, 100).plain.split())
    assert all(word in told for word in words), told
