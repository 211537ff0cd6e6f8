"""The way to a Proxmox VE cluster's API: a token, a few threads, the next API node when one is down."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from farmtui.config import ProxmoxConfig
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.secrets import Secret, SecretError
from farmtui.sources.errors import SourceError, UnsentError, bad_answer
from farmtui.sources.failover import Failover
from farmtui.sources.failures import failure_of, never_heard
from farmtui.sources.http import tls_context
from farmtui.sources.threads import CallPool

THREADS: Final = 4

_LOGIN: Final = frozenset({FailureKind.FORBIDDEN, FailureKind.CONFIG})
"""The login is the cluster's: the next node would refuse it too, and might lock it."""

LOOK: Final = "give the token the role PVEAuditor on /"
"""The remedy where the token may not look."""

V = TypeVar("V")


class Answer(Protocol):
    """What a poll reads: a value that says itself what of it could not be had."""

    @property
    def problems(self) -> tuple[str, ...]:
        """In words."""
        ...


A = TypeVar("A", bound=Answer)


class PveApi:
    """One cluster's API nodes, as one source asks them."""

    def __init__(
        self,
        config: ProxmoxConfig,
        source: str,
        *,
        deadline_s: float,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source` is the asking source's name, `deadline_s` what one call may take.

        Raises SecretError where the config's reference is not one.
        """
        self.config = config
        self._source = source
        self._deadline_s = deadline_s
        self._clock = clock
        self._secret = Secret(config.token_secret)
        self._pool = CallPool(THREADS, f"pve-{config.name}")
        self._apis: dict[str, tuple[Any, Any]] = {}
        """Each API node's client and the session below it."""
        self._failover = Failover(config.hosts, what="API node", stop_at=_LOGIN, monotonic=monotonic)
        self._asked = 0

    async def poll(self, read: Callable[[str], Awaitable[A]]) -> Reading[A]:
        """Have `read` ask one API node after the other until it gives a value. Never raises.

        API nodes that are down are passed over with a warning.
        """
        began, self._asked = time.perf_counter(), 0
        asked = await self._failover.ask(read, self.failure)
        if asked.failure is not None and asked.failure.kind in _LOGIN:
            self._forget_login()
        told = asked.warnings if asked.value is None else (*asked.warnings, *asked.value.problems)
        return Reading(asked.value, self._clock(), time.perf_counter() - began, asked.failure, told, self._asked)

    async def get(self, host: str, path: str, **query: str) -> Any:
        """What an API node answers for a path below /api2/json. Raises what `failure` makes words of."""
        self._asked += 1
        # The exchange ends after the deadline by itself; this ends the waiting.
        return await self.work(lambda: self._call(host, path, query))

    async def ask(self, path: str) -> Any:
        """What any API node answers for a path below /api2/json. Raises SourceError in words."""
        asked = await self._failover.ask(lambda host: self.get(host, path), self.failure)
        if asked.failure is not None:
            raise SourceError(asked.failure.kind, asked.failure.what, asked.failure.remedy)
        return asked.value

    async def send(self, method: str, path: str, data: Mapping[str, Any]) -> Any:
        """Have something done: by the first API node that can be reached, and never by a second one.

        Raises UnsentError where it is certain that no node has heard of it, and what `failure` makes words of where it
        was refused or is not known. Nothing is tried twice.
        """
        unsent: Failure | None = None
        for host in self.config.hosts:
            self._asked += 1
            try:
                return await self.work(partial(self._send, host, method, path, data))
            except Exception as error:
                failure = self.failure(error, host)
                if not never_heard(error):
                    raise
                unsent = failure
        assert unsent is not None
        raise UnsentError(unsent.kind, unsent.what, unsent.remedy)

    async def work(self, function: Callable[[], V]) -> V:
        """Run something in a thread of ours, within the deadline: ten thousand guests are more than the loop should
        turn over. Raises TimeoutError, and what the function raises."""
        return await self._pool.run(function, self._deadline_s)

    def failure(self, error: Exception, host: str) -> Failure:
        """The failure for what a call has raised."""
        failure = failure_of(error, source=self._source, where=host, deadline_s=self._deadline_s)
        if failure.kind is not FailureKind.FORBIDDEN:
            return failure
        remedy = f"check the token {self.config.token_id} and its secret, and {LOOK}"
        return replace(failure, remedy=remedy)

    def _forget_login(self) -> None:
        self._secret.forget()
        self._disconnect()

    def _disconnect(self) -> None:
        apis, self._apis = self._apis, {}
        for _, session in apis.values():
            session.close()

    def _call(self, host: str, path: str, query: Mapping[str, str]) -> Any:
        """In a worker thread: proxmoxer takes its time to import, and every call blocks."""
        return _checked(self._api(host)(path).get(**query))

    def _send(self, host: str, method: str, path: str, data: Mapping[str, Any]) -> Any:
        return _checked(getattr(self._api(host)(path), method.lower())(**data))

    def _api(self, host: str) -> Any:
        known = self._apis.get(host)
        if known is None:
            known = self._apis[host] = self._connect(host)
        return known[0]

    def _connect(self, host: str) -> tuple[Any, Any]:
        from proxmoxer import ProxmoxAPI

        from farmtui.sources.exchange import Exchange

        user, _, token_name = self.config.token_id.partition("!")
        secret = self._secret.reveal()
        if not secret.isascii() or not secret.isprintable():
            # The client would print the value in its own error.
            raise SecretError("the token's secret holds characters that no HTTP header can carry")
        exchange = Exchange(tls_context(self.config.ca_file), deadline_s=self._deadline_s)
        api = ProxmoxAPI(host, user=user, token_name=token_name, token_value=secret, verify_ssl=True)
        # There is no public way to the session, nor to give it one.
        session = api._store["session"]
        return api, exchange.settle(session)

    async def close(self) -> None:
        """Let the threads and connections go."""
        self._pool.close()
        self._disconnect()


def _checked(answer: Any) -> Any:
    if isinstance(answer, dict) and "errors" in answer and "data" not in answer:
        # What proxmoxer makes of a page of HTML that came with 200.
        raise bad_answer("the answer is not the Proxmox VE API's")
    return answer
