"""The catalogue by itself: what a query of one's own reads is found, so that `check` can name what is missing."""

from __future__ import annotations

import pytest

from farmtui.sources.prometheus.catalogue import catalogue, metrics_in


@pytest.mark.parametrize(
    ("promql", "names"),
    [
        ("up", ("up",)),
        ("rate(a_total[5m])", ("a_total",)),
        ('sum by (instance, job) (rate(a{code=~"5..", path="b(c)"}[5m])) / on (instance) group_left (x) b', ("a", "b")),
        ("a offset 7d or vector(0)", ("a",)),
        ("histogram_quantile(0.95, sum by (le) (rate(h_bucket[5m])))", ("h_bucket",)),
        ("a > bool 0 and a < Inf unless ignoring (q) c", ("a", "c")),
        ("sum(max_over_time(job:a:rate5m[1h:1m]))", ("job:a:rate5m",)),
        ('label_replace(a, "x", "$1", "y", "(.*)")', ("a",)),
        ("1e3 * a @ end()", ("a",)),
        ("", ()),
    ],
)
def test_the_metrics_that_a_query_reads(promql: str, names: tuple[str, ...]) -> None:
    assert metrics_in(promql) == names


def test_of_every_query_of_the_catalogue_the_needs_are_what_it_reads() -> None:
    wrong = {
        figure.name: (figure.needs, metrics_in(figure.promql))
        for figure in catalogue().asked
        if "__name__" not in figure.promql and set(figure.needs) - set(metrics_in(figure.promql))
    }
    assert wrong == {}
