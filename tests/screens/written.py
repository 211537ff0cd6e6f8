"""Runs, books and a desk for tests of screens: runs are made of entries, as a journal would tell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from farmtui.farm.actions import ActionError
from farmtui.journal.entry import Author, Entry
from farmtui.journal.proof import Proof
from farmtui.journal.store import Head
from farmtui.runbooks import kinds
from farmtui.runbooks.loading import Broken, Shelf, shelf
from farmtui.runbooks.picture import Line, Picture, Story
from farmtui.runbooks.planned import (
    Dependent,
    ManualCall,
    Measured,
    Plan,
    PlannedStep,
    Requirement,
    SshCall,
)
from farmtui.runbooks.state import RunState, fold
from farmtui.runbooks.story import lines_of
from tests.screens.farms import NOW, ago

ANNA, BERT = Author("anna", "bastion-1[41]"), Author("bert", "bastion-2[7] from 192.0.2.7")
RUNNER = Author("anna", "bastion-1[4711]")
HOLDER = "bastion-1[4711]"
BROKEN = Broken("half-a-book", Path("/etc/farmtui/runbooks/half-a-book.yaml"), "half-a-book.yaml:3: steps: is missing")


@cache
def library() -> Shelf:
    """Some of the books that ship with farmtui; what offers one is said here, for the library grows."""
    found = shelf(())
    books = {name: one for name, one in found.books.items() if name == "varnish-restart" or name.startswith("ceph-")}
    one = books["varnish-restart"]
    alerts = {"alerts": ["Varnish*"]}
    return Shelf({**books, "varnish-restart": replace(one, book=one.book.model_copy(update=alerts))})


# -- plans ----------------------------------------------------------------------------------------

SERVES = Measured(query="varnish_up", op="==", number=1, within_s=120, name="its exporter reaches it")
FAST = Measured(query="p95", op="<", number=0.5, within_s=120, name="p95 of its answers")
END = Measured(query="rate", op=">", number=0, within_s=300, name="it answers requests")
OTHERS = Measured(query="count", op=">=", number=1, name="other cache nodes that serve")


def ssh_step(ident: str = "restart", name: str = "Restart Varnish", *hosts: str, undo: bool = False) -> PlannedStep:
    """A command on machines, with two things that are expected of it."""
    on = hosts or ("cache-2",)
    return PlannedStep(
        id=ident, name=name, call=SshCall(hosts=on, argv=("systemctl", ident), sudo=True),
        text=f"ssh {', '.join(on[:3])}: sudo systemctl {ident}", expect=(SERVES, FAST), timeout_s=120,
        undo=SshCall(hosts=on, argv=("undo", ident)) if undo else None,
        undo_text=f"ssh {on[0]}: undo {ident}" if undo else "",
    )  # fmt: skip


def manual_step(
    ident: str = "look", name: str = "Look at the disk", text: str = "Look whether it blinks"
) -> PlannedStep:
    """Something that a person does."""
    return PlannedStep(id=ident, name=name, call=ManualCall(text=text), text=text)


def make_plan(*steps: PlannedStep, risk: int = 2, **given: Any) -> Plan:
    """A plan on cache-2."""
    return Plan.model_validate({
        "book": "varnish-restart", "title": "Restart Varnish on one cache node", "digest": "d", "risk": risk,
        "inputs": {"node": "cache-2"}, "targets": ("node:cache-2",), "confirm": "cache-2",
        "requires": (Requirement(condition=OTHERS, value="other cache nodes that serve: 2 (>= 1)", holds=True),),
        "steps": steps or (ssh_step(), manual_step()), "verify": (END,),
        "blast": (Dependent(what="sites", text="its sites are served by 2 others", severity="warning"),),
        **given,
    })  # fmt: skip


MISSING = (Requirement(condition=OTHERS, value="other cache nodes that serve: 0 (>= 1)", holds=False),)

# -- runs -----------------------------------------------------------------------------------------


class Written:
    """The entries of one run, a second apart."""

    def __init__(
        self,
        plan: Plan | None = None,
        run: str = "varnish-restart-1123-0950-aa11",
        *,
        minutes: float = 10,
        seq: int = 1,
    ) -> None:
        self.plan = plan or make_plan()
        self.run = run
        self.entries: list[Entry] = []
        self._at = ago(minutes)
        self._seq = seq

    def add(self, kind: str, body: Mapping[str, Any] | None = None, by: Author = RUNNER, seconds: float = 1) -> Entry:
        """One more entry."""
        entry = Entry(
            seq=self._seq, at=self._at, run=self.run, kind=kind, author=by, epoch=1, body=dict(body or {}),
            nonce=f"n{self._seq}", previous="0" * 64, hash=f"{self._seq:064x}",
        )  # fmt: skip
        self.entries.append(entry)
        self._seq += 1
        self._at += timedelta(seconds=seconds)
        return entry

    @property
    def state(self) -> RunState:
        """What they lead to."""
        found = fold(self.entries)
        assert found is not None
        return found

    @property
    def story(self) -> Story:
        """What they tell."""
        return Story(tuple(Line(entry.at, entry.kind, text) for entry in self.entries for text in lines_of(entry)))

    # Each gives the writer again, so that a run reads as a sentence.

    def planned(self, reason: str = "its child died three times", by: Author = ANNA) -> Written:
        """It is written down."""
        self.add(
            kinds.PLANNED, {"plan": self.plan.model_dump(mode="json"), "hash": self.plan.hash, "reason": reason}, by
        )
        return self

    def confirmed(self, by: Author = ANNA, *, broken: str = "") -> Written:
        """It is confirmed; `broken` is why a second person is not waited for."""
        how = "break-glass" if broken else "typed"
        self.add(kinds.CONFIRMED, {"hash": self.plan.hash, "how": how, "why": broken}, by)
        return self

    def approved(self, by: Author = BERT, *, minutes: float = 30) -> Written:
        """A second person has approved it."""
        until = (NOW + timedelta(minutes=minutes)).isoformat()
        self.add(kinds.APPROVED, {"hash": self.plan.hash, "until": until}, by)
        return self

    def begun(self, reason: str = "its child died three times") -> Written:
        """Planned, confirmed, and begun."""
        if not self.entries:
            self.planned(reason).confirmed()
        self.add(kinds.BEGUN, {"hash": self.plan.hash, "values": [one.value for one in self.plan.requires]})
        return self

    def effect(self, step: str = "restart", part: str = "cache-2", attempt: int = 1) -> Written:
        """A part is begun."""
        self.add(kinds.EFFECT, {"step": step, "part": part, "attempt": attempt, "machine": "bastion-1"})
        return self

    def output(self, text: str, step: str = "restart", part: str = "cache-2", stream: str = "out") -> Written:
        """It prints."""
        body = {"step": step, "part": part, "attempt": 1, "stream": stream, "text": text, "end": len(text)}
        self.add(kinds.OUTPUT, body, seconds=0)
        return self

    def part_ended(
        self, step: str = "restart", part: str = "cache-2", outcome: str = "ok", why: str = "ended with 0"
    ) -> Written:
        """A part has ended."""
        body = {"step": step, "part": part, "attempt": 1, "outcome": outcome, "code": int(outcome != "ok"), "why": why}
        self.add(kinds.EFFECT_ENDED, body)
        return self

    def unknown(self, why: str, step: str = "restart", part: str = "cache-2") -> Written:
        """It is not known what has become of a part."""
        self.add(kinds.EFFECT_UNKNOWN, {"step": step, "part": part, "attempt": 1, "why": why})
        return self

    def measured(self, values: Sequence[str], held: Sequence[bool], step: str = "restart") -> Written:
        """How its conditions are now."""
        self.add(kinds.MEASURED, {"step": step, "values": list(values), "held": list(held)})
        return self

    def step_ended(
        self, step: str = "restart", outcome: str = "ok", why: str = "", held: Sequence[bool] = (True, True)
    ) -> Written:
        """A step has ended."""
        values = [f"{one.name}: {'yes' if holds else 'no'}" for one, holds in zip((SERVES, FAST), held, strict=False)]
        self.add(kinds.STEP_ENDED, {"step": step, "outcome": outcome, "why": why, "values": values, "held": list(held)})
        return self

    def asks(self, about: str, text: str, *choices: str, step: str = "restart", part: str = "") -> Written:
        """It asks."""
        body = {"about": about, "step": step, "part": part, "text": text, "choices": list(choices)}
        self.add(kinds.ASKED, body)
        return self

    def ended(self, outcome: str, why: str = "") -> Written:
        """It has ended."""
        self.add(kinds.ENDED, {"outcome": outcome, "why": why})
        return self


VALUES = ("its exporter reaches it: 1 (== 1)", "p95 of its answers: 0.8 (< 0.5)")


def running(**given: Any) -> Written:
    """Its command has ended well; one of two conditions holds."""
    return Written(**given).begun().effect().output("restarting\n").part_ended().measured(VALUES, (True, False))


def asks_manual(**given: Any) -> Written:
    """Its second step is a person's."""
    run = running(**given).step_ended().effect("look", "")
    return run.asks("manual", "Look whether it blinks", "done", "failed", "stop", step="look")


def asks_failed(**given: Any) -> Written:
    """Its first step did not do well."""
    run = Written(**given).begun().effect().output("no space left\n", stream="err")
    run.part_ended(outcome="failed", why="ended with 1").step_ended(outcome="failed", why="ended with 1", held=())
    return run.asks("failed", "Restart Varnish: failed: ended with 1", "repeat", "again", "skip", "stop")


def asks_unknown(**given: Any) -> Written:
    """Nobody knows whether its first step had its effect."""
    run = Written(**given).begun().effect().unknown("the connection was lost")
    return run.asks(
        "unknown", "ssh cache-2: sudo systemctl restart: the connection was lost", "done", "repeat", "stop",
        part="cache-2",
    )  # fmt: skip


def waits_for_approval(*, by: Author = ANNA, **given: Any) -> Written:
    """Of risk 3: a second person must approve it."""
    return Written(make_plan(risk=3), **given).planned(by=by).confirmed(by)


def glass_broken(**given: Any) -> Written:
    """Of risk 3, begun by one person alone."""
    run = Written(make_plan(risk=3), **given).planned().confirmed(broken="nobody answers the pager")
    return run.begun().effect()


def paused(**given: Any) -> Written:
    """Its first step is done, and no further one is begun."""
    run = running(**given).step_ended()
    run.add(kinds.PAUSED, {"why": "lunch"}, BERT)
    return run


WORKERS = tuple(f"worker-{number:02d}" for number in range(1, 21))


def fanned_out(**given: Any) -> Written:
    """On 20 hosts: 12 ended, 5 of them badly; one is lost; three are at work."""
    step = ssh_step("update", "Update PHP", *WORKERS)
    run = Written(make_plan(step, book="php-update", targets=[f"node:{w}" for w in WORKERS]), **given).begun()
    for worker in WORKERS[:16]:
        run.effect("update", worker)
    for number, worker in enumerate(WORKERS[:12]):
        bad = number in (2, 4, 6, 8, 10)
        run.part_ended("update", worker, "failed" if bad else "ok", f"{worker} has no space" if bad else "")
    return run.unknown("no answer for 30 s", "update", WORKERS[12])


def undoing(**given: Any) -> Written:
    """Two steps were done, and are taken back."""
    plan = make_plan(ssh_step("drain", "Drain it", undo=True), ssh_step("stop", "Stop it", undo=True), manual_step())
    run = Written(plan, **given).begun()
    for step in ("drain", "stop"):
        run.effect(step).part_ended(step).step_ended(step)
    run.add(kinds.CANCELLED, {"why": "wrong node", "undo": True}, BERT)
    return run.effect("undo-stop").part_ended("undo-stop").step_ended("undo-stop", held=()).effect("undo-drain")


def ended(outcome: str = "ok", why: str = "", **given: Any) -> Written:
    """It has ended, by whatever way."""
    if outcome == "refused":
        return Written(**given).planned().confirmed().ended(outcome, why or "required: other cache nodes: 0 (>= 1)")
    run = running(**given).step_ended(outcome="ok" if outcome == "ok" else "failed", held=(True, outcome == "ok"))
    if outcome == "ok":
        run.effect("look", "").part_ended("look", "").step_ended("look", held=())
        run.add(kinds.VERIFIED, {"outcome": "ok", "values": ["it answers requests: 40 (> 0)"], "held": [True]})
    return run.ended(outcome, why)


def talkative(lines: int, text: Callable[[int], str], **given: Any) -> Written:
    """It prints a lot."""
    run = Written(**given).begun().effect()
    for number in range(lines):
        run.output(text(number) + "\n")
    return run


# -- the desk -------------------------------------------------------------------------------------


def make_picture(*runs: Written, holders: bool = True, stories: bool = True, **given: Any) -> Picture:
    """The library, these runs (the first is the newest), who executes them, and their stories."""
    states = tuple(run.state for run in runs)
    picture = Picture(
        shelf=library(), runs=states, place="sqlite:////var/lib/farmtui/journal.db",
        holders={state.run: HOLDER for state in states if holders and state.outcome is None},
        stories={run.run: run.story for run in runs} if stories else {},
    )  # fmt: skip
    return replace(picture, **given)


HEAD = Head("j", 17, "ab" * 32)
WHOLE = Proof(17, HEAD)


class FakeDesk:
    """A RemedyDesk that records what is said; `refuses` is the text of the ActionError that it answers with instead."""

    def __init__(self, *runs: Written, picture: Picture | None = None, user: str = "anna", refuses: str = "") -> None:
        self.picture = picture or make_picture(*runs)
        self.user = user
        self.refuses = refuses
        self.said: list[tuple[object, ...]] = []
        self.entries: list[Entry] = sorted((entry for run in runs for entry in run.entries), key=lambda e: e.seq)
        self.proof = WHOLE
        self.made = make_plan()
        """The plan that it makes of whatever."""
        self.planned: list[tuple[str, dict[str, str]]] = []
        self.followed: list[str] = []
        self.left: list[str] = []
        self.read: list[tuple[int | None, int]] = []
        self.proved = 0

    def _say(self, *words: object) -> None:
        if self.refuses:
            raise ActionError(self.refuses)
        self.said.append(words)

    def _ask(self) -> None:
        if self.refuses:
            raise ActionError(self.refuses)

    def follow(self, run: str) -> None:
        """Record it."""
        self.followed.append(run)

    def leave(self, run: str) -> None:
        """Record it."""
        self.left.append(run)

    async def plan(self, book: str, texts: Mapping[str, str]) -> Plan:
        """The plan, whatever is given."""
        self._ask()
        self.planned.append((book, dict(texts)))
        return self.made

    async def start(self, plan: Plan, reason: str, *, typed: str = "", break_glass: str = "") -> str:
        """Record it; its id is always the same."""
        self._say("start", plan.hash, reason, typed, break_glass)
        return "new-run"

    async def answer(self, run: str, question: int, choice: str, note: str = "") -> None:
        """Record it."""
        self._say("answer", run, question, choice, note)

    async def approve(self, run: str, digest: str) -> None:
        """Record it."""
        self._say("approve", run, digest)

    async def reject(self, run: str, why: str) -> None:
        """Record it."""
        self._say("reject", run, why)

    async def cancel(self, run: str, why: str, *, undo: bool = False) -> None:
        """Record it."""
        self._say("undo" if undo else "cancel", run, why)

    async def pause(self, run: str, why: str = "") -> None:
        """Record it."""
        self._say("pause", run, why)

    async def resume(self, run: str) -> None:
        """Record it."""
        self._say("resume", run)

    async def shell_opened(self, host: str) -> None:
        """Record it."""
        self._say("shell", host)

    async def shell_closed(self, host: str, code: int, lasted_s: float) -> None:
        """Record it."""
        self._say("shell closed", host, code)

    async def record(self, *, before: int | None = None, limit: int = 2_000) -> list[Entry]:
        """The entries, as a journal gives them: without output, the newest last."""
        self.read.append((before, limit))
        self._ask()
        found = [e for e in self.entries if (before is None or e.seq < before) and e.kind in kinds.DECISIVE]
        return found[-limit:]

    async def prove(self) -> Proof:
        """The proof that is set."""
        self.proved += 1
        self._ask()
        return self.proof


# -- time -----------------------------------------------------------------------------------------


class Still(datetime):
    """A clock that stands: what is now is NOW."""

    moment = NOW

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        """NOW, whatever the time."""
        return cls.moment.astimezone(tz)
