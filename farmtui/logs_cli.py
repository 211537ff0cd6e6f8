"""`farmtui logs`: a machine's or a service's log without a screen, by the same reader as the console's."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from farmtui.start import leave, load_or_leave

_SPAN = re.compile(r"(\d{1,6})(s|m|min|h|d)")
_SCALE = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}


def logs(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A machine as ssh knows it, or a Swarm service.")],
    service: Annotated[bool, typer.Option("--service", help="NAME is a Swarm service, or the id of a task.")] = False,
    unit: Annotated[str, typer.Option("--unit", "-u", metavar="UNIT", help="One unit; kernel is the kernel.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back: 5m, 1h, 2d.")] = "1h",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes; Ctrl+C ends.")] = False,
    priority: Annotated[str, typer.Option("--priority", "-p", metavar="WORD", help="This and worse: warning.")] = "",
    grep: Annotated[str, typer.Option("--grep", metavar="REGEX", help="Matching lines; !REGEX: all others.")] = "",
) -> None:
    """Print the log of a machine or of a Swarm service, by ssh. Reads only.

    Exit code: 0 it was read (nothing there is no failure), 1 it could not be, 2 it is not understood.
    """
    from farmtui.farm.filtering import FilterError, parse_filter
    from farmtui.tail.line import PRIORITIES
    from farmtui.tail.target import LEVELS, MachineLog, ServiceLog, Wanted

    span = _SPAN.fullmatch(since)
    if span is None or not int(span[1]):
        leave(f"--since {since!r} is no span of time: write 30s, 5m, 1h or 2d")
    if priority and priority not in PRIORITIES:
        leave(f"--priority {priority!r} is none of {', '.join(PRIORITIES)}")
    if service and (unit or priority):
        leave("--unit and --priority are a machine's: a service has neither")
    if name.startswith("-") or unit.startswith("-") or not (name + unit).isprintable():
        leave("a name begins with a letter or a digit")
    try:
        found = parse_filter(grep)
    except FilterError as error:
        leave(f"--grep: {error}")
    _, config = load_or_leave(context.obj)
    level = PRIORITIES.index(priority) if priority else LEVELS[0]
    wanted = Wanted(int(span[1]) * _SCALE[span[2]], level, follow)
    target = ServiceLog(name, name) if service else MachineLog(name, unit)
    from farmtui.tail.printing import run

    raise typer.Exit(run(config, target, wanted, lambda text: found.passes(text, {})))
