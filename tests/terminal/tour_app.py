"""A small app with everything that makes a terminal's life hard, for the tests to drive on a pty and in process.

    python -m tests.terminal.tour_app [--stock] [--report DIR] [--hostile]

Keys: t next theme, d dialog, s scroll the table, n next figures, e emoji on or off, b bell, c copy, w write a file of
the cells that Textual rendered (DIR/cells-N.json), u run a program that takes the terminal, l redraw, z stop the
process, x crash, q quit. Its own beat, 100 times a second, measures how long the loop stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import ModalScreen
from textual.widgets import DataTable, Digits, Input, Label, ProgressBar, Static

from farmtui.terminal import FarmDriver, FarmWebDriver, TerminalApp
from tests.terminal.probe import save_cells, screen_cells

NAMES = ["cache-fra-1", "ストレージ", "Košice ✓", "cafe\u0301 au lait", "데이터베이스", "Ωmega │ β", "web漢字node"]
EMOJI = "🔥 hot 👍🏽 ok ❤\ufe0f 👨\u200d👩\u200d👧 🇩🇪🇫🇷 1\ufe0f\u20e3 ⚠\ufe0f ⌚ end"
HOSTILE = "log: \x1b]52;c;cm0=\x07 \x9b2J \u202egpj.exe \x1b[?1049l \x00\x08\x0e done"
THEMES = ["textual-dark", "textual-light", "nord", "gruvbox", "ansi-dark"]


class Dialog(ModalScreen[None]):
    """A dialog over a screen that shows through."""

    CSS = "Dialog { align: center middle; } #box { width: 40; height: 9; border: thick $primary; background: $panel; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        """A box with text and an input."""
        with VerticalScroll(id="box"):
            yield Label("Drain 漢字-node?")
            field = Input(placeholder="type its name")
            field.cursor_blink = False
            yield field
            yield ProgressBar(total=10, show_eta=False)


class Tour(TerminalApp[None]):
    """The app; `StockTour` is the same on Textual's own driver and writer."""

    CSS = """
    Screen { layout: vertical; }
    #top { height: 5; } Digits { width: 24; } #notes { border: round $accent; }
    DataTable { height: 1fr; } #side { width: 22; border: solid $warning; }
    #status { height: 1; background: $boost; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, action, action, priority=key in "wq")
        for key, action in {
            "t": "next_theme",
            "d": "dialog",
            "s": "scroll",
            "n": "figures",
            "e": "emoji",
            "b": "ring",
            "c": "copy",
            "w": "write_cells",
            "u": "lend",
            "l": "redraw",
            "z": "suspend_process",
            "x": "crash",
            "q": "finish",
        }.items()
    ]

    def __init__(self, report: Path, *, hostile: bool = False) -> None:
        super().__init__()
        self.report = report
        self.hostile = hostile
        self.step = 0
        self.figures = 0
        self.with_emoji = False
        self.stall_s = 0.0
        self.lag_updates = 0
        self.pasted = ""
        self.keys = 0
        self.unmounted = False

    def compose(self) -> ComposeResult:
        """Figures, a table, a side panel, a status line."""
        with Horizontal(id="top"):
            yield Digits("98.72", id="digits")
            yield Static(Text(HOSTILE if self.hostile else "notes"), id="notes")
        with Horizontal():
            yield DataTable[Any](id="table", cursor_type="row")
            yield Static("", id="side")
        yield Static("step 0.", id="status")

    def on_mount(self) -> None:
        """Fill the table; let the beat begin."""
        table = self.query_one(DataTable)
        for column in ("node", "hit", "state", "note"):
            table.add_column(column, key=column)
        for row in range(40):
            name = NAMES[row % len(NAMES)]
            table.add_row(
                Text(f"{name} {row}"), f"{row * 1.7:6.2f}", Text("up", "bold green"), Text(name[::1] * 2), key=str(row)
            )
        table.focus()
        self.beat = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            self.stall_s = max(self.stall_s, now - before - 0.01)
            before = now

    def _next_step(self) -> None:
        self.step += 1
        self.query_one("#status", Static).update(Text(f"step {self.step}."))

    def on_key(self, event: events.Key) -> None:
        """Count what is typed."""
        self.keys += 1
        if event.key in {"ctrl+q", "ctrl+c"}:
            event.prevent_default()
            event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """Show what was pasted."""
        self.pasted = event.text
        self.query_one("#side", Static).update(Text(f"pasted {len(event.text)}"))

    def action_next_theme(self) -> None:
        """Another theme: every cell changes."""
        self.theme = THEMES[(THEMES.index(self.theme) + 1) % len(THEMES)]
        self._next_step()

    def action_dialog(self) -> None:
        """Open the dialog."""
        self._next_step()
        self.push_screen(Dialog())

    def action_scroll(self) -> None:
        """Move down the table."""
        self.query_one(DataTable).move_cursor(row=(self.query_one(DataTable).cursor_row + 17) % 40, animate=False)
        self._next_step()

    def action_figures(self) -> None:
        """New figures in every row."""
        self.set_figures(self.figures + 1)
        self._next_step()

    def set_figures(self, number: int) -> None:
        """Show the figures of moment `number`."""
        self.figures = number
        self.query_one(Digits).update(f"{98.0 - number / 7:.2f}")
        table = self.query_one(DataTable)
        for row in range(0, 40, 3):
            table.update_cell(str(row), "hit", f"{(row * 1.7 + number) % 100:6.2f}")

    def action_emoji(self) -> None:
        """Emoji in the side panel, or CJK."""
        self.with_emoji = not self.with_emoji
        self.query_one("#side", Static).update(Text(EMOJI if self.with_emoji else "漢字かな 한국어 ok"))
        self._next_step()

    def action_ring(self) -> None:
        """Ring the bell."""
        self.bell()
        self._next_step()

    def action_copy(self) -> None:
        """Copy something."""
        self.copy_to_clipboard("漢字 copied")
        self._next_step()

    def action_write_cells(self) -> None:
        """Write what Textual rendered."""
        self.call_after_refresh(
            lambda: save_cells(screen_cells(self), self.report / f"cells-{len(list(self.report.glob('cells-*')))}.json")
        )

    async def action_lend(self) -> None:
        """Let another program have the terminal, while the loop goes on and figures change."""
        with self.suspend(), self.batch_update():
            program = await asyncio.create_subprocess_exec("sh", "-c", "echo lent; read line; echo got $line")
            self.set_figures(self.figures + 1)
            await program.wait()
        self._next_step()

    def action_crash(self) -> None:
        """Fail with something in a variable that must not be shown."""
        token = f"hun{self.step}ter2"
        raise RuntimeError("\x1b]0;owned\x07" + "boom" * (len(token) > 3))

    def action_finish(self) -> None:
        """Quit."""
        self.exit()

    def on_unmount(self) -> None:
        """The app's own shutdown: say that it ran, and what was measured."""
        driver = self._driver
        count = driver.frames.count if isinstance(driver, (FarmDriver, FarmWebDriver)) else None
        (self.report / "end.json").write_text(
            json.dumps(
                {
                    "stall_s": self.stall_s,
                    "sent": count.sent if count else 0,
                    "dropped": count.dropped if count else 0,
                    "keys": self.keys,
                    "pasted": self.pasted[:1000],
                    "pid": os.getpid(),
                }
            )
        )


class StockTour(Tour):
    """The tour on Textual's own driver and writer, to compare with."""

    def get_driver_class(self) -> type[LinuxDriver]:
        """Textual's."""
        return LinuxDriver

    def _display(self, screen: Any, renderable: Any) -> None:
        App._display(self, screen, renderable)

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's."""
        App.copy_to_clipboard(self, text)


class Flood(Tour):
    """The tour with new figures fifty times a second."""

    def on_mount(self) -> None:
        """Begin to count, after the tour's own beginning."""
        self.set_interval(0.02, self._more)
        # Stalls of the start are no stalls of a terminal that does not read.
        self.set_timer(1.0, self._measure_from_here)

    def _measure_from_here(self) -> None:
        # Nor are the collector's pauses over all that was imported.
        gc.collect()
        gc.freeze()
        self.stall_s = 0.0

    def _more(self) -> None:
        if (self.report / "stop").exists():
            return
        self.figures += 1
        self.query_one(Digits).update(f"{98.0 - self.figures / 7:.2f}")
        if self.figures % 100 == 0:
            self.set_figures(self.figures)  # the table costs more than a fiftieth of a second
        self.query_one("#notes", Static).update(Text(f"moment {self.figures} " + "漢字x" * (self.figures % 30)))
        self.query_one("#side", Static).update(Text("".join(chr(0x41 + (self.figures + i) % 26) for i in range(150))))
        if self.figures % 100 == 0:
            (self.report / f"moment-{self.figures}").touch()


class Deaf(Tour, inherit_bindings=False):
    """The tour without keys: whatever is typed, only a signal ends it."""

    BINDINGS: ClassVar[list[BindingType]] = []

    async def action_quit(self) -> None:
        """Textual binds a key to this."""

    def action_help_quit(self) -> None:
        """And one to this."""

    def on_key(self, event: events.Key) -> None:
        """Let a capital N ask for new figures; the tour counts the key."""
        if event.character == "N":
            self.action_figures()


def main() -> None:
    """Run it; the exit status is the app's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--flood", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--report", type=Path, required=True)
    chosen = parser.parse_args()
    kind = StockTour if chosen.stock else Flood if chosen.flood else Deaf if chosen.deaf else Tour
    app = kind(chosen.report, hostile=chosen.hostile)
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main()
