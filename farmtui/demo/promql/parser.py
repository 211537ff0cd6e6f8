"""PromQL tokens into a syntax tree: precedence climbing over the operators, as in Prometheus's grammar."""

from __future__ import annotations

import json
from functools import lru_cache

from farmtui.demo.promql.functions import SIGNATURES
from farmtui.demo.promql.regex import regex_words
from farmtui.demo.promql.syntax import (
    Aggregation,
    Binary,
    Call,
    Matcher,
    Matching,
    Negation,
    Node,
    Number,
    QueryError,
    Selector,
    Text,
)
from farmtui.demo.promql.tokens import Token, parse_error, seconds, tokenize, unquote
from farmtui.farm.expressions import ExpressionError, anchored, expression

_PRECEDENCE = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
    "^": 6,
}
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
SET_OPERATORS = frozenset(("and", "or", "unless"))
_AGGREGATIONS = frozenset(
    ("sum", "min", "max", "avg", "count", "group", "stddev", "topk", "bottomk", "quantile", "count_values")
)
_WITH_PARAMETER = frozenset(("topk", "bottomk", "quantile", "count_values"))
_KINDS = {"word": "identifier ", "number": "number ", "text": "string ", "duration": "duration "}


@lru_cache(maxsize=1024)
def parse(query: str) -> Node:
    """The syntax tree of a query. Raises QueryError (bad_data) with the line and column."""
    if not query.strip():
        raise QueryError("bad_data", 'invalid parameter "query": 1:1: parse error: no expression found in input')
    parser = _Parser(query)
    node = parser.expression(0)
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = tokenize(query)
        self._at = 0
        self._open = 0
        """Parentheses that are open here."""

    # -- the stream of tokens

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _accept(self, value: str) -> bool:
        if self._now.value == value and self._now.kind in ("sign", "word"):
            self._at += 1
            return True
        return False

    def _expect(self, value: str, where: str) -> None:
        if not self._accept(value):
            raise self._unexpected(where, f'expected "{value}"')

    def _unexpected(self, where: str, hope: str = "") -> QueryError:
        token = self._now
        if token.kind == "end" and where == "label matching":
            return parse_error(self._query, token.at, "unexpected end of input inside braces")
        if token.kind == "end" and self._open:
            return parse_error(self._query, token.at, "unclosed left parenthesis")
        kind = _KINDS.get(token.kind, "")
        value = json.dumps(token.value) if token.kind == "text" else f'"{token.value}"'
        what = "end of input" if token.kind == "end" else f"{kind}{value}"
        return parse_error(
            self._query, token.at, f"unexpected {what}{f' in {where}' if where else ''}{f', {hope}' if hope else ''}"
        )

    def expect_end(self) -> None:
        """Nothing may be left over."""
        if self._now.kind != "end":
            raise self._unexpected("")

    # -- expressions

    def expression(self, floor: int) -> Node:
        """An expression whose operators all bind tighter than `floor`."""
        begin = self._now.at
        left = self._unary()
        while True:
            operator = self._now.value.lower() if self._now.kind in ("sign", "word") else ""
            strength = _PRECEDENCE.get(operator, 0)
            if strength <= floor:
                return left
            place = self._take().at
            returns_bool = operator in COMPARISONS and self._accept("bool")
            matching = self._matching()
            # "^" binds to the right: its right side may contain another "^".
            right = self.expression(strength - 1 if operator == "^" else strength)
            left = self._binary(
                operator, left, right, returns_bool, matching, begin if operator in SET_OPERATORS else place
            )

    def _binary(
        self, operator: str, left: Node, right: Node, returns_bool: bool, matching: Matching, place: int
    ) -> Binary:
        scalars = is_scalar(left), is_scalar(right)
        if operator in SET_OPERATORS and any(scalars):
            raise parse_error(self._query, place, f'set operator "{operator}" not allowed in binary scalar expression')
        if operator in COMPARISONS and all(scalars) and not returns_bool:
            raise parse_error(self._query, place, "comparisons between scalars must use BOOL modifier")
        for side in (left, right):
            if isinstance(side, Text) or (isinstance(side, Selector) and side.range_s is not None):
                raise parse_error(
                    self._query, place, "binary expression must contain only scalar and instant vector types"
                )
        return Binary(operator, left, right, returns_bool, matching)

    def _matching(self) -> Matching:
        word = self._now.value
        if self._now.kind != "word" or word not in ("on", "ignoring"):
            return Matching()
        self._take()
        labels = self._labels("grouping opts")
        group = ""
        include: tuple[str, ...] = ()
        if self._now.value in ("group_left", "group_right"):
            group = self._take().value.removeprefix("group_")
            include = self._labels("grouping opts") if self._now.value == "(" else ()
        return Matching(labels, word == "on", group, include)

    def _unary(self) -> Node:
        if self._accept("-"):
            # Unary minus binds weaker than "^" and tighter than "*".
            operand = self.expression(_PRECEDENCE["*"])
            return Number(-operand.value) if isinstance(operand, Number) else Negation(operand)
        if self._accept("+"):
            return self.expression(_PRECEDENCE["*"])
        return self._postfix(self._primary())

    def _primary(self) -> Node:
        token = self._now
        if token.kind == "number":
            self._take()
            return Number(float(int(token.value, 16)) if token.value[:2].lower() == "0x" else float(token.value))
        if token.kind == "text":
            self._take()
            return Text(unquote(token.value))
        if self._accept("("):
            self._open += 1
            inner = self.expression(0)
            self._close("paren expression")
            return inner
        if token.kind == "sign" and token.value == "{":
            return self._selector("", token.at)
        if token.kind == "word":
            return self._worded()
        raise self._unexpected("")

    def _close(self, where: str) -> None:
        self._expect(")", where)
        self._open -= 1

    def _list(self, where: str) -> list[tuple[int, Node]]:
        """Expressions in parentheses, each with the place where it stands."""
        self._expect("(", where)
        self._open += 1
        found: list[tuple[int, Node]] = []
        while self._now.value != ")":
            found.append((self._now.at, self.expression(0)))
            if not self._accept(","):
                break
        self._close(where)
        return found

    def _worded(self) -> Node:
        token = self._take()
        word, follower = token.value, self._now.value
        if word.lower() in _AGGREGATIONS and follower in ("(", "by", "without"):
            return self._aggregation(word.lower(), token.at)
        if follower == "(":
            return self._call(token)
        if word.lower() in ("inf", "nan"):
            return Number(float(word))
        return self._selector(word, token.at)

    def _call(self, token: Token) -> Call:
        arguments = self._list("function call")
        signature = SIGNATURES.get(token.value)
        if signature is None:
            raise parse_error(self._query, token.at, f'unknown function with name "{token.value}"')
        kinds, least = signature
        if not least <= len(arguments) <= len(kinds):
            raise parse_error(
                self._query, token.at, f'expected {least} argument(s) in call to "{token.value}", got {len(arguments)}'
            )
        for kind, (place, argument) in zip(kinds, arguments, strict=False):
            have = kind_of(argument)
            if have != kind:
                raise parse_error(
                    self._query, place, f'expected type {kind} in call to function "{token.value}", got {have}'
                )
        return Call(token.value, tuple(argument for _, argument in arguments))

    def _aggregation(self, operator: str, begin: int) -> Aggregation:
        labels, without = self._grouping()
        arguments = self._list("aggregation")
        expected = 2 if operator in _WITH_PARAMETER else 1
        if len(arguments) != expected:
            raise parse_error(
                self._query,
                begin,
                "wrong number of arguments for aggregate expression provided, "
                f"expected {expected}, got {len(arguments)}",
            )
        place, operand = arguments[-1]
        parameter = arguments[0][1] if expected == 2 else None
        if self._now.value in ("by", "without"):
            labels, without = self._grouping()
        if kind_of(operand) != "instant vector":
            raise parse_error(
                self._query, place, f"expected type instant vector in aggregation expression, got {kind_of(operand)}"
            )
        return Aggregation(operator, operand, labels, without, parameter)

    def _grouping(self) -> tuple[tuple[str, ...], bool]:
        if self._accept("by"):
            return self._labels("grouping opts"), False
        if self._accept("without"):
            return self._labels("grouping opts"), True
        return (), False

    def _labels(self, where: str) -> tuple[str, ...]:
        self._expect("(", where)
        names: list[str] = []
        while not self._accept(")"):
            if self._now.kind != "word":
                raise self._unexpected(where, "expected label")
            names.append(self._take().value)
            if not self._accept(","):
                if self._now.value != ")":
                    raise self._unexpected(where, 'expected "," or ")"')
                self._take()
                break
        return tuple(names)

    # -- selectors

    def _selector(self, name: str, begin: int) -> Selector:
        matchers = [Matcher("__name__", "=", name)] if name else []
        if self._accept("{"):
            while not self._accept("}"):
                matchers.append(self._matcher())
                if not self._accept(","):
                    self._expect("}", "label matching")
                    break
        if all(Matcher(m.name, m.operator, m.value).compile()("") for m in matchers):
            raise parse_error(self._query, begin, "vector selector must contain at least one non-empty matcher")
        return Selector(tuple(matchers))

    def _matcher(self) -> Matcher:
        if self._now.kind != "word":
            raise self._unexpected("label matching", "expected identifier")
        place = self._now.at
        name = self._take().value
        operator = self._now.value
        if operator not in ("=", "!=", "=~", "!~"):
            raise self._unexpected("label matching", "expected label matching operator")
        self._take()
        if self._now.kind != "text":
            raise self._unexpected("label matching", "expected string")
        value = unquote(self._take().value)
        if operator.endswith("~"):
            try:
                expression(value, whole=True, dot_all=True)
            except ExpressionError as error:
                raise parse_error(self._query, place, regex_words(anchored(value), error)) from None
        return Matcher(name, operator, value)

    def _postfix(self, node: Node) -> Node:
        if self._now.value == "[" and self._now.kind == "sign":
            place = self._take().at
            if not isinstance(node, Selector):
                raise parse_error(self._query, place, "ranges only allowed for vector selectors")
            range_s = self._duration("range")
            if self._now.value.startswith(":"):
                raise parse_error(self._query, place, "subqueries are not part of the simulated farm's PromQL")
            self._expect("]", "range")
            node = Selector(node.matchers, range_s, node.offset_s)
        if self._now.kind == "word" and self._now.value == "offset":
            place = self._take().at
            sign = -1.0 if self._accept("-") else 1.0
            if not isinstance(node, Selector):
                raise parse_error(
                    self._query, place, "offset modifier must be preceded by an instant or range vector selector"
                )
            node = Selector(node.matchers, node.range_s, sign * self._duration("offset"))
        if self._now.value == "@":
            raise parse_error(self._query, self._now.at, "the @ modifier is not part of the simulated farm's PromQL")
        return node

    def _duration(self, where: str) -> float:
        if self._now.kind != "duration":
            raise self._unexpected(where, "expected duration")
        place = self._now.at
        length = seconds(self._take().value)
        if length <= 0:
            raise parse_error(self._query, place, "duration must be greater than 0")
        return length


def is_scalar(node: Node) -> bool:
    """Whether an expression gives a scalar."""
    return kind_of(node) == "scalar"


def kind_of(node: Node) -> str:
    """The expression's type in Prometheus's words."""
    match node:
        case Number():
            return "scalar"
        case Text():
            return "string"
        case Selector(range_s=range_s):
            return "instant vector" if range_s is None else "range vector"
        case Negation(operand=operand):
            return kind_of(operand)
        case Call(function=function):
            return "scalar" if function in ("scalar", "time", "pi") else "instant vector"
        case Binary(left=left, right=right):
            return "scalar" if kind_of(left) == kind_of(right) == "scalar" else "instant vector"
        case Aggregation():
            return "instant vector"
