"""Several hosts that can all tell the same: the first that answers is asked, and stays the one while it does."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from farmtui.farm.reading import Failure, FailureKind

T = TypeVar("T")

HOME_AGAIN_S: Final = 300.0
"""After this long on another host the first one is tried again."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What came of it: a value, or why there is none; `warnings` tell of hosts that were passed over."""

    value: T | None
    failure: Failure | None
    warnings: tuple[str, ...]


class Failover:
    """Hosts in the order of the config."""

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        what: str = "host",
        stop_at: frozenset[FailureKind] = frozenset(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`what` is what people call one of them; a failure of a kind in `stop_at` is the same at every host."""
        self._hosts = tuple(hosts)
        self._what = what
        self._stop_at = stop_at
        self._monotonic = monotonic
        self._index = 0
        self._moved_at = 0.0

    async def ask(
        self, read: Callable[[str], Awaitable[T]], failure_of: Callable[[Exception, str], Failure]
    ) -> Asked[T]:
        """Ask one host after the other until one answers. What `read` raises is turned into words by `failure_of`."""
        failures: list[Failure] = []
        for host in self._order():
            try:
                value = await read(host)
            except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
                failures.append(failure_of(error, host))
                if failures[-1].kind in self._stop_at:
                    break
                continue
            self._stay_with(host)
            return Asked(value, None, tuple(map(_words, failures)))
        # What stopped us came last.
        failure, told = failures[-1], tuple(map(_words, failures[:-1]))
        if told:
            others = f"another {self._what} has" if len(told) == 1 else f"{len(told)} other {self._what}s have"
            failure = replace(failure, what=f"{failure.what} ({others} failed before it)")
        return Asked(None, failure, told)

    def _order(self) -> list[str]:
        """The one that served last comes first, unless it is time to try the first of the config again."""
        if self._index and self._monotonic() - self._moved_at > HOME_AGAIN_S:
            self._index = 0
        return [*self._hosts[self._index :], *self._hosts[: self._index]]

    def _stay_with(self, host: str) -> None:
        index = self._hosts.index(host)
        if index != self._index:
            self._index, self._moved_at = index, self._monotonic()


def _words(failure: Failure) -> str:
    return f"{failure.what}; {failure.remedy}"
