"""The table with 50,000 rows and the trend chart, beside their budgets: no key waits, no frame is late."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from time import perf_counter, thread_time

import pytest
from textual import events

from farmtui.farm.state import Severity
from farmtui.farm.units import percent, rate
from tests.widgets.stage import Stage
from widgets.chart_axis import RATIO
from widgets.live_table import LiveTable
from widgets.meter import Limits, meter
from widgets.table_columns import Column
from widgets.trend_chart import Line, Threshold, TrendChart

pytestmark = pytest.mark.bench

ROWS = 50_000
KEY_BUDGET_MS = 50.0
FRAME_BUDGET_MS = 4.0
ROUNDS = 5
"""The best of so many counts: another process on the machine must not fail it."""


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    requests_per_s: float
    hit_ratio: float | None
    severity: Severity


def sites(seed: int) -> list[Site]:
    chance = random.Random(seed)
    return [
        Site(
            f"site-{index:05}.example.org",
            chance.random() * 1000,
            chance.random() if index % 50 else None,
            Severity.WARNING if chance.random() < 0.02 else Severity.OK,
        )
        for index in range(ROWS)
    ]


def table_of_sites() -> LiveTable[Site]:
    hit = Limits(0.8, 0.6, falling=True)
    return LiveTable(
        [
            Column("name", "SITE", lambda row: row.name, width=24, flex=1, priority=0, sort=lambda row: row.name),
            Column("rate", "REQ/S", lambda row: rate(row.requests_per_s), width=8, align="right",
                   sort=lambda row: row.requests_per_s, descending=True),
            Column("bar", "HIT", lambda row: meter(row.hit_ratio, 16, hit), width=16, sort=lambda row: row.hit_ratio),
            Column("hit", "", lambda row: percent(row.hit_ratio), width=7, align="right"),
            Column("state", "STATE", lambda row: row.severity.word, width=8,
                   sort=lambda row: (-row.severity, row.name)),
        ],
        key=lambda row: row.name,
        severity=lambda row: row.severity,
        noun="sites",
        sort="state",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _settled_memory() -> Iterator[None]:
    """Whatever ran before must not be collected within a measurement."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def others() -> float:
    """How much slower than alone this process runs now: wall time over own time of a fixed piece of work, 1 alone."""
    wall, own = perf_counter(), thread_time()
    sum(number * number for number in range(1_500_000))
    return max(1.0, (perf_counter() - wall) / max(1e-9, thread_time() - own))


def report(what: str, value: float, budget: float, more: str = "") -> None:
    print(f"\n  {what:<44} {value:7.2f} ms   budget {budget:5.1f} ms   {value / budget:5.2f}x  {more}", end="")


async def worst_stall_ms(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """The longest time that the event loop was held during `work` and the repaint after it, and how long it took."""
    worst = 0.0
    running = True

    async def watch() -> None:
        nonlocal worst
        while running:
            before = perf_counter()
            await asyncio.sleep(0)
            worst = max(worst, perf_counter() - before)

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    worst = 0.0
    began = perf_counter()
    await work()
    took = perf_counter() - began
    await asyncio.sleep(0.05)
    running = False
    await watcher
    return worst * 1000, took * 1000


STEPS: dict[str, Callable[[LiveTable[Site], list[Site]], None]] = {
    "new rows, all different": lambda table, rows: table.set_rows(rows),
    "sort by a figure": lambda table, rows: table.sort_by("rate"),
    "sort by a name": lambda table, rows: table.sort_by("name"),
    "sort by a figure that is missing at times": lambda table, rows: table.sort_by("bar"),
    "filter, first letter (all texts are made)": lambda table, rows: table.set_filter(
        lambda text, row: "7" in text, "7"
    ),
    "filter, next letter": lambda table, rows: table.set_filter(
        lambda text, row: re.search("7.*3", text) is not None, "7.*3"
    ),
    "filter off": lambda table, rows: table.set_filter(None),
}


async def test_no_step_holds_the_loop() -> None:
    table = table_of_sites()
    app = Stage(lambda: [table])
    best: dict[str, tuple[float, float]] = {}
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.pause()
        for number in range(ROUNDS):
            rows = sites(number)
            gc.collect()
            for what, step in STEPS.items():

                async def work(step: Callable[[LiveTable[Site], list[Site]], None] = step) -> None:
                    step(table, rows)  # noqa: B023  called before the loop goes on
                    await table.settled()

                found = await worst_stall_ms(work)
                best[what] = min(best.get(what, found), found)
    for what, (stall, took) in best.items():
        report(f"{ROWS:,} rows: {what}", stall, KEY_BUDGET_MS, f"complete after {took:.0f} ms")
    assert max(stall for stall, _ in best.values()) < KEY_BUDGET_MS


async def key_to_paint_ms(app: Stage, table: LiveTable[Site], key: str) -> float:
    painted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    before = table.cursor_key

    def after() -> None:
        if table.cursor_key == before:
            table.call_after_refresh(after)
        elif not painted.done():
            painted.set_result(None)

    began = perf_counter()
    app.post_message(events.Key(key, key if len(key) == 1 else None))
    table.call_after_refresh(after)
    await painted
    return (perf_counter() - began) * 1000


async def p99_ms(app: Stage, table: LiveTable[Site], generations: list[list[Site]]) -> float:
    """Of 120 keys, while all rows are replaced at every sixth."""
    times = []
    for turn in range(120):
        if turn % 6 == 0:
            table.set_rows(generations[turn // 6 % len(generations)])
        key = ("j", "j", "pagedown", "k", "pageup", "j")[turn % 6]
        times.append(await key_to_paint_ms(app, table, key))
    return sorted(times)[int(len(times) * 0.99)]


async def test_a_key_is_painted_while_all_rows_change() -> None:
    table = table_of_sites()
    generations = [sites(number) for number in range(4)]
    table.set_rows(generations[-1])
    app = Stage(lambda: [table])
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.pause()
        table.focus()
        await pilot.press("j")
        collected = await p99_ms(app, table, generations)
        # The rows stand for what the console holds anyway. A full collection over 200,000 objects takes longer than
        # a key may: when to collect is the console's to decide, and its own bench measures that.
        gc.collect()
        gc.freeze()
        # A busy machine is divided out, since this is about our own work.
        frozen = [await p99_ms(app, table, generations) / others() for _ in range(ROUNDS)]
    held = f"with full collections by the way: {collected:.0f} ms"
    report(f"{ROWS:,} rows: key to paint, p99, rows replaced", min(frozen), KEY_BUDGET_MS, held)
    assert min(frozen) < KEY_BUDGET_MS


async def test_a_frame_of_the_trend_chart() -> None:
    chart = TrendChart("hit ratio", RATIO, [Threshold(0.8, Severity.WARNING, falling=True)])
    chart.styles.height = 16
    app = Stage(lambda: [chart])
    end, span_s = 1_767_236_400.0, 10_800.0
    times = [end - span_s + (index + 1) * span_s / 500 for index in range(500)]
    lines = [
        Line(f"cache-{number}", times, [0.7 + 0.25 * math.sin(index / (7 + number)) for index in range(500)])
        for number in range(3)
    ]
    medians = []
    async with app.run_test(size=(120, 20)) as pilot:
        chart.show(lines, end=end, span_s=span_s)
        await pilot.pause()
        for _ in range(ROUNDS):
            frames = []
            for turn in range(60):
                began = thread_time()
                chart.show(lines, end=end + turn * 60, span_s=span_s)
                frames.append((thread_time() - began) * 1000)
            medians.append(sorted(frames)[len(frames) // 2])
    report("trend chart, 3 x 500 points, 120x16, a frame", min(medians), FRAME_BUDGET_MS)
    assert min(medians) < FRAME_BUDGET_MS
