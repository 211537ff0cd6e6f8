"""The config's own finding: what is not watched since its section is wrong is as unknown as what does not answer."""

from __future__ import annotations

from collections.abc import Sequence

from farmtui.farm.mistake import ConfigState
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding

SCREEN = "config"
"""The screen that lists the mistakes."""


def with_config(found: Sequence[Finding], state: ConfigState) -> tuple[Finding, ...]:
    """The farm's findings and the config's, the worst first; of those that are as bad the config's comes first."""
    if not state.mistakes:
        return tuple(found)
    return tuple(sorted((config_finding(state), *found), key=lambda finding: -finding.severity))


def config_finding(state: ConfigState) -> Finding:
    """What is wrong in the config, and what follows from it."""
    first, count = state.mistakes[0], len(state.mistakes)
    lost = list(dict.fromkeys(part for mistake in state.mistakes for part in mistake.left_out.split(", ")))
    # A section has no dot: a key that is left out has its default, a section that is left out is not watched.
    unseen = [part for part in lost if "." not in part and part != "all but the last"] if not state.kept else []
    told = [f"left out: {', '.join(lost)}"] if not state.kept and lost else []
    if state.kept:
        told.append("the config of before goes on")
    if state.locked:
        told.append("nothing can be changed until it is mended")
    more = f", and {count - 1} more" if count > 1 else ""
    where = f"line {first.line}: {first.key}: {first.what}" if first.key else first.what
    return Finding(
        key="config",
        severity=Severity.UNKNOWN if unseen else Severity.WARNING,
        title=f"config: {count} mistake{'' if count == 1 else 's'}",
        cause="; ".join((f"{where}{more}", *told)),
        evidence=(f"in {state.file}", f":{SCREEN} shows each with its line"),
        subject=(SCREEN, state.file),
        screen=SCREEN,
        part=SCREEN,
    )
