"""The database screen: one cluster or not, which node takes part, who holds the writes up, how old each figure is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from farmtui.farm.cluster import Galera, GaleraNode
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from screens.database import DatabaseScreen, size_severity, size_words
from screens.describe import describe
from screens.describe.galera import node_severity
from screens.detail import render
from screens.places import Subject
from tests.screens.farms import HOSTILE, NOW, ago, make_book, make_farm, make_node, make_rule, make_source
from tests.screens.host import SIZES, HostApp, lines_of, text_of


def node(number: int, size: int = 3, **changes: Any) -> GaleraNode:
    """A node that is well but for the changes."""
    made = GaleraNode(f"10.0.0.{number}:9100", True, size, 4, True, True, 0.0, 0, 0.0, 500, 0.0, 40, 400, NOW)
    return dataclasses.replace(made, **changes)


def database(*nodes: GaleraNode, freshness: Freshness = Freshness.LIVE) -> Farm:
    """A farm that is its database; three nodes that are well unless others are given."""
    members = nodes or (node(1), node(2), node(3))
    machines = [make_node(f"db-{number}", Tier.DATABASE, address=f"10.0.0.{number}") for number in (1, 2, 3)]
    farm = make_farm(nodes=machines, sources=[make_source("prometheus", freshness)])
    return dataclasses.replace(farm, galera=Galera(members))


def fields(text: str, name: str) -> str:
    """The row of a machine, in the table below the tiles."""
    return text[text.index(f" {name} ", text.index(" sees ")) :].partition(" db-")[2].partition(" db-")[0]


async def shown(farm: Farm, size: tuple[int, int] = (120, 40)) -> str:
    """What the screen shows of a farm, blanks drawn together."""
    return " ".join(" ".join(await lines_of(DatabaseScreen, farm, size)).split())


@pytest.mark.parametrize("size", SIZES)
async def test_a_cluster_that_is_whole(size: tuple[int, int]) -> None:
    text = await shown(database(), size)
    assert "3 of 3 in it" in text
    assert text.count("Synced") == 3
    assert all(f"db-{number}" in text for number in (1, 2, 3))
    assert "✖" not in text
    assert "▲" not in text
    assert "asked by nobody" in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_node_that_is_down(size: tuple[int, int]) -> None:
    gone = GaleraNode("10.0.0.3:9100", up=False, seen_at=ago(5))
    text = await shown(database(node(1, 2), node(2, 2), gone), size)
    assert "2 of 3 in it" in text
    assert "✖ down" in fields(text, "db-3")
    assert "Synced" not in fields(text, "db-3")
    assert "● Synced" in fields(text, "db-1")


@pytest.mark.parametrize("size", SIZES)
async def test_no_primary_component(size: tuple[int, int]) -> None:
    alone = [node(number, 1, primary=False, ready=False) for number in (1, 2, 3)]
    text = await shown(database(*alone), size)
    assert "non-Primary" in text or size[0] < 120
    assert "0 of 3 in it" in text
    assert "✖" in text


@pytest.mark.parametrize("size", SIZES)
async def test_flow_control_names_the_node_that_asks_for_it(size: tuple[int, int]) -> None:
    paused = [node(n, flow_control_ratio=0.4, flow_control_sent_per_s=3.0 if n == 2 else 0.0) for n in (1, 2, 3)]
    text = await shown(database(*paused), size)
    assert "by db-2" in text
    assert "40 %" in text


@pytest.mark.parametrize("size", SIZES)
async def test_flow_control_that_is_all_but_whole_is_not_cut(size: tuple[int, int]) -> None:
    text = await shown(database(*(node(n, flow_control_ratio=0.9996) for n in (1, 2, 3))), size)
    assert text.count("✖ >99.9 %") == 3
    assert "asked by nobody" in text, "which node asks for it is not measured"


@pytest.mark.parametrize("size", SIZES)
async def test_a_node_that_is_in_the_cluster_and_refuses_queries(size: tuple[int, int]) -> None:
    text = await shown(database(node(1), node(2, ready=False), node(3)), size)
    assert "✖ not ready" in fields(text, "db-2")
    assert "Synced" not in fields(text, "db-2")
    assert text.count("● Synced") == 2


@pytest.mark.parametrize("size", SIZES)
async def test_one_node_that_is_alone_is_told_from_those_in_the_majority(size: tuple[int, int]) -> None:
    text = await shown(database(node(1, 2), node(2, 2), node(3, 1, primary=False, ready=False)), size)
    assert "split" in text
    assert "2 of 3 in it" in text
    assert "✖ non-Primary" in fields(text, "db-3")
    assert "● Synced Primary 2" in fields(text, "db-1")


@pytest.mark.parametrize("size", SIZES)
async def test_connections_that_run_out_are_told_with_their_node(size: tuple[int, int]) -> None:
    text = await shown(database(node(1), node(2, connections=399), node(3)), size)
    assert "399 of 400, db-2" in text
    assert ("✖ 399" in fields(text, "db-2")) is (size[0] >= 120)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("state", "word"), [(0, "Initialized"), (1, "Joining"), (2, "Donor/Desynced"), (3, "Joined"), (9, "unknown")]
)
async def test_a_node_on_its_way_says_where_it_is(size: tuple[int, int], state: int, word: str) -> None:
    text = await shown(database(node(1), node(2, local_state=state), node(3)), size)
    assert f"▲ {word} " in fields(text, "db-2")


@pytest.mark.parametrize("size", SIZES)
async def test_a_name_that_is_long_or_means_harm_cuts_nothing_that_matters(size: tuple[int, int]) -> None:
    for name in ("db-" + "on-and-on-" * 9, f"db-{HOSTILE}"):
        farm = database(node(1, flow_control_ratio=0.4, flow_control_sent_per_s=2.0), node(2), node(3, up=False))
        machines = (dataclasses.replace(farm.nodes[0], name=name), *farm.nodes[1:])
        text = await shown(dataclasses.replace(farm, nodes=machines), size)
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        for wanted in ("✖ Synced", "✖ 40 %", "✖ down", "of 3 in it"):
            assert wanted in text


async def test_enter_opens_what_is_under_the_cursor_and_only_faults_leaves_the_rest_out() -> None:
    app = HostApp(DatabaseScreen, database(node(1), node(2), node(3, local_state=2)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        assert [(subject.kind, subject.key) for subject in app.opened] == [("galera", "10.0.0.2:9100")]
        app.only_faults()
        await pilot.pause()
        text = " ".join(text_of(app))
        assert "Donor/Desynced" in text
        assert "Synced   " not in text.replace("Donor/Desynced", "")


async def test_a_donor_is_no_outage_and_says_what_it_is() -> None:
    text = await shown(database(node(1), node(2, local_state=2, ready=True), node(3)))
    assert "Donor/Desynced" in text
    assert "▲" in text
    assert "✖" not in text


async def test_figures_that_are_old_say_so_and_a_row_that_is_new_does_not() -> None:
    farm = database(node(1, seen_at=ago(10)), node(2), node(3))
    assert (await shown(farm, (200, 60))).count("stale 10 min") == 1
    assert (await shown(farm)).count("░") == 1, "hatched where there is no room for words"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("freshness", "word"), [(Freshness.STALE, "▒ stale"), (Freshness.FORBIDDEN, "⊘ not allowed")])
async def test_a_silent_source_leaves_what_was_known(size: tuple[int, int], freshness: Freshness, word: str) -> None:
    text = await shown(database(freshness=freshness), size)
    assert "Synced" in text
    assert word in text
    assert "live" not in text


async def test_nothing_there_is_not_nothing_known() -> None:
    none = dataclasses.replace(make_farm(sources=[make_source("prometheus")]), galera=None)
    assert "no database is seen" in await shown(none)
    never = make_farm(sources=[make_source("prometheus", Freshness.NEVER, answered=None)])
    assert "no answer yet" in await shown(never)


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.OK),
        ({"up": None}, Severity.UNKNOWN),
        ({"up": False}, Severity.CRITICAL),
        ({"primary": False}, Severity.CRITICAL),
        ({"ready": False}, Severity.CRITICAL),
        ({"local_state": 2}, Severity.WARNING),
        ({"local_state": None}, Severity.OK),
        ({"flow_control_ratio": 0.9}, Severity.OK),
        ({"connections": 399}, Severity.CRITICAL),
        ({"connections": 399, "max_connections": None}, Severity.OK),
    ],
)
def test_how_bad_a_node_looks(changes: dict[str, Any], severity: Severity) -> None:
    """All are paused alike: the one that does not ask for it is not to blame."""
    assert node_severity(node(1, **changes)) is severity


@pytest.mark.parametrize(
    ("sizes", "words", "severity"),
    [((3, 3, 3), "3", Severity.OK), ((2, 2), "2", Severity.WARNING), ((2, 2, 1), "1–2", Severity.CRITICAL)],
)
def test_the_size_as_the_nodes_count_it(sizes: tuple[int, ...], words: str, severity: Severity) -> None:
    galera = Galera(tuple(node(number, size) for number, size in enumerate(sizes, 1)))
    assert size_words(galera, 3) == words
    assert size_severity(galera, 3) is severity


def test_a_node_that_is_opened_tells_the_rest() -> None:
    farm = database(node(1), node(2), node(3, local_state=2))
    found = describe(farm, Subject("galera", "10.0.0.3:9100", "db-3"))
    assert found is not None
    assert "Donor/Desynced" in render(found, 100).plain


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_line_says_whether_writes_are_taken(size: tuple[int, int]) -> None:
    assert "● takes writes on all nodes" in await shown(database(), size)
    two = await shown(database(node(1, 2), node(2, 2), GaleraNode("10.0.0.3:9100", up=False, seen_at=ago(5))), size)
    assert "▲ takes writes on db-1, db-2 one may be stopped in good order" in two
    lost = [node(n, 1, primary=False, ready=False, local_state=0) for n in (1, 2, 3)]
    assert "✖ takes no writes: no node is in a primary component" in await shown(database(*lost), size)


def test_a_node_opened_tells_all_that_is_measured_of_it() -> None:
    ahead = node(2, last_committed=120.0)
    joins = node(
        1, local_state=1, last_committed=100.0, recv_queue=30, received_per_s=10.0, bf_aborts_per_s=0.5,
        write_set_bytes=2048.0, buffer_hit_ratio=0.995, aborted_per_s=0.25, transfer_ratio=0.4, replica_running=False,
    )  # fmt: skip
    detail = describe(database(joins, ahead), Subject("galera", joins.instance, "x"))
    assert detail is not None
    text = render(detail, 80).plain
    for told in ("100, 20 behind the newest", "3.0 s", "40 %", "2.0 KiB", "99.5 %", "0.25/s", "0.50/s", "has the most"):
        assert told in text, told
    assert "Asynchronous replica" in text


def test_what_a_finding_is_about_is_not_well() -> None:
    gone = node(2, up=False)
    farm = database(node(1, 2), gone, node(3, 2))
    detail = describe(farm, Subject("finding", f"galera/down/{gone.instance}", ""))
    assert detail is not None
    assert [(link.subject.kind, link.severity) for link in detail.links] == [("galera", Severity.CRITICAL)]
    itself = describe(farm, Subject("galera", gone.instance, ""))
    assert itself is not None
    assert itself.severity is Severity.CRITICAL


def test_what_has_no_state_of_its_own_is_as_its_finding_has_it() -> None:
    farm = make_farm(make_book(), rules=[make_rule("Watchdog", "firing", severity="none")])
    detail = describe(farm, Subject("finding", "heartbeat/farm/Watchdog", ""))
    assert detail is not None
    assert [(link.subject.kind, link.severity) for link in detail.links] == [("rule", Severity.WARNING)]
