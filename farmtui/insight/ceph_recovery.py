"""How Ceph's recovery gets on, in words: how many copies are left, at what pace, and until when."""

from __future__ import annotations

from farmtui.farm.cluster import Ceph
from farmtui.farm.units import duration, rate

LONGEST_S = 30 * 86_400.0
"""Beyond it an estimate is no promise: one object a minute of ten million."""


def pace_words(ceph: Ceph) -> str:
    """`at 24/s, 3m 10s left`; `recovering, no ETA yet` until they become fewer; `standing still`."""
    if not ceph.recovers:
        return "standing still"
    left_s = ceph.recovery_eta_s
    if left_s is None:
        return "recovering, no ETA yet"
    when = "over 30 d" if left_s > LONGEST_S else duration(max(left_s, 1.0))
    return f"at {rate(ceph.recovery_per_s)}, {when} left"
