"""Alertmanager's answers in the farm's terms, whatever they hold, and several replicas' merged into one book."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from farmtui.farm.alerts import Alert, AlertBook, AlertmanagerState, Matcher, Silence
from farmtui.farm.text import clean_text
from farmtui.sources.errors import bad_answer

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


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


def decode_alerts(answer: Any, replica: str, problems: list[str]) -> tuple[tuple[Alert, datetime], ...]:
    """The alerts; one that cannot be read is counted in `problems` and the others go on. Raises SourceError."""
    return tuple(_each(answer, "alerts", replica, problems, _alert))


def decode_silences(answer: Any, replica: str, problems: list[str]) -> tuple[tuple[Silence, datetime], ...]:
    """The silences, as `decode_alerts`."""
    return tuple(_each(answer, "silences", replica, problems, _silence))


def _each(answer: Any, what: str, replica: str, problems: list[str], one: Any) -> Iterable[Any]:
    if not isinstance(answer, list):
        raise bad_answer(f"/api/v2/{what} is not a list")
    unread = 0
    for item in answer:
        try:
            yield one(item, replica)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            unread += 1
    if unread:
        problems.append(f"{unread} of {len(answer)} {what} of {replica} could not be read")


def _alert(item: Any, replica: str) -> tuple[Alert, datetime]:
    labels = _pairs(item["labels"])
    status = _mapping(item.get("status"))
    fingerprint = _text(item.get("fingerprint")) or repr(labels)
    receivers = item.get("receivers")
    alert = Alert(
        fingerprint=fingerprint,
        labels=labels,
        annotations=_pairs(item.get("annotations") or {}, multiline=True),
        state=_text(status.get("state")) or "unprocessed",
        starts_at=moment(item["startsAt"]),
        ends_at=moment(item["endsAt"]) if item.get("endsAt") else None,
        silenced_by=_texts(status.get("silencedBy")),
        inhibited_by=_texts(status.get("inhibitedBy")),
        receivers=tuple(_text(r.get("name")) for r in receivers) if isinstance(receivers, list) else (),
        generator_url=_text(item.get("generatorURL")),
        replicas=(replica,),
    )
    return alert, moment(item["updatedAt"]) if item.get("updatedAt") else _NEVER


def _silence(item: Any, replica: str) -> tuple[Silence, datetime]:
    silence = Silence(
        id=_text(item["id"]),
        state=_text(_mapping(item.get("status")).get("state")),
        matchers=tuple(
            Matcher(
                _text(m["name"]), clean_text(str(m["value"])), bool(m.get("isRegex")), m.get("isEqual") is not False
            )
            for m in item["matchers"]
        ),
        created_by=_text(item.get("createdBy")),
        comment=clean_text(str(item.get("comment") or ""), multiline=True),
        starts_at=moment(item["startsAt"]),
        ends_at=moment(item["endsAt"]),
        replicas=(replica,),
    )
    return silence, moment(item["updatedAt"]) if item.get("updatedAt") else _NEVER


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
    ordered = sorted((pair[0] for pair in alerts.values()), key=lambda a: (-a.severity, a.starts_at, a.fingerprint))
    return AlertBook(tuple(ordered), tuple(pair[0] for pair in silences.values()), tuple(states))


def _joined(a: tuple[Alert, datetime], b: tuple[Alert, datetime]) -> tuple[Alert, datetime]:
    newest, updated = max((a, b), key=lambda pair: pair[1])
    return replace(
        newest,
        receivers=tuple(dict.fromkeys((*a[0].receivers, *b[0].receivers))),
        replicas=tuple(dict.fromkeys((*a[0].replicas, *b[0].replicas))),
    ), updated


def moment(text: Any) -> datetime:
    """An RFC 3339 time, with nanoseconds or without. Raises ValueError."""
    found = _TIME.fullmatch(str(text).strip())
    if found is None:
        raise ValueError("not an RFC 3339 time")
    base, fraction, zone = found.groups()
    micros = (fraction or "0")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{base.replace(' ', 'T').upper()}.{micros}{zone.upper().replace('Z', '+00:00')}")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in value) if isinstance(value, list) else ()


def _pairs(value: Any, *, multiline: bool = False) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise TypeError("labels are not a mapping")
    return tuple(sorted((clean_text(str(k)), clean_text(str(v), multiline=multiline)) for k, v in value.items()))
