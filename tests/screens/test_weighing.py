"""What a screen asks of a big picture is worked out once, and may be so in a thread; what nobody sees is not made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from farmtui.insight.findings import findings
from farmtui.insight.newest import of_newest
from farmtui.showing import weigh
from screens.console import SCREENS
from screens.frame import FarmScreen
from screens.topology import TopologyScreen
from tests.screens.host import HostApp
from tests.screens.whole import whole_farm
from widgets.live_table import LiveTable

WEIGHING = [screen for entry in SCREENS for screen in [entry.load()] if "weighs" in vars(screen)]


def test_work_is_done_again_for_another_picture_only() -> None:
    done: list[Farm] = []

    @of_newest
    def work(farm: Farm) -> str:
        done.append(farm)
        return farm.name

    first, second = whole_farm(), replace(whole_farm(), name="other")
    assert [work(farm) for farm in (first, first, second, second, first)] == [
        first.name, first.name, "other", "other", first.name
    ]  # fmt: skip
    assert [farm is first for farm in done] == [True, False, True]


def test_some_screens_have_such_work() -> None:
    assert {screen.NAME for screen in WEIGHING} >= {"compute", "cost", "sites", "topology"}


@pytest.mark.parametrize("screen", WEIGHING, ids=lambda screen: screen.NAME)
async def test_a_screen_finds_done_what_a_thread_has_weighed(screen: type[FarmScreen]) -> None:
    farm = whole_farm()
    app = HostApp(screen, farm)
    async with app.run_test() as pilot:
        if screen is TopologyScreen:
            await pilot.press("v")
        await pilot.pause()
        await asyncio.to_thread(weigh, lambda: app.shown, farm)
        works = app.shown.weighs()
        assert works
        assert [work for work in works if work(farm) is not work(farm)] == []
        assert findings(farm) is findings(farm)


def test_before_there_is_a_screen_what_is_wrong_is_weighed_all_the_same() -> None:
    farm = whole_farm()
    weigh(lambda: None, farm)
    assert findings(farm)


def table(app: HostApp, name: str) -> LiveTable[Any]:
    """One of the topology's tables."""
    return app.shown.query_one(f"#{name}", LiveTable)


async def test_a_view_that_nobody_sees_is_made_when_its_turn_comes() -> None:
    app = HostApp(TopologyScreen, whole_farm())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        before = table(app, "places").shown_rows
        assert before, "it has rows for the cursor that comes back to it"
        sick = tuple(replace(node, state=Severity.CRITICAL) for node in whole_farm().nodes)
        app.publish(replace(whole_farm(), nodes=sick))
        await pilot.pause()
        assert table(app, "machines").shown_rows == list(sick)
        assert table(app, "places").shown_rows is before
        await pilot.press("v")
        await pilot.pause()
        machines = [row for row in table(app, "places").shown_rows if row.subject and row.subject.kind == "node"]
        assert {row.severity for row in machines} == {Severity.CRITICAL}
        assert machines
        well = whole_farm()
        app.publish(well)
        await pilot.pause()
        assert {row.severity for row in table(app, "places").shown_rows} > {Severity.OK}
