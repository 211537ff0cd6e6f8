"""Every widget by itself: at each size, in each theme, in ASCII and without colours."""

from __future__ import annotations

import inspect
import pkgutil
import re
import subprocess
import sys

import pytest
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.scroll_view import ScrollView
from textual.widget import Widget

import widgets
from tests.widgets.stage import SIZES, THEMES, screen_lines
from widgets.__main__ import main
from widgets.gallery import GALLERY, Gallery
from widgets.glyphs import set_ascii

NAMES = ("all", *GALLERY)


def cells(app: Gallery) -> list[str]:
    """The screen as it goes to the terminal: after the app's filters."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    filters = app.get_line_filters()
    background = app.screen.background_colors[1]
    lines = []
    for strip in strips:
        for line_filter in filters:
            strip = strip.apply_filter(line_filter, background)
        lines.append(strip.text)
    return lines


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
async def test_each_entry_at_each_size(name: str, size: tuple[int, int]) -> None:
    app = Gallery(name, "farm-dark")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = screen_lines(app)
        assert len(shown) == size[1]
        assert any(line.strip() for line in shown)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", NAMES)
async def test_each_entry_in_each_theme(name: str, theme: str) -> None:
    app = Gallery(name, theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.theme == theme
        texts = screen_lines(app)
        app.theme = "farm-dark"
        await pilot.pause()
        await pilot.pause()
        # A theme changes colours, and not one character.
        assert screen_lines(app) == texts


@pytest.mark.parametrize("name", NAMES)
async def test_each_entry_in_ascii(name: str) -> None:
    set_ascii(True)
    app = Gallery(name, "farm-16")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        shown = cells(app)
        assert all(line.isascii() for line in shown), [line for line in shown if not line.isascii()]
        assert {len(line) for line in shown} == {80}


@pytest.mark.parametrize("theme", ["farm-16", "farm-dark"])
@pytest.mark.parametrize("name", NAMES)
async def test_each_entry_without_colours(name: str, theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Gallery(name, theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        strips = app.screen._compositor.render_strips(app.screen.size)
        for strip in strips:
            for line_filter in app.get_line_filters():
                strip = strip.apply_filter(line_filter, app.screen.background_colors[1])
            for segment in strip:
                if segment.style is None or segment.style.color is None:
                    continue
                triplet = segment.style.color.triplet
                # Textual turns colours to grey; those of the terminal it takes away.
                assert triplet is None or triplet.red == triplet.green == triplet.blue
                assert triplet is not None or segment.style.color.is_default


async def test_keys_change_theme_and_signs() -> None:
    app = Gallery("live_table", "farm-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        assert app.theme != "farm-dark"
        await pilot.press("a")
        await pilot.pause()
        await pilot.pause()
        assert all(line.isascii() for line in cells(app))


def test_every_module_with_a_widget_has_an_entry() -> None:
    parts = {"painting", "gallery", "live_table", *GALLERY}
    for module in pkgutil.iter_modules(widgets.__path__):
        if module.name == "__main__":
            continue
        source = inspect.getsource(__import__(f"widgets.{module.name}", fromlist=["x"]))
        if re.search(r"^class \w+\(.*(LineWidget|Vertical|Dialog|ScrollView)\b.*\):", source, re.MULTILINE):
            assert module.name in parts, module.name


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert capsys.readouterr().out.split() == list(GALLERY)
    assert main(["nothing"]) == 2
    assert "trend_chart" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "widgets", "list"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "trend_chart" in found.stdout


def test_no_private_name_of_textual_is_taken_by_accident() -> None:
    """Textual has some hundred private names on a widget; a field of ours with one of them breaks it silently."""
    taken: set[str] = set()
    for kind in (Widget, ScrollView, DOMNode, MessagePump):
        source = inspect.getsource(kind)
        taken |= set(re.findall(r"self\.(_[a-z]\w*)\b", source)) | set(re.findall(r"def (_[a-z]\w*)\(self", source))
    on_purpose = {"_on_message"}
    for module in pkgutil.iter_modules(widgets.__path__):
        source = (
            inspect.getsource(__import__(f"widgets.{module.name}", fromlist=["x"])) if module.name != "__main__" else ""
        )
        ours = set(re.findall(r"self\.(_[a-z]\w*)\b", source)) | set(re.findall(r"def (_[a-z]\w*)\(self", source))
        assert not (ours & taken) - on_purpose, module.name
