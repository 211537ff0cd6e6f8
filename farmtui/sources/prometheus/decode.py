"""Query results as plain numbers by label values: tolerant of every shape, and clean of everything that acts."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from farmtui.farm.text import clean_text

Key = tuple[str, ...]
"""The values of a figure's labels, in the catalogue's order; `()` for a single number."""

SERIES_LIMIT: Final = 200_000
"""Series that are read of one answer: four times what 50,000 sites give."""

LABEL_LIMIT: Final = 512
"""Characters kept of a label's value."""


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant query's answer. NaN is a value (no traffic); infinity is told as NaN."""

    values: Mapping[Key, float]
    problem: str = ""
    """What of it could not be read, in words; the readable part stands."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a range query's answer, by Unix time; NaN where the query has no number."""

    key: Key
    points: Mapping[float, float]


class VectorReader:
    """Reads an instant query's series one by one, as they are decoded; what it has read it does not keep.

    A series without its first label is no row and is left out. Several series with the same label values (Thanos
    without deduplication, two mgrs in one scrape interval) give the largest number.
    """

    def __init__(self, labels: Key) -> None:
        self._labels = labels
        self._values: dict[Key, float] = {}
        self._problems: dict[str, int] = {}
        self._count = 0
        self._atoms: list[Any] = []

    def read(self, series: Any) -> None:
        """Take one element of `result`."""
        self._count += 1
        if self._count > SERIES_LIMIT:
            return
        key, problem = _key(series, self._labels)
        number = None
        if key is not None:
            number, problem = _instant(series)
        if key is None or number is None:
            self._problems[problem] = self._problems.get(problem, 0) + 1
            if self._count <= 2:
                self._atoms.append(series)
            return
        known = self._values.get(key)
        # NaN compares with nothing: any other number is preferred to it.
        if known is None or known != known or number > known:
            self._values[key] = number

    def vector(self) -> Vector:
        """What was read. The client drops the result's type: a scalar looks like the two series `1.5` and `"1"`."""
        if self._count == 2 and len(self._atoms) == 2 and _is_point(self._atoms):
            number = _point(self._atoms)[1]
            return Vector({}, "its value is not a number") if number is None else _scalar(number, self._labels)
        return Vector(self._values, _told(self._problems, self._count))


def _scalar(number: float, labels: Key) -> Vector:
    return Vector({}, f"it is a single number, without the label {labels[0]}") if labels else Vector({(): number})


Lines = tuple[tuple[Line, ...], str]
"""A range query's answer: its lines, and what of it could not be read."""


def vector(result: Any, labels: Key) -> Vector:
    """An instant query's `result` as a whole; see `VectorReader`."""
    if not isinstance(result, list):
        return Vector({}, "the result is not a list of series")
    reader = VectorReader(labels)
    for series in result:
        reader.read(series)
    return reader.vector()


def matrix(result: Any, labels: Key) -> Lines:
    """A range query's `result` as lines in the order of their label values, and what could not be read."""
    if not isinstance(result, list):
        return (), "the result is not a list of series"
    problems: dict[str, int] = {}
    lines: dict[Key, dict[float, float]] = {}
    for series in result[:SERIES_LIMIT]:
        key, problem = _key(series, labels)
        points = series.get("values") if key is not None else None
        if key is None or not isinstance(points, list):
            problem = problem or "it is not a range"
            problems[problem] = problems.get(problem, 0) + 1
            continue
        line = lines.setdefault(key, {})
        for point in points:
            at, number = _point(point)
            if at is None or number is None:
                problems["a point is not a number"] = problems.get("a point is not a number", 0) + 1
                break
            line[at] = number
    told = _told(problems, len(result))
    return tuple(Line(key, lines[key]) for key in sorted(lines)), told


@functools.lru_cache(maxsize=131_072)
def _short_text(raw: str) -> str:
    if not isinstance(raw, str):
        raise TypeError("a label's value is a text")
    return clean_text(raw)


def label_text(raw: str) -> str:
    """A label's value, cleaned. The same few thousand come with every figure at every poll: they are kept.

    Raises TypeError for what is not a text.
    """
    if isinstance(raw, str) and len(raw) > LABEL_LIMIT:
        return clean_text(raw, limit=LABEL_LIMIT)
    return _short_text(raw)


def label_pairs(labels: Any) -> tuple[tuple[str, str], ...]:
    """All readable labels of a mapping as sorted pairs, cleaned."""
    if not isinstance(labels, dict):
        return ()
    return tuple(sorted((label_text(k), label_text(v)) for k, v in labels.items() if isinstance(v, str)))


def _key(series: Any, labels: Key) -> tuple[Key | None, str]:
    metric = series.get("metric") if isinstance(series, dict) else None
    if not isinstance(metric, dict):
        return None, "it has no labels" if isinstance(series, dict) else "it is not a series"
    try:
        key = tuple([label_text(metric.get(label, "")) for label in labels])
    except TypeError:
        return None, "a label is not a text"
    if labels and not key[0]:
        return None, f"it has no label {labels[0]}"
    return key, ""


def _instant(series: Mapping[str, Any]) -> tuple[float | None, str]:
    if "value" in series:
        return _point(series["value"])[1], "its value is not a number"
    if "values" in series:
        return None, "it is a range, not an instant"
    return None, "it is a histogram" if "histogram" in series else "it has no value"


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and not isinstance(value[0], (dict, list))


def _point(value: Any) -> tuple[float | None, float | None]:
    """The time and the number of `[1700000000.5, "0.25"]`; None for what is not one."""
    if not _is_point(value):
        return None, None
    at = None if isinstance(value[0], str) else _number(value[0])
    if at is None or at != at:
        return None, None
    return at, _number(value[1])


def _number(value: Any) -> float | None:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    # x/0 is no number that anyone could act on, and int() and scales break on it.
    return math.nan if math.isinf(number) else number


def _told(problems: Mapping[str, int], total: int) -> str:
    parts = [f"{count} of {total} series could not be read ({problem})" for problem, count in _first(problems.items())]
    if total > SERIES_LIMIT:
        parts.append(f"{total} series: only the first {SERIES_LIMIT} were read; narrow the query")
    return "; ".join(parts)


def _first(items: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(items, key=lambda item: -item[1])[:2]
