"""Alertmanager's answers in the farm's terms, whatever they hold, and several replicas' merged into one book."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from farmtui.farm.alerts import Alert, AlertBook, AlertmanagerState, Matcher, Silence
from farmtui.farm.text import clean_text
from farmtui.sources.errors import bad_answer

T = TypeVar("T")

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RUN: Final = 2_000
"""Alerts that are sorted in one go: a millisecond or two in which no other thread, the screen's among them, turns."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one replica holds. Alerts and silences come with the time of their last update."""

    state: AlertmanagerState
    alerts: tuple[tuple[Alert, datetime], ...]
    silences: tuple[tuple[Silence, datetime], ...]
    problems: tuple[str, ...] = ()


def decode_status(answer: Any, url: str) -> AlertmanagerState:
    """The replica's version and cluster. Raises SourceError where it is no Alertmanager's answer."""
    if not isinstance(answer, Mapping) or "cluster" not in answer:
        raise bad_answer("/api/v2/status is not an Alertmanager's")
    cluster, version = _mapping(answer["cluster"]), _mapping(answer.get("versionInfo"))
    peers = cluster.get("peers")
    return AlertmanagerState(
        url=url,
        up=True,
        version=_text(version.get("version")),
        cluster=_text(cluster.get("status")),
        peers=len(peers) if isinstance(peers, list) else 0,
    )


class Rows(Generic[T]):
    """Reads the elements of one list as they are decoded; one that cannot be read is counted, and the others go on."""

    def __init__(self, what: str, replica: str, read: Callable[[Any, str], T]) -> None:
        """`what` they are, in words and in the address; `read` makes a value of one element, or raises."""
        self._what = what
        self._replica = replica
        self._read = read
        self._unread = 0

    def __call__(self, item: Any) -> T | None:
        """What an element means; None where it cannot be read. Never raises."""
        try:
            return self._read(item, self._replica)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            self._unread += 1
            return None

    def all(self, answer: Any) -> tuple[T, ...]:
        """The readable ones of an answer whose elements went through here. Raises SourceError where it is no list."""
        if not isinstance(answer, list):
            raise bad_answer(f"/api/v2/{self._what} is not a list")
        found = tuple(item for item in answer if item is not None)
        if answer and not found:
            raise bad_answer(f"nothing in /api/v2/{self._what} could be read")
        return found

    @property
    def problem(self) -> str:
        """What could not be read, in words; empty where everything could."""
        return f"{self._unread} of the {self._what} of {self._replica} could not be read" if self._unread else ""


def alert_rows(replica: str) -> Rows[tuple[Alert, datetime]]:
    """Reads /api/v2/alerts: each alert with the time of its last update."""
    return Rows("alerts", replica, _alert)


def silence_rows(replica: str) -> Rows[tuple[Silence, datetime]]:
    """Reads /api/v2/silences: each silence with the time of its last update."""
    return Rows("silences", replica, _silence)


def _alert(item: Any, replica: str) -> tuple[Alert, datetime]:
    labels = _pairs(item["labels"])
    status = _mapping(item.get("status"))
    fingerprint = _text(item.get("fingerprint")) or repr(labels)
    receivers = item.get("receivers")
    updated = _time(item.get("updatedAt")) or _NEVER
    alert = Alert(
        fingerprint=fingerprint,
        labels=labels,
        annotations=_pairs(item.get("annotations") or {}, multiline=True),
        state=_text(status.get("state")) or "unprocessed",
        # One whose beginning is not told has begun when it was last heard of: it is no less of an alert.
        starts_at=_time(item.get("startsAt")) or updated,
        ends_at=_time(item.get("endsAt")),
        silenced_by=_texts(status.get("silencedBy")),
        inhibited_by=_texts(status.get("inhibitedBy")),
        receivers=_texts([_mapping(one).get("name") for one in receivers] if isinstance(receivers, list) else ()),
        generator_url=_text(item.get("generatorURL")),
        replicas=(replica,),
    )
    return alert, updated


def _silence(item: Any, replica: str) -> tuple[Silence, datetime]:
    silence = Silence(
        id=_text(item["id"]),
        state=_text(_mapping(item.get("status")).get("state")),
        matchers=tuple(_matcher(matcher) for matcher in item["matchers"]),
        created_by=_text(item.get("createdBy")),
        comment=clean_text(str(item.get("comment") or ""), multiline=True),
        starts_at=moment(item["startsAt"]),
        ends_at=moment(item["endsAt"]),
        replicas=(replica,),
    )
    return silence, _time(item.get("updatedAt")) or _NEVER


def _matcher(item: Any) -> Matcher:
    # Before 0.22 there was no isEqual: every matcher was an equality.
    return Matcher(
        clean_text(_string(item["name"])),
        clean_text(_string(item["value"])),
        item.get("isRegex") is True,
        item.get("isEqual") is not False,
    )


def merge(held: Sequence[Held], down: Sequence[AlertmanagerState]) -> AlertBook:
    """One book: the newest state of each alert (by fingerprint) and silence (by id), and who holds it."""
    alerts: dict[str, tuple[Alert, datetime]] = {}
    silences: dict[str, tuple[Silence, datetime]] = {}
    for one in held:
        for alert, updated in one.alerts:
            known = alerts.get(alert.fingerprint)
            alerts[alert.fingerprint] = (alert, updated) if known is None else _joined(known, (alert, updated))
        for silence, updated in one.silences:
            was = silences.get(silence.id)
            if was is None:
                silences[silence.id] = (silence, updated)
            else:
                newest = max((was, (silence, updated)), key=lambda pair: pair[1])
                both = tuple(dict.fromkeys((*was[0].replicas, *silence.replicas)))
                silences[silence.id] = (replace(newest[0], replicas=both), newest[1])
    states = sorted((*(one.state for one in held), *down), key=lambda state: state.url)
    ordered = _ordered([pair[0] for pair in alerts.values()])
    return AlertBook(tuple(ordered), tuple(pair[0] for pair in silences.values()), tuple(states))


def _ordered(alerts: Sequence[Alert]) -> Iterable[Alert]:
    """Worst first, then oldest first. Sorted in runs that are merged: one big sort would hold up every thread."""
    runs = [sorted(alerts[start : start + _RUN], key=_rank) for start in range(0, len(alerts), _RUN)]
    return heapq.merge(*runs, key=_rank)


def _rank(alert: Alert) -> tuple[int, float, str]:
    return -alert.severity, (alert.starts_at - _NEVER).total_seconds(), alert.fingerprint


def _joined(a: tuple[Alert, datetime], b: tuple[Alert, datetime]) -> tuple[Alert, datetime]:
    newest, updated = max((a, b), key=lambda pair: pair[1])
    return replace(
        newest,
        receivers=tuple(dict.fromkeys((*a[0].receivers, *b[0].receivers))),
        replicas=tuple(dict.fromkeys((*a[0].replicas, *b[0].replicas))),
    ), updated


def moment(text: Any) -> datetime:
    """An RFC 3339 time in UTC, with nanoseconds or without. Raises ValueError, or OverflowError for the year 0."""
    found = _TIME.fullmatch(str(text).strip())
    if found is None:
        raise ValueError("not an RFC 3339 time")
    base, fraction, zone = found.groups()
    micros = (fraction or "0")[:6].ljust(6, "0")
    whole = f"{base.replace(' ', 'T').upper()}.{micros}{zone.upper().replace('Z', '+00:00')}"
    return datetime.fromisoformat(whole).astimezone(UTC)


def _time(value: Any) -> datetime | None:
    """A time, or None where none is told: null, or the year 1, which is how Go says it. Raises as `moment` does."""
    if not value:
        return None
    found = moment(value)
    return None if found.year == 1 else found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for item in value if (text := _text(item))) if isinstance(value, list) else ()


def _pairs(value: Any, *, multiline: bool = False) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise TypeError("labels are not a mapping")
    return tuple(sorted((clean_text(str(k)), clean_text(str(v), multiline=multiline)) for k, v in value.items()))
