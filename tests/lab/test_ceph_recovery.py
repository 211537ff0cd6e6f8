"""When a real Ceph's recovery ends, as the console tells it while it is on its way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.lab.ceph_screen import WIDE, is_well, written
from tests.lab.conftest import Console
from tests.lab.services.ceph import QUICK, Ceph
from tests.lab.services.prometheus import Prometheus

POOL = "recovery"
LASTS_S = 40.0
"""How long the recovery is made to last, about."""
WINDOW_S = float(QUICK["ceph.objects_left_slope_per_s"]["2m"].removesuffix("s"))
"""The time over which the pace is measured here."""


def unclean(ceph: Ceph) -> int:
    """Placement groups that are not clean."""
    told = ceph.run("-s")["pgmap"]
    states = {state["state_name"]: state["count"] for state in told["pgs_by_state"]}
    return int(told["num_pgs"] - sum(number for name, number in states.items() if "clean" in name.split("+")))


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
    moved = str(ceph.run("osd", "map", POOL, "any")["acting"][-1])
    ceph.text("tell", "osd.*", "config", "set", "osd_recovery_sleep", f"{LASTS_S / objects:.4f}")
    try:
        ceph.text("osd", "out", moved)
        screen.wait_for("5 in")
        screen.wait_for("copies recovering")
        # The small groups of the other pools are moved at the same time: the pace is even when they are done.
        screen.wait_for(lambda: unclean(ceph) <= 1)
        alone = time.monotonic()

        def done() -> bool:
            found = re.search(r"at [\d.k]+/s, (?:(\d+)m)? ?(?:([\d.]+) ?s)? left", screen.text)
            if found and time.monotonic() > alone + WINDOW_S:
                told.append((time.monotonic(), 60.0 * float(found[1] or 0) + float(found[2] or 0)))
            return "nothing to recover" in screen.text

        screen.wait_for(done, deadline_s=150.0)
        ended = time.monotonic()
    finally:
        ceph.text("tell", "osd.*", "config", "set", "osd_recovery_sleep", "0")
        ceph.text("osd", "in", moved)
    assert len(told) > 20, "the end was told while it was on its way"
    took = ended - told[0][0]
    assert took > 10.0, "too quick to say anything of"
    wrong = [(round(ended - at, 1), left_s) for at, left_s in told if abs(left_s - (ended - at)) > 0.3 * took]
    assert len(wrong) < 0.1 * len(told), f"of {took:.0f} s (left in truth, told): {wrong}"
    is_well(screen)
