"""Requests over HTTP: sent once, their secrets resolved as they are sent; what cannot have been heard has failed."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from farmtui.runbooks.addresses import address_problem
from farmtui.runbooks.planned import HttpCall
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said, Tell, Told
from farmtui.secrets import Secret, SecretError, is_reference, redact
from farmtui.sources.failures import failure_of, never_heard
from farmtui.sources.http import Login, tls_context

if TYPE_CHECKING:
    import aiohttp

CONNECT_S: Final = 10.0
"""How long a connection may take to come about; until then nothing was sent."""
READ_BYTES: Final = 65_536
"""How much is read of an answer."""
SHOWN: Final = 4_000
"""Characters of an answer that are written down."""
_SENT: Final = "sent"
_ANSWERED: Final = "answered: HTTP "


@dataclass(frozen=True, slots=True)
class _Request:
    """A request with its secrets. Its repr shows none."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    tls: ssl.SSLContext | bool

    def __repr__(self) -> str:
        return f"_Request({self.method} •••)"


class HttpRequests:
    """Steps of kind http."""

    def __init__(self, *, connect_s: float = CONNECT_S) -> None:
        self._connect_s = connect_s

    async def perform(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.perform`."""
        call = _call(effect)
        try:
            request = await asyncio.to_thread(_prepared, call)
        except SecretError as error:
            return Done(Outcome.FAILED, why=f"{error}; mend the reference in the book; nothing was begun")
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words, and never a traceback with a secret
            return Done(Outcome.FAILED, why=f"{_words(error, call)}; nothing was begun")
        import aiohttp

        await tell(Said("note", _SENT))
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_s),
            trust_env=False,
        ) as session:
            try:
                answer = await session.request(
                    request.method, request.url, headers=request.headers, data=request.body, ssl=request.tls,
                    allow_redirects=False,
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001 - whatever it is becomes words
                if never_heard(error):
                    return Done(Outcome.FAILED, why=f"{_words(error, call)}; nothing was begun")
                return Lost(f"{_words(error, call)}; whether it was heard is not known")
            try:
                await tell(Said("note", f"{_ANSWERED}{answer.status}"))
                if text := await _beginning(answer):
                    await tell(Said("out", text, len(text.encode())))
            finally:
                answer.close()
        return _judged(call, answer.status)

    async def recover(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.recover`."""
        if not effect.notes:
            return Done(Outcome.ABSENT, why="it was not sent yet")
        return _known(effect) or Lost("the runner ended as it was sent; whether it was heard is not known")

    async def stop(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.stop`. What was sent cannot be taken back."""
        if not effect.notes:
            return Done(Outcome.CANCELLED, why="it was not sent yet")
        return _known(effect) or Lost("it was sent, and not answered; whether it was heard is not known")


def _call(effect: Effect) -> HttpCall:
    assert isinstance(effect.call, HttpCall)
    return effect.call


def _prepared(call: HttpCall) -> _Request:
    """The request with its secrets. Blocks. Raises SecretError and SourceError."""
    url = _revealed(call.url)
    if problem := address_problem(url, insecure=call.insecure):
        # Not the address itself: it may be the secret.
        raise SecretError(f"the address that is referred to {problem}")
    # What comes packed could be a thousand times as long as what was read.
    headers = {**Login(call.auth, call.headers).headers(), "Accept-Encoding": "identity"}
    known = {name.lower() for name in call.headers}
    body: bytes | None = None
    kind = ""
    if call.document is not None:
        body, kind = json.dumps(_revealed(call.document)).encode(), "application/json"
    elif isinstance(call.data, dict):
        body, kind = urlencode(_fields(call.data)).encode(), "application/x-www-form-urlencoded"
    elif call.data is not None:
        body, kind = _revealed(call.data).encode(), "text/plain; charset=utf-8"
    if kind and "content-type" not in known:
        headers["Content-Type"] = kind
    tls = tls_context(Path(call.ca_file).expanduser() if call.ca_file else None) if url.startswith("https:") else True
    return _Request(call.method, url, headers, body, tls)


def _fields(data: Mapping[str, Any]) -> dict[str, str]:
    revealed = {key: _revealed(value) for key, value in data.items()}
    return {key: json.dumps(value) if isinstance(value, bool) else str(value) for key, value in revealed.items()}


def _revealed(value: Any) -> Any:
    """A document with its references resolved."""
    if isinstance(value, dict):
        return {key: _revealed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(inner) for inner in value]
    return Secret(value).reveal() if isinstance(value, str) and is_reference(value) else value


async def _beginning(answer: aiohttp.ClientResponse) -> str:
    """The beginning of an answer's body, fit to be written down."""
    read = bytearray()
    marker = ""
    try:
        async for chunk in answer.content.iter_any():
            read += chunk
            if len(read) > READ_BYTES:
                break
    except Exception as error:  # noqa: BLE001 - how it was answered is known: the rest of its words is not needed
        marker = f"[the rest was lost: {type(error).__name__}]\n"
    # Redacted before it is cut: half a secret would not be recognised.
    text = redact(bytes(read[:READ_BYTES]).decode("utf-8", "replace"))
    if len(text) > SHOWN or len(read) > READ_BYTES:
        text, marker = text[:SHOWN], "[the rest is not kept]\n"
    if text and not text.endswith("\n"):
        text += "\n"
    return text + marker


def _known(effect: Effect) -> Done | None:
    """How a request was answered, from what was noted; None where it was not."""
    found = [note.removeprefix(_ANSWERED) for note in effect.notes if note.startswith(_ANSWERED)]
    return _judged(_call(effect), int(found[-1])) if found else None


def _judged(call: HttpCall, status: int) -> Done:
    good = status in call.status if call.status else 200 <= status < 300
    wanted = ", ".join(map(str, call.status)) or "200 to 299"
    if good:
        return Done(Outcome.OK, why=f"HTTP {status}")
    if 300 <= status < 400:
        return Done(Outcome.FAILED, why=f"HTTP {status}: it sends elsewhere, and no redirect is followed")
    return Done(Outcome.FAILED, why=f"HTTP {status}, and not {wanted}")


def _words(error: Exception, call: HttpCall) -> str:
    failure = failure_of(error, source="http", where="" if is_reference(call.url) else call.url)
    return f"{failure.what}; {failure.remedy}"
