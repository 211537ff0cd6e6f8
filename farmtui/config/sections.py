"""The config's sections: the farm itself, the sources that are asked over HTTP, and the console's looks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from farmtui.config.fields import ApiHost, ConfigPath, Seconds, SecretRef, Section, Url, Webhook
from farmtui.farm.node import Tier


class Auth(Section):
    """How to log in to an HTTP source: either a bearer token, or a user with a password."""

    bearer: SecretRef | None = None
    """The bearer token, by reference."""
    username: str | None = None
    """Basic authentication: the user."""
    password: SecretRef | None = None
    """Basic authentication: the password, by reference."""

    @model_validator(mode="after")
    def _one_way(self) -> Auth:
        if self.bearer and (self.username or self.password):
            raise ValueError("give either bearer, or username and password, not both")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password go together")
        return self


class HttpSource(Section):
    """What all HTTP sources share."""

    interval_s: Seconds = 15.0
    """Seconds between two polls; the next is armed when the last has ended."""
    deadline_s: Seconds = 10.0
    """Seconds after which a poll is given up."""
    auth: Auth = Auth()
    """Login, if the server wants one."""
    headers: dict[str, str] = {}
    """Further headers, such as X-Scope-OrgID for Mimir. A value that starts with env:, file: or cmd: is a secret."""
    ca_file: ConfigPath | None = None
    """CA certificates to trust instead of the system's. TLS is always verified; there is no switch for that."""


class PrometheusConfig(HttpSource):
    """A Prometheus, or what speaks its API: Thanos, Mimir, VictoriaMetrics."""

    url: Url
    """Base address, without /api/v1."""
    trends_interval_s: Seconds = 60.0
    """Seconds between two polls of the trends (range queries)."""
    trends_window_s: Annotated[float, Field(ge=600, le=604_800)] = 21_600.0
    """How far back the trends reach."""
    sites_interval_s: Seconds = 60.0
    """Seconds between two polls of the sites, one by one: of 50,000 sites each answer is some megabytes."""
    pool_size: Annotated[int, Field(ge=1, le=32)] = 8
    """Queries in flight at once."""
    queries: dict[str, str] = {}
    """Figures of the catalogue (docs/catalogue.md) with a PromQL of your own; an empty text switches one off."""


class AlertmanagerConfig(HttpSource):
    """Alertmanager v2; all replicas of one cluster are merged."""

    urls: Annotated[list[Url], Field(min_length=1)]
    """Every replica's base address."""


class ProxmoxConfig(Section):
    """A Proxmox VE cluster, through an API token."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    """A name of your own for the cluster."""
    hosts: Annotated[list[ApiHost], Field(min_length=1)]
    """API nodes, `host` or `host:port` (8006); the next is asked when one is down."""
    token_id: Annotated[str, Field(pattern=r"^[^@!\s]+@[^@!\s]+![^@!\s]+$")]
    """`user@realm!tokenname`. The role PVEAuditor on / is enough to look."""
    token_secret: SecretRef
    """The token's secret, by reference."""
    ca_file: ConfigPath | None = None
    """CA certificate of the cluster (/etc/pve/pve-root-ca.pem). TLS is always verified."""
    interval_s: Seconds = 20.0
    """Seconds between two polls."""
    deadline_s: Seconds = 10.0
    """Seconds after which one API call is given up."""


class DigitalOceanConfig(Section):
    """A DigitalOcean account."""

    token: SecretRef
    """A personal access token with read scope, by reference. Runbooks that act on droplets and volumes need the scopes
    droplet:update and block_storage_action:create beside it."""
    endpoint: Url = "https://api.digitalocean.com"
    """The API's base address."""
    tag: str | None = None
    """Only droplets with this tag belong to the farm; unset: all of the account."""
    ca_file: ConfigPath | None = None
    """CA certificates to trust instead of the system's."""
    interval_s: Seconds = 60.0
    """Seconds between two polls (the API allows 5,000 requests an hour)."""
    bill_interval_s: Annotated[float, Field(ge=60, le=86_400)] = 900.0
    """Seconds between two looks at the balance, reserved addresses and snapshots, which change rarely."""
    deadline_s: Seconds = 20.0
    """Seconds after which one API call is given up."""


class TierConfig(Section):
    """One tier of the farm."""

    expect: Annotated[int, Field(ge=0)] | None = None
    """How many machines there should be; fewer are a fault, more are shown."""
    match: list[str] = []
    """Shell patterns on the machine's name: ["cache-*"]."""


class NodeConfig(Section):
    """An explicit identity: what the join cannot know by address or name."""

    name: str
    """The machine's name on the screens."""
    tier: Tier | None = None
    """Its tier, whatever names and tags say."""
    prometheus: list[str] = []
    """Instance labels (or their host part) that are this machine."""
    pve: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[0-9]+$")] | None = None
    """`CLUSTER/VMID`."""
    droplet: int | None = None
    """The droplet's id."""
    addresses: list[str] = []
    """Addresses that are this machine's."""


class FarmConfig(Section):
    """The farm itself."""

    name: str = "farm"
    """Shown in the header, and where something is about to be done to it."""
    colour: Annotated[int, Field(ge=1, le=6)] | None = None
    """The ground of its name in the header, one of the theme's six line colours, so that farms are told apart at a
    glance (`ui.theme` gives each a skin of its own); unset: none."""
    sites: Annotated[int, Field(ge=0)] | None = None
    """How many sites there should be."""
    read_only: bool = False
    """No action on the farm is possible; it cannot be lifted from inside."""


class SloConfig(Section):
    """What each site promises: the objective that its error budget is counted against."""

    target: Annotated[float, Field(ge=0.5, lt=1)] = 0.999
    """Share of requests that are not answered by a 5xx; what is left of 1 is the error budget."""
    window_days: Annotated[int, Field(ge=1, le=90)] = 30
    """Over so many days. What Prometheus does not hold so long is counted over what it holds, and said so."""


class JournalConfig(Section):
    """Where it is written down what was done to the farm: the runs of runbooks, and who did what."""

    url: str | None = None
    """`sqlite:////PATH` or `postgresql://USER@HOST/DATABASE` for several bastions; a password comes from ~/.pgpass or
    PGPASSWORD. Unset: a SQLite file in the user's state folder."""


class AnnounceConfig(Section):
    """Who is told when a run of risk 3 begins, and loudest of all when it does so without a second person."""

    command: list[str] = []
    """A command on the bastion, each word by itself; what is announced is its input: [mail, -s, farmtui, ops]."""
    url: Webhook | None = None
    """A webhook that takes {"text": ...}: an https:// address, or a reference to one that is itself a secret."""

    @model_validator(mode="after")
    def _somebody(self) -> AnnounceConfig:
        if not self.command and self.url is None:
            raise ValueError("give `command` or `url`, or leave the section out: then the Alertmanager is told")
        return self


class RunbooksConfig(Section):
    """Runbooks of your own, and who is told of the dangerous ones."""

    folders: list[ConfigPath] = []
    """Folders with books (NAME.yaml) beside the library's; `runbooks/` in the user's config folder is always one."""
    announce: AnnounceConfig | None = None
    """Who is told when a run of risk 3 begins; unset: the Alertmanager is, by an alert FarmtuiBreakGlass (severity
    critical) or FarmtuiDangerousRun (severity warning) of one hour."""


class RolesConfig(Section):
    """Who may do what: Unix users, and groups as @GROUP; `*` is everybody. Who is nowhere may look."""

    operators: list[str] = ["*"]
    """They may plan, start, answer and cancel runs."""
    approvers: list[str] = ["*"]
    """They may approve what others have asked for."""


class UiConfig(Section):
    """How the console looks and which keys it takes."""

    theme: str = ""
    """farm-dark, farm-light, farm-safe (colour-blind eyes), farm-16 (16 colours), farm-wall, or a theme of your own;
    unset: farm-dark, and farm-16 where the terminal has few colours or NO_COLOR is set."""
    screen: str = "overview"
    """The screen to start on."""
    restore: bool = True
    """Begin where one was when the console was left, or its connection lost, within 12 hours: place, filters, orders.
    `--fresh` begins anew once."""
    ascii: bool | None = None
    """Draw with ASCII only; unset: decided by the locale and TERM."""
    mouse: bool = True
    """Take mouse events. Off leaves the mouse to the terminal (selecting text)."""
    keys: dict[str, str] = {}
    """Bindings by id: `sort.name: ctrl+n`; an empty text unbinds. `farmtui config keys` lists the ids."""
