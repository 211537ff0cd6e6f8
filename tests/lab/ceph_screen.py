"""Reading the storage screen: rows of its tables, and the checks that Ceph itself raises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.services.ceph import Ceph
from tests.terminal.pty_harness import PtySession

WIDE = {"columns": 300, "lines": 30}
"""All columns of the three tables beside each other, and tiles whose figures are text."""
BAR = r"[\s━╸─┼]+"


def shows_row(screen: PtySession, *cells: str) -> bool:
    """Whether a table shows these cells beside each other, whatever bars are between them; a stale row is hatched."""
    return re.search(r"[\s░]" + BAR.join(map(re.escape, cells)) + r"(\s|$)", screen.text, re.MULTILINE) is not None


def checks(ceph: Ceph) -> list[str]:
    """The names of the checks that Ceph raises now."""
    return sorted(ceph.run("health")["checks"])


def shows_its_checks(screen: PtySession, ceph: Ceph, *expected: str) -> None:
    """Wait until Ceph raises these checks, and the screen names every check that Ceph raises."""

    def shown() -> bool:
        raised = checks(ceph)
        return set(expected) <= set(raised) and all(f" {name} " in screen.text for name in raised)

    screen.wait_for(shown)


def is_well(screen: PtySession) -> None:
    """Wait until the screen shows a cluster in which nothing is wrong."""
    screen.wait_for(lambda: "HEALTH_OK" in screen.text and "no health checks raised" in screen.text)


@contextmanager
def written(ceph: Ceph, pool: str) -> Iterator[int]:
    """Small objects in a pool, as many as three seconds write; gives their number, and takes them away again."""
    bench = ("rados", "-p", pool)
    said = ceph.tool(
        *bench, "--format=json", "bench", "3", "write", "-b", "8192", "-t", "8", "--no-cleanup", "--run-name", "lab",
        timeout_s=60,
    )  # fmt: skip
    try:
        yield int(json.loads(said[said.index("{") :])["total_writes_made"])
    finally:
        ceph.tool(*bench, "cleanup", "--run-name", "lab", timeout_s=60)
