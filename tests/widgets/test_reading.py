"""Trees, crumbs and raw data."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from tests.widgets.stage import Stage, lines, text
from widgets.crumbs import Crumbs
from widgets.live_tree import Branch, LiveTree, TreeRow, rails_text, tree_cell, tree_rows
from widgets.raw_view import LONGEST_LINE, MOST_LINES, RawView, as_json
from widgets.table_columns import Column


def branch(name: str, *children: Branch[str]) -> Branch[str]:
    return Branch(name, name, tuple(children))


TREE = (
    branch("default", branch("pve-1", branch("osd.0"), branch("osd.1")), branch("pve-2", branch("osd.2"))),
    branch("ssd"),
)


def test_rows_from_top_to_bottom_with_their_rails() -> None:
    shown = [rails_text(row) + row.item for row in tree_rows(TREE)]
    assert shown == [
        "default",
        "├─pve-1",
        "│ ├─osd.0",
        "│ └─osd.1",
        "└─pve-2",
        "  └─osd.2",
        "ssd",
    ]


def test_closed_branches_hide_what_is_under_them() -> None:
    assert [row.item for row in tree_rows(TREE, frozenset({"pve-1"}))] == ["default", "pve-1", "pve-2", "osd.2", "ssd"]
    assert [row.item for row in tree_rows(TREE, frozenset({"default"}))] == ["default", "ssd"]


@st.composite
def trees(draw: st.DrawFn, depth: int = 0, prefix: str = "n") -> tuple[Branch[str], ...]:
    count = draw(st.integers(0, 3 if depth < 3 else 0))
    return tuple(
        Branch(f"{prefix}.{index}", f"{prefix}.{index}", draw(trees(depth + 1, f"{prefix}.{index}")))
        for index in range(count)
    )


@given(tree=trees(), closed=st.sets(st.text(alphabet="n.012", max_size=8)))
def test_every_row_is_there_once_and_under_an_open_parent(tree: tuple[Branch[str], ...], closed: set[str]) -> None:
    rows = tree_rows(tree, frozenset[Hashable](closed))
    keys = [row.key for row in rows]
    assert len(keys) == len(set(keys))
    for row in rows:
        assert row.parent is None or (row.parent in keys and row.parent not in closed)
        assert len(rails_text(row)) == 2 * (len(row.rails) - 1)


def tree_on_stage() -> tuple[Stage, LiveTree[str]]:
    def name(row: TreeRow[str]) -> Content:
        return tree_cell(row, row.item)

    tree: LiveTree[str] = LiveTree(
        [Column("name", "NAME", name, width=20, flex=1, priority=0)],
        severity=lambda item: Severity.CRITICAL if item == "osd.1" else Severity.OK,
        freshness=lambda item: Freshness.STALE if item == "ssd" else Freshness.LIVE,
        noun="OSDs",
    )
    tree.set_tree(TREE)
    return Stage(lambda: [tree]), tree


async def test_a_tree_opens_closes_and_remembers() -> None:
    app, tree = tree_on_stage()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("j", "h")
        await pilot.pause()
        assert tree.closed == {"pve-1"}
        assert "osd.0" not in text(tree)
        assert "├─▸ pve-1" in text(tree)
        tree.set_tree((branch("new"), *TREE))
        await pilot.pause()
        assert tree.cursor_key == "pve-1"
        assert "osd.0" not in text(tree)
        await pilot.press("right", "j", "h")
        assert tree.cursor_key == "pve-1"  # from a leaf to its parent
        await pilot.press("o", "o")
        assert tree.closed == frozenset()
        await pilot.press("O")
        assert [line.strip() for line in lines(tree)[1:4]] == ["●   new", "▌● ▸ default", "●░  ssd"]
        await pilot.press("O")
        assert "osd.2" in text(tree)


def test_a_trees_names_are_only_text() -> None:
    row = tree_rows(TREE)[0]
    for name in ("[red]x", Text("[red]x"), Content("[red]x")):
        assert tree_cell(row, name).plain == "▾ [red]x"


async def test_crumbs_keep_the_last_in_sight_and_lead_back() -> None:
    crumbs = Crumbs()
    app = Stage(lambda: [crumbs])
    async with app.run_test(size=(40, 4)) as pilot:
        crumbs.show(["overview", "cache", "[cache-02]"])
        await pilot.pause()
        assert lines(crumbs) == [" overview › cache › [cache-02]"]
        await pilot.click(crumbs, offset=(13, 0))
        await pilot.click(crumbs, offset=(39, 0))
        await pilot.pause()
        assert [message.number for message in app.heard_of(Crumbs.Clicked)] == [1]
        crumbs.show(["overview", "a long name of a screen", "another long name"])
        await pilot.pause()
        assert lines(crumbs) == [" … › another long name"]


@dataclass(frozen=True)
class Thing:
    name: str
    at: datetime
    severity: Severity
    parts: tuple[object, ...]


def test_any_domain_value_is_json() -> None:
    thing = Thing(
        "é", datetime(2026, 1, 1, tzinfo=UTC), Severity.WARNING, (math.nan, math.inf, None, {3, 1}, {1: b"x"})
    )
    assert json.loads(as_json(thing)) == {
        "name": "é",
        "at": "2026-01-01T00:00:00+00:00",
        "severity": "WARNING",
        "parts": ["nan", "inf", None, [1, 3], {"1": "b'x'"}],
    }


def test_what_contains_itself_is_cut() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert '"..."' in as_json(loop)


async def test_raw_text_is_cleaned_scrolled_and_bounded() -> None:
    view = RawView()
    app = Stage(lambda: [view])
    async with app.run_test(size=(40, 8)) as pilot:
        view.show("\x1b[2J[red]first\ttab\x07\n" + "x" * 5000 + "\n" + "\n".join(str(n) for n in range(200)))
        await pilot.pause()
        painted = lines(view)
        assert painted[0] == " [2J[red]first  tab"
        assert view.text.splitlines()[1] == "x" * LONGEST_LINE + "… 5,000 characters"
        await pilot.press("G")
        await pilot.pause()
        assert "199" in text(view)
        await pilot.press("g", "l")
        await pilot.pause()
        assert lines(view)[0] == "tab"
        for key in ("j", "k", "h", "space", "ctrl+f", "ctrl+b", "pageup", "pagedown", "end", "home"):
            await pilot.press(key)
        assert view.scroll_y == 0
        view.show("\n" * (MOST_LINES + 5))
        assert view.text.splitlines()[-1] == "… 5 more lines are not shown"


async def test_json_is_shown_with_its_names() -> None:
    view = RawView()
    app = Stage(lambda: [view])
    async with app.run_test(size=(40, 8)) as pilot:
        view.show_json({"name": "[red]", "count": 3})
        await pilot.pause()
        assert lines(view)[:4] == ["{", '  "name": "[red]",', '  "count": 3', "}"]
        assert view.repaint() == 0
