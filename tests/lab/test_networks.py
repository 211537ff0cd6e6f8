"""Networks on real probers: real pings through a real tunnel device, whose far end is slow, lossy or gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab.calibration import differences, figures_of, simulated_farm
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.reading import shows
from tests.lab.service import quick_queries
from tests.lab.services.prometheus import Prometheus
from tests.lab.services.tunnel import FAR, Tunnel

pytestmark = pytest.mark.lab

QUICK = quick_queries(
    {
        **{f"ping.{name}": {"5m": "6s"} for name in ("median_s", "p99_s", "loss_ratio")},
        "ping.answers_per_s": {"1m": "4s"},
        **{f"probe.{name}": {"5m": "6s"} for name in ("rtt_s", "worst_s", "loss_ratio")},
    }
)


@pytest.fixture(autouse=True)
def watched(tunnel: Tunnel) -> Iterator[None]:
    """Prometheus knows of the tunnel while it is looked at, and of nothing of it in others' tests."""
    tunnel.watch()
    yield
    tunnel.unwatch()


def test_the_interconnect_is_measured_and_what_goes_wrong_with_it_is_named(
    console: Console, prometheus: Prometheus, tunnel: Tunnel
) -> None:
    prometheus.wait_scraped("smokeping")
    screen = console(prometheus, tunnel, screen="networks", prometheus={"queries": QUICK})
    try:
        # 12 ms, found with nothing declared; smokeping speaks for it.
        shows(screen, re.compile(r"interconnect +ok +1\d(\.\d)? ms .* 0 % .*1500"))
        tunnel.set(delay_s=0.06)
        shows(screen, re.compile(r"interconnect +warn +▲ \d\d ms "), re.compile(r"takes \d\d ms"))
        tunnel.set(loss=0.4)
        shows(screen, re.compile(r"interconnect +CRIT"), re.compile(r"loses \d\d %"))
        tunnel.set(loss=1.0)
        shows(screen, re.compile(r"interconnect +CRIT +✖ none"), "no probe gets through")
        screen.send("\r")
        shows(screen, re.compile(r"known by +probes"), re.compile("addresses +10.99.0"), "by blackbox icmp")
        tunnel.set()
        screen.send("\x1b")
        shows(screen, re.compile(r"interconnect +ok +1\d(\.\d)? ms .* 0 %"))
    finally:
        tunnel.set()


def test_the_probers_tell_what_the_simulated_ones_tell(
    prometheus: Prometheus, tunnel: Tunnel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def is_pinged() -> bool:
        return prometheus.value(f'smokeping_response_duration_seconds_count{{ip="{FAR}"}}') > 5

    wait_until("pings", is_pinged)
    wait_until("a probe", lambda: prometheus.value(f'probe_success{{job="interconnect", instance="{FAR}"}}') == 1.0)
    wait_until("addresses", lambda: prometheus.value("count(node_network_address_info)") >= 1.0)
    with simulated_farm(tmp_path_factory.mktemp("simulated"), "interface-errors") as simulated:
        assert list(differences(figures_of("probe", "ping", "link"), prometheus.url, simulated)) == []
