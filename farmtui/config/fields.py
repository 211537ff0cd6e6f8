"""What the config's sections are made of: the base of all, and types whose errors say what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from farmtui.secrets import Secret, SecretError, is_reference


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


def _webhook(value: str, info: ValidationInfo) -> str:
    if is_reference(value):
        return _secret_reference(value, info)
    if not _http_url(value).startswith("https:"):
        raise ValueError("must be https://: what is sent there would be readable on its way")
    return value


Url = Annotated[str, AfterValidator(_http_url)]
SecretRef = Annotated[str, AfterValidator(_secret_reference)]
Webhook = Annotated[str, AfterValidator(_webhook)]
ApiHost = Annotated[str, AfterValidator(_api_host)]
ConfigPath = Annotated[Path, AfterValidator(_config_path)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the config; a key that it does not know is an error, since it is most often a typing error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, data: Any) -> Any:
        """A section whose lines are all commented out reads as null: it means the defaults."""
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data


def section_in(annotation: Any) -> Any:
    """The Section class inside an annotation such as `list[X]`, `X | None` or `dict[Tier, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (section_in(inner) for inner in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)


def header_value(value: str) -> str:
    """A configured header's value, with a secret reference resolved. Raises SecretError; may block."""
    return Secret(value).reveal() if is_reference(value) else value
