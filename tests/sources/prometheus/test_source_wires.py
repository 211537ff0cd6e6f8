"""Networks by Prometheus: what probes, pings, WireGuard and node exporters tell, in every shape that they come in."""

from __future__ import annotations

from typing import Any

import pytest

from farmtui.farm.networks import CephSeat, Hop, Interface, ProbedBy, Tunnel, Wires
from farmtui.sources.prometheus import PrometheusSource
from farmtui.sources.prometheus.catalogue import PROBE_JOBS, catalogue
from tests.sources.conftest import Serve
from tests.sources.prometheus.fakes import FakePrometheus, series, status, text
from tests.sources.prometheus.polls import FIGURES, Polls, good, only, polls

__all__ = ["polls"]

LINK: dict[str, Any] = {"instance": "10.99.0.2", "job": "interconnect"}
PING: dict[str, Any] = {"instance": "10.0.0.5:9374", "job": "smokeping", "host": "pve-gw", "ip": "10.99.0.2"}
ETH: dict[str, Any] = {"instance": "10.20.5.11:9100", "device": "eth1"}


def prometheus(**figures: Any) -> FakePrometheus:
    """One that answers these figures; `__` stands for the dot."""
    return FakePrometheus({FIGURES[name.replace("__", ".")].promql: rows for name, rows in figures.items()})


async def told(serve: Serve, polls: Polls, fake: FakePrometheus) -> Wires:
    """What one poll tells of networks."""
    return good(await polls.source(await serve(fake)).poll()).wires


async def test_a_farm_that_measures_nothing_has_no_wires(serve: Serve, polls: Polls) -> None:
    assert await told(serve, polls, prometheus()) == Wires()


async def test_a_ping_by_the_blackbox_exporter_is_known_by_its_round_trip(serve: Serve, polls: Polls) -> None:
    fake = prometheus(
        probe__up=[series(1, **LINK)], probe__duration_s=[series(0.9, **LINK)], probe__rtt_s=[series(0.012, **LINK)],
        probe__worst_s=[series(0.03, **LINK)], probe__loss_ratio=[series(0.02, **LINK)],
    )  # fmt: skip
    [hop] = (await told(serve, polls, fake)).hops
    assert (hop.by, hop.latency_s, hop.worst_s, hop.loss_ratio) == (ProbedBy.ICMP, 0.012, 0.03, 0.02)
    assert hop.jitter_s == pytest.approx(0.018)
    assert (hop.up, hop.target, hop.seen_at) == (True, "10.99.0.2", polls.clock.at)


async def test_one_by_tcp_is_known_by_how_long_it_took_and_one_that_failed_by_nothing(
    serve: Serve, polls: Polls
) -> None:
    far: dict[str, Any] = {"instance": "10.99.0.6:22", "job": "interconnect"}
    fake = prometheus(
        probe__up=[series(1, **far), series(0, **LINK)],
        probe__duration_s=[series(0.02, **far), series(5, **LINK)],
        probe__loss_ratio=[series(1, **LINK)],
    )
    down, up = (await told(serve, polls, fake)).hops
    assert (up.by, up.latency_s, up.worst_s, up.jitter_s, up.loss_ratio) == (ProbedBy.BLACKBOX, 0.02, None, None, None)
    assert (down.up, down.latency_s, down.loss_ratio) == (False, None, 1.0)


async def test_smokeping_tells_percentiles_and_one_that_has_not_pinged_yet_tells_nothing(
    serve: Serve, polls: Polls
) -> None:
    silent, fresh = PING | {"host": "gone", "ip": "10.99.0.9"}, PING | {"host": "new", "ip": "10.99.0.7"}
    fake = prometheus(
        ping__loss_ratio=[series(0.05, **PING), series(1, **silent), series("NaN", **fresh)],
        ping__median_s=[series(0.011, **PING), series("NaN", **silent)],
        ping__p99_s=[series(0.04, **PING), series("NaN", **silent)],
        ping__answers_per_s=[series(0.95, **PING), series(0, **silent)],
    )
    gone, link = (await told(serve, polls, fake)).hops
    assert (link.by, link.latency_s, link.worst_s, link.loss_ratio) == (ProbedBy.SMOKEPING, 0.011, 0.04, 0.05)
    assert (gone.instance, gone.up, gone.latency_s, gone.worst_s) == ("gone", False, None, None)


async def test_what_is_probed_twice_has_two_names(serve: Serve, polls: Polls) -> None:
    twice = [LINK, LINK | {"job": "interconnect-tcp"}]
    fake = prometheus(probe__up=[series(1, **labels) for labels in twice])
    names = [hop.instance for hop in (await told(serve, polls, fake)).hops]
    assert names == ["10.99.0.2 (interconnect)", "10.99.0.2 (interconnect-tcp)"]


@pytest.mark.parametrize(
    ("told_s", "age_s"), [(41.5, 41.5), (-2.0, 0.0), (1_800_000_000.0, None), ("NaN", None), ("+Inf", None)]
)
async def test_handshakes(serve: Serve, polls: Polls, told_s: float | str, age_s: float | None) -> None:
    labels: dict[str, Any] = {
        "instance": "10.0.0.5:9586",
        "interface": "wg0",
        "public_key": "9vTx0Yh2zq1rGfB6o3Qw5uJc=",
    }
    [tunnel] = (await told(serve, polls, prometheus(tunnel__handshake_age_s=[series(told_s, **labels)]))).tunnels
    assert tunnel == Tunnel("10.0.0.5:9586", "wg0", "9vTx0Yh2", age_s, polls.clock.at)


async def test_interfaces_are_joined_from_what_is_told_of_each(serve: Serve, polls: Polls) -> None:
    address: dict[str, Any] = ETH | {"address": "10.21.5.11", "netmask": "24"}
    bare: dict[str, Any] = {"instance": "10.20.5.12:9100", "device": "eth1"}
    fake = prometheus(
        link__mtu_bytes=[series(9000, **ETH), series(1500, **bare)],
        link__speed_bytes_per_s=[series(1.25e9, **ETH)],
        link__addresses=[series(1, **address), series(1, **(address | {"netmask": "x/../"}))],
        link__receive_bytes_per_s=[series(5e6, **ETH), series("NaN", **bare)],
        link__errors_per_s=[series(3, **ETH)],
        link__no_carrier=[series(0, **bare)],
    )
    one, other = (await told(serve, polls, fake)).interfaces
    assert one == Interface(
        "10.20.5.11:9100", "eth1", ("10.21.5.11", "10.21.5.11/24"), 9000.0, 1.25e9, True, 5e6, None, 3.0, 0.0,
        polls.clock.at,
    )  # fmt: skip
    assert (other.carrier, other.receive_bytes_per_s, other.addresses, other.errors_per_s) == (False, None, (), 0.0)


async def test_where_cephs_daemons_sit(serve: Serve, polls: Polls) -> None:
    osd: dict[str, Any] = {
        "ceph_daemon": "osd.0", "hostname": "stor-1", "public_addr": "10.20.5.11", "cluster_addr": "10.21.5.11",
        "front_iface": "", "back_iface": "eth1",
    }  # fmt: skip
    mon: dict[str, Any] = {"ceph_daemon": "mon.a", "hostname": "stor-1", "public_addr": "10.20.5.11:6789/0"}
    fake = prometheus(ceph__osd_seat=[series(1, **osd)], ceph__mon_info=[series(1, **mon)])
    assert (await told(serve, polls, fake)).ceph == (
        CephSeat("mon.a", "stor-1", "10.20.5.11"),
        CephSeat("osd.0", "stor-1", "10.20.5.11", "10.21.5.11", "", "eth1"),
    )


async def test_labels_that_act_are_made_harmless(serve: Serve, polls: Polls) -> None:
    evil: dict[str, Any] = {"instance": "10.0.0.1\x1b]52;c;aGk=\x07", "job": "interconnect\u202e"}
    fake = prometheus(
        probe__up=[series(1, **evil)],
        link__mtu_bytes=[series(1500, instance="a:9100", device="[@click=app.quit]eth0[/]\x9b2J")],
    )
    found = await told(serve, polls, fake)
    shown = f"{found.hops[0].instance}{found.hops[0].job}{found.interfaces[0].device}"
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\u202e"}


@pytest.mark.parametrize("fault", [status(500), status(422), text("<html>", "text/html"), text("{")])
async def test_a_figure_that_fails_is_told_and_the_others_stand(serve: Serve, polls: Polls, fault: Any) -> None:
    fake = prometheus(probe__up=[series(1, **LINK)], link__mtu_bytes=[series(9000, **ETH)])
    fake.fault = only("probe.rtt_s", fault)
    view = good(await polls.source(await serve(fake)).poll())
    assert [name for name, _ in view.figure_problems] == ["probe.rtt_s"]
    assert view.wires.hops[0].up
    assert view.wires.interfaces[0].mtu_bytes == 9000.0


async def test_a_probe_whose_exporter_is_gone_grows_old_and_does_not_vanish(serve: Serve, polls: Polls) -> None:
    fake = prometheus(probe__up=[series(1, **LINK)], probe__duration_s=[series(0.02, **LINK)])
    source = polls.source(await serve(fake))
    first = good(await source.poll()).wires.hops
    fake.vectors[FIGURES["probe.up"].promql] = []
    fake.vectors[FIGURES["probe.duration_s"].promql] = []
    polls.clock.forward(60.0)
    assert good(await source.poll()).wires.hops == first == (
        Hop("10.99.0.2", True, 0.02, None, first[0].seen_at, job="interconnect", target="10.99.0.2"),
    )  # fmt: skip


async def test_further_jobs_are_asked_for_in_the_same_queries(serve: Serve, polls: Polls) -> None:
    fake = prometheus()
    config = polls.source(await serve(fake))._config
    more = PrometheusSource(config, probes=['vpn "fra"\\', "vpn.2"], clock=polls.clock)
    await more.poll()
    await more.close()
    [asked] = [query for query in fake.asked if "probe_success" in query and query.startswith("max")]
    assert f'{PROBE_JOBS}|vpn\\\\ \\"fra\\"\\\\\\\\|vpn\\\\.2"' in asked


def test_every_probes_query_has_the_jobs_that_may_be_added_to() -> None:
    known = catalogue()
    asking = [figure.promql for figure in known.figures.values() if figure.group == "probe"]
    asking.append(known.trends["network.latency_s"].promql)
    assert len(asking) == 7
    assert all(PROBE_JOBS in promql for promql in asking)
    wider = known.probing(["vpn"])
    assert set(wider.figures) == set(known.figures)
    assert all(f"{PROBE_JOBS}|vpn" in wider.figures[f"probe.{name}"].promql for name in ("up", "rtt_s", "loss_ratio"))
    assert "|vpn" in wider.trends["network.latency_s"].promql
