"""The filter that `/` takes, k9s's way: a regular expression, `!` for its inverse, `-l` for labels, `-f` for fuzzy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from farmtui.farm.alerts import Matcher
from farmtui.farm.expressions import Expression, ExpressionError, expression


class FilterError(ValueError):
    """A filter that cannot be read; the text says where and how to write it."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """What rows pass. An empty one passes all."""

    text: str = ""
    inverse: bool = False
    pattern: Expression | None = None
    labels: tuple[Matcher, ...] = ()
    fuzzy: str = ""

    def passes(self, text: str, labels: Mapping[str, str]) -> bool:
        """Whether a row whose visible text is `text` and whose labels are `labels` is shown."""
        if self.labels:
            return all(matcher.matches(dict(labels)) for matcher in self.labels)
        if self.fuzzy:
            return _is_subsequence(self.fuzzy, text.casefold())
        if self.pattern is None:
            return True
        return self.pattern.found_in(text) is not self.inverse

    def __bool__(self) -> bool:
        return bool(self.pattern or self.labels or self.fuzzy)


EVERYTHING = RowFilter()

_LABEL = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(=~|!~|!=|=)\s*(\"[^\"]*\"|'[^']*'|[^,\s]*)\s*(?:,|$)")


def parse_filter(text: str) -> RowFilter:
    """Read what was typed after `/`. Matching ignores case unless the expression has a capital. Raises FilterError."""
    typed = text.strip()
    if not typed:
        return EVERYTHING
    if typed == "-l" or typed.startswith("-l "):
        return RowFilter(text=typed, labels=_parse_labels(typed[2:].strip()))
    if typed == "-f" or typed.startswith("-f "):
        letters = typed[2:].strip().casefold()
        if not letters:
            raise FilterError("-f wants letters that follow one another: -f wrk7")
        return RowFilter(text=typed, fuzzy=letters)
    inverse = typed.startswith("!")
    wanted = typed[1:].strip() if inverse else typed
    if not wanted:
        raise FilterError("! wants an expression whose rows are to be hidden: !worker")
    try:
        pattern = expression(wanted, ignore_case=wanted == wanted.lower())
    except ExpressionError as error:
        place = len(typed) - len(wanted) + error.place + 1
        raise FilterError(f"character {place}: {error}") from None
    return RowFilter(text=typed, inverse=inverse, pattern=pattern)


def _parse_labels(text: str) -> tuple[Matcher, ...]:
    if not text:
        raise FilterError("-l wants labels: -l tier=cache,severity=~crit.*")
    matchers: list[Matcher] = []
    position = 0
    while position < len(text):
        found = _LABEL.match(text, position)
        if found is None or found.end() == position:
            raise FilterError(f"not a label at {text[position : position + 12]!r}; write name=value, joined by commas")
        name, operator, value = found.groups()
        value = value[1:-1] if value[:1] in "\"'" and len(value) > 1 else value
        if "~" in operator:
            try:
                expression(value, whole=True)
            except ExpressionError as error:
                raise FilterError(f"label {name}: not a regular expression: {error}") from None
        matchers.append(Matcher(name, value, is_regex="~" in operator, is_equal=not operator.startswith("!")))
        position = found.end()
    return tuple(matchers)


def _is_subsequence(wanted: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in wanted if not letter.isspace())
