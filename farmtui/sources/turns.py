"""Whose turn it is to be asked: the host that answered last, and now and then the first one again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

HOME_AGAIN_S: Final = 300.0
"""After this long on another host the first one is tried again."""


class Turns:
    """Hosts of which any one may answer for all."""

    def __init__(self, hosts: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._hosts = list(hosts)
        self._monotonic = monotonic
        self._first = 0
        self._moved_at = 0.0

    def order(self) -> list[str]:
        """The hosts in the order to try them: the one that answered last, unless it is time to try the first again."""
        if self._first and self._monotonic() - self._moved_at > HOME_AGAIN_S:
            self._first = 0
        return [*self._hosts[self._first :], *self._hosts[: self._first]]

    def stay_with(self, host: str) -> None:
        """This one has answered: it is asked first the next time."""
        index = self._hosts.index(host)
        if index != self._first:
            self._first, self._moved_at = index, self._monotonic()
