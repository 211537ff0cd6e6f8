"""PromQL text into tokens, each with the place where it stands, so that errors point as Prometheus's do."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from farmtui.demo.promql.syntax import QueryError

_PATTERN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+|\#[^\n]*)
  | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_.]))
  | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z0-9_]))
  | (?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
  | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
  | (?P<sign>==|!=|<=|>=|=~|!~|[-+*/%^=<>(){}\[\],@:])
    """,
    re.VERBOSE,
)

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION_PART = re.compile(r"(\d+)(ms|[smhdwy])")


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `kind` is duration, number, word, text, sign or end; `at` counts characters from 0."""

    kind: str
    value: str
    at: int


def parse_error(query: str, at: int, message: str) -> QueryError:
    """The error that Prometheus would give for this place."""
    line = query.count("\n", 0, at) + 1
    column = at - (query.rfind("\n", 0, at) + 1) + 1
    return QueryError("bad_data", f'invalid parameter "query": {line}:{column}: parse error: {message}')


def tokenize(query: str) -> list[Token]:
    """All tokens and an `end`. Raises QueryError at a character that no token starts with."""
    tokens: list[Token] = []
    at = 0
    while at < len(query):
        found = _PATTERN.match(query, at)
        if found is None:
            raise parse_error(query, at, f"unexpected character: {query[at]!r}")
        if found.lastgroup != "space":
            tokens.append(Token(str(found.lastgroup), found.group(), at))
        at = found.end()
    tokens.append(Token("end", "", len(query)))
    return tokens


def seconds(duration: str) -> float:
    """`1h30m` in seconds."""
    return sum(int(amount) * _SECONDS[unit] for amount, unit in _DURATION_PART.findall(duration))


def unquote(token: str) -> str:
    """The text of a string token; Go's escapes that occur in practice are Python's too."""
    if token.startswith("`"):
        return token[1:-1]
    try:
        return str(ast.literal_eval(token))
    except (SyntaxError, ValueError):
        raise QueryError("bad_data", f'invalid parameter "query": parse error: invalid string {token}') from None
