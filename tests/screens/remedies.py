"""Runs, books and a desk that records: what the screens of remediation are looked at with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from farmtui.farm.actions import ActionError
from farmtui.journal.entry import Author, Entry
from farmtui.journal.proof import Proof
from farmtui.journal.store import Head
from farmtui.runbooks import kinds
from farmtui.runbooks.loading import Broken, Shelf, shelf
from farmtui.runbooks.people import Rights
from farmtui.runbooks.picture import Line, Picture, Story
from farmtui.runbooks.planned import Dependent, Measured, Plan, Requirement, SourcesFresh
from farmtui.runbooks.state import RunState, fold
from farmtui.runbooks.story import lines_of
from tests.screens.farms import HOSTILE

LIBRARY = shelf([])
ANNA, BERTA = Author("anna", "bastion-1[7] from 127.0.0.9"), Author("berta", "bastion-2[8]")
RUNNER = Author("anna", "bastion-1[9]")
_seq = count(1)
SERVES = Measured(query="q", op=">=", number=2, within_s=120, name="cache nodes that serve")


def make_plan(risk: int = 2, **more: Any) -> Plan:
    """A plan of three steps on cache-2: a command, a person's work, a fan-out."""
    return Plan.model_validate({
        "book": "varnish-restart", "title": "Restart Varnish on one cache node", "digest": "d", "risk": risk,
        "inputs": {"node": "cache-2"}, "targets": ("node:cache-2",), "confirm": "cache-2",
        "requires": (
            Requirement(condition=SourcesFresh(sources=("prometheus",)), value="prometheus: live", holds=True),
        ),
        "steps": (
            {"id": "drain", "name": "Drain it", "text": "ssh cache-2: touch /x", "timeout_s": 60.0,
             "call": {"kind": "ssh", "hosts": ("cache-2",), "argv": ("touch", "/x")},
             "undo": {"kind": "ssh", "hosts": ("cache-2",), "argv": ("rm", "/x")}, "undo_text": "ssh cache-2: rm /x"},
            {"id": "look", "name": "Look at it", "text": "by hand: Look.", "call": {"kind": "manual", "text": "Look."}},
            {"id": "ban", "name": "Ban it", "text": "ssh 20 hosts: ban", "expect": (SERVES,),
             "call": {"kind": "ssh", "hosts": tuple(f"app-{n:02d}" for n in range(1, 21)), "argv": ("ban",)}},
        ),
        "verify": (SERVES,),
        "blast": (Dependent(what="cache tier", text="2 of 3 go on serving"),),
        **more,
    })  # fmt: skip


@dataclass
class Told:
    """A run that grows by entries; `state` is what they lead to."""

    plan: Plan
    run: str = "varnish-restart-1128-0312-ab12"
    reason: str = "threads hang"
    minutes: float = 5.0
    """How long ago it was planned."""
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = self.plan.model_dump(mode="json")
        self.say(kinds.PLANNED, plan=plan, hash=self.plan.hash, reason=self.reason)

    def say(self, kind: str, author: Author = ANNA, **body: Any) -> Told:
        """One more entry, a second after the last."""
        at = datetime.now(UTC) - timedelta(minutes=self.minutes) + timedelta(seconds=len(self.entries))
        self.entries.append(Entry(next(_seq), at, self.run, kind, author, 0, body, "n", "p", "h"))
        return self

    def confirmed(self) -> Told:
        """Confirmed and begun."""
        self.say(kinds.CONFIRMED, hash=self.plan.hash, how="typed", why="")
        return self.say(kinds.BEGUN, RUNNER, hash=self.plan.hash, targets=["node:cache-2"], values=["prometheus: live"])

    def did(self, step: str, outcome: str = "ok", parts: Sequence[str] = ("cache-2",), out: str = "") -> Told:
        """A step that was done, whole."""
        for part in parts:
            where = {"step": step, "part": part, "attempt": 1}
            self.say(kinds.EFFECT, RUNNER, **where, machine="bastion-1")
            if out:
                self.say(kinds.OUTPUT, RUNNER, **where, stream="out", text=out, end=len(out))
            self.say(kinds.EFFECT_ENDED, RUNNER, **where, outcome=outcome, code=0, why=f"it ended: {outcome}")
        return self.say(kinds.STEP_ENDED, RUNNER, step=step, outcome=outcome, why="")

    def asks(self, about: str, step: str, text: str, *choices: str) -> Told:
        """A question."""
        return self.say(kinds.ASKED, RUNNER, about=about, step=step, part="", text=text, choices=list(choices))

    @property
    def state(self) -> RunState:
        """What its entries lead to."""
        state = fold(self.entries)
        assert state is not None
        return state

    @property
    def story(self) -> Story:
        """Its entries as lines."""
        return Story(tuple(Line(entry.at, entry.kind, text) for entry in self.entries for text in lines_of(entry)))


def asking(text: str = "Look.") -> Told:
    """One that waits for a person's work."""
    told = Told(make_plan()).confirmed().did("drain", out="drained\n")
    told.say(kinds.EFFECT, RUNNER, step="look", part="", attempt=1, machine="bastion-1")
    return told.asks("manual", "look", text, "done", "failed", "stop")


def measuring() -> Told:
    """One whose last step waits for a condition; two hosts of its twenty have failed."""
    told = asking().say(kinds.ANSWERED, BERTA, question=0, choice="done", note="")
    told.entries[-1] = replace(
        told.entries[-1], body={"question": told.entries[-2].seq, "choice": "done", "note": "ok"}
    )
    told.say(kinds.STEP_ENDED, RUNNER, step="look", outcome="ok")
    for number in range(1, 21):
        where = {"step": "ban", "part": f"app-{number:02d}", "attempt": 1}
        told.say(kinds.EFFECT, RUNNER, **where, machine="bastion-1")
        outcome = "failed" if number in (3, 4) else "ok"
        told.say(
            kinds.EFFECT_ENDED, RUNNER, **where, outcome=outcome, code=int(outcome == "failed"), why=f"code {outcome}"
        )
    return told.say(kinds.MEASURED, RUNNER, step="ban", values=["cache nodes that serve: 1 (>= 2)"], held=[False])


def ended(outcome: str = "ok", why: str = "") -> Told:
    """One that is over."""
    told = Told(make_plan(), run=f"varnish-restart-1127-2200-{outcome}", minutes=90).confirmed().did("drain")
    return told.say(kinds.ENDED, RUNNER, outcome=outcome, why=why)


def hostile() -> Told:
    """One whose every text means harm."""
    told = Told(make_plan(), run="varnish-restart-1128-0313-evil", reason=HOSTILE).confirmed()
    return told.did("drain", out=f"{HOSTILE}\n" * 3).asks("failed", "drain", HOSTILE, "repeat", "stop")


def picture(*runs: Told, books: Shelf = LIBRARY, **more: Any) -> Picture:
    """What a console knows of these runs, each with its story, and of the library."""
    return Picture(
        shelf=books,
        runs=tuple(told.state for told in runs),
        holders={told.run: "bastion-1[9]" for told in runs if told.state.outcome is None},
        stories={told.run: told.story for told in runs},
        place="sqlite:////var/lib/farmtui/journal.db",
        **more,
    )


def broken_shelf() -> Shelf:
    """The library with a file that is none of it."""
    path = next(iter(LIBRARY.books.values())).path.with_name("mine.yaml")
    return replace(LIBRARY, broken=(Broken("mine", path, "mine.yaml:3: risk: must be 1, 2 or 3"),))


class FakeDesk:
    """A RemedyDesk that records; `refuses` is what it answers instead."""

    def __init__(self, shown: Picture | None = None, *, user: str = "anna", plan: Plan | None = None) -> None:
        self.picture = shown or Picture(shelf=LIBRARY)
        self.user = user
        self.refuses = ""
        self.said: list[tuple[Any, ...]] = []
        self.followed: list[str] = []
        self.entries: list[Entry] = []
        self.proof = Proof(34, Head("j", 34, "ab" * 32))
        self._plan = plan or make_plan()

    def follow(self, run: str) -> None:
        self.followed.append(run)

    def leave(self, run: str) -> None:
        self.followed.remove(run)

    async def plan(self, book: str, texts: Mapping[str, str]) -> Plan:
        await self._say("plan", book, dict(texts))
        return self._plan

    async def start(self, plan: Plan, reason: str, *, typed: str = "", break_glass: str = "") -> str:
        await self._say("start", plan.hash, reason, typed, break_glass)
        return "new-run"

    async def answer(self, run: str, question: int, choice: str, note: str = "") -> None:
        await self._say("answer", run, question, choice, note)

    async def approve(self, run: str, digest: str) -> None:
        await self._say("approve", run, digest)

    async def reject(self, run: str, why: str) -> None:
        await self._say("reject", run, why)

    async def cancel(self, run: str, why: str, *, undo: bool = False) -> None:
        await self._say("cancel", run, why, undo)

    async def pause(self, run: str, why: str = "") -> None:
        await self._say("pause", run, why)

    async def resume(self, run: str) -> None:
        await self._say("resume", run)

    async def shell_opened(self, host: str) -> None:
        await self._say("shell", host)

    async def shell_closed(self, host: str, code: int, lasted_s: float) -> None:
        await self._say("shell closed", host, code)

    async def record(self, *, before: int | None = None, limit: int = 2_000) -> list[Entry]:
        if self.refuses:
            raise ActionError(self.refuses)
        found = [entry for entry in self.entries if before is None or entry.seq < before]
        return found[-limit:]

    async def prove(self) -> Proof:
        if self.refuses:
            raise ActionError(self.refuses)
        return self.proof

    async def _say(self, *what: Any) -> None:
        if self.refuses:
            raise ActionError(self.refuses)
        self.said.append(what)


VIEWER = Rights("anna is no operator (roles.operators in the config)", "anna is no approver")
