"""Textual's own rendering as cells, and any running app written twice: by Textual's writer and by ours."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Final

import pyte
from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.console import RenderableType
from rich.control import Control
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._context import visible_screen_stack
from textual.app import App
from textual.screen import Screen

from farmtui.term.painter import Painter
from farmtui.terminal import absorb
from tests.terminal.emulator import Cell, Emulator, Feed, cells, difference, styled

BLANK: Final = Cell(" ")


def screen_cells(app: App[Any]) -> list[list[Cell]]:
    """The screen of a running app as its compositor has it, cell by cell: no writer is involved."""
    screen = app.screen
    visible_screen_stack.set(app._background_screens)
    colours = app.console._color_system or ColorSystem.TRUECOLOR
    width, height = screen.size
    rows = [segment_cells(list(strip), colours, width) for strip in screen._compositor.render_strips()]
    rows.extend([[BLANK] * width for _ in range(height - len(rows))])
    return rows[:height]


def segment_cells(segments: list[Segment], colours: ColorSystem, width: int) -> list[Cell]:
    """One line of segments as `width` cells. Written apart from `farmtui.term.cells`, to check it."""
    row: list[Cell] = []
    for text, style, control in segments:
        if control:
            continue
        looks = styled(style, colours)
        first = len(row)
        for start, end, taken in split_graphemes(text)[0]:
            cluster = text[start:end]
            half = len(cluster) == 1 and "\U0001f1e6" <= cluster <= "\U0001f1ff"
            if half and len(row) > first and len(row[-1].text) == 1 and "\U0001f1e6" <= row[-1].text <= "\U0001f1ff":
                row[-1] = replace(row[-1], text=row[-1].text + cluster)
                row.append(replace(looks, text=""))
            elif taken:
                row.append(replace(looks, text=cluster))
                row.extend([replace(looks, text="")] * (taken - 1))
            elif row:
                base = max(x for x, cell in enumerate(row) if cell.text)
                row[base] = replace(row[base], text=row[base].text + cluster)
    return (row + [BLANK] * width)[:width]


def save_cells(rows: list[list[Cell]], path: Path) -> None:
    """Write a screen to a file that another process reads; it is complete when it is there."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([[astuple(cell) for cell in row] for row in rows]))
    partial.rename(path)


def load_cells(path: Path) -> list[list[Cell]]:
    """Read what `save_cells` wrote."""
    return [[Cell(*cell) for cell in row] for row in json.loads(path.read_text())]


def _forget_codes(update: LayoutUpdate | ChopsUpdate) -> None:
    """Have the stock writer work out the codes of each style again.

    It keeps those of a style's first use, in values that apps share: right in a process with one depth of colours.
    """
    lines = update.strips if isinstance(update, LayoutUpdate) else [chops.values() for chops in update.chops]
    for line in lines:
        for strip in line:
            if strip is not None:
                strip._render_cache = None
                for segment in strip:
                    if segment.style is not None:
                        segment.style._ansi = None


class WriterProbe:
    """Takes each update of a running app (`run_test` and its pilot) through both writers, each to its own terminal.

        async with app.run_test(size=(120, 40)) as pilot:
            probe = WriterProbe(app)
            await pilot.press("2")
            probe.check()          # stock == ours == Textual's own rendering, every cell

    `stock` and `ours` are the bytes written since the probe began, or since `forget_counts`. With `plain_pyte` the
    terminals are pyte's own, whose widths hold for text without emoji sequences.
    """

    def __init__(self, app: App[Any], *, plain_pyte: bool = False) -> None:
        self.app = app
        self._make = pyte.Screen if plain_pyte else Emulator
        width, height = app.size
        self.painter = Painter(width, height)
        self.stock = 0
        self.ours = 0
        self.frames = 0
        self._start_screens(width, height)
        self._original = app._display
        app._display = self._display  # type: ignore[method-assign]
        app.screen.refresh()
        app.screen._compositor._dirty_regions.add(app.screen.size.region)

    def _start_screens(self, width: int, height: int) -> None:
        self.stock_screen = self._make(width, height)
        self.our_screen = self._make(width, height)
        self._feed_stock, self._feed_ours = Feed(self.stock_screen), Feed(self.our_screen)
        for feed in (self._feed_stock, self._feed_ours):
            feed("\x1b[?7l")

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, (LayoutUpdate, ChopsUpdate)) and not self.app._batch_count:
            width, height = self.app.size
            if (width, height) != (self.our_screen.columns, self.our_screen.lines):
                # A resized terminal may show anything: ours clears it, and Textual repaints all of it.
                for terminal in (self.stock_screen, self.our_screen):
                    terminal.resize(height, width)
            cursor = self.app.screen.outer_size.clamp_offset(self.app.cursor_position)
            colours = self.app.console._color_system or ColorSystem.TRUECOLOR
            _forget_codes(renderable)
            stock = renderable.render_segments(self.app.console) + Control.move_to(*cursor).segment.text
            absorb(self.painter, renderable, colours)
            ours = self.painter.frame(cursor)
            self._feed_stock(stock)
            self._feed_ours(ours)
            self.stock += len(stock.encode("utf-8", "replace"))
            self.ours += len(ours.encode())
            self.frames += 1
        self._original(screen, renderable)

    def forget_counts(self) -> None:
        """Count bytes and frames from here on."""
        self.stock = self.ours = self.frames = 0

    def check(self, *, stock: bool = True) -> None:
        """Every cell of our terminal is what Textual rendered, and so is the stock writer's unless told otherwise.

        Raises AssertionError naming the first cells that differ. Call it when the app has come to rest.
        """
        expected = screen_cells(self.app)
        ours = difference(cells(self.our_screen), expected)
        assert not ours, f"our writer differs from Textual's rendering:\n{ours}"
        if stock:
            theirs = difference(cells(self.stock_screen), expected)
            assert not theirs, f"the stock writer differs from Textual's rendering:\n{theirs}"
