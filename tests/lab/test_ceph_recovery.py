"""When a real Ceph's recovery ends, as the console tells it while it is on its way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.lab.ceph_screen import WIDE, is_well, written
from tests.lab.conftest import Console
from tests.lab.services.ceph import Ceph
from tests.lab.services.prometheus import Prometheus

POOL = "recovery"
LASTS_S = 40.0
"""How long the recovery is made to last, about."""


def elsewhere(ceph: Ceph, osd: int) -> int:
    """The other OSD of an OSD's host."""
    hosts = (node["children"] for node in ceph.run("osd", "tree")["nodes"] if node["type"] == "host")
    [other] = next(set(children) - {osd} for children in hosts if osd in children)
    return int(other)


@pytest.fixture
def objects(ceph: Ceph) -> Iterator[int]:
    """Objects of one placement group, which recovers at one pace; gives their number.

    Of several groups each ends at its own time, and the pace falls with each: no line through what was leads to
    the end then.
    """
    ceph.wait_healthy()
    ceph.script(
        f"osd pool create {POOL} 1 1",
        f"osd pool set {POOL} pg_autoscale_mode off",
        f"osd pool application enable {POOL} rbd",
        "config set mon mon_allow_pool_delete true",
    )
    try:
        with written(ceph, POOL) as number:
            yield number
    finally:
        ceph.text("osd", "pool", "rm", POOL, POOL, "--yes-i-really-really-mean-it")
        ceph.text("config", "rm", "mon", "mon_allow_pool_delete")
    ceph.wait_healthy()


def test_recovery_has_an_end_that_can_be_believed(
    console: Console, prometheus: Prometheus, ceph: Ceph, objects: int
) -> None:
    screen = console(prometheus, ceph, screen="storage", **WIDE)
    is_well(screen)
    told: list[tuple[float, float]] = []
    # This group alone is moved: with an OSD out, what the other pools' groups remember of deleted objects moves too.
    at = ceph.run("osd", "map", POOL, "any")
    group, source = at["pgid"], at["acting"][-1]
    ceph.text("osd", "set-require-min-compat-client", "luminous", "--yes-i-really-mean-it")
    ceph.text("tell", "osd.*", "config", "set", "osd_recovery_sleep", f"{LASTS_S / objects:.4f}")
    try:
        ceph.text("osd", "pg-upmap-items", group, str(source), str(elsewhere(ceph, source)))
        screen.wait_for("copies recovering")

        def done() -> bool:
            found = re.search(r"at [\d.k]+/s, (?:(\d+)m)? ?(?:([\d.]+) ?s)? left", screen.text)
            if found:
                told.append((time.monotonic(), 60.0 * float(found[1] or 0) + float(found[2] or 0)))
            return "nothing to recover" in screen.text

        screen.wait_for(done, deadline_s=150.0)
        ended = time.monotonic()
    finally:
        ceph.text("tell", "osd.*", "config", "set", "osd_recovery_sleep", "0")
        ceph.text("osd", "rm-pg-upmap-items", group)
    assert len(told) > 20, "the end was told while it was on its way"
    took = ended - told[0][0]
    assert took > 10.0, "too quick to say anything of"
    wrong = [(round(ended - at, 1), left_s) for at, left_s in told if abs(left_s - (ended - at)) > 0.3 * took]
    assert len(wrong) < 0.1 * len(told), f"of {took:.0f} s (left in truth, told): {wrong}"
    is_well(screen)
