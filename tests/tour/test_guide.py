"""The guided tour keeps its promises: its keys lead where it says, and its pictures show what it says."""

from __future__ import annotations

import re

import pytest

from farmtui.app import FarmApp
from tests.house.tree import ROOT
from tests.tour.guide import DOCUMENT, Step, steps, walk, words_in

TOUR = steps(DOCUMENT.read_text(encoding="utf-8"))
PICTURED = [step for step in TOUR if step.picture]


@pytest.mark.timeout(900)
async def test_the_keys_of_the_tour_lead_where_it_says() -> None:
    taken: dict[str, None] = {}

    def arrived(_app: FarmApp, step: Step) -> None:
        taken[step.title] = None

    await walk(arrived)
    assert list(taken) == [step.title for step in TOUR]
    assert len(taken) > 10


@pytest.mark.parametrize("step", PICTURED, ids=lambda step: step.picture)
def test_a_picture_shows_what_its_step_promises(step: Step) -> None:
    picture = (ROOT / "docs" / step.picture).read_text(encoding="utf-8")
    seen = " ".join(words_in(picture))
    assert [text for text in step.shown if " ".join(text.split()) not in seen] == [], "run: make docs"
    assert len(picture) < 60_000, "a picture is small"
    assert not re.search(r"https?://(?!www\.w3\.org/|www\.textualize\.io|runbooks\.example)", picture)


def test_every_picture_is_one_of_the_tour() -> None:
    assert {f"tour/{path.name}" for path in (ROOT / "docs/tour").iterdir()} == {step.picture for step in PICTURED}


def test_a_step_is_read_as_it_is_written() -> None:
    [step] = steps(
        "# T\n\n## 1. Look\n\n**In a terminal** `farmtui demo --fault x`\n\n**Type** `:q` `Enter`\n\n"
        "**On the screen** `a b` `c`\n\n![p](tour/1-x.svg)\n\n## After\n\nno step\n"
    )
    assert step == Step("1. Look", ("demo", "--fault", "x"), (":q", "Enter"), ("a b", "c"), "tour/1-x.svg")
