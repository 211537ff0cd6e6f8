"""What is known of a Ceph that does not answer: that its quorum is lost, or only that nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from farmtui.farm.ceph_detail import CephDetail, MonQuorum
from farmtui.sources.ceph_detail_commands import MonState

SAME_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Last:
    """The last good answer, and when it was taken."""

    detail: CephDetail
    at: datetime


def silent_detail(
    silent: Mapping[str, str],
    states: Sequence[MonState],
    refused: Sequence[str],
    mons: tuple[str, ...],
    last: Last | None,
) -> CephDetail:
    """A detail without health, from what mons said at their admin sockets; what was known before is kept, with its
    time.

    `silent` says for each host on which Ceph was asked how it did not answer, `refused` which mons could not be asked
    themselves, and why.
    """
    waited = f"{next(iter(silent.values()))} (on {' and '.join(silent)})"
    agreeing = [state for state in states if state.agrees]
    lost = bool(states) and not agreeing
    if agreeing:
        well = ", ".join(f"mon.{state.name}" for state in agreeing)
        why = f"{waited}, yet {well} is in quorum: the mons are overloaded or electing, or that host is slow"
    elif lost:
        told = ", ".join(f"mon.{state.name} sees state {state.state}" for state in states)
        why = f"quorum lost: {told}; {waited}"
    else:
        unasked = (
            f"their admin sockets cannot be asked ({'; '.join(refused)})" if refused else "none of them runs there"
        )
        why = f"{waited}: no quorum, or the mons cannot be reached from there; {unasked}"
    known = mons or max((state.mons for state in states), key=len, default=())
    quorum = MonQuorum(known, lost=lost, why=why, states=tuple((state.name, state.state) for state in states))
    return before_silence(next(iter(silent)), quorum, last)


def before_silence(asked: str, quorum: MonQuorum, last: Last | None) -> CephDetail:
    """What was known before Ceph fell silent, without what only holds now."""
    if last is None:
        return CephDetail(asked, quorum=quorum, problems=(quorum.why,))
    return replace(
        last.detail, asked=asked, health=None, checks=(), quorum=quorum, mgr=None, mgr_standbys=(), events=(),
        problems=(quorum.why,), known_at=last.at,
    )  # fmt: skip


def same_quorum(since: datetime | None, last: Last | None) -> datetime | None:
    """When the quorum was formed. Ceph tells its age in whole seconds: which of two it is should show as no change."""
    before = last.detail.quorum.since if last else None
    return before if since and before and abs((since - before).total_seconds()) < SAME_S else since
