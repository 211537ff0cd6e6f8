"""The log screen over the simulated farm: opened from rows, followed, filtered, paused, saved, and failing in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from farmtui.app import FarmApp
from farmtui.config import Config
from farmtui.demo.world.inventory import CACHE
from farmtui.farm.state import Severity
from farmtui.tail.standing import State
from farmtui.tail.target import MachineLog, ServiceLog
from screens.log_targets import KINDS, Down, down_of, log_of, subject_of, target_of, units_of
from screens.logs import LogScreen
from screens.places import Place, Subject
from tests.demo.stage import Stage, stage
from tests.screens.farms import make_farm, make_node
from tests.screens.host import text_of
from tests.screens.whole import whole_farm
from widgets.dialog import ChoiceDialog
from widgets.log_lines import LogLines


@asynccontextmanager
async def console(
    farm: Stage, folder: Path, size: tuple[int, int] = (120, 40), read_only: str = "", **logs: object
) -> AsyncIterator[tuple[FarmApp, Pilot[int]]]:
    config = farm.config(folder)
    config = config.model_copy(update={"logs": config.logs.model_copy(update=logs)})

    async def start() -> Config:
        return config

    app = FarmApp(start, config=config, read_only=read_only)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.farm and app.farm.cache and app.farm.ceph and app.farm.swarm_cluster)
        yield app, pilot


async def until(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - the test's own timeout is what ends a wait in vain
        await asyncio.sleep(0.02)
    await pilot.pause()


def log(app: FarmApp) -> LogScreen:
    assert isinstance(app.screen, LogScreen)
    return app.screen


def shown(app: FarmApp) -> str:
    return " ".join(" ".join(text_of(app)).split())


def said(app: FarmApp) -> str:
    return " ".join(notice.message for notice in app._notifications)


def lines(app: FarmApp) -> LogLines:
    return app.screen.query_one(LogLines)


def standing(app: FarmApp) -> State | None:
    screen = app.screen
    return screen.tail.standing.state if isinstance(screen, LogScreen) and screen.tail is not None else None


async def opened(app: FarmApp, pilot: Pilot[int], target: MachineLog | ServiceLog, state: State) -> None:
    app.go(Place("topology"))
    await pilot.pause()
    app.open(subject_of(target))
    await until(pilot, lambda: standing(app) is state)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
async def test_l_on_an_osd_shows_its_own_unit_and_what_is_wrong_with_it(tmp_path: Path, size: tuple[int, int]) -> None:
    async with stage("osd-down") as farm, console(farm, tmp_path, size) as (app, pilot):
        app.go(Place("storage"))
        await pilot.pause()
        await pilot.press("l")
        await until(pilot, lambda: standing(app) is State.FOLLOWS)
        assert "ceph-osd@0 on stor-1" in shown(app)
        await until(pilot, lambda: "following" in shown(app))
        await until(pilot, lambda: "✖ osd.0 815 heartbeat_check" in shown(app))
        await pilot.press("escape")
        assert app.screen.NAME == "storage"  # type: ignore[attr-defined]


async def test_filter_pause_and_back_to_the_end(tmp_path: Path) -> None:
    async with stage() as farm, console(farm, tmp_path) as (app, pilot):
        host = farm.running.farm.tiers[CACHE][0].name
        await opened(app, pilot, MachineLog(host), State.FOLLOWS)
        await until(pilot, lambda: lines(app).lines)
        whole = len(lines(app).lines)
        await pilot.press("slash", *"sshd", "enter")
        await until(pilot, lambda: " match" in shown(app))
        assert all("sshd" in str(line) for line in lines(app).lines)
        assert f"{len(lines(app).lines)} of {whole} match" in shown(app)
        await pilot.press("slash", "home", "exclamation_mark", "enter")
        assert not any("sshd" in str(line) for line in lines(app).lines)
        assert 0 < len(lines(app).lines) < whole
        await pilot.press("escape")
        assert len(lines(app).lines) == whole
        assert log(app).set_filter("-l unit=ssh.service") == ""
        assert lines(app).lines
        assert all("sshd" in str(line) for line in lines(app).lines)
        await pilot.press("escape")
        await pilot.press("up")
        assert "paused" in shown(app)
        farm.clock.at += 600
        await until(pilot, lambda: "new below" in shown(app))
        await pilot.press("f")
        await until(pilot, lambda: "following" in shown(app))
        await pilot.press("f")
        await until(pilot, lambda: "paused" in shown(app))


async def test_a_filter_that_takes_too_long_is_given_up_and_the_one_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage() as farm, console(farm, tmp_path) as (app, pilot):
        await opened(app, pilot, MachineLog(farm.running.farm.tiers[CACHE][0].name), State.FOLLOWS)
        await until(pilot, lambda: lines(app).lines)
        assert log(app).set_filter("sshd") == ""
        monkeypatch.setattr("screens.logs.PATIENCE_S", -1.0)
        assert "takes too long" in log(app).set_filter("(a+)+$")
        assert log(app).row_filter.text == "sshd"
        assert lines(app).lines
        assert all("sshd" in str(line) for line in lines(app).lines)
        await pilot.press("slash", "end", "x")
        await until(pilot, lambda: "takes too long" in shown(app))


async def test_window_unit_and_level_are_a_key_away(tmp_path: Path) -> None:
    async with stage("osd-down") as farm, console(farm, tmp_path) as (app, pilot):
        await opened(app, pilot, MachineLog("stor-1", "ceph-osd@0"), State.FOLLOWS)
        assert "last 1 h" in shown(app)
        await pilot.press("t")
        await until(pilot, lambda: "last 6 h" in shown(app) and standing(app) is State.FOLLOWS)
        await pilot.press("T", "T")
        await until(pilot, lambda: "last 15 min" in shown(app) and standing(app) is State.FOLLOWS)
        await pilot.press("p", "p")
        await until(pilot, lambda: "err and worse" in shown(app) and standing(app) is State.FOLLOWS)
        await until(pilot, lambda: lines(app).lines)
        assert all("heartbeat_check" in str(line) for line in lines(app).lines)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        assert "ceph-mon@stor-1" in shown(app)
        await pilot.press("end", "enter")
        await until(pilot, lambda: "ssh on stor-1" in shown(app) and standing(app) is State.FOLLOWS)
        await until(pilot, lambda: "nothing so bad was logged by ssh on stor-1 in the last 15 min" in shown(app))
        await pilot.press("colon", *"unit", "space", *"nope", "enter")
        await until(pilot, lambda: standing(app) is State.FAILED)
        await until(pilot, lambda: "stor-1 has no unit nope" in shown(app))
        assert "r tries again" in shown(app)


async def test_a_line_is_copied_whole_and_what_is_shown_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with stage() as farm, console(farm, tmp_path) as (app, pilot):
        host = farm.running.farm.tiers[CACHE][0].name
        await opened(app, pilot, MachineLog(host), State.FOLLOWS)
        await until(pilot, lambda: len(lines(app).lines) > 5)
        await pilot.press("home", "down", "c")
        tail = log(app).tail
        assert tail is not None
        assert app.clipboard == tail.ring.lines[1].plain
        await pilot.press("slash", *"sshd", "enter", "e")
        await until(pilot, lambda: list((tmp_path / "state").rglob("*.log")))
        [saved] = (tmp_path / "state").rglob("*.log")
        await until(pilot, lambda: saved.read_text())
        assert len(saved.read_text().splitlines()) == len(lines(app).lines)
        assert "sshd" in saved.read_text()


async def test_a_service_and_a_machine_that_is_not_there(tmp_path: Path) -> None:
    async with stage() as farm, console(farm, tmp_path) as (app, pilot):
        await opened(app, pilot, ServiceLog("edge_traefik", "edge_traefik"), State.FOLLOWS)
        await until(pilot, lambda: "edge_traefik@mgr-" in shown(app))
        await pilot.press("p", "u")
        assert not isinstance(app.screen, ChoiceDialog), "a service has neither"
        await opened(app, pilot, MachineLog("127.0.0.1"), State.LOST)
        await until(pilot, lambda: "not connected" in shown(app))
        assert "it is tried again after" in shown(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
async def test_a_machine_that_is_off_is_said_to_be_so_and_tried_on_demand(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with stage("cache-node-down") as farm, console(farm, tmp_path, size) as (app, pilot):
        await until(pilot, lambda: any(node.power == "off" for node in app.farm.nodes) if app.farm else False)
        app.go(Place("topology"))
        await pilot.pause()
        app.open(subject_of(MachineLog("cache-2", "varnish")))
        await until(pilot, lambda: isinstance(app.screen, LogScreen) and "not tried" in shown(app))
        assert "cache-2 is switched off (DigitalOcean says off)" in shown(app)
        assert "r tries" in shown(app)
        assert (log(app).tail, log(app).reader) == (None, None), "nobody is asked"
        await pilot.press("t")
        await pilot.pause()
        assert log(app).tail is None
        await pilot.press("r")
        await until(pilot, lambda: standing(app) is State.LOST)
        await until(pilot, lambda: "not connected" in shown(app))
        # What is known of it stays beside what was found.
        assert "cache-2 is switched off (DigitalOcean says off)" in shown(app)
        assert "not tried" not in shown(app)


async def test_a_machine_that_comes_back_is_read_by_itself(tmp_path: Path) -> None:
    async with stage("cache-node-down") as farm, console(farm, tmp_path) as (app, pilot):
        await until(pilot, lambda: any(node.power == "off" for node in app.farm.nodes) if app.farm else False)
        app.open(subject_of(MachineLog("cache-2")))
        await until(pilot, lambda: isinstance(app.screen, LogScreen) and log(app).waits)
        assert app.farm is not None
        back = tuple(replace(n, serving=True, power="active", reasons=()) for n in app.farm.nodes)
        app.publish(replace(app.farm, nodes=back))
        await until(pilot, lambda: standing(app) is not None)


def test_who_says_that_a_machine_is_down() -> None:
    gone = replace(make_node("db-1", state=Severity.CRITICAL, why="it runs, but its exporter does not answer"),
                   serving=False)  # fmt: skip
    held = replace(gone, name="db-2", reasons=("PVE says that this host is offline",))
    doubt = replace(gone, name="db-3", state=Severity.UNKNOWN)
    farm = make_farm(nodes=[gone, held, doubt, make_node("db-4")])
    found = {node.name: down_of(farm, MachineLog(node.name)) for node in farm.nodes}
    assert found["db-1"] == Down(
        "db-1 does not answer: it runs, but its exporter does not answer (Prometheus)", off=False
    )
    assert found["db-2"] == Down("db-2 does not answer: PVE says that this host is offline", off=False)
    assert (found["db-3"], found["db-4"], down_of(farm, MachineLog("nobody"))) == (None, None, None)
    assert down_of(farm, ServiceLog("db-1", "db-1")) is None


async def test_logs_by_name_at_the_prompt(tmp_path: Path) -> None:
    async with stage() as farm, console(farm, tmp_path) as (app, pilot):
        host = farm.running.farm.tiers[CACHE][0].name
        await pilot.press("colon", *"logs", "space", *("minus" if c == "-" else c for c in host), "enter")
        await until(pilot, lambda: standing(app) is State.FOLLOWS)
        assert f"journal on {host}" in shown(app)


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_console_that_may_change_nothing_reads_logs_unless_it_is_kept_from_it(
    tmp_path: Path, allowed: bool
) -> None:
    async with stage() as farm, console(farm, tmp_path, read_only="a test", when_read_only=allowed) as (app, pilot):
        app.go(Place("topology"))
        await pilot.pause()
        app.screen.query_one("LiveTable").focus()
        await pilot.press("down", "l")
        if allowed:
            await until(pilot, lambda: isinstance(app.screen, LogScreen))
            await until(pilot, lambda: lines(app).lines)
            await pilot.press("e")
            await until(pilot, lambda: "no file is written" in said(app))
        else:
            await until(pilot, lambda: "keeps logs from a console" in said(app))
            assert not isinstance(app.screen, LogScreen)


async def test_what_was_followed_ends_with_its_screen(tmp_path: Path) -> None:
    async with stage() as farm, console(farm, tmp_path) as (app, pilot):
        host = farm.running.farm.tiers[CACHE][0].name
        await opened(app, pilot, MachineLog(host), State.FOLLOWS)
        screen = log(app)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.is_attached)
        assert screen.reader is None


# -- whose log it is ------------------------------------------------------------------------------


def test_each_thing_has_its_own_unit() -> None:
    farm = whole_farm()

    def of(kind: str, key: str) -> object:
        return log_of(farm, (), Subject(kind, key, key))

    assert of("node", "cache-1") == MachineLog("cache-1")
    assert farm.ceph is not None
    osd = farm.ceph.osds[3]
    assert of("osd", osd.id) == MachineLog(osd.host, "ceph-osd@3")
    assert farm.cache is not None
    assert isinstance(varnish := of("varnish", farm.cache.nodes[0].instance), MachineLog)
    assert varnish.unit == "varnish"
    assert farm.galera is not None
    assert isinstance(database := of("galera", farm.galera.nodes[0].instance), MachineLog)
    assert database.unit == "mariadb"
    for kind in KINDS:
        assert of(kind, "nothing/of this name") is None or kind in ("node", "pve-host", "gluster-peer")


def test_a_log_is_found_again_by_its_subject() -> None:
    for target in (
        MachineLog("a"), MachineLog("a", "ceph-osd@3"), ServiceLog("id", "web"), ServiceLog("id", "web.3", "task"),
    ):  # fmt: skip
        assert target_of(subject_of(target)) == target


def test_the_units_to_choose_from_are_those_of_the_tier() -> None:
    farm = whole_farm()
    assert units_of(farm, "cache-1")[:2] == ("varnish", "varnishncsa")
    assert units_of(farm, "db-1")[0] == "mariadb"
    assert {"ceph-osd@0", "kernel"} <= set(units_of(farm, "stor-1"))
    assert units_of(None, "x") == ("kernel", "ssh")
