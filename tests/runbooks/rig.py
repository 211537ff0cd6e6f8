"""Runners that are killed: each in a process of its own, on one journal, with commands that leave a mark when begun."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from farmtui.config import SshConfig
from farmtui.journal.entry import Author, Entry, Note
from farmtui.journal.proof import prove
from farmtui.journal.store import Guard, Journal, Lease
from farmtui.runbooks import kinds
from farmtui.runbooks.announcing import Announced
from farmtui.runbooks.measuring import Measurement
from farmtui.runbooks.planned import Condition, LocalCall, ManualCall, Measured, Plan, PlannedStep, SshCall, WaitCall
from farmtui.runbooks.runner import Hands, Resolution, Runner
from farmtui.runbooks.state import Outcome, RunState, fold
from farmtui.runbooks.steps.commands import Commands, Shell
from farmtui.sources.ssh.pool import SshPool

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.runbooks.rig", "sqlalchemy.dialects.sqlite", "farmtui.sources.ssh.pool"])
ANNA, BERT = Author("anna", "bastion-1[1]"), Author("bert", "bastion-1[2]")
LEASE_S = 0.6
"""Short, so that a dead runner's runs are taken over soon."""
MEASURED_OK = Measured(query="vector(1)", op="==", number=1.0)

Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Kill:
    """When a runner dies: before or after the commit of so many of its entries; never with 0."""

    entries: int = 0
    moment: Moment = "after"


ALIVE = Kill()


class DoomedJournal(Journal):
    """A journal whose process dies at one of its entries."""

    doom = ALIVE
    written = 0

    def append(self, *notes: Note, lease: Lease | None = None, guard: Guard | None = None) -> tuple[Entry, ...]:
        """Append, and die."""
        last = self.written < self.doom.entries <= self.written + len(notes)
        if last and self.doom.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        entries = super().append(*notes, lease=lease, guard=guard)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.written += len(notes)
        return entries


async def always(condition: Condition) -> Measurement:
    """A farm in which everything holds."""
    return Measurement(True, "it holds")


async def resolved(plan: Plan) -> Resolution:
    """A farm in which nothing has changed."""
    return Resolution(values=("it holds",))


async def announced(state: RunState) -> Announced:
    """People who hear of it at once."""
    return Announced(True, ("everybody knows",))


def hands(shell: Shell, machine: str = "") -> Hands:
    """Everything by which the runners of these tests act."""
    commands = Commands(shell, machine=machine, patience_s=20.0)
    return Hands({"local": commands, "ssh": commands}, always, resolved, announced)


class _NoShell:
    async def log_in(self, host: str, *, deadline_s: float) -> None:
        raise AssertionError("nothing goes over SSH here")

    async def stream(self, host: str, argv: Sequence[str], tell: object, *, begin_s: float) -> int | None:
        raise AssertionError("nothing goes over SSH here")


@dataclass(frozen=True, slots=True)
class Bastion:
    """Where runners run."""

    url: str
    """Of the journal."""
    steps: str
    """The folder of what runs here."""
    name: str = ""
    """The machine's name; empty: its own."""
    ssh: Mapping[str, Any] | None = None
    """The config's section."""


def runner_process(bastion: Bastion, kill: Kill, idle_s: float) -> None:
    """The body of a runner's process."""
    os.environ["FARMTUI_STEPS"] = bastion.steps
    journal = DoomedJournal.open(bastion.url)
    assert isinstance(journal, DoomedJournal)
    journal.doom = kill

    async def serve() -> None:
        shell: Shell = SshPool(SshConfig(**bastion.ssh)) if bastion.ssh else _NoShell()
        author = Author("anna", f"runner[{os.getpid()}]")
        given = hands(shell, bastion.name)
        await Runner(journal, lambda: given, author, lease_s=LEASE_S, poll_s=0.05).serve(idle_s=idle_s)

    asyncio.run(serve())


class Rig:
    """A journal, a folder of marks, and runners."""

    def __init__(self, url: str, folder: Path, ssh: Mapping[str, Any] | None = None) -> None:
        self.bastion = Bastion(url, str(folder / "steps"), ssh=ssh)
        self.marks = folder / "marks"
        self.marks.mkdir(parents=True, exist_ok=True)
        self.journal = Journal.open(url)
        self.runners: list[multiprocessing.process.BaseProcess] = []

    def close(self) -> None:
        """End what is still there."""
        for runner in self.runners:
            runner.kill()
            runner.join()
        # A test that has failed leaves its commands running: they outlive everything, by design.
        for file in Path(self.bastion.steps).glob("*/pid"):
            with contextlib.suppress(OSError, ValueError):
                os.killpg(int(file.read_text()), signal.SIGKILL)
        self.journal.close()

    def step(self, name: str, rest: str = "", *, on: Sequence[str] = (), **given: object) -> PlannedStep:
        """A step that leaves a mark when it is begun, here or on hosts; `given` of both the step and its call."""
        script = f'echo "$1" >>"$2"/"$1"; echo begun; {rest}'
        argv = ("sh", "-c", script, "x", name, str(self.marks))
        fanning = {key: given.pop(key) for key in ("parallel", "canary", "stop_at") if key in given}
        call = SshCall(hosts=tuple(on), argv=argv, **fanning) if on else LocalCall(argv=argv)  # type: ignore[arg-type]
        return PlannedStep.model_validate({"id": name, "name": name, "call": call, "text": name, **given})

    def plan(self, *steps: PlannedStep, **given: object) -> Plan:
        """A plan of these steps."""
        defaults = {
            "book": "book", "title": "A book", "digest": "0", "risk": 1, "inputs": {}, "targets": ("node:n1",),
            "confirm": "n1",
        }  # fmt: skip
        return Plan.model_validate({**defaults, "steps": steps, **given})

    def start(self, plan: Plan, run: str = "r1") -> None:
        """Plan a run and confirm it."""
        self.journal.append(
            Note(kinds.PLANNED, ANNA, run, {"plan": plan.model_dump(mode="json"), "hash": plan.hash, "reason": "test"}),
            Note(kinds.CONFIRMED, ANNA, run, {"hash": plan.hash, "how": "key"}),
        )

    def say(self, kind: str, run: str = "r1", **body: object) -> None:
        """Say something to a run."""
        self.journal.append(Note(kind, ANNA, run, body))

    def runner(self, kill: Kill = ALIVE, idle_s: float = 0.3, name: str = "") -> multiprocessing.process.BaseProcess:
        """Begin a runner, on a bastion of this name."""
        process = CONTEXT.Process(target=runner_process, args=(replace(self.bastion, name=name), kill, idle_s))
        process.start()
        self.runners.append(process)
        return process

    def killed(self, kill: Kill) -> bool:
        """Let a runner die; whether it did, before it had nothing more to do."""
        process = self.runner(kill)
        process.join(60)
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        return process.exitcode != 0

    def finish(self, run: str = "r1", answer: str = "") -> RunState:
        """Let runners go on, answering what is asked, until the run has ended."""
        process = self.runner(idle_s=60.0)
        while True:
            state = self.until(lambda state: state.outcome is not None or state.question is not None, run)
            if state.outcome is not None:
                break
            assert state.question is not None
            assert answer in state.question.choices, state.question
            self.say(kinds.ANSWERED, run, question=state.question.seq, choice=answer)
        process.terminate()
        process.join(60)
        return state

    def state(self, run: str = "r1") -> RunState:
        """A run's state now."""
        state = fold(self.journal.entries(run=run))
        assert state is not None
        return state

    def until(self, true: Callable[[RunState], object], run: str = "r1") -> RunState:
        """Wait for a state."""
        ends_at = time.monotonic() + 60
        while not true(state := self.state(run)):
            assert time.monotonic() < ends_at, [(e.kind, e.body) for e in self.journal.entries(run=run)]
            time.sleep(0.02)
        return state

    def count(self, name: str) -> int:
        """How often a step was begun."""
        file = self.marks / name
        return len(file.read_text().splitlines()) if file.exists() else 0

    def is_whole(self) -> None:
        """The journal's chain holds, and nothing in it contradicts itself."""
        assert prove(self.journal).whole


def typical(rig: Rig, *, on: Sequence[str] = ()) -> Plan:
    """A plan with each kind of moment at which a runner may die."""
    return rig.plan(
        rig.step("one", on=on),
        rig.step("two", "echo first; echo oh >&2; sleep 0.1; echo second", on=on, expect=[MEASURED_OK]),
        PlannedStep(id="pause", name="pause", call=WaitCall(for_s=0.05), text="wait"),
        rig.step("three", on=on),
        verify=[MEASURED_OK],
    )


def with_a_person(rig: Rig) -> Plan:
    """A plan in which somebody must do something."""
    return rig.plan(
        rig.step("one"),
        PlannedStep(id="look", name="look", call=ManualCall(text="Look."), text="look"),
        rig.step("two"),
    )


def ok(state: RunState) -> bool:
    """Whether a run did all that it was to do."""
    return state.outcome is Outcome.OK and all(step.outcome is Outcome.OK for step in state.steps.values())
