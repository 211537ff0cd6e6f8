"""Secrets: references in the config (`env:`, `file:`, `cmd:`), and the redaction that keeps values out of outputs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
from pathlib import Path

REDACTED = "•••"
_MIN_REDACTED_LENGTH = 4
_COMMAND_DEADLINE_S = 15.0


class SecretError(Exception):
    """A secret reference that cannot be resolved; the text names the reference and the remedy, never a value."""


class Secret:
    """A reference to a secret, resolved on first use. Its text forms never show the value."""

    __slots__ = ("_lock", "_reference", "_value")

    def __init__(self, reference: str) -> None:
        """`reference` is `env:NAME`, `file:PATH` or `cmd:COMMAND LINE` (no shell)."""
        kind, _, rest = reference.partition(":")
        if kind not in ("env", "file", "cmd") or not rest.strip():
            # The text is NOT repeated: it may be a secret that somebody has pasted into the config.
            raise SecretError("a secret is given by reference: env:NAME, file:PATH or cmd:COMMAND, never by value")
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
                raise SecretError(f"the environment variable {rest} is not set (wanted by {self._reference})")
        elif kind == "file":
            path = Path(rest).expanduser()
            try:
                value = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
                raise SecretError(f"cannot read the secret file {path}: {reason}") from None
            if not value:
                raise SecretError(f"the secret file {path} is empty")
        else:
            value = self._run(rest)
        if "\n" in value or "\r" in value:
            raise SecretError(f"{self._reference} gives more than one line; a secret is one line")
        return value

    @staticmethod
    def _run(command: str) -> str:
        words = shlex.split(command)
        try:
            # The words come from the user's own config file, and no shell sees them.
            done = subprocess.run(  # noqa: S603
                words,
                capture_output=True,
                text=True,
                timeout=_COMMAND_DEADLINE_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
            raise SecretError(f"the secret command {words[0]} failed: {type(error).__name__}") from None
        if done.returncode != 0:
            raise SecretError(f"the secret command {words[0]} ended with {done.returncode}; run it by hand to see why")
        value = done.stdout.strip()
        if not value:
            raise SecretError(f"the secret command {words[0]} printed nothing")
        return value

    def __repr__(self) -> str:
        return f"Secret({self._reference.partition(':')[0]}:{REDACTED})"

    def __str__(self) -> str:
        return REDACTED


class _KnownSecrets:
    """Values that have been revealed in this process, for `redact()`."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        # Very short values would redact half of every text; nothing that short protects anything either.
        if len(value) >= _MIN_REDACTED_LENGTH:
            self._values.add(value)
            ordered = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(item) for item in ordered))

    def redact(self, text: str) -> str:
        return self._pattern.sub(REDACTED, text) if self._pattern else text


_known = _KnownSecrets()

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")
_AUTH_HEADER = re.compile(r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+")


def register(value: str) -> None:
    """Make `redact` hide a value that did not come through a Secret (a value derived from one)."""
    _known.add(value)


def redact(text: str) -> str:
    """`text` without any secret this process knows, credentials in URLs and authorization headers."""
    text = _known.redact(text)
    text = _CREDENTIALS_IN_URL.sub(f"{REDACTED}@", text)
    return _AUTH_HEADER.sub(rf"\g<1>{REDACTED}", text)
