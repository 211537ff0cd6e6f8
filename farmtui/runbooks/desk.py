"""What people say to runs: planning, confirming, approving, answering, cancelling. Each is an entry, or is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from farmtui.journal.entry import Author, Entry, Note, canonical
from farmtui.journal.store import Journal, Reader, RefusedError
from farmtui.runbooks import kinds
from farmtui.runbooks.decide import Finish, decide
from farmtui.runbooks.people import Rights
from farmtui.runbooks.planned import Plan
from farmtui.runbooks.state import Outcome, RunState, fold
from farmtui.secrets import redact

APPROVAL_S: Final = 1_800.0
"""How long an approval is good for, for the run to begin."""

Check = Callable[[RunState], str]
"""Why something cannot be said to a run in this state; empty when it can."""


class Desk:
    """One person's desk. Blocking: it writes to the journal. Its methods raise RefusedError and JournalError."""

    def __init__(self, journal: Journal, author: Author, rights: Rights) -> None:
        self._journal = journal
        self._author = author
        self._rights = rights

    @property
    def user(self) -> str:
        """Who sits here."""
        return self._author.user

    def plan(self, plan: Plan, reason: str) -> str:
        """Write a plan down, for a run that somebody confirms; gives the run's id."""
        _require(self._rights.operate)
        missing = [one.value for one in plan.requires if not one.holds]
        if missing:
            raise RefusedError(f"required: {'; '.join(missing)}")
        body = {"plan": plan.model_dump(mode="json"), "hash": plan.hash, "reason": reason.strip()}
        if redact(canonical(body["plan"])) != canonical(body["plan"]):
            # It could not be made again from what is written down.
            raise RefusedError("a secret is among what it would do, and none is written down: give it by reference")
        run = f"{plan.book}-{datetime.now(UTC):%m%d-%H%M}-{secrets.token_hex(2)}"
        self._journal.append(Note(kinds.PLANNED, self._author, run, body))
        return run

    def confirm(self, run: str, digest: str, *, typed: str = "", break_glass: str = "") -> Entry:
        """Start a run, by the hash of the plan that was shown. From risk 2 on the target's name must be typed.

        `break_glass` is why a run of risk 3 cannot wait for the second person; it is written down, and shown loudly.
        """
        _require(self._rights.operate)

        def check(state: RunState) -> str:
            if state.begun_at is not None or state.confirmed_by is not None:
                return "it is confirmed already"
            if expired := _expired(state):
                return expired
            if digest != state.hash:
                return "this is not the plan that was shown: its hash differs"
            if state.plan.risk >= 2 and typed != state.plan.confirm:
                return f"to confirm it, type the target's name: {state.plan.confirm}"
            if break_glass and state.plan.risk < 3:
                return "only a run of risk 3 needs a second person: there is no glass to break"
            return ""

        how = "break-glass" if break_glass else "typed" if typed else "key"
        return self._say(run, kinds.CONFIRMED, {"hash": digest, "how": how, "why": break_glass}, check)

    def approve(self, run: str, digest: str, *, lasts_s: float = APPROVAL_S) -> Entry:
        """Approve another's run, by the hash of its plan."""
        _require(self._rights.approve)

        def check(state: RunState) -> str:
            mine = {state.author.user, *([state.confirmed_by.user] if state.confirmed_by else [])}
            if state.plan.risk < 3:
                return f"a run of risk {state.plan.risk} needs no approval"
            if state.begun_at is not None:
                return "it has begun already"
            if expired := _expired(state):
                return expired
            if self._author.user in mine:
                return "nobody approves their own run: another user must"
            return "" if digest == state.hash else "this is not the plan that was asked for: its hash differs"

        until = datetime.now(UTC) + timedelta(seconds=lasts_s)
        return self._say(run, kinds.APPROVED, {"hash": digest, "until": until.isoformat()}, check)

    def reject(self, run: str, why: str) -> Entry:
        """Refuse another's run."""
        _require(self._rights.approve)
        body = {"outcome": Outcome.CANCELLED, "why": f"rejected by {self.user}: {why}"}
        ended = Note(kinds.ENDED, self._author, run, body)
        return self._say(run, kinds.REJECTED, {"why": why}, _has_begun, ended)

    def answer(self, run: str, choice: str, note: str = "", *, question: int = 0) -> Entry:
        """Answer what a run asks; `question` is the number of the one that was seen, 0 for whichever is open."""
        _require(self._rights.operate)
        asked = self._journal.read(lambda reader: _state(reader, run)).question
        number = question or (asked.seq if asked else 0)

        def check(state: RunState) -> str:
            if state.question is None or state.question.seq != number:
                return "it asks nothing now: somebody has answered, or it has gone on"
            if choice not in state.question.choices:
                return f"the answer must be one of {', '.join(state.question.choices)}"
            return ""

        return self._say(run, kinds.ANSWERED, {"question": number, "choice": choice, "note": note.strip()}, check)

    def cancel(self, run: str, why: str, *, undo: bool = False) -> Entry:
        """End a run: what runs is stopped; with `undo` what was done is taken back, as far as its book can."""
        _require(self._rights.operate)
        body = {"why": why, "undo": undo}
        if self._journal.read(lambda reader: _state(reader, run)).begun_at is not None:
            return self._say(run, kinds.CANCELLED, body, lambda _: "")
        # Nothing was begun: it needs no runner to end.
        ended = Note(kinds.ENDED, self._author, run, {"outcome": Outcome.CANCELLED, "why": f"{self.user}: {why}"})
        return self._say(run, kinds.CANCELLED, body, _has_begun, ended)

    def pause(self, run: str, why: str = "") -> Entry:
        """Let a run begin no further step."""
        _require(self._rights.operate)
        return self._say(run, kinds.PAUSED, {"why": why}, lambda s: "it is paused already" if s.paused else "")

    def resume(self, run: str) -> Entry:
        """Let a paused run go on."""
        _require(self._rights.operate)
        return self._say(run, kinds.RESUMED, {}, lambda s: "" if s.paused else "it is not paused")

    def shell(self, host: str, body: Mapping[str, Any]) -> Entry:
        """Write down that a shell was opened on a machine, or has ended."""
        _require(self._rights.operate)
        return self._journal.append(Note(kinds.SHELL, self._author, body={"host": host, **body}))[0]

    def _say(self, run: str, kind: str, body: Mapping[str, Any], check: Check, *more: Note) -> Entry:
        def guard(reader: Reader) -> None:
            state = _state(reader, run)
            why = f"it has ended: {state.outcome}" if state.outcome is not None else check(state)
            if why:
                raise RefusedError(f"run {run}: {why}")

        return self._journal.append(Note(kind, self._author, run, body), *more, guard=guard)[0]


def _has_begun(state: RunState) -> str:
    return "it has begun meanwhile; look at it, and cancel it then" if state.begun_at is not None else ""


def _expired(state: RunState) -> str:
    needed = decide(state, datetime.now(UTC))
    return f"{needed.why}: plan it anew" if isinstance(needed, Finish) else ""


def _state(reader: Reader, run: str) -> RunState:
    state = fold(reader.entries(run=run))
    if state is None:
        raise RefusedError(f"there is no run {run!r}; see: farmtui runs")
    return state


def _require(why: str) -> None:
    if why:
        raise RefusedError(f"{why}; nothing was done")
