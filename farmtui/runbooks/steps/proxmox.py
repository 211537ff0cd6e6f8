"""Calls of Proxmox VE's API: a call is heard once or not at all, and the task that it starts is followed to its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from farmtui.farm.reading import Failure, FailureKind
from farmtui.runbooks.planned import PveCall
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said, Tell, Told
from farmtui.sources.errors import UnsentError

POLL_S: Final = 1.0
PATIENCE_S: Final = 60.0
"""How long an API that does not answer is asked for a task."""
_UPID: Final = re.compile(r"UPID:([^:]+):[0-9A-Fa-f:]+[^\s]*")


class Api(Protocol):
    """The part of a cluster's API that acts."""

    def send(self, method: str, path: str, data: Mapping[str, Any]) -> Awaitable[Any]:
        """See `PveApi.send`."""
        ...

    def ask(self, path: str) -> Awaitable[Any]:
        """What any API node answers for a path; raises what `failure` makes words of."""
        ...

    def failure(self, error: Exception, host: str) -> Failure:
        """See `PveApi.failure`."""
        ...


class PveTasks:
    """Steps of kind pve."""

    def __init__(
        self,
        apis: Mapping[str, Api],
        *,
        patience_s: float = PATIENCE_S,
        poll_s: float = POLL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`apis` by the clusters' names."""
        self._apis = apis
        self._patience_s = patience_s
        self._poll_s = poll_s
        self._sleep = sleep

    async def perform(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.perform`."""
        call = effect.call
        assert isinstance(call, PveCall)
        api = self._apis.get(call.cluster)
        if api is None:
            return Done(Outcome.FAILED, why=f"there is no cluster {call.cluster!r} under proxmox in the config")
        try:
            answer = await api.send(call.method, call.path, call.data)
        except UnsentError as error:
            return Done(Outcome.FAILED, why=f"{error.what}; {error.remedy}; nothing was begun")
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            failure = api.failure(error, call.cluster)
            refused = failure.kind in (FailureKind.FORBIDDEN, FailureKind.SERVER)
            words = f"{failure.what}; {failure.remedy}"
            return Done(Outcome.FAILED, why=words) if refused else Lost(f"{words}; whether it was heard is not known")
        task = _UPID.fullmatch(answer) if isinstance(answer, str) else None
        if task is None:
            return Done(Outcome.OK, why="the API has taken it")
        await tell(Said("note", task[0]))
        return await self._followed(api, task[0], tell)

    async def recover(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.recover`."""
        call = effect.call
        assert isinstance(call, PveCall)
        api = self._apis.get(call.cluster)
        if api is None or not effect.notes:
            return Lost("whether the API has heard of it is not known; see the cluster's task list")
        return await self._followed(api, effect.notes[-1], tell)

    async def stop(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.stop`."""
        call = effect.call
        assert isinstance(call, PveCall)
        api = self._apis.get(call.cluster)
        if api is None or not effect.notes:
            return Lost("whether the API has heard of it is not known; see the cluster's task list")
        try:
            await api.send("DELETE", _task(effect.notes[-1]), {})
        except Exception as error:  # noqa: BLE001 - it may have ended by itself meanwhile: that is what is asked next
            failure = api.failure(error, call.cluster)
            await tell(Said("err", f"the task was not stopped: {failure.what}\n"))
        told = await self._followed(api, effect.notes[-1], tell)
        if isinstance(told, Done) and told.outcome is Outcome.FAILED:
            return Done(Outcome.CANCELLED, why=f"stopped: {told.why}")
        return told

    async def _followed(self, api: Api, upid: str, tell: Tell) -> Told:
        """A task to its end: its name alone says nothing of its success."""
        clock = asyncio.get_running_loop().time
        answered = clock()
        while True:
            try:
                status = await api.ask(f"{_task(upid)}/status")
                answered = clock()
            except Exception as error:  # noqa: BLE001 - whatever it is becomes words
                status = {}
                if clock() - answered > self._patience_s:
                    failure = api.failure(error, "")
                    return Lost(f"{failure.what}; how the task {upid} ended is not known")
            if isinstance(status, Mapping) and status.get("status") == "stopped":
                how = str(status.get("exitstatus", "unknown"))
                # A task that only warns has done its work.
                good = how == "OK" or how.startswith("WARNINGS")
                return Done(Outcome.OK if good else Outcome.FAILED, why=f"the task ended with: {how}")
            await self._sleep(self._poll_s)


def _task(upid: str) -> str:
    return f"nodes/{upid.split(':')[1]}/tasks/{upid}"
