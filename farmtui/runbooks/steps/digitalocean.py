"""DigitalOcean's actions: sent once, followed by their number, and looked for where the answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from farmtui.farm.reading import Failure, FailureKind
from farmtui.runbooks.planned import DoCall
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said, Tell, Told
from farmtui.sources.errors import SourceError, UnsentError

POLL_S: Final = 3.0
PATIENCE_S: Final = 60.0
"""How long an API that does not answer is asked for an action."""
LIMITED_S: Final = 60.0
"""The longest pause where the API has refused to be asked more often."""
TRIES: Final = 5
"""How often an action is looked for whose answer was lost: it may be listed a moment after it was taken."""
_AFTER: Final = "the newest action before it: "
_NUMBER: Final = "action "


class Api(Protocol):
    """The part of an account's API that acts."""

    def send(
        self, what: Literal["droplet", "volume"], ident: str, kind: str, data: Mapping[str, Any]
    ) -> Awaitable[Mapping[str, Any]]:
        """See `DoActions.send`."""
        ...

    def action(self, number: int) -> Awaitable[Mapping[str, Any]]:
        """See `DoActions.action`."""
        ...

    def recent(self, what: Literal["droplet", "volume"], ident: str) -> Awaitable[Sequence[Mapping[str, Any]]]:
        """See `DoActions.recent`."""
        ...

    def failure(self, error: Exception) -> Failure:
        """See `DoActions.failure`."""
        ...


class DropletActions:
    """Steps of kind do."""

    def __init__(
        self,
        api: Api | None,
        *,
        patience_s: float = PATIENCE_S,
        poll_s: float = POLL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`api` is None where no account is configured."""
        self._api = api
        self._patience_s = patience_s
        self._poll_s = poll_s
        self._sleep = sleep

    async def perform(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.perform`."""
        call, api = _call(effect), self._api
        if api is None:
            return Done(Outcome.FAILED, why="there is no digitalocean in the config")
        try:
            before = max((one["id"] for one in await api.recent(call.what, call.ident)), default=0)
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            return Done(Outcome.FAILED, why=f"{_words(api.failure(error))}; nothing was begun")
        # By numbers and not by times: the clock there is not the clock here.
        await tell(Said("note", f"{_AFTER}{before}"))
        try:
            begun = await api.send(call.what, call.ident, call.action, call.data)
        except UnsentError as error:
            return Done(Outcome.FAILED, why=f"{error.what}; {error.remedy}; nothing was begun")
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            if isinstance(error, SourceError) and 400 <= error.status < 500:
                return Done(Outcome.FAILED, why=f"{error.what}; {error.remedy}")
            return await self._searched(api, call, before, tell, _words(api.failure(error)))
        return await self._taken(api, begun, tell)

    async def recover(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.recover`."""
        call, api = _call(effect), self._api
        if api is None:
            return Lost("there is no digitalocean in the config any more")
        if not effect.notes:
            return Done(Outcome.ABSENT, why="it was not sent yet")
        number = _noted(effect, _NUMBER)
        if number is not None:
            return await self._followed(api, number)
        return await self._searched(api, call, _noted(effect, _AFTER) or 0, tell, "the runner ended as it was sent")

    async def stop(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.stop`. No action can be stopped once it is taken: this says how it stands."""
        api = self._api
        if api is None:
            return Lost("there is no digitalocean in the config any more")
        if not effect.notes:
            return Done(Outcome.CANCELLED, why="it was not sent yet")
        number = _noted(effect, _NUMBER)
        if number is None:
            return Lost("whether DigitalOcean has heard of it is not known; see the actions there")
        try:
            ended = _ended(await api.action(number))
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            return Lost(f"{_words(api.failure(error))}; how action {number} stands is not known")
        return ended or Lost(f"action {number} goes on: DigitalOcean stops none")

    async def _taken(self, api: Api, action: Mapping[str, Any], tell: Tell) -> Told:
        await tell(Said("note", f"{_NUMBER}{action['id']}"))
        return _ended(action) or await self._followed(api, action["id"])

    async def _searched(self, api: Api, call: DoCall, before: int, tell: Tell, trouble: str) -> Told:
        """An action whose answer was lost: the first of its kind that is newer than what there was before."""
        for _ in range(TRIES):
            await self._sleep(self._poll_s)
            try:
                actions = await api.recent(call.what, call.ident)
            except Exception as error:  # noqa: BLE001 - it is asked again, and then said
                trouble = _words(api.failure(error))
                continue
            newer = [one for one in actions if one["id"] > before and one.get("type") == call.action]
            if newer:
                return await self._taken(api, min(newer, key=lambda one: int(one["id"])), tell)
        return Lost(f"{trouble}; no such action is seen, and whether it was heard is not known")

    async def _followed(self, api: Api, number: int) -> Told:
        """An action to its end."""
        clock = asyncio.get_running_loop().time
        answered = clock()
        while True:
            pause_s = self._poll_s
            try:
                if ended := _ended(await api.action(number)):
                    return ended
                answered = clock()
            except Exception as error:  # noqa: BLE001 - whatever it is becomes words
                failure = api.failure(error)
                if failure.kind is FailureKind.RATE_LIMITED:
                    # It is there, and wants to be left alone for a while.
                    answered, pause_s = clock(), min(max(failure.retry_after_s or 0.0, pause_s), LIMITED_S)
                elif clock() - answered > self._patience_s:
                    return Lost(f"{_words(failure)}; how action {number} ended is not known")
            await self._sleep(pause_s)


def _call(effect: Effect) -> DoCall:
    assert isinstance(effect.call, DoCall)
    return effect.call


def _noted(effect: Effect, what: str) -> int | None:
    """The number in the last note of this kind."""
    found = [note.removeprefix(what) for note in effect.notes if note.startswith(what)]
    return int(found[-1]) if found else None


def _ended(action: Mapping[str, Any]) -> Done | None:
    """How an action ended; None while it goes on."""
    match action.get("status"):
        case "completed":
            return Done(Outcome.OK, why=f"action {action['id']} is completed")
        case "errored":
            return Done(Outcome.FAILED, why=f"action {action['id']} has failed at DigitalOcean, which does not say why")
    return None


def _words(failure: Failure) -> str:
    return f"{failure.what}; {failure.remedy}"
