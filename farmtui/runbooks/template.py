"""Expressions in runbooks: `{{ node.name }}`, in a sandbox, and each value quoted for the place where it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import SandboxedEnvironment

LIMIT: Final = 8_000
"""Characters of a rendered text."""
_ALLOWED_NODES: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Filter,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Concat,
    nodes.Keyword,
)  # fmt: skip
FILTERS: Final = ("default", "int", "length", "lower", "upper", "round", "regex")
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9_.:/@+-]*")
_ALONE: Final = re.compile(r"\{\{(?![-+])(.*)(?<![-+])\}\}", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Context(Enum):
    """Where a text goes, and so how values in it are quoted."""

    ARGUMENT = "argument"
    """One word of a command: it is passed as it is, and no shell sees it."""
    SHELL = "shell"
    """A shell's text: each value is one quoted word."""
    PROMQL = "promql"
    """A query: values are of letters, digits and `_.:/@+-`, which can end no string and begin no selector."""
    MATCHER = "matcher"
    """A matcher of a silence: as in a query."""
    URL = "url"
    """A path or an address: values are percent-encoded."""
    TEXT = "text"
    """Text for people, or a string of JSON."""


Scalar = str | int | float | bool


class RenderError(ValueError):
    """A text that cannot be rendered; the words say why."""


class _Escaped(str):
    """A value that is escaped already."""

    __slots__ = ()


def _promql(value: Any) -> str:
    text = str(value)
    if not isinstance(value, _Escaped) and not _PLAIN_VALUE.fullmatch(text):
        raise RenderError("a value in a query may only hold letters, digits and _.:/@+-")
    return text


def _regex(value: Any) -> _Escaped:
    """A value for a regular expression in a query: `=~"{{ node.name | regex }}.*"`. Its escapes are PromQL's."""
    text = str(value)
    if not _PLAIN_VALUE.fullmatch(text):
        raise RenderError("a value in a query may only hold letters, digits and _.:/@+-")
    return _Escaped(re.sub(r"([.+])", r"\\\\\1", text))


_QUOTED: Final = {
    Context.ARGUMENT: str,
    Context.SHELL: lambda value: shlex.quote(str(value)),
    Context.PROMQL: _promql,
    Context.MATCHER: _promql,
    Context.URL: lambda value: quote(str(value), safe=""),
    Context.TEXT: str,
}


@cache
def _environment(context: Context) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, finalize=_QUOTED[context], keep_trailing_newline=True
    )
    environment.filters = {name: environment.filters.get(name, _regex) for name in FILTERS}
    environment.globals = {}
    environment.tests = {}
    return environment


def names_in(text: str) -> Iterator[tuple[str, ...]]:
    """What a text refers to: `("node", "name")`. Raises RenderError for what no text may hold."""
    try:
        tree = _environment(Context.TEXT).parse(text)
    except TemplateSyntaxError as error:
        raise RenderError(f"{{{{ }}}}: {error.message}") from None
    for node in (tree, *tree.find_all(nodes.Node)):
        if not isinstance(node, _ALLOWED_NODES):
            raise RenderError(f"only {{{{ expressions }}}} are allowed here, without {type(node).__name__.lower()}")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise RenderError(f"there is no filter {node.name!r}; there are {', '.join(FILTERS)}")
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise RenderError(f"{node.attr!r} is not for runbooks")
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            yield node.node.name, node.attr
        elif isinstance(node, nodes.Name):
            yield (node.name,)


def render(text: str, context: Context, values: Mapping[str, Any]) -> str:
    """A text with its values. Raises RenderError."""
    if "{" not in text:
        return text
    for _ in names_in(text):
        pass
    try:
        rendered = _environment(context).from_string(text).render(values)
    except UndefinedError as error:
        raise RenderError(f"{{{{ }}}}: {error.message}") from None
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise error if isinstance(error, RenderError) else RenderError(f"{{{{ }}}}: {error}") from None
    if len(rendered) > LIMIT:
        raise RenderError(f"it becomes longer than {LIMIT} characters")
    if context in (Context.ARGUMENT, Context.URL) and _CONTROL.search(rendered):
        raise RenderError("a control character came in by a value")
    return rendered


def render_scalar(text: str, values: Mapping[str, Any]) -> Scalar:
    """A value of JSON: where the text is one expression and nothing else, a number or a truth stays what it is.

    Raises RenderError.
    """
    rendered = render(text, Context.TEXT, values)
    alone = _ALONE.fullmatch(text)
    if alone is None or len(_parts(text)) != 1:
        return rendered
    value = _environment(Context.TEXT).compile_expression(alone[1], undefined_to_none=False)(values)
    return value if isinstance(value, int | float) else rendered


def _parts(text: str) -> Sequence[nodes.Node]:
    """What a text is made of: pieces of plain text, and expressions."""
    [output] = _environment(Context.TEXT).parse(text).body
    assert isinstance(output, nodes.Output)
    return output.nodes
