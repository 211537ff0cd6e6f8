"""Drafts of silences: matchers from alerts, ends from what is typed, and what would be covered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.alerts import Alert, Matcher
from farmtui.farm.state import Severity
from screens.alert_draft import (
    LONGEST,
    SHORTEST,
    Coverage,
    EndError,
    Preview,
    cautions,
    draft_for,
    draft_of,
    end_of,
    fires_again,
    labels_text,
    matchers_for,
    matches_nothing_in_particular,
)
from tests.screens.farms import NOW, make_alert, make_silence

HOUR = timedelta(hours=1)


def coverage(matchers: tuple[Matcher, ...], alerts: tuple[Alert, ...], *chosen: Alert) -> Coverage:
    return Preview(alerts).of(matchers, frozenset(alert.fingerprint for alert in chosen))


# -- matchers -------------------------------------------------------------------------------------


def test_one_alert_is_matched_by_all_its_labels_the_name_first() -> None:
    alert = make_alert(instance="10.0.0.1:9100", job="node", replica="a")
    assert [str(matcher) for matcher in matchers_for([alert])] == [
        'alertname="TargetDown"',
        'instance="10.0.0.1:9100"',
        'job="node"',
        'severity="critical"',
    ], "which Prometheus sent it is no part of what it is"


def test_several_are_matched_by_what_they_share_and_by_who_they_are() -> None:
    alerts = [
        make_alert("A", instance="db-1:9100", job="node", mount="/a"),
        make_alert("B", instance="db-2:9100", job="node", mount="/b"),
    ]
    assert [str(matcher) for matcher in matchers_for(alerts)] == [
        'alertname=~"A|B"',
        'instance=~"db-1:9100|db-2:9100"',
        'job="node"',
        'severity="critical"',
    ]


def test_signs_of_expressions_are_quoted() -> None:
    alerts = [make_alert(instance="a.b|c"), make_alert(instance="x(y)*[z]^$+?{1}\\")]
    (instance,) = (matcher for matcher in matchers_for(alerts) if matcher.name == "instance")
    assert instance.is_regex
    assert all(instance.matches(dict(alert.labels)) for alert in alerts)
    assert not instance.matches({"instance": "aXb|c"})
    assert not instance.matches({"instance": "a.b"})


def test_what_was_cleaned_away_is_matched_by_any_character() -> None:
    """The farm holds a placeholder where the real label has ESC: an equality would match nothing there."""
    alert = make_alert(instance="a\ufffd[31m")
    (instance,) = (matcher for matcher in matchers_for([alert]) if matcher.name == "instance")
    assert re.fullmatch(instance.value, "a\x1b[31m")
    assert not re.fullmatch(instance.value, "b\x1b[31m")


labels = st.dictionaries(
    st.sampled_from(["alertname", "instance", "job", "host", "odd"]),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12),
    max_size=5,
)


def shared(sets: list[dict[str, str]]) -> set[str]:
    """Labels that all sets have, with one value or as part of who an alert is."""
    names = set.intersection(*map(set, sets))
    return {name for name in names if name in ("alertname", "instance", "host") or len({s[name] for s in sets}) == 1}


@given(st.lists(labels, min_size=1, max_size=6))
def test_the_matchers_of_some_alerts_cover_all_of_them(sets: list[dict[str, str]]) -> None:
    alerts = [
        replace(make_alert(), fingerprint=str(number), labels=tuple(sorted(one.items())))
        for number, one in enumerate(sets)
    ]
    matchers = matchers_for(alerts)
    assert {matcher.name for matcher in matchers} == shared(sets)
    assert all(matcher.matches(dict(alert.labels)) for alert in alerts for matcher in matchers)


def test_text_of_matchers_and_labels_quotes_what_would_end_it() -> None:
    assert str(Matcher("a", 'x"y\\z\n', is_regex=True, is_equal=False)) == 'a!~"x\\"y\\\\z\\n"'
    assert labels_text({"a": '"'}) == '{a="\\""}'


def test_matchers_that_match_the_absent_are_known() -> None:
    assert matches_nothing_in_particular([Matcher("a", ".*", is_regex=True)])
    assert matches_nothing_in_particular([Matcher("a", "x", is_equal=False)])
    assert not matches_nothing_in_particular([Matcher("a", ".*", is_regex=True), Matcher("b", "x")])


# -- until when -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h30m", timedelta(hours=2, minutes=30)),
        (" 1h  30m ", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
        ("2 hours", 2 * HOUR),
        ("for 10 min", timedelta(minutes=10)),
        ("until 12:30", timedelta(hours=2, minutes=30)),
        ("09:00", timedelta(hours=23)),
        ("mon 09:00", timedelta(days=6, hours=23)),
        ("mon 11:00", HOUR),
        ("until Tuesday 09:00", timedelta(hours=23)),
        ("tomorrow 10:00", timedelta(days=1)),
        ("today 11:00", HOUR),
        ("2026-11-24 09:00", timedelta(hours=23)),
        ("2026-11-24T09:00Z", timedelta(hours=23)),
    ],
)
def test_ends_are_lengths_or_moments(typed: str, length: timedelta) -> None:
    assert end_of(typed, NOW) - NOW == length


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "how long?"),
        ("90", "90 of what? write 90m or 90h"),
        ("2x", "'x' is no unit"),
        ("soon", "neither a length nor a time"),
        ("30s", "less than a minute"),
        ("0m", "has passed"),
        ("25:00", "no time of the day"),
        ("xyz 09:00", "'xyz' is no day"),
        ("2026-02-30 09:00", "there is no day 2026-02-30"),
        ("2026-11-22 09:00", "2026-11-22 09:00Z has passed"),
        ("today 09:00", "has passed"),
        ("900d", "longer than a year"),
        ("99999999999999999999w", "longer than a year"),
    ],
)
def test_what_is_no_end_says_what_is_wrong(typed: str, why: str) -> None:
    with pytest.raises(EndError, match=re.escape(why)):
        end_of(typed, NOW)


@given(st.text(max_size=20) | st.from_regex(r"(mon|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]+[smhdw]) ?[0-9]{0,2}:?[0-9]{0,2}"))
def test_anything_typed_is_an_end_to_come_or_a_clear_error(typed: str) -> None:
    try:
        end = end_of(typed, NOW)
    except EndError as error:
        end, said = NOW + SHORTEST, str(error)
    else:
        said = "read"
    assert said
    assert SHORTEST <= end - NOW <= LONGEST


def test_moments_are_utc_wherever_the_clock_stands() -> None:
    from datetime import timezone

    east = NOW.astimezone(timezone(timedelta(hours=9)))
    assert end_of("12:00", east) == datetime(2026, 11, 23, 12, tzinfo=UTC)


# -- coverage -------------------------------------------------------------------------------------

CHOSEN = make_alert("Down", instance="a")
OTHER = make_alert("Down", "warning", instance="b")
WORSE = make_alert("Down", instance="c")
QUIET = make_alert("Down", instance="d", silenced_by=("s",))
ELSE = make_alert("Else")
DOWN = (Matcher("alertname", "Down"),)


def words(found: Coverage, length: timedelta | None = HOUR, book_age_s: float | None = None) -> list[str]:
    return [caution.text for caution in cautions(found, length, book_age_s)]


def test_a_silence_of_just_the_chosen_needs_no_caution() -> None:
    found = coverage(matchers_for([CHOSEN]), (CHOSEN, OTHER, ELSE), CHOSEN)
    assert [alert.fingerprint for alert in found.covered] == [CHOSEN.fingerprint]
    assert found.total == 3
    assert cautions(found, HOUR, None) == ()


def test_what_is_covered_beyond_the_chosen_comes_first_and_is_said() -> None:
    found = coverage(DOWN, (CHOSEN, OTHER, QUIET, ELSE), CHOSEN)
    assert [alert.label("instance") for alert in found.covered] == ["b", "d", "a"]
    (caution,) = cautions(found, HOUR, None)
    assert caution.text == "1 beyond the chosen: Down", "what is quiet already does not count"
    assert (caution.severity, caution.loud) == (Severity.WARNING, False)


def test_critical_alerts_beyond_the_chosen_are_loud() -> None:
    (caution,) = cautions(coverage(DOWN, (CHOSEN, WORSE, ELSE), CHOSEN), HOUR, None)
    assert caution.text == "1 CRITICAL beyond the chosen: Down"
    assert caution.loud


def test_everything_is_loud_unless_everything_was_chosen() -> None:
    (caution,) = cautions(coverage(DOWN, (CHOSEN, OTHER), CHOSEN), HOUR, None)
    assert (caution.text, caution.loud) == ("covers EVERY alert there is now, all 2", True)
    (caution,) = cautions(coverage(DOWN, (CHOSEN, OTHER), CHOSEN, OTHER), HOUR, None)
    assert not caution.loud
    assert words(coverage(DOWN, (CHOSEN,), CHOSEN)) == [], "of one alert that is nothing special"


def test_nothing_covered_and_something_missed_are_said() -> None:
    assert words(coverage((Matcher("alertname", "No"),), (CHOSEN, ELSE), CHOSEN))[0].startswith("covers none")
    found = coverage(DOWN, (CHOSEN, OTHER, ELSE), CHOSEN, OTHER, ELSE)
    assert words(found) == ["1 of the chosen would go on: Else"]
    assert coverage((), (CHOSEN,)).covered == (), "no matchers are refused, not all-embracing"


def test_old_lists_and_long_silences_are_said() -> None:
    found = coverage(matchers_for([CHOSEN]), (CHOSEN, ELSE), CHOSEN)
    assert words(found, book_age_s=240) == ["this list of alerts is 4 min old"]
    assert words(found, timedelta(days=5)) == ["lasts 5 days: will somebody remember?"]


def test_only_what_no_other_silence_keeps_quiet_fires_again() -> None:
    silence = make_silence("s")
    alerts = (
        make_alert("A", silenced_by=("s",)),
        make_alert("B", silenced_by=("s", "t")),
        make_alert("C", silenced_by=("s",), inhibited_by=("x",)),
        make_alert("D"),
    )
    assert [alert.name for alert in fires_again(silence, alerts)] == ["A"]


def test_drafts_begin_with_what_is_known() -> None:
    draft = draft_for([CHOSEN, OTHER])
    assert draft.title == "Silence Down ×2"
    assert draft.chosen == {CHOSEN.fingerprint, OTHER.fingerprint}
    assert draft_for([CHOSEN, ELSE]).title == "Silence 2 kinds of alert ×2"
    active = draft_of(make_silence("abcdefghij", ends_in=50), NOW, (make_alert(silenced_by=("abcdefghij",)),))
    assert (active.replaces, active.until, active.comment) == (
        "abcdefghij",
        "2026-11-23 10:50",
        "disk swap, ticket 4711",
    )
    assert len(active.chosen) == 1
    expired = draft_of(make_silence("abcdefghij", state="expired", ends_in=-5), NOW, ())
    assert (expired.replaces, expired.until, expired.title) == ("", "2h", "Silence again abcdefgh")
