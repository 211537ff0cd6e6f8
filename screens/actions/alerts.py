"""Actions on alerts, silences and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from screens.actions import Scene, action, ask
from screens.alert_draft import draft_for, draft_of
from screens.alert_rows import around
from screens.silence import SilenceScreen, expire, expire_dialog
from widgets.dialog import Choice, ChoiceDialog

if TYPE_CHECKING:
    from farmtui.farm.alerts import Alert, Rule, Silence


def _alerts(scene: Scene) -> tuple[Alert, ...]:
    wanted = {subject.key for subject in scene.subjects}
    return tuple(alert for alert in scene.farm.book.alerts if alert.fingerprint in wanted) if scene.farm.book else ()


def _silences(scene: Scene) -> tuple[Silence, ...]:
    """The silence that is selected, or those that quiet the selected alerts."""
    if scene.farm.book is None:
        return ()
    if scene.subject.kind == "silence":
        wanted = {subject.key for subject in scene.subjects}
    else:
        wanted = {ident for alert in _alerts(scene) for ident in alert.silenced_by}
    return tuple(silence for silence in scene.farm.book.silences if silence.id in wanted)


def _no_desk(scene: Scene) -> str:
    return "" if scene.console.silences is not None else "no Alertmanager is configured"


def _cannot_silence(scene: Scene) -> str:
    return _no_desk(scene) or ("" if _alerts(scene) else "the alert is gone")


@action(
    "silence",
    "Silence",
    "Keep it quiet for a while; a preview says what else would be",
    kinds=("alert",),
    effect=True,
    order=10,
    applies=_cannot_silence,
)
def silence_alerts(scene: Scene) -> None:
    """Open the dialog over the chosen alerts."""
    scene.app.push_screen(SilenceScreen(draft_for(_alerts(scene))))


def _cannot_expire(scene: Scene) -> str:
    if problem := _no_desk(scene):
        return problem
    silences = _silences(scene)
    if not silences:
        return "no silence covers it" if scene.subject.kind == "alert" else "the silence is gone"
    return "" if any(silence.state != "expired" for silence in silences) else "it has ended already"


def _cannot_change(scene: Scene) -> str:
    if problem := _no_desk(scene):
        return problem
    if not _silences(scene):
        return "no silence covers it" if scene.subject.kind == "alert" else "the silence is gone"
    return ""


def _choose(scene: Scene, title: str, then: str) -> None:
    """Which of several silences; with one there is no question."""
    silences = _silences(scene)
    if len(silences) == 1:
        _open(scene, then, silences[0].id)
        return
    choices = [
        Choice(silence.id, f"by {silence.created_by}: {silence.comment}", ", ".join(map(str, silence.matchers)))
        for silence in silences
    ]
    ask(scene, ChoiceDialog(title, choices, heading="SILENCE"), lambda ident: _open(scene, then, ident))


def _open(scene: Scene, what: str, ident: str) -> None:
    silence = next((silence for silence in _silences(scene) if silence.id == ident), None)
    if silence is None or scene.farm.book is None:
        scene.console.say("the silence is gone", Severity.INFO)
    elif what == "expire":
        dialog = expire_dialog(silence, scene.farm.book.alerts, around(scene.farm))
        ask(scene, dialog, lambda yes: _expire(scene, ident) if yes else None)
    else:
        scene.app.push_screen(SilenceScreen(draft_of(silence, scene.farm.at, scene.farm.book.alerts)))


def _expire(scene: Scene, ident: str) -> None:
    scene.app.run_worker(expire(scene.app, ident), group=f"expire {ident}")


@action(
    "silence.expire",
    "Expire silence",
    "End the silence now, after showing what fires again",
    kinds=("alert", "silence"),
    effect=True,
    order=11,
    applies=_cannot_expire,
)
def expire_silence(scene: Scene) -> None:
    """Confirm, and end it."""
    _choose(scene, "End which silence?", "expire")


@action(
    "silence.change",
    "Alter silence",
    "Change its matchers, end or comment; an expired one begins anew",
    kinds=("alert", "silence"),
    effect=True,
    order=12,
    applies=_cannot_change,
)
def change_silence(scene: Scene) -> None:
    """Open the dialog with what it has."""
    _choose(scene, "Change which silence?", "change")


def _runbook(scene: Scene) -> str:
    if scene.subject.kind == "rule":
        rule = _rule(scene)
        return dict(rule.annotations).get("runbook_url", "") if rule else ""
    return next((url for alert in _alerts(scene) if (url := alert.annotation("runbook_url"))), "")


@action(
    "runbook.copy",
    "Runbook address",
    "Copy the address of its runbook, to open in a browser",
    kinds=("alert", "rule"),
    order=20,
    applies=lambda scene: "" if _runbook(scene) else "its rule names no runbook_url",
)
def copy_runbook(scene: Scene) -> None:
    """Copy the address."""
    scene.console.clip(_runbook(scene), "the runbook's address")


def _rule(scene: Scene) -> Rule | None:
    """The selected rule, or the one that raised the selected alert."""
    if scene.subject.kind == "rule":
        return next((rule for rule in scene.farm.rules if f"{rule.group}/{rule.name}" == scene.subject.key), None)
    names = {alert.name for alert in _alerts(scene)}
    return next((rule for rule in scene.farm.rules if rule.name in names), None)


@action(
    "copy.expression",
    "Copy expression",
    "Copy the rule's PromQL",
    kinds=("alert", "rule"),
    order=83,
    applies=lambda scene: "" if _rule(scene) else "no Prometheus tells of its rule",
)
def copy_expression(scene: Scene) -> None:
    """Copy the query."""
    rule = _rule(scene)
    if rule is not None:
        scene.console.clip(rule.query, "the expression")
