"""The HTTP session that we give to prometheus-api-client.

The client drops the answer's type and warnings, reports every error as one exception with the whole body in it, trusts
its own CA bundle, retries, and has no limit of time or size. All of this is settled below it: what reaches the client
is a success in the envelope that it expects. The session speaks to urllib3 directly: `requests` spends four times as
much on preparing each of a hundred small queries as on sending it.
"""

from __future__ import annotations

import io
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
import urllib3

from farmtui.sources.errors import SourceError, bad_answer, redirect_error, safe_words, status_error
from farmtui.sources.http import ANSWER_LIMIT, ERROR_LIMIT, Login, server_words
from farmtui.sources.json_slices import loads
from farmtui.sources.wire import whole_body

_WARNINGS_LIMIT: Final = 8
_WARNING_LENGTH: Final = 240


class Answer(requests.Response):
    """A success, already decoded."""

    def __init__(self, status: int, value: Any) -> None:
        super().__init__()
        self.status_code = status
        self.raw = io.BytesIO()
        self._value = value

    def json(self, **_: Any) -> Any:
        """The decoded envelope."""
        return self._value


class PrometheusSession(requests.Session):
    """A session for one Prometheus. Threads share it."""

    def __init__(
        self,
        login: Login,
        *,
        tls: ssl.SSLContext | None,
        connections: int,
        timeout_s: float,
        limit_bytes: int = ANSWER_LIMIT,
    ) -> None:
        """`timeout_s` is for one whole exchange, however slowly its bytes drip in."""
        super().__init__()
        self._login = login
        self._timeout_s = timeout_s
        self._limit = limit_bytes
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=connections, ssl_context=tls, cert_reqs="CERT_REQUIRED")
        self._said = threading.local()
        self._lock = threading.Lock()
        self.sent = 0
        """Requests since the start."""

    def said(self) -> tuple[str, ...]:
        """The warnings beside the last answer that this thread was given (Thanos: a store did not answer)."""
        found: tuple[str, ...] = getattr(self._said, "warnings", ())
        return found

    @contextmanager
    def reading(self, each: Callable[[Any], Any]) -> Iterator[None]:
        """Within it, this thread's answers hold what `each` makes of the elements of `result` (see `json_slices`)."""
        self._said.each = each
        try:
            yield
        finally:
            self._said.each = None

    def request(self, method: str | bytes, url: str | bytes, *_: Any, **wanted: Any) -> requests.Response:
        """Ask. Raises SourceError, SecretError, TimeoutError and urllib3's errors; see `failure_of`."""
        self._said.warnings = ()
        ends_at = time.monotonic() + self._timeout_s
        headers = {**self._login.headers(), "Accept-Encoding": "gzip", **(wanted.get("headers") or {})}
        with self._lock:
            self.sent += 1
        response = self._pool.request(
            _text(method),
            _text(url),
            fields=wanted.get("params") or None,
            headers=headers,
            timeout=urllib3.Timeout(total=self._timeout_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            success = 200 <= response.status < 300
            body = (
                whole_body(response, self._limit, ends_at)
                if success
                else response.read1(ERROR_LIMIT, decode_content=True)
            )
        except BaseException:
            # What is left in the socket belongs to this answer: the connection cannot be used again.
            response.close()
            raise
        if not success:
            response.close()
            raise self._refusal(response, body)
        response.release_conn()
        return Answer(response.status, self._envelope(body))

    def _refusal(self, response: urllib3.BaseHTTPResponse, body: bytes) -> SourceError:
        status = response.status
        if 300 <= status < 400:
            return redirect_error(response.headers.get("Location", ""))
        if status in (401, 403):
            self._login.forget()
        return status_error(status, detail=server_words(body), retry_after=response.headers.get("Retry-After"))

    def _envelope(self, body: bytes) -> dict[str, Any]:
        """The answer as Prometheus wraps it: `status`, `data`, `warnings`."""
        if body[:64].lstrip()[:1] == b"<":
            raise bad_answer("the answer is a web page, not Prometheus's API")
        try:
            value = loads(body, "result", getattr(self._said, "each", None))
        except (ValueError, RecursionError):
            raise bad_answer("the answer is not JSON") from None
        envelope: dict[str, Any] = value if isinstance(value, dict) else {}
        if envelope.get("status") == "error":
            told = envelope.get("error")
            raise status_error(422, detail=told if isinstance(told, str) else "")
        if envelope.get("status") != "success" or "data" not in envelope:
            raise bad_answer("the answer is not Prometheus's (it has no status and data)")
        self._said.warnings = _warnings(envelope)
        return envelope

    def close(self) -> None:
        """Close all connections that are not in use."""
        super().close()
        self._pool.clear()


def _text(value: str | bytes) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value


def _warnings(value: dict[str, Any]) -> tuple[str, ...]:
    """Warnings, infos and VictoriaMetrics' word for a partial answer, cleaned."""
    told = [item for key in ("warnings", "infos") for item in _list(value.get(key)) if isinstance(item, str)]
    if value.get("isPartial") is True:
        told.append("the answer is partial: a storage node did not answer")
    return tuple(safe_words(item, _WARNING_LENGTH) for item in told[:_WARNINGS_LIMIT])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
