"""DigitalOcean through pydo: imported only in its worker thread, every page read, its rate limit obeyed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from farmtui.config import DigitalOceanConfig
from farmtui.farm.node import CloudAccount
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.text import clean_text
from farmtui.secrets import Secret
from farmtui.sources.digitalocean_decode import Part, decode_account
from farmtui.sources.errors import SourceError, bad_answer, host_of
from farmtui.sources.failures import failure_of
from farmtui.sources.threads import CallPool

PER_PAGE = 200
MOST_PAGES = 500
"""A listing that has not ended by then does not end: 100,000 droplets."""
SLOW_EVERY = 5
"""Volumes, balancers and the balance change slowly: each so many polls."""
LOW_REMAINING = 100
"""Requests left in the hour below which only the reset is waited for."""


@dataclass(slots=True)
class RateLimit:
    """What the last answer's headers said."""

    limit: int | None = None
    remaining: int | None = None
    reset_at: float | None = None
    """Unix seconds."""

    def read(self, headers: Mapping[str, Any]) -> None:
        """Take the headers of an answer; what is not a number is passed over."""
        for name, attribute in (("limit", "limit"), ("remaining", "remaining"), ("reset", "reset_at")):
            value = str(headers.get(f"ratelimit-{name}", "")).strip()
            if value.isdigit():
                setattr(self, attribute, int(value))


@dataclass(slots=True)
class _Slow:
    """What is kept between the polls that ask for it."""

    volumes: Part = field(default_factory=Part)
    load_balancers: Part = field(default_factory=Part)
    balance: Part = field(default_factory=Part)


class DigitalOceanSource:
    """One account."""

    name = kind = "digitalocean"

    def __init__(
        self, config: DigitalOceanConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.endpoint = host_of(config.endpoint)
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        self._secret = Secret(config.token)
        # One thread: the client is not made for more, and the account's rate limit is one.
        self._pool = CallPool(1, "digitalocean")
        self._client: Any = None
        self._rate = RateLimit()
        self._slow = _Slow()
        self._polls = 0
        self._asked = 0

    async def poll(self) -> Reading[CloudAccount]:
        """Ask once. Never raises."""
        began = time.perf_counter()
        self._asked = 0
        try:
            self._check_rate()
            account = await self._pool.run(self._read, self._deadline_s())
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            failure = self._failure(error)
            return Reading(None, self._clock(), time.perf_counter() - began, failure=failure, requests=self._asked)
        took = time.perf_counter() - began
        return Reading(account, self._clock(), took, warnings=account.problems, requests=self._asked)

    def _deadline_s(self) -> float:
        """Several calls in one go, each with its own deadline; together they may take three of them."""
        return self._config.deadline_s * 3

    def _check_rate(self) -> None:
        if not self._config.endpoint.startswith("https:"):
            raise SourceError(
                FailureKind.CONFIG, "the endpoint is not https", "write https:// in digitalocean.endpoint"
            )
        now = self._clock().timestamp()
        rate = self._rate
        if rate.remaining is None or rate.reset_at is None or rate.reset_at <= now:
            return
        if rate.remaining < LOW_REMAINING:
            raise SourceError(
                FailureKind.RATE_LIMITED,
                f"only {rate.remaining} of {rate.limit or '?'} requests are left in this hour",
                "it is asked again after the reset; find what else uses this token, or raise interval_s",
                rate.reset_at - now,
            )

    def _failure(self, error: Exception) -> Failure:
        failure = failure_of(error, source=self.name, where=self.endpoint, deadline_s=self._deadline_s())
        if failure.kind is FailureKind.FORBIDDEN:
            self._secret.forget()
            self._client = None
            remedy = "check digitalocean.token: a personal access token with read scope that has not expired"
            return Failure(failure.kind, failure.what, remedy, failure.retry_after_s)
        return failure

    # -- in the worker thread -------------------------------------------------------------------

    def _read(self) -> CloudAccount:
        client = self._connect()
        problems: list[str] = []
        by_tag = {"tag_name": self._config.tag} if self._config.tag else {}
        droplets = self._pages(client.droplets.list, "droplets", by_tag)
        if self._polls % SLOW_EVERY == 0:
            self._slow = _Slow(
                self._part("volumes", lambda: self._pages(client.volumes.list, "volumes", {})),
                self._part("load balancers", lambda: self._pages(client.load_balancers.list, "load_balancers", {})),
                self._part("balance", lambda: self._one(client.balance.get, "month_to_date_usage")),
            )
        self._polls += 1
        slow = self._slow
        problems += [part.problem for part in (slow.volumes, slow.load_balancers, slow.balance) if part.problem]
        return decode_account(
            droplets, slow.volumes.value, slow.load_balancers.value, slow.balance.value,
            limit=self._rate.limit, remaining=self._rate.remaining, problems=problems,
        )  # fmt: skip

    def _part(self, what: str, read: Callable[[], Any]) -> Part:
        """A part that fails (a token without that scope) leaves the droplets to be seen."""
        try:
            return Part(read())
        except Exception as error:  # noqa: BLE001 - the part's failure in words, beside the rest
            failure = failure_of(error, source=f"digitalocean {what}", where=self.endpoint)
            return Part(None, f"{failure.what}; {failure.remedy}")

    def _connect(self) -> Any:
        if self._client is None:
            # 0.15 s and 60 MB: only here, in this thread, and only where DigitalOcean is configured.
            from pydo import Client

            verify: bool | str = str(self._config.ca_file) if self._config.ca_file else True
            self._client = Client(
                self._secret.reveal(),
                endpoint=self._config.endpoint,
                connection_verify=verify,
                connection_timeout=self._config.deadline_s,
                read_timeout=self._config.deadline_s,
                retry_total=0,
            )
        return self._client

    def _one(self, call: Callable[..., Any], key: str) -> Any:
        self._asked += 1
        answer = call(cls=self._keep_headers)
        if not isinstance(answer, Mapping) or key not in answer:
            # 404 and some 400 come back as data: {'id': 'not_found', 'message': ...}
            said = clean_text(str(answer.get("message", ""))) if isinstance(answer, Mapping) else ""
            raise bad_answer(f"the answer has no {key}" + (f": {said}" if said else ""))
        return answer

    def _keep_headers(self, response: Any, body: Any, headers: Any) -> Any:
        self._rate.read({str(k).lower(): v for k, v in response.http_response.headers.items()})
        return body

    def _pages(self, call: Callable[..., Any], key: str, query: Mapping[str, str]) -> list[Any]:
        """All pages, by number: the `next` address is never followed, it may point anywhere."""
        found: list[Any] = []
        for page in range(1, MOST_PAGES + 1):

            def ask(page: int = page, **more: Any) -> Any:
                return call(per_page=PER_PAGE, page=page, **query, **more)

            answer = self._one(ask, key)
            items = answer[key]
            if not isinstance(items, list):
                raise bad_answer(f"{key} is not a list")
            found += items
            links = answer.get("links")
            pages = links.get("pages") if isinstance(links, Mapping) else None
            if (len(items) < PER_PAGE and not (isinstance(pages, Mapping) and pages.get("next"))) or not items:
                return found
        raise bad_answer(f"{key} does not end after {MOST_PAGES} pages")

    async def close(self) -> None:
        """Let the thread go."""
        self._pool.close()
