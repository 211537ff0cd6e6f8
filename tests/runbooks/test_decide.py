"""What a run needs next, in every state; and what people may say to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from farmtui.journal.entry import Author, Note
from farmtui.journal.store import Journal, RefusedError
from farmtui.runbooks import kinds
from farmtui.runbooks.decide import WAIT_S, Announce, Begin, Carry, Finish, Next, Rest, decide
from farmtui.runbooks.desk import Desk
from farmtui.runbooks.people import Rights
from farmtui.runbooks.planned import LocalCall, Measured, Plan, PlannedStep, Requirement
from farmtui.runbooks.runner import waiting_runs
from farmtui.runbooks.state import Outcome, RunState, fold


def now() -> datetime:
    return datetime.now(UTC)


def plan(risk: int = 1, **given: object) -> Plan:
    step = PlannedStep(id="one", name="One", call=LocalCall(argv=("true",)), text="here: true")
    return Plan.model_validate({
        "book": "book", "title": "A book", "digest": "d", "risk": risk, "inputs": {}, "targets": ("node:n1",),
        "confirm": "n1", "steps": (step,), **given,
    })  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.open(f"sqlite:///{tmp_path / 'j.db'}")
    yield made
    made.close()


def desk(journal: Journal, user: str, rights: Rights = Rights()) -> Desk:  # noqa: B008
    return Desk(journal, Author(user, "bastion[1]"), rights)


def state(journal: Journal, run: str) -> RunState:
    found = fold(journal.entries(run=run))
    assert found is not None
    return found


def test_a_harmless_run_begins_when_it_is_confirmed(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(), "why not")
    assert decide(state(journal, run), now()) == Rest("being confirmed")
    anna.confirm(run, plan().hash)
    assert decide(state(journal, run), now()) == Begin()
    with pytest.raises(RefusedError, match="confirmed already"):
        anna.confirm(run, plan().hash)


def test_from_risk_2_on_the_target_is_typed(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(2), "")
    for typed in ("", "n2", "N1"):
        with pytest.raises(RefusedError, match="type the target's name: n1"):
            anna.confirm(run, plan(2).hash, typed=typed)
    anna.confirm(run, plan(2).hash, typed="n1")
    assert decide(state(journal, run), now()) == Begin()


def test_another_plan_is_not_confirmed(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(), "")
    with pytest.raises(RefusedError, match="its hash differs"):
        anna.confirm(run, plan(2).hash)


def test_risk_3_waits_for_a_second_person_who_is_nobody_s_self(journal: Journal) -> None:
    anna, bert = desk(journal, "anna"), desk(journal, "bert")
    dangerous = plan(3)
    run = anna.plan(dangerous, "it must be")
    anna.confirm(run, dangerous.hash, typed="n1")
    assert decide(state(journal, run), now()) == Rest("a second person's approval")
    with pytest.raises(RefusedError, match="nobody approves their own run"):
        anna.approve(run, dangerous.hash)
    with pytest.raises(RefusedError, match="its hash differs"):
        bert.approve(run, plan(2).hash)
    bert.approve(run, dangerous.hash, lasts_s=60)
    assert decide(state(journal, run), now()) == Begin()
    late = decide(state(journal, run), now() + timedelta(minutes=5))
    assert isinstance(late, Finish)
    assert late.outcome is Outcome.EXPIRED


def after_s(journal: Journal, run: str, seconds: float) -> Next:
    """What is needed so long after the run's last entry."""
    return decide(state(journal, run), journal.entries(run=run)[-1].at + timedelta(seconds=seconds))


def expired(why: str) -> Finish:
    return Finish(Outcome.EXPIRED, f"{why} within 60 min")


def test_a_plan_that_nobody_confirms_expires(journal: Journal) -> None:
    run = desk(journal, "anna").plan(plan(), "")
    assert after_s(journal, run, WAIT_S - 1) == Rest("being confirmed")
    assert after_s(journal, run, WAIT_S) == expired("nobody has confirmed it")


def test_a_run_that_nobody_approves_expires_an_hour_after_it_was_confirmed(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(3), "")
    anna.confirm(run, plan(3).hash, typed="n1")
    assert after_s(journal, run, WAIT_S - 1) == Rest("a second person's approval")
    assert after_s(journal, run, WAIT_S) == expired("nobody has approved it")


@pytest.mark.parametrize(("risk", "glass"), [(1, ""), (2, ""), (3, "alone")])
def test_a_run_that_no_runner_has_begun_is_not_begun_the_next_day(journal: Journal, risk: int, glass: str) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(risk), "")
    anna.confirm(run, plan(risk).hash, typed="n1", break_glass=glass)
    assert after_s(journal, run, WAIT_S - 1) == Begin()
    assert after_s(journal, run, WAIT_S) == expired("no runner has begun it")


def test_a_run_that_has_begun_does_not_expire(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(), "")
    anna.confirm(run, plan().hash)
    journal.append(Note(kinds.BEGUN, Author("anna", "runner"), run, {"targets": []}))
    assert isinstance(after_s(journal, run, 100 * WAIT_S), Carry)


def test_what_has_expired_is_neither_confirmed_nor_approved_and_a_runner_ends_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = desk(journal, "anna"), desk(journal, "bert")
    first, second = anna.plan(plan(3), ""), anna.plan(plan(3), "")
    anna.confirm(second, plan(3).hash, typed="n1")
    assert journal.read(waiting_runs) == []
    monkeypatch.setattr("farmtui.runbooks.decide.WAIT_S", 0.0)
    with pytest.raises(RefusedError, match="nobody has confirmed it within 0 min: plan it anew"):
        anna.confirm(first, plan(3).hash, typed="n1")
    with pytest.raises(RefusedError, match="nobody has approved it within 0 min: plan it anew"):
        bert.approve(second, plan(3).hash)
    assert [one.run for one in journal.read(waiting_runs)] == [first, second]


@pytest.mark.parametrize("outcome", ["ok", "failed"])
def test_a_run_of_risk_3_is_announced_once_before_its_first_step(journal: Journal, outcome: str) -> None:
    anna, runner = desk(journal, "anna"), Author("anna", "runner")
    run = anna.plan(plan(3), "")
    anna.confirm(run, plan(3).hash, typed="n1", break_glass="alone")
    journal.append(Note(kinds.BEGUN, runner, run, {"targets": []}))
    assert decide(state(journal, run), now()) == Announce()
    journal.append(Note(kinds.ANNOUNCED, runner, run, {"outcome": outcome, "told": ["x"]}))
    assert isinstance(decide(state(journal, run), now()), Carry)


def test_who_confirms_another_s_plan_does_not_approve_it(journal: Journal) -> None:
    dangerous = plan(3)
    run = desk(journal, "anna").plan(dangerous, "")
    desk(journal, "bert").confirm(run, dangerous.hash, typed="n1")
    for user in ("anna", "bert"):
        with pytest.raises(RefusedError, match="nobody approves their own run"):
            desk(journal, user).approve(run, dangerous.hash)


def test_an_approval_that_was_forged_past_the_desk_does_not_count(journal: Journal) -> None:
    dangerous = plan(3)
    anna = desk(journal, "anna")
    run = anna.plan(dangerous, "")
    anna.confirm(run, dangerous.hash, typed="n1")
    until = (now() + timedelta(hours=1)).isoformat()
    journal.append(Note(kinds.APPROVED, Author("anna", "x"), run, {"hash": dangerous.hash, "until": until}))
    assert decide(state(journal, run), now()) == Rest("a second person's approval")


def test_the_glass_can_be_broken_and_that_is_seen(journal: Journal) -> None:
    dangerous = plan(3)
    anna = desk(journal, "anna")
    run = anna.plan(dangerous, "")
    anna.confirm(run, dangerous.hash, typed="n1", break_glass="nobody else is awake")
    assert decide(state(journal, run), now()) == Begin()
    assert state(journal, run).glass_broken == "nobody else is awake"
    other = anna.plan(plan(1), "")
    with pytest.raises(RefusedError, match="no glass to break"):
        anna.confirm(other, plan(1).hash, break_glass="why not")


def test_a_rejected_run_is_over(journal: Journal) -> None:
    dangerous = plan(3)
    anna = desk(journal, "anna")
    run = anna.plan(dangerous, "")
    desk(journal, "bert").reject(run, "not tonight")
    over = state(journal, run)
    assert (over.outcome, over.why) == (Outcome.CANCELLED, "rejected by bert: not tonight")
    with pytest.raises(RefusedError, match="it has ended"):
        anna.confirm(run, dangerous.hash, typed="n1")


def test_a_run_that_has_not_begun_is_cancelled_at_once_and_one_that_has_by_its_runner(journal: Journal) -> None:
    anna = desk(journal, "anna")
    first, second = anna.plan(plan(), ""), anna.plan(plan(), "")
    anna.cancel(first, "never mind")
    assert state(journal, first).outcome is Outcome.CANCELLED
    journal.append(Note(kinds.BEGUN, Author("anna", "runner"), second, {"targets": []}))
    anna.cancel(second, "enough")
    assert decide(state(journal, second), now()) == Finish(Outcome.CANCELLED, "anna: enough")


def test_who_may_not_does_nothing(journal: Journal) -> None:
    viewer = desk(journal, "eve", Rights("eve is no operator", "eve is no approver"))
    run = desk(journal, "anna").plan(plan(3), "")
    for say in (
        lambda: viewer.plan(plan(), ""),
        lambda: viewer.confirm(run, plan(3).hash, typed="n1"),
        lambda: viewer.approve(run, plan(3).hash),
        lambda: viewer.reject(run, ""),
        lambda: viewer.answer(run, "done"),
        lambda: viewer.cancel(run, ""),
        lambda: viewer.pause(run),
        lambda: viewer.resume(run),
    ):
        with pytest.raises(RefusedError, match="eve is no"):
            say()
    assert len(journal.entries()) == 1


def test_what_is_required_and_does_not_hold_is_not_planned(journal: Journal) -> None:
    missing = Requirement(condition=Measured(query="up", op="==", number=1), value="up: 0 (== 1)", holds=False)
    with pytest.raises(RefusedError, match=r"required: up: 0 \(== 1\)"):
        desk(journal, "anna").plan(plan(requires=(missing,)), "")


def test_what_was_measured_is_not_in_the_hash_and_what_was_agreed_to_is() -> None:
    held = Measured(query="up", op=">=", number=1)
    before = plan(requires=(Requirement(condition=held, value="3", holds=True),))
    later = plan(requires=(Requirement(condition=held, value="2", holds=True),))
    assert before.hash == later.hash
    assert before.hash != plan(requires=(Requirement(condition=Measured(query="up", op=">=", number=0)),)).hash
    assert plan().hash != plan(blast=({"what": "tasks", "text": "12 move"},)).hash


def test_a_paused_run_rests_between_steps_and_goes_on(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(), "")
    anna.confirm(run, plan().hash)
    journal.append(Note(kinds.BEGUN, Author("anna", "runner"), run, {"targets": ["node:n1"]}))
    assert isinstance(decide(state(journal, run), now()), Carry)
    anna.pause(run, "lunch")
    assert decide(state(journal, run), now()) == Rest("being resumed")
    with pytest.raises(RefusedError, match="paused already"):
        anna.pause(run)
    anna.resume(run)
    assert isinstance(decide(state(journal, run), now()), Carry)
    with pytest.raises(RefusedError, match="not paused"):
        anna.resume(run)


def test_an_answer_is_to_the_question_that_was_seen(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(), "")
    anna.confirm(run, plan().hash)
    with pytest.raises(RefusedError, match="asks nothing now"):
        anna.answer(run, "done")
    asked = {"about": "failed", "step": "one", "part": "", "text": "?", "choices": ["repeat", "stop"]}
    journal.append(Note(kinds.BEGUN, Author("anna", "runner"), run, {"targets": []}))
    [first] = journal.append(Note(kinds.ASKED, Author("anna", "runner"), run, asked))
    with pytest.raises(RefusedError, match="must be one of repeat, stop"):
        anna.answer(run, "done")
    anna.answer(run, "repeat")
    journal.append(Note(kinds.ASKED, Author("anna", "runner"), run, asked))
    with pytest.raises(RefusedError, match="asks nothing now"):
        anna.answer(run, "stop", question=first.seq)
    anna.answer(run, "stop")
    assert decide(state(journal, run), now()) == Finish(Outcome.FAILED, "anna said so")


def test_a_run_that_has_ended_takes_nothing_more(journal: Journal) -> None:
    anna = desk(journal, "anna")
    run = anna.plan(plan(), "")
    journal.append(Note(kinds.ENDED, Author("anna", "runner"), run, {"outcome": "ok"}))
    with pytest.raises(RefusedError, match="it has ended: ok"):
        anna.cancel(run, "")
    with pytest.raises(RefusedError, match="there is no run 'nobody'"):
        anna.cancel("nobody", "")
