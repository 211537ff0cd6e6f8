"""The edge on a real Traefik: the console shows what it holds; a backend that dies is named."""

from __future__ import annotations

import json
import urllib.request

from farmtui.farm.units import percent
from farmtui.sources.prometheus.catalogue import catalogue
from tests.lab.conftest import Console
from tests.lab.daemons import wait_until
from tests.lab.services.edge import SITES, Edge, Interconnect
from tests.lab.services.prometheus import Prometheus
from tests.lab.test_networks import QUICK


def test_sites_errors_and_backends_are_traefiks_own(console: Console, prometheus: Prometheus, edge: Edge) -> None:
    wait_until("traffic", lambda: prometheus.value("sum(rate(traefik_entrypoint_requests_total[5m]))") > 0)
    screen = console(prometheus, edge)
    screen.wait_for("no server is left of gone@file")
    screen.wait_for("they come from one site: site-3")
    screen.wait_for(f"of {len(SITES)}, 1 failing")
    errors = catalogue().figures["edge.error_ratio"].promql
    screen.wait_for(lambda: f"{percent(prometheus.value(errors))} of all answers are errors" in screen.text)
    assert "could not be had" not in screen.text, "every figure of the edge can be read, a certificate without a CN too"


def test_each_site_by_itself(console: Console, prometheus: Prometheus, edge: Edge) -> None:
    wait_until("traffic", lambda: prometheus.value("sum(rate(traefik_router_requests_total[5m]))") > 0)
    screen = console(prometheus, edge, screen="sites")
    screen.wait_for("counted by Traefik's routers")
    screen.wait_for("100 % are 5xx")
    assert all(f"site-{number}" in screen.text for number in (1, 2, 3))
    assert "could not be had" not in screen.text
    screen.send("\r")
    screen.wait_for("router site-3@file")


def test_a_backend_that_dies_and_comes_back(console: Console, prometheus: Prometheus, edge: Edge) -> None:
    screen = console(prometheus, edge)
    screen.wait_for("1 of 2 backends are down")
    edge.backend.stop()
    try:
        screen.wait_for("2 of 2 backends are down")
    finally:
        edge.backend.start()
    screen.wait_for("1 of 2 backends are down")


def test_a_traefik_that_is_gone(console: Console, prometheus: Prometheus, edge: Edge) -> None:
    screen = console(prometheus, edge)
    screen.wait_for("edge")
    edge.traefik.stop()
    try:
        screen.wait_for("edge-1")
        screen.wait_for("CRIT")
    finally:
        edge.traefik.start()
    wait_until("Traefik scraped", lambda: prometheus.value('up{job="traefik"}') == 1.0)


def test_a_link_that_is_cut(console: Console, prometheus: Prometheus, interconnect: Interconnect) -> None:
    # The tunnel that others have pinged before is forgotten first, with windows of seconds: one prober speaks for both.
    wait_until("the pings are over", lambda: not prometheus.query("rate(smokeping_requests_total[10s])"))
    screen = console(prometheus, interconnect, screen="topology", prometheus={"queries": QUICK})
    screen.wait_for("interconnect")
    screen.wait_for("● up")
    interconnect.other_side.stop()
    try:
        screen.wait_for("✖ DOWN –")
        screen.send("1")
        screen.wait_for("interconnect")
    finally:
        interconnect.other_side.start()
    screen.send("2")
    screen.wait_for("● up")


def test_the_backends_that_traefik_lists_are_those_that_are_counted(edge: Edge, prometheus: Prometheus) -> None:
    wait_until("backends scraped", lambda: len(prometheus.query("traefik_service_server_up")) == 2)
    with urllib.request.urlopen(f"http://{edge.instance}/api/http/services", timeout=5) as answer:
        told = json.load(answer)
    servers = {url for service in told for url in service.get("serverStatus", {})}
    assert {series["metric"]["url"] for series in prometheus.query("traefik_service_server_up")} == servers
