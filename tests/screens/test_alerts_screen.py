"""The alerts screen as somebody sees and steers it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.app import App

from farmtui.farm.farm import Farm
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Freshness
from screens.actions import ActionMenu
from screens.alert_words import picture_freshness
from screens.alerts import AlertsScreen
from tests.screens.farms import (
    HOSTILE,
    ago,
    incident,
    make_alert,
    make_book,
    make_failure,
    make_farm,
    make_replica,
    make_rule,
    make_silence,
    make_source,
    many_alerts,
)
from tests.screens.host import SIZES, Desk, HostApp, text_of
from widgets.live_table import LiveTable


def host(farm: Farm | None, **kwargs: object) -> HostApp:
    return HostApp(AlertsScreen, farm, desk=Desk(), **kwargs)  # type: ignore[arg-type]


def screen_of(app: HostApp) -> AlertsScreen:
    assert isinstance(app.shown, AlertsScreen)
    return app.shown


def rows_of(app: HostApp) -> list[str]:
    """The heads in brackets, the alerts by name."""
    table = app.shown.query_one("#alerts", LiveTable)
    return [f"[{row.head}]" if row.head is not None else row.alert.name for row in table.shown_rows]


def seen(app: App[None]) -> str:
    """All that is shown, with what was wrapped in one piece again."""
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


@pytest.mark.parametrize("size", SIZES)
async def test_what_fires_what_is_quiet_and_who_is_down_is_said_in_words(size: tuple[int, int]) -> None:
    app = host(incident())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = seen(app)
        assert "TargetDown ×3" in text
        assert "3 firing" in text
        for word in ("CRIT", "warn", "info", "silenced", "inhibit", "worker-9", "cache-2 evicts"):
            assert word in text, word
        assert "am-2:9093 does not answer" in text
        assert "1/2" in text
        assert rows_of(app)[0] == "[TargetDown]", "the newest of the worst comes first"
        assert rows_of(app)[-2:] == ["DiskFull", "SlowEdge"], "what is quiet comes last and is never hidden"


async def headers_of(farm: Farm, size: tuple[int, int]) -> str:
    app = host(farm)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return next(line for line in text_of(app) if "summary" in line)


async def test_narrow_terminals_drop_columns() -> None:
    narrow, wide = [await headers_of(incident(), size) for size in (SIZES[0], SIZES[2])]
    assert all(title in narrow for title in ("sev", "alert", "machine", "age", "state"))
    assert "receivers" in wide
    assert "receivers" not in narrow


async def test_owners_and_replicas_have_a_column_only_where_they_say_something() -> None:
    plain = await headers_of(incident(), SIZES[2])
    assert "owner" not in plain
    assert "held by" not in plain
    replicas = (make_replica(), make_replica("http://am-2:9093"))
    told = make_farm(make_book(make_alert(team="storage"), replicas=replicas))
    header = await headers_of(told, SIZES[2])
    assert "owner" in header
    assert "held by" in header


async def test_a_filter_keeps_the_heads_of_what_passes() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("slash", *"worker-[78]")
        await pilot.pause()
        assert rows_of(app) == ["[TargetDown]", "TargetDown", "TargetDown"]
        assert "2 of 8" in seen(app)
        await pilot.press("enter", "escape")
        assert len(rows_of(app)) == 9
        await pilot.press("slash", *"-l", "space", *"tier=cache", "enter")
        await pilot.pause()
        assert rows_of(app) == ["CacheEvictions"]
        await pilot.press("escape", "slash", *"!nothing-has-this", "enter")
        assert len(rows_of(app)) == 9
        await pilot.press("escape", "slash", *"zzz", "enter")
        await pilot.pause()
        assert "none of 8 alerts match" in seen(app)


async def test_filters_reach_silences_and_rules() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v")
        assert screen_of(app).set_filter("-l tier=cache") == ""
        await pilot.pause()
        silences = screen_of(app).query_one("#silences", LiveTable)
        assert [row.silence.created_by for row in silences.shown_rows] == ["bert"]
        assert screen_of(app).set_filter("-l severity=critical") == ""
        await pilot.press("v")
        await pilot.pause()
        rules = screen_of(app).query_one("#rules", LiveTable)
        assert {rule.name for rule in rules.shown_rows} == {"TargetDown", "GaleraNodeNotSynced"}


async def test_one_key_changes_the_grouping() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("b")
        assert "[app]" in rows_of(app)
        assert "by tier" in seen(app)
        await pilot.press("b", "b")
        assert "[pager]" in rows_of(app)
        await pilot.press("b", "b")
        assert not any(row.startswith("[") for row in rows_of(app))
        await pilot.press("B", "B", "B", "B", "B")
        assert rows_of(app)[0] == "[TargetDown]"


async def test_enter_folds_a_head_and_opens_an_alert() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert rows_of(app)[:2] == ["[TargetDown]", "PveHostDown"]
        assert not app.opened
        await pilot.press("enter", "down", "enter")
        await pilot.pause()
        assert [(subject.kind, subject.title) for subject in app.opened] == [("alert", "TargetDown")]
        await pilot.press("e")
        assert "PveHostDown" in rows_of(app)[1]


async def test_the_keys_sort_and_turn() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("b", "b", "b", "b", "b")
        worst_first = rows_of(app)
        await pilot.press("A")
        await pilot.pause()
        assert rows_of(app)[0] == "DiskFull", "the newest first"
        await pilot.press("A")
        await pilot.pause()
        assert rows_of(app)[0] == "Heartbeat"
        await pilot.press("N")
        await pilot.pause()
        assert rows_of(app) == sorted(rows_of(app))
        await pilot.press("W")
        await pilot.pause()
        assert rows_of(app) == worst_first


async def test_groups_are_sorted_as_wholes_in_both_directions() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(2):
            await pilot.press("A")
            await pilot.pause()
            rows = rows_of(app)
            head = rows.index("[TargetDown]")
            assert rows[head + 1 : head + 4] == ["TargetDown"] * 3, rows


async def test_faults_only_hides_what_is_quiet_and_says_how_many() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        app.only_faults()
        await pilot.pause()
        assert rows_of(app) == [
            "[TargetDown]",
            "TargetDown",
            "TargetDown",
            "TargetDown",
            "PveHostDown",
            "CacheEvictions",
        ]
        app.publish(make_farm(make_book(make_alert("Heartbeat", "info"), make_alert("Q", silenced_by=("x",)))))
        await pilot.pause()
        assert "no faults: 2 silenced, inhibited or informing alerts are hidden" in seen(app)


async def test_views_change_by_key_and_by_click() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        text = seen(app)
        assert "disk swap, ticket 4711" in text
        assert "anna" in text
        assert all(state in text for state in ("active", "pending", "expired"))
        await pilot.press("enter")
        assert app.opened[-1].kind == "silence"
        await pilot.press("v")
        await pilot.pause()
        text = seen(app)
        assert "vector cannot contain metrics" in text
        assert all(state in text for state in ("firing", "pending", "error"))
        await pilot.press("enter")
        assert app.opened[-1].kind == "rule"
        await pilot.click("#views", offset=(2, 0))
        await pilot.pause()
        assert screen_of(app).view == "alerts"
        assert not app.went, "a view is not taken for a screen"


@pytest.mark.parametrize(
    ("farm", "words"),
    [
        (make_farm(make_book()), "no alerts: alertmanager answered 6 s ago and holds none"),
        (make_farm(sources=()), "no Alertmanager is configured"),
        (make_farm(sources=[make_source(freshness=Freshness.NEVER, answered=None)]), "no answer yet from alertmanager"),
        (
            make_farm(sources=[make_source(freshness=Freshness.NEVER, answered=None, failure=make_failure())]),
            "no answer from alertmanager: alerts not known",
        ),
        (
            make_farm(sources=[make_source(freshness=Freshness.FORBIDDEN, answered=None, failure=make_failure())]),
            "not allowed: alertmanager refuses our login",
        ),
        (
            make_farm(make_book(), sources=[make_source(freshness=Freshness.STALE, answered=12)]),
            "there were no alerts when alertmanager last answered, 12 min ago",
        ),
    ],
)
async def test_nothing_there_never_looks_like_something_else(farm: Farm, words: str) -> None:
    app = host(farm)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert words in seen(app)


async def test_a_failure_is_said_with_its_remedy_while_the_last_picture_stays() -> None:
    farm = replace(incident(), sources=(make_source(freshness=Freshness.STALE, answered=4, failure=make_failure()),))
    app = host(farm)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = seen(app)
        assert "connection refused (shown is what it said 4 min ago)" in text
        assert "check that it runs" in text
        assert "stale 4 min" in text
        assert "TargetDown ×3" in text


async def test_before_the_first_answer_it_says_so() -> None:
    app = host(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "no answer yet: alerts not known" in seen(app)
        await pilot.press("x", "y", "c", "v", "b", "e", "enter")
        assert app.said


async def test_a_farm_without_prometheus_has_no_rules() -> None:
    app = host(make_farm(make_book(make_alert()), sources=[make_source()]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("v", "v")
        await pilot.pause()
        assert screen_of(app).view == "alerts"
        assert "rules" not in text_of(app)[2]


async def test_actions_are_for_all_that_is_marked() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "space", "down", "space")
        await pilot.pause()
        assert "2 marked" in seen(app)
        assert len(screen_of(app).chosen()) == 2
        await pilot.press("x")
        assert isinstance(app.screen, ActionMenu)


async def test_a_head_stands_for_all_its_alerts() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        chosen = screen_of(app).chosen()
        assert len(chosen) == 3
        assert {subject.title for subject in chosen} == {"TargetDown"}


async def test_the_cursor_stays_on_its_alert_when_a_new_picture_comes() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "down", "down", "down", "down")
        before = screen_of(app).selected()
        farm = incident()
        assert farm.book is not None
        new = make_alert("Newer", minutes=0, instance="x")
        app.publish(replace(farm, at=ago(-1), book=replace(farm.book, alerts=(*farm.book.alerts, new))))
        await pilot.pause()
        assert screen_of(app).selected() == before
        assert "Newer" in rows_of(app)


async def test_a_tall_terminal_spells_the_selected_alert_out() -> None:
    app = host(incident())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down")
        await pilot.pause()
        text = seen(app)
        assert "https://runbooks.example/target-down" in text
        assert "up == 0" in text


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_is_only_text(size: tuple[int, int]) -> None:
    book = make_book(
        make_alert("[/x]", "[red]", summary=HOSTILE, instance=HOSTILE, receivers=(HOSTILE,), owner=HOSTILE),
        make_alert("[/x]", summary="[@click=app.quit]boo[/]", instance="b"),
        silences=(make_silence(HOSTILE, by=HOSTILE, comment=HOSTILE),),
    )
    farm = make_farm(book, rules=(make_rule(HOSTILE, "firing", group="[/x]"),))
    app = host(farm)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "[/x] ×2" in seen(app)
        for key in ("b", "b", "b", "b", "b", "b", "v", "v", "v", "x", "escape"):
            await pilot.press(key)
            await pilot.pause()
        assert app.is_running


async def test_five_thousand_alerts_are_folded_filtered_and_sorted() -> None:
    app = host(many_alerts(5000))
    async with app.run_test(size=(120, 40)) as pilot:
        table = screen_of(app).query_one("#alerts", LiveTable)
        await table.settled()
        assert len(table.shown_rows) == 40, "forty names, all folded"
        await pilot.press("e")
        await table.settled()
        assert len(table.shown_rows) == 5040
        await pilot.press("A", "b", "b", "b", "b", "b", "G")
        await table.settled()
        assert len(table.shown_rows) == 5000
        assert screen_of(app).set_filter("-l series=4711") == ""
        await table.settled()
        await pilot.pause()
        assert rows_of(app) == ["Alert31"]


async def test_rows_of_a_source_that_refuses_us_are_not_drawn_as_live() -> None:
    refused = make_failure(FailureKind.FORBIDDEN, "alertmanager: HTTP 401, our login is not accepted", "check auth")
    for answered, expected in ((0.1, Freshness.AGEING), (30, Freshness.STALE)):
        source = make_source(freshness=Freshness.FORBIDDEN, answered=answered, failure=refused)
        farm = make_farm(make_book(make_alert()), sources=[source])
        assert picture_freshness(farm, "alertmanager") is expected
        app = host(farm)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            text = seen(app)
            assert "not allowed" in text
            assert "TargetDown" in text
            assert "HTTP 401" in text


async def test_a_replica_that_is_down_is_named_once() -> None:
    problem = "alertmanager at am-2:9093: connection refused"
    source = make_source(warnings=[f"{problem}; check that it runs", "2 of 9 alerts of am-1:9093 could not be read"])
    book = make_book(
        make_alert(), replicas=(make_replica(), make_replica("http://am-2:9093", up=False, problem=problem))
    )
    app = host(make_farm(book, sources=[source]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = seen(app)
        assert text.count(problem) == 1
        assert f"{problem} (1 of 2 answer)" in text
        assert "2 of 9 alerts of am-1:9093 could not be read" in text
