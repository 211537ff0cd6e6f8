"""`make lab-up` and `make lab-down`: the lab left running for the console, and ended to the last process.

python -m tests.lab up [SERVICE ...]     all services, or those named and what they need
python -m tests.lab status               what runs
python -m tests.lab down                 ends exactly what `up` has started
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab.ledger import Ledger
from tests.lab.service import Lab, console_config
from tests.lab.services import kinds

FOLDER = Path(tempfile.gettempdir()) / "farmtui-lab"
"""Where the lab that is left running lives: one at a time, and a short path for its sockets."""
CONFIG = Path("lab.yaml")


def up(names: Sequence[str]) -> int:
    """Start services, leave them running, and write the config over them."""
    if FOLDER.exists() and Ledger(FOLDER / "ledger.jsonl").running():
        print("the lab runs already: make lab-down ends it", file=sys.stderr)
        return 1
    if os.geteuid() != 0:
        print("the lab needs root: it starts daemons as users of their own, in network namespaces", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    known = kinds()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such service: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    lab = Lab(FOLDER)
    try:
        for name in names or known:
            began = time.monotonic()
            lab.service(known[name])
            print(f"{name:<16} {time.monotonic() - began:5.1f} s", flush=True)
    except BaseException:
        lab.ledger.undo()
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise
    console_config(lab.services, CONFIG)
    print(f"\nready: farmtui --config {CONFIG}\nto end it: make lab-down")
    return 0


def status() -> int:
    """What runs of the lab."""
    running = Ledger(FOLDER / "ledger.jsonl").running()
    for entry in running:
        print(f"{entry.pid:>8}  {entry.name}")
    print(f"{len(running)} processes run")
    return 0 if running else 1


def down() -> int:
    """End what `up` has started, whenever that was."""
    ended = Ledger(FOLDER / "ledger.jsonl").undo() if FOLDER.exists() else []
    shutil.rmtree(FOLDER, ignore_errors=True)
    CONFIG.unlink(missing_ok=True)
    print(f"{len(ended)} things of the lab ended" if ended else "no lab runs")
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up").add_argument("services", nargs="*")
    commands.add_parser("status")
    commands.add_parser("down")
    chosen = parser.parse_args()
    match chosen.command:
        case "up":
            return up(chosen.services)
        case "status":
            return status()
        case _:
            return down()


if __name__ == "__main__":
    sys.exit(main())
