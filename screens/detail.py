"""The view of one thing: why it is as it is, everything known of it, and what it is connected to."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from farmtui.farm.state import Severity
from screens.describe import Block, Detail, Field, Link
from screens.frame import ViewScreen
from screens.known import known_of
from screens.looked import with_look
from widgets import ink
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding
    from farmtui.runbooks.picture import Picture
    from screens.places import Place, Subject

TWO_COLUMNS = 110
"""Cells from which blocks stand side by side."""


class Facts(VerticalScroll, can_focus=True):
    """The scrolling part: head, reasons and blocks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False, id="facts.down"),
        Binding("k", "scroll_up", show=False, id="facts.up"),
    ]


class DetailScreen(ViewScreen):
    """Everything that is known of a thing, whatever it is."""

    CSS_PATH = "detail.tcss"
    AUTO_FOCUS = "#facts"
    """Actions are first those of the subject itself; Tab goes to what it is connected to."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._last: Content | None = None
        self._links: tuple[Link, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Facts above, what it is connected to below."""
        with Facts(id="facts"):
            yield Static(id="facts-text")
        yield LiveTable[Link](
            (
                Column("relation", "related", lambda link: link.relation, width=14, priority=1),
                Column("state", "state", _link_state, width=9, priority=0),
                Column("text", "what", lambda link: link.text, width=30, flex=1, priority=0),
            ),
            key=lambda link: (link.relation, link.subject.kind, link.subject.key),
            severity=lambda link: link.severity,
            noun="related things",
            id="links",
        )

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Describe the subject as it is now."""
        if self.subject.kind != "book":
            self._show()

    def show_remedies(self, picture: Picture) -> None:
        """A runbook is of the shelf, not of the farm."""
        if self.subject.kind == "book":
            self._show()

    def _show(self) -> None:
        """What is known now; say so when nobody knows the subject any more."""
        detail = known_of(self.console, self.subject)
        if detail is not None and self.console.farm is not None:
            detail = with_look(detail, self.console, self.subject, self._looked)
        table = self.query_one("#links", LiveTable)
        if detail is None:
            self._show_text(_gone(self.subject))
            return
        # Beside the padding the scrollbar takes a cell, when there is one.
        width = max(20, self.size.width - 5)
        text = render(detail, width)
        if self.row_filter:
            wanted = self.row_filter
            blocks = tuple(
                dataclasses.replace(
                    block, fields=tuple(f for f in block.fields if wanted.passes(f"{f.label} {f.text}", {}))
                )
                for block in detail.blocks
            )
            text = render(dataclasses.replace(detail, blocks=tuple(b for b in blocks if b.fields)), width)
        self._show_text(text)
        links = detail.links
        if self.console.faults_only:
            links = tuple(link for link in links if link.severity >= Severity.WARNING)
        table.display = bool(detail.links)
        if links != self._links:
            self._links = links
            table.set_rows(links)

    def _looked(self) -> None:
        """More is known now."""
        if self.is_attached:
            self._show()

    def _show_text(self, text: Content) -> None:
        if self._last is None or not text.is_same(self._last):
            self._last = text
            self.query_one("#facts-text", Static).update(text)

    def selected(self) -> Subject | None:
        """The related thing when its table has the cursor, else the subject itself."""
        table = self.query_one("#links", LiveTable)
        if self.focused is table and table.cursor_row is not None:
            link: Link = table.cursor_row
            return link.subject
        return self.subject

    @on(LiveTable.RowSelected, "#links")
    def _open_link(self, message: LiveTable.RowSelected) -> None:
        link: Link = message.row
        self.console.go(self.place.into(link.subject))


def _link_state(link: Link) -> Content:
    mark = f"{glyphs().severity[link.severity]} {link.severity.word}"
    return Content.styled(mark, ink.SEVERITY[link.severity])


_GONE_FROM_FARM = "The farm does not know this {kind} any more: it was removed, or its source has lost it.\n"
_GONE = {
    "book": "There is no such runbook any more: its file was removed.\n",
    "run": "The journal does not know this run.\n",
}


def _gone(subject: Subject) -> Content:
    return Content.assemble(
        (f"{subject.title}\n\n", ink.STRONG),
        (_GONE.get(subject.kind, _GONE_FROM_FARM.format(kind=subject.kind)), ink.TEXT),
        ("Esc goes back.", ink.MUTED),
    )


def render(detail: Detail, width: int) -> Content:
    """The facts as text of `width` cells: head, reasons, then blocks, side by side where there is room."""
    lines: list[Content] = [_head(detail)]
    for reason in detail.reasons:
        style = ink.SEVERITY[detail.severity] if detail.severity is not None else ink.TEXT
        lines += [Content.styled(line, style) for line in _wrapped(reason, width)]
    blocks = [block for block in detail.blocks if block.fields]
    if width < TWO_COLUMNS:
        for block in blocks:
            lines += [Content(""), *_block(block, width)]
        return Content("\n").join(lines)
    half = (width - 4) // 2
    left, right = _halves(blocks, half)
    lines.append(Content(""))
    for index in range(max(len(left), len(right))):
        a = left[index] if index < len(left) else Content("")
        b = right[index] if index < len(right) else Content("")
        lines.append(Content.assemble(a.truncate(half, ellipsis=True, pad=True), "    ", b))
    return Content("\n").join(lines)


def _head(detail: Detail) -> Content:
    if detail.severity is None:
        return Content.styled(detail.title, ink.STRONG)
    mark = f"{glyphs().severity[detail.severity]} {detail.severity.word}"
    return Content.assemble((f"{mark}  ", f"{ink.STRONG} {ink.SEVERITY[detail.severity]}"), (detail.title, ink.STRONG))


def _halves(blocks: Sequence[Block], width: int) -> tuple[list[Content], list[Content]]:
    """Blocks in two columns of about equal height, in reading order."""
    drawn = [[*_block(block, width), Content("")] for block in blocks]
    total = sum(map(len, drawn))
    left: list[Content] = []
    right: list[Content] = []
    for lines in drawn:
        column = left if not right and (not left or len(left) + len(lines) // 2 <= total / 2) else right
        column += lines
    return left, right


def _block(block: Block, width: int) -> list[Content]:
    label_width = min(26, max((len(field.label) for field in block.fields), default=0))
    lines = [Content.styled(block.title, f"{ink.STRONG} {ink.ACCENT}")]
    for field in block.fields:
        lines += _field(field, label_width, width)
    return lines


def _field(field: Field, label_width: int, width: int) -> list[Content]:
    indent = label_width + (4 if label_width else 2)
    mark = ""
    if field.severity is not None and field.severity >= Severity.WARNING:
        mark = f"{glyphs().severity[field.severity]} "
    texts = _wrapped(mark + field.text, max(10, width - indent)) or [""]
    label = Content.styled(f"  {field.label:<{label_width}}  " if label_width else "  ", ink.MUTED)
    style = ink.SEVERITY[field.severity] if field.severity is not None else ink.TEXT
    first = Content.assemble(label, (texts[0], style))
    return [first, *(Content.assemble(" " * indent, (text, style)) for text in texts[1:])]


def _wrapped(text: str, width: int) -> list[str]:
    return [line.plain for paragraph in text.split("\n") for line in Content(paragraph).wrap(width)]
