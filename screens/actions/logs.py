"""The log of whatever is selected: reading changes nothing, so it is no effect."""

from __future__ import annotations

from screens.actions import Scene, action
from screens.log_targets import KINDS, log_of, subject_of


def _no_log(scene: Scene) -> str:
    if refusal := scene.console.logs.refusal:
        return refusal
    known = log_of(scene.farm, scene.console.findings, scene.subject)
    return "" if known is not None else "no machine or service of the farm is known by it"


@action("logs", "Log", "Read its log by ssh, and follow it", kinds=KINDS, order=24, applies=_no_log)
def open_log(scene: Scene) -> None:
    """Open the log."""
    target = log_of(scene.farm, scene.console.findings, scene.subject)
    if target is not None:
        scene.console.open(subject_of(target))
