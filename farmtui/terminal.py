"""The one place that touches Textual's private names: what leaves for the terminal, what comes from it, how it ends.

`TerminalApp` is the base of the app, `FarmDriver` its driver where the output is a terminal. Together they replace
Textual's writer: each update of the compositor goes into a `Painter`, and only cells that differ from what the
terminal shows are sent, from a thread. While the terminal does not read, updates only change the wanted screen:
frames are dropped, nothing waits, and when it reads again one frame leads from what it shows to the newest state.
Everything else that Textual writes (modes, titles, the bell, the clipboard) is sent in order and never dropped.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

from rich.color import ColorSystem
from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual import constants, events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._parser import ParseTimeout
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size
from textual.message import Message
from textual.messages import InBandWindowResize
from textual.screen import Screen
from textual.strip import Strip

from farmtui.farm.text import visible
from farmtui.term.capabilities import detect
from farmtui.term.clipboard import ClipboardError, copy_sequence
from farmtui.term.frames import FrameSender
from farmtui.term.outlet import Outlet
from farmtui.term.painter import Painter
from farmtui.term.pen import PLAIN, linked
from farmtui.term.quiet import EVERY_S, STARTED_S, QuietCollector
from farmtui.term.reader import Reader
from farmtui.term.signals import Farewell, Reactions, TerminalSignals
from farmtui.term.tty import read_attributes, restore_attributes, set_raw, terminal_size
from farmtui.term.type_ahead import TypeAhead

__all__ = ["FarmDriver", "FarmWebDriver", "TerminalApp", "absorb"]

ReturnType = TypeVar("ReturnType")

_IN: Final = 0
_ALLOW_SIGNALS: Final = bool(os.environ.get("TEXTUAL_ALLOW_SIGNALS"))

_NOT_TYPED: Final = re.compile("[\ufffd\ud800-\udfff]")
"""What a key cannot be: the mark of bytes that were not UTF-8, and halves of a pair."""


def absorb(painter: Painter, update: LayoutUpdate | ChopsUpdate, colours: ColorSystem, *, links: bool = True) -> None:
    """Put what the compositor has rendered into `painter`, its colours as `colours` allows.

    Parts of a line are put whole where Textual would cut them at the changed region: the compositor has them right,
    and a cut would split wide characters.
    """
    if isinstance(update, LayoutUpdate):
        painter.resize(*update.region.size)
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                _put(painter, y, x, strip, strip.cell_length, colours, links)
                x += strip.cell_length
        return
    for y, start, end in update.spans:
        for chop_end, (x, part) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if part is not None and x < end and start < chop_end:
                _put(painter, y, x, part, min(part.cell_length, chop_end - x), colours, links)


def _put(painter: Painter, y: int, x: int, strip: Strip, width: int, colours: ColorSystem, links: bool) -> None:
    if painter.holds(y, x, strip):
        return
    segments = [(text, _pen(style, colours, links)) for text, style, control in strip if text and not control]
    painter.put(y, x, width, segments, source=strip)


def _pen(style: Style | None, colours: ColorSystem, links: bool) -> str:
    if style is None:
        return PLAIN
    codes = Strip.render_ansi(style, colours)
    return linked(codes, style.link) if links and style.link else codes


class TolerantParser(XTermParser):
    """Textual's parser of keys and reports, begun anew after whatever sequence it fails on."""

    def feed(self, data: str) -> Iterator[Message]:
        """The messages that `data` completes. Raises nothing."""
        for character in data:
            self._timeout_time = None
            try:
                self._awaiting = self._gen.send(character)
            except Exception:  # noqa: BLE001 - a report of a terminal out of its mind must not end the console
                self._begin()
            if self._awaiting.timeout is not None:
                self._timeout_time = 0.0
            while self._tokens:
                yield self._tokens.popleft()

    def expire(self) -> Iterator[Message]:
        """The messages of a sequence that is not going to be completed: an Escape by itself, say."""
        if self._timeout_time is None:
            return
        self._timeout_time = None
        try:
            self._awaiting = self._gen.throw(ParseTimeout())
        except Exception:  # noqa: BLE001 - as above
            self._begin()
        while self._tokens:
            yield self._tokens.popleft()

    @property
    def pending(self) -> bool:
        """Is an escape sequence begun and not ended?"""
        return self._timeout_time is not None

    def _begin(self) -> None:
        self._gen = self.parse(self._tokens.append)
        self._awaiting = next(self._gen)


class FarmDriver(Driver):
    """The terminal of a `TerminalApp`.

    Writes to standard error, as Textual does, or to standard output where only that is a terminal. SIGHUP, SIGTERM
    and a terminal that is gone reach the app as `TerminalApp.end_on_signal`, once (`farmtui.term.signals.Farewell`).
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if not isinstance(app, TerminalApp):
            raise TypeError(f"FarmDriver needs a TerminalApp, not {type(app).__name__}")
        self._out = next((fd for fd in (2, 1) if os.isatty(fd)), 2)
        self._capabilities = detect(os.environ)
        if constants.DISABLE_KITTY_KEY:
            self._capabilities = replace(self._capabilities, keyboard_protocol=False)
        self._active = False
        self._attributes: list[Any] | None = None
        self._outlet: Outlet | None = None
        self._held: list[str] = []
        """Written while another program had the terminal."""
        self._reader = Reader[Message](
            _IN, TolerantParser(), events.Paste, self.process_message, self._gone, constants.ESCAPE_DELAY
        )
        self._must_resume = False
        self._size = size or terminal_size((self._out, _IN))
        self.knows_links = self._capabilities.operating_system_commands
        self.painter = Painter(*self._size)
        self.frames = FrameSender(self.painter, self.write, lambda: self._outlet is not None and self._outlet.idle)
        self._farewell = Farewell(app.end_on_signal, self.stop_application_mode)
        reactions = Reactions(
            resized=self._resized,
            stop=self._stop_process,
            continued=self._continued,
            end=self._farewell.end,
            lent=lambda: not self._auto_restart,
        )
        self._signals = TerminalSignals(reactions, self._from_thread)

    # What leaves.

    def redraw(self) -> None:
        """Set every mode and send every cell again, for a terminal that shows something else than we believe."""
        if self._active:
            self.write(self._capabilities.modes(mouse=self._mouse))
        self.painter.forget()
        self.frames.paint()

    def write(self, data: str) -> None:
        """Send `data`, which is no frame, after all that was written before; while suspended, on resuming."""
        data = self._capabilities.permitted(data)
        if self._outlet is None:
            self._held.append(data)
        else:
            self._outlet.submit(data.encode("utf-8", "replace"))

    def _from_thread(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the app
            self._loop.call_soon_threadsafe(call)

    # Taking the terminal and giving it back.

    @property
    def can_suspend(self) -> bool:
        """A process on a terminal can be suspended."""
        return True

    def start_application_mode(self) -> None:
        """Take the terminal: raw input, its other screen, the mouse; everything is painted anew."""
        if self._active:
            return
        self._active = True
        known = self._capabilities
        # In the background this stops the process until the shell brings it back to the front.
        self._attributes = read_attributes(_IN)
        set_raw(_IN, signals=_ALLOW_SIGNALS)
        self._outlet = Outlet(
            self._out,
            on_drained=lambda: self._from_thread(self.frames.drained),
            on_lost=lambda _error: self._from_thread(self._gone),
        )
        self.write(known.enter(mouse=self._mouse))
        if known.mode_reports and os.isatty(_IN):
            self.write("\x1b[?2026$p")
        for data in self._held:
            self.write(data)
        self._held.clear()
        self._reader.start()
        self._resized()
        if self._must_resume:
            self._must_resume = False
            self.send_message(self.SignalResume())

    def disable_input(self) -> None:
        """Read no more of what is typed."""
        self._reader.stop()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was; waits for it only as long as it takes what is written."""
        if not self._active:
            return
        self.disable_input()
        self.write(self._capabilities.leave(mouse=self._mouse))
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()
        if self._attributes is not None:
            restore_attributes(_IN, self._attributes)
        self._active = False

    def close(self) -> None:
        """End for good: signals do again what they did before."""
        self.stop_application_mode()
        self._farewell.ended()
        self._signals.restore()

    def suspend_application_mode(self) -> None:
        """Give the terminal to another program."""
        self.stop_application_mode()

    # What signals ask for.

    def _stop_process(self) -> None:
        self._must_resume = self._active
        self.stop_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continued(self) -> None:
        if not self._auto_restart:
            return
        if self._active:
            # Stopped from elsewhere, with no chance to give the terminal back: the shell has changed it.
            set_raw(_IN, signals=_ALLOW_SIGNALS)
            self.redraw()
        elif self._must_resume:
            # Not when the app has ended: a terminal that hangs up sends this signal too.
            self.start_application_mode()

    def _resized(self) -> None:
        if not self._active:
            return
        width, height = terminal_size((self._out, _IN))
        self.painter.forget()
        if (width, height) == (self.painter.width, self.painter.height):
            self.frames.paint()
        size = Size(width, height)
        self.send_message(events.Resize(size, size))

    def _gone(self) -> None:
        """The terminal does not answer any more, whether or not a SIGHUP said so."""
        self._farewell.end(signal.SIGHUP)

    # What comes.

    def process_message(self, message: Message) -> None:
        """Pass what was typed or reported on to the app, if it can be true."""
        if isinstance(message, (InBandWindowResize, events.Resize)):
            return  # not asked for: sizes come from the system, which cannot be typed
        if isinstance(message, events.Key) and message.character and _NOT_TYPED.search(message.character):
            return
        if isinstance(message, events.MouseEvent):
            limit_x, limit_y = self.painter.width - 1, self.painter.height - 1
            message._x, message._screen_x = min(message._x, limit_x), min(message._screen_x, limit_x)
            message._y, message._screen_y = min(message._y, limit_y), min(message._screen_y, limit_y)
        super().process_message(message)


class FarmWebDriver(WebDriver):
    """A browser as the terminal, through textual-serve: frames are dropped while it takes none, as for a terminal."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.painter = Painter(*(size or (80, 24)))
        self._outlet = Outlet(
            self.fileno,
            on_drained=lambda: self._post(self.frames.drained),
            on_lost=lambda _error: self._post(app.exit),
        )
        self._write = self._outlet.submit  # type: ignore[assignment]
        self.frames = FrameSender(self.painter, self.write, lambda: self._outlet.idle)

    def _post(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call)

    def start_application_mode(self) -> None:
        """Begin; no line wraps, as every cell is sent to its place."""
        super().start_application_mode()
        self.write("\x1b[?7l")

    def stop_application_mode(self) -> None:
        """End, when the server has taken all, or takes nothing any more."""
        super().stop_application_mode()
        self._outlet.close()


class TerminalApp(App[ReturnType]):
    """An app whose output goes through the cell diff: to a terminal by `FarmDriver`, to a browser by `FarmWebDriver`.

    Bind `action_redraw` to a key. After `run`, `return_code` is 128 + n if signal n ended the app.
    """

    def __init__(self) -> None:
        super().__init__()
        self.type_ahead = TypeAhead(self, self._on_key_event)
        self._collector = QuietCollector()

    def on_mount(self) -> None:
        """Garbage is looked for only while nobody types, from before the first picture of a farm is made."""
        if not self.is_headless:
            self._collector.begin()
            self.set_timer(STARTED_S, self._collector.go_on)
            self.set_interval(EVERY_S, lambda: self._collector.look(self.type_ahead.last_s))

    async def on_event(self, event: events.Event) -> None:
        """Keys one at a time, each when the one before has done its work; everything else as Textual does."""
        if not isinstance(event, events.Key):
            await super().on_event(event)
        elif event.is_forwarded:
            await self._on_key_event(event)
        else:
            await self.type_ahead.key(event)

    async def _on_key_event(self, key: events.Key) -> None:
        """What Textual does with a key. One that comes when the last screen has gone, at the end, is nobody's."""
        if self.screen_stack:
            await super().on_event(key)

    def get_driver_class(self) -> type[Driver]:
        """Ours for a terminal and for textual-serve; any other that the environment names."""
        named = super().get_driver_class()
        ours: dict[type[Driver], type[Driver]] = {LinuxDriver: FarmDriver, WebDriver: FarmWebDriver}
        return ours.get(named, named)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if (
            not isinstance(renderable, (LayoutUpdate, ChopsUpdate))
            or not isinstance(driver, (FarmDriver, FarmWebDriver))
            or self._batch_count
            or self._closed
            or not self._running
        ):
            super()._display(screen, renderable)
            return
        try:
            links = isinstance(driver, FarmWebDriver) or driver.knows_links
            absorb(driver.painter, renderable, self.console._color_system or ColorSystem.TRUECOLOR, links=links)
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            driver.frames.want(cursor, sync=self._sync_available)
        except Exception as error:  # noqa: BLE001 - as Textual does: shown, and the app ends
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    def _fatal_error(self) -> None:
        # Textual's own shows the values of variables, and those may be secrets or hold escape sequences.
        trace = "".join(traceback.format_exception(sys.exception()))
        self._exit_renderables.append(Text(visible(trace, multiline=True)))
        self._close_messages_no_wait()

    def action_redraw(self) -> None:
        """Repaint everything, for a terminal that another program has written on."""
        if isinstance(self._driver, FarmDriver):
            self._driver.redraw()
        elif isinstance(self._driver, FarmWebDriver):
            self._driver.painter.forget()
            self._driver.frames.paint()

    def end_on_signal(self, signum: signal.Signals) -> None:
        """The process is to end: SIGTERM, or SIGHUP where the terminal is gone, with or without the signal."""
        self.exit(return_code=128 + signum)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy `text` to the clipboard of the terminal, through multiplexers; says so if that cannot be."""
        try:
            sequence = copy_sequence(text, os.environ)
        except ClipboardError as refused:
            self.notify(str(refused), severity="warning", markup=False)
        else:
            if self._driver is not None:
                self._driver.write(sequence)
        # Pasting within the console works whatever the terminal takes.
        self._clipboard = text
