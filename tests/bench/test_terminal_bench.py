"""The terminal's budgets: bytes on the line, the cost of finding the difference, a reader that has stopped."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.text import Text
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import DataTable, Digits

from farmtui.term.painter import Painter
from farmtui.terminal import TerminalApp, absorb
from tests.terminal.emulator import styled
from tests.terminal.probe import WriterProbe
from tests.terminal.pty_harness import PtySession
from tests.terminal.tour_session import FLOOD

pytestmark = pytest.mark.bench

ROWS = 30


def say(what: str, figure: str, budget: str) -> None:
    """One line of the report: a figure beside its budget."""
    print(f"\n  {what:<58} {figure:>28}   budget {budget}", end="")


class Dashboard(TerminalApp[None]):
    """Four big figures and a table of 30 rows, of which some figures change each second."""

    CSS = "Horizontal { height: 4; } Digits { width: 1fr; } DataTable { height: 1fr; }"
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False

    def compose(self) -> ComposeResult:
        """Figures above, the table below."""
        with Horizontal():
            for name in ("sites", "hits", "errors", "p95"):
                yield Digits("0", id=name)
        yield DataTable[Any](id="table", cursor_type="row")

    def on_mount(self) -> None:
        """Fill the table."""
        table = self.query_one(DataTable)
        for column in ("node", "state", "cpu", "memory", "hit ratio", "requests/s", "evictions", "uptime"):
            table.add_column(column, key=column)
        for row in range(ROWS):
            table.add_row(
                f"node-{row:02d}", Text("● up", "green"), "0.0 %", "0.0 %", "0.00", "0", "0", f"{row} d", key=str(row)
            )
        self.draw = random.Random(1)

    def second(self, number: int) -> None:
        """What a second changes: all big figures, two columns of each row."""
        draw, table = self.draw, self.query_one(DataTable)
        self.query_one("#sites", Digits).update("500")
        self.query_one("#hits", Digits).update(f"{draw.uniform(91, 94):.1f}%")
        self.query_one("#errors", Digits).update(f"{draw.uniform(0, 1):.2f}")
        self.query_one("#p95", Digits).update(f"{draw.randrange(180, 220)}ms")
        for row in range(ROWS):
            if (row + number) % 3 == 0:
                table.update_cell(str(row), "cpu", f"{draw.uniform(1, 60):.1f} %")
                table.update_cell(str(row), "requests/s", f"{draw.randrange(100, 999)}")


async def test_bytes_a_second_on_a_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    app = Dashboard()
    seconds = 20
    async with app.run_test(size=(120, 40)) as pilot:
        probe = WriterProbe(app)
        await pilot.pause()
        app.second(0)
        await pilot.pause()
        probe.forget_counts()
        for number in range(1, seconds + 1):
            app.second(number)
            await pilot.pause()
            await pilot.pause()
        ours, stock = probe.ours / seconds, probe.stock / seconds
        probe.check()
        say("1 Hz dashboard, 120x40, stock writer", f"{stock:,.0f} B/s", "-")
        say("1 Hz dashboard, 120x40, ours", f"{ours:,.0f} B/s, 1/{stock / ours:.0f}", "1/10 of stock")
        assert ours * 10 <= stock
        probe.forget_counts()
        app.query_one(DataTable).refresh()
        app.refresh(layout=True)
        await pilot.pause()
        await pilot.pause()
        say("the same screens painted again, nothing changed", f"{probe.ours} B of {probe.stock:,} B", "0 B")
        assert probe.stock
        assert probe.ours == 0


def dense_lines(seed: int, width: int = 200, height: int = 60) -> list[Strip]:
    """Lines of about 40 segments in 12 styles, with box drawing and CJK among them."""
    draw = random.Random(seed)
    pens = [styled_pen(number) for number in range(12)]
    lines = []
    for y in range(height):
        segments = [Segment(f"node-{y:02d} キャッシュ ", pens[0])]
        while sum(segment.cell_length for segment in segments) < width:
            segments.append(Segment(f"{draw.uniform(0, 99):5.1f}", draw.choice(pens)))
            segments.append(Segment(" │ ", pens[1]))
        lines.append(Strip(segments).adjust_cell_length(width))
    return lines


def styled_pen(number: int) -> Any:
    """One of a few styles in true colour."""
    style = Text.from_ansi(f"\x1b[38;2;{number * 20};200;100;48;2;10;{number * 3};30mx").spans[0].style
    assert styled(style, ColorSystem.TRUECOLOR)
    return style


def fastest_ms(measured: Callable[[], object], repeats: int = 30) -> float:
    """The least of several times: what the work costs without what else runs here."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        measured()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def test_the_cost_of_a_frame() -> None:
    width, height = 200, 60
    painter = Painter(width, height)
    before, after = dense_lines(1), dense_lines(2)
    region = Region(0, 0, width, height)

    def show(lines: list[Strip]) -> str:
        absorb(painter, LayoutUpdate([[line] for line in lines], region), ColorSystem.TRUECOLOR)
        return painter.frame()

    turns = cycle([after, before])

    def one_line_fresh() -> str:
        # New strips for every line, as from widgets that render anew, of which one differs.
        lines = [Strip(list(line), width) for line in before]
        lines[30] = Strip(list(next(turns)[30]), width)
        return show(lines)

    def one_line_only() -> str:
        chops: list[dict[int, Strip | None]] = [{} for _ in range(height)]
        chops[30] = {0: Strip(list(next(turns)[30]), width)}
        absorb(painter, ChopsUpdate(chops, [(30, 0, width)], [[width]] * height), ColorSystem.TRUECOLOR)
        return painter.frame()

    def everything() -> str:
        return show([Strip(list(line), width) for line in next(turns)])

    show(before)
    unchanged_ms = fastest_ms(lambda: show(before))
    one_ms, fresh_ms, all_ms = fastest_ms(one_line_only), fastest_ms(one_line_fresh), fastest_ms(everything)
    stock_ms = fastest_ms(
        lambda: "".join(
            Strip.render_style(segment.style, segment.text, ColorSystem.TRUECOLOR)
            for line in before
            for segment in line
            if segment.style is not None
        )
    )
    say("200x60, the same strips again", f"{unchanged_ms:.2f} ms", "-")
    say("200x60, one line rendered and different", f"{one_ms:.2f} ms", "3 ms")
    say("200x60, all lines rendered, one different", f"{fresh_ms:.2f} ms", "3 ms")
    say("200x60, every figure different", f"{all_ms:.2f} ms", f"- (stock writes in {stock_ms:.2f} ms)")
    assert one_ms < 3
    assert fresh_ms < 3


@pytest.mark.timeout(240)
def test_a_reader_that_stops_for_a_minute(tmp_path: Path) -> None:
    stalls: dict[str, dict[str, float]] = {}
    for name, stopped_s in {"reading": 0, "stopped": 60}.items():
        report = tmp_path / name
        report.mkdir()
        with PtySession([*FLOOD, str(report)], columns=120, lines=40, sync=True) as session:
            session.wait_for("moment")
            session.pump(2.0 if stopped_s else 15.0)
            time.sleep(stopped_s)
            assert session.finish("q") == 0
        stalls[name] = json.loads((report / "end.json").read_text())
    floor_s, stall_s = stalls["reading"]["stall_s"], stalls["stopped"]["stall_s"]
    say("longest stall, 50 frames/s, a terminal that reads", f"{floor_s * 1000:.0f} ms", "-")
    say(
        "longest stall, a terminal that reads nothing for 60 s",
        f"{stall_s * 1000:.0f} ms, {stalls['stopped']['dropped']:.0f} dropped",
        "100 ms",
    )
    print()
    assert stalls["stopped"]["dropped"] > 1000
    assert stall_s < max(0.1, 2 * floor_s)
