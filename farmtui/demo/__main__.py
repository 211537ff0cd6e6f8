"""`python -m farmtui.demo`: the simulated farm as a process of its own, until its input or a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from farmtui.demo.faults import FAULTS

if TYPE_CHECKING:
    from farmtui.demo.observed import Keeper, Observed

_CONFIG = "farmtui.yaml"

_SETTLED_S = 10.0
"""When everything that is asked of the farm has been asked once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m farmtui.demo",
        description="Simulate a farm on loopback until the standard input ends, or SIGTERM.",
    )
    parser.add_argument("--write-config", metavar="PATH", type=Path, help="where the console's config is written")
    parser.add_argument("--fault", metavar="NAME", action="append", default=[], help="start with it; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="the same number gives the same farm (default: 1)")
    parser.add_argument("--nodes", type=int, default=34, help="machines (default: 34)")
    parser.add_argument("--sites", type=int, default=500, help="sites (default: 500)")
    parser.add_argument("--gluster", action="store_true", help="the storage nodes serve a Gluster volume too")
    parser.add_argument("--list-faults", action="store_true", help="name the faults, and exit")
    given = parser.parse_args(arguments)
    if given.list_faults:
        print("\n".join(_listed()))
        return 0
    if unknown := [name for name in given.fault if name not in FAULTS]:
        print(f"there is no fault {unknown[0]!r}; there are: {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    if given.nodes < 15 or given.sites < 1:
        print("a simulated farm has at least 15 nodes and 1 site", file=sys.stderr)
        return 2
    if given.write_config is not None:
        asyncio.run(_serve(given, given.write_config.absolute()))
    folder = Path(tempfile.mkdtemp(prefix="farmtui-demo-"))
    try:
        asyncio.run(_serve(given, folder / _CONFIG, own=folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listed() -> list[str]:
    width = max(map(len, FAULTS))
    return [f"{fault.name:<{width}}  {fault.words}" for fault in FAULTS.values()]


async def _serve(given: argparse.Namespace, path: Path, own: Path | None = None) -> NoReturn:
    """Serve until the end, and end the process; a folder of our `own` goes with it."""
    from farmtui.demo.config import write_config
    from farmtui.demo.farm import Options, running

    # What is made at first stays: to look for garbage in it takes a third of the time until the first figures.
    gc.disable()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    threading.Thread(target=_wait_for_end, args=(loop, over), daemon=True).start()
    async with running(Options(given.fault, given.seed, given.nodes, given.sites, given.gluster)) as farm:
        write_config(path, farm.farm, farm.doors)
        print(json.dumps({"config": str(path)}), flush=True)
        # What takes long at first is done before anybody asks for it.
        warming = asyncio.ensure_future(_warm(farm.keeper))
        await over.wait()
        warming.cancel()
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)
        # At once: nothing is worth keeping, and a question to a world of 10,000 nodes may take half a minute yet.
        os._exit(0)


async def _warm(keeper: Keeper) -> None:
    """Compute what takes long at first, for as long as nobody else asks; then what the farm consists of is left out of
    all garbage collections."""
    try:
        await keeper.ask(lambda observed: observed.alerts())
        # Of the sites' histograms alone there are more series than of all else, and they are asked for later.
        families = [name for name in await keeper.ask(_families) if not name.endswith("_bucket")]
        own = keeper.questions
        for family in families:
            if keeper.questions > own:
                break
            await keeper.ask(methodcaller("meet", family))
            own += 1
        await asyncio.sleep(_SETTLED_S)
    finally:
        # Whatever went wrong: a farm that runs for days must not go without.
        gc.freeze()
        gc.enable()


def _families(observed: Observed) -> list[str]:
    return list(observed.scraped.families)


def _wait_for_end(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """Read the standard input to its end: whoever has started us holds its other side."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        # It was closed before we began: nobody holds us.
        pass
    try:
        loop.call_soon_threadsafe(over.set)
    except RuntimeError:
        # The loop has ended already.
        return


if __name__ == "__main__":
    sys.exit(main())
