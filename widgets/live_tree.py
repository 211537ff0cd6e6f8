"""A live table of nested things: rows indented under their parents, opened and closed by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from widgets import ink
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from widgets.table_columns import Cell, Column

N = TypeVar("N")


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `Branch[...]()`
class Branch(Generic[N]):
    """A thing and what is under it. Keys are unique in the whole tree."""

    key: Hashable
    item: N
    children: tuple[Branch[N], ...] = ()


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `TreeRow[...]()`
class TreeRow(Generic[N]):
    """A branch as a row. `rails` says for each level above whether more siblings follow there."""

    key: Hashable
    item: N
    rails: tuple[bool, ...]
    is_open: bool
    has_children: bool
    parent: Hashable | None


def tree_rows(branches: Sequence[Branch[N]], closed: frozenset[Hashable] = frozenset()) -> list[TreeRow[N]]:
    """The rows of all open branches, from top to bottom."""
    rows: list[TreeRow[N]] = []

    def walk(level: Sequence[Branch[N]], rails: tuple[bool, ...], parent: Hashable | None) -> None:
        for number, branch in enumerate(level):
            follows = number < len(level) - 1
            is_open = branch.key not in closed
            mine = (*rails, follows)
            rows.append(TreeRow(branch.key, branch.item, mine, is_open, bool(branch.children), parent))
            if is_open:
                walk(branch.children, mine, branch.key)

    walk(branches, (), None)
    return rows


def rails_text(row: TreeRow[N]) -> str:
    """The lines that lead to a row: `│ ├─`; empty for the outermost."""
    signs = glyphs()
    if len(row.rails) <= 1:
        return ""
    above = "".join(signs.trunk if follows else signs.blank for follows in row.rails[1:-1])
    return above + (signs.branch if row.rails[-1] else signs.last_branch)


def tree_cell(row: TreeRow[N], name: Cell) -> Content:
    """A row's name with its rails and whether it is open, for the tree's first column."""
    signs = glyphs()
    # The rail of a row with nothing under it runs on where the sign of a branch would stand.
    rail = signs.axis_line if len(row.rails) > 1 else " "
    knob = signs.expanded if row.is_open else signs.collapsed
    lead = (f"{knob} ", ink.MUTED) if row.has_children else (f"{rail} ", ink.FAINT)
    content = (
        name if isinstance(name, Content) else Content(name) if isinstance(name, str) else Content.from_rich_text(name)
    )
    return Content.assemble((rails_text(row), ink.FAINT), lead, content)


class LiveTree(LiveTable[TreeRow[N]], Generic[N]):
    """As a live table; its columns read `row.item`. Rows keep the order of the tree: columns do not sort."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "open_branch", "open", id="tree.open", show=False, tooltip="open the branch"),
        Binding(
            "left,h", "close_branch", "close", id="tree.close", show=False, tooltip="close it, or go to its parent"
        ),
        Binding("o", "toggle_branch", "open/close", id="tree.toggle", show=False, tooltip="open or close the branch"),
        Binding("O", "toggle_all", "open/close all", id="tree.toggle_all", show=False, tooltip="open or close all"),
    ]

    def __init__(
        self,
        columns: Sequence[Column[TreeRow[N]]],
        *,
        severity: Callable[[N], Severity] | None = None,
        freshness: Callable[[N], Freshness] | None = None,
        noun: str = "rows",
        id: str | None = None,  # noqa: A002  Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(
            columns,
            key=lambda row: row.key,
            severity=(lambda row: severity(row.item)) if severity else None,
            freshness=(lambda row: freshness(row.item)) if freshness else None,
            noun=noun,
            id=id,
            classes=classes,
        )
        self._branches: tuple[Branch[N], ...] = ()
        self._shut: frozenset[Hashable] = frozenset()
        self._tree_freshness = Freshness.NEVER
        self._tree_reason = ""

    def set_tree(
        self, branches: Sequence[Branch[N]], *, freshness: Freshness = Freshness.LIVE, reason: str = ""
    ) -> None:
        """Show this tree; what was closed stays closed."""
        self._branches = tuple(branches)
        self._tree_freshness, self._tree_reason = freshness, reason
        self._show_rows()

    @property
    def closed(self) -> frozenset[Hashable]:
        """The keys of closed branches."""
        return self._shut

    def set_closed(self, keys: frozenset[Hashable]) -> None:
        """Close these branches and open all others. A cursor that would vanish goes to what hides it."""
        if keys == self._shut:
            return
        self._shut = keys
        parents = {row.key: row.parent for row in tree_rows(self._branches)}
        hides = at = self.cursor_key
        while at is not None:
            at = parents.get(at)
            if at in keys:
                hides = at
        if hides is not None and hides != self.cursor_key:
            self.move_to(hides)
        self._show_rows()

    def _show_rows(self) -> None:
        rows = tree_rows(self._branches, self._shut)
        self.set_rows(rows, freshness=self._tree_freshness, reason=self._tree_reason)

    def action_open_branch(self) -> None:
        """Open the branch under the cursor."""
        self.set_closed(self._shut - {self.cursor_key})

    def action_close_branch(self) -> None:
        """Close it; on one that is closed or has nothing under it, go to its parent."""
        row = self.cursor_row
        if row is None:
            return
        if row.has_children and row.is_open:
            self.set_closed(self._shut | {row.key})
        elif row.parent is not None:
            self.move_to(row.parent)

    def action_toggle_branch(self) -> None:
        """Open or close."""
        row = self.cursor_row
        if row is not None and row.has_children:
            self.set_closed(self._shut ^ {row.key})

    def action_toggle_all(self) -> None:
        """Close all branches, or open all where any is closed."""
        if self._shut:
            self.set_closed(frozenset())
            return
        self.set_closed(frozenset(row.key for row in tree_rows(self._branches) if row.has_children))
