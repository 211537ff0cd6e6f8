"""The cache tier on real daemons: each figure is Varnish's or Redis's own, and each fault is said in plain words."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from farmtui.farm.units import count, data_size, percent
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import agrees, causes, cells, row, shows, undone
from tests.lab.service import quick_queries
from tests.lab.services.prometheus import Prometheus
from tests.lab.services.redis import PRIMARY, REPLICA, Redis
from tests.lab.services.varnish import NODES, SMALL, Varnish
from tests.terminal.pty_harness import PtySession

STORM = {"cache.evictions_per_s": {"5m": "5s"}}


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, varnish: Varnish, redis: Redis) -> PtySession:
    """The cache screen, wide enough for every column, when both kinds are on it."""
    prometheus.wait_scraped("varnish")
    prometheus.wait_scraped("redis")
    session = console(prometheus, varnish, redis, screen="cache", columns=230, lines=50)
    shows(session, "cache-3", "master", "slave")
    return session


def test_varnish_figures_are_varnishstats_own(screen: PtySession, varnish: Varnish) -> None:
    for node in NODES:

        def told(name: str, node: str = node) -> float:
            return varnish.counters(node)[name]

        def shown(node: str = node) -> str:
            return row(screen, node, after="varnish")

        agrees(
            screen,
            f"{node}'s gauges",
            (shown, lambda told=told: f" {count(told('MAIN.n_object'))} "),  # type: ignore[misc]
            (shown, lambda told=told: data_size(told("SMA.s0.g_bytes"))),  # type: ignore[misc]
            (shown, lambda told=told: count(told("MAIN.threads"))),  # type: ignore[misc]
            (shown, lambda: "3/3"),
        )


def test_varnish_rates_are_varnishstats_counters_over_the_same_time(
    screen: PtySession, varnish: Varnish, prometheus: Prometheus
) -> None:
    names = {"hit": "MAIN.cache_hit", "miss": "MAIN.cache_miss", "pass": "MAIN.s_pass", "hfm": "MAIN.cache_hitmiss"}
    wait_until("a minute of traffic", lambda: prometheus.value("min(varnish_main_uptime)") > 20)
    before = varnish.counters("cache-1")
    counted = {name: before[counter] for name, counter in names.items()}
    # The pages are asked in turn: one in six each is a pass, a hit-for-miss and a page of a short life.
    assert counted["hit"] > counted["miss"] > counted["hfm"] > 0
    ratio = counted["hit"] / (counted["hit"] + counted["miss"])
    shown = float(cells(row(screen, "cache-1", after="varnish"))[2].strip("▲✖ %")) / 100
    assert shown == pytest.approx(ratio, abs=0.05)
    tier = f"{shown * 100:.0f}"
    assert tier in screen.text


def test_redis_figures_are_infos_own(screen: PtySession, redis: Redis) -> None:
    for node in (PRIMARY, REPLICA):

        def shown(node: str = node) -> str:
            return row(screen, node, after="of maxmemory")

        def told(name: str, node: str = node) -> str:
            return redis.info(node)[name]

        agrees(
            screen,
            f"{node}'s gauges",
            (shown, lambda told=told: told("role")),  # type: ignore[misc]
            (shown, lambda told=told: data_size(float(told("used_memory")))[:3]),  # type: ignore[misc]
        )


def test_the_redis_hit_ratio_is_that_of_its_counters(screen: PtySession, redis: Redis) -> None:
    """Three of four keys that are asked for are there: by INFO's own counters over a time, and on the screen."""
    before = redis.info(PRIMARY)

    def since(name: str) -> float:
        return float(redis.info(PRIMARY)[name]) - float(before[name])

    for _ in range(20):
        for key in ("known", "known", "known", "unknown"):
            redis.cli(PRIMARY, "get", key)
    hits, misses = since("keyspace_hits"), since("keyspace_misses")
    assert hits + misses >= 80
    assert hits / (hits + misses) == pytest.approx(0.75, abs=0.03)
    screen.wait_for(lambda: f" {percent(0.75)} " in row(screen, PRIMARY, after="of maxmemory"))


def test_a_child_that_dies_is_told_and_its_counters_begin_anew(screen: PtySession, varnish: Varnish) -> None:
    os.kill(varnish.child("cache-2"), signal.SIGKILL)
    screen.wait_for(lambda: "died" in row(screen, "cache-2", after="varnish"))
    causes(screen, "3", "Varnish on cache-2 has crashed", "began anew with an empty cache")
    wait_until("the child serves again", lambda: varnish.counters("cache-2")["MAIN.uptime"] >= 0)


def test_a_varnish_that_is_stopped_and_one_that_hangs(
    screen: PtySession, varnish: Varnish, prometheus: Prometheus
) -> None:
    exporter = varnish.exporters["cache-1"]
    with undone(exporter.start):
        exporter.stop()
        screen.wait_for(lambda: "down" in row(screen, "cache-1", after="varnish"))
        causes(screen, "3", "cache-1", "varnish")
    screen.wait_for(lambda: "down" not in row(screen, "cache-1", after="varnish"))
    with undone(exporter.thaw):
        exporter.freeze()
        screen.wait_for(lambda: "down" in row(screen, "cache-1", after="varnish"))
    screen.wait_for(lambda: "down" not in row(screen, "cache-1", after="varnish"))
    prometheus.wait_scraped("varnish")


def test_a_backend_that_is_sick_is_named_and_one_without_a_probe_is_not(screen: PtySession, varnish: Varnish) -> None:
    assert "unprobed" not in screen.text
    with undone(lambda: varnish.heal("wp2")):
        varnish.make_sick("wp2")
        screen.wait_for(lambda: all("sick: wp2" in row(screen, node, after="varnish") for node in NODES))
        assert '"sick"' in varnish.admin("cache-1", "backend.list", "-j")
        causes(screen, "3", "has a sick backend", "wp2", "requests go to the others")
        assert "unprobed" not in screen.text
    screen.wait_for(lambda: all("3/3" in row(screen, node, after="varnish") for node in NODES))


def test_a_backend_that_somebody_has_set_sick_is_said_to_be_so(screen: PtySession, varnish: Varnish) -> None:
    with undone(lambda: varnish.admin("cache-1", "backend.set_health", "wp1", "auto")):
        varnish.admin("cache-1", "backend.set_health", "wp1", "sick")
        screen.wait_for(lambda: "sick: wp1" in row(screen, "cache-1", after="varnish"))
        causes(screen, "3", "somebody has set it so", "wp1")


def test_an_eviction_storm_on_the_small_node(
    screen: PtySession, console: Console, prometheus: Prometheus, varnish: Varnish
) -> None:
    quick = {**prometheus.config()["prometheus"], "queries": quick_queries(STORM)}
    other = console(prometheus, varnish, screen="cache", columns=170, prometheus=quick)
    before = varnish.counters(SMALL)["MAIN.n_lru_nuked"]
    with storm(varnish.url(SMALL)):
        causes(
            other,
            "3",
            f"Varnish on {SMALL} evicts what it has just stored",
            "its storage is too small",
            "pages are thrown out",
        )
        shows(screen, "1 of 3 full")
    assert varnish.counters(SMALL)["MAIN.n_lru_nuked"] > before


@contextmanager
def storm(url: str) -> Iterator[None]:
    """Within, somebody asks for page after page that nobody has asked for before."""
    ended = threading.Event()
    place = urlsplit(url)
    assert place.hostname is not None
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)

    def ask() -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            connection.request("GET", f"/big?n={number}&size=40000")
            connection.getresponse().read()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield
    finally:
        ended.set()
        asking.join(timeout=20)
        connection.close()


def test_redis_that_evicts_says_why(screen: PtySession, redis: Redis) -> None:
    with undone(lambda: redis.cli(PRIMARY, "flushall")):
        for _ in range(3):
            redis.fill(3000, 4000)
        assert int(redis.info(PRIMARY)["evicted_keys"]) > 0
        causes(screen, "3", "Redis on cache-1 evicts keys", "its memory is too small")
    redis.cli(PRIMARY, "set", "known", "1")


def test_a_redis_that_is_stopped(screen: PtySession, redis: Redis, prometheus: Prometheus) -> None:
    with undone(redis.daemons[REPLICA].start):
        redis.daemons[REPLICA].stop()
        screen.wait_for(lambda: "down" in row(screen, REPLICA, after="of maxmemory"))
        causes(screen, "3", "Redis on cache-2 is down")
    screen.wait_for(lambda: "down" not in row(screen, REPLICA, after="of maxmemory"))
    wait_until("replica linked", lambda: redis.info(REPLICA)["master_link_status"] == "up")


def test_an_ssh_source_that_is_refused_leaves_the_figures_as_they_are(
    console: Console, prometheus: Prometheus, varnish: Varnish, tmp_path: object
) -> None:
    prometheus.wait_scraped("varnish")
    screen = console(prometheus, varnish, screen="cache", columns=200, lines=40, ssh={"known_hosts": []})
    shows(screen, "cache-1")
    screen.send(":sources\r")
    shows(screen, "host key", "is not known")
    screen.send("3")
    shows(screen, "cache-1", "cache-3")
