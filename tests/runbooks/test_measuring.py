"""Conditions on what a step has done, and numbers as people read them."""

from __future__ import annotations

import pytest

from farmtui.runbooks.measuring import compared, number, recorded
from farmtui.runbooks.planned import ExitIs, Measured, PlannedStep, SshCall, StdoutMatches
from farmtui.runbooks.state import Outcome, PartState, StepState


def step(**codes: int | None) -> StepState:
    call = SshCall(hosts=tuple(codes), argv=("true",))
    parts = {name: PartState(name, outcome=Outcome.OK, code=code) for name, code in codes.items()}
    return StepState(PlannedStep(id="s", name="S", call=call, text="t"), parts)


def test_what_is_to_be_printed_is_printed_by_every_host() -> None:
    sought = StdoutMatches(regex="^200 ", name="the ban is taken")
    both = {"cache-1": "200 ok\n", "cache-2": "x\n200 ok\n"}
    assert recorded(sought, step(**{"cache-1": 0, "cache-2": 0}), both).holds
    one = recorded(sought, step(**{"cache-1": 0, "cache-2": 0}), {"cache-1": "200 ok\n", "cache-2": "106 no\n"})
    assert not one.holds
    assert one.text == "the ban is taken: it does not on cache-2"
    assert recorded(sought, step(**{"cache-1": 0}), {"cache-1": ""}).text == "the ban is taken: it does not"
    assert not recorded(sought, step(), {}).holds


def test_what_is_not_to_be_printed_is_printed_by_no_host() -> None:
    sought = StdoutMatches(regex="^Status: [^C]", lacks=True)
    fine, gone = "Brick a\nStatus: Connected\n", "Status: Connected\nStatus: Transport endpoint is not connected\n"
    assert recorded(sought, step(a=0, b=0), {"a": fine, "b": ""}).holds
    told = recorded(sought, step(a=0, b=0), {"a": fine, "b": gone})
    assert (told.holds, told.text) == (False, "its output lacks ^Status: [^C]: it does not on b")
    assert not recorded(sought, step(), {}).holds


def test_a_run_planned_with_an_expression_that_is_none_any_more_says_so() -> None:
    told = recorded(StdoutMatches(regex="(?!x)", name="all is well"), step(a=0), {"a": "y"})
    assert not told.holds
    assert told.text.startswith("all is well: not a regular expression: no (?!")


def test_codes_are_those_of_every_host() -> None:
    assert recorded(ExitIs(codes=(0, 2)), step(a=0, b=2), {}).holds
    told = recorded(ExitIs(), step(a=0, b=3), {})
    assert (told.holds, told.text) == (False, "exit code 0 wanted: b 3")


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.05, "0.05"), (317.551, "317.551"), (9_999, "9999"), (1_902_530.4, "1,902,530"), (-20_000, "-20,000")],
)
def test_numbers_are_written_as_people_write_them(value: float, words: str) -> None:
    assert number(value) == words
    told = compared(Measured(query="q", op="<", number=0, name="it"), value)
    assert told.text == f"it: {words} (< 0)"
