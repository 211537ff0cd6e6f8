"""A runbook as it is written: its inputs, what it requires, its steps. Its texts are templates; a plan renders them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from farmtui.journal.entry import canonical
from farmtui.runbooks.bodies import Body, texts_of
from farmtui.runbooks.template import Context
from farmtui.runbooks.written import Codes, Duration, Is, Regex, Where, Written, one_of


class Input(Written):
    """Something that is asked for before the run."""

    type: Literal[
        "node", "nodes", "site", "osd", "pool", "service", "volume", "guest", "droplet",
        "text", "int", "number", "bool", "choice", "duration",
    ]  # fmt: skip
    """What it must be: a thing of the farm, or a plain value."""
    help: str = ""
    """What it is for."""
    tier: str | None = None
    """For a node: only of this tier."""
    pattern: Regex | None = None
    """For a text: what all of it must match (RE2: nothing looks ahead)."""
    refused: Regex | None = None
    """For a text: what all of it must not match, though it matches `pattern`."""
    of: list[str] | None = None
    """For a choice: the choices."""
    min: float | str | None = None
    """For a number or a duration: the least."""
    max: float | str | None = None
    """For a number or a duration: the most."""
    default: str | int | float | bool | None = None
    """What it is when nothing is given."""
    target: bool | None = None
    """Whether it is what the run works on, which no other run may do meanwhile; unset: parts of the farm are. A node on
    which a command is merely run is not."""

    @model_validator(mode="after")
    def _fits(self) -> Input:
        if self.type == "text" and self.pattern is None:
            raise ValueError("a text needs a pattern: what it may be")
        if self.refused is not None and self.type != "text":
            raise ValueError("`refused` is for texts")
        if self.type == "choice" and not self.of:
            raise ValueError("a choice needs `of`: the choices")
        if self.tier is not None and self.type not in ("node", "nodes"):
            raise ValueError("`tier` is for nodes")
        return self


CONDITIONS = ("exit", "stdout", "lacks", "promql", "fresh", "quorum")


class Condition(Written):
    """Something that holds or does not."""

    name: str = ""
    """What it means, for who reads it."""
    exit: Codes | None = None
    """The command ends with this code, or one of these."""
    stdout: Regex | None = None
    """What the command prints matches somewhere (RE2; ^ and $ stand at every line)."""
    lacks: Regex | None = None
    """What the command prints matches nowhere: `stdout` turned round."""
    promql: str | None = None
    """A query that gives one number."""
    is_: Is | None = Field(None, alias="is")
    """What the number must be: `>= 2`; `empty` or `present`: whether there is one."""
    within: Duration | None = None
    """For how long it is waited for."""
    every: Duration = 5.0
    """How often it is measured while it is waited for."""
    fresh: list[str] | None = None
    """These sources are live."""
    quorum: Literal["galera", "swarm", "ceph", "any"] | None = None
    """This quorum is there, and would be without the targets. `any`: so is each of which a target is a member."""

    @model_validator(mode="after")
    def _one(self) -> Condition:
        kind = one_of(self, CONDITIONS, "a condition")
        if (kind == "promql") != (self.is_ is not None):
            raise ValueError("`promql` and `is` go together")
        if self.within is not None and kind != "promql":
            raise ValueError("`within` is for promql")
        return self

    @property
    def kind(self) -> str:
        """Which condition it is."""
        return one_of(self, CONDITIONS, "a condition")


class Step(Body):
    """One step."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What it does, for who reads it."""
    timeout: Duration = 300.0
    """Its command is stopped after this long."""
    idempotent: bool = False
    """It may be done again when it is not known whether it was done."""
    expect: list[Condition] = []
    """What must hold after it; a command's exit code is 0 unless it is said here."""
    abort_if: list[Condition] = []
    """What ends it when it holds, before it and while it runs."""
    verify: list[Condition] = []
    """Whether it has had its effect: asked when that is not known."""
    undo: Body | None = None
    """What takes its effect back."""

    @property
    def id(self) -> str:
        """Its name as part of a file's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40] or "step"


class Book(Written):
    """One runbook."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    """What it does, in a line."""
    about: str = ""
    """When to use it and what it does, in plain words."""
    risk: Literal[1, 2, 3]
    """1 harmless, 2 affects service, 3 may lose data."""
    tags: list[str] = []
    """Words to find it by."""
    alerts: list[str] = []
    """Names of alerts (with * and ?) that offer it."""
    inputs: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Input] = {}
    """What is asked for."""
    require: list[Condition] = []
    """What must hold when it is planned, and again when it starts."""
    steps: Annotated[list[Step], Field(min_length=1)]
    """What is done, in order."""
    verify: list[Condition] = []
    """What must hold in the end."""

    @field_validator("steps")
    @classmethod
    def _names_differ(cls, steps: list[Step]) -> list[Step]:
        ids = [step.id for step in steps]
        twice = next((step.name for step in steps if ids.count(step.id) > 1), None)
        if twice is not None:
            raise ValueError(f"two steps are called {twice!r}, or nearly so")
        return steps

    @property
    def digest(self) -> str:
        """Of all that is in it (hex)."""
        return hashlib.sha256(canonical(self.model_dump(mode="json")).encode()).hexdigest()

    def texts(self) -> Iterator[tuple[Where, str, Context]]:
        """Every template in it, with its place and where its text goes."""
        yield from _in_conditions(("require",), self.require)
        for number, step in enumerate(self.steps):
            at: Where = ("steps", number)
            yield from texts_of(at, step)
            for key in ("expect", "abort_if", "verify"):
                yield from _in_conditions((*at, key), getattr(step, key))
            if step.undo is not None:
                yield from texts_of((*at, "undo"), step.undo)
        yield from _in_conditions(("verify",), self.verify)


def schema() -> dict[str, Any]:
    """The JSON schema of a book, for editors (`farmtui runbooks schema`)."""
    from farmtui.config.described import described

    found = described(Book).model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "farmtui runbook"
    return found


def _in_conditions(at: Where, conditions: list[Condition]) -> Iterator[tuple[Where, str, Context]]:
    for number, condition in enumerate(conditions):
        yield (*at, number, "name"), condition.name, Context.TEXT
        if condition.promql is not None:
            yield (*at, number, "promql"), condition.promql, Context.PROMQL
