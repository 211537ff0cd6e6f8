"""A plan: all that a run does, rendered, before it does anything. What runs is this, whatever the book says later."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from farmtui.journal.entry import canonical
from farmtui.runbooks.bodies import HttpAuth


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExitIs(_Part):
    """The command ended with one of these."""

    kind: Literal["exit"] = "exit"
    codes: tuple[int, ...] = (0,)
    name: str = ""


class StdoutMatches(_Part):
    """Something that the command printed matches, or (`lacks`) nothing does."""

    kind: Literal["stdout"] = "stdout"
    regex: str
    lacks: bool = False
    name: str = ""


class Measured(_Part):
    """A query's value, within a time where one is given."""

    kind: Literal["promql"] = "promql"
    query: str
    op: Literal["==", "!=", "<", "<=", ">", ">=", "empty", "present"]
    number: float = 0.0
    within_s: float = 0.0
    every_s: float = 5.0
    name: str = ""


class SourcesFresh(_Part):
    """These sources are live."""

    kind: Literal["fresh"] = "fresh"
    sources: tuple[str, ...]
    name: str = ""


class QuorumHolds(_Part):
    """A quorum is there, and would be without the targets."""

    kind: Literal["quorum"] = "quorum"
    of: Literal["galera", "swarm", "ceph", "any"]
    """`any`: each of which the machines are members; it holds where they are in none."""
    without: tuple[str, ...] = ()
    """Names of the machines that the run takes away; for `any` also by their names as guests and droplets."""
    name: str = ""


Condition = Annotated[ExitIs | StdoutMatches | Measured | SourcesFresh | QuorumHolds, Field(discriminator="kind")]


class SshCall(_Part):
    """A command on machines."""

    kind: Literal["ssh"] = "ssh"
    hosts: tuple[str, ...]
    """As ssh knows them; each is one part of the step."""
    argv: tuple[str, ...] = ()
    shell: str = ""
    """A shell's text, instead of `argv`; values in it are quoted."""
    sudo: bool = False
    long: bool = False
    """Run as a unit of systemd where the host has it."""
    parallel: int = 1
    canary: int = 0
    """So many hosts first, and the others only when they have done well."""
    stop_at: float = 0.0
    """No more hosts are begun when more than this share (0-1) has failed."""


class LocalCall(_Part):
    """A command on the bastion."""

    kind: Literal["local"] = "local"
    argv: tuple[str, ...]


class PveCall(_Part):
    """A call of Proxmox VE's API; a task that it names is waited for."""

    kind: Literal["pve"] = "pve"
    cluster: str
    method: Literal["POST", "PUT", "DELETE", "GET"]
    path: str
    data: dict[str, Any] = {}


class DoCall(_Part):
    """An action of DigitalOcean's, which is followed to its end."""

    kind: Literal["do"] = "do"
    what: Literal["droplet", "volume"]
    ident: str
    """The droplet's number, the volume's id."""
    action: str
    data: dict[str, Any] = {}


class HttpCall(_Part):
    """A request over HTTP. A text that is a reference to a secret is resolved as it is sent, and not before."""

    kind: Literal["http"] = "http"
    url: str
    method: str
    auth: HttpAuth = HttpAuth()
    headers: dict[str, str] = {}
    data: str | dict[str, str | int | float | bool] | None = None
    document: Any = None
    """What is sent as JSON."""
    status: tuple[int, ...] = ()
    """Codes of an answer that are good; empty: 200 to 299."""
    ca_file: str = ""
    insecure: bool = False


class SilenceCall(_Part):
    """A silence at the Alertmanager."""

    kind: Literal["silence"] = "silence"
    matchers: tuple[str, ...]
    duration_s: float
    comment: str


class WaitCall(_Part):
    """Nothing is done: time passes, or a condition comes to hold."""

    kind: Literal["wait"] = "wait"
    for_s: float = 0.0
    until: Measured | None = None


class ManualCall(_Part):
    """A person does it, and says so."""

    kind: Literal["manual"] = "manual"
    text: str


Call = Annotated[
    SshCall | LocalCall | PveCall | DoCall | HttpCall | SilenceCall | WaitCall | ManualCall,
    Field(discriminator="kind"),
]


class PlannedStep(_Part):
    """One step, rendered."""

    id: str
    name: str
    call: Call
    text: str
    """What is done, as a person reads it: `ssh cache-2: systemctl restart varnish`."""
    expect: tuple[Condition, ...] = ()
    abort_if: tuple[Condition, ...] = ()
    verify: tuple[Condition, ...] = ()
    """Whether it has had its effect: asked when that is not known."""
    undo: Call | None = None
    undo_text: str = ""
    timeout_s: float = 300.0
    idempotent: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """What is done apart: a host each, or one part without a name."""
        return self.call.hosts if isinstance(self.call, SshCall) else ("",)


class Requirement(_Part):
    """What must hold for the run to start, and how it was when the plan was made."""

    condition: Condition
    value: str = ""
    """What was measured, in words."""
    holds: bool = False


class Dependent(_Part):
    """What hangs on a target: `12 tasks`, `quorum: bears 0 more`."""

    what: str
    text: str
    severity: Literal["ok", "warning", "critical"] = "ok"


class Plan(_Part):
    """A run before it runs."""

    book: str
    title: str
    digest: str
    """Of the book that it was made of."""
    risk: Literal[1, 2, 3]
    inputs: dict[str, str]
    targets: tuple[str, ...]
    """What only one run may work on at a time: `node:cache-2`."""
    confirm: str
    """What must be typed at risk 2 and above: the target's name."""
    requires: tuple[Requirement, ...] = ()
    steps: tuple[PlannedStep, ...]
    verify: tuple[Condition, ...] = ()
    blast: tuple[Dependent, ...] = ()

    @property
    def hash(self) -> str:
        """Of all that the run does and stands on (hex). What was measured meanwhile is not in it: it must hold, that
        is all; how much hangs on the targets is, for it is what was agreed to."""
        content = self.model_dump(mode="json")
        for requirement in content["requires"]:
            del requirement["value"], requirement["holds"]
        return hashlib.sha256(canonical(content).encode()).hexdigest()
