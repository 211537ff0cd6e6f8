"""What a step does, as it is written: one body for each kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from farmtui.config import Auth
from farmtui.runbooks.addresses import address_problem
from farmtui.runbooks.template import Context
from farmtui.runbooks.written import Codes, Duration, Is, Percent, Reference, Where, Written, one_of, whole_reference
from farmtui.secrets import is_reference


class SshBody(Written):
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
        one_of(self, ("host", "hosts"), "ssh")
        one_of(self, ("argv", "shell"), "ssh")
        return self


class LocalBody(Written):
    """A command on the bastion."""

    argv: Annotated[list[str], Field(min_length=1)]
    """The command, each word by itself."""


class WaitBody(Written):
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
        if one_of(self, ("for_", "promql"), "wait") == "promql" and (self.is_ is None or self.within is None):
            raise ValueError("`promql` needs `is` and `within`")
        return self


class PveBody(Written):
    """A call of Proxmox VE's API; the task that it names is waited for."""

    cluster: str
    """The cluster's name in the config."""
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    """How it is called."""
    path: str
    """Below /api2/json: `nodes/{{ guest.node }}/qemu/{{ guest.vmid }}/status/reboot`."""
    data: dict[str, str | int | float | bool] = {}
    """Its parameters."""


class SilenceBody(Written):
    """A silence at the Alertmanager, from now on."""

    matchers: Annotated[list[str], Field(min_length=1)]
    """`instance="{{ node.address }}:9100"`, `alertname=~"Ceph.*"`: as Alertmanager writes them."""
    duration: str
    """For how long: `1h`."""
    comment: Annotated[str, Field(min_length=1)]
    """Why."""


DO_ACTIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "droplet": {
        "power_on": (), "power_off": (), "power_cycle": (), "reboot": (), "shutdown": (), "snapshot": ("name",),
        "resize": ("size",), "rename": ("name",), "rebuild": ("image",), "restore": ("image",), "enable_backups": (),
        "disable_backups": (), "enable_ipv6": (),
    },
    "volume": {"attach": ("droplet_id",), "detach": ("droplet_id",), "resize": ("size_gigabytes",)},
}  # fmt: skip
"""What DigitalOcean does to each, and what must be told beside it."""


class DoBody(Written):
    """An action of DigitalOcean's on a droplet or a volume; it is followed to its end."""

    droplet: str | None = None
    """The droplet's number: `{{ droplet.id }}`."""
    volume: str | None = None
    """Or the volume's id."""
    action: str
    """What is done: `power_cycle`, `snapshot`, `attach`."""
    data: dict[str, str | int | float | bool] = {}
    """What is told beside it: `name` of a snapshot, `size` of a resize."""

    @model_validator(mode="after")
    def _fits(self) -> DoBody:
        what = one_of(self, ("droplet", "volume"), "do")
        needed = DO_ACTIONS[what].get(self.action)
        if needed is None:
            raise ValueError(f"a {what} has no action {self.action!r}; it has {', '.join(DO_ACTIONS[what])}")
        missing = [key for key in needed if key not in self.data]
        if missing:
            raise ValueError(f"{self.action} of a {what} needs {', '.join(missing)} under `data`")
        return self


class HttpAuth(Auth):
    """How to log in: either a bearer token, or a user with a password."""

    bearer: Reference | None = None
    """The bearer token, by reference."""
    password: Reference | None = None
    """Basic authentication: the password, by reference."""


class HttpBody(Written):
    """A request over HTTP. TLS is verified, and no redirect is followed.

    The address, a header's value, and each text in `data` and `json` may be a reference to a secret instead
    (`env:NAME`, `file:/PATH`, `cmd:COMMAND`): the runner resolves it as the request is sent, and nothing shows more
    than the reference.
    """

    url: str
    """The address; values in it are percent-encoded."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """How it is asked."""
    auth: HttpAuth = HttpAuth()
    """The login: `bearer`, or `username` and `password`, the secrets by reference."""
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], str] = {}
    """Further headers."""
    data: str | dict[str, str | int | float | bool] | None = None
    """What is sent: a text as it is, or the fields of a form ..."""
    json_: Any = Field(None, alias="json")
    """... or a document, sent as JSON; a value that is one expression alone keeps its type."""
    status: Codes | None = None
    """Codes of an answer that are good; unset: 200 to 299."""
    ca_file: str | None = None
    """CA certificates to trust instead of the system's: a whole path."""
    insecure: bool = False
    """Plain http:// is right here, though anybody on the way can read and change it."""

    @model_validator(mode="after")
    def _fits(self) -> HttpBody:
        if self.data is not None and self.json_ is not None:
            raise ValueError("give either `data` or `json`, not both")
        if (self.data is not None or self.json_ is not None) and self.method in ("GET", "HEAD"):
            raise ValueError(f"{self.method} sends nothing: `data` and `json` want another `method`")
        for name, value in self.headers.items():
            if _SECRET_HEADER.search(name) and not is_reference(value):
                raise ValueError(
                    f"the header {name} holds a secret: give it by reference (env:, file:, cmd:), or `auth`"
                )
        for reference in filter(is_reference, self._texts()):
            whole_reference(reference)
        if not is_reference(self.url):
            self._check_url()
        return self

    def _check_url(self) -> None:
        if "{{" not in self.url:
            problem = address_problem(self.url, insecure=self.insecure)
        else:
            problem = "" if _SCHEME.match(self.url) else "must begin with https:// or http://"
        if problem:
            raise ValueError(f"the url {problem}")

    def _texts(self) -> Iterator[str]:
        yield from (self.url, *self.headers.values())
        yield from (text for _, text in leaves(self.data))
        yield from (text for _, text in leaves(self.json_))


_SCHEME: Final = re.compile(r"https?://")
_SECRET_HEADER: Final = re.compile(r"(?i)^(proxy-)?authorization$|^cookie$|api-?key|token|secret|password")


def leaves(value: Any, at: Where = ()) -> Iterator[tuple[Where, str]]:
    """Every text in a document, with its place."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*at, number))


BODIES = ("ssh", "local", "pve", "do", "http", "silence", "wait", "manual")


class Body(Written):
    """What is done: exactly one of these."""

    ssh: SshBody | None = None
    """A command on machines."""
    local: LocalBody | None = None
    """A command on the bastion."""
    pve: PveBody | None = None
    """A call of Proxmox VE's API."""
    do: DoBody | None = None
    """An action of DigitalOcean's."""
    http: HttpBody | None = None
    """A request over HTTP."""
    silence: SilenceBody | None = None
    """A silence."""
    wait: WaitBody | None = None
    """Nothing, for a time."""
    manual: str | None = None
    """What a person does, in words."""

    @model_validator(mode="after")
    def _one(self) -> Body:
        one_of(self, BODIES, "a step")
        return self

    @property
    def kind(self) -> str:
        """Which body it is."""
        return one_of(self, BODIES, "a step")


def texts_of(at: Where, body: Body) -> Iterator[tuple[Where, str, Context]]:
    """Every template of a body that stands at `at`, with its place and where its text goes."""
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
        yield from _in_document((*at, "pve", "data"), body.pve.data)
    if body.do is not None:
        for key, text in (("droplet", body.do.droplet), ("volume", body.do.volume)):
            yield (*at, "do", key), text or "", Context.TEXT
        yield from _in_document((*at, "do", "data"), body.do.data)
    if body.http is not None:
        yield (*at, "http", "url"), body.http.url, Context.URL
        for part, value in (("headers", body.http.headers), ("data", body.http.data), ("json", body.http.json_)):
            yield from _in_document((*at, "http", part), value)
    if body.silence is not None:
        matchers = enumerate(body.silence.matchers)
        yield from (((*at, "silence", "matchers", n), text, Context.MATCHER) for n, text in matchers)
        yield (*at, "silence", "comment"), body.silence.comment, Context.TEXT
        yield (*at, "silence", "duration"), body.silence.duration, Context.TEXT
    if body.wait is not None:
        yield (*at, "wait", "promql"), body.wait.promql or "", Context.PROMQL
    yield (*at, "manual"), body.manual or "", Context.TEXT


def _in_document(at: Where, value: Any) -> Iterator[tuple[Where, str, Context]]:
    yield from (((*at, *place), text, Context.TEXT) for place, text in leaves(value))
