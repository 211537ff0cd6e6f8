"""One HTTP exchange for the clients that speak through `requests` (proxmoxer, pydo), as all other sources speak it.

A session knows no limit of size, and a limit of time for each byte only; it follows redirects, and takes proxies,
logins and CA bundles from the environment. What is mounted into it here settles all of that below the client. Imported
in the sources' worker threads alone: `requests` takes its time.
"""

from __future__ import annotations

import io
import json
import ssl
from collections.abc import Callable
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from farmtui.sources.http import ANSWER_LIMIT
from farmtui.sources.wire import Answer, Headers, Wire, unheard

_OF_THE_WIRE: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class Exchange(BaseAdapter):
    """What a session sends its requests through. Threads may share it."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        *,
        deadline_s: float,
        limit_bytes: int = ANSWER_LIMIT,
        heard: Callable[[Headers], None] = unheard,
    ) -> None:
        """As `Wire` takes them."""
        super().__init__()
        self._wire = Wire(tls, deadline_s=deadline_s, limit_bytes=limit_bytes, heard=heard)

    def settle(self, session: requests.Session) -> requests.Session:
        """Let a session use nothing but this."""
        session.trust_env = False
        session.mount("https://", self)
        session.mount("http://", self)
        return session

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """Ask; the answer's body has been read. What the client says of time and TLS does not count.

        Raises what `Wire.ask` raises.
        """
        headers = {name: _text(value) for name, value in request.headers.items()}
        answer = self._wire.ask(request.method or "GET", request.url or "", headers, request.body)
        return _response(request, answer)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._wire.close()


class _Body(io.BytesIO):
    """A body that has been read. The clients set attributes on it."""


def _refusal(body: bytes) -> bytes:
    """An error's body, where that is a JSON object; else an empty one.

    Anything else trips proxmoxer, and tells nothing that its status does not.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    return body if isinstance(told, dict) else b"{}"


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason
    # The body is unpacked: what the headers say of its length and packing holds no longer.
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OF_THE_WIRE]
    response.headers = CaseInsensitiveDict[str](kept)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    raw: Any = _Body(answer.body if answer.status < 400 else _refusal(answer.body))
    response.raw = raw
    return response


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
