"""The networks: what an SRE sees of them, at each size, and with each upstream absent or failing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.network_join import Surroundings, interconnects, networks
from farmtui.farm.networks import ProbedBy, Tunnel, Wires
from screens.describe import describe
from screens.networks import NetworksScreen
from screens.places import Subject
from screens.topology import TopologyScreen
from tests.screens.farms import make_farm
from tests.screens.host import SIZES, HostApp, lines_of
from tests.unit.network_farms import CACHES, CEPH, EDGE, NOW, STOR, eth, ping

NODES = (*STOR, *CACHES, EDGE)


def wired(wires: Wires, nodes: Any = NODES) -> Farm:
    """A farm with these wires."""
    nets = networks((), wires, Surroundings(nodes))
    return replace(make_farm(), nodes=nodes, networks=nets, interconnects=interconnects(nets))


SICK = wired(
    replace(
        CEPH,
        hops=(ping(latency_s=0.09, loss_ratio=0.03, by=ProbedBy.SMOKEPING),),
        interfaces=(eth(1), eth(2, mtu_bytes=1500.0), eth(3)),
        tunnels=(Tunnel("10.20.1.11:9100", "wg0", "pve", None, NOW),),
    )
)


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_wrong_is_seen_at_every_size(size: tuple[int, int]) -> None:
    lines = await lines_of(NetworksScreen, SICK, size)
    [between] = [line for line in lines if "▲ interconnect" in line]
    assert "▲ 90 ms" in between
    assert "▲ 3.0 %" in between
    assert "loses 3.0 %; takes 90 ms" in between, "it is not cut off for the sake of what is well"
    [cluster] = [line for line in lines if "▲ ceph-cluster" in line]
    assert "MTU 1500 and 9000" in cluster


async def test_above_the_table_a_sick_interconnect_is_up_without_the_sign_of_a_well_one() -> None:
    sick = "\n".join(await lines_of(TopologyScreen, SICK, (200, 60)))
    assert "▲ interconnect loses 3.0 %" in sick
    assert "interconnect up 90 ms, 3.0 % lost" in sick
    well = wired(replace(CEPH, hops=(ping(),)))
    assert "interconnect ● up 12 ms" in "\n".join(await lines_of(TopologyScreen, well, (200, 60)))


@pytest.mark.parametrize("size", SIZES)
async def test_one_that_is_back_recovers_and_is_no_alarm(size: tuple[int, int]) -> None:
    back = wired(replace(CEPH, hops=(ping(loss_ratio=0.43, loss_now_ratio=0.0),)))
    shown = await lines_of(NetworksScreen, back, size)
    row = next(line for line in shown if "interconnect" in line)
    assert "▲ 43 %" in row
    assert "recovers: 0 %" in row
    assert "✖" not in row
    page = describe(back, Subject("network", "interconnect", ""))
    assert page is not None
    assert "43 %, 0 % in the last minute" in str(page.blocks)


async def test_what_nothing_measures_says_so_and_is_not_called_well() -> None:
    lines = await lines_of(NetworksScreen, wired(Wires()), (120, 40))
    [between] = [line for line in lines if "interconnect" in line and "?" in line]
    assert "unknown" in between
    assert "not measured: Enter" in between
    detail = describe(wired(Wires()), Subject("network", "interconnect", ""))
    assert detail is not None
    assert any("prometheus-smokeping-prober" in field.text for block in detail.blocks for field in block.fields)


async def test_a_farm_without_networks_says_what_would_tell_of_one() -> None:
    lines = await lines_of(NetworksScreen, make_farm(), (120, 40))
    assert any("no probe, tunnel, Ceph or cache tier" in line for line in lines)


async def test_before_the_first_picture_it_is_there() -> None:
    app = HostApp(NetworksScreen, None)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.shown.NAME == "networks"


async def test_enter_opens_a_network_and_faults_only_leaves_those_that_are_not_well() -> None:
    app = HostApp(NetworksScreen, SICK)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.only_faults()
        await pilot.press("enter")
        assert app.opened == [Subject("network", "interconnect", "interconnect")]


async def test_the_topology_has_them_as_a_view_and_says_below_its_map_what_is_wrong() -> None:
    lines = await lines_of(TopologyScreen, SICK, (120, 40), "v", "v", "v")
    assert any("▲ ceph-cluster MTU 1500 and 9000" in line for line in lines)
    assert any("▲ ceph-cluster" in line and "warn" in line for line in lines)


def test_a_networks_page_names_its_machines_and_what_says_so() -> None:
    detail = describe(SICK, Subject("network", "ceph-cluster", ""))
    assert detail is not None
    links = {link.text.partition(" ")[0]: (link.text, link.severity.word) for link in detail.links}
    assert links["stor-2"][1] == "warn"
    assert links["stor-1"] == ("stor-1  osd.2 osd.3  10.21.5.11  eth1 MTU 9000 10 Gbit/s in – out 1.0 MB/s", "ok")
    between = describe(SICK, Subject("network", "interconnect", ""))
    assert between is not None
    fields = {field.label: field.text for block in between.blocks for field in block.fields}
    assert fields["measured by"] == "smokeping_prober"
    assert fields["mgr-1 wg0"] == "never with pve"
    probe = describe(SICK, Subject("interconnect", "10.99.0.2", ""))
    assert probe is not None
    assert probe.links[0].subject.key == "interconnect"


async def test_text_from_outside_is_shown_as_it_is() -> None:
    evil = wired(Wires(hops=(ping("[@click=app.quit]x[/]", up=False),)))
    lines = await lines_of(TopologyScreen, evil, (160, 40))
    assert any("[@click=app.quit]x[/]" in line for line in lines)
