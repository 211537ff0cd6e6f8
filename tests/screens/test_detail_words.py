"""The facts of one thing as text: columns that keep to themselves, and times that can be read."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from textual.content import Content

from farmtui.farm.state import Severity
from farmtui.runbooks.picture import Line
from farmtui.tail.line import LogLine
from screens.console import SCREENS
from screens.describe import Block, Detail, Field
from screens.detail import render
from screens.log_words import line_text
from screens.run_words import story_line
from screens.statusline import nav_text
from screens.storage import fills_words
from tests.screens.whole import whole_farm
from widgets import ink
from widgets.glyphs import glyphs

AT = datetime(2026, 7, 14, 3, 12, 9, tzinfo=UTC)


def test_a_marked_value_of_the_right_column_does_not_wrap_into_the_left_one() -> None:
    """Its mark takes room, too."""
    names = tuple(Field(f"name {number}", "value") for number in range(8))
    for length in range(40, 60):
        wide = Field("error budget", f"{'x' * length} and more", Severity.WARNING)
        text = render(Detail("site", None, (), (Block("Left", names), Block("Right", (wide,) * 8))), 115)
        assert max(line.cell_length for line in text.split("\n")) <= 115


def test_the_time_of_a_line_is_read() -> None:
    """Faint ink is for what need not be read."""

    def inks(content: Content) -> list[object]:
        return [span.style for span in content.spans]

    assert ink.FAINT not in inks(line_text(LogLine(at=AT, source="sshd[9]", text="session opened"), AT, 20))
    assert ink.FAINT not in inks(story_line(Line(at=AT, kind="begun", text="begun by the runner")))


def test_what_is_full_within_hours_is_not_told_by_its_date() -> None:
    farm = whole_farm()
    assert farm.ceph is not None
    slowly = dataclasses.replace(farm.ceph, growth_bytes_per_s=1.0)
    assert slowly.full_in_s is not None
    hours, weeks = (
        fills_words(farm, dataclasses.replace(slowly, growth_bytes_per_s=slowly.full_in_s / seconds))
        for seconds in (3 * 3600, 30 * 86_400)
    )
    assert hours.endswith(", full in 3h")
    assert weeks.endswith(f", full {farm.at + timedelta(days=30):%d %b %Y}")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_tab_has_its_mark_close_to_its_own_name(width: int) -> None:
    text = nav_text(SCREENS, "overview", {"storage": Severity.CRITICAL}, width=width).plain
    assert re.search(rf"4 stor(age)?{glyphs().severity[Severity.CRITICAL]} ", text)
