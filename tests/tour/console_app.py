"""The console on the whole farm of the tests, for a pty: F12 writes what Textual rendered, F11 another picture.

python -m tests.tour.console_app --report DIR [--theme NAME]
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from datetime import timedelta
from pathlib import Path

from farmtui.app import FarmApp
from farmtui.config import Config
from farmtui.farm.farm import Farm
from tests.screens.whole import whole_farm
from tests.terminal.probe import save_cells, screen_cells


def later(farm: Farm, polls: int) -> Farm:
    """The farm some polls on: figures move, a machine comes back."""
    assert farm.cache is not None
    nodes = tuple(dataclasses.replace(node, hit_ratio=0.5 + (polls % 40) / 100) for node in farm.cache.nodes)
    cache = dataclasses.replace(farm.cache, nodes=nodes, hit_ratio=0.5 + (polls % 40) / 100)
    return dataclasses.replace(farm, at=farm.at + timedelta(seconds=5 * polls), cache=cache)


class TourApp(FarmApp):
    """The console, with two keys more."""

    def __init__(self, report: Path) -> None:
        super().__init__(self._never, read_only="a test")
        self._report = report
        self._polls = 0
        self._written = 0

    async def _never(self) -> Config:
        await asyncio.sleep(3600)
        raise AssertionError("the test has ended long ago")

    def on_ready(self) -> None:
        """Show the farm as soon as there is a screen."""
        self._bindings.bind("f12", "report", priority=True)
        self._bindings.bind("f11", "next_poll", priority=True)
        self.publish(whole_farm())

    def action_report(self) -> None:
        """Write what Textual has rendered."""
        save_cells(screen_cells(self), self._report / f"cells-{self._written}.json")
        self._written += 1

    def action_next_poll(self) -> None:
        """Another picture."""
        self._polls += 1
        self.publish(later(whole_farm(), self._polls))


def main() -> int:
    """Run until ctrl+c."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", type=Path, required=True)
    app = TourApp(parser.parse_args().report)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
