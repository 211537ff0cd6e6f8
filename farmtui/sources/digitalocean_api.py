"""The way to a DigitalOcean account: pydo, imported only in its worker thread, and its rate limit obeyed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from farmtui.config import DigitalOceanConfig
from farmtui.farm.reading import Failure, FailureKind
from farmtui.secrets import Secret, SecretError
from farmtui.sources.errors import SourceError, bad_answer, host_of, safe_words
from farmtui.sources.failures import failure_of
from farmtui.sources.http import tls_context
from farmtui.sources.threads import CallPool

PER_PAGE = 200
MOST_PAGES = 500
"""A listing that has not ended by then does not end: 100,000 droplets."""
_LOOK = "check digitalocean.token: a personal access token with read scope that has not expired"
LOW_REMAINING = 100
"""Requests left in the hour below which only the reset is waited for; a tenth of a limit that is lower."""
LONGEST_HOLD_S = 3_600.0
"""The limit is counted by the hour: no reset is further away than that, whatever a header says."""


class RateLimit:
    """What the answers' headers have said, and until when nothing is asked. Times are Unix seconds."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.limit: int | None = None
        self.remaining: int | None = None
        self.reset_at: float | None = None
        self._held_until = 0.0

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the headers of an answer (names in lower case); what is not a number is passed over."""
        limit, remaining, reset = (_count(headers.get(f"ratelimit-{name}", "")) for name in _RATE_HEADERS)
        self.limit = self.limit if limit is None else limit
        self.remaining = self.remaining if remaining is None else remaining
        self.reset_at = self.reset_at if reset is None else min(float(reset), self._now() + LONGEST_HOLD_S)

    def hold(self, retry_after_s: float | None) -> float:
        """A request was one too many: gives the seconds for which nothing is asked."""
        now = self._now()
        until_reset = (self.reset_at or now) - now
        patience = retry_after_s if retry_after_s is not None else max(0.0, until_reset)
        self._held_until = now + min(patience, LONGEST_HOLD_S)
        return self._held_until - now

    def check(self) -> None:
        """Raises SourceError while nothing may be asked."""
        now = self._now()
        if now < self._held_until:
            raise _too_many("the API has refused further requests for now", self._held_until - now)
        if self.remaining is None or self.reset_at is None or self.reset_at <= now:
            return
        floor = LOW_REMAINING if self.limit is None else min(LOW_REMAINING, self.limit // 10)
        if self.remaining < floor:
            words = f"only {self.remaining} of {self.limit or '?'} requests are left in this hour"
            raise _too_many(words, self.reset_at - now)

    def _now(self) -> float:
        return self._clock().timestamp()


_RATE_HEADERS = ("limit", "remaining", "reset")


def _count(text: str) -> int | None:
    word = text.strip()
    return int(word) if word.isascii() and word.isdigit() and len(word) < 15 else None


def _too_many(words: str, wait_s: float) -> SourceError:
    remedy = "it is asked again after the reset; find what else uses this token, or raise interval_s"
    return SourceError(FailureKind.RATE_LIMITED, words, remedy, wait_s)


class DoApi:
    """One account's API, as one source asks it."""

    def __init__(self, config: DigitalOceanConfig, *, clock: Callable[[], datetime]) -> None:
        """Raises SecretError where the config's reference is not one."""
        self.endpoint = host_of(config.endpoint)
        self.rate = RateLimit(clock)
        # One thread: the client is not made for more, and the account's rate limit is one.
        self.pool = CallPool(1, "digitalocean")
        self.asked = 0
        self._config = config
        self._secret = Secret(config.token)
        self._client: Any = None
        self._session: Any = None

    def failure(self, error: Exception, source: str = "digitalocean") -> Failure:
        """The failure for what a call has raised. A refusal for having asked too often is kept to."""
        failure = failure_of(error, source=source, where=self.endpoint, deadline_s=self._config.deadline_s)
        if failure.kind is FailureKind.RATE_LIMITED and not isinstance(error, SourceError):
            # It was the API that refused, not we that did not ask.
            return replace(failure, retry_after_s=self.rate.hold(failure.retry_after_s))
        return failure

    def problem(self, error: Exception, what: str) -> tuple[FailureKind, str]:
        """Why one part of an answer is missing, in words."""
        failure = self.failure(error, f"digitalocean {what}")
        return failure.kind, f"{failure.what}; {failure.remedy}"

    def refused(self, error: Exception) -> Failure:
        """The failure of a whole poll; a token that is refused is resolved again at the next."""
        failure = self.failure(error)
        if failure.kind is FailureKind.FORBIDDEN:
            self.forget_login()
            return replace(failure, remedy=_LOOK)
        return failure

    def forget_login(self) -> None:
        """Resolve the token again at the next call."""
        self._secret.forget()
        self._disconnect()

    # -- in the worker thread -------------------------------------------------------------------

    def connect(self) -> Any:
        """pydo's client."""
        if self._client is None:
            token = self._secret.reveal()
            if not token.isascii() or not token.isprintable():
                # The client would print the value in its own error.
                raise SecretError("the token holds characters that no HTTP header can carry")
            if not self._config.endpoint.startswith("https:"):
                words = "the endpoint is not https, and the token would be readable on its way"
                raise SourceError(FailureKind.CONFIG, words, "write https:// in digitalocean.endpoint")
            # 0.15 s and 60 MB: only here, in this thread, and only where DigitalOcean is configured.
            import requests
            from azure.core.pipeline.transport import RequestsTransport
            from pydo import Client

            from farmtui.sources.exchange import Exchange

            tls = tls_context(self._config.ca_file)
            exchange = Exchange(tls, deadline_s=self._config.deadline_s, heard=self.rate.hear)
            self._session = exchange.settle(requests.Session())
            transport = RequestsTransport(session=self._session, session_owner=False)
            self._client = Client(token, endpoint=self._config.endpoint, transport=transport, retry_total=0)
        return self._client

    def one(self, call: Callable[..., Any], key: str) -> Any:
        """An answer that must have this key. Raises what `failure` makes words of."""
        self.rate.check()
        self.asked += 1
        answer = call()
        if not isinstance(answer, Mapping) or key not in answer:
            # 404 and some 400 come back as data: {'id': 'not_found', 'message': ...}
            said = answer.get("message") if isinstance(answer, Mapping) else None
            words = f": {safe_words(said)}" if isinstance(said, str) else ""
            raise bad_answer(f"the answer has no {key}{words}")
        return answer

    def pages(self, call: Callable[..., Any], key: str, query: Mapping[str, str]) -> list[Any]:
        """All pages, by number: the `next` address is never followed, it may point anywhere."""
        found: list[Any] = []
        for page in range(1, MOST_PAGES + 1):
            answer = self.one(partial(call, per_page=PER_PAGE, page=page, **query), key)
            items = answer[key]
            if not isinstance(items, list):
                raise bad_answer(f"{key} is not a list")
            if page > 1 and items and items == found[-len(items) :]:
                raise bad_answer(f"{key} does not end: page {page} is page {page - 1} again")
            found += items
            if not items or not _goes_on(answer, len(items)):
                return found
        raise bad_answer(f"{key} does not end after {MOST_PAGES} pages")

    # -- and out of it ---------------------------------------------------------------------------

    def _disconnect(self) -> None:
        session, self._session, self._client = self._session, None, None
        if session is not None:
            session.close()

    async def close(self) -> None:
        """Let the thread and the connections go."""
        self.pool.close()
        self._disconnect()


def _goes_on(answer: Mapping[str, Any], items: int) -> bool:
    """Whether there is a page after this one; without a word about it, a full page has one."""
    links = answer.get("links")
    if not isinstance(links, Mapping):
        return items >= PER_PAGE
    pages = links.get("pages")
    return isinstance(pages, Mapping) and bool(pages.get("next"))
