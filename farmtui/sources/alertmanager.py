"""Alertmanager v2: every replica is asked at once and merged; silences are made and ended at one of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from farmtui.config import AlertmanagerConfig
from farmtui.farm.alerts import AlertBook, AlertmanagerState, Matcher, Silence
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.text import clean_text
from farmtui.secrets import SecretError
from farmtui.sources.alertmanager_decode import Held, alert_rows, decode_status, merge, silence_rows
from farmtui.sources.errors import SourceError, bad_answer, host_of
from farmtui.sources.failures import failure_of, never_heard
from farmtui.sources.http import HttpClient

REQUESTS = 3
"""Of each replica in a cycle: alerts, silences, status."""


class UnknownOutcomeError(SourceError):
    """A change that may or may not have happened: it is never sent again by itself."""


class AlertmanagerSource:
    """All replicas of one Alertmanager cluster."""

    kind = "alertmanager"

    def __init__(
        self, config: AlertmanagerConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = "alertmanager"
        self.endpoint = ", ".join(host_of(url) for url in config.urls)
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        self._client = HttpClient(config)
        self._alive: list[str] = list(config.urls)

    async def poll(self) -> Reading[AlertBook]:
        """Ask every replica; one that fails is a warning, all of them a failure. Never raises."""
        began = time.perf_counter()
        before = self._client.sent
        answers = await asyncio.gather(*(self._replica(url) for url in self._config.urls))
        taken_at = self._clock()
        duration = time.perf_counter() - began
        asked = self._client.sent - before
        held = [answer for answer in answers if isinstance(answer, Held)]
        failures = {url: a for url, a in zip(self._config.urls, answers, strict=True) if isinstance(a, Failure)}
        self._alive = [one.state.url for one in held] or list(self._config.urls)
        if not held:
            return Reading(None, taken_at, duration, failure=_worst(list(failures.values())), requests=asked)
        down = [AlertmanagerState(url, up=False, problem=failure.what) for url, failure in failures.items()]
        warnings = [f"{failure.what}; {failure.remedy}" for failure in failures.values()]
        warnings += [problem for one in held for problem in one.problems]
        del answers  # `held` alone holds them now: who merges them lets go of them
        book = await asyncio.to_thread(_merged, held, down)
        return Reading(book, taken_at, duration, warnings=tuple(warnings), requests=asked)

    async def _replica(self, url: str) -> Held | Failure:
        where = host_of(url)
        alerts, silences = alert_rows(where), silence_rows(where)
        try:
            # What is still asked when one part has failed is given up with it.
            async with asyncio.TaskGroup() as parts:
                alerts_answer = parts.create_task(self._client.json(f"{url}/api/v2/alerts", each=alerts))
                silences_answer = parts.create_task(self._client.json(f"{url}/api/v2/silences", each=silences))
                status_answer = parts.create_task(self._client.json(f"{url}/api/v2/status"))
            state = decode_status(status_answer.result(), url)
            found = alerts.all(alerts_answer.result()), silences.all(silences_answer.result())
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            return failure_of(error, source="alertmanager", where=url, deadline_s=self._config.deadline_s)
        return Held(state, *found, tuple(problem for problem in (alerts.problem, silences.problem) if problem))

    async def create_silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
        id: str | None = None,  # noqa: A002 - Alertmanager's name
    ) -> str:
        """Create a silence, or change the one with this id; gives its id.

        Sent to one replica, which tells the others. The next is tried only when it is certain that the first has not
        got it (no connection came about). Raises UnknownOutcomeError where nobody knows whether it was made. All else
        that is raised means that it was not: SourceError where it was refused, SecretError where our login cannot be
        had, what aiohttp raises where no replica could be reached. Only an answer without an id (SourceError of kind
        BAD_ANSWER) means that it was taken.
        """
        body: dict[str, Any] = {
            "matchers": [
                {"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal} for m in matchers
            ],
            "startsAt": _rfc3339(starts_at),
            "endsAt": _rfc3339(ends_at),
            "createdBy": created_by,
            "comment": comment,
        }
        if id is not None:
            body["id"] = id
        try:
            answer = await self._send("POST", "/api/v2/silences", body)
        except UnknownOutcomeError:
            found = await self._find(matchers, ends_at, created_by, comment)
            if found:
                return found
            raise
        ident = answer.get("silenceID") if isinstance(answer, Mapping) else None
        if not isinstance(ident, str):
            raise bad_answer("the silence was taken, but the answer does not name it: look at the silences")
        return clean_text(ident)

    async def expire_silence(self, id: str) -> None:  # noqa: A002 - Alertmanager's name
        """End a silence now; ending one that has ended or is gone changes nothing. Raises as `create_silence` does."""
        try:
            await self._send("DELETE", f"/api/v2/silence/{quote(id, safe='')}", None)
        except UnknownOutcomeError:
            # One that nobody holds any more is an error 500 to Alertmanager.
            if not await self._has_ended(id):
                raise

    async def raise_alert(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], starts_at: datetime, ends_at: datetime
    ) -> int:
        """Tell every replica of an alert of ours, as Prometheus does: they do not tell each other of alerts.

        Gives how many have taken it. Where none has, raises what the first has answered; give it to `failure_of`.
        """
        body = [{
            "labels": dict(labels), "annotations": dict(annotations),
            "startsAt": _rfc3339(starts_at), "endsAt": _rfc3339(ends_at),
        }]  # fmt: skip
        asked = (self._client.json(f"{url}/api/v2/alerts", method="POST", body=body) for url in self._config.urls)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        if len(errors) == len(answers):
            raise errors[0]
        return len(answers) - len(errors)

    async def _send(self, method: str, path: str, body: object) -> Any:
        unsent: Exception | None = None
        for url in self._alive:
            try:
                return await self._client.json(f"{url}{path}", method=method, body=body)
            except Exception as error:
                if _was_refused(error):
                    raise
                if never_heard(error):
                    unsent = error
                    continue
                failure = failure_of(error, source="alertmanager", where=url, deadline_s=self._config.deadline_s)
                raise UnknownOutcomeError(failure.kind, failure.what, failure.remedy) from error
        assert unsent is not None
        raise unsent

    async def _find(self, matchers: Sequence[Matcher], ends_at: datetime, created_by: str, comment: str) -> str:
        """The id of a silence just like ours, where a replica holds one: the lost answer meant yes."""
        reading = await self.poll()
        for silence in reading.value.silences if reading.value else ():
            if _same(silence, matchers, ends_at, created_by, comment):
                return silence.id
        return ""

    async def _has_ended(self, ident: str) -> bool:
        """Whether the replicas agree that a silence is over: one of them says so, or all were asked and none has it."""
        book = (await self.poll()).value
        if book is None:
            return False
        state = next((silence.state for silence in book.silences if silence.id == ident), "")
        return state == "expired" or (not state and all(replica.up for replica in book.replicas))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _was_refused(error: Exception) -> bool:
    """Whether it is certain that nothing was changed: the server said no, or our own side never got to ask."""
    if isinstance(error, SecretError):
        return True
    return isinstance(error, SourceError) and (400 <= error.status < 500 or error.kind is FailureKind.CONFIG)


def _same(silence: Silence, matchers: Sequence[Matcher], ends_at: datetime, created_by: str, comment: str) -> bool:
    return (
        silence.state != "expired"
        and set(silence.matchers) == set(matchers)
        and (silence.created_by, silence.comment) == (created_by, comment)
        and abs((silence.ends_at - ends_at).total_seconds()) < 1
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _merged(held: list[Held], down: list[AlertmanagerState]) -> AlertBook:
    """One book of all that is held, off the loop: so many alerts take a while, and just as long to be let go of."""
    book = merge(held, down)
    held.clear()
    return book


def _worst(failures: list[Failure]) -> Failure:
    """The failure that says most: a login that is refused wants a person, a timeout may pass."""
    order = (FailureKind.FORBIDDEN, FailureKind.CONFIG, FailureKind.TLS, FailureKind.RATE_LIMITED)
    return min(failures, key=lambda failure: order.index(failure.kind) if failure.kind in order else len(order))
