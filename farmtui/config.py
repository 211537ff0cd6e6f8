"""The config: pydantic models whose fields say what they mean, a loader whose errors name the place, a JSON schema."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import yaml
from platformdirs import user_config_path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from farmtui.config_places import duplicate_keys, line_of, shown_key, yaml_words
from farmtui.farm.node import Tier
from farmtui.secrets import Secret, SecretError

CONFIG_ENV = "FARMTUI_CONFIG"


class ConfigError(Exception):
    """A config that cannot be used. Each line of the text names the file, the place and the remedy."""


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # Its own text may repeat the address, and with it a password.
        usable = False
    if not usable or not value.isprintable() or " " in value:
        raise ValueError("must be an http:// or https:// address with a host, and a port of 1-65535 if any")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold credentials: use `auth` with a secret reference (env:, file:, cmd:)")
    if parts.query or parts.fragment:
        raise ValueError("must be the base address, without `?` or `#` and what follows")
    return value.rstrip("/")


def _api_host(value: str) -> str:
    try:
        parts = urlsplit(f"//{value}")
        usable = bool(parts.hostname) and parts.port != 0 and parts.netloc == value and value.isprintable()
    except ValueError:
        usable = False
    if not usable or " " in value:
        raise ValueError("must be `host` or `host:port`, without https:// and without a path")
    if "@" in value:
        raise ValueError("must not hold credentials: the login is token_id and token_secret")
    return value


def _config_path(value: Path, info: ValidationInfo) -> Path:
    """Paths in the file are relative to the file, not to where the console was started."""
    base = (info.context or {}).get("base")
    try:
        path = value.expanduser()
    except RuntimeError:
        raise ValueError("begins with a ~ whose home folder is not known; write the whole path") from None
    if "\0" in str(path):
        raise ValueError("holds a NUL character, which no path can")
    return base / path if isinstance(base, Path) and not path.is_absolute() else path


def _secret_reference(value: str, info: ValidationInfo) -> str:
    try:
        Secret(value)
    except SecretError as error:
        raise ValueError(str(error)) from None
    kind, _, rest = value.partition(":")
    return f"file:{_config_path(Path(rest.strip()), info)}" if kind == "file" else value


Url = Annotated[str, AfterValidator(_http_url)]
SecretRef = Annotated[str, AfterValidator(_secret_reference)]
ApiHost = Annotated[str, AfterValidator(_api_host)]
ConfigPath = Annotated[Path, AfterValidator(_config_path)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the config; a key that it does not know is an error, since it is most often a typing error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, data: Any) -> Any:
        """A section whose lines are all commented out reads as null: it means the defaults."""
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data


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
    """A personal access token with read scope, by reference."""
    endpoint: Url = "https://api.digitalocean.com"
    """The API's base address."""
    tag: str | None = None
    """Only droplets with this tag belong to the farm; unset: all of the account."""
    ca_file: ConfigPath | None = None
    """CA certificates to trust instead of the system's."""
    interval_s: Seconds = 60.0
    """Seconds between two polls (the API allows 5,000 requests an hour)."""
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
    """Shown in the header."""
    sites: Annotated[int, Field(ge=0)] | None = None
    """How many sites there should be."""
    read_only: bool = False
    """No action on the farm is possible; it cannot be lifted from inside."""


class UiConfig(Section):
    """How the console looks and which keys it takes."""

    theme: str = ""
    """farm-dark, farm-light, farm-safe (colour-blind eyes), farm-16 (16 colours), farm-wall, or a theme of your own;
    unset: farm-dark, and farm-16 where the terminal has few colours or NO_COLOR is set."""
    screen: str = "overview"
    """The screen to start on."""
    ascii: bool | None = None
    """Draw with ASCII only; unset: decided by the locale and TERM."""
    mouse: bool = True
    """Take mouse events. Off leaves the mouse to the terminal (selecting text)."""
    keys: dict[str, str] = {}
    """Bindings by id: `sort.name: ctrl+n`; an empty text unbinds. `farmtui config keys` lists the ids."""


class Config(Section):
    """The whole file."""

    farm: FarmConfig = FarmConfig()
    """The farm's name and size."""
    tiers: dict[Tier, TierConfig] = {}
    """Expected machines per tier and the names that belong to it."""
    prometheus: PrometheusConfig | None = None
    """The metrics."""
    alertmanager: AlertmanagerConfig | None = None
    """The alerts."""
    proxmox: list[ProxmoxConfig] = []
    """Proxmox VE clusters."""
    digitalocean: DigitalOceanConfig | None = None
    """The DigitalOcean account."""
    nodes: list[NodeConfig] = []
    """Machines whose identity must be said explicitly."""
    ui: UiConfig = UiConfig()
    """Looks and keys."""

    @field_validator("tiers", mode="before")
    @classmethod
    def _tiers_may_be_bare(cls, tiers: Any) -> Any:
        if isinstance(tiers, dict):
            return {tier: {} if section is None else section for tier, section in tiers.items()}
        return tiers

    @model_validator(mode="after")
    def _names_are_unique(self) -> Config:
        for what, names in (
            ("proxmox", [cluster.name for cluster in self.proxmox]),
            ("nodes", [node.name for node in self.nodes]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: the name {twice[0]!r} is given twice")
        return self

    def tier_by_name(self, name: str) -> Tier | None:
        """The tier whose patterns match a machine's name; the first in the order of the request path."""
        for tier in Tier:
            section = self.tiers.get(tier)
            if section and any(fnmatchcase(name, pattern) for pattern in section.match):
                return tier
        return None


def config_paths(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """Where a config is looked for, first hit wins: --config, $FARMTUI_CONFIG, ./farmtui.yaml, the user's folder."""
    if explicit is not None:
        yield explicit
        return
    if environ.get(CONFIG_ENV):
        yield Path(environ[CONFIG_ENV]).expanduser()
        return
    yield Path("farmtui.yaml")
    yield user_config_path("farmtui") / "config.yaml"


def find_config(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The config file to use. Raises ConfigError with where it was looked for."""
    tried = list(config_paths(explicit, environ))
    for path in tried:
        if path.is_file():
            return path
    places = ", ".join(str(path) for path in tried)
    raise ConfigError(
        f"no config found (looked at {places}).\n"
        "Copy config.example.yaml to one of these places, or look around with: farmtui demo"
    )


def load_config(path: Path) -> Config:
    """Read and validate one file. Raises ConfigError whose lines read `FILE:LINE: KEY: what; remedy`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    return parse_config(text, path)


def parse_config(text: str, path: Path) -> Config:
    """Validate a config's text; `path` is named in errors, and relative paths in the file are relative to it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML: {yaml_words(error.problem)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path}:{line}: not YAML: a control character (U+{ord(text[error.position]):04X})") from None
    except RecursionError:
        raise ConfigError(f"{path}: not YAML that farmtui can read: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError):
        # What PyYAML's constructors raise for an explicit tag on a text that does not fit it (`!!int ""`).
        raise ConfigError(f"{path}: not YAML: a value does not fit its tag, or is no date or number") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: the file must be a mapping of sections, like config.example.yaml")
    duplicates = list(duplicate_keys(root))
    if duplicates:
        raise ConfigError("\n".join(f"{path}:{line}: {key}: given twice; remove one" for key, line in duplicates))
    try:
        return Config.model_validate(data, context={"base": path.resolve().parent})
    except ValidationError as error:
        # The input is left out: it may be a secret that somebody has pasted.
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = sorted(_problem(root, problem) for problem in problems)
        raise ConfigError("\n".join(f"{path}:{line}: {words}" for line, words in told)) from None
    except RecursionError:
        raise ConfigError(f"{path}: it refers to itself (`&` and `*`); write it out") from None


def schema() -> dict[str, Any]:
    """The JSON schema of the config file, for editors (`farmtui config schema`)."""
    found = Config.model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "farmtui config"
    return found


def _problem(root: yaml.Node | None, problem: Any) -> tuple[int, str]:
    keys = [part for part in problem["loc"] if part != "[key]" and not str(part).startswith("function-")]
    dotted = ".".join(shown_key(part) for part in keys) or "(file)"
    kind, said = str(problem["type"]), str(problem["msg"]).removeprefix("Value error, ")
    message = f"is not a key farmtui knows{_suggestion(keys)}" if kind == "extra_forbidden" else _WORDS.get(kind, said)
    return line_of(root, keys), f"{dotted}: {message}"


_WORDS = {
    "missing": "is missing",
    "invalid_key": "is not a text: put the key in quotes",
    "model_type": "must be a section: lines of `key: value` below it",
    "dict_type": "must be a section: lines of `key: value` below it",
    "list_type": "must be a list: [one, two], or lines that begin with `- `",
    "string_type": "must be a text: put it in quotes",
    "path_type": "must be a path: put it in quotes",
}
"""Pydantic's own words for these speak of Python's types."""


def _suggestion(keys: list[str | int]) -> str:
    import difflib

    section: Any = Config
    for part in keys[:-1]:
        if isinstance(part, int) or part in (tier.value for tier in Tier):
            continue
        section = section_in(section.model_fields[part].annotation)
    known = section.model_fields
    close = difflib.get_close_matches(str(keys[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"


def section_in(annotation: Any) -> Any:
    """The Section class inside an annotation such as `list[X]`, `X | None` or `dict[Tier, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (section_in(inner) for inner in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)


_SECRET_PREFIX = re.compile(r"^(env|file|cmd):")


def header_value(value: str) -> str:
    """A configured header's value, with a secret reference resolved. Raises SecretError; may block."""
    return Secret(value).reveal() if _SECRET_PREFIX.match(value) else value
