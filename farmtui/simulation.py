"""The simulated farm as a child process of the console: started beside it, and gone when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farmtui.config import Config

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 3.0
_DEMO = (sys.executable, "-m", "farmtui.demo")


class SimulationError(Exception):
    """The simulated farm does not run; the text says why in its own words."""


class Simulation:
    """A running simulated farm. Its config is there as soon as its servers are."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self.config_file = config_file(folder)
        """Where its config is, once it serves."""
        self._output = output_file(folder)

    async def config(self) -> Config:
        """The config that leads to the simulated servers, once they serve. Raises SimulationError."""
        from farmtui.config import load_config

        ends_at = time.monotonic() + START_DEADLINE_S
        while not self.config_file.is_file():
            if self._process.poll() is not None:
                raise SimulationError(f"the simulated farm has ended: {self._last_words()}")
            if time.monotonic() > ends_at:
                raise SimulationError(f"the simulated farm does not serve after {START_DEADLINE_S:g} s")
            await asyncio.sleep(0.02)
        return await asyncio.to_thread(load_config, self.config_file)

    def _last_words(self) -> str:
        lines = self._output.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "without a word")


@contextlib.contextmanager
def running(*, faults: Sequence[str] = (), seed: int | None = None) -> Iterator[Simulation]:
    """A simulated farm while the block runs. It starts at once, and in parallel to whatever the block does."""
    with tempfile.TemporaryDirectory(prefix="farmtui-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        options = [f"--fault={fault}" for fault in faults]
        if seed is not None:
            options.append(f"--seed={seed}")
        with output_file(folder).open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own module, on our own interpreter
                [*_DEMO, f"--write-config={config_file(folder)}", *options],
                # It ends at the end of this pipe: when we are killed too, with no chance to tell it.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # The terminal's signals are ours to answer.
                start_new_session=True,
            )
        try:
            yield Simulation(process, folder)
        finally:
            stop(process)


def list_faults() -> int:
    """Print the faults that the simulated farm can be started with; gives the exit code."""
    return subprocess.run([*_DEMO, "--list-faults"], check=False, stdin=subprocess.DEVNULL).returncode  # noqa: S603


def config_file(folder: Path) -> Path:
    """Where the simulated farm writes its config, in one piece, when all of its servers listen."""
    return folder / "farmtui.yaml"


def output_file(folder: Path) -> Path:
    """What the simulated farm prints: shown when it does not start."""
    return folder / "output.txt"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the child: by the end of its input, then by SIGTERM, then by SIGKILL."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    for end in (process.terminate, process.kill):
        try:
            process.wait(STOP_DEADLINE_S)
            return
        except subprocess.TimeoutExpired:
            end()
    process.wait()
