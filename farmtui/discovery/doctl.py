"""doctl's config: whether it has a token of DigitalOcean's, and how to refer to it without copying it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from farmtui.farm.text import clean_text
from farmtui.secrets import Secret, SecretError, register

LIMIT_BYTES = 1_000_000
_PLACES = (
    ".config/doctl/config.yaml",
    "Library/Application Support/doctl/config.yaml",
    "snap/doctl/current/.config/doctl/config.yaml",
)
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of DigitalOcean's that is on this machine. Its value is nowhere in it."""

    reference: str
    """`env:NAME` or `cmd:COMMAND`."""
    where: str
    """In words."""
    endpoint: str = ""
    """The API's address, where doctl is told of another one."""


@dataclass(frozen=True, slots=True)
class Doctl:
    """What doctl's config says."""

    token: Token | None = None
    problem: str = ""
    """Why there is no token, in words; both are empty where there is no such file."""


def doctl(home: Path, environ: Mapping[str, str]) -> Doctl:
    """The token of doctl's present context. Reads files and runs `sed` once: not for the event loop."""
    for path in _paths(home, environ):
        try:
            if path.stat().st_size > LIMIT_BYTES:
                return Doctl(problem=f"{path} is longer than a config of doctl's")
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            return Doctl(problem=f"{path} cannot be read: {reason}")
        return _told(text, path)
    return Doctl()


def _paths(home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("XDG_CONFIG_HOME"):
        yield Path(environ["XDG_CONFIG_HOME"]) / "doctl/config.yaml"
    yield from (home / place for place in _PLACES)


def _told(text: str, path: Path) -> Doctl:
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        # PyYAML's own words may quote the token.
        return Doctl(problem=f"{path} is not YAML")
    told = told if isinstance(told, dict) else {}
    context = told.get("context") or _DEFAULT
    contexts = told.get("auth-contexts")
    if context == _DEFAULT:
        value, command = told.get("access-token"), "s/^access-token: *//p"
    else:
        value = contexts.get(context) if isinstance(contexts, dict) else None
        command = rf"/^auth-contexts:/,/^[^ ]/s/^  *{_plain(str(context))}: *//p"
    if not isinstance(value, str) or not value.strip():
        return Doctl(problem=f"{path} has no token for its context {clean_text(str(context))}; run: doctl auth init")
    register(value.strip())
    reference = f"cmd:sed -n {shlex.quote(command)} {shlex.quote(str(path))}"
    try:
        same = Secret(reference).reveal() == value.strip()
    except SecretError:
        same = False
    if not same:
        return Doctl(problem=f"{path} is written in a way that no single command reads; give the token yourself")
    endpoint = told.get("api-url")
    return Doctl(
        Token(
            reference,
            f"{path}, context {clean_text(str(context))}",
            endpoint if isinstance(endpoint, str) else "",
        )
    )


def _plain(text: str) -> str:
    """A text as sed's basic regular expressions match it to the letter."""
    return "".join(f"\\{sign}" if sign in r"\.*[]^$/" else sign for sign in text)
