"""The syntax tree of a PromQL expression: frozen, comparable, so that equal parts of two queries are computed once."""

from __future__ import annotations

from dataclasses import dataclass, field

from farmtui.farm.expressions import expression


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher. `operator` is =, !=, =~ or !~; regular expressions are anchored."""

    name: str
    operator: str
    value: str

    def compile(self) -> Test:
        """The matcher as a test of a label's value (the empty text for an absent label)."""
        return Test(self)


class Test:
    """A compiled matcher."""

    __slots__ = ("_equal", "_pattern", "_value", "name")

    def __init__(self, matcher: Matcher) -> None:
        self.name = matcher.name
        self._equal = matcher.operator in ("=", "=~")
        self._value = matcher.value
        self._pattern = None
        if matcher.operator.endswith("~"):
            self._pattern = expression(matcher.value, whole=True, dot_all=True)

    def __call__(self, have: str) -> bool:
        found = self._pattern.found_in(have) if self._pattern else have == self._value
        return found is self._equal


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number: a scalar."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A literal string: only ever a function's argument."""

    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series by name and labels; with `range_s` a range vector, which only functions accept."""

    matchers: tuple[Matcher, ...]
    range_s: float | None = None
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`sum by (labels) (operand)` and its kin; `parameter` is topk's k or quantile's phi."""

    operator: str
    operand: Node
    labels: tuple[str, ...] = ()
    without: bool = False
    parameter: Node | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of a binary operation find each other."""

    labels: tuple[str, ...] = ()
    on: bool = False
    group: str = ""
    """`left` or `right` for many-to-one and one-to-many; empty for one-to-one."""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison or set operation."""

    operator: str
    left: Node
    right: Node
    returns_bool: bool = False
    matching: Matching = field(default_factory=Matching)


Node = Number | Text | Selector | Negation | Call | Aggregation | Binary


class QueryError(Exception):
    """A query that cannot be answered. `kind` is the API's errorType: `bad_data` or `execution`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
