"""Silences as Alertmanager keeps them: made, changed, expired, and refused in its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

from farmtui.demo.promql.regex import regex_words
from farmtui.demo.servers.moments import parse_rfc3339, rfc3339
from farmtui.farm.expressions import Expression, ExpressionError, anchored, expression

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_ESCAPED = re.compile(r'\\([n"\\])')
_REMEMBERED_S = 5 * 86_400.0
"""For how long an expired silence is still told of: Alertmanager's data.retention, 120 h."""


class RefusedError(Exception):
    """A request that Alertmanager refuses: the status, and the body as it is sent (a text or an object)."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher on a label; regular expressions are anchored, and an absent label is the empty text."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True
    _pattern: Expression | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, name: str, value: str, *, is_regex: bool, is_equal: bool) -> Matcher:
        """A matcher with its expression compiled. Raises ExpressionError."""
        pattern = expression(value, whole=True) if is_regex else None
        return cls(name, value, is_regex, is_equal, pattern)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy it."""
        have = labels.get(self.name, "")
        found = self._pattern.found_in(have) if self._pattern else have == self.value
        return found is self.is_equal

    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"isEqual": self.is_equal, "isRegex": self.is_regex, "name": self.name, "value": self.value}


def parse_matcher(text: str) -> Matcher:
    """A matcher from `name="value"`, `name=~value` and so on. Raises RefusedError (400)."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise RefusedError(400, f"bad matcher format: {text}")
    name, operator, value = found.groups()
    if value.startswith('"'):
        inner = value[1:-1] if len(value) > 1 and value.endswith('"') else value
        if inner == value or re.search(r'(?<!\\)(?:\\\\)*"', inner):
            raise RefusedError(400, f"matcher value contains unescaped double quote: {value}")
        value = _ESCAPED.sub(lambda m: "\n" if m.group(1) == "n" else m.group(1), inner)
    try:
        return Matcher.of(name, value, is_regex=operator.endswith("~"), is_equal=operator.startswith("="))
    except ExpressionError as error:
        raise RefusedError(400, regex_words(anchored(value), error)) from None


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence. Times are Unix seconds."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    updated_at: float
    created_by: str
    comment: str

    def state(self, now: float) -> str:
        """`pending`, `active` or `expired`."""
        return "pending" if now < self.starts_at else "active" if now < self.ends_at else "expired"

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Whether it would silence an alert with these labels while it is active."""
        return all(matcher.matches(labels) for matcher in self.matchers)

    def json(self, now: float) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "status": {"state": self.state(now)},
            "updatedAt": rfc3339(self.updated_at),
            "comment": self.comment,
            "createdBy": self.created_by,
            "endsAt": rfc3339(self.ends_at),
            "matchers": [matcher.json() for matcher in self.matchers],
            "startsAt": rfc3339(self.starts_at),
        }


class Silences:
    """All silences of one Alertmanager cluster. Its ids are drawn from the seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}:silences")
        self._held: dict[str, Silence] = {}

    def put(self, body: object, now: float) -> str:
        """Make a silence, or change the one whose id the body names; gives the id that it then has.

        As in Alertmanager 0.25 a change that keeps the matchers and the start keeps the id; any other ends the former
        silence and makes a new one. Raises RefusedError.
        """
        wanted = _read(body)
        if not wanted.starts_at < wanted.ends_at:
            raise RefusedError(400, "Failed to create silence: start time must be before end time")
        if wanted.ends_at < now:
            raise RefusedError(400, "Failed to create silence: end time can't be in the past")
        if wanted.id:
            before = self._held.get(wanted.id)
            if before is None:
                raise RefusedError(404, "silence not found")
            if _in_place(before, wanted, now):
                self._held[before.id] = replace(wanted, updated_at=now)
                return before.id
            self._end(before, now)
        ident = str(UUID(int=self._random.getrandbits(128), version=4))
        self._held[ident] = replace(wanted, id=ident, starts_at=max(now, wanted.starts_at), updated_at=now)
        return ident

    def expire(self, ident: str, now: float) -> None:
        """End a silence now; one that has ended stays as it was. Raises RefusedError."""
        self._end(self.get(ident) or _unknown(), now)

    def _end(self, silence: Silence, now: float) -> None:
        match silence.state(now):
            case "active":
                self._held[silence.id] = replace(silence, ends_at=now, updated_at=now)
            case "pending":
                self._held[silence.id] = replace(silence, starts_at=now, ends_at=now, updated_at=now)

    def get(self, ident: str) -> Silence | None:
        """The silence of that id. Raises RefusedError where the id is no UUID."""
        try:
            UUID(ident)
        except ValueError:
            message = f'silenceID in path must be of type uuid: "{ident}"'
            raise RefusedError(422, {"code": 601, "message": message}) from None
        return self._held.get(ident)

    def all(self, now: float, filters: Sequence[Matcher] = ()) -> list[Silence]:
        """The silences whose matchers fit the filters: active ones first, the next to end first."""
        for silence in list(self._held.values()):
            if silence.ends_at < now - _REMEMBERED_S:
                del self._held[silence.id]
        found = [
            silence
            for silence in self._held.values()
            if all(wanted.matches({m.name: m.value for m in silence.matchers}) for wanted in filters)
        ]
        return sorted(found, key=lambda silence: _order(silence, now))

    def silencing(self, labels: Mapping[str, str], now: float) -> list[str]:
        """The ids of the active silences that cover these labels."""
        return sorted(s.id for s in self._held.values() if s.state(now) == "active" and s.covers(labels))


def _in_place(before: Silence, wanted: Silence, now: float) -> bool:
    if set(before.matchers) != set(wanted.matchers):
        return False
    match before.state(now):
        case "active":
            return int(before.starts_at) == int(wanted.starts_at)
        case "pending":
            return wanted.starts_at >= now
    return False


def _unknown() -> Silence:
    # Alertmanager's own status for it.
    raise RefusedError(500, "silence not found")


def _order(silence: Silence, now: float) -> tuple[int, float]:
    match silence.state(now):
        case "active":
            return 0, silence.ends_at
        case "pending":
            return 1, silence.starts_at
    return 2, -silence.ends_at


# -- the body of a POST


def _read(body: object) -> Silence:
    if not isinstance(body, Mapping):
        raise _unparsed(f"json: cannot unmarshal {_kind(body)} into Go value of type models.PostableSilence")
    for name in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
        if body.get(name) is None:
            raise _required(name)
    given = body["matchers"]
    if not isinstance(given, list):
        raise _unparsed(
            f"json: cannot unmarshal {_kind(given)} into Go struct field Silence.matchers of type models.Matchers"
        )
    if not given:
        raise RefusedError(422, {"code": 612, "message": "matchers in body should have at least 1 items"})
    matchers = tuple(_matcher(item, place) for place, item in enumerate(given))
    if all(matcher.matches({}) for matcher in matchers):
        raise RefusedError(400, "silence invalid: at least one matcher must not match the empty string")
    return Silence(
        id=_text(body, "id", "Silence") if body.get("id") else "",
        matchers=matchers,
        starts_at=_moment(body["startsAt"]),
        ends_at=_moment(body["endsAt"]),
        updated_at=0.0,
        created_by=_text(body, "createdBy", "Silence"),
        comment=_text(body, "comment", "Silence"),
    )


def _matcher(item: object, place: int) -> Matcher:
    if not isinstance(item, Mapping):
        raise _unparsed(f"json: cannot unmarshal {_kind(item)} into Go value of type models.Matcher")
    for name in ("isRegex", "name", "value"):
        if item.get(name) is None:
            raise _required(f"matchers.{place}.{name}")
    for name in ("isRegex", "isEqual"):
        if not isinstance(item.get(name, True), bool | None):
            raise _unparsed(
                f"json: cannot unmarshal {_kind(item[name])} into Go struct field Matcher.{name} of type bool"
            )
    name, value = _text(item, "name", "Matcher"), _text(item, "value", "Matcher")
    if not _NAME.fullmatch(name):
        raise RefusedError(400, f'silence invalid: invalid label matcher {place}: invalid label name "{name}"')
    try:
        return Matcher.of(name, value, is_regex=item["isRegex"], is_equal=item.get("isEqual") is not False)
    except ExpressionError as error:
        words = f'invalid regular expression "{value}": {regex_words(value, error)}'
        raise RefusedError(400, f"silence invalid: invalid label matcher {place}: {words}") from None


def _text(item: Mapping[str, object], name: str, model: str) -> str:
    value = item[name]
    if not isinstance(value, str):
        raise _unparsed(f"json: cannot unmarshal {_kind(value)} into Go struct field {model}.{name} of type string")
    return value


def _moment(value: object) -> float:
    try:
        return parse_rfc3339(str(value))
    except ValueError:
        raise _unparsed(f'parsing time "{value}" as "2006-01-02 15:04:05": cannot parse "{value}" as "2006"') from None


def _kind(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
    return "object"


def _unparsed(why: str) -> RefusedError:
    return RefusedError(400, {"code": 400, "message": f'parsing silence body from "" failed, because {why}'})


def _required(name: str) -> RefusedError:
    return RefusedError(422, {"code": 602, "message": f"{name} in body is required"})
