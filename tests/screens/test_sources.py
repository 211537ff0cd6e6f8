"""The sources screen: every state in its own words, the failure and the remedy in full."""

from __future__ import annotations

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Freshness
from screens.sources import SourcesScreen
from tests.screens.farms import HOSTILE, make_failure, make_farm, make_source, troubled
from tests.screens.host import SIZES, HostApp, text_of
from widgets.live_table import LiveTable


def host(farm: Farm | None = None) -> HostApp:
    return HostApp(SourcesScreen, farm or troubled())


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


def screen_of(app: HostApp) -> SourcesScreen:
    assert isinstance(app.shown, SourcesScreen)
    return app.shown


def names(app: HostApp) -> list[str]:
    return [source.name for source in screen_of(app).query_one("#sources", LiveTable).shown_rows]


@pytest.mark.parametrize("size", SIZES)
async def test_no_two_states_look_alike(size: tuple[int, int]) -> None:
    app = host()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        lines = [line.lstrip(" ▌") for line in text_of(app) if "in 9 s" in line]
        states = [" ".join(line.split()[:3]) for line in lines]
        for state in ("▒ stale", "⊘ not allowed", "… no answer", "▲ warns", "○ ageing", "● live", "∅ empty"):
            assert sum(found.startswith(state) for found in states) == 1, (state, states)


@pytest.mark.parametrize("size", SIZES)
async def test_the_selected_source_says_what_fails_and_what_to_do(size: tuple[int, int]) -> None:
    app = host()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert names(app)[0] == "proxmox main", "worst first"
        text = seen(app)
        assert "no answer within 10 s; neither did pve-1 and pve-2" in text
        assert "what to do check that the API nodes run" in text
        assert "failed 3 times in a row; what the screens show of it is 14 min old" in text
        await pilot.press("down")
        await pilot.pause()
        assert "has never answered" in seen(app)


async def test_a_warning_is_no_failure_and_is_said() -> None:
    app = host(make_farm(sources=[make_source(warnings=["thanos: results are partial"])]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "▲ warns" in seen(app)
        assert "thanos: results are partial" in seen(app)


async def test_a_source_that_asks_for_a_pause_is_quoted() -> None:
    failure = make_failure(FailureKind.RATE_LIMITED, "digitalocean: HTTP 429", "it is asked again when it allows it")
    from dataclasses import replace

    source = make_source("digitalocean", failure=replace(failure, retry_after_s=600))
    app = host(make_farm(sources=[source]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "▲ failing" in seen(app)
        assert "it asks for a pause of 10m" in seen(app)


async def test_all_well_is_said_and_quiet() -> None:
    app = host(make_farm(sources=[make_source("prometheus")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "answers in 42 ms, every 15 s, 17 polls" in seen(app)
        app.only_faults()
        await pilot.pause()
        assert "all sources answer" in seen(app)
        await pilot.press("v")
        await pilot.pause()
        assert "every figure of the catalogue could be had" in seen(app)
        await pilot.press("v")
        await pilot.pause()
        assert "every machine is known for certain" in seen(app)


async def test_without_sources_it_says_what_to_write() -> None:
    app = host(make_farm(sources=()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "no source is configured: see config.example.yaml" in seen(app)
        await pilot.press("v")
        await pilot.pause()
        assert "no Prometheus is configured" in seen(app)


async def test_figures_that_are_not_known_are_not_called_well() -> None:
    app = host(make_farm(sources=[make_source("prometheus", Freshness.NEVER, answered=None)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        assert "Prometheus has not answered" in seen(app)


async def test_figures_and_machines_in_doubt_have_their_own_views() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        text = seen(app)
        assert "cache.hit_ratio" in text
        assert "prometheus.queries.cache.hit_ratio" in text
        await pilot.press("c")
        assert app.clipped == ["cache.hit_ratio"]
        await pilot.press("enter")
        await pilot.pause()
        assert (app.opened[-1].kind, app.opened[-1].key) == ("source", "prometheus")
        await pilot.press("v")
        await pilot.pause()
        text = seen(app)
        assert "conflict" in text
        assert "add a line under nodes:" in text
        await pilot.press("enter")
        await pilot.pause()
        assert (app.opened[-1].kind, app.opened[-1].key) == ("node", "worker-7")
        opened = len(app.opened)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert len(app.opened) == opened, "a stranger is no machine of the farm: there is nothing to open"


async def test_faults_only_and_filter() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        app.only_faults()
        await pilot.pause()
        assert set(names(app)) == {"proxmox main", "digitalocean", "proxmox lab", "prometheus", "alertmanager"}
        app.only_faults(False)
        assert screen_of(app).set_filter("-l kind=proxmox") == ""
        await pilot.pause()
        assert set(names(app)) == {"proxmox main", "proxmox lab", "proxmox spare"}


async def test_the_keys_sort() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("N")
        await pilot.pause()
        assert names(app) == sorted(names(app))
        await pilot.press("A")
        await pilot.pause()
        assert names(app)[:3] == ["digitalocean", "proxmox lab", "proxmox main"], "never is the oldest"


async def test_a_new_picture_shows_at_once() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.publish(make_farm(sources=[make_source("prometheus", name="prometheus")]))
        await pilot.pause()
        assert names(app) == ["prometheus"]
        assert "answers in 42 ms" in seen(app)


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_answers_are_only_text(size: tuple[int, int]) -> None:
    source = make_source("proxmox", name="[/x]", failure=make_failure(what=HOSTILE, remedy=HOSTILE), warnings=[HOSTILE])
    app = host(make_farm(sources=[source], figure_problems=((HOSTILE, HOSTILE),)))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "[/x]" in seen(app)
        await pilot.press("v", "v", "v", "x", "escape")
        assert app.is_running
