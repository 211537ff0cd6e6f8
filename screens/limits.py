"""From which values on a figure is coloured in a table: what to look at, not what is wrong (that is insight's to say).

Sources: docs/catalogue.md names each figure; the values are those that its upstream's own documentation warns at.
"""

from __future__ import annotations

from widgets.meter import Limits

CPU = Limits(0.85, 0.95)
MEMORY = Limits(0.90, 0.97)
DISK = Limits(0.90, 0.95)
"""Ceph warns at 0.85 and stops writes at 0.95; node exporters' usual rules page at 0.95."""
RAW_CAPACITY = Limits(0.85, 0.95)
"""mon_osd_nearfull_ratio and mon_osd_full_ratio."""
HIT_RATIO = Limits(0.80, 0.60, falling=True)
REDIS_MEMORY = Limits(0.95, 0.999)
EVICTIONS_PER_S = Limits(1.0, 100.0)
REDIS_EVICTIONS_PER_S = Limits(1.0, 100.0)
ANY = Limits(0.000_001, None)
"""Anything above zero is worth a look: dropped sessions, failed backends."""
FLOW_CONTROL = Limits(0.05, 0.30)
ERROR_RATIO = Limits(0.01, 0.05)
LATENCY_S = Limits(1.0, 3.0)
LOSS = Limits(0.01, 0.20)
