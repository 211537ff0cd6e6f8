"""The cache screen's Varnish rows: one word for what is wrong, and what varnishadm says of each node's backends."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from farmtui.farm.cache import cache_tier
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness
from farmtui.farm.traffic import CacheNode, CacheTier
from farmtui.farm.varnish import VarnishBackend, VarnishBackends
from screens.cache import CacheScreen
from screens.describe import describe
from screens.detail import render
from screens.places import Subject
from tests.screens.farms import HOSTILE, NOW, ago, make_farm, make_node, make_source
from tests.screens.host import SIZES, HostApp, text_of

WIDE = ((120, 40), (200, 60))
"""Where there is room for the column of backends."""


def backend(name: str, healthy: bool | None = True, admin: str = "probe") -> VarnishBackend:
    """One backend; with a probe unless nobody can tell."""
    good = None if healthy is None else 8 if healthy else 0
    return VarnishBackend(name, admin, healthy, good, None if healthy is None else 8, ago(3))


def varnish(number: int = 1, *backends: VarnishBackend, **changes: Any) -> CacheNode:
    """A Varnish that is well but for the changes, and that was asked for its backends just now."""
    made = CacheNode(
        f"10.0.0.{number}:9100", up=True, hit_ratio=0.93, requests_per_s=960.0, evictions_per_s=0.0, objects=1e5,
        backends=backends, backends_at=ago(0.1) if backends else None, seen_at=NOW,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def tier(*nodes: CacheNode, freshness: Freshness = Freshness.LIVE, told: Freshness = Freshness.LIVE) -> Farm:
    """A farm that is its cache tier; `told` is the freshness of what varnishadm says."""
    machines = [make_node(f"cache-{number}", Tier.CACHE, address=f"10.0.0.{number}") for number in (1, 2, 3)]
    farm = make_farm(nodes=machines, sources=[make_source("prometheus", freshness), make_source("varnish", told)])
    return dataclasses.replace(farm, cache=CacheTier(nodes, (), 0.93, 0.93))


async def shown(farm: Farm, size: tuple[int, int] = (120, 40)) -> list[str]:
    """What the screen shows of a farm, blanks of each line drawn together."""
    app = HostApp(CacheScreen, farm)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return [" ".join(line.replace("░", " ").split()) for line in text_of(app)]


def row(lines: list[str], name: str = "cache-1") -> str:
    """The row of a machine."""
    return next((line for line in lines if f" {name} " in line), "")


WELL = (backend("wp1"), backend("wp2"))
ONE_SICK = (backend("wp1", healthy=False), backend("wp2"))
ALL_SICK = (backend("wp1", healthy=False), backend("wp2", healthy=False))


@pytest.mark.parametrize("size", SIZES)
async def test_a_tier_that_is_well(size: tuple[int, int]) -> None:
    lines = await shown(tier(varnish(1, *WELL), varnish(2, *WELL)), size)
    for name in ("cache-1", "cache-2"):
        assert f"● {name} ● ok 93 %" in row(lines, name)
        assert ("2/2" in row(lines, name)) is (size in WIDE)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("node", "words"),
    [
        (varnish(up=False), "✖ down"),
        (varnish(child_deaths=1.0, dropped_sessions=4.0), "✖ died"),
        (varnish(dropped_sessions=4.0, thread_queue=9.0), "✖ dropping"),
        (varnish(1, *ALL_SICK, thread_queue=9.0), "✖ no backend"),
        (varnish(1, *ONE_SICK, thread_queue=9.0), "▲ queueing"),
        (varnish(1, *ONE_SICK, backend_failures_per_s=9.0), "▲ backend sick"),
        (varnish(1, *WELL, backend_failures_per_s=9.0), "▲ fetches fail"),
        (varnish(evictions_per_s=5e4), "▲ evicting"),
        (varnish(hit_ratio=0.2, evictions_per_s=5e4), "✖ few hits"),
        (varnish(hit_ratio=0.2), "✖ few hits"),
        (varnish(), "● ok"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_wrong_in_one_word_at_every_size(size: tuple[int, int], node: CacheNode, words: str) -> None:
    assert f"cache-1 {words} " in f"{row(await shown(tier(node), size))} "


@pytest.mark.parametrize("size", WIDE)
@pytest.mark.parametrize(
    ("backends", "words"),
    [
        (WELL, "2/2"),
        ((backend("wp1", healthy=None), backend("wp2")), "2/2"),
        (ONE_SICK, "▲ sick: wp1"),
        ((backend("wp1", healthy=False),), "✖ sick: wp1"),
        (ALL_SICK, "✖ 2 of 2 sick"),
        ((*ALL_SICK, *(backend(f"b{n}") for n in range(10))), "▲ 2 of 12 sick"),
        ((), "–"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_backends_as_varnishadm_tells_them(
    size: tuple[int, int], backends: tuple[VarnishBackend, ...], words: str
) -> None:
    assert f" {words} " in row(await shown(tier(varnish(1, *backends)), size))


@pytest.mark.parametrize("size", SIZES)
async def test_a_long_or_hostile_name_of_a_backend_hides_neither_that_it_is_sick_nor_which_node(
    size: tuple[int, int],
) -> None:
    for name in ("wordpress_backend_of_shop_" * 3, HOSTILE):
        lines = await shown(tier(varnish(1, backend(name, healthy=False), backend("wp2"))), size)
        assert not {"\x1b", "\x07", "\u202e"} & set("".join(lines))
        assert "cache-1 ▲ backend sick 93 %" in row(lines)
        assert ("▲ sick: " in row(lines)) is (size in WIDE)


@pytest.mark.parametrize("size", WIDE)
async def test_a_node_that_tells_nothing_now_is_not_shown_as_of_now(size: tuple[int, int]) -> None:
    before = {"backends_at": ago(4), "backends_problem": "permission denied"}
    lines = await shown(
        tier(
            varnish(1, *WELL, **before),
            varnish(2, *WELL),
            varnish(3, backends_problem="permission denied"),
        ),
        size,
    )
    assert "▒ 2/2, 4 min" in row(lines, "cache-1")
    assert " 2/2 " in row(lines, "cache-2")
    assert "▒" not in row(lines, "cache-2")
    assert "? no answer" in row(lines, "cache-3")


@pytest.mark.parametrize("size", WIDE)
@pytest.mark.parametrize("told", [Freshness.STALE, Freshness.FORBIDDEN])
async def test_when_no_node_tells_all_are_of_before(size: tuple[int, int], told: Freshness) -> None:
    lines = await shown(tier(varnish(1, *ONE_SICK, backends_at=ago(9)), told=told), size)
    assert "▒ sick: wp1" in row(lines)
    assert "▲ sick: wp1" not in row(lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("freshness", "word"), [(Freshness.STALE, "▒ stale"), (Freshness.FORBIDDEN, "⊘ not allowed")])
async def test_figures_that_are_silent_leave_what_was_known(
    size: tuple[int, int], freshness: Freshness, word: str
) -> None:
    lines = await shown(tier(varnish(1, *WELL), freshness=freshness), size)
    assert "93 %" in row(lines)
    assert any(word in line for line in lines)


async def test_nothing_there_is_not_nothing_known() -> None:
    assert any("no Varnish nodes" in line for line in await shown(tier()))
    never = make_farm(sources=[make_source("prometheus", Freshness.NEVER, answered=None)])
    lines = await shown(never)
    assert not any("no Varnish nodes" in line for line in lines)
    assert any("no answer yet" in line for line in lines)


@pytest.mark.parametrize("size", WIDE)
async def test_a_varnish_that_nobody_measures_has_a_row_by_its_backends(size: tuple[int, int]) -> None:
    told = (
        VarnishBackends("cache-1", "10.0.0.1:9100", ONE_SICK, taken_at=NOW),
        VarnishBackends("x", "", problem="refused"),
    )
    farm = tier()
    farm = dataclasses.replace(farm, cache=cache_tier(None, told, farm.nodes), varnish=told)
    lines = await shown(farm, size)
    assert "▲ sick: wp1" in row(lines)
    assert "? no answer" in row(lines, "x")


async def test_only_faults_and_enter() -> None:
    app = HostApp(CacheScreen, tier(varnish(1, *WELL), varnish(2, *ONE_SICK)))
    async with app.run_test(size=(120, 40)) as pilot:
        app.only_faults()
        await pilot.pause()
        assert not any(" cache-1 " in line for line in text_of(app))
        await pilot.press("enter")
        await pilot.pause()
        assert [(subject.kind, subject.key) for subject in app.opened] == [("varnish", "10.0.0.2:9100")]


def test_a_node_that_is_opened_tells_each_backend_and_why_it_cannot() -> None:
    backends = (backend("wp1", healthy=False, admin="sick"), backend("wp2", healthy=None), backend("wp3"))
    farm = tier(varnish(1, *backends, backends_problem="permission denied", backends_at=ago(4)))
    found = describe(farm, Subject("varnish", "10.0.0.1:9100", "varnish cache-1"))
    assert found is not None
    told = " ".join(render(found, 100).plain.split())
    for words in (
        "wp1 ▲ sick, set so by hand",
        "wp2 no probe: nobody can tell",
        "wp3 healthy, 8 of the last 8",
        "denied",
    ):
        assert words in told
