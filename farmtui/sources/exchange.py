"""One HTTP exchange for the clients that speak through `requests` (proxmoxer, pydo), as all other sources speak it.

A session knows no limit of size, and a limit of time for each byte only; it follows redirects, and takes proxies,
logins and CA bundles from the environment. What is mounted into it here settles all of that below the client. Imported
in the sources' worker threads alone: `requests` takes its time.
"""

from __future__ import annotations

import io
import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from farmtui.sources.errors import redirect_error, too_big
from farmtui.sources.http import ANSWER_LIMIT, ERROR_LIMIT

_CHUNK: Final = 262_144
_OF_THE_WIRE: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})

Headers = Mapping[str, str]


def _unheard(_: Headers) -> None:
    """Nobody asks for the headers."""


class Exchange(BaseAdapter):
    """What a session sends its requests through. Threads may share it."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        *,
        deadline_s: float,
        limit_bytes: int = ANSWER_LIMIT,
        heard: Callable[[Headers], None] = _unheard,
    ) -> None:
        """`deadline_s` is for a whole exchange, however slowly its body drips in; `heard` is given every answer's
        headers (names in lower case), whatever its status."""
        super().__init__()
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=4, ssl_context=tls, cert_reqs="CERT_REQUIRED")
        self._deadline_s = deadline_s
        self._limit = limit_bytes
        self._heard = heard

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

        Raises SourceError, TimeoutError and urllib3's errors: give any of them to `failure_of`.
        """
        ends_at = time.monotonic() + self._deadline_s
        answer = self._pool.request(
            request.method or "GET",
            request.url or "",
            body=request.body,
            headers={name: _text(value) for name, value in request.headers.items()},
            timeout=urllib3.Timeout(total=self._deadline_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            self._heard({name.lower(): value for name, value in answer.headers.items()})
            if 300 <= answer.status < 400:
                raise redirect_error(answer.headers.get("Location", ""))
            body = self._body(answer, ends_at) if answer.status < 400 else self._refusal(answer, ends_at)
        except BaseException:
            # What is left in the socket belongs to this answer: the connection cannot be used again.
            answer.close()
            raise
        answer.release_conn()
        return _response(request, answer, body)

    def _body(self, answer: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
        """The body, unpacked, one socket read at a time: `read` waits for a whole chunk, however it drips in."""
        read = bytearray()
        while chunk := answer.read1(_CHUNK, decode_content=True):
            read += chunk
            if len(read) > self._limit:
                raise too_big(self._limit)
            if time.monotonic() > ends_at:
                raise TimeoutError
        return bytes(read)

    def _refusal(self, answer: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
        """The beginning of an error's body, where that is a JSON object; else an empty one.

        Anything else trips proxmoxer, and tells nothing that its status does not.
        """
        read = bytearray()
        try:
            while chunk := answer.read1(ERROR_LIMIT, decode_content=True):
                read += chunk
                if len(read) > ERROR_LIMIT or time.monotonic() > ends_at:
                    break
        except (urllib3.exceptions.HTTPError, OSError):
            # The status is known; that its words were cut off changes nothing.
            read.clear()
        answer.close()
        try:
            told = json.loads(read)
        except (ValueError, RecursionError):
            told = None
        return bytes(read) if isinstance(told, dict) else b"{}"

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._pool.clear()


class _Body(io.BytesIO):
    """A body that has been read. The clients set attributes on it."""


def _response(request: requests.PreparedRequest, answer: urllib3.BaseHTTPResponse, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason or ""
    # The body is unpacked: what the headers say of its length and packing holds no longer.
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OF_THE_WIRE]
    response.headers = CaseInsensitiveDict[str](kept)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    raw: Any = _Body(body)
    response.raw = raw
    return response


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
