"""What DigitalOcean is told to do with a droplet or a volume: sent once, followed by the action's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal, TypeVar

from farmtui.config import DigitalOceanConfig
from farmtui.farm.reading import Failure, FailureKind
from farmtui.sources.digitalocean_api import DoApi
from farmtui.sources.errors import SourceError, UnsentError, bad_answer
from farmtui.sources.failures import causes, never_heard

T = TypeVar("T")

Resource = Literal["droplet", "volume"]
"""What can be told to act."""

RECENT: Final = 50
"""How many of a resource's newest actions are looked at."""
_SCOPES: Final = "check digitalocean.token: acting needs the scopes droplet:update and block_storage_action:create"


class DoActions:
    """One account's actions."""

    def __init__(
        self, config: DigitalOceanConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Raises SecretError where the config's reference is not one."""
        self._api = DoApi(config, clock=clock)
        self._deadline_s = config.deadline_s

    async def send(self, what: Resource, ident: str, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have an action begun; gives it as the API shows it. Nothing is sent twice.

        Raises UnsentError where nobody can have heard it, SourceError with a status of 400-499 where it was refused,
        and anything else (give it to `failure`) where what became of it is not known.
        """
        return await self._work(lambda: self._send(what, ident, {**data, "type": kind}))

    async def action(self, number: int) -> Mapping[str, Any]:
        """An action as it is now. Raises what `failure` makes words of."""
        return await self._work(lambda: _one(self._api.one(partial(self._api.connect().actions.get, number), "action")))

    async def recent(self, what: Resource, ident: str) -> list[Mapping[str, Any]]:
        """The newest actions of a droplet or a volume. Raises what `failure` makes words of."""
        return await self._work(lambda: self._recent(what, ident))

    def failure(self, error: Exception) -> Failure:
        """The failure for what a call has raised."""
        failure = self._api.failure(error)
        if failure.kind is not FailureKind.FORBIDDEN:
            return failure
        self._api.forget_login()
        return replace(failure, remedy=_SCOPES)

    async def _work(self, function: Callable[[], T]) -> T:
        return await self._api.pool.run(function, self._deadline_s)

    # -- in the worker thread -------------------------------------------------------------------

    def _send(self, what: Resource, ident: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            client = self._api.connect()
            self._api.rate.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was sent
            failure = self.failure(error)
            raise UnsentError(failure.kind, failure.what, failure.remedy) from None
        post = client.droplet_actions.post if what == "droplet" else client.volume_actions.post_by_id
        try:
            answer = post(int(ident) if what == "droplet" else ident, body=body)
        except Exception as error:
            failure = self.failure(error)
            if never_heard(error):
                raise UnsentError(failure.kind, failure.what, failure.remedy) from None
            if 400 <= (status := _status(error)) < 500:
                raise _refused(failure, what, status) from None
            raise
        if isinstance(answer, Mapping) and answer.get("id") == "not_found":
            # 404 comes back as data.
            raise SourceError(
                FailureKind.BAD_ANSWER, f"digitalocean: there is no {what} {ident}", f"look at the {what}s", status=404
            )
        return _one(answer)

    def _recent(self, what: Resource, ident: str) -> list[Mapping[str, Any]]:
        client = self._api.connect()
        listed = client.droplet_actions.list if what == "droplet" else client.volume_actions.list
        number = int(ident) if what == "droplet" else ident
        answer = self._api.one(partial(listed, number, per_page=RECENT, page=1), "actions")
        actions = answer["actions"]
        if not isinstance(actions, list):
            raise bad_answer("actions is not a list")
        return [action for action in actions if _numbered(action)]

    async def close(self) -> None:
        """Let the thread and the connections go."""
        await self._api.close()


def _numbered(action: Any) -> bool:
    return isinstance(action, Mapping) and isinstance(action.get("id"), int)


def _one(answer: Any) -> Mapping[str, Any]:
    action = answer.get("action") if isinstance(answer, Mapping) else None
    if not isinstance(action, Mapping) or not _numbered(action):
        raise bad_answer("the answer names no action")
    return action


def _status(error: Exception) -> int:
    """The HTTP status that an error of pydo's is about; 0 where it is about none."""
    found = (getattr(cause, "status_code", None) for cause in causes(error))
    return next((status for status in found if isinstance(status, int)), 0)


def _refused(failure: Failure, what: Resource, status: int) -> SourceError:
    known = failure.kind in (FailureKind.FORBIDDEN, FailureKind.RATE_LIMITED)
    remedy = failure.remedy if known else f"look at what else is being done to the {what}, and whether it is on or off"
    return SourceError(failure.kind, failure.what, remedy, failure.retry_after_s, status)
