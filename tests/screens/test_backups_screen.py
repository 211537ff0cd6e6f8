"""The screen of backups: the worst on top, silence that looks like none of it, and each thing's own page."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from farmtui.farm.backup_rows import SiteNames
from farmtui.farm.backups import BackupBook, Stored, StoreListing
from farmtui.farm.farm import Farm
from farmtui.farm.node import Guest, PveCluster
from farmtui.farm.reading import FailureKind, SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.findings import findings
from screens.backups import BackupsScreen, subject
from screens.describe import describe
from screens.overview import OverviewScreen
from screens.places import Subject
from screens.sites import SitesScreen
from tests.screens.farms import HOSTILE, make_failure, make_farm, make_source
from tests.screens.host import SIZES, HostApp, lines_of, text_of
from tests.screens.site_farms import book as site_book
from tests.screens.site_farms import site
from tests.unit.test_backups import book, guest, listing, pve, stored
from widgets.live_table import LiveTable

FARM = make_farm()


def aged(of: str, hours: float = 2.0, kind: str = "database", size: int = 100) -> Stored:
    """A newest backup, so many hours old on the farm's clock."""
    made = stored(of, 0.0, kind, size)
    at = int(FARM.at.timestamp() - hours * 3600)
    return dataclasses.replace(made, at=at, before_at=at - 86_400)


def farm(made: BackupBook | None, *sources: SourceState, **changes: Any) -> Farm:
    """A farm that is its backups."""
    given = sources or (make_source("backups", name="backups spaces"), make_source("backups", name="pve backups main"))
    return dataclasses.replace(make_farm(sources=list(given)), backups=made, **changes)


def sick() -> BackupBook:
    """One that is late, one without, one that has shrunk, and some that are well."""
    sites: SiteNames = tuple((f"{name}@file", f"{name}.example") for name in ("late", "bare", "thin", "well"))
    found = (aged("late.example", 90), aged("thin.example", size=10), aged("well.example"))
    return book(
        listing(*found),
        clusters=(pve(aged("main/1", 100, "guest")),),
        sites=sites,
        guests=(guest(1, "db-1"),),
    )


def place(shown: list[str], name: str) -> int:
    """The line of a row below the table's header."""
    head = next(n for n, line in enumerate(shown) if "site or guest" in line)
    return next(n for n, line in enumerate(shown) if n > head and name in line)


@pytest.mark.parametrize("size", [*SIZES, (40, 10)])
async def test_the_worst_stand_on_top(size: tuple[int, int]) -> None:
    shown = await lines_of(BackupsScreen, farm(sick()), size)
    if size[1] < 24:
        assert "late" in "".join(shown)
        return
    order = [place(shown, name) for name in ("late", "thin", "bare", "db-1", "well")]
    assert order == sorted(order)
    late, thin, bare = (shown[n] for n in order[:3])
    assert "overdue" in late
    assert "3 d" in late
    assert "shrunk" in thin
    assert "never" in bare
    assert "none" in bare
    if size[0] >= 120:
        assert "-90 %" in thin
        assert "spaces" in late


async def test_a_store_that_is_silent_is_unknown_in_words() -> None:
    silent = make_source("backups", Freshness.STALE, name="backups spaces", failure=make_failure(FailureKind.SERVER))
    shown = await lines_of(
        BackupsScreen, farm(sick(), silent, make_source("backups", name="pve backups main")), (120, 40)
    )
    text = "\n".join(shown)
    assert "overdue" in text, "the column's tile is there"
    assert "unknown" in shown[place(shown, "late")]
    assert "spaces stale" in text
    assert "that is known of" in text
    assert "ok" in shown[place(shown, "db-1")]


@pytest.mark.parametrize("freshness", [Freshness.NEVER, Freshness.FORBIDDEN])
async def test_a_store_that_never_answered_is_not_an_empty_one(freshness: Freshness) -> None:
    silent = make_source("backups", freshness, name="backups spaces", answered=None, failure=make_failure())
    shown = "\n".join(await lines_of(BackupsScreen, farm(BackupBook(), silent), (120, 40)))
    assert freshness.value in shown
    assert "all have one" not in shown


async def test_without_the_section_it_says_how_to_give_it() -> None:
    shown = "\n".join(await lines_of(BackupsScreen, make_farm(sources=[make_source("prometheus")]), (120, 40)))
    assert "give the config a section" in shown


async def test_only_faults() -> None:
    app = HostApp(BackupsScreen, farm(sick()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.only_faults()
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert "late" in text
        assert "well.example" not in text


async def test_hostile_names_are_shown_as_text() -> None:
    listed = listing(aged(HOSTILE.replace("/", "|")))
    shown = "\n".join(await lines_of(BackupsScreen, farm(book(listed, sites=())), (200, 60)))
    assert "\x1b" not in shown
    assert "boo" in shown


async def test_enter_opens_the_row() -> None:
    app = HostApp(BackupsScreen, farm(sick()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert app.opened == [Subject("backup", "database/spaces/late.example", "late.example database")]


def test_every_row_has_a_page_of_its_own() -> None:
    made = farm(sick())
    assert made.backups is not None
    for row in made.backups.rows:
        detail = describe(made, subject(row))
        assert detail is not None
        assert detail.severity is row.state(made.at.timestamp())[0]
        assert (detail.reasons == ()) is (detail.severity is Severity.OK)
    assert describe(made, Subject("backup", "database/spaces/gone", "gone")) is None


def test_a_sites_page_and_a_guests_page_show_theirs() -> None:
    cluster = PveCluster("main", True, (), (Guest("main", 1, "db-1", "qemu", "pve-1", "running"),))
    made = farm(sick(), sites=site_book(dataclasses.replace(site("late.example"), key="late@file")), pve=(cluster,))
    for kind, key, words in (("site", "late@file", "3 d old, overdue"), ("guest", "main/1", "4 d old, 100 B")):
        detail = describe(made, Subject(kind, key, key))
        assert detail is not None
        [block] = [block for block in detail.blocks if block.title == "Backups"]
        assert words in block.fields[0].text
    without = dataclasses.replace(made, backups=None)
    detail = describe(without, Subject("site", "late@file", "late"))
    assert detail is not None
    assert not any(block.title == "Backups" for block in detail.blocks)


async def test_the_table_of_sites_has_a_column_where_there_are_backups() -> None:
    late = dataclasses.replace(site("late.example"), key="late@file")
    sites = make_source("prometheus", name="prometheus sites")
    made = farm(sick(), make_source("backups", name="backups spaces"), sites, sites=site_book(late))
    shown = "\n".join(await lines_of(SitesScreen, made, (200, 60)))
    assert "overdue 3 d" in shown
    shown = "\n".join(await lines_of(SitesScreen, dataclasses.replace(made, backups=None), (200, 60)))
    assert "backup" not in shown


@pytest.mark.parametrize("size", SIZES)
async def test_the_overview_tells_them_in_a_line(size: tuple[int, int]) -> None:
    made = farm(sick())
    app = HostApp(OverviewScreen, made, findings=findings(made))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert "2 fresh" in text
        assert "1 overdue" in text
        assert "late.example: no da" in text
        if size[0] >= 120:
            assert "backup-run" in text
            assert "1 have none" in text


async def test_the_overview_of_a_farm_without_backups_has_no_such_line() -> None:
    shown = "\n".join(await lines_of(OverviewScreen, make_farm(), (120, 40)))
    assert "backups" not in shown


async def test_very_many_are_shown_without_holding_the_keys_up() -> None:
    names = tuple((f"s{n}@file", f"s{n:06}.example") for n in range(20_000))
    found = tuple(aged(name, n % 40) for n, (_, name) in enumerate(names))
    made = farm(book(StoreListing("spaces", "b", ("database",), found, whole=True), sites=names))
    app = HostApp(BackupsScreen, made)
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.shown.query_one("#backups", LiveTable)
        await table.settled()
        await pilot.pause()
        assert "overdue" in "\n".join(text_of(app))
