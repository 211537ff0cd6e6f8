"""The storage screen where Ceph itself was asked: its own words, its silence, and where it and its metrics differ."""

from __future__ import annotations

import dataclasses

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness, Severity
from screens.ceph_own import ceph_freshness, ceph_health, notes
from screens.describe import describe
from screens.detail import DetailScreen, render
from screens.overview import OverviewScreen
from screens.places import Place, Subject
from screens.storage import StorageScreen
from tests.screens.ceph_farms import CEPH_FARMS, LINES, WHY, detail, lost, refused, told, without_mgr
from tests.screens.host import SIZES, HostApp, lines_of, text_of
from tests.screens.whole import whole_farm
from widgets.live_table import LiveTable


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).split())


async def shown(farm: Farm, size: tuple[int, int], *keys: str) -> str:
    """What the storage screen shows of a farm."""
    return " ".join(" ".join(await lines_of(StorageScreen, farm, size, *keys)).split())


def detail_text(farm: Farm, kind: str, key: str, width: int = 76) -> str:
    found = describe(farm, Subject(kind, key, key))
    assert found is not None
    return render(found, width).plain


# -- as it answers


@pytest.mark.parametrize("size", SIZES)
async def test_a_check_is_shown_in_ceph_s_own_words_first(size: tuple[int, int]) -> None:
    text = await shown(told(), size)
    assert "OSD_DOWN 1 osds down" in text
    assert "Degraded data redundancy: 43" in text
    assert "◆ muted OSDMAP_FLAGS noout flag(s) set" in text
    assert "HEALTH_WARN" in text
    assert "Rebalancing after osd.5 marked in" in text


async def test_without_the_detail_the_meaning_stands_there() -> None:
    text = await shown(whole_farm(), (120, 40))
    assert "OSD_DOWN an OSD that should hold" in text


@pytest.mark.parametrize("size", SIZES)
async def test_the_daemons_say_who_leads_and_who_is_laggy(size: tuple[int, int]) -> None:
    keys = () if size[0] >= 170 else ("v", "v")
    text = await shown(told(), size, *keys)
    assert "mon.a ● quorum leader" in text
    assert "mgr.b ● standby" in text
    assert "mds.a ✖ laggy, rank 0" in text


async def test_a_check_that_is_opened_says_all_that_ceph_says() -> None:
    text = detail_text(told(), "ceph-check", "PG_DEGRADED")
    head, _, below = text.partition("Ceph's detail, told on stor-1")
    # What it is and what to do stand before the fifty lines.
    assert "Ceph says   Degraded data redundancy: 43000/2100000 objects degraded" in head
    assert "meaning" in head
    assert "what to do" in head
    assert all(line in below for line in LINES)
    assert "and 12 lines more" in below
    muted = detail_text(told(), "ceph-check", "OSDMAP_FLAGS")
    assert "ceph health unmute" in muted


async def test_the_detail_can_be_scrolled_to_its_last_line() -> None:
    place = Place("storage", (Subject("ceph-check", "PG_DEGRADED", "PG_DEGRADED"),))
    app = HostApp(lambda: DetailScreen(place), told())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "and 12 lines more" not in seen(app)
        await pilot.press("end")
        await pilot.pause()
        assert "and 12 lines more" in seen(app)


def test_a_check_leads_to_the_osds_that_it_names() -> None:
    found = describe(told(), Subject("ceph-check", "OSD_DOWN", "OSD_DOWN"))
    assert found is not None
    assert [(link.subject.kind, link.subject.key, link.severity) for link in found.links] == [
        ("osd", "osd.3", Severity.CRITICAL)
    ]


def test_an_osd_has_its_place_in_the_tree() -> None:
    text = detail_text(told(), "osd", "osd.3")
    assert "place             root default > host stor-2" in text
    assert "CRUSH weight      1" in text
    assert "placement groups  96" in text
    assert "▲ destroyed" in detail_text(told(), "osd", "osd.5")
    assert "In the tree" not in detail_text(whole_farm(), "osd", "osd.3")


def test_a_mon_tells_the_quorum_a_mgr_its_standbys_an_mds_its_rank() -> None:
    mon = detail_text(told(), "ceph-daemon", "mon.b")
    assert "in quorum  a, b, c" in mon
    assert "leader     a" in mon
    assert "since      3 d ago" in mon
    assert "versions   ▲ 18.2.4 ×14, 18.2.2 ×1" in mon
    assert "standby   b" in detail_text(told(), "ceph-daemon", "mgr.a")
    mds = detail_text(told(), "ceph-daemon", "mds.a")
    assert "✖ laggy, rank 0 active" in mds
    assert "clients of it  12" in mds


def test_a_mon_that_is_out_is_named() -> None:
    quorum = dataclasses.replace(detail().quorum, members=("a", "b"))
    text = detail_text(told(dataclasses.replace(detail(), quorum=quorum)), "ceph-daemon", "mon.c")
    assert "out of it" in text
    assert "✖ c" in text


# -- as it does not answer


@pytest.mark.parametrize("metrics", [True, False])
@pytest.mark.parametrize("size", SIZES)
async def test_without_quorum_nothing_looks_well(size: tuple[int, int], metrics: bool) -> None:
    farm = lost(metrics=metrics)
    text = await shown(farm, size)
    assert "no quorum" in text
    assert "✖ quorum lost: mon.a sees state probing" in text
    assert "HEALTH_" not in text
    assert text.count("▒") >= 3
    assert ("the mgr still serves" in text) is metrics
    assert ceph_health(farm) == ("no quorum", Severity.CRITICAL)
    assert ceph_freshness(farm) is Freshness.STALE


async def test_the_daemons_without_quorum_say_what_they_say_of_themselves() -> None:
    text = await shown(lost(), (120, 40), "v", "v")
    assert "mon.a ✖ probing" in text
    assert "mon.b ✖ electing" in text
    assert "mon.c ? unknown" in text
    assert "quorum leader" not in text


def test_what_is_opened_then_says_that_it_is_of_before() -> None:
    assert "measured       ? before Ceph fell silent, 9 min ago" in detail_text(lost(), "osd", "osd.3")
    mon = detail_text(lost(), "ceph-daemon", "mon.a")
    assert " ".join(WHY.split()) in " ".join(mon.split())
    assert "in quorum" not in mon


async def test_where_it_only_does_not_answer_that_is_said() -> None:
    farm = lost(certain=False)
    text = await shown(farm, (120, 40))
    assert "no answer" in text
    assert ceph_health(farm) == ("no answer", Severity.UNKNOWN)


async def test_the_overview_does_not_show_the_share_of_before_as_of_now() -> None:
    for farm, words in ((lost(), "no quorum"), (lost(certain=False), "no answer"), (without_mgr(), "HEALTH_WARN")):
        app = HostApp(OverviewScreen, farm)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert words in seen(app)


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_mgr_what_nobody_counts_is_not_called_none(size: tuple[int, int]) -> None:
    keys = () if size[0] >= 170 else ("v",)
    text = await shown(without_mgr(), size, *keys)
    assert "MGR_DOWN no active mgr" in text
    assert "no mgr counts the pools" in text
    assert "nothing to recover" not in text
    assert "0 clean" not in text


async def test_that_ceph_refuses_us_is_said_beside_the_mgr_s_figures() -> None:
    text = await shown(refused(), (120, 40))
    assert "▲ Ceph itself refuses us: ceph at stor-1: ceph status: client.farmtui is not let in" in text
    assert "HEALTH_WARN" in text


# -- two views


async def test_where_the_two_differ_that_is_shown() -> None:
    own = dataclasses.replace(detail(), health=Severity.CRITICAL)
    farm = told(own)
    text = await shown(farm, (200, 60))
    assert "◆ Ceph and its metrics do not agree: health: Ceph says HEALTH_ERR, its metrics HEALTH_WARN" in text


def test_the_older_of_the_two_views_is_the_picture_s_age() -> None:
    farm = told()
    assert farm.ceph is not None
    assert ceph_freshness(farm) is Freshness.LIVE
    old = dataclasses.replace(farm.ceph, told_at=farm.at.replace(hour=9, minute=59, second=15))
    assert ceph_freshness(dataclasses.replace(farm, ceph=old)) is Freshness.AGEING
    stale = dataclasses.replace(farm.ceph, seen_at=farm.at.replace(hour=8))
    assert ceph_freshness(dataclasses.replace(farm, ceph=stale)) is Freshness.STALE
    assert ceph_freshness(told(metrics=False)) is Freshness.LIVE


def test_a_farm_without_ceph_has_no_notes() -> None:
    assert notes(dataclasses.replace(whole_farm(), ceph=None)) == ()
    assert notes(whole_farm()) == ()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CEPH_FARMS)
async def test_every_farm_is_shown_on_every_terminal(name: str, size: tuple[int, int]) -> None:
    app = HostApp(StorageScreen, CEPH_FARMS[name]())
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            await pilot.press("v")
        await pilot.pause()
        assert all(len(line) <= size[0] for line in text_of(app))
        await pilot.press("tab", "enter")
        for table in app.shown.query(LiveTable):
            assert table.id
