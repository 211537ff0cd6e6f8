"""Silences: the one thing that this console can change at an Alertmanager, and what went wrong in words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

from farmtui.farm.actions import ActionError
from farmtui.farm.alerts import Matcher
from farmtui.farm.reading import FailureKind
from farmtui.sources.alertmanager import UnknownOutcomeError
from farmtui.sources.errors import SourceError
from farmtui.sources.failures import causes, failure_of
from farmtui.unix import unix_user


class SilenceApi(Protocol):
    """The part of the Alertmanager source that changes something."""

    def create_silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
        id: str | None = None,  # noqa: A002 - Alertmanager's name
    ) -> Awaitable[str]:
        """Create a silence, or change the one with this id; gives its id."""
        ...

    def expire_silence(self, id: str) -> Awaitable[None]:  # noqa: A002 - Alertmanager's name
        """End a silence now."""
        ...


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class AlertmanagerDesk:
    """Makes and ends silences in the name of the Unix user; afterwards Alertmanager is asked again at once."""

    def __init__(
        self,
        api: SilenceApi,
        *,
        poll: Callable[[], object],
        author: str = "",
        read_only: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`poll` asks for the next picture soon; `read_only` is why nothing may be changed, empty when it may."""
        self._api = api
        self._poll = poll
        self._author = author or unix_user()
        self._read_only = read_only
        self._clock = clock

    async def create(self, matchers: Sequence[Matcher], duration_s: float, comment: str, *, replaces: str = "") -> str:
        """Create a silence of `duration_s` seconds from now on, or change the one that it replaces; gives its id.

        Raises ActionError with what happened, whether anything was changed, and what to do.
        """
        self._check_allowed()
        if not matchers or not comment.strip() or duration_s <= 0:
            raise ActionError("a silence wants a matcher, a comment and an end that is to come; nothing was changed")
        now = self._clock()
        end = now + timedelta(seconds=duration_s)
        try:
            ident = await self._api.create_silence(
                matchers, now, end, self._author, comment.strip(), id=replaces or None
            )
        except Exception as error:
            raise ActionError(_words(error, "the silence was not made", "whether the silence was made")) from error
        finally:
            # After a failure all the more: only the next picture says what is true.
            self._poll()
        return ident

    async def expire(self, ident: str) -> None:
        """End a silence now. Raises ActionError as `create` does."""
        self._check_allowed()
        try:
            await self._api.expire_silence(ident)
        except Exception as error:
            raise ActionError(_words(error, "the silence goes on", "whether the silence has ended")) from error
        finally:
            self._poll()

    def _check_allowed(self) -> None:
        if self._read_only:
            raise ActionError(f"read-only: {self._read_only}; nothing was changed")


def make_desk(
    api: SilenceApi | None, *, poll: Callable[[], object], read_only: str = "", author: str = ""
) -> AlertmanagerDesk | None:
    """The desk over an Alertmanager source, or None where none is configured."""
    return None if api is None else AlertmanagerDesk(api, poll=poll, author=author, read_only=read_only)


class SilenceFeed(Protocol):
    """What is polled, as far as silences go."""

    @property
    def sources(self) -> Iterable[object]:
        """All sources; of kind `alertmanager` there is one at most."""
        ...

    def refresh(self) -> object:
        """Ask every source now."""
        ...


def desk_for(feed: SilenceFeed, *, read_only: str = "") -> AlertmanagerDesk | None:
    """The desk over what a feed polls; None where no Alertmanager is configured."""
    found = (source for source in feed.sources if getattr(source, "kind", "") == "alertmanager")
    return make_desk(cast("SilenceApi | None", next(found, None)), poll=feed.refresh, read_only=read_only)


_UNSENT = frozenset({FailureKind.CONFIG, FailureKind.TLS, FailureKind.FORBIDDEN})
"""Kinds of failures that come before a request is heard."""


def _words(error: Exception, undone: str, unknown: str) -> str:
    """What happened and what to do, and whether the request may have had its effect all the same."""
    if isinstance(error, SourceError):
        what, remedy = error.what, error.remedy
        certain = not isinstance(error, UnknownOutcomeError) and (400 <= error.status < 500 or error.kind in _UNSENT)
    else:
        failure = failure_of(error, source="alertmanager")
        what, remedy = failure.what, failure.remedy
        # Nobody listened, or nobody that we trust: nothing can have come of it.
        never = (ConnectionRefusedError, socket.gaierror, ssl.SSLError)
        certain = failure.kind in _UNSENT or any(isinstance(cause, never) for cause in causes(error))
    outcome = undone if certain else f"it is not known {unknown}: look at the silences before you try again"
    return f"{what}; {outcome}. {remedy[:1].upper()}{remedy[1:]}"
