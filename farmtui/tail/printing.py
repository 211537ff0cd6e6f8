"""A log on standard output, for those who have no screen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from farmtui.tail.desk import LogReader
from farmtui.tail.standing import State, empty_words
from farmtui.tail.target import LogTarget, Wanted

if TYPE_CHECKING:
    from farmtui.config import Config
    from farmtui.tail.follow import Tail

FAILED: Final = 1
_POLL_S: Final = 0.2


def run(config: Config, target: LogTarget, wanted: Wanted, passes: Callable[[str], bool]) -> int:
    """Print a log until it has been read, or for as long as it is followed; gives the exit code."""
    try:
        return asyncio.run(_print(config, target, wanted, passes))
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


def _say(text: str, *, err: bool = False) -> None:
    print(text, file=sys.stderr if err else sys.stdout, flush=True)


async def _print(config: Config, target: LogTarget, wanted: Wanted, passes: Callable[[str], bool]) -> int:

    reader = LogReader(config)
    try:
        tail = await reader.read(target, wanted)
        printed, told = 0, ""
        while True:
            ended = tail.standing.state in (State.ENDED, State.FAILED)
            printed = _print_new(tail, printed, passes)
            if told != (told := tail.standing.why) and told:
                _say(f"{told}; {tail.standing.remedy}", err=True)
            if ended:
                _print_end(tail)
                return FAILED if tail.standing.state is State.FAILED else 0
            await asyncio.sleep(_POLL_S)
    finally:
        await reader.close()


def _print_new(tail: Tail, printed: int, passes: Callable[[str], bool]) -> int:
    """What has come since `printed` lines were; gives how many have come."""
    ring = tail.ring
    for line in ring.lines[max(0, printed - ring.dropped) :]:
        if line.at is None:
            _say(line.plain, err=True)
        elif passes(line.plain):
            _say(line.plain)
    return ring.total


def _print_end(tail: Tail) -> None:
    if tail.empty:
        _say(empty_words(tail.target, tail.wanted), err=True)
    if tail.more:
        _say("the window holds more: only its newest lines were fetched", err=True)
    if tail.note:
        _say(tail.note, err=True)
