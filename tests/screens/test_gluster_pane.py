"""The storage screen's GlusterFS: what each replica set still bears, what waits to be healed, who is away."""

from __future__ import annotations

import dataclasses
import re

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.gluster import GlusterVolume, Quota
from farmtui.farm.state import Freshness
from screens.describe import describe
from screens.detail import render
from screens.gluster import gluster_freshness
from screens.places import Subject
from screens.storage import StorageScreen
from tests.screens.farms import HOSTILE, make_source
from tests.screens.gluster_farms import GB, brick, gluster, volume
from tests.screens.host import SIZES, HostApp, lines_of, text_of


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


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (volume(), "● started"),
        (volume(status="Stopped"), "✖ stopped"),
        (volume(status="Created"), "◆ created"),
        (volume(brick(1, split_brain=1), brick(2), brick(3, online=False)), "✖ split-brain"),
        (volume(brick(1), brick(2, online=False), brick(3, online=False)), "✖ writes fail"),
        (volume(quotas=(Quota("/a", GB, GB, GB, True, True),)), "✖ quota full"),
        (volume(brick(1), brick(2, free_bytes=1 * GB), brick(3)), "✖ filling up"),
        (volume(brick(1, heal_pending=9), brick(2), brick(3, online=False)), "▲ brick down"),
        (volume(brick(1, heal_pending=9), brick(2), brick(3)), "▲ heals wait"),
        (volume(brick(1), brick(2, free_bytes=8 * GB), brick(3)), "▲ filling up"),
        (volume(quotas=(Quota("/a", GB, GB, GB, True),)), "▲ quota near"),
        (volume(heal_problem="the self-heal daemon does not run"), "? not counted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_volume_says_in_one_word_what_is_worst(changed: GlusterVolume, words: str) -> None:
    """Whichever of the tables below is chosen; a quota is seen in none of the others."""
    for size in SIZES:
        assert f"www {words} " in await shown(gluster(changed), size)


@pytest.mark.parametrize("size", SIZES)
async def test_a_brick_that_is_online_and_not_well_says_what_it_is(size: tuple[int, int]) -> None:
    bricks = (brick(1, split_brain=2, free_bytes=1), brick(2, free_bytes=1 * GB), brick(3))
    text = await shown(gluster(volume(*bricks)), size)
    assert "10.0.0.1 ✖ split-brain" in text
    assert "10.0.0.2 ✖ filling up" in text
    assert "✖ 99.0 %" in text
    assert "✖ >99.9 %" in text
    assert "10.0.0.3 ● online" in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_path_that_is_long_cuts_nothing_that_matters(size: tuple[int, int]) -> None:
    long = "a-name-that-goes-on-and-on-" * 4
    torn = volume(
        brick(1, host=long, path=f"/{long}", split_brain=1234, heal_pending=1234),
        brick(2),
        brick(3),
        name=long,
        quotas=(Quota(f"/{long}", 10 * GB, 8 * GB, 9 * GB, True),),
    )
    keys: tuple[str, ...] = ()
    for wanted in ("✖ split-brain", "▲ disconnected", "▲ nearly full"):
        text = await shown(gluster(torn, away=(3,)), size, *keys)
        assert "1.2k" in text
        assert "1234 in split" in text
        assert "✖ split-brain" in text
        assert wanted in text
        keys = (*keys, "v")


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


@pytest.mark.parametrize("size", [*SIZES, (170, 50)])
async def test_a_quota_at_its_limit(size: tuple[int, int]) -> None:
    quotas = (
        Quota("/home", 10 * GB, 8 * GB, 10 * GB, True, True),
        Quota("/near", 10 * GB, 8 * GB, 9 * GB, True),
        Quota("/well", 10 * GB, 8 * GB, 1 * GB),
    )
    text = await shown(gluster(volume(quotas=quotas)), size, *(() if size[0] >= 170 else ("v", "v")))
    assert "/home ✖ full" in text
    assert "/near ▲ nearly full" in text
    assert "/well ● ok" in text
    assert not re.search(r"\b(limi|\d [GM]i?)\b", text), "where there is no room a column is left out, and none is cut"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("freshness", "word"), [(Freshness.STALE, "stale"), (Freshness.FORBIDDEN, "denied"), (Freshness.AGEING, "○")]
)
async def test_a_silent_source_leaves_what_was_known(size: tuple[int, int], freshness: Freshness, word: str) -> None:
    text = await shown(gluster(volume(), freshness=freshness), size)
    assert word in text or "not allowed" in text
    assert "www" in text
    assert "● live" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_the_oldest_of_two_pools_is_the_age_of_both(size: tuple[int, int]) -> None:
    farm = gluster(volume())
    (pool,), (source,) = farm.gluster, farm.sources
    other = make_source("gluster", Freshness.STALE, name="gluster others")
    both = dataclasses.replace(farm, gluster=(pool, dataclasses.replace(pool, name="others")), sources=(source, other))
    text = await shown(both, size)
    assert gluster_freshness(both) is Freshness.STALE
    assert text.count("www ● started") == 2
    assert "stale" in text


async def test_only_faults() -> None:
    ill = volume(brick(1, path="/ill"), brick(2, path="/ill"), brick(3, path="/ill", online=False), name="ill")
    app = HostApp(StorageScreen, gluster(volume(), ill))
    async with app.run_test(size=(120, 40)) as pilot:
        app.only_faults()
        await pilot.pause()
        text = " ".join(" ".join(text_of(app)).split())
    assert "ill ▲ brick down" in text
    assert "www" not in text
    assert text.count("/ill") == 1


@pytest.mark.parametrize(
    ("keys", "kind", "key"),
    [
        ("", "gluster-brick", "files/www/10.0.0.3/bricks/www"),
        ("v", "gluster-peer", "files/10.0.0.2"),
        ("vv", "gluster-volume", "files/www"),
        ("vvv", "gluster-brick", "files/www/10.0.0.3/bricks/www"),
    ],
)
async def test_enter_opens_what_is_under_the_cursor(keys: str, kind: str, key: str) -> None:
    bricks = (brick(1), brick(2), brick(3, online=False))
    farm = gluster(volume(*bricks, quotas=(Quota("/home", 10 * GB, 8 * GB, 1 * GB),)))
    app = HostApp(StorageScreen, farm)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys, "enter")
        await pilot.pause()
        assert [(subject.kind, subject.key) for subject in app.opened] == [(kind, key)]
        found = describe(farm, app.opened[0])
        assert found is not None


async def test_nothing_there_is_not_nothing_known() -> None:
    assert "no volumes" in await shown(gluster())
    never = dataclasses.replace(gluster(freshness=Freshness.NEVER), gluster=())
    assert "no volumes" not in await shown(never)


async def test_names_that_mean_harm_are_only_names() -> None:
    harm = brick(1, host=HOSTILE, path=HOSTILE, healing=HOSTILE)
    quota = Quota(HOSTILE, 10 * GB, 8 * GB, 1 * GB)
    farm = gluster(volume(harm, name=HOSTILE, kind=HOSTILE, quotas=(quota,), heal_problem=HOSTILE))
    text = await shown(farm, (200, 60))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[/x]" in text


@pytest.mark.parametrize(
    ("kind", "key", "words"),
    [
        ("gluster-volume", "files/www", ("Replicate", "CRIT", "writes fail already", "10.0.0.2 offline")),
        ("gluster-brick", "files/www/10.0.0.2/bricks/www", ("CRIT", "✖ offline", "writes fail already")),
        ("gluster-brick", "files/www/10.0.0.1/bricks/www", ("online", "writes fail already", "40 % of")),
        ("gluster-peer", "files/10.0.0.3", ("10.0.0.3", "Peer in Cluster", "connected ▲ no")),
    ],
)
def test_a_thing_that_is_opened_tells_the_rest(kind: str, key: str, words: tuple[str, ...]) -> None:
    farm = gluster(volume(brick(1), brick(2, online=False), brick(3, online=False)), away=(3,))
    found = describe(farm, Subject(kind, key, key))
    assert found is not None, key
    told = " ".join([*render(found, 100).plain.split(), *(link.text for link in found.links)])
    assert all(word in told for word in words), told
