"""Secrets: references in the config (`env:`, `file:`, `cmd:`), and the redaction that keeps values out of outputs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

REDACTED = "•••"
_MIN_REDACTED_LENGTH = 4
_COMMAND_DEADLINE_S = 15.0
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


_REFERENCE = re.compile(r"(env|file|cmd):")


class SecretError(Exception):
    """A secret reference that cannot be resolved; the text names the reference and the remedy, never a value."""


def is_reference(text: str) -> bool:
    """Whether a text that may be either is a reference to a secret, and no plain value."""
    return _REFERENCE.match(text) is not None


class Secret:
    """A reference to a secret, resolved on first use. Its text forms never show the value."""

    __slots__ = ("_lock", "_reference", "_value")

    def __init__(self, reference: str) -> None:
        """`reference` is `env:NAME`, `file:PATH` or `cmd:COMMAND LINE` (no shell)."""
        kind, _, rest = reference.partition(":")
        # The text is NOT repeated in any of these: it may be a secret that somebody has pasted into the config.
        if kind not in ("env", "file", "cmd") or not rest.strip() or "\0" in rest:
            raise SecretError("a secret is given by reference: env:NAME, file:PATH or cmd:COMMAND, never by value")
        if kind == "env" and not _VARIABLE.fullmatch(rest.strip()):
            raise SecretError("what follows env: must be the name of an environment variable, never its value")
        if kind == "cmd":
            _words(rest)
        self._reference = reference
        self._value: str | None = None
        self._lock = threading.Lock()

    def reveal(self) -> str:
        """The value. Raises SecretError. May block for a `cmd:` reference: call it from a worker thread."""
        with self._lock:
            if self._value is None:
                self._value = self._resolve()
                _known.add(self._value)
            return self._value

    @property
    def at_hand(self) -> bool:
        """Whether it is had without running anything: from the environment, or from a file."""
        return not self._reference.startswith("cmd:")

    def forget(self) -> None:
        """Resolve again at the next use: after an authentication failure, a rotated secret is picked up."""
        with self._lock:
            self._value = None

    def _resolve(self) -> str:
        kind, _, rest = self._reference.partition(":")
        rest = rest.strip()
        if kind == "env":
            value = os.environ.get(rest, "")
            if not value:
                raise SecretError(f"the environment variable {rest} is not set; export it before farmtui starts")
        elif kind == "file":
            value = _contents(rest)
        else:
            value = _run(_words(rest))
        if "\n" in value or "\r" in value:
            raise SecretError(f"the secret by {kind}: has more than one line; it must be one line")
        return value

    def __repr__(self) -> str:
        return f"Secret({self._reference.partition(':')[0]}:{REDACTED})"

    def __str__(self) -> str:
        return REDACTED


def _contents(name: str) -> str:
    try:
        path = Path(name).expanduser()
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        reason = "its home folder is not known" if isinstance(error, RuntimeError) else reason
        raise SecretError(f"cannot read the secret file {name}: {reason}") from None
    if not value:
        raise SecretError(f"the secret file {path} is empty")
    return value


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words or not words[0]:
        raise SecretError("what follows cmd: must be a command line (no shell; quotes in pairs)")
    return words


def _run(words: list[str]) -> str:
    """What the command prints. Its own session: it can neither read our terminal nor write on it (a prompt)."""
    # The words come from the user's own config file, and no shell sees them.
    try:
        child = subprocess.Popen(  # noqa: S603
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise SecretError(f"the secret command {words[0]} cannot be started: {error.strerror}") from None
    with child:
        try:
            output, _ = child.communicate(timeout=_COMMAND_DEADLINE_S)
        except BaseException as error:
            # Its children too: one that keeps the pipe open would keep us waiting.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            patience = f"{_COMMAND_DEADLINE_S:g} s"
            raise SecretError(
                f"the secret command {words[0]} did not end within {patience}; it must not ask for anything"
            ) from None
    if child.returncode != 0:
        raise SecretError(f"the secret command {words[0]} ended with {child.returncode}; run it by hand to see why")
    try:
        value = output.decode().strip()
    except UnicodeDecodeError:
        raise SecretError(f"the secret command {words[0]} printed what is not UTF-8") from None
    if not value:
        raise SecretError(f"the secret command {words[0]} printed nothing")
    return value


class _KnownSecrets:
    """Values that have been revealed in this process, for `redact()`."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        # Very short values would redact half of every text; nothing that short protects anything either.
        if len(value) < _MIN_REDACTED_LENGTH:
            return
        with self._lock:
            if value not in self._values:
                # Clients put secrets into addresses and into JSON, each with its own escapes.
                self._values |= {value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}
                self._values |= {json.dumps(value)[1:-1], repr(value)[1:-1]}
                ordered = sorted(self._values, key=len, reverse=True)
                self._pattern = re.compile("|".join(re.escape(item) for item in ordered))

    def redact(self, text: str) -> str:
        return self._pattern.sub(REDACTED, text) if self._pattern else text


_known = _KnownSecrets()

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Up to the LAST @ of the host part: a password may hold one.
    (re.compile(r"(?<=://)[^/?#\s]*@"), f"{REDACTED}@"),
    (re.compile(r"(?i)\b(authorization['\"]?\s*[:=]\s*b?['\"]?)[^\r\n'\"]+"), rf"\g<1>{REDACTED}"),
    (re.compile(r"(?i)\b(bearer\s+|PVEAPIToken[=\s]\s*)[^\s'\",;]{16,}"), rf"\g<1>{REDACTED}"),
    (re.compile(r"(?i)\b((?:access_|api_?|auth_)?(?:token|key|secret|password)=)[^&\s'\"]{4,}"), rf"\g<1>{REDACTED}"),
    (re.compile(r"\bdo[opr]_v1_[0-9a-f]{16,}"), REDACTED),
)
"""What credentials look like where nobody has revealed them: in a server's words, in a client's error."""


def register(value: str) -> None:
    """Make `redact` hide a value that did not come through a Secret (a value derived from one)."""
    _known.add(value)


def redact(text: str) -> str:
    """`text` without any secret this process knows, credentials in URLs, login headers and tokens of known forms."""
    text = _known.redact(text)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text
