"""The one place that turns exceptions into words: what happened, to which source and host, and what to do.

No client library is imported here: their exceptions are known by name (`requests.SSLError`), so that a farm without
DigitalOcean never loads its SDK, and the console's first paint waits for none of them.
"""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from farmtui.farm.reading import Failure, FailureKind
from farmtui.secrets import SecretError
from farmtui.sources.errors import SourceError, bad_answer, host_of, redirect_error, safe_words, status_error

WHAT_LIMIT: Final = 300
"""Characters kept of `Failure.what` and of `Failure.remedy`."""

_CHAIN_LIMIT: Final = 24


def failure_of(error: BaseException, *, source: str, where: str = "", deadline_s: float | None = None) -> Failure:
    """The Failure for an exception that a call to `source` raised.

    `source` is the source's name (`prometheus`, `proxmox main`), `where` the address that was asked (a URL, `host`
    or `host:port`; credentials in it are dropped), `deadline_s` what the call was given. Never raises, and the
    result holds no secret that this process knows, no control character, and at most `WHAT_LIMIT` characters a text.
    """
    found = _own_words(error) or _sdk_words(error) or _network_words(error, deadline_s) or _other_words(error)
    subject = " at ".join(part for part in (source, host_of(where)) if part)
    return Failure(
        kind=found.kind,
        what=safe_words(f"{subject}: {found.what}", WHAT_LIMIT),
        remedy=safe_words(found.remedy, WHAT_LIMIT),
        retry_after_s=found.retry_after_s,
    )


def causes(error: BaseException) -> tuple[BaseException, ...]:
    """The exception and all that it wraps, outermost first: clients bury the reason up to five deep."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _CHAIN_LIMIT:
        current = waiting.pop(0)
        if any(current is known for known in found):
            continue
        found.append(current)
        waiting.extend(_inside(current))
    return tuple(found)


def never_heard(error: BaseException) -> bool:
    """Whether no request can have reached anybody: no connection came about, or our login could not be had."""
    chain = causes(error)
    certain = (ConnectionRefusedError, SecretError, ssl.SSLCertVerificationError)
    return any(isinstance(item, certain) for item in chain) or _one_of(chain, "unsent") is not None


def _inside(error: BaseException) -> Iterator[BaseException]:
    inner = [getattr(error, name, None) for name in ("reason", "inner_exception", "os_error", "certificate_error")]
    context = None if error.__suppress_context__ else error.__context__
    for item in (*error.args, *inner, error.__cause__, context):
        if isinstance(item, BaseException):
            yield item
        elif isinstance(item, tuple):
            yield from (part for part in item if isinstance(part, BaseException))
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions


def _names(error: BaseException) -> frozenset[str]:
    """All names that an exception answers to: `requests.SSLError`, by top-level package and class."""
    return frozenset(f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}" for kind in type(error).__mro__)


KNOWN_BY_NAME: Final = {
    "timeout": frozenset(
        {
            "requests.Timeout",
            "urllib3.ReadTimeoutError",
            "urllib3.ConnectTimeoutError",
            "azure.ServiceRequestTimeoutError",
            "azure.ServiceResponseTimeoutError",
        }
    ),
    "cut": frozenset(
        {
            "http.IncompleteRead",
            "urllib3.IncompleteRead",
            "urllib3.InvalidChunkLength",
            "requests.ChunkedEncodingError",
            "aiohttp.ClientPayloadError",
            "azure.IncompleteReadError",
        }
    ),
    "closed": frozenset(
        {
            "http.RemoteDisconnected",
            "aiohttp.ServerDisconnectedError",
        }
    ),
    "unreachable": frozenset(
        {
            "requests.ConnectionError",
            "urllib3.ProtocolError",
            "urllib3.NewConnectionError",
            "aiohttp.ClientConnectionError",
            "azure.ServiceRequestError",
            "azure.ServiceResponseError",
        }
    ),
    "not http": frozenset(
        {
            "http.BadStatusLine",
            "http.LineTooLong",
            "http.UnknownProtocol",
            "http.HTTPException",
            "aiohttp.BadHttpMessage",
            "aiohttp.ClientResponseError",
        }
    ),
    "not json": frozenset(
        {
            "json.JSONDecodeError",
            "requests.InvalidJSONError",
            "requests.ContentDecodingError",
            "urllib3.DecodeError",
            "aiohttp.ContentTypeError",
            "azure.DecodeError",
            "azure.DeserializationError",
            "builtins.UnicodeDecodeError",
        }
    ),
    "address": frozenset(
        {
            "requests.MissingSchema",
            "requests.InvalidSchema",
            "requests.InvalidURL",
            "requests.InvalidHeader",
            "urllib3.LocationValueError",
            "aiohttp.InvalidURL",
            "builtins.UnicodeError",
        }
    ),
    "redirect": frozenset({"requests.TooManyRedirects", "aiohttp.TooManyRedirects", "azure.TooManyRedirectsError"}),
    "login": frozenset({"proxmoxer.AuthenticationError", "azure.ClientAuthenticationError"}),
    "unsent": frozenset(
        {
            "urllib3.ConnectTimeoutError",
            "urllib3.NewConnectionError",
            "urllib3.NameResolutionError",
            "aiohttp.ClientConnectorError",
            "aiohttp.ConnectionTimeoutError",
        }
    ),
    "status": frozenset({"proxmoxer.ResourceException", "azure.HttpResponseError"}),
}
"""Exceptions of the client libraries by `package.Class`; a test holds every name against the installed packages."""


def _one_of(errors: tuple[BaseException, ...], group: str) -> BaseException | None:
    wanted = KNOWN_BY_NAME[group]
    return next((error for error in errors if _names(error) & wanted), None)


def _own_words(error: BaseException) -> SourceError | None:
    for found in causes(error):
        if isinstance(found, SourceError):
            return found
        if isinstance(found, SecretError):
            return SourceError(FailureKind.CONFIG, str(found), "mend the reference in the config, then reload")
    return None


def _sdk_words(error: BaseException) -> SourceError | None:
    """Errors of proxmoxer and azure-core, which carry a status; what they wrap is left to `_network_words`."""
    chain = causes(error)
    if _one_of(chain, "not json") or _one_of(chain, "cut") or _one_of(chain, "redirect"):
        # DecodeError is an HttpResponseError with status 200: what is wrong with it is not its status.
        return None
    found = _one_of(chain, "status") or _one_of(chain, "login")
    if found is None:
        return None
    status = getattr(found, "status_code", None)
    if not isinstance(status, int):
        if _one_of((found,), "login"):
            return status_error(401, detail=_text_of(found))
        return None
    if status in (595, 596, 597, 598, 599):
        # pveproxy could not reach the cluster node that the call was meant for; the API node itself is well.
        return SourceError(
            FailureKind.UNREACHABLE,
            f"HTTP {status}, the API node cannot reach the node behind it: {safe_words(_text_of(found))}",
            "look at that node and at the cluster network",
        )
    headers = getattr(getattr(found, "response", None), "headers", None)
    patience = headers.get("Retry-After") if headers is not None else None
    return status_error(status, detail=_text_of(found), retry_after=None if patience is None else str(patience))


_AZURES: Final = re.compile(r"\A\(\w+\) ([^\n]*)\nCode: .*", re.DOTALL)


def _text_of(error: BaseException) -> str:
    """What a status error says, without the parts that its class adds; markup is no message."""
    text = next((part for part in (getattr(error, name, None) for name in ("content", "message")) if part), error)
    words = str(text).strip()
    # azure-core says it three times: `(not_found) It is not there`, then its code, then its message.
    plain = _AZURES.sub(r"\1", words)
    return "" if plain.startswith("<") else plain


def _network_words(error: BaseException, deadline_s: float | None) -> SourceError | None:
    chain = causes(error)
    return _tls_words(chain) or _link_words(chain, deadline_s)


def _tls_words(chain: tuple[BaseException, ...]) -> SourceError | None:
    found = next((item for item in chain if isinstance(item, ssl.SSLCertVerificationError)), None)
    if found is not None:
        reason = str(getattr(found, "verify_message", "") or found)
        if "expired" in reason:
            remedy = "renew the server's certificate"
        elif "not yet valid" in reason:
            remedy = "compare this machine's clock with the server's, and look at the certificate's dates"
        elif "mismatch" in reason or "not valid for" in reason:
            remedy = "use a name in the config that the certificate holds, or add the name to the certificate"
        else:
            remedy = "set ca_file to the certificate of the CA that signed it"
        return SourceError(FailureKind.TLS, f"the certificate is not trusted: {reason.strip()}", remedy)
    others = [item for item in chain if isinstance(item, ssl.SSLError)]
    # A TLS stream that ends without its closing alert is a cut connection, not a fault of the certificates.
    if others and not any(isinstance(item, (ssl.SSLEOFError, ssl.SSLZeroReturnError, TimeoutError)) for item in chain):
        reasons = (getattr(item, "reason", None) for item in others)
        reason = next((str(text) for text in reasons if text), "handshake failed").replace("_", " ").lower()
        return SourceError(
            FailureKind.TLS,
            f"no TLS connection: {reason}",
            "check that the server speaks TLS on this port (https:// or http://?), and TLS 1.2 or newer",
        )
    return None


_NO_ROUTE: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_CLOSED: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})


def _link_words(chain: tuple[BaseException, ...], deadline_s: float | None) -> SourceError | None:
    numbers = {item.errno for item in chain if isinstance(item, OSError) and item.errno is not None}
    if any(isinstance(item, socket.gaierror) for item in chain):
        return SourceError(
            FailureKind.UNREACHABLE,
            "the host's name cannot be resolved",
            "check the name in the config, and this machine's DNS",
        )
    if errno.ECONNREFUSED in numbers:
        return SourceError(
            FailureKind.UNREACHABLE,
            "connection refused",
            "check that the service runs there and listens on this port and address",
        )
    if numbers & _NO_ROUTE:
        return SourceError(
            FailureKind.UNREACHABLE, "no route to the host", "check the network or VPN between, and that the host is up"
        )
    if errno.ETIMEDOUT in numbers or any(isinstance(item, TimeoutError) for item in chain):
        return _too_late(deadline_s)
    if _one_of(chain, "cut"):
        return SourceError(
            FailureKind.BAD_ANSWER,
            "the answer ended before it was complete",
            "look at the logs of the server and of any proxy between; it is asked again",
        )
    if numbers & _CLOSED or _one_of(chain, "closed") or any(isinstance(item, ssl.SSLError) for item in chain):
        return SourceError(
            FailureKind.UNREACHABLE,
            "the connection was closed without an answer",
            "look at the logs of the server and of any proxy or firewall between; it is asked again",
        )
    if _one_of(chain, "timeout"):
        return _too_late(deadline_s)
    return None


def _too_late(deadline_s: float | None) -> SourceError:
    within = f" within {deadline_s:g} s" if deadline_s is not None else " in time"
    return SourceError(
        FailureKind.TIMEOUT,
        f"no answer{within}",
        "look at the load there and at the network between; if it is just slow, raise deadline_s",
    )


def _other_words(error: BaseException) -> SourceError:
    chain = causes(error)
    if _one_of(chain, "not json") or any(isinstance(item, (json.JSONDecodeError, RecursionError)) for item in chain):
        return bad_answer("the answer is not JSON")
    if _one_of(chain, "address"):
        return SourceError(
            FailureKind.CONFIG,
            f"the address cannot be used: {safe_words(str(error))}",
            "mend the address in the config",
        )
    if _one_of(chain, "redirect"):
        return redirect_error("")
    if _one_of(chain, "not http"):
        return bad_answer("the answer is not HTTP as we know it")
    local = next((item for item in chain if type(item) in _LOCAL_FILE), None)
    if isinstance(local, OSError):
        return SourceError(
            FailureKind.CONFIG,
            f"cannot read {local.filename or 'a file'}: {local.strerror}",
            "check the path in the config and the file's permissions",
        )
    if _one_of(chain, "unreachable") or any(type(item) is OSError for item in chain):
        return SourceError(
            FailureKind.UNREACHABLE,
            f"no connection ({_short(chain[-1])})",
            "check the network between, and that the service runs there",
        )
    return bad_answer(f"the answer could not be read ({_short(error)})")


_LOCAL_FILE: Final = frozenset({FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError})


def _short(error: BaseException) -> str:
    text = safe_words(str(error), 80)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
