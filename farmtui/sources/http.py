"""HTTP as every source speaks it: login, verified TLS, no redirects, a size limit and a deadline on each answer.

Proxies, logins (.netrc) and CA bundles are not read from the environment: what the console talks to, and with which
login, is what the config says.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from farmtui.config import Auth, HttpSource
from farmtui.farm.reading import FailureKind
from farmtui.secrets import Secret, SecretError, is_reference, register
from farmtui.sources.errors import SourceError, bad_answer, redirect_error, status_error, too_big
from farmtui.sources.json_slices import SMALL, loads

if TYPE_CHECKING:
    import aiohttp

ANSWER_LIMIT: Final = 64_000_000
"""Bytes (unpacked) that are read of one answer."""

ERROR_LIMIT: Final = 65_536
"""Bytes that are read of an answer that is an error."""

_SECRET_HEADER: Final = re.compile(r"(?i)auth|key|token|secret|cookie|password")


class Login:
    """The headers that a source is asked with, its secrets resolved at the first use. Its repr shows no value."""

    def __init__(self, auth: Auth | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Raises SecretError where a reference is not one."""
        auth = auth or Auth()
        self._bearer = Secret(auth.bearer) if auth.bearer else None
        self._username = auth.username or ""
        self._password = Secret(auth.password) if auth.password else None
        self._further: dict[str, str | Secret] = {}
        for name, value in (headers or {}).items():
            if is_reference(value):
                self._further[name] = Secret(value)
                continue
            self._further[name] = value
            if _SECRET_HEADER.search(name):
                register(value)

    def headers(self) -> dict[str, str]:
        """All headers. May block (a `cmd:` reference): call it from a worker thread. Raises SecretError."""
        found = {"User-Agent": "farmtui", "Accept": "application/json"}
        if self._bearer is not None:
            found["Authorization"] = f"Bearer {self._bearer.reveal()}"
        elif self._password is not None:
            pair = f"{self._username}:{self._password.reveal()}".encode()
            encoded = base64.b64encode(pair).decode("ascii")
            register(encoded)
            found["Authorization"] = f"Basic {encoded}"
        for name, value in self._further.items():
            found[name] = value.reveal() if isinstance(value, Secret) else value
        for name, value in found.items():
            if not value.isascii() or not value.isprintable():
                # The client would print the value in its own error.
                raise SecretError(f"the header {name} would hold characters that no HTTP header can carry")
        return found

    def forget(self) -> None:
        """Resolve the secrets again at the next use: the server has refused them, they may have been rotated."""
        for secret in (self._bearer, self._password, *self._further.values()):
            if isinstance(secret, Secret):
                secret.forget()

    def __repr__(self) -> str:
        return "Login(•••)"


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies: against `ca_file` alone where given, else against the system's CAs. Reads files.

    Raises SourceError (CONFIG) where the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise SourceError(
            FailureKind.CONFIG, f"cannot use ca_file {ca_file}: {reason}", "give a file with CA certificates in PEM"
        ) from None


def server_words(body: bytes) -> str:
    """What an error answer says in JSON (Prometheus, Alertmanager, DigitalOcean); empty where it is anything else."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if isinstance(told, dict):
        told = next((told[key] for key in ("error", "message", "detail") if isinstance(told.get(key), str)), "")
    return told if isinstance(told, str) else ""


class HttpClient:
    """JSON over aiohttp for one source. Bound to the event loop of its first call."""

    def __init__(self, config: HttpSource, *, connections: int = 8, limit_bytes: int = ANSWER_LIMIT) -> None:
        """`connections` at once to one host. Raises SecretError where the config's reference is not one."""
        self._config = config
        self._connections = connections
        self._limit = limit_bytes
        self._login = Login(config.auth, config.headers)
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None
        self._closed = False
        self.sent = 0
        """Requests since the start."""

    async def json(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
        body: object = None,
        list_key: str = "",
        each: Callable[[Any], Any] | None = None,
        deadline_s: float | None = None,
    ) -> Any:
        """The JSON value at `url`; None for an empty success.

        `body` is sent as JSON where it is not None; `list_key` is the answer's long array and `each` what is made of
        its elements (see `json_slices.loads`; `each` may run in another thread, and what it raises comes out here);
        `deadline_s` covers all of it, the config's by default. Raises SourceError, SecretError, TimeoutError, and
        what aiohttp raises: give any of them to `failure_of`.
        """
        async with asyncio.timeout(deadline_s or self._config.deadline_s):
            answer = await self._ask(method, url, params, body)
            if not answer.strip():
                return None
            try:
                if len(answer) <= SMALL:
                    return loads(answer, list_key, each)
                return await asyncio.to_thread(loads, answer, list_key, each)
            except (ValueError, RecursionError):
                raise bad_answer("the answer is not JSON") from None

    async def _ask(self, method: str, url: str, params: Mapping[str, str] | None, body: object) -> bytes:
        headers = await asyncio.to_thread(self._login.headers)
        if url.startswith("https:") and self._tls is None:
            self._tls = await asyncio.to_thread(tls_context, self._config.ca_file)
        session = self._open()
        self.sent += 1
        async with session.request(
            method,
            url,
            params=params,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers if body is None else {**headers, "Content-Type": "application/json"},
            ssl=self._tls or True,
            allow_redirects=False,
        ) as response:
            status = response.status
            if 200 <= status < 300:
                return await self._body(response)
            if 300 <= status < 400:
                raise redirect_error(response.headers.get("Location", ""))
            if status in (401, 403):
                self._login.forget()
            said = server_words(await response.content.read(ERROR_LIMIT))
            raise status_error(status, detail=said, retry_after=response.headers.get("Retry-After"))

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        if (response.content_length or 0) > self._limit:
            raise too_big(self._limit)
        read = bytearray()
        async for chunk in response.content.iter_any():
            read += chunk
            if len(read) > self._limit:
                raise too_big(self._limit)
        return bytes(read)

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the client is closed")
        if self._session is None:
            # 0.1 s of import that a farm without such a source never pays.
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit_per_host=self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Close all connections; may be called more than once."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()
