"""A log's lines with a cursor: moved up it stops following, at the end it follows; long lines wrap or are panned."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.content import Content
from textual.strip import Strip

from widgets.live_log import LiveLog
from widgets.painting import blank
from widgets.table_paint import cell_segments, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click


class LogLines(LiveLog):
    """Its lines are all that is given; on the screen a line is one row, or several where it wraps."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-lines--cursor"}
    DEFAULT_CSS = """
    LogLines {
        & > .log-lines--cursor { background: $block-cursor-blurred-background; }
        &:focus > .log-lines--cursor { background: $block-cursor-background; }
        &:ansi > .log-lines--cursor { text-style: reverse; background: ansi_default; }
        &:nocolor > .log-lines--cursor { text-style: reverse; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._texts: Sequence[Content] = ()
        self._gone = 0
        self._wraps = False
        self._of_row: list[int] = []
        """Where rows are parts of lines: which line each is of."""
        self._rows: list[Content] = []
        self._first_row: list[int] = []
        self._rows_gone = 0
        self._wrapped_at = 0
        self._cursor = 0

    @property
    def wraps(self) -> bool:
        """Whether long lines go on in the next row."""
        return self._wraps

    @property
    def cursor(self) -> int:
        """Which of its lines is under the cursor; 0 where there is none."""
        return max(0, min(self._cursor, len(self._texts) - 1))

    def show_lines(self, texts: Sequence[Content], gone: int) -> None:
        """Show lines, those before them that are not kept any more being `gone` in number."""
        fewer = max(0, gone - self._gone)
        anew = gone < self._gone or len(texts) < len(self._texts) - fewer
        self._texts, self._gone = texts, gone
        self._cursor = len(texts) - 1 if self.following or anew else max(0, self._cursor - fewer)
        if not self._wraps:
            self.show(texts, gone)
            return
        if anew or self._wrapped_at != self._room:
            self._wrap_anew()
        else:
            self._forget_front(fewer)
            self._wrap_on(len(self._first_row))
        self.show(self._rows, self._rows_gone)

    def follow(self) -> None:
        """To the end, and stay there."""
        self.action_ends(1)

    def pause(self) -> None:
        """Stay here, whatever comes."""
        self._follow(False)

    def toggle_wrap(self) -> None:
        """Wrap, or do not. The line under the cursor stays in sight."""
        self._wraps = not self._wraps
        self._lay_out_anew()

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        super().on_resize()
        if self._wraps and self._wrapped_at != self._room:
            self._lay_out_anew()

    def draw_line(self, y: int, width: int) -> Strip:
        """A row; those of the line under the cursor are marked."""
        index = round(self.scroll_y) + y
        if index >= len(self._lines):
            return blank(width, self.base_style())
        if self._line_of(index) != self.cursor or not self._texts:
            return super().draw_line(y, width)
        mark = self.get_component_rich_style("log-lines--cursor")
        base = self.base_style() + Style(bgcolor=mark.bgcolor, reverse=mark.reverse)
        row = self._lines[index]
        length = width_of(row if isinstance(row, str) else row.plain)
        segments = cell_segments(row, max(width, length), "left", base, lambda name: _over(self.ink(name), base))
        left = round(self.scroll_x)
        return Strip(segments).crop_extend(left, left + width, base)

    def action_lines(self, lines: int) -> None:
        """The cursor some lines down, or up."""
        self._to(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """The cursor a page down, or up."""
        row = self._row_of(self.cursor) + pages * max(1, self.size.height - 1)
        self._to(self._line_of(max(0, min(row, len(self._lines) - 1))))

    def action_ends(self, last: int) -> None:
        """The cursor to the first line, or the last."""
        self._to(len(self._texts) - 1 if last else 0)

    def on_mouse_scroll_up(self) -> None:
        """Who turns the wheel back reads there: the cursor comes along."""
        super().on_mouse_scroll_up()
        self.call_after_refresh(self._into_sight)

    def on_mouse_scroll_down(self) -> None:
        """The cursor comes along; at the end it is followed again."""
        super().on_mouse_scroll_down()
        self.call_after_refresh(self._into_sight)

    def on_click(self, event: Click) -> None:
        """The cursor to the line that is clicked."""
        row = round(self.scroll_y) + event.y - self.gutter.top
        if 0 <= row < len(self._lines):
            self._to(self._line_of(row))

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        return max(20, self.canvas.width)

    def _to(self, line: int) -> None:
        self._cursor = max(0, min(line, len(self._texts) - 1))
        if self._cursor >= len(self._texts) - 1:
            self._follow(True)
            self._to_end()
        else:
            self._follow(False)
            row, height = self._row_of(self._cursor), max(1, self.size.height)
            last = self._row_of(self._cursor + 1) - 1
            top = round(self.scroll_y)
            if last >= top + height:
                top = last - height + 1
            self.scroll_to(y=min(top, row), animate=False, immediate=True)
        self.repaint()

    def _into_sight(self) -> None:
        if self.following or not self._lines:
            self._cursor = max(0, len(self._texts) - 1) if self.following else self._cursor
        else:
            top = round(self.scroll_y)
            bottom = min(len(self._lines) - 1, top + max(1, self.size.height) - 1)
            self._cursor = max(self._line_of(min(top, bottom)), min(self.cursor, self._line_of(bottom)))
        self.repaint()

    def _line_of(self, row: int) -> int:
        return self._of_row[row] - self._of_row[0] if self._wraps and self._of_row else row

    def _row_of(self, line: int) -> int:
        if not self._wraps:
            return line
        return self._first_row[line] - self._rows_gone if line < len(self._first_row) else len(self._rows)

    def _lay_out_anew(self) -> None:
        following = self.following
        self._widest = 0
        self._lines, self._dropped = (), 0
        if self._wraps:
            self._wrap_anew()
            self.show(self._rows, self._rows_gone)
            self.scroll_to(x=0, animate=False, immediate=True)
        else:
            self.show(self._texts, self._gone)
        if not following:
            self._to(self.cursor)

    def _wrap_anew(self) -> None:
        self._wrapped_at = self._room
        self._rows, self._of_row, self._first_row = [], [], []
        self._rows_gone = 0
        self._wrap_on(0)

    def _forget_front(self, lines: int) -> None:
        if lines and self._first_row:
            rows = self._row_of(min(lines, len(self._first_row)))
            del self._rows[:rows], self._of_row[:rows], self._first_row[:lines]
            self._rows_gone += rows

    def _wrap_on(self, line: int) -> None:
        """Rows of the lines from `line` on."""
        number = self._of_row[-1] + 1 if self._of_row else 0
        for text in self._texts[line:]:
            self._first_row.append(self._rows_gone + len(self._rows))
            for part in wrapped(text, self._wrapped_at):
                self._rows.append(part)
                self._of_row.append(number)
            number += 1


def wrapped(text: Content, width: int) -> list[Content]:
    """A line in pieces that are at most `width` cells wide."""
    plain = text.plain
    if width_of(plain) <= width:
        return [text]
    if plain.isascii():
        return [text[at : at + width] for at in range(0, len(plain), width)]
    found, begin, taken = [], 0, 0
    for place, character in enumerate(plain):
        cells = width_of(character)
        if taken + cells > width and place > begin:
            found.append(text[begin:place])
            begin, taken = place, 0
        taken += cells
    return [*found, text[begin:]]


def _over(style: Style, base: Style) -> Style:
    """A part's own colour on the cursor's background."""
    return style + Style(bgcolor=base.bgcolor, reverse=base.reverse)
