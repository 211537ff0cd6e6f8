"""What Ceph answers, in the farm's terms, whatever it holds: what its commands and PVE's API give alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from farmtui.farm.ceph_detail import CheckDetail, MdsRank, PgSummary, ProgressEvent
from farmtui.farm.cluster import CephDaemon
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Severity
from farmtui.sources.errors import SourceError
from farmtui.sources.json_values import count, elements, flag, mapping, number, text

CHECKS: Final = 200
LINES: Final = 60
"""Lines of detail kept of a check; Ceph itself cuts at 50 by default."""
DAEMONS: Final = 2_000
STATES: Final = 100
EVENTS: Final = 20
WORDS: Final = 300
"""Characters kept of a summary, a line of detail, an event."""
NAME: Final = 120

HEALTH: Final = {"HEALTH_OK": Severity.OK, "HEALTH_WARN": Severity.WARNING, "HEALTH_ERR": Severity.CRITICAL}
_BAR: Final = re.compile(r"\s*\[[=.>\s]*\]\s*")
_FLAGS: Final = re.compile(r"([a-z_,-]+) flag\(s\) set")
_VERSION: Final = re.compile(r"ceph version (\S+)")


@dataclass(frozen=True, slots=True)
class Health:
    """The cluster's health and all of its checks, the worst first."""

    health: Severity | None
    checks: tuple[CheckDetail, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """The cluster flags that are set: a check of their own names them."""
        said = next((check.summary for check in self.checks if check.name == "OSDMAP_FLAGS"), "")
        found = _FLAGS.match(said)
        return tuple(sorted(filter(None, found[1].split(",")))) if found else ()


@dataclass(frozen=True, slots=True)
class Status:
    """`ceph status`. A part that it does not hold is None or empty."""

    fsid: str
    health: Health
    """Without lines of detail, where the ceph command tells it."""
    members: tuple[str, ...]
    """The mons in quorum."""
    quorum_since: datetime | None
    mgr_available: bool | None
    ranks: tuple[MdsRank, ...]
    """Only those with a rank."""
    standbys: int | None
    """How many MDSs stand by."""
    rgws: tuple[CephDaemon, ...]
    pgs: PgSummary | None
    events: tuple[ProgressEvent, ...]
    maps: tuple[object, ...]
    """Changes when daemons come or go that the status itself does not name."""


def decode_health(answer: Any) -> Health:
    """`ceph health detail`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("checks"), Mapping):
        raise unreadable("the answer is no health of Ceph")
    return _health(answer)


def _health(answer: Mapping[str, Any]) -> Health:
    checks = [_check(name, mapping(check)) for name, check in list(mapping(answer.get("checks")).items())[:CHECKS]]
    checks.sort(key=lambda check: (check.muted, -check.severity, check.name))
    # A word that Ceph has not had so far is not known to be well.
    return Health(HEALTH.get(text(answer.get("status"))), tuple(checks))


def _check(name: Any, check: Mapping[str, Any]) -> CheckDetail:
    lines = elements(check.get("detail"))
    kept = [text(mapping(line).get("message"), WORDS) for line in lines[:LINES]]
    return CheckDetail(
        name=text(name, NAME) or "?",
        severity=HEALTH.get(text(check.get("severity")), Severity.WARNING) or Severity.INFO,
        summary=text(mapping(check.get("summary")).get("message"), WORDS),
        lines=tuple(filter(None, kept)),
        muted=flag(check.get("muted")) is True,
        lines_left=len(lines[LINES:]),
    )


def decode_status(answer: Any, now: datetime) -> Status:
    """`ceph status`, asked at `now`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not any(isinstance(answer.get(k), Mapping) for k in ("pgmap", "osdmap")):
        raise unreadable("the answer is no status of Ceph")
    monmap, mgrmap, fsmap = (mapping(answer.get(name)) for name in ("monmap", "mgrmap", "fsmap"))
    members = tuple(filter(None, (text(name, NAME) for name in elements(answer.get("quorum_names"))[:DAEMONS])))
    age_s = number(answer.get("quorum_age"))
    return Status(
        fsid=text(answer.get("fsid"), NAME),
        health=_health(mapping(answer.get("health"))),
        members=members,
        quorum_since=_before(now, age_s),
        mgr_available=flag(mgrmap.get("available")),
        ranks=_ranks(fsmap),
        standbys=count(fsmap.get("up:standby")),
        rgws=_rgws(answer),
        pgs=decode_pgs(answer.get("pgmap")),
        events=_events(answer.get("progress_events")),
        maps=(
            members,
            number(monmap.get("epoch")),
            number(answer.get("election_epoch")),
            number(mgrmap.get("num_standbys")),
            number(fsmap.get("epoch")),
            number(mapping(answer.get("osdmap")).get("num_osds")),
        ),
    )


def _before(now: datetime, age_s: float | None) -> datetime | None:
    try:
        return None if age_s is None or age_s < 0 else now - timedelta(seconds=age_s)
    except OverflowError:
        return None


def decode_pgs(answer: Any) -> PgSummary | None:
    """`pgmap` of a status; None where there is none."""
    pgmap = mapping(answer)
    total = count(pgmap.get("num_pgs"))
    if total is None:
        return None
    states: Counter[str] = Counter()
    for entry in elements(pgmap.get("pgs_by_state"))[:STATES]:
        groups = count(mapping(entry).get("count")) or 0
        # A state twice in one name (`clean+clean`) would be nonsense; once is what it means.
        for state in dict.fromkeys(text(mapping(entry).get("state_name"), NAME).split("+")):
            if state:
                states[state] += groups
    return PgSummary(
        total=total,
        states=tuple(sorted(states.items(), key=lambda item: (-item[1], item[0]))[:STATES]),
        objects_degraded=number(pgmap.get("degraded_objects")) or 0.0,
        objects_misplaced=number(pgmap.get("misplaced_objects")) or 0.0,
        objects_unfound=number(pgmap.get("unfound_objects")) or 0.0,
        recovering_bytes_per_s=number(pgmap.get("recovering_bytes_per_sec")) or 0.0,
        recovering_objects_per_s=number(pgmap.get("recovering_objects_per_sec")) or 0.0,
        total_bytes=number(pgmap.get("bytes_total")),
        used_bytes=number(pgmap.get("bytes_used")),
    )


def _ranks(fsmap: Mapping[str, Any]) -> tuple[MdsRank, ...]:
    found = []
    for entry in elements(fsmap.get("by_rank"))[:DAEMONS]:
        mds = mapping(entry)
        # The id stands for the file system's name, which a status does not tell.
        ident = number(mds.get("filesystem_id"))
        found.append(
            MdsRank(
                filesystem="" if ident is None else f"{ident:g}",
                rank=count(mds.get("rank")),
                name=text(mds.get("name"), NAME),
                state=mds_state(mds.get("status")),
            )
        )
    return tuple(sorted(found, key=lambda mds: (mds.filesystem, -1 if mds.rank is None else mds.rank, mds.name)))


def mds_state(value: Any) -> str:
    """An MDS's state as all tell it: `up:active(laggy or crashed)` and `active(laggy)` are `active (laggy)`."""
    state, laggy, _ = text(value, NAME).partition("(")
    state = state.strip().removeprefix("up:") or "unknown"
    return f"{state} (laggy)" if laggy else state


def _rgws(answer: Mapping[str, Any]) -> tuple[CephDaemon, ...]:
    daemons = mapping(mapping(mapping(mapping(answer.get("servicemap")).get("services")).get("rgw")).get("daemons"))
    found = []
    for key, entry in list(daemons.items())[:DAEMONS]:
        told = mapping(mapping(entry).get("metadata"))
        if told:
            name = text(told.get("id"), NAME) or text(key, NAME)
            found.append(CephDaemon(f"rgw.{name}", text(told.get("hostname"), NAME), "up", well=True))
    return tuple(sorted(found, key=lambda daemon: daemon.name))


def _events(answer: Any) -> tuple[ProgressEvent, ...]:
    found = []
    for entry in list(mapping(answer).values())[:EVENTS]:
        event = mapping(entry)
        # Ceph has drawn a bar in its own message.
        words = text(_BAR.sub(" ", str(event.get("message", ""))[: 10 * WORDS]), WORDS)
        ratio = number(event.get("progress"))
        if words:
            found.append(ProgressEvent(words, None if ratio is None else min(max(ratio, 0.0), 1.0)))
    return tuple(sorted(found, key=lambda event: event.message))


def named_filesystems(ranks: Sequence[MdsRank], clients: Sequence[tuple[str, int | None]]) -> tuple[MdsRank, ...]:
    """The ranks with their file systems' names and clients in place of ids, where it is certain which is which.

    `clients` are the file systems in the order of their ids, as Ceph lists them.
    """
    ids = sorted({mds.filesystem for mds in ranks if mds.filesystem}, key=lambda ident: (len(ident), ident))
    names = dict(zip(ids, clients, strict=True)) if len(ids) == len(clients) else {}
    found = []
    for mds in ranks:
        name, number_of = names.get(mds.filesystem, ("", None))
        found.append(replace(mds, filesystem=name, clients=number_of))
    return tuple(found)


def unreadable(what: str) -> SourceError:
    """The error for an answer that came and is not what Ceph would say."""
    return SourceError(
        FailureKind.BAD_ANSWER,
        what,
        "see there what it says; if that is well, farmtui may not know this version of Ceph",
    )


def short_version(value: Any) -> str:
    """`16.2.15` of `ceph version 16.2.15 (618f44...) pacific (stable)`."""
    told = text(value, NAME)
    found = _VERSION.match(told)
    return found[1] if found else told


def by_version(found: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Versions with their daemons, most first."""
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:STATES])
