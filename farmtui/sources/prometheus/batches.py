"""Many figures by one query: a hundred requests a poll cost more, here and there, than all that they ask for.

Each figure's series get a label with its name, and `or` puts them side by side: no two figures have a series with the
same labels then, so none takes another's away. What a server refuses or does not answer as a batch is asked one by one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from farmtui.sources.prometheus.catalogue import Figure
from farmtui.sources.prometheus.client import ABOUT_ONE_QUERY, Api, Round
from farmtui.sources.prometheus.decode import Vector
from farmtui.sources.prometheus.figures import Answer

LABEL: Final = "farmtui_figure"
"""The label that says of which figure a series is."""

FIGURES_LIMIT: Final = 16
"""Figures in one batch: Prometheus computes those of a batch one after the other."""

QUERY_LIMIT: Final = 4_000
"""Characters of a batch in the address, encoded: many a proxy takes no more than 8 KB of it, some 4 KB."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Figures that are asked by one query."""

    figures: tuple[Figure, ...]

    @property
    def name(self) -> str:
        """The first one's name: a figure is in one batch only."""
        return self.figures[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all."""
        return tuple(figure.name for figure in self.figures)

    @property
    def promql(self) -> str:
        """One query for all."""
        return _side_by_side([_labelled(figure) for figure in self.figures])


def batched(figures: Iterable[Figure], apart: Collection[str], most: int = FIGURES_LIMIT) -> list[Batch]:
    """The figures in as few batches as the limits allow, of much the same size; those of `apart` each in its own.

    `most`: how many may be in one.
    """
    figures = tuple(figures)
    together = [figure for figure in figures if figure.name not in apart]
    return [*_chunks(together, most), *(Batch((figure,)) for figure in figures if figure.name in apart)]


def fitting(probe_s: float, deadline_s: float) -> int:
    """How many figures fit into one batch of a server that takes `probe_s` for the simplest: all of them together may
    take a fifth of the deadline."""
    return max(1, min(FIGURES_LIMIT, int(deadline_s / 5 / max(probe_s, 1e-6))))


def ask(api: Api, batch: Batch) -> Mapping[str, Answer]:
    """A batch's answers by figure, from a thread of the client. Raises what `failure_of` puts into words."""
    if len(batch.figures) == 1:
        [figure] = batch.figures
        found: Mapping[str, Vector] = {figure.name: api.instant(figure.promql, figure.labels)}
    else:
        found = api.instants(batch.promql, LABEL, {figure.name: figure.labels for figure in batch.figures})
    return {name: Answer(vector.values, vector.problem) for name, vector in found.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A round of batches as one of figures."""

    made: Round[Answer]
    refused: frozenset[str]
    """Figures of batches that the server does not answer, and that it may answer one by one."""


def spread(made: Round[Mapping[str, Answer]], batches: Iterable[Batch]) -> Asked:
    """What came of asking batches."""
    members = {batch.name: batch.names for batch in batches}
    failures = {name: failure for first, failure in made.failures.items() for name in members[first]}
    unanswered = tuple(name for first in made.unanswered for name in members[first])
    several = [first for first, failure in made.failures.items() if len(members[first]) > 1]
    refused = {name for first in several if made.failures[first].kind in ABOUT_ONE_QUERY for name in members[first]}
    if refused and made.stopped is not None and made.stopped.kind in ABOUT_ONE_QUERY:
        # So many were refused that the rest was not asked: it may be the batches that it cannot do.
        refused.update(unanswered)
    return Asked(
        Round(
            {name: answer for answers in made.answers.values() for name, answer in answers.items()},
            failures,
            {name: status for first, status in made.statuses.items() for name in members[first]},
            made.stopped,
            made.warnings,
            unanswered,
        ),
        frozenset(refused),
    )


def joined(together: Round[Answer], alone: Round[Answer]) -> Round[Answer]:
    """Two rounds as one; what was asked again counts as it was answered then."""
    anew = {*alone.answers, *alone.failures, *alone.unanswered}
    return Round(
        {**together.answers, **alone.answers},
        {**{name: failure for name, failure in together.failures.items() if name not in anew}, **alone.failures},
        {**{name: status for name, status in together.statuses.items() if name not in anew}, **alone.statuses},
        alone.stopped,
        (*together.warnings, *alone.warnings),
        (*(name for name in together.unanswered if name not in anew), *alone.unanswered),
    )


def _chunks(figures: Sequence[Figure], most: int) -> Iterator[Batch]:
    length = sum(map(_encoded, figures))
    count = max(math.ceil(len(figures) / most), math.ceil(length / QUERY_LIMIT))
    share = length / count if count else 0.0
    chunk: list[Figure] = []
    held = 0
    for figure in figures:
        more = _encoded(figure)
        if chunk and (len(chunk) == most or held >= share or held + more > QUERY_LIMIT):
            yield Batch(tuple(chunk))
            chunk, held = [], 0
        chunk.append(figure)
        held += more
    if chunk:
        yield Batch(tuple(chunk))


def _encoded(figure: Figure) -> int:
    return len(quote_plus(_labelled(figure)))


def _labelled(figure: Figure) -> str:
    # No series has the label yet: the empty text is what it is replaced from. The line's end closes a comment.
    return f'label_replace(({figure.promql}\n),"{LABEL}","{figure.name}","{LABEL}","")'


def _side_by_side(texts: Sequence[str]) -> str:
    """As a balanced tree: a server looks at each series once for each `or` above it."""
    if len(texts) == 1:
        return texts[0]
    half = len(texts) // 2
    return f"({_side_by_side(texts[:half])}\nor {_side_by_side(texts[half:])})"
