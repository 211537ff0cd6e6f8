"""The README's picture: the overview of the simulated farm at a fixed moment, with a cache node down."""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from farmtui.app import FarmApp
from farmtui.config import Config
from farmtui.farm.farm import Farm
from farmtui.polling import Feed
from tests.demo.stage import Clock, patient, stage

FAULT = "cache-node-down"
SIZE = (120, 40)
THEME = "farm-dark"


class Standing:
    """A clock for polling that shows the simulated farm's moment. Nothing in one cycle waits for time to pass."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The farm's moment."""
        return self._clock.moment()

    def monotonic(self) -> float:
        """The same, in seconds."""
        return self._clock.at

    async def sleep(self, seconds: float) -> None:
        """Wait for real, but only so long as to keep a deadline: the farm's moment stays."""
        await asyncio.sleep(seconds)


async def picture() -> Farm:
    """The farm through the console's own sources, over the simulated servers."""
    async with stage(FAULT) as running:
        with tempfile.TemporaryDirectory() as folder:
            feed = Feed(patient(running.config(Path(folder))), clock=Standing(running.clock))
            try:
                return await feed.one_cycle(60.0)
            finally:
                await feed.close()


async def screenshot() -> str:
    """The SVG, the same each time."""
    farm = await picture()

    async def never() -> Config:
        await asyncio.sleep(3600)
        raise AssertionError("the picture has been taken long ago")

    app = FarmApp(never)
    async with app.run_test(size=SIZE) as pilot:
        app.theme = THEME
        app.farm_name = farm.name
        app.publish(farm)
        await pilot.pause()
        await pilot.pause()
        return app.export_screenshot(title="farmtui")


def svg() -> str:
    """The picture, for `tests.regenerate`: in colours, whatever the terminal is that it is taken on."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with patch.dict(os.environ, {**environment, "TERM": "xterm-256color"}, clear=True):
        return asyncio.run(screenshot())
