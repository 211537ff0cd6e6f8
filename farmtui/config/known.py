"""A config's secrets made known to this process, so that whatever it writes is redacted of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from farmtui.config.whole import Config
from farmtui.secrets import Secret, SecretError, is_reference


def know_secrets(config: Config) -> None:
    """Resolve what is at hand: secrets from the environment and from files. Reads files: not for the event loop.

    One that is given by a command is known to a process that has used it; none is run for this.
    """
    for reference in _references(config):
        with contextlib.suppress(SecretError):
            secret = Secret(reference)
            if secret.at_hand:
                secret.reveal()


def _references(value: Any) -> Iterator[str]:
    match value:
        case str() if is_reference(value):
            yield value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _references(getattr(value, name))
        case Mapping():
            for inner in value.values():
                yield from _references(inner)
        case list() | tuple():
            for inner in value:
                yield from _references(inner)
