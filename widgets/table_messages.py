"""What a live table tells the screen around it. Use them by the table's own names: `LiveTable.RowSelected`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Hashable

    from widgets.live_table import LiveTable


class TableMessage(Message, namespace="live_table"):
    """Of a table; `control` is what `@on(..., "#id")` selects by."""

    def __init__(self, table: LiveTable[Any]) -> None:
        self.table = table
        super().__init__()

    @property
    def control(self) -> LiveTable[Any]:
        """The table."""
        return self.table


class RowHighlighted(TableMessage, namespace="live_table"):
    """The cursor is on another row; `key` and `row` are None when no row is shown."""

    def __init__(self, table: LiveTable[Any], key: Hashable | None, row: Any | None) -> None:
        super().__init__(table)
        self.key = key
        self.row = row


class RowSelected(TableMessage, namespace="live_table"):
    """Enter, or a click on the row under the cursor."""

    def __init__(self, table: LiveTable[Any], key: Hashable, row: Any) -> None:
        super().__init__(table)
        self.key = key
        self.row = row


class SortChanged(TableMessage, namespace="live_table"):
    """Another column or direction; `column` None is the order in which the rows were given."""

    def __init__(self, table: LiveTable[Any], column: str | None, descending: bool) -> None:
        super().__init__(table)
        self.column = column
        self.descending = descending


class Marked(TableMessage, namespace="live_table"):
    """The set of marked keys has changed."""

    def __init__(self, table: LiveTable[Any], marks: frozenset[Hashable]) -> None:
        super().__init__(table)
        self.marks = marks


class ViewChanged(TableMessage, namespace="live_table"):
    """The number of rows, or of those that pass the filter, has changed."""

    def __init__(self, table: LiveTable[Any], shown: int, total: int) -> None:
        super().__init__(table)
        self.shown = shown
        self.total = total
