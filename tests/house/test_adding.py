"""The worked examples of docs/adding.md: each is put where it says, and does what it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import parse_config
from farmtui.config.sections import HttpSource
from farmtui.demo import faults
from farmtui.farm.reading import FailureKind
from farmtui.runbooks.linting import findings
from farmtui.runbooks.loading import load_book, shelf
from farmtui.sources.prometheus.catalogue import catalogue
from farmtui.sources.prometheus.catalogue import parse as parse_catalogue
from screens import actions
from screens.actions import ActionMenu, Scene, actions_for
from screens.places import Subject
from tests.demo.stage import firing, observed
from tests.house.tree import ROOT
from tests.screens.host import HostApp, text_of
from tests.screens.whole import whole_farm
from themes import load_themes

TEXT = (ROOT / "docs/adding.md").read_text(encoding="utf-8")
EXAMPLES = {
    found[1]: found[2]
    for found in re.finditer(r"^```\w+\n# (?:[\w.-]+: )?example (\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
}


def module(name: str) -> Any:
    """An example in Python, imported."""
    made = ModuleType(f"example_{name}")
    sys.modules[made.__name__] = made
    exec(compile(EXAMPLES[name], f"docs/adding.md: {name}", "exec"), made.__dict__)
    return made


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    actions.all_actions()
    monkeypatch.setattr(actions, "_ACTIONS", dict(actions._ACTIONS))
    yield
    for name in [name for name in sys.modules if name.startswith("example_")]:
        del sys.modules[name]


def test_there_is_an_example_of_each() -> None:
    assert set(EXAMPLES) == {"query", "runbook", "theme", "figure", "action", "screen", "source", "fault"}
    assert {title.split()[-1] for title in re.findall(r"^## (.*)$", TEXT, re.MULTILINE)} == set(EXAMPLES)


def test_the_query_is_asked_in_place_of_ours() -> None:
    config = parse_config(EXAMPLES["query"], Path("farmtui.yaml"))
    assert config.prometheus is not None
    ours, theirs = catalogue(), catalogue().with_overrides(config.prometheus.queries)
    assert "windows_os_physical_memory_free_bytes" in theirs.figures["node.memory_ratio"].promql
    assert theirs.figures["node.memory_ratio"].promql != ours.figures["node.memory_ratio"].promql
    assert "redis.evictions_per_s" in {figure.name for figure in ours.switched_on}
    assert "redis.evictions_per_s" not in {figure.name for figure in theirs.switched_on}


def test_the_runbook_is_on_the_shelf_and_nothing_of_it_is_unwise(tmp_path: Path) -> None:
    path = tmp_path / "reload-varnish.yaml"
    path.write_text(EXAMPLES["runbook"])
    assert [finding.words for finding in findings(load_book(path))] == []
    shelved = shelf([tmp_path])
    assert shelved.books["reload-varnish"].own
    assert shelved.broken == ()


def test_the_theme_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "night.yaml").write_text(EXAMPLES["theme"])
    themes, problems = load_themes(tmp_path)
    assert problems == []
    assert "night" in {theme.name for theme in themes}


def test_the_figure_is_one_of_the_catalogue() -> None:
    assert parse_catalogue(EXAMPLES["figure"]).figures["node.entropy_bits"].unit == "count"


async def test_the_action_is_offered_and_does_what_it_says() -> None:
    module("action")
    farm = whole_farm()
    [node, *_] = [node for node in farm.nodes if node.addresses]
    subject = Subject("node", node.name, node.name)
    from screens.database import DatabaseScreen

    app = HostApp(DatabaseScreen, farm)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, farm, (subject,))
        [mine] = [one for one in actions_for(scene) if one.id == "say-address"]
        assert mine.refusal(scene) == ""
        app.push_screen(ActionMenu(subject))
        await pilot.pause()
        assert "Say address" in "\n".join(text_of(app))
        mine.run(scene)
    assert node.addresses[0] in app.said[-1][0]


async def test_the_screen_shows_the_farm_and_filters() -> None:
    made = module("screen")
    app = HostApp(made.AddressesScreen, whole_farm())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "cache-2" in "\n".join(text_of(app))
        assert app.shown.selected() is not None
        assert app.shown.set_filter("cache-2") == ""
        await pilot.pause()
        assert "cache-1" not in "\n".join(text_of(app))
    assert made.ENTRY.command.names == ("addresses", "addr")


async def test_the_source_reads_and_tells_its_failure_in_words() -> None:
    made = module("source")

    async def lines(_request: web.Request) -> web.Response:
        return web.json_response({"lines": ["freeze \x1b[2J until Monday"]})

    app = web.Application()
    app.router.add_get("/lines", lines)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    source = made.MotdSource(HttpSource(), f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        reading = await source.poll()
        assert reading.failure is None
        assert "until Monday" in reading.value[0]
        assert "\x1b" not in reading.value[0]
        await runner.cleanup()
        reading = await source.poll()
        assert reading.value is None
        assert reading.failure.kind is FailureKind.UNREACHABLE
        assert "motd" in reading.failure.what
    finally:
        await source.close()
        await runner.cleanup()


def test_the_fault_fires_its_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = module("fault").FAULT
    monkeypatch.setattr(faults, "FAULTS", {**faults.FAULTS, fault.name: fault})
    assert set(fault.alerts) <= firing(observed(fault.name))
