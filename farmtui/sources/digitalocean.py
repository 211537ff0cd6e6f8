"""DigitalOcean through pydo: imported only in its worker thread, every page read, its rate limit obeyed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from farmtui.config import DigitalOceanConfig
from farmtui.farm.node import CloudAccount
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.secrets import Secret, SecretError
from farmtui.sources.digitalocean_decode import Part, decode_account
from farmtui.sources.errors import SourceError, bad_answer, host_of, safe_words
from farmtui.sources.failures import failure_of
from farmtui.sources.http import tls_context
from farmtui.sources.threads import CallPool

PER_PAGE = 200
MOST_PAGES = 500
"""A listing that has not ended by then does not end: 100,000 droplets."""
SLOW_EVERY = 5
"""Volumes, balancers and the balance change slowly: each so many polls."""
LOW_REMAINING = 100
"""Requests left in the hour below which only the reset is waited for; a tenth of a limit that is lower."""
LONGEST_HOLD_S = 3_600.0
"""The limit is counted by the hour: no reset is further away than that, whatever a header says."""

_LISTED_WITHIN, _SLOW_WITHIN = 3, 2
"""How many calls' deadlines all droplets may take together, and all the rest."""


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


class DigitalOceanSource:
    """One account."""

    name = kind = "digitalocean"

    def __init__(
        self, config: DigitalOceanConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Raises SecretError where the config's reference is not one."""
        self.endpoint = host_of(config.endpoint)
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        self._secret = Secret(config.token)
        # One thread: the client is not made for more, and the account's rate limit is one.
        self._pool = CallPool(1, "digitalocean")
        self._client: Any = None
        self._session: Any = None
        self._rate = RateLimit(clock)
        self._parts = {what: Part() for what in _PARTS}
        self._polls = 0
        self._asked = 0

    async def poll(self) -> Reading[CloudAccount]:
        """Ask once. What fails beside the droplets is a warning, and its last answer stays. Never raises."""
        began = time.perf_counter()
        self._asked = 0
        deadline_s = self._config.deadline_s
        try:
            droplets = await self._pool.run(self._droplets, deadline_s * _LISTED_WITHIN)
            if self._polls % SLOW_EVERY == 0 or any(part.problem for part in self._parts.values()):
                await self._slow(deadline_s * _SLOW_WITHIN)
            self._polls += 1
            # Not in the client's thread: a part that hangs may still have it.
            account = await asyncio.to_thread(self._decode, droplets)
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            failure = self._failure(error)
            return Reading(None, self._clock(), time.perf_counter() - began, failure=failure, requests=self._asked)
        took = time.perf_counter() - began
        return Reading(account, self._clock(), took, warnings=account.problems, requests=self._asked)

    async def _slow(self, deadline_s: float) -> None:
        try:
            await self._pool.run(self._read_parts, deadline_s)
        except TimeoutError as error:
            _, words = self._problem(error, "the rest")
            self._parts = {
                what: part if part.problem else Part(part.value, words) for what, part in self._parts.items()
            }

    def _failure(self, error: Exception) -> Failure:
        deadline_s = self._config.deadline_s
        failure = failure_of(error, source=self.name, where=self.endpoint, deadline_s=deadline_s)
        if failure.kind is FailureKind.FORBIDDEN:
            self._secret.forget()
            self._disconnect()
            return replace(failure, remedy=_LOOK)
        if failure.kind is FailureKind.RATE_LIMITED and not isinstance(error, SourceError):
            # It was the API that refused, not we that did not ask.
            return replace(failure, retry_after_s=self._rate.hold(failure.retry_after_s))
        return failure

    # -- in the worker thread -------------------------------------------------------------------

    def _droplets(self) -> list[Any]:
        by_tag = {"tag_name": self._config.tag} if self._config.tag else {}
        return self._pages(self._connect().droplets.list, "droplets", by_tag)

    def _read_parts(self) -> None:
        client = self._connect()
        readers: dict[str, Callable[[], Any]] = {
            "volumes": lambda: self._pages(client.volumes.list, "volumes", {}),
            "load balancers": lambda: self._pages(client.load_balancers.list, "load_balancers", {}),
            "balance": lambda: self._one(client.balance.get, "month_to_date_usage"),
        }
        for what in _PARTS:
            kind = self._read_part(what, readers[what])
            if kind in (FailureKind.TIMEOUT, FailureKind.RATE_LIMITED):
                # The next part would fare no better.
                return

    def _read_part(self, what: str, read: Callable[[], Any]) -> FailureKind | None:
        """A part that fails (a token without that scope) leaves the droplets to be seen, and its last answer."""
        kind: FailureKind | None = None
        try:
            part = Part(read())
        except Exception as error:  # noqa: BLE001 - the part's failure in words, beside the rest
            kind, words = self._problem(error, what)
            part = Part(self._parts[what].value, words)
        # Nobody reads a part while it is replaced: each is one object.
        self._parts = {**self._parts, what: part}
        return kind

    def _problem(self, error: Exception, what: str) -> tuple[FailureKind, str]:
        deadline_s = self._config.deadline_s
        failure = failure_of(error, source=f"digitalocean {what}", where=self.endpoint, deadline_s=deadline_s)
        if failure.kind is FailureKind.RATE_LIMITED and not isinstance(error, SourceError):
            self._rate.hold(failure.retry_after_s)
        return failure.kind, f"{failure.what}; {failure.remedy}"

    def _decode(self, droplets: list[Any]) -> CloudAccount:
        parts = self._parts
        volumes, balancers, balance = (parts[what] for what in _PARTS)
        problems = list(dict.fromkeys(part.problem for part in parts.values() if part.problem))
        return decode_account(
            droplets, volumes.value, balancers.value, balance.value,
            limit=self._rate.limit, remaining=self._rate.remaining, problems=problems,
        )  # fmt: skip

    def _connect(self) -> Any:
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
            exchange = Exchange(tls, deadline_s=self._config.deadline_s, heard=self._rate.hear)
            self._session = exchange.settle(requests.Session())
            transport = RequestsTransport(session=self._session, session_owner=False)
            self._client = Client(token, endpoint=self._config.endpoint, transport=transport, retry_total=0)
        return self._client

    def _one(self, call: Callable[..., Any], key: str) -> Any:
        self._rate.check()
        self._asked += 1
        answer = call()
        if not isinstance(answer, Mapping) or key not in answer:
            # 404 and some 400 come back as data: {'id': 'not_found', 'message': ...}
            said = answer.get("message") if isinstance(answer, Mapping) else None
            words = f": {safe_words(said)}" if isinstance(said, str) else ""
            raise bad_answer(f"the answer has no {key}{words}")
        return answer

    def _pages(self, call: Callable[..., Any], key: str, query: Mapping[str, str]) -> list[Any]:
        """All pages, by number: the `next` address is never followed, it may point anywhere."""
        found: list[Any] = []
        for page in range(1, MOST_PAGES + 1):
            answer = self._one(partial(call, per_page=PER_PAGE, page=page, **query), key)
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
        self._pool.close()
        self._disconnect()


_LOOK = "check digitalocean.token: a personal access token with read scope that has not expired"
_PARTS = ("volumes", "load balancers", "balance")


def _goes_on(answer: Mapping[str, Any], items: int) -> bool:
    """Whether there is a page after this one; without a word about it, a full page has one."""
    links = answer.get("links")
    if not isinstance(links, Mapping):
        return items >= PER_PAGE
    pages = links.get("pages")
    return isinstance(pages, Mapping) and bool(pages.get("next"))
