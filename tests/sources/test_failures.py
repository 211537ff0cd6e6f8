"""Exceptions into words: every client's, each with a kind and a remedy, and never a secret."""

from __future__ import annotations

import asyncio
import errno
import http.client
import importlib
import json
import socket
import ssl
from datetime import UTC, datetime

import aiohttp
import azure.core.exceptions as azure
import proxmoxer
import pytest
import requests
import urllib3
from aiohttp.client_reqrep import ConnectionKey
from azure.core.pipeline.transport import HttpRequest, RequestsTransportResponse
from hypothesis import given
from hypothesis import strategies as st
from proxmoxer.core import ResourceException

from farmtui.farm.reading import Failure, FailureKind
from farmtui.farm.text import visible
from farmtui.secrets import SecretError, register
from farmtui.sources.errors import (
    RETRY_AFTER_MAX_S,
    SourceError,
    host_of,
    redirect_error,
    retry_after_s,
    safe_words,
    status_error,
)
from farmtui.sources.failures import KNOWN_BY_NAME, WHAT_LIMIT, causes, failure_of, never_heard

URL = "https://somebody:something@pve-1.farm.example:8006/api2/json?ticket=x"


def words(error: BaseException) -> Failure:
    """The failure of an exception, asked of a source at `URL`."""
    return failure_of(error, source="proxmox main", where=URL, deadline_s=5)


def wrapped(inner: Exception) -> Exception:
    """An exception as requests wraps urllib3's that wraps the system's."""
    pool = urllib3.HTTPConnectionPool("pve-1.farm.example", 8006)
    try:
        try:
            raise inner
        except Exception as error:
            raise urllib3.exceptions.MaxRetryError(pool, "/api2", error) from error
    except urllib3.exceptions.MaxRetryError as error:
        return requests.ConnectionError(error)


def certificate_error(reason: str) -> ssl.SSLCertVerificationError:
    """A failed verification, as the ssl module raises it."""
    error = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {reason}")
    error.verify_message = reason
    return error


def azure_status(code: int, **headers: str) -> azure.HttpResponseError:
    """An error of the DigitalOcean SDK for an HTTP status."""

    request = HttpRequest("GET", "https://api.farm.example/v2/droplets")
    response = RequestsTransportResponse(request, requests.Response())
    response.status_code = code
    response.reason = "because"
    response.headers = headers
    kind = azure.ClientAuthenticationError if code == 401 else azure.HttpResponseError
    return kind(message="Operation returned an invalid status", response=response)


PVE_GONE = ResourceException(595, "Errors during connection establishment", "No route to host")
CASES: dict[str, tuple[BaseException, FailureKind, str]] = {
    "refused": (ConnectionRefusedError(errno.ECONNREFUSED, "x"), FailureKind.UNREACHABLE, "refused"),
    "refused, wrapped": (wrapped(ConnectionRefusedError(111, "x")), FailureKind.UNREACHABLE, "refused"),
    "no route": (OSError(errno.EHOSTUNREACH, "x"), FailureKind.UNREACHABLE, "no route"),
    "name": (wrapped(socket.gaierror(-2, "Name or service not known")), FailureKind.UNREACHABLE, "resolved"),
    "reset": (ConnectionResetError(errno.ECONNRESET, "x"), FailureKind.UNREACHABLE, "closed"),
    "gone": (aiohttp.ServerDisconnectedError(), FailureKind.UNREACHABLE, "closed"),
    "gone, http.client": (wrapped(http.client.RemoteDisconnected("x")), FailureKind.UNREACHABLE, "closed"),
    "timeout": (TimeoutError(), FailureKind.TIMEOUT, "within 5 s"),
    "timeout, requests": (requests.ReadTimeout("x"), FailureKind.TIMEOUT, "within 5 s"),
    "timeout, connect": (requests.ConnectTimeout("x"), FailureKind.TIMEOUT, "within 5 s"),
    "timeout, aiohttp": (aiohttp.ConnectionTimeoutError(), FailureKind.TIMEOUT, "within 5 s"),
    "timeout, azure": (azure.ServiceResponseTimeoutError("x"), FailureKind.TIMEOUT, "within 5 s"),
    "expired": (wrapped(certificate_error("certificate has expired")), FailureKind.TLS, "expired"),
    "unknown ca": (certificate_error("unable to get local issuer certificate"), FailureKind.TLS, "issuer"),
    "other name": (certificate_error("Hostname mismatch"), FailureKind.TLS, "mismatch"),
    "clock": (certificate_error("certificate is not yet valid"), FailureKind.TLS, "not yet valid"),
    "no tls": (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), FailureKind.TLS, "no TLS"),
    "tls cut": (ssl.SSLEOFError(8, "EOF occurred"), FailureKind.UNREACHABLE, "closed"),
    "cut": (requests.exceptions.ChunkedEncodingError("x"), FailureKind.BAD_ANSWER, "complete"),
    "cut, aiohttp": (aiohttp.ClientPayloadError("x"), FailureKind.BAD_ANSWER, "complete"),
    "cut, azure": (azure.IncompleteReadError("x"), FailureKind.BAD_ANSWER, "complete"),
    "cut, http.client": (http.client.IncompleteRead(b"", 9), FailureKind.BAD_ANSWER, "complete"),
    "401": (azure_status(401), FailureKind.FORBIDDEN, "401"),
    "403": (azure_status(403), FailureKind.FORBIDDEN, "403"),
    "429": (azure_status(429, **{"Retry-After": "30"}), FailureKind.RATE_LIMITED, "429"),
    "500": (azure_status(500), FailureKind.SERVER, "500"),
    "decode": (azure.DecodeError("not json"), FailureKind.BAD_ANSWER, "not JSON"),
    "azure refused": (
        azure.ServiceRequestError("x", error=ConnectionRefusedError(111, "x")),
        FailureKind.UNREACHABLE,
        "refused",
    ),
    "azure nothing inside": (azure.ServiceRequestError("x"), FailureKind.UNREACHABLE, "no connection"),
    "pve 401": (ResourceException(401, "Unauthorized", "No ticket"), FailureKind.FORBIDDEN, "No ticket"),
    "pve 403": (ResourceException(403, "Forbidden", "Permission check failed"), FailureKind.FORBIDDEN, "403"),
    "pve 500": (ResourceException(500, "Internal Server Error", "no such VM"), FailureKind.SERVER, "no such VM"),
    "pve 595": (PVE_GONE, FailureKind.UNREACHABLE, "node behind it"),
    "pve login": (proxmoxer.AuthenticationError("Couldn't authenticate"), FailureKind.FORBIDDEN, "login"),
    "json": (json.JSONDecodeError("x", "", 0), FailureKind.BAD_ANSWER, "not JSON"),
    "json, requests": (requests.JSONDecodeError("x", "", 0), FailureKind.BAD_ANSWER, "not JSON"),
    "not utf-8": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), FailureKind.BAD_ANSWER, "not JSON"),
    "deep": (RecursionError("x"), FailureKind.BAD_ANSWER, "not JSON"),
    "address": (requests.exceptions.InvalidURL("x"), FailureKind.CONFIG, "address"),
    "redirects": (requests.TooManyRedirects("x"), FailureKind.BAD_ANSWER, "elsewhere"),
    "not http": (http.client.BadStatusLine("SSH-2.0"), FailureKind.BAD_ANSWER, "not HTTP"),
    "secret": (SecretError("the environment variable X is not set"), FailureKind.CONFIG, "X is not set"),
    "no file": (FileNotFoundError(2, "No such file", "/etc/farm/ca.pem"), FailureKind.CONFIG, "/etc/farm/ca.pem"),
    "ours": (SourceError(FailureKind.SERVER, "it said so", "do this"), FailureKind.SERVER, "it said so"),
    "key": (KeyError("data"), FailureKind.BAD_ANSWER, "KeyError"),
    "anything": (ZeroDivisionError(), FailureKind.BAD_ANSWER, "ZeroDivisionError"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_happened_where_and_what_to_do(case: str) -> None:
    error, kind, said = CASES[case]
    failure = words(error)
    assert failure.kind is kind
    assert said in failure.what
    assert failure.what.startswith("proxmox main at pve-1.farm.example:8006: ")
    assert failure.remedy


@pytest.mark.parametrize("case", CASES)
def test_grouped_and_chained_exceptions_say_the_same(case: str) -> None:
    error, kind, _ = CASES[case]
    if isinstance(error, Exception):
        assert words(ExceptionGroup("many", [error])).kind is kind


@pytest.mark.parametrize("name", sorted(name for group in KNOWN_BY_NAME.values() for name in group))
def test_every_name_we_know_an_exception_by_exists(name: str) -> None:
    package, _, kind = name.partition(".")
    places = {
        "requests": ["requests.exceptions"],
        "urllib3": ["urllib3.exceptions"],
        "aiohttp": ["aiohttp", "aiohttp.http_exceptions"],
        "azure": ["azure.core.exceptions"],
        "proxmoxer": ["proxmoxer.core"],
        "http": ["http.client"],
        "json": ["json"],
        "builtins": ["builtins"],
    }[package]
    found = [getattr(importlib.import_module(place), kind, None) for place in places]
    assert any(isinstance(item, type) and issubclass(item, BaseException) for item in found)


def test_rate_limits_of_an_sdk_are_passed_on() -> None:
    assert words(azure_status(429, **{"Retry-After": "30"})).retry_after_s == 30


def test_remedies_for_certificates_differ() -> None:
    reasons = ["certificate has expired", "Hostname mismatch, not valid for 'x'", "self-signed certificate"]
    assert len({words(certificate_error(reason)).remedy for reason in reasons}) == 3


def test_nothing_foreign_reaches_the_words_unclean() -> None:
    register("hunter2-hunter2")
    text = "Authorization: Bearer hunter2-hunter2\x1b]52;c;AAAA\x07\nhttps://u:p4ssw0rd@host/ " + "long " * 500
    for error in (
        ResourceException(500, "Internal Server Error", text),
        SourceError(FailureKind.SERVER, text, text),
        ValueError(text),
        requests.exceptions.InvalidURL(text),
        SecretError(text),
    ):
        failure = words(error)
        for told in (failure.what, failure.remedy):
            assert len(told) <= WHAT_LIMIT
            assert visible(told) == told
            assert "hunter2" not in told
            assert "p4ssw0rd" not in told
            assert "something@" not in told


@given(st.text(max_size=60), st.sampled_from([ValueError, OSError, requests.ConnectionError, KeyError, SecretError]))
def test_any_text_in_any_exception_gives_words(text: str, kind: type[Exception]) -> None:
    failure = failure_of(kind(text), source="x", where=text)
    assert visible(failure.what) == failure.what
    assert failure.remedy


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert causes(first) == (first, second)
    assert words(first).kind is FailureKind.BAD_ANSWER


def test_a_cancelled_wait_is_a_timeout() -> None:
    async def wait() -> None:
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(wait())
    assert words(caught.value).kind is FailureKind.TIMEOUT


NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("30", 30.0),
        ("2.5", 2.5),
        ("-4", 0.0),
        ("inf", RETRY_AFTER_MAX_S),
        ("999999", RETRY_AFTER_MAX_S),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 99999 11:00:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOON) == seconds


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    found = retry_after_s(header, NOON)
    assert found is None or 0 <= found <= RETRY_AFTER_MAX_S


@pytest.mark.parametrize(
    ("where", "host"),
    [
        ("https://u:p@host.example:9090/path?x", "host.example:9090"),
        ("host:8006", "host:8006"),
        ("u:p@host", "host"),
        ("http://[fe80::1]:9090", "[fe80::1]:9090"),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_host_of(where: str, host: str) -> None:
    assert host_of(where) == host


def test_a_redirect_is_told_without_its_query() -> None:
    error = redirect_error("https://login.example/start?rd=token#x")
    assert "https://login.example/start" in error.what
    assert "token" not in error.what
    assert "without saying where" in redirect_error("").what


@pytest.mark.parametrize("status", [*range(300, 600)])
def test_every_status_has_words(status: int) -> None:
    error = status_error(status)
    assert error.status == status
    assert str(status) in error.what
    assert error.remedy


def test_words_of_a_server_are_cut_and_cleaned() -> None:
    assert safe_words("a\x1b[2Jb\nc") == "a\ufffd[2Jb↵c"
    assert len(safe_words("x" * 100_000)) <= 160


KEY = ConnectionKey("pve-1.farm.example", 8006, True, True, None, None, None)
POOL = urllib3.HTTPConnectionPool("pve-1.farm.example", 8006)


@pytest.mark.parametrize(
    ("error", "never"),
    [
        (wrapped(ConnectionRefusedError()), True),
        (wrapped(certificate_error("self-signed certificate")), True),
        (wrapped(urllib3.exceptions.ConnectTimeoutError()), True),
        (SecretError("not set"), True),
        (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known")), True),
        (aiohttp.ClientConnectorError(KEY, OSError(113, "No route to host")), True),
        (aiohttp.ConnectionTimeoutError(), True),
        (aiohttp.SocketTimeoutError(), False),
        (aiohttp.ServerDisconnectedError(), False),
        (wrapped(urllib3.exceptions.ReadTimeoutError(POOL, "/", "late")), False),
        (wrapped(ConnectionResetError()), False),
        (TimeoutError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_only_what_came_to_no_connection_was_never_heard(error: Exception, never: bool) -> None:
    assert never_heard(error) is never
