"""The simulated farm's PromQL: every answer is the one that a real Prometheus gives to the same samples."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from farmtui.demo.promql.evaluate import Evaluator, Scalar
from farmtui.demo.promql.parser import parse
from farmtui.demo.promql.series import RecordedSeries, RecordedStorage
from farmtui.demo.promql.syntax import QueryError

START = 0.0
"""As in promtool."""

STEP_S = 5.0


def _series(text: str, value: Callable[[int], float | None]) -> RecordedSeries:
    """25 samples, 5 s apart; `value` of each one's number, None where there is none."""
    name, _, labels = text.partition("{")
    found = dict(re.findall(r'(\w+)="([^"]*)"', labels))
    samples = {START + k * STEP_S: sample for k in range(25) if (sample := value(k)) is not None}
    return RecordedSeries({"__name__": name, **found}, samples)


STORAGE = RecordedStorage(
    [
        _series('c{i="a",job="x"}', lambda k: 5.0 * k),
        # It restarts after a minute.
        _series('c{i="b",job="x"}', lambda k: 10.0 * k if k < 13 else 3.0 + 10.0 * (k - 13)),
        _series('g{i="a"}', lambda k: 1.0 + k),
        # It is gone after a minute.
        _series('g{i="b"}', lambda k: 10.0 if k < 13 else None),
        _series('h_bucket{le="0.1"}', lambda k: 1.0 * k),
        _series('h_bucket{le="0.5"}', lambda k: 3.0 * k),
        _series('h_bucket{le="+Inf"}', lambda k: 4.0 * k),
        _series('info{i="a",name="alpha"}', lambda _k: 1.0),
        _series('info{i="b",name="beta"}', lambda _k: 1.0),
    ],
    STEP_S,
)

REAL: dict[str, dict[int, dict[str, str]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "promql.yaml").read_text(encoding="utf-8")
)


def _printed(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def ask(expression: str, after_s: float) -> dict[str, float]:
    value = Evaluator(STORAGE).instant(parse(expression), START + after_s)
    if isinstance(value, Scalar):
        return {"{}": value.column[0]}
    return {_printed(dict(labels)): column[0] for labels, column in value.rows if column[0] is not None}


@pytest.mark.parametrize("expression", sorted(REAL))
def test_it_answers_as_prometheus_does(expression: str) -> None:
    for after_s, expected in REAL[expression].items():
        found = ask(expression, after_s)
        assert set(found) == set(expected), after_s
        for labels, text in expected.items():
            assert found[labels] == pytest.approx(float(text), rel=1e-9, nan_ok=True), (after_s, labels)


def test_a_range_is_many_instants() -> None:
    times = [START + 60.0 + 5.0 * k for k in range(10)]
    for expression in ("sum by (job) (rate(c[30s]))", "g", "c and on (i) g", "topk(1, c)"):
        value = Evaluator(STORAGE).range(parse(expression), times)
        assert not isinstance(value, Scalar)
        for step, at in enumerate(times):
            row = {_printed(dict(labels)): column[step] for labels, column in value.rows if column[step] is not None}
            assert row == ask(expression, at - START)


def test_rate_worked_by_hand() -> None:
    # Samples at 50, 55 and 60 s, 50 to 60: they fill the window to both its ends.
    assert ask('increase(c{i="a"}[10s])', 60.0) == {'{i="a", job="x"}': pytest.approx(10.0)}
    # The restart's fall is no fall: 100, 110, 120, then from 0 to 3 and 13 make 10 + 10 + 3 + 10.
    assert ask('increase(c{i="b"}[20s])', 70.0) == {'{i="b", job="x"}': pytest.approx(33.0)}


def test_nothing_divided_by_nothing_is_not_zero() -> None:
    assert math.isnan(ask("vector(0) / vector(0)", 60.0)["{}"])


def test_two_that_match_one_are_an_error() -> None:
    with pytest.raises(QueryError, match="found duplicate series for the match group") as caught:
        ask("c * on (job) c", 60.0)
    assert caught.value.kind == "execution"
