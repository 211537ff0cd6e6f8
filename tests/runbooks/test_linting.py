"""What is unwise in a book: found where it is, and not where it is not; and recorded data that knows its queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from farmtui.config.parsing import FileError
from farmtui.demo.promql.parser import parse
from farmtui.runbooks.book import schema
from farmtui.runbooks.linting import findings
from farmtui.runbooks.loading import LIBRARY, load_book
from farmtui.runbooks.recorded import read_recorded, selectors
from tests.runbooks.test_books import written

BOOK: dict[str, Any] = {
    "title": "Do it",
    "risk": 2,
    "inputs": {"node": {"type": "node"}},
    "alerts": ["Varnish*"],
    "steps": [{"name": "Do it", "idempotent": True, "ssh": {"host": "{{ node.ssh }}", "argv": ["true"]}}],
    "verify": [{"promql": 'max(varnish_up{instance="{{ node.address }}"})', "is": "== 1"}],
}


def found(folder: Path, *recorded: Path, step: Any = None, **more: Any) -> list[str]:
    """The findings of a book like `BOOK`, `place: words`."""
    book = {**BOOK, **more}
    if step is not None:
        book["steps"] = [{**BOOK["steps"][0], **step}]
    made = load_book(written(folder, yaml.safe_dump(book)))
    given = read_recorded(recorded)
    return [f"{'.'.join(map(str, one.where))}: {one.words}" for one in findings(made, given)]


def test_a_wise_book(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_the_library_s_books_are_wise() -> None:
    told = {path.stem: list(findings(load_book(path))) for path in LIBRARY.glob("*.yaml")}
    assert {name: one for name, one in told.items() if one} == {}


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        ({"step": {"ssh": {"host": "{{ node.ssh }}", "shell": "true"}}}, "steps.0.ssh.shell", "a shell reads it"),
        ({"step": {"ssh": {"host": "{{ node.ssh }}", "argv": ["true"], "long": True}}}, "steps.0.ssh.long",
         "is stopped after 300 s"),
        ({"step": {"idempotent": False}, "verify": []}, "steps.0", "nothing says whether it has had its effect"),
        ({"risk": 3}, "risk", "requires nothing and takes nothing back"),
        ({"inputs": {**BOOK["inputs"], "other": {"type": "int"}}}, "inputs.other", "nothing uses it"),
        ({"inputs": {**BOOK["inputs"], "other": {"type": "node"}}}, "inputs.other", "nothing uses it"),
        ({"step": {"ssh": None, "do": {"droplet": "1", "action": "rebuild", "data": {"image": "x"}}}},
         "steps.0.do.action", "rebuild loses what is on the disk"),
    ],
)  # fmt: skip
def test_what_is_unwise(tmp_path: Path, more: dict[str, Any], place: str, words: str) -> None:
    [one] = found(tmp_path, **more)
    assert one.startswith(f"{place}: ")
    assert words in one


@pytest.mark.parametrize(
    "more",
    [
        {"step": {"idempotent": False}},
        {"step": {"idempotent": False, "expect": BOOK["verify"]}, "verify": []},
        {"step": {"idempotent": False, "verify": BOOK["verify"]}, "verify": []},
        {"step": {"idempotent": False}, "verify": [], "risk": 1},
        {"step": {"timeout": "2h", "ssh": {"host": "{{ node.ssh }}", "argv": ["true"], "long": True}}},
        {"step": {"undo": {"local": {"argv": ["true"]}}}, "risk": 3},
        {"require": [{"quorum": "ceph"}], "inputs": {**BOOK["inputs"], "other": {"type": "node"}}},
    ],
)
def test_what_is_wise_enough(tmp_path: Path, more: dict[str, Any]) -> None:
    assert found(tmp_path, **more) == []


# -- recorded data

METRICS = '# HELP varnish_up x\n# TYPE varnish_up gauge\nvarnish_up{cache="a\\"}b"} 1\nother_total 3 1700000000\n'


def test_what_the_recorded_data_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text(METRICS)
    assert found(tmp_path, tmp_path / "m.txt") == []
    wrong = [{"promql": 'sum(rate(varnish_upp[5m])) + max(varnish_up{teir="x", cache!="y"}) + up', "is": ">= 0"}]
    assert found(tmp_path, tmp_path / "m.txt", verify=wrong) == [
        "verify.0.promql: there is no series varnish_upp in the recorded data",
        "verify.0.promql: varnish_up has no label teir in the recorded data",
    ]


def test_alerts_that_no_rule_raises(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups:\n- name: a\n  rules:\n  - {alert: VarnishDown, expr: x}\n")
    rules = {
        "data": {"groups": [{"rules": [{"type": "alerting", "name": "CephDown"}, {"type": "recording", "name": "R"}]}]}
    }
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    both = tmp_path / "rules.yml", tmp_path / "rules.json"
    assert found(tmp_path, *both, alerts=["Varnish*", "CephDown"]) == []
    assert found(tmp_path, *both, alerts=["Varnihs*", "R"]) == [
        "alerts.0: no rule raises an alert 'Varnihs*'",
        "alerts.1: no rule raises an alert 'R'",
    ]


def test_the_series_that_prometheus_tells_of(tmp_path: Path) -> None:
    series = {"status": "success", "data": [{"__name__": "varnish_up", "instance": "a", "tier": "cache"}]}
    (tmp_path / "s.json").write_text(json.dumps(series))
    assert found(tmp_path, tmp_path / "s.json") == []
    verify = [{"promql": 'varnish_up{job="x"}', "is": "== 1"}]
    assert found(tmp_path, tmp_path / "s.json", verify=verify) == [
        "verify.0.promql: varnish_up has no label job in the recorded data"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ('{"data": [1]}', "holds neither series nor rules"),
        ('{"data": {"groups": 3}}', "has no groups of rules"),
        ("groups: [", "is not YAML"),
        ("groups: 3", "has no groups of rules"),
        ("varnish_up 1\nwhat is this?\n", ":2: is no sample of a metric"),
    ],
)
def test_what_is_no_recorded_data(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(FileError, match=words):
        read_recorded([tmp_path / "x"])


@pytest.mark.parametrize(
    ("promql", "expected"),
    [
        ("up", [("up", set())]),
        ('sum by (a, b) (rate(x_total{c="d", e!~"f{g}"}[5m] offset 5m)) > bool 1e3', [("x_total", {"c", "e"})]),
        ("a:b:c / on(x) group_left(y) d", [("a:b:c", set()), ("d", set())]),
        ("count(a == 1) by (x) or vector(0) unless b # c", [("a", set()), ("b", set())]),
        ('a{b="{{ node.address | regex }}(:.*)?"} * Inf', [("a", {"b"})]),
        ("label_replace(a, 'x', '$1', 'y', '(.*) b')", [("a", set())]),
        ("max_over_time(a[1h:5m] @ start()) - NaN", [("a", set())]),
    ],
)
def test_the_series_that_a_query_names(promql: str, expected: list[tuple[str, set[str]]]) -> None:
    assert list(selectors(promql)) == expected


def test_the_library_s_queries_are_read_as_the_simulated_prometheus_reads_them() -> None:
    for path in LIBRARY.glob("*.yaml"):
        for _, text, context in load_book(path).texts():
            if context.name == "PROMQL" and text and "{{" not in text:
                names = {name for name, _ in selectors(text)}
                assert names == {word for word in names if word in repr(parse(text))}
                assert names


# -- the schema


def test_the_schema_takes_the_library_s_books_and_refuses_a_wrong_one() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    for path in LIBRARY.glob("*.yaml"):
        validator.validate(yaml.safe_load(path.read_text()))
    assert not validator.is_valid({**BOOK, "risk": 4})
    assert not validator.is_valid({**BOOK, "steps": [{**BOOK["steps"][0], "timeout": "soon"}]})
    assert not validator.is_valid({**BOOK, "stesp": []})
