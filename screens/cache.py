"""Screen 3: the cache tier. Is it serving from cache, is it falling behind last week, which node is the odd one out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.content import Content

from farmtui.commands import Command
from farmtui.farm.sites import Site
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.traffic import CacheNode, RedisNode
from farmtui.farm.units import ago, count, data_size, duration, percent, rate
from farmtui.insight.thresholds import HIT_RATIO_LOST, above
from screens import limits
from screens.columns import figure, limited, row_freshness, seen
from screens.describe.sites import site_subject
from screens.describe.traffic import machine_name, overall_ratio
from screens.frame import FarmScreen
from screens.places import Subject
from screens.trends import show_trend, trend_values
from widgets import ink
from widgets.chart_axis import RATIO
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.meter import meter
from widgets.status_mark import status_mark
from widgets.table_columns import Column
from widgets.tile import Tile, TileState
from widgets.trend_chart import Threshold, TrendChart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding


ROOM_FOR_SITES = 34
"""Lines from which on the sites' hit ratios are there too."""


def varnish_severity(node: CacheNode) -> Severity:
    """How bad one Varnish looks by its own figures."""
    if node.up is False:
        return Severity.CRITICAL
    if node.child_deaths or node.dropped_sessions:
        return Severity.CRITICAL
    if node.backends and len(node.backends_sick) == len(node.backends):
        return Severity.CRITICAL
    if node.thread_queue or node.backends_sick or (node.backend_failures_per_s or 0.0) > 0:
        return Severity.WARNING
    return max(
        evictions_severity(node),
        limits.HIT_RATIO.severity(node.hit_ratio) if known(node.hit_ratio) else Severity.OK,
    )


def evictions_severity(node: CacheNode) -> Severity:
    """How bad it is that a Varnish throws pages out: by how short they stay."""
    return limits.RESIDENCE_S.severity(node.residence_s) if node.residence_s is not None else Severity.OK


def redis_severity(node: RedisNode) -> Severity:
    """How bad one Redis looks by its own figures."""
    if node.up is False:
        return Severity.CRITICAL
    return limits.REDIS_EVICTIONS_PER_S.severity(node.evictions_per_s) if node.evictions_per_s else Severity.OK


def known(value: float | None) -> bool:
    """Whether there is such a number: measured, and not 0/0."""
    return value is not None and not math.isnan(value)


def hit_severity(ratio: float | None, before: float | None) -> Severity:
    """How bad the tier's hit ratio is, by itself and against the same hour last week."""
    if ratio is None or not known(ratio):
        return Severity.OK
    lost = before - ratio if before is not None else None
    return max(limits.HIT_RATIO.severity(ratio), above(lost, HIT_RATIO_LOST))


def backends_cell(node: CacheNode, farm: Farm | None) -> Content | str:
    """`2/2`, else how many are sick, and by name where it is one; what has no probe counts as well, as for Varnish.

    What varnishadm said before it fell silent is hatched, with its age; where it has said nothing at all, a `?`.
    """
    sick, whole = node.backends_sick, len(node.backends)
    words = f"{whole - len(sick)}/{whole}"
    if sick:
        words = f"sick: {sick[0]}" if len(sick) == 1 else f"{len(sick)} of {whole} sick"
    if farm is not None and node.backends_at is not None and _backends_old(node, farm):
        old = f"{words if whole else 'none'}, {ago((farm.at - node.backends_at).total_seconds())}"
        return Content.styled(f"{glyphs().freshness[Freshness.STALE]} {old}", ink.STALE)
    if not whole:
        return status_mark(Severity.UNKNOWN, "no answer") if node.backends_problem else "–"
    return figure(words, Severity.CRITICAL if len(sick) == whole else Severity.WARNING if sick else Severity.OK)


def _backends_old(node: CacheNode, farm: Farm) -> bool:
    """Whether what varnishadm said of a node's backends is of before; of all nodes where the whole source is silent."""
    fresh = farm.freshness("varnish") if farm.source("varnish") is not None else Freshness.LIVE
    return bool(node.backends_problem) or fresh not in (Freshness.LIVE, Freshness.AGEING)


def hit_words(ratio: float | None) -> str:
    """A hit ratio in words: 0/0 is no traffic, which is not zero."""
    return "no traffic" if ratio is not None and math.isnan(ratio) else percent(ratio)


class CacheScreen(FarmScreen):
    """Varnish and Redis, node by node, against the same hour last week."""

    NAME = "cache"
    CSS_PATH = "cache.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("cache.sort.node", "N", "sort('node')", "By node", "Sort by node", group="list"),
        Command("cache.sort.hit", "H", "sort('hit')", "By hit ratio", "Sort by hit ratio, lowest first", group="list"),
        Command("cache.sort.requests", "R", "sort('requests')", "By requests", "Sort by requests", group="list"),
        Command("cache.sort.evictions", "E", "sort('evictions')", "By evictions", "Sort by evictions", group="list"),
    )

    def compose_body(self) -> ComposeResult:
        """Summary, trend, then a table for each kind of daemon."""
        with Horizontal(id="tiles", classes="tiles"):
            yield Tile("hit ratio", id="tile-hit")
            yield Tile("requests", id="tile-requests")
            yield Tile("evictions", id="tile-evictions")
            yield Tile("redis", id="tile-redis")
        yield TrendChart("hit ratio", RATIO, (Threshold(0.6, Severity.CRITICAL, falling=True),), id="trend")
        yield LiveTable[CacheNode](
            self._varnish_columns(),
            key=lambda node: node.instance,
            severity=varnish_severity,
            freshness=self._freshness,
            noun="Varnish nodes",
            id="varnish",
        )
        yield LiveTable[RedisNode](
            self._redis_columns(),
            key=lambda node: node.instance,
            severity=redis_severity,
            freshness=self._freshness,
            noun="Redis nodes",
            id="redis",
        )
        yield LiveTable[Site](
            (
                Column("site", "site", lambda site: site.name, width=30, flex=1, priority=0, sort=lambda s: s.name),
                Column(
                    "hit",
                    "hit",
                    lambda s: hit_words(s.hit_ratio),
                    width=10,
                    align="right",
                    priority=0,
                    sort=lambda s: s.hit_ratio,
                ),
            ),
            key=lambda site: site.key,
            noun="sites",
            sort="hit",
            id="sites",
        )

    def _varnish_columns(self) -> tuple[Column[CacheNode], ...]:
        return (
            Column("node", "varnish", self._machine, width=12, flex=1, priority=0, sort=lambda n: n.instance),
            Column("state", "state", _varnish_state, width=14, priority=0, sort=varnish_severity, descending=True),
            Column("hit", "hit", _hit_cell, width=10, align="right", priority=0, sort=lambda n: n.hit_ratio,
                   help="hit / (hit + miss), what may be cached, five minutes"),
            Column("bar", "", _hit_bar, width=14, priority=4),
            Column("overall", "w/ pass", lambda n: hit_words(overall_ratio(n)), width=8, align="right", priority=5,
                   sort=overall_ratio, help="hit / (hit + miss + pass)"),
            Column("requests", "req/s", lambda n: count(n.requests_per_s), width=7, align="right", priority=1,
                   sort=lambda n: n.requests_per_s, descending=True),
            Column("miss", "miss/s", lambda n: count(n.miss_per_s), width=7, align="right", priority=2,
                   sort=lambda n: n.miss_per_s, descending=True),
            Column("pass", "pass/s", lambda n: count(n.pass_per_s), width=7, align="right", priority=3,
                   sort=lambda n: n.pass_per_s, descending=True),
            Column("hitmiss", "hfm/s", lambda n: count(n.hitmiss_per_s), width=6, align="right", priority=7,
                   sort=lambda n: n.hitmiss_per_s, descending=True, help="hit-for-miss, already counted in miss"),
            Column("evictions", "evict/s",
                   lambda n: limited(count(n.evictions_per_s), n.residence_s, limits.RESIDENCE_S),
                   width=8, align="right", priority=1, sort=lambda n: n.evictions_per_s, descending=True),
            Column("storage", "storage", lambda n: percent(n.storage_ratio), width=8, align="right", priority=2,
                   sort=lambda n: n.storage_ratio, descending=True, help="a full healthy cache sits at 100 %"),
            Column("bytes", "used", lambda n: data_size(n.storage_bytes), width=8, align="right", priority=6),
            Column("objects", "objects", lambda n: count(n.objects), width=8, align="right", priority=5,
                   sort=lambda n: n.objects, descending=True),
            Column("backends", "backends", lambda n: backends_cell(n, self.console.farm), width=14, flex=1, priority=1,
                   help="that are not sick, of all, as varnishadm says"),
            Column("fail", "bfail/s",
                   lambda n: limited(count(n.backend_failures_per_s), n.backend_failures_per_s, limits.ANY),
                   width=8, align="right", priority=2, sort=lambda n: n.backend_failures_per_s, descending=True,
                   help="backend connections that failed"),
            Column("threads", "threads", _threads_cell, width=9, align="right", priority=4,
                   help="worker threads, and +N sessions waiting for one"),
            Column("uptime", "up for", lambda n: duration(n.uptime_s), width=7, align="right", priority=3,
                   sort=lambda n: n.uptime_s, help="since the child started: a restart empties a malloc cache"),
            Column("seen", "measured", lambda n: seen(self.console.farm, n.seen_at), width=16, priority=8),
        )  # fmt: skip

    def _redis_columns(self) -> tuple[Column[RedisNode], ...]:
        return (
            Column("node", "redis", self._machine, width=12, flex=1, priority=0, sort=lambda n: n.instance),
            Column("state", "state", _redis_state, width=9, priority=0, sort=redis_severity, descending=True),
            Column("role", "role", lambda n: n.role or "–", width=8, priority=2, sort=lambda n: n.role),
            Column("hit", "hit ratio", lambda n: "idle" if not known(n.hit_ratio) and n.hit_ratio is not None
                   else percent(n.hit_ratio), width=10, align="right", priority=0, sort=lambda n: n.hit_ratio),
            Column("memory", "memory", lambda n: data_size(n.memory_bytes), width=9, align="right", priority=1,
                   sort=lambda n: n.memory_bytes, descending=True),
            Column("full", "of maxmemory", _memory_bar, width=20, priority=3),
            Column("evictions", "evict/s",
                   lambda n: limited(count(n.evictions_per_s), n.evictions_per_s, limits.REDIS_EVICTIONS_PER_S),
                   width=8, align="right", priority=1, sort=lambda n: n.evictions_per_s, descending=True),
            Column("commands", "cmd/s", lambda n: count(n.commands_per_s), width=7, align="right", priority=2,
                   sort=lambda n: n.commands_per_s, descending=True),
            Column("clients", "clients", lambda n: count(n.clients), width=8, align="right", priority=3,
                   sort=lambda n: n.clients, descending=True),
            Column("seen", "measured", lambda n: seen(self.console.farm, n.seen_at), width=16, priority=4),
        )  # fmt: skip

    def _freshness(self, node: CacheNode | RedisNode) -> Freshness:
        """Of a row's figures; that something is down is known now, whenever its figures were."""
        return Freshness.LIVE if node.up is False else row_freshness(self.console.farm, node.seen_at)

    def _machine(self, node: CacheNode | RedisNode) -> str:
        farm = self.console.farm
        return machine_name(farm, node.instance) if farm else node.instance

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        fresh = farm.freshness("prometheus")
        cache = farm.cache
        varnish = cache.nodes if cache else ()
        redis = cache.redis if cache else ()
        if self.console.faults_only:
            varnish = tuple(node for node in varnish if self._faulty(varnish_severity(node), node))
            redis = tuple(node for node in redis if self._faulty(redis_severity(node), node))
        self._table("varnish").set_rows(varnish, freshness=fresh)
        self._table("redis").set_rows(redis, freshness=fresh)
        self._table("redis").display = bool(cache and cache.redis)
        # Where there is room: the sites have a screen of their own.
        measured = farm.sites is not None and "site.hit_ratio" not in farm.sites.missing
        self._table("sites").display = measured and self.size.height >= ROOM_FOR_SITES
        self._table("sites").set_rows(farm.sites.sites if farm.sites is not None and measured else ())
        self._show_summary(farm)

    def _faulty(self, severity: Severity, node: CacheNode | RedisNode) -> bool:
        stale = row_freshness(self.console.farm, node.seen_at) is not Freshness.LIVE
        return severity >= Severity.WARNING or stale

    def _show_summary(self, farm: Farm) -> None:
        cache, fresh = farm.cache, farm.freshness("prometheus")
        ratio = cache.hit_ratio if cache else None
        before = cache.hit_ratio_last_week if cache else None
        self.query_one("#tile-hit", Tile).show(TileState(
            hit_words(ratio), against_last_week(ratio, before), severity=hit_severity(ratio, before), freshness=fresh,
            trend=trend_values(farm, "cache.hit_ratio"), high=1.0,
        ))  # fmt: skip
        nodes = cache.nodes if cache else ()
        requests = total(node.requests_per_s for node in nodes)
        passes = total(node.pass_per_s for node in nodes)
        self.query_one("#tile-requests", Tile).show(TileState(rate(requests), f"pass {rate(passes)}", freshness=fresh))
        evictions = total(node.evictions_per_s for node in nodes)
        full = sum((node.storage_ratio or 0.0) > 0.99 for node in nodes)
        self.query_one("#tile-evictions", Tile).show(TileState(
            rate(evictions), f"{full} of {len(nodes)} full",
            severity=max(map(evictions_severity, nodes), default=Severity.OK), freshness=fresh,
            trend=trend_values(farm, "cache.evictions_per_s"), high=None,
        ))  # fmt: skip
        redis = cache.redis if cache else ()
        up = sum(node.up is not False for node in redis)
        evicted = total(node.evictions_per_s for node in redis)
        self.query_one("#tile-redis", Tile).show(TileState(
            f"{up} of {len(redis)} up" if redis else "none", f"evictions {rate(evicted)}",
            severity=Severity.CRITICAL if up < len(redis) else Severity.OK, freshness=fresh,
        ))  # fmt: skip
        show_trend(
            self.query_one("#trend", TrendChart), farm,
            (("cache.hit_ratio_last_week", "last week", True), ("cache.hit_ratio", "tier", False)),
        )  # fmt: skip

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)

    def selected(self) -> Subject | None:
        """The daemon under the cursor of the table that has the focus."""
        farm = self.console.farm
        table = self.focused_table()
        row = table.cursor_row if table else None
        if farm is None or row is None:
            return None
        return subject_of(farm, row)

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        farm = self.console.farm
        if farm is not None:
            self.console.open(subject_of(farm, message.row))


def subject_of(farm: Farm, row: CacheNode | RedisNode | Site) -> Subject:
    """The subject of a row of any of the tables."""
    match row:
        case CacheNode():
            return Subject("varnish", row.instance, f"varnish {machine_name(farm, row.instance)}")
        case RedisNode():
            return Subject("redis", row.instance, f"redis {machine_name(farm, row.instance)}")
        case Site():
            return site_subject(row.key, row.name)


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is measured; None when nothing is."""
    measured = [value for value in values if value is not None and not math.isnan(value)]
    return sum(measured) if measured else None


def against_last_week(now: float | None, before: float | None) -> str:
    """`-3.2 pt on last week`, `as last week`; says so where last week is not known."""
    if now is None or before is None or math.isnan(now) or math.isnan(before):
        return "last week not known"
    points = round((now - before) * 100, 1)
    return f"{points:+.1f} pt on last week" if points else "as last week"


def _varnish_state(node: CacheNode) -> Content:
    """How bad it is and, in a word, why: the figure that says so may be in a column that has no room."""
    severity = varnish_severity(node)
    some_sick = 0 < len(node.backends_sick) < len(node.backends)
    states = (
        (node.up is False, "down"),
        (bool(node.child_deaths), "died"),
        (bool(node.dropped_sessions), "dropping"),
        (bool(node.backends_sick) and not some_sick, "no backend"),
        (bool(node.thread_queue), "queueing"),
        (some_sick, "backend sick"),
        ((node.backend_failures_per_s or 0.0) > 0, "fetches fail"),
        (evictions_severity(node) is severity, "evicting"),
        (severity >= Severity.WARNING, "few hits"),
    )
    return status_mark(severity, next((word for so, word in states if so), "") if severity > Severity.OK else "ok")


def _hit_cell(node: CacheNode) -> Content | str:
    words = hit_words(node.hit_ratio)
    return limited(words, node.hit_ratio, limits.HIT_RATIO) if known(node.hit_ratio) else words


def _hit_bar(node: CacheNode) -> Content | str:
    return meter(node.hit_ratio, 14, limits.HIT_RATIO, text="") if known(node.hit_ratio) else ""


def _threads_cell(node: CacheNode) -> Content | str:
    if node.thread_queue:
        return figure(f"{count(node.threads)} +{count(node.thread_queue)}", Severity.WARNING)
    return count(node.threads)


def _redis_state(node: RedisNode) -> Content:
    severity = redis_severity(node)
    word = {Severity.CRITICAL: "down", Severity.WARNING: "evicting"}.get(severity, "")
    return status_mark(severity, word if node.up is not None else "?")


def _memory_bar(node: RedisNode) -> Content | str:
    if not node.memory_max_bytes or node.memory_bytes is None:
        return "no limit"
    return meter(node.memory_bytes / node.memory_max_bytes, 20)
