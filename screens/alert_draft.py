"""A silence before it exists: what it would match, until when, and which of the present alerts it would quiet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from farmtui.farm.alerts import Alert, Matcher, Silence, escaped
from farmtui.farm.state import Severity
from farmtui.farm.text import PLACEHOLDER
from farmtui.farm.units import age

PRESETS = ("1h", "2h", "4h", "8h", "24h")
"""How long one mostly silences."""

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=366)

LONG = timedelta(days=3)
"""Beyond this the dialog asks whether that is meant: a forgotten silence is an outage that nobody is told of."""

_OF_A_REPLICA = frozenset({"replica", "prometheus_replica"})
"""Labels that only say which of several Prometheus sent the alert; matching one would let the other's through."""

_IDENTITY = ("alertname", "instance", "node", "host", "nodename", "name")
"""Labels whose values are joined by `|` when several alerts are silenced together."""

_MOST_ALTERNATIVES = 24


# -- matchers -------------------------------------------------------------------------------------


def matchers_for(alerts: Sequence[Alert]) -> tuple[Matcher, ...]:
    """Matchers that cover these alerts and as few others as can be: all labels that they have in common."""
    if not alerts:
        return ()
    sets = [dict(alert.labels) for alert in alerts]
    names = [name for name in sets[0] if all(name in labels for labels in sets) and name not in _OF_A_REPLICA]
    matchers: list[Matcher] = []
    for name in sorted(names, key=lambda name: (name != "alertname", name != "instance", name)):
        values = list(dict.fromkeys(labels[name] for labels in sets))
        if len(values) == 1:
            matchers.append(_exactly(name, values[0]))
        elif name in _IDENTITY and len(values) <= _MOST_ALTERNATIVES:
            matchers.append(Matcher(name, "|".join(map(_quoted, sorted(values))), is_regex=True))
    return tuple(matchers)


def _exactly(name: str, value: str) -> Matcher:
    """An equality; where cleaning replaced characters, an expression that lets any character stand for them."""
    if PLACEHOLDER in value or "↵" in value:
        return Matcher(name, _quoted(value), is_regex=True)
    return Matcher(name, value)


def _quoted(value: str) -> str:
    """The value as a regular expression that matches only it, in the syntax that Go and Python share.

    A sign of expressions stands in brackets where it can: in quotes `[.]` reads better than a doubled backslash.
    """
    quoted = re.sub(r"[.+*?()|{}$]", r"[\g<0>]", re.sub(r"[\\^\[\]]", r"\\\g<0>", value))
    return quoted.replace(PLACEHOLDER, _ANY).replace("↵", _ANY)


_ANY = r"(.|\n)"


# -- until when -----------------------------------------------------------------------------------

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*")
_CLOCK = re.compile(r"(?:(?P<day>[a-z]+|\d{4}-\d{1,2}-\d{1,2})[ t]+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*z?")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EXAMPLES = "write 90m, 2h30m, 3d, until 09:00, mon 09:00 or 2026-11-24 09:00 (UTC)"


class EndError(ValueError):
    """A text that says no end of a silence; it says what is wrong with it and how to write one."""


def end_of(text: str, now: datetime) -> datetime:
    """When a silence that begins `now` ends: from a length (`90m`, `2h30m`, `3d`) or a moment in UTC.

    A moment without a date is the next one: `until 09:00`, `mon 09:00`, `tomorrow 09:00`. Raises EndError.
    """
    typed = " ".join(text.lower().split()).removeprefix("for ").removeprefix("until ").strip()
    if not typed:
        raise EndError(f"how long? {_EXAMPLES}")
    clock = _CLOCK.fullmatch(typed)
    end = _moment(clock, now) if clock else now + _length(typed)
    if end - now < SHORTEST:
        raise EndError("it would end in less than a minute" if end > now else f"{end:%Y-%m-%d %H:%M}Z has passed")
    if end - now > LONGEST:
        raise EndError("longer than a year: mend or remove the rule instead")
    return end


def _length(typed: str) -> timedelta:
    if typed.isdigit():
        raise EndError(f"{typed} of what? write {typed}m or {typed}h")
    seconds = 0.0
    position = 0
    while position < len(typed):
        part = _PART.match(typed, position)
        if part is None:
            raise EndError(f"{typed!r} is neither a length nor a time: {_EXAMPLES}")
        unit = part[2] if part[2] in _UNITS else _UNIT_WORDS.get(part[2].removesuffix("s"), "")
        if not unit:
            raise EndError(f"{part[2]!r} is no unit: use s, m, h, d or w")
        seconds += float(part[1]) * _UNITS[unit]
        position = part.end()
    return timedelta(seconds=min(seconds, 2 * LONGEST.total_seconds()))


_UNIT_WORDS = {
    "sec": "s", "second": "s", "min": "m", "minute": "m", "hr": "h", "hour": "h", "day": "d", "week": "w",
}  # fmt: skip


def _moment(clock: re.Match[str], now: datetime) -> datetime:
    hour, minute = int(clock["hour"]), int(clock["minute"])
    if hour > 23 or minute > 59:
        raise EndError(f"{hour}:{minute:02d} is no time of the day")
    today = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    day = clock["day"]
    if day is None:
        return today if today > now else today + timedelta(days=1)
    if day in ("today", "tomorrow"):
        return today + timedelta(days=day == "tomorrow")
    if day[0].isdigit():
        year, month, number = map(int, day.split("-"))
        try:
            return today.replace(year=year, month=month, day=number)
        except ValueError:
            raise EndError(f"there is no day {day}") from None
    wanted = next((index for index, name in enumerate(_DAYS) if len(day) >= 2 and name.startswith(day)), None)
    if wanted is None:
        raise EndError(f"{day!r} is no day: write mon, tue, ..., today, tomorrow or a date")
    end = today + timedelta(days=(wanted - today.weekday()) % 7)
    return end if end > now else end + timedelta(days=7)


# -- what it would cover --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a silence would do to the alerts that there are now."""

    covered: tuple[Alert, ...] = ()
    """Worst first; those that nobody chose before those that somebody did."""
    chosen: frozenset[str] = frozenset()
    """Fingerprints of the alerts that the dialog was opened for."""
    missed: tuple[Alert, ...] = ()
    """Chosen alerts that would go on."""
    total: int = 0

    @property
    def beyond(self) -> tuple[Alert, ...]:
        """Covered alerts that were not chosen and that fire now; none where nothing in particular was chosen."""
        if not self.chosen:
            return ()
        return tuple(a for a in self.covered if a.fingerprint not in self.chosen and not a.suppressed)

    @property
    def everything(self) -> bool:
        """Whether no alert would be left, of several that there are."""
        return len(self.covered) == self.total > 1


class Preview:
    """Works out coverages over one set of alerts; it reads their labels once, since each keystroke asks anew."""

    def __init__(self, alerts: Iterable[Alert]) -> None:
        self._alerts = [(alert, dict(alert.labels)) for alert in alerts]

    def of(self, matchers: Sequence[Matcher], chosen: frozenset[str] = frozenset()) -> Coverage:
        """What these matchers cover; no matchers cover nothing, since Alertmanager would refuse them."""
        # Equalities fail fastest.
        tests = sorted(matchers, key=lambda matcher: matcher.is_regex)
        covered = [alert for alert, labels in self._alerts if tests and all(test.matches(labels) for test in tests)]
        found = {alert.fingerprint for alert in covered}
        covered.sort(key=lambda a: (a.fingerprint in chosen, a.suppressed, -a.severity, a.name, a.labels))
        missed = tuple(a for a, _ in self._alerts if a.fingerprint in chosen and a.fingerprint not in found)
        return Coverage(tuple(covered), chosen, missed, len(self._alerts))


def matches_nothing_in_particular(matchers: Sequence[Matcher]) -> bool:
    """Whether every matcher also matches an absent label; Alertmanager refuses such a silence."""
    return all(matcher.matches({}) for matcher in matchers)


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to think of before a silence is made. A loud one asks for a second confirmation."""

    severity: Severity
    text: str
    loud: bool = False


def cautions(coverage: Coverage, length: timedelta | None, book_age_s: float | None) -> tuple[Caution, ...]:
    """What to think of, worst first. `book_age_s` is given while the list of alerts is not live."""
    found: list[Caution] = []
    beyond = coverage.beyond
    critical = [alert for alert in beyond if alert.severity is Severity.CRITICAL]
    if coverage.everything:
        # Somebody who marked all of them knows; a pattern that happens to match all is another matter.
        loud = bool(beyond) or not coverage.chosen
        worst = Severity.CRITICAL if loud else Severity.WARNING
        found.append(Caution(worst, f"covers EVERY alert there is now, all {coverage.total}", loud))
    elif critical:
        which = _names(critical)
        found.append(Caution(Severity.CRITICAL, f"{len(critical)} CRITICAL beyond the chosen: {which}", loud=True))
    elif beyond:
        found.append(Caution(Severity.WARNING, f"{len(beyond)} beyond the chosen: {_names(beyond)}"))
    if not coverage.covered:
        found.append(Caution(Severity.WARNING, "covers none of the present alerts; it would wait for such to come"))
    elif coverage.missed:
        missed = coverage.missed
        found.append(Caution(Severity.WARNING, f"{len(missed)} of the chosen would go on: {_names(missed)}"))
    if book_age_s is not None:
        found.append(Caution(Severity.UNKNOWN, f"this list of alerts is {age(book_age_s)} old"))
    if length is not None and length > LONG:
        found.append(Caution(Severity.WARNING, f"lasts {length.days} days: will somebody remember?"))
    return tuple(found)


def _names(alerts: Sequence[Alert]) -> str:
    names = list(dict.fromkeys(alert.name for alert in alerts))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


# -- the draft ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """What the dialog begins with."""

    title: str
    matchers: tuple[Matcher, ...]
    chosen: frozenset[str] = frozenset()
    until: str = "2h"
    comment: str = ""
    replaces: str = ""
    """The id of the silence that this one takes the place of; empty for a new one."""


def draft_for(alerts: Sequence[Alert]) -> Draft:
    """A new silence over these alerts."""
    names = dict.fromkeys(alert.name for alert in alerts)
    title = next(iter(names), "") if len(names) == 1 else f"{len(names)} kinds of alert"
    if len(alerts) > 1:
        title += f" ×{len(alerts)}"
    return Draft(f"Silence {title}", matchers_for(alerts), frozenset(alert.fingerprint for alert in alerts))


def draft_of(silence: Silence, now: datetime, alerts: Iterable[Alert]) -> Draft:
    """An existing silence to be changed; an expired one is made anew for two hours."""
    expired = silence.state == "expired"
    left_s = (silence.ends_at - now).total_seconds()
    return Draft(
        title=f"Silence again {silence.id[:8]}" if expired else f"Change silence {silence.id[:8]}",
        matchers=silence.matchers,
        chosen=frozenset(alert.fingerprint for alert in alerts if silence.id in alert.silenced_by),
        until="2h" if expired or left_s < 60 else f"{silence.ends_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        comment=silence.comment,
        replaces="" if expired else silence.id,
    )


def fires_again(silence: Silence, alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """The alerts that only this silence keeps quiet."""
    return tuple(a for a in alerts if a.silenced_by == (silence.id,) and not a.inhibited_by)


def labels_text(labels: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """Labels as PromQL has them: `{alertname="TargetDown",tier="app"}`."""
    pairs = labels.items() if isinstance(labels, Mapping) else labels
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in pairs) + "}"
