"""A trend in a few cells, on a scale that is given: two sparks in one column can be compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from textual.content import Content

from farmtui.farm.state import Severity
from widgets import ink
from widgets.glyphs import glyphs

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAT: Final = 0.1
"""What moves by a smaller share of its largest value is flat."""


def spark(
    values: Sequence[float | None],
    width: int = 12,
    *,
    low: float = 0.0,
    high: float | None = 1.0,
    severity: Severity = Severity.OK,
    style: str = "",
) -> Content:
    """The newest values in `width` cells, one level for each cell; missing values (None, NaN) are blank.

    `high` None takes the largest value seen as the top; what hardly moves is drawn at half height then, as if it were
    at no limit. Several values that fall into one cell show their largest: a peak must not be averaged away. It is
    grey, or of the colour of a severity above OK; `style` overrides both.
    """
    levels = glyphs().sparks
    buckets = _buckets(values, width)
    known = [value for value in buckets if value is not None and math.isfinite(value)]
    top = high if high is not None else _top(known)
    span = top - low
    text = "".join(
        glyphs().spark_gap if value is None else levels[_level(value, low, span, len(levels))] for value in buckets
    )
    chosen = style or (ink.SEVERITY[severity] if severity > Severity.OK else ink.MUTED)
    return Content.styled(text.rjust(width), chosen)


def _top(known: Sequence[float]) -> float:
    most = max(known, default=1.0)
    return most * 2 if known and most - min(known) < most * FLAT else most


def _buckets(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values, each the largest of its share of the points."""
    clean = [None if value is None or math.isnan(value) else value for value in values]
    count = len(clean)
    if count <= width:
        return clean
    chunks = [clean[number * count // width : (number + 1) * count // width] for number in range(width)]
    return [max((value for value in chunk if value is not None), default=None) for chunk in chunks]


def _level(value: float, low: float, span: float, levels: int) -> int:
    if math.isinf(value):
        return levels - 1 if value > 0 else 0
    share = (value - low) / span if span > 0 else 0.0
    return int(max(0.0, min(share, 0.9999)) * levels)


def tall_spark(
    values: Sequence[float | None], width: int, height: int, *, low: float = 0.0, high: float | None = None, style: str
) -> list[Content]:
    """The same over several lines, from the top: a course that is seen from afar."""
    levels = glyphs().sparks
    buckets = _buckets(values, width)
    known = [value for value in buckets if value is not None and math.isfinite(value)]
    top = high if high is not None else max(known, default=1.0)
    steps = [None if value is None else 1 + _level(value, low, top - low, len(levels) * height) for value in buckets]
    lines = []
    for line in range(height - 1, -1, -1):
        floor = line * len(levels)
        text = "".join(
            glyphs().spark_gap if step is None or step <= floor else levels[min(step - floor, len(levels)) - 1]
            for step in steps
        )
        lines.append(Content.styled(text.rjust(width), style))
    return lines
