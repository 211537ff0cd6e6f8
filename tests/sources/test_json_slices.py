"""JSON in slices: the same values as json.loads, and other threads run meanwhile."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.sources import json_slices
from farmtui.sources.json_slices import loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(autouse=True)
def _slice_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small texts are decoded in one go; here none is small."""
    monkeypatch.setattr(json_slices, "SMALL", 0)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("key", ["result", "data", ""])
@given(value=st.lists(JSON, max_size=5), beside=JSON)
def test_the_same_as_the_standard_library(key: str, indent: int | None, value: list[Any], beside: Any) -> None:
    for whole in (
        {"status": "success", "data": {"resultType": "vector", "result": value}, "warnings": beside},
        {"data": value, "x": beside},
        {"result": beside, "data": value},
        {"other": {"deep": {"result": value}}, "x": beside},
        value,
        beside,
    ):
        body = json.dumps(whole, indent=indent).encode()
        assert loads(body, key) == json.loads(body)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_not_json_is_refused_as_by_the_standard_library(body: bytes) -> None:
    try:
        expected = json.loads(body)
    except (ValueError, RecursionError):
        with pytest.raises((ValueError, RecursionError)):
            loads(body, "result")
    else:
        # json.loads guesses UTF-16 and UTF-32 as well, which no API sends.
        try:
            assert loads(body, "result") == expected or expected != expected
        except UnicodeDecodeError:
            assert not body.isascii()


@pytest.mark.parametrize(
    "text",
    [
        '{"result":[1,2',
        '{"result":[1,2]',
        '{"result":[1 2]}',
        '{"result":[1,]}',
        '{"result":[,1]}',
        '{"result":[1,2]} x',
        "[1,2",
        "[1,2]]",
        "[",
    ],
)
@pytest.mark.parametrize("key", ["result", ""])
def test_a_broken_array_is_refused(text: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text.encode(), key)


def test_a_label_that_looks_like_the_member_is_a_label() -> None:
    whole = {"data": {"note": '"result":[', "result": [{"metric": {"x": '"result":[1]'}}]}}
    assert loads(json.dumps(whole).encode(), "result") == whole


@pytest.fixture
def _eager_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_eager_switching")
def test_a_big_answer_is_decoded_an_element_at_a_time() -> None:
    """In one call of the decoder no other thread would get its turn: the screen would stand for as long."""
    result = [{"metric": {"instance": f"10.0.0.{n}:9100"}, "value": [1.5, "0.25"]} for n in range(3_000)]
    broken = json.dumps({"data": {"result": result}}).encode().replace(b"10.0.0.2000:9100", b'10.0.0.2000:9100"!')
    seen: list[object] = []
    with pytest.raises(ValueError, match="delimiter"):
        loads(broken, "result", seen.append)
    assert len(seen) == 2_000, "what stands before the fault had been decoded and handed over"
