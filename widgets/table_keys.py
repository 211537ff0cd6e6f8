"""The keys of a live table."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

TABLE_KEYS: Final = (
    Binding("down,j", "move(1)", "down", id="table.down", show=False, tooltip="to the next row"),
    Binding("up,k", "move(-1)", "up", id="table.up", show=False, tooltip="to the row before"),
    Binding("home,g", "first", "first", id="table.first", show=False, tooltip="to the first row"),
    Binding("end,G", "last", "last", id="table.last", show=False, tooltip="to the last row"),
    Binding("pagedown,ctrl+f", "page(1)", "page down", id="table.page_down", show=False, tooltip="a page on"),
    Binding("pageup,ctrl+b", "page(-1)", "page up", id="table.page_up", show=False, tooltip="a page back"),
    Binding("right", "pan(1)", "right", id="table.right", show=False, tooltip="columns further right"),
    Binding("left,h", "pan(-1)", "left", id="table.left", show=False, tooltip="columns further left"),
    Binding("enter", "select", "open", id="table.open", show=False, tooltip="open the row"),
    Binding("space", "mark", "mark", id="table.mark", show=False, tooltip="mark or unmark the row"),
    Binding("greater_than_sign", "sort_next(1)", "sort right", id="table.sort_next", show=False,
            tooltip="sort by the next column"),
    Binding("less_than_sign", "sort_next(-1)", "sort left", id="table.sort_previous", show=False,
            tooltip="sort by the column before"),
    Binding("w", "wide", "wide", id="table.wide", show=False, tooltip="all columns, even those that do not fit"),
)  # fmt: skip
