"""One HTTP exchange for the clients that block (proxmoxer, pydo, botocore), as all other sources speak it.

Below those clients: bounded in time and size, TLS verified, no redirect followed, and no proxy, login or CA bundle
taken from the environment. Imported in the sources' worker threads alone.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import urllib3

from farmtui.sources.errors import redirect_error, too_big
from farmtui.sources.http import ANSWER_LIMIT, ERROR_LIMIT

_CHUNK: Final = 262_144

Headers = Mapping[str, str]


def unheard(_: Headers) -> None:
    """Nobody asks for the headers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered: its body unpacked; of an error the beginning, at most `ERROR_LIMIT` bytes."""

    status: int
    reason: str
    headers: Headers
    body: bytes


class Wire:
    """Connections to one upstream. Threads may share it."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        *,
        deadline_s: float,
        limit_bytes: int = ANSWER_LIMIT,
        heard: Callable[[Headers], None] = unheard,
    ) -> None:
        """`deadline_s` is for a whole exchange, however slowly its body drips in; `heard` is given every answer's
        headers (names in lower case), whatever its status."""
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=4, ssl_context=tls, cert_reqs="CERT_REQUIRED")
        self._deadline_s = deadline_s
        self._limit = limit_bytes
        self._heard = heard

    def ask(self, method: str, url: str, headers: Headers, body: object = None) -> Answer:
        """Ask, and read the answer. Raises SourceError, TimeoutError and urllib3's errors: `failure_of` knows them."""
        ends_at = time.monotonic() + self._deadline_s
        answer = self._pool.request(
            method,
            url,
            body=body,  # type: ignore[arg-type]
            headers=headers,
            timeout=urllib3.Timeout(total=self._deadline_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            self._heard({name.lower(): value for name, value in answer.headers.items()})
            if 300 <= answer.status < 400:
                raise redirect_error(answer.headers.get("Location", ""))
            read = whole_body(answer, self._limit, ends_at) if answer.status < 400 else _refusal(answer, ends_at)
        except BaseException:
            # What is left in the socket belongs to this answer: the connection cannot be used again.
            answer.close()
            raise
        answer.release_conn()
        return Answer(answer.status, answer.reason or "", dict(answer.headers), read)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._pool.clear()


def whole_body(answer: urllib3.BaseHTTPResponse, limit_bytes: int, ends_at: float) -> bytes:
    """The body, unpacked, one socket read at a time: `read` waits for a whole chunk, however it drips in.

    `ends_at` is by `time.monotonic`. Raises SourceError where it is too large, TimeoutError, and urllib3's errors.
    """
    read = bytearray()
    while chunk := answer.read1(_CHUNK, decode_content=True):
        read += chunk
        if len(read) > limit_bytes:
            raise too_big(limit_bytes)
        if time.monotonic() > ends_at:
            raise TimeoutError
    return bytes(read)


def _refusal(answer: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
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
    return bytes(read[:ERROR_LIMIT])
