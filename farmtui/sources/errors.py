"""What our own code finds wrong with an answer or with the config, already in words (`failures` knows the clients')."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from farmtui.farm.reading import FailureKind
from farmtui.farm.text import clean_text
from farmtui.secrets import redact

RETRY_AFTER_MAX_S: Final = 3_600.0
"""A server that asks for more patience than this is asked again after this long."""

_DETAIL_LIMIT: Final = 160


class SourceError(Exception):
    """What our own code found wrong with an answer or with the config, already in words.

    The text does not name the source or the host: `failure_of` puts them in front.
    """

    def __init__(
        self, kind: FailureKind, what: str, remedy: str, retry_after_s: float | None = None, status: int = 0
    ) -> None:
        """`status` is the HTTP status; 0 where it is not about one."""
        super().__init__(what)
        self.status = status
        self.kind = kind
        self.what = what
        self.remedy = remedy
        self.retry_after_s = retry_after_s


class UnsentError(SourceError):
    """What was to be done was heard by nobody: nothing has come of it."""


def at_place(error: SourceError, place: str) -> SourceError:
    """The same error, said of a host."""
    return SourceError(error.kind, f"{place}: {error.what}", error.remedy, error.retry_after_s, error.status)


def safe_words(text: str, limit: int = _DETAIL_LIMIT) -> str:
    """Foreign text fit to be shown: redacted, on one line, without control characters, at most `limit` long."""
    # Redacted before it is cut: half a secret would no longer be recognised.
    return clean_text(redact(text[:20_000]), limit=limit)


def host_of(where: str) -> str:
    """`host:port` of a URL (or of what is already that), without scheme, credentials, path and query."""
    try:
        netloc = urlsplit(where if "//" in where else f"//{where}").netloc
    except ValueError:
        return ""
    return netloc.rpartition("@")[2]


def status_error(status: int, *, detail: str = "", retry_after: str | None = None) -> SourceError:
    """The error for an HTTP status that is not a success.

    `detail` is what the server said beside it (a JSON error text, never a page of HTML), `retry_after` the header.
    """
    said = f": {safe_words(detail)}" if detail else ""
    patience = retry_after_s(retry_after)
    if status in (401, 407):
        return SourceError(
            FailureKind.FORBIDDEN,
            f"HTTP {status}, our login is not accepted{said}",
            "check the credentials in the config, and that what they refer to is still valid",
            patience,
            status,
        )
    if status == 403:
        return SourceError(
            FailureKind.FORBIDDEN,
            f"HTTP 403, our login is not allowed to read this{said}",
            "give the account or token the right to read",
            patience,
            status,
        )
    if status == 429:
        return SourceError(
            FailureKind.RATE_LIMITED,
            f"HTTP 429, too many requests{said}",
            "it is asked again when it allows it; raise interval_s if this goes on",
            patience,
            status,
        )
    if status >= 500:
        return SourceError(
            FailureKind.SERVER,
            f"HTTP {status}{said}",
            "look at the server's log and at what stands in front of it; it is asked again",
            patience,
            status,
        )
    if status == 404:
        return SourceError(
            FailureKind.BAD_ANSWER,
            f"HTTP 404, there is no such address{said}",
            "check the address in the config: it is the base address, without the API's own path",
            status=status,
        )
    return SourceError(
        FailureKind.BAD_ANSWER,
        f"HTTP {status}, the request was refused{said}",
        "check the address in the config and the server's version",
        patience,
        status,
    )


def redirect_error(location: str) -> SourceError:
    """The error for a redirect. None is followed: our login would go to wherever it points."""
    # The query is left out: login pages put tokens there.
    place = location.partition("?")[0].partition("#")[0]
    return SourceError(
        FailureKind.BAD_ANSWER,
        f"it sends us elsewhere ({safe_words(place) or 'without saying where'}), and no redirect is followed",
        "set the address in the config to the final one; if it is a login page, give auth",
    )


def bad_answer(what: str) -> SourceError:
    """The error for an answer that came and cannot be read as the source's protocol."""
    return SourceError(
        FailureKind.BAD_ANSWER,
        what,
        "check that the address in the config is the source's own, not a login page, a proxy or another service",
    )


def too_big(limit_bytes: int) -> SourceError:
    """The error for an answer that is longer than what we are ready to hold."""
    return bad_answer(f"the answer is longer than {limit_bytes // 1_000_000} MB and was not read")


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for (a number or an HTTP date), 0 to `RETRY_AFTER_MAX_S`; None: nothing.

    `now` is the time that a date is counted from; None: the present.
    """
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, IndexError, TypeError, OverflowError):
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    if seconds != seconds:
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)
