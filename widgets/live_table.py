"""A table of live rows: draws only what is visible, sticks to keys, and refreshes only the lines that changed.

What it is made of has files of its own (table_view, table_rows, table_columns, table_messages, table_keys,
table_awaited); what is left here is the widget's state and what changes it, which are one thing and so are in one file.
"""

from __future__ import annotations

import asyncio
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Generic, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from farmtui.farm.state import Freshness, Severity
from widgets import table_messages as messages
from widgets.glyphs import glyphs
from widgets.painting import LineWidget, blank
from widgets.table_awaited import AwaitedRow
from widgets.table_columns import GAP, Cell, Column, R, place
from widgets.table_keys import TABLE_KEYS
from widgets.table_paint import fit
from widgets.table_rows import Layout, RowPainter, why_empty
from widgets.table_view import Order, Predicate, Stand, Texts, View, build, position_of, stick

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.worker import Worker

SLICE_S = 0.004
"""How long the table works at a view before it lets the event loop go on."""

PAUSE_S = 0.001
"""How long it then waits. A key passes through several message queues until it is painted, each a turn of the loop:
with a slice of work in every turn it would wait for as many slices."""

HEADER = 1


class LiveTable(LineWidget, ScrollView, Generic[R], can_focus=True):
    """Rows are any objects; `key` names each, and cursor, marks and scroll offset stick to keys.

    The rows stay where they are: the table keeps a reference to the sequence given to `set_rows` and reads cells
    only of visible rows. Sorting and filtering of large tables is spread over several turns of the event loop;
    the former picture stays until the new one is complete, and a newer request replaces an unfinished one.

    A table whose cursor nobody has moved stays at its top, where the worst rows are.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"live-table--header", "live-table--cursor", "live-table--empty"}

    DEFAULT_CSS = """
    LiveTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        scrollbar-gutter: stable;
        overflow-x: auto;
        overflow-y: auto;
        & > .live-table--header { text-style: bold; color: $text-muted; }
        & > .live-table--cursor { background: $block-cursor-blurred-background; }
        & > .live-table--empty { color: $text-muted; }
        &:focus > .live-table--cursor { background: $block-cursor-background; text-style: bold; }
        &:ansi > .live-table--cursor { text-style: underline; background: ansi_default; }
        &:ansi:focus > .live-table--cursor { text-style: reverse; background: ansi_default; }
        &:nocolor > .live-table--cursor { text-style: underline; }
        &:nocolor:focus > .live-table--cursor { text-style: reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = list(TABLE_KEYS)

    TableMessage: TypeAlias = messages.TableMessage
    RowHighlighted: TypeAlias = messages.RowHighlighted
    RowSelected: TypeAlias = messages.RowSelected
    SortChanged: TypeAlias = messages.SortChanged
    Marked: TypeAlias = messages.Marked
    ViewChanged: TypeAlias = messages.ViewChanged

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], Hashable],
        severity: Callable[[R], Severity] | None = None,
        freshness: Callable[[R], Freshness] | None = None,
        search: Callable[[R], str] | None = None,
        noun: str = "rows",
        sort: str | None = None,
        descending: bool | None = None,
        id: str | None = None,  # noqa: A002  Textual's own name for it
        classes: str | None = None,
    ) -> None:
        """`search` gives the text that a filter is matched against; by default that of all cells. `noun` names the
        rows when there are none; behind a colon in it may stand what that means. `sort` is the key of the column to
        begin with."""
        super().__init__(id=id, classes=classes)
        self._columns: tuple[Column[R], ...] = tuple(columns)
        self._key = key
        self._painter: RowPainter[R] = RowPainter(self, severity, freshness)
        self._texts: Texts[R] = Texts(search or self._cells_text)
        self.noun = noun
        self._rows: Sequence[R] = ()
        self._freshness = Freshness.NEVER
        self._reason = ""
        self._predicate: Predicate[R] | None = None
        self._filter_text = ""
        self._sort: str | None = None
        self._descending = False
        self._set_order(sort, descending)
        self._view: View[R] = View((), (), 0)
        self._building: Worker[None] | None = None
        self._complete = asyncio.Event()
        self._complete.set()
        self._cursor = 0
        self._touched = False
        self._awaited = AwaitedRow()
        self._marks: set[Hashable] = set()
        self._layout_of_columns: Layout[R] | None = None
        self._layout_width = -1
        self._wide = False
        self._announced: tuple[int, int] = (0, 0)

    # ---------------------------------------------------------------- what a screen gives

    def set_rows(self, rows: Sequence[R], *, freshness: Freshness = Freshness.LIVE, reason: str = "") -> None:
        """Show these rows. `freshness` is that of the whole answer; `reason` says in words why there are none."""
        if rows is self._rows and freshness is self._freshness and reason == self._reason:
            return
        self._rows = rows
        self._freshness = freshness
        self._reason = reason
        self._texts.renew(rows)
        if self._marks:
            self._keep_marks(set(map(self._key, rows)))
        self._rebuild()

    def set_filter(self, predicate: Predicate[R] | None, text: str = "") -> None:
        """Show only rows for which `predicate(text of the row, row)` holds; `text` is what was typed, for people."""
        self._predicate = predicate
        self._filter_text = text if predicate is not None else ""
        self._rebuild()

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Other columns for the same rows."""
        self._columns = tuple(columns)
        self._layout_width = -1
        self._texts.forget()
        self._set_order(self._sort, self._descending)
        self._rebuild()

    def sort_by(self, column: str | None, descending: bool | None = None) -> None:
        """Sort by a column's key; the same column again turns the direction. None: the order that was given."""
        if descending is None and column is not None and column == self._sort:
            descending = not self._descending
        self._set_order(column, descending)
        self._rebuild()
        self.post_message(self.SortChanged(self, self._sort, self._descending))

    def refresh_cells(self) -> None:
        """The same rows read differently now (an age, a unit): draw the visible ones again."""
        self._painter.forget()
        self.repaint()

    # ---------------------------------------------------------------- what a screen asks

    @property
    def cursor_key(self) -> Hashable | None:
        """The key under the cursor; None when no row is shown."""
        return self._view.keys[self._cursor] if self._view.keys else None

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor."""
        return self._view.rows[self._cursor] if self._view.rows else None

    @property
    def shown_rows(self) -> Sequence[R]:
        """The rows that pass the filter, as sorted."""
        return self._view.rows

    @property
    def marks(self) -> frozenset[Hashable]:
        """The marked keys, shown or not."""
        return frozenset(self._marks)

    @property
    def chosen_rows(self) -> list[R]:
        """What an action is for: the marked rows that are shown, or else the row under the cursor.

        A marked row that a filter hides is not among them: nothing is done to what is not seen.
        """
        pairs = zip(self._view.keys, self._view.rows, strict=True)
        marked = [row for key, row in pairs if key in self._marks] if self._marks else []
        return marked or ([] if self.cursor_row is None else [self.cursor_row])

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        """The sorting column's key and whether it is descending."""
        return self._sort, self._descending

    @property
    def counter(self) -> str:
        """`34`, or `3 of 34 · /cache` while a filter is set."""
        shown, total = len(self._view.rows), self._view.total
        if not self._filter_text:
            return f"{total:,}"
        return f"{shown:,} of {total:,} {glyphs().dot} /{self._filter_text}"

    @property
    def busy(self) -> bool:
        """Whether a newer view is still being worked out."""
        return not self._complete.is_set()

    async def settled(self) -> None:
        """Wait until the newest request is shown."""
        await self._complete.wait()

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on a key; False when it is not shown."""
        position = position_of(self._view.keys, key, self._cursor)
        if position is None:
            return False
        self._move_cursor(position)
        return True

    @property
    def kept_key(self) -> str:
        """The text of the key that somebody put the cursor on, or that is still waited for; empty: neither."""
        return str(self.cursor_key) if self._touched and self._view.keys else self._awaited.text

    def await_key(self, text: str) -> None:
        """Put the cursor on the key of this text (as `kept_key` gave it), now or when its row comes.

        It is not waited for any more once somebody moves the cursor, or when `text` is empty.
        """
        self._awaited.text = text
        self._look_for_awaited()

    def _look_for_awaited(self) -> None:
        found = None if self._touched else self._awaited.position(self._view.keys)
        if found is not None:
            self._move_cursor(found)

    def clear_marks(self) -> None:
        """Unmark all."""
        if self._marks:
            self._keep_marks(set())
            self.repaint()

    # ---------------------------------------------------------------- building the view

    def _set_order(self, column: str | None, descending: bool | None) -> None:
        known = next((item for item in self._columns if item.key == column and item.sort is not None), None)
        self._sort = known.key if known else None
        self._descending = bool(known and (known.descending if descending is None else descending))

    def _rebuild(self) -> None:
        if self._building is not None:
            self._building.cancel()
            self._building = None
        self._complete.clear()
        sort = next((column.sort for column in self._columns if column.key == self._sort), None)
        steps = build(self._rows, self._key, Order(sort, self._descending), self._predicate, self._texts)
        if not self._slice(steps):
            self._building = self.run_worker(partial(self._finish, steps), group="view", exclusive=True)

    def _slice(self, steps: Iterator[View[R] | None]) -> bool:
        """Work for one slice of time; True when the view is complete and shown."""
        until = perf_counter() + SLICE_S
        for view in steps:
            if view is not None:
                self._adopt(view)
                return True
            if self.is_mounted and perf_counter() > until:
                return False
        return True

    async def _finish(self, steps: Iterator[View[R] | None]) -> None:
        done = False
        while not done:
            await asyncio.sleep(PAUSE_S)
            done = self._slice(steps)

    def _adopt(self, view: View[R]) -> None:
        """Show a new view: find cursor and scroll offset again by their keys."""
        self._complete.set()
        before, self._view = self._view, view
        was_key = before.keys[self._cursor] if before.keys else None
        top = round(self.scroll_y)
        # Who has scrolled by the wheel is reading there, cursor or not.
        stand = Stand(self._cursor, top, self._touched or top > 0)
        stand = stick(before.keys, view.keys, stand, self._body_height)
        self._cursor = stand.cursor
        self._painter.forget()
        self._resize_canvas()
        self._scroll_rows(stand.top)
        self.repaint()
        if self.cursor_key != was_key or bool(before.keys) != bool(view.keys):
            self.post_message(self.RowHighlighted(self, self.cursor_key, self.cursor_row))
        counts = (len(view.rows), view.total)
        if counts != self._announced:
            self._announced = counts
            self.post_message(self.ViewChanged(self, *counts))
        self._look_for_awaited()

    def _keep_marks(self, keys: set[Hashable]) -> None:
        kept = self._marks & keys
        if kept != self._marks:
            self._marks = kept
            self._painter.forget()
            self.post_message(self.Marked(self, self.marks))

    # ---------------------------------------------------------------- geometry

    @property
    def _body_height(self) -> int:
        return max(1, self.canvas.height - HEADER)

    @property
    def _columns_layout(self) -> Layout[R]:
        width = self.canvas.width
        if self._layout_of_columns is None or width != self._layout_width:
            gutter = self._painter.gutter
            placed = place(self._columns, width - gutter, hide=not self._wide)
            end = gutter + (placed[-1].x + placed[-1].width if placed else 0)
            self._layout_of_columns = Layout(placed, max(end, width))
            self._layout_width = width
        return self._layout_of_columns

    def _resize_canvas(self) -> None:
        size = Size(self._columns_layout.width, len(self._view.rows) + HEADER)
        if size != self.virtual_size:
            self.virtual_size = size

    def _scroll_rows(self, top: int) -> None:
        top = max(0, min(top, len(self._view.rows) - self._body_height))
        if top != round(self.scroll_y):
            self.scroll_to(y=top, animate=False, force=True)

    def on_resize(self) -> None:
        """The columns are placed anew, and the cursor stays in sight."""
        self._painter.forget()
        self._resize_canvas()
        self._reveal()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Textual would refresh everything; only lines that differ need it."""
        if self.show_horizontal_scrollbar:
            self.horizontal_scrollbar.position = new_value
        self.repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """As above."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        self.repaint()

    def forget_styles(self) -> None:
        """Theme or size have changed."""
        super().forget_styles()
        self._painter.forget()

    # ---------------------------------------------------------------- drawing

    def draw_line(self, y: int, width: int) -> Strip:
        """The header, a row, or the reason why there is none."""
        if y < HEADER:
            style = self.get_component_rich_style("live-table--header")
            strip = self._painter.header(self._columns_layout, self._sort, descending=self._descending, style=style)
        elif not self._view.rows:
            return self._empty_line(y - HEADER, width)
        else:
            index = round(self.scroll_y) + y - HEADER
            if index >= len(self._view.rows):
                return blank(width, self.base_style())
            strip = self._painter.row(
                index,
                self._view.rows[index],
                self._columns_layout,
                marked=self._view.keys[index] in self._marks,
                cursor=self._cursor_style() if index == self._cursor else None,
                focused=self.has_focus,
                whole=self._freshness,
            )
        left = round(self.scroll_x)
        return strip.crop_extend(left, left + width, self.base_style())

    def _cursor_style(self) -> Style:
        """The cursor's background and attributes; the row keeps its own colour, which says how it is."""
        style = self.get_component_rich_style("live-table--cursor")
        return Style(bgcolor=style.bgcolor, bold=style.bold, reverse=style.reverse, underline=style.underline)

    def _empty_line(self, line: int, width: int) -> Strip:
        style = self.get_component_rich_style("live-table--empty")
        text = self.empty_text if line == min(1, self._body_height - 1) else ""
        return Strip([Segment(fit("  " + text, width), style)], width)

    @property
    def empty_text(self) -> str:
        """Why no row is shown. Nothing yet, not allowed, nothing there and nothing that matches never look alike."""
        return why_empty(self._view.total, self.noun, self._filter_text, self._freshness, self._reason, self._view.keys)

    def _cells_text(self, row: R) -> str:
        return " ".join(_plain(column.cell(row)) for column in self._columns)

    # ---------------------------------------------------------------- keys and mouse

    def _move_cursor(self, position: int) -> None:
        self._touched = True
        self._awaited.forget()
        position = max(0, min(position, len(self._view.rows) - 1))
        if not self._view.rows or position == self._cursor:
            self._reveal()
            return
        self._cursor = position
        self._reveal()
        self.repaint()
        self.post_message(self.RowHighlighted(self, self.cursor_key, self.cursor_row))

    def _reveal(self) -> None:
        top = round(self.scroll_y)
        if self._cursor < top:
            self._scroll_rows(self._cursor)
        elif self._cursor >= top + self._body_height:
            self._scroll_rows(self._cursor - self._body_height + 1)

    def action_move(self, rows: int) -> None:
        """The cursor down, or up."""
        self._move_cursor(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """The cursor a page down, or up."""
        self._scroll_rows(round(self.scroll_y) + pages * self._body_height)
        self._move_cursor(self._cursor + pages * self._body_height)

    def action_first(self) -> None:
        """The cursor to the top; from now on it stays there, as before it was first moved."""
        self._move_cursor(0)
        self._touched = False

    def action_last(self) -> None:
        """The cursor to the end."""
        self._move_cursor(len(self._view.rows) - 1)

    def action_pan(self, pages: int) -> None:
        """Half a screen to the right, or left."""
        self.scroll_to(x=self.scroll_x + pages * max(8, self.canvas.width // 2), animate=False)

    def action_select(self) -> None:
        """Open the row under the cursor."""
        if self._view.rows:
            key, row = self._view.keys[self._cursor], self._view.rows[self._cursor]
            self.post_message(self.RowSelected(self, key, row))

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        key = self.cursor_key
        if key is None:
            return
        self._touched = True
        self._marks ^= {key}
        self._painter.forget()
        self.repaint()
        self.post_message(self.Marked(self, self.marks))

    def action_sort_next(self, step: int) -> None:
        """Sort by the next sortable column that is shown."""
        keys = [placed.column.key for placed in self._columns_layout.placed if placed.column.sort is not None]
        if not keys:
            return
        now = keys.index(self._sort) if self._sort in keys else (-1 if step > 0 else 0)
        self.sort_by(keys[(now + step) % len(keys)], None if len(keys) > 1 else not self._descending)

    def action_wide(self) -> None:
        """All columns, or those that fit."""
        self._wide = not self._wide
        self._layout_width = -1
        self._painter.forget()
        self._resize_canvas()
        self.scroll_to(x=0, animate=False, force=True)
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """The header sorts, a row takes the cursor, and the row under the cursor (or a double click) opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < HEADER:
            x = offset.x + round(self.scroll_x) - self._painter.gutter
            for placed in self._columns_layout.placed:
                if placed.x <= x < placed.x + placed.width + GAP and placed.column.sort is not None:
                    self.sort_by(placed.column.key)
                    return
            return
        index = round(self.scroll_y) + offset.y - HEADER
        if index >= len(self._view.rows):
            return
        if index == self._cursor and (event.chain > 1 or self._touched):
            self.action_select()
        else:
            self._move_cursor(index)


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.plain
