"""Grouping, filtering and sorting of alerts, as pure functions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.alerts import Alert
from farmtui.farm.filtering import parse_filter
from screens.alert_rows import FOLD_OVER, GROUPINGS, SORTS, AlertRow, Arrangement, Rows, around, arrange
from tests.screens.farms import HOSTILE, incident, make_alert, make_book, make_farm, make_node, make_silence


def shown(*alerts: Alert, how: Arrangement | None = None) -> Rows:
    farm = make_farm(make_book(*alerts))
    return arrange(around(farm), alerts, how or Arrangement())


def titles(rows: Rows) -> list[str]:
    return [
        f"[{row.head}]" if row.head is not None else row.alert.label("instance") or row.alert.name for row in rows.rows
    ]


def test_worst_first_and_what_is_quiet_last() -> None:
    rows = shown(
        make_alert("Info", "info"),
        make_alert("Silenced", "critical", silenced_by=("x",)),
        make_alert("Old", "critical", minutes=90),
        make_alert("New", "critical", minutes=1),
        make_alert("Warn", "warning"),
    )
    assert titles(rows) == ["New", "Old", "Warn", "Info", "Silenced"]


def test_alerts_of_one_name_stand_under_a_head_and_a_lone_one_needs_none() -> None:
    rows = shown(
        make_alert("Down", minutes=9, instance="a:1"),
        make_alert("Down", minutes=5, instance="b:1"),
        make_alert("Alone", minutes=30),
    )
    assert titles(rows) == ["[Down]", "b:1", "a:1", "Alone"]
    head = next(row for row in rows.rows if row.head is not None)
    assert len(head.members) == 2
    assert head.age_s == 9 * 60, "a group is as old as the oldest that fires"
    assert [row.branch for row in rows.rows if row.branch] == ["mid", "last"]
    assert rows.shown == rows.total == 3


def test_a_storm_begins_folded_and_unfolds() -> None:
    storm = [make_alert("Down", instance=f"{number}:1") for number in range(FOLD_OVER + 1)]
    how = Arrangement()
    folded = shown(*storm, how=how)
    assert titles(folded) == ["[Down]"]
    assert folded.rows[0].folded
    open_now = shown(*storm, how=how.turn(folded.rows[0].key))
    assert len(open_now.rows) == FOLD_OVER + 2
    assert titles(shown(*storm[:FOLD_OVER]))[0] == "[Down]"
    assert len(shown(*storm[:FOLD_OVER]).rows) == FOLD_OVER + 1


def test_grouping_by_machine_knows_the_machines_of_the_farm() -> None:
    alerts = (make_alert(instance="10.0.0.1:9100"), make_alert("Other", host="pve-3"), make_alert("None"))
    farm = make_farm(make_book(*alerts), nodes=[make_node("cache-1")])
    rows = arrange(around(farm), alerts, Arrangement(group_by="machine"))
    assert {row.head for row in rows.rows if row.head} == {"cache-1", "pve-3", "no machine"}


def test_grouping_by_receiver_severity_and_tier() -> None:
    farm = incident()
    assert farm.book is not None
    context = around(farm)

    def heads(group_by: str) -> set[str]:
        rows = arrange(context, farm.book.alerts, Arrangement(group_by=group_by)) if farm.book else Rows()
        return {row.head for row in rows.rows if row.head is not None}

    assert heads("receiver") == {"pager", "chat", "log"}
    assert heads("severity") == {"critical", "warning", "info"}
    assert heads("tier") == {"app", "cache", "database", "edge", "monitoring"}
    assert heads("none") == set()


def test_the_state_says_who_and_what() -> None:
    silence = make_silence(by="anna", ends_in=50)
    source = make_alert("NodeDown")
    alerts = (
        source,
        make_alert("A", silenced_by=(silence.id,)),
        make_alert("B", inhibited_by=(source.fingerprint,)),
        make_alert("C", silenced_by=("gone",)),
        make_alert("D", inhibited_by=("gone",)),
    )
    context = around(make_farm(make_book(*alerts, silences=(silence,))))
    assert [context.state(alert) for alert in alerts] == [
        "firing",
        "silenced by anna, 50m left",
        "inhibited by NodeDown",
        "silenced",
        "inhibited",
    ]
    assert context.owner(alerts[1]) == "anna"
    assert context.owner(make_alert(team="storage")) == "storage"


def test_filters_match_words_labels_and_their_inverse() -> None:
    alerts = (
        make_alert("Down", instance="cache-1:9100", tier="cache"),
        make_alert("Full", "warning", instance="db-1:9100", tier="database", summary="disk of db-1 is full"),
    )

    def names(typed: str) -> list[str]:
        return titles(shown(*alerts, how=Arrangement(row_filter=parse_filter(typed))))

    assert names("disk") == ["db-1:9100"]
    assert names("!disk") == ["cache-1:9100"]
    assert names("-l tier=cache") == ["cache-1:9100"]
    assert names("-l severity=~warn.*") == ["db-1:9100"]
    assert names("nothing-like-it") == []
    filtered = shown(*alerts, how=Arrangement(row_filter=parse_filter("disk")))
    assert (filtered.shown, filtered.total) == (1, 2)


def test_faults_only_hides_what_is_suppressed_or_only_informs() -> None:
    rows = shown(
        make_alert("A"), make_alert("B", "info"), make_alert("C", silenced_by=("x",)), how=Arrangement(faults_only=True)
    )
    assert titles(rows) == ["A"]
    assert rows.hidden_well == 2


def test_sorting_orders_members_and_groups() -> None:
    alerts = (
        make_alert("B", minutes=1, instance="1"),
        make_alert("A", minutes=60, instance="2"),
        make_alert("B", minutes=30, instance="3"),
    )
    assert titles(shown(*alerts, how=Arrangement(sort="age"))) == ["[B]", "1", "3", "2"]
    assert titles(shown(*alerts, how=Arrangement(sort="age", descending=True))) == ["2", "[B]", "3", "1"]
    assert titles(shown(*alerts, how=Arrangement(sort="name"))) == ["2", "[B]", "1", "3"]


def test_hostile_labels_are_only_text() -> None:
    rows = shown(make_alert("[/x]", instance=HOSTILE), make_alert("[/x]", summary=HOSTILE, instance="2"))
    assert rows.rows[0].head == "[/x]"


names_of_alerts = st.sampled_from(["A", "B", "C"])
alerts_of_any_kind = st.builds(
    lambda name, severity, minutes, index, quiet: make_alert(
        name, severity, minutes=minutes, instance=str(index), silenced_by=("s",) if quiet else ()
    ),
    names_of_alerts,
    st.sampled_from(["critical", "warning", "info", "odd", ""]),
    st.floats(0, 1000),
    st.integers(0, 1000),
    st.booleans(),
)


@given(
    st.lists(alerts_of_any_kind, max_size=30, unique_by=lambda alert: alert.fingerprint),
    st.sampled_from(GROUPINGS),
    st.sampled_from([None, *SORTS]),
    st.booleans(),
)
def test_no_alert_is_ever_lost_or_shown_twice(
    alerts: list[Alert], group_by: str, sort: str | None, descending: bool
) -> None:
    how = Arrangement(group_by=group_by, sort=sort, descending=descending, all_folded=False)
    rows = shown(*alerts, how=how).rows
    own = [row.key for row in rows if row.head is None]
    assert sorted(own) == sorted(alert.fingerprint for alert in alerts)
    assert [row.position for row in rows] == list(range(len(rows)))
    assert len({row.key for row in rows}) == len(rows)
    heads: list[AlertRow] = [row for row in rows if row.head is not None]
    grouped = {alert.fingerprint for head in heads for alert in head.members}
    assert all((row.key in grouped) is bool(row.branch) for row in rows if row.head is None)
