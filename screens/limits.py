"""From which values on a figure is coloured in a table: where insight calls it a fault, or where it is worth a look."""

from __future__ import annotations

from farmtui.farm import condition
from farmtui.insight import thresholds
from widgets.meter import Limits

CPU = Limits(condition.CPU_WARNING, condition.CPU_CRITICAL)
MEMORY = Limits(condition.MEMORY_WARNING, condition.MEMORY_CRITICAL)
DISK = Limits(condition.DISK_WARNING, condition.DISK_CRITICAL)
RAW_CAPACITY = Limits(*thresholds.RAW_CAPACITY)
HIT_RATIO = Limits(*thresholds.HIT_RATIO, falling=True)
REDIS_MEMORY = Limits(0.95, 0.999)
RESIDENCE_S = Limits(thresholds.RESIDENCE_S[0], None, falling=True)
REDIS_EVICTIONS_PER_S = Limits(*thresholds.REDIS_EVICTIONS_PER_S)
ANY = Limits(0.000_001, None)
"""Anything above zero is worth a look: dropped sessions, failed backends."""
CONNECTIONS = Limits(*thresholds.CONNECTIONS)
FLOW_CONTROL = Limits(*thresholds.FLOW_CONTROL)
GALERA_LAG_S = Limits(*thresholds.GALERA_LAG_S)
ERROR_RATIO = Limits(*thresholds.ERROR_RATIO)
LATENCY_S = Limits(*thresholds.LATENCY_S)
BRICK = Limits(*thresholds.BRICK_FULL)
STORAGE = Limits(*thresholds.STORAGE_FULL)
