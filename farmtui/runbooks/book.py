"""A runbook as it is written: its inputs, what it requires, its steps. Its texts are templates; a plan renders them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from farmtui.config.fields import Section
from farmtui.journal.entry import canonical
from farmtui.runbooks.template import Context

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_IS = re.compile(r"(==|!=|<=|>=|<|>)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)|empty|present")

Where = tuple[str | int, ...]
"""The keys that lead to a place in the file."""


def seconds(value: Any) -> float:
    """`30s`, `5m`, `1.5h`, `2d` in seconds. Raises ValueError."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a duration such as 30s, 5m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def _is(value: str) -> str:
    if not _IS.fullmatch(value):
        raise ValueError("must be a comparison such as '== 0', '>= 2' or '< 0.05', or `empty`, or `present`")
    return value


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return value


Duration = Annotated[float, BeforeValidator(seconds)]
Is = Annotated[str, AfterValidator(_is)]
Regex = Annotated[str, AfterValidator(_regex)]
Percent = Annotated[str, Field(pattern=r"^(100|\d{1,2})%$")]
Codes = int | list[int]


class _Written(Section):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True)


def _one_of(section: Section, names: tuple[str, ...], what: str) -> str:
    given = [name for name in names if getattr(section, name) is not None]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none"
        raise ValueError(f"{what} must have exactly one of {', '.join(names)}; this one {found}")
    return given[0]


class Input(_Written):
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
    """For a text: what all of it must match."""
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
        if self.type == "choice" and not self.of:
            raise ValueError("a choice needs `of`: the choices")
        if self.tier is not None and self.type not in ("node", "nodes"):
            raise ValueError("`tier` is for nodes")
        return self


CONDITIONS = ("exit", "stdout", "promql", "fresh", "quorum")


class Condition(_Written):
    """Something that holds or does not."""

    name: str = ""
    """What it means, for who reads it."""
    exit: Codes | None = None
    """The command ends with this code, or one of these."""
    stdout: Regex | None = None
    """What the command prints matches somewhere."""
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
    quorum: Literal["galera", "swarm", "ceph"] | None = None
    """This quorum is there, and would be without the targets."""

    @model_validator(mode="after")
    def _one(self) -> Condition:
        kind = _one_of(self, CONDITIONS, "a condition")
        if (kind == "promql") != (self.is_ is not None):
            raise ValueError("`promql` and `is` go together")
        if self.within is not None and kind != "promql":
            raise ValueError("`within` is for promql")
        return self

    @property
    def kind(self) -> str:
        """Which condition it is."""
        return _one_of(self, CONDITIONS, "a condition")


class SshBody(_Written):
    """A command on one machine or on several."""

    host: str | None = None
    """The machine, as ssh knows it."""
    hosts: str | None = None
    """An input of type nodes: the command runs on each."""
    argv: list[str] | None = None
    """The command, each word by itself."""
    shell: str | None = None
    """A shell's text instead; each value in it becomes one quoted word."""
    sudo: bool = False
    """Run it by `sudo -n`."""
    long: bool = False
    """Run it as a unit of systemd, where the machine has it."""
    parallel: Annotated[int, Field(ge=1, le=64)] = 5
    """With `hosts`: so many at once."""
    canary: Annotated[int, Field(ge=0, le=10)] = 1
    """With `hosts`: so many first; the others follow only when they have done well."""
    stop_at: Percent = "0%"
    """With `hosts`: no more are begun when more than this share has failed."""

    @model_validator(mode="after")
    def _one(self) -> SshBody:
        _one_of(self, ("host", "hosts"), "ssh")
        _one_of(self, ("argv", "shell"), "ssh")
        return self


class LocalBody(_Written):
    """A command on the bastion."""

    argv: Annotated[list[str], Field(min_length=1)]
    """The command, each word by itself."""


class WaitBody(_Written):
    """Time passes, or a condition comes to hold."""

    for_: Duration | None = Field(None, alias="for")
    """So long."""
    promql: str | None = None
    """Until this query ..."""
    is_: Is | None = Field(None, alias="is")
    """... is this ..."""
    within: Duration | None = None
    """... which is waited for so long."""
    every: Duration = 5.0
    """How often it is measured."""

    @model_validator(mode="after")
    def _one(self) -> WaitBody:
        if _one_of(self, ("for_", "promql"), "wait") == "promql" and (self.is_ is None or self.within is None):
            raise ValueError("`promql` needs `is` and `within`")
        return self


class PveBody(_Written):
    """A call of Proxmox VE's API; the task that it names is waited for."""

    cluster: str
    """The cluster's name in the config."""
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    """How it is called."""
    path: str
    """Below /api2/json: `nodes/{{ guest.node }}/qemu/{{ guest.vmid }}/status/reboot`."""
    data: dict[str, str | int | float | bool] = {}
    """Its parameters."""


class SilenceBody(_Written):
    """A silence at the Alertmanager, from now on."""

    matchers: Annotated[list[str], Field(min_length=1)]
    """`instance="{{ node.address }}:9100"`, `alertname=~"Ceph.*"`: as Alertmanager writes them."""
    duration: str
    """For how long: `1h`."""
    comment: Annotated[str, Field(min_length=1)]
    """Why."""


BODIES = ("ssh", "local", "pve", "silence", "wait", "manual")


class Body(_Written):
    """What is done: exactly one of these."""

    ssh: SshBody | None = None
    """A command on machines."""
    local: LocalBody | None = None
    """A command on the bastion."""
    pve: PveBody | None = None
    """A call of Proxmox VE's API."""
    silence: SilenceBody | None = None
    """A silence."""
    wait: WaitBody | None = None
    """Nothing, for a time."""
    manual: str | None = None
    """What a person does, in words."""

    @model_validator(mode="after")
    def _one(self) -> Body:
        _one_of(self, BODIES, "a step")
        return self

    @property
    def kind(self) -> str:
        """Which body it is."""
        return _one_of(self, BODIES, "a step")


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


class Book(_Written):
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
            yield from _in_body(at, step)
            for key in ("expect", "abort_if", "verify"):
                yield from _in_conditions((*at, key), getattr(step, key))
            if step.undo is not None:
                yield from _in_body((*at, "undo"), step.undo)
        yield from _in_conditions(("verify",), self.verify)


def _in_conditions(at: Where, conditions: list[Condition]) -> Iterator[tuple[Where, str, Context]]:
    for number, condition in enumerate(conditions):
        yield (*at, number, "name"), condition.name, Context.TEXT
        if condition.promql is not None:
            yield (*at, number, "promql"), condition.promql, Context.PROMQL


def _in_body(at: Where, body: Body) -> Iterator[tuple[Where, str, Context]]:
    if body.ssh is not None:
        for key, text in (("host", body.ssh.host), ("hosts", body.ssh.hosts)):
            yield (*at, "ssh", key), text or "", Context.ARGUMENT
        yield from (((*at, "ssh", "argv", n), word, Context.ARGUMENT) for n, word in enumerate(body.ssh.argv or ()))
        yield (*at, "ssh", "shell"), body.ssh.shell or "", Context.SHELL
    if body.local is not None:
        yield from (((*at, "local", "argv", n), word, Context.ARGUMENT) for n, word in enumerate(body.local.argv))
    if body.pve is not None:
        yield (*at, "pve", "cluster"), body.pve.cluster, Context.TEXT
        yield (*at, "pve", "path"), body.pve.path, Context.URL
        texts = ((key, value) for key, value in body.pve.data.items() if isinstance(value, str))
        yield from (((*at, "pve", "data", key), value, Context.TEXT) for key, value in texts)
    if body.silence is not None:
        matchers = enumerate(body.silence.matchers)
        yield from (((*at, "silence", "matchers", n), text, Context.MATCHER) for n, text in matchers)
        yield (*at, "silence", "comment"), body.silence.comment, Context.TEXT
        yield (*at, "silence", "duration"), body.silence.duration, Context.TEXT
    if body.wait is not None:
        yield (*at, "wait", "promql"), body.wait.promql or "", Context.PROMQL
    yield (*at, "manual"), body.manual or "", Context.TEXT
