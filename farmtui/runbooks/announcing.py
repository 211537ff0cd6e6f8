"""That a run of risk 3 begins is told to people: by a command, by a webhook, or else by an alert."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from farmtui.config import AnnounceConfig
from farmtui.runbooks.planned import HttpCall, PlannedStep
from farmtui.runbooks.state import Outcome, RunState
from farmtui.runbooks.steps.effect import Done, Effect, Said
from farmtui.runbooks.steps.http import HttpRequests
from farmtui.secrets import redact
from farmtui.sources.failures import failure_of

DEADLINE_S: Final = 10.0
"""For how long a run waits for its announcement, and no longer."""
ALERT_LASTS: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Announced:
    """Whether anybody was told."""

    ok: bool
    told: tuple[str, ...]
    """Each way that was tried, and how it went."""


class Alerts(Protocol):
    """The part of the Alertmanager source that is needed."""

    def raise_alert(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], starts_at: datetime, ends_at: datetime
    ) -> Awaitable[int]:
        """See `AlertmanagerSource.raise_alert`."""
        ...


class Announcer:
    """See the module."""

    def __init__(
        self, config: AnnounceConfig | None, alerts: Alerts | None, farm: str, *, deadline_s: float = DEADLINE_S
    ) -> None:
        """`alerts` is None where no Alertmanager is configured."""
        self._config = config
        self._alerts = alerts
        self._farm = farm
        self._deadline_s = deadline_s

    async def __call__(self, state: RunState) -> Announced:
        """See `Announcing`."""
        ways: dict[str, Awaitable[str]] = {}
        text = announcement(state, self._farm)
        if self._config is not None:
            if self._config.command:
                ways[f"the command {self._config.command[0]}"] = _by_command(self._config.command, text)
            if self._config.url is not None:
                ways["the webhook"] = _by_webhook(self._config.url, text)
        elif self._alerts is not None:
            ways["the Alertmanager"] = _by_alert(self._alerts, state, text)
        if not ways:
            return Announced(
                False, ("there is nobody to tell: give runbooks.announce, or alertmanager, in the config",)
            )
        problems = await asyncio.gather(*(self._tried(way) for way in ways.values()))
        told = [
            f"{name}: {problem}" if problem else f"{name} has taken it"
            for name, problem in zip(ways, problems, strict=True)
        ]
        return Announced(not all(problems), tuple(told))

    async def _tried(self, way: Awaitable[str]) -> str:
        """Why it went wrong; empty where it did not."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await way
        except TimeoutError:
            return f"no end within {self._deadline_s:g} s"


def announcement(state: RunState, farm: str) -> str:
    """What people are told, in a line."""
    who = state.confirmed_by or state.author
    if state.glass_broken:
        how = f"BREAK-GLASS on {farm}: {who.user} begins without a second person ({state.glass_broken})"
    else:
        approver = state.approved_by.user if state.approved_by else "nobody"
        how = f"Risk 3 on {farm}: {who.user}, approved by {approver}, begins"
    reason = f", because: {state.reason}" if state.reason else ""
    what = f"{state.plan.title}, on {', '.join(state.plan.targets)}"
    return redact(f"{how}: {what}{reason}. Run {state.run}, from {who.origin}")


async def _by_command(argv: Sequence[str], text: str) -> str:
    try:
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return f"it cannot be started: {error.strerror}"
    try:
        await child.communicate(f"{text}\n".encode())
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    return f"it ended with {child.returncode}" if child.returncode else ""


async def _by_webhook(url: str, text: str) -> str:
    call = HttpCall(url=url, method="POST", document={"text": text})
    step = PlannedStep(id="announcement", name="Announcement", call=call, text="")
    told = await HttpRequests().perform(Effect("", step, "", 1), _unheard)
    return "" if isinstance(told, Done) and told.outcome is Outcome.OK else told.why


async def _unheard(_: Said) -> None:
    """What a webhook answers is of no interest."""


async def _by_alert(alerts: Alerts, state: RunState, text: str) -> str:
    name, severity = ("FarmtuiBreakGlass", "critical") if state.glass_broken else ("FarmtuiDangerousRun", "warning")
    who = state.confirmed_by or state.author
    labels = {"alertname": name, "severity": severity, "run": state.run, "book": state.plan.book, "user": who.user}
    now = datetime.now(UTC)
    try:
        await alerts.raise_alert(labels, {"summary": text}, now, now + ALERT_LASTS)
    except TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is becomes words
        failure = failure_of(error, source="alertmanager")
        return f"{failure.what}; {failure.remedy}"
    return ""
