"""History: `-`, `[` and `]`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from screens.places import History, Place, Subject

OVERVIEW, CACHE, ALERTS = Place("overview"), Place("cache"), Place("alerts")


def test_back_and_forward() -> None:
    history = History()
    for place in (OVERVIEW, CACHE, ALERTS):
        history.visit(place)
    assert history.forward() is None
    assert history.back() == CACHE
    assert history.back() == OVERVIEW
    assert history.back() is None
    assert history.forward() == CACHE
    history.visit(OVERVIEW)
    assert history.forward() is None, "a new choice forgets what lay ahead"


def test_last_goes_to_and_fro() -> None:
    history = History()
    history.visit(OVERVIEW)
    history.visit(CACHE)
    for expected in (OVERVIEW, CACHE, OVERVIEW):
        last = history.last()
        assert last == expected
        history.visit(last)


def test_trails() -> None:
    node = Subject("node", "cache-1", "cache-1")
    place = CACHE.into(node)
    assert place.crumbs == ("cache", "cache-1")
    assert place.out() == CACHE
    assert CACHE.out() == CACHE


@given(st.lists(st.sampled_from(["back", "forward", "a", "b", "c"]), max_size=60))
def test_history_never_loses_its_place(moves: list[str]) -> None:
    history = History(limit=5)
    for move in moves:
        before = history.here
        if move == "back":
            stepped = history.back()
            assert history.here == (stepped or before)
        elif move == "forward":
            stepped = history.forward()
            assert history.here == (stepped or before)
        else:
            history.visit(Place(move))
            assert history.here == Place(move)
