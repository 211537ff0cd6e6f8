"""What each key means, from the text below it in its model: read only where it is told, since it takes a while."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from farmtui.config.fields import Section

S = TypeVar("S", bound=Section)


def described(model: type[S]) -> type[S]:
    """The model, and those in it, with the meaning of each key as its field's description."""
    for one in dict.fromkeys(_all_in(model, ())):
        _describe(one)
    return model


@cache
def _describe(model: type[Section]) -> None:
    told = _meanings(model)
    for name, field in model.model_fields.items():
        field.description = field.description or told.get(name)
    model.model_rebuild(force=True)


def _meanings(model: type[Section]) -> dict[str, str]:
    """The text below each attribute; a subclass's own stands before its base's."""
    found: dict[str, str] = {}
    for made_of in model.__mro__:
        if not issubclass(made_of, Section):
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(made_of))).body
        assert isinstance(body, ast.ClassDef)
        for one, below in zip(body.body, body.body[1:], strict=False):
            match one, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found.setdefault(name, inspect.cleandoc(text))
    return found


def _all_in(annotation: Any, above: tuple[type[Section], ...]) -> Iterator[type[Section]]:
    """Each model in an annotation, and in its fields: inner ones first: an outer one is rebuilt of them."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        if annotation not in above:
            for field in annotation.model_fields.values():
                yield from _all_in(field.annotation, (*above, annotation))
            yield annotation
        return
    for inner in getattr(annotation, "__args__", ()):
        yield from _all_in(inner, above)
