"""The guided tour, docs/tour.md, walked as it is written: its commands are run, its keys typed, its texts looked for.

`python -m tests.tour.guide` takes the pictures of what has changed (`make docs`).
"""

from __future__ import annotations

import asyncio
import html
import itertools
import os
import re
import shlex
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final
from unittest.mock import patch

import psutil
from textual.pilot import Pilot

from farmtui import simulation
from farmtui.app import FarmApp
from farmtui.config import Config
from farmtui.unix import unix_user
from farmtui.wall import WallApp
from tests.screens.host import text_of

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "tour.md"
SIZE: Final = (100, 30)
DEADLINE_S: Final = 120.0
"""It only ends a walk that has failed: a step takes seconds, and the run half a minute."""
ATTEMPTS: Final = 3
_LINE: Final = re.compile(r"^\*\*(In a terminal|Type|On the screen)\*\* +(.+)$", re.MULTILINE)
_PICTURE: Final = re.compile(r"!\[[^\]]*\]\((tour/[\w-]+\.svg)\)")
_NAMED: Final = {"Enter": "enter", "Esc": "escape", "Tab": "tab", "Ctrl+Z": "ctrl+z", "Up": "up", "Down": "down"}
_LETTERS: Final = {"-": "minus", " ": "space", ":": "colon", "/": "slash", "=": "equals_sign", "?": "question_mark"}


@dataclass(frozen=True, slots=True)
class Step:
    """One section of the tour that does something."""

    title: str
    command: tuple[str, ...]
    """What it tells to start, after `farmtui`; empty: it goes on where the one before ended."""
    keys: tuple[str, ...]
    """By the names that the tour gives them; what is no name is typed letter by letter."""
    shown: tuple[str, ...]
    """Texts that are on the screen then."""
    picture: str
    """From docs/; empty for none."""


def steps(text: str) -> list[Step]:
    """The steps of a tour in Markdown."""
    found = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        lines: dict[str, tuple[str, ...]] = {}
        for line in _LINE.finditer(section):
            lines[line[1]] = tuple(re.findall(r"`([^`]+)`", line[2]))
        if "On the screen" in lines:
            [command] = lines.get("In a terminal", ("",))
            picture = _PICTURE.search(section)
            found.append(
                Step(section.splitlines()[0], tuple(shlex.split(command)[1:]), lines.get("Type", ()),
                     lines["On the screen"], picture[1] if picture else "")
            )  # fmt: skip
    return found


def presses(key: str) -> list[str]:
    """Textual's names for what a key of the tour is, or for a text letter by letter."""
    return [_NAMED[key]] if key in _NAMED else [_LETTERS.get(letter, letter) for letter in key]


class RefusedError(AssertionError):
    """The run was refused, as it is where the runner sees another farm: on a busy machine a poll may not be through."""


async def walk(arrived: Callable[[FarmApp, Step], None]) -> None:
    """Take every step, and tell when what it promises is on the screen. AssertionError where it does not come."""
    tour = steps(DOCUMENT.read_text(encoding="utf-8"))
    begun = [number for number, step in enumerate(tour) if step.command] + [len(tour)]
    for first, after in itertools.pairwise(begun):
        for attempt in range(ATTEMPTS):
            try:
                await _walk_on(tour[first:after], arrived)
                break
            except RefusedError:
                if attempt + 1 == ATTEMPTS:
                    raise


async def _walk_on(tour: Sequence[Step], arrived: Callable[[FarmApp, Step], None]) -> None:
    """The steps from one command to the next."""
    async with _opened(tour[0].command) as (app, pilot):
        for step in tour:
            for key in step.keys:
                await pilot.press(*presses(key))
                await pilot.pause()
            await _until(app, pilot, step)
            arrived(app, step)


async def _until(app: FarmApp, pilot: Pilot[int], step: Step) -> None:
    """Until everything is shown that a step promises. Raises AssertionError with what is shown instead."""
    ends_at = monotonic() + DEADLINE_S
    while missing := [text for text in step.shown if text not in "\n".join(text_of(app))]:
        shown = "\n".join(text_of(app))
        if "ENDED: refused" in shown:
            raise RefusedError(f"{step.title}: the run was refused:\n{shown}")
        assert monotonic() < ends_at, f"{step.title}: {missing} is not on the screen:\n{shown}"
        await asyncio.sleep(0.05)
    await pilot.pause()


@asynccontextmanager
async def _opened(command: tuple[str, ...]) -> AsyncIterator[tuple[FarmApp, Pilot[int]]]:
    """The console or the wall on a simulated farm, as a command line asks for it."""
    options = list(command)
    faults = [options[number + 1] for number, word in enumerate(options) if word == "--fault"]
    with _a_home(), simulation.running(faults=faults, seed=1) as farm:
        config = await farm.config()

        async def start() -> Config:
            return config

        wall = options[0] == "wall"
        app: FarmApp = WallApp(start) if wall else FarmApp(start, config=config, config_file=farm.config_file)
        try:
            async with app.run_test(size=SIZE) as pilot:
                app.theme = "farm-wall" if wall else "farm-dark"
                yield app, pilot
        finally:
            for process in _runners(farm.config_file):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def _runners(config: Path) -> Iterator[psutil.Process]:
    """What executes runs of this config outlives its console, as it should; here nobody needs it any more."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "runner" in words and str(config.resolve()) in words:
            yield process


@contextmanager
def _a_home() -> Iterator[None]:
    """A user's home with nothing in it, and a terminal with all colours."""
    hidden = ("NO_COLOR", "FARMTUI_ASCII", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSH_CONNECTION")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        with patch.dict(os.environ, {**kept, "HOME": home, "TERM": "xterm-256color"}, clear=True):
            yield


# -- pictures -----------------------------------------------------------------------------------


def words_in(svg: str) -> list[str]:
    """What a picture says, line by line, without its numbers: those differ each time that it is taken."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        rows.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    lines = (" ".join(text for _, text in sorted(row)) for _, row in sorted(rows.items()))
    return [" ".join(line.split()) for line in lines]


def compact(svg: str) -> str:
    """A picture in a third of its size: short names, no clipping line by line, nothing loaded from elsewhere."""
    svg = re.sub(r"terminal-\d+-", "t-", svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<clipPath id="t-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#t-line-\d+\)"', "", svg)
    svg = re.sub(r' shape-rendering="crispEdges"', "", svg)
    svg = svg.replace("Fira Code, monospace", "Fira Code, DejaVu Sans Mono, Menlo, monospace")
    return re.sub(r"\n\s*", "\n", svg).replace("/><", "/>\n<")


def disguised(svg: str) -> str:
    """Without whom and where it was taken: names of the same length stand in for this machine's and this user's."""
    for real, name in ((socket.gethostname(), "bastion-1"), (unix_user(), "anna")):
        stand_in = (name * len(real))[: len(real)]
        svg = re.sub(rf"(?<![\w-]){re.escape(real)}(?![\w-])", stand_in, svg)
    return re.sub(
        r"/[\w/.-]*farmtui-demo-[\w-]+", lambda found: "/demo"[: len(found[0])].ljust(len(found[0]), "_"), svg
    )


async def _take(folder: Path) -> None:
    def arrived(app: FarmApp, step: Step) -> None:
        print(f"{step.title}: {', '.join(step.shown)}")
        if step.picture:
            svg = disguised(compact(app.export_screenshot(title="farmtui")))
            (folder / Path(step.picture).name).write_text(svg, encoding="utf-8")

    await walk(arrived)


def main() -> int:
    """Take the pictures, and keep those whose words have changed, or that are new."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_take(Path(name)))
        kept = DOCUMENT.parent / "tour"
        kept.mkdir(exist_ok=True)
        new = {path.name: path.read_text(encoding="utf-8") for path in Path(name).glob("*.svg")}
        for file, svg in new.items():
            old = kept / file
            if not old.is_file() or steady(old.read_text(encoding="utf-8")) != steady(svg):
                old.write_text(svg, encoding="utf-8")
                print(f"docs/tour/{file}: written")
        for path in kept.glob("*.svg"):
            if path.name not in new:
                path.unlink()
    return 0


def steady(svg: str) -> set[str]:
    """The words of a picture that are the same each time that it is taken."""
    return {word for line in words_in(svg) for word in re.findall(r"[A-Za-z][A-Za-z-]{2,}", line)}


if __name__ == "__main__":
    sys.exit(main())
