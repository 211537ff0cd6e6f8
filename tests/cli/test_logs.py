"""`farmtui logs`: the same reader without a screen, and what it refuses to understand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cli.run import Ended, farmtui
from tests.demo.stage import stage


async def ran(folder: Path, *arguments: str) -> Ended:
    """The command over a simulated farm."""
    async with stage("osd-down") as farm:
        farm.config(folder)
        [config] = await asyncio.to_thread(lambda: list(folder.glob("*.yaml")))
        return await asyncio.to_thread(farmtui, "--config", config, "logs", *arguments, home=folder)


async def test_lines_that_match_go_to_standard_output(tmp_path: Path) -> None:
    ended = await ran(tmp_path, "stor-1", "--unit", "ceph-osd@0", "--since", "1h", "--grep", "heartbeat_check")
    assert ended.code == 0, ended.err
    assert ended.err == ""
    lines = ended.out.splitlines()
    assert lines
    assert all(" ceph-osd[2000]: err osd.0 815 heartbeat_check" in line for line in lines)


async def test_nothing_is_no_failure_and_an_unknown_unit_is_one(tmp_path: Path) -> None:
    nothing = await ran(tmp_path, "stor-1", "--unit", "kernel", "--since", "5m")
    assert (nothing.code, nothing.out) == (0, "")
    assert "nothing was logged by kernel on stor-1 in the last 5 min" in nothing.err
    unknown = await ran(tmp_path, "stor-1", "--unit", "nope")
    assert (unknown.code, unknown.out) == (1, "")
    assert "stor-1 has no unit nope" in unknown.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a", "--since", "yesterday"), "no span of time"),
        (("a", "--since", "0h"), "no span of time"),
        (("a", "--priority", "bad"), "none of emerg"),
        (("a", "--service", "--unit", "x"), "a service has neither"),
        (("a", "--unit", "-x"), "begins with a letter"),
        (("a", "--grep", "("), "this ( is never closed"),
    ],
)
def test_what_is_not_understood_is_said(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = farmtui("logs", *arguments, home=tmp_path)
    assert ended.code == 2, ended
    assert words in ended.err
