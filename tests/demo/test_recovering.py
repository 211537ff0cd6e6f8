"""A link that is mended is told to recover at once, by PromQL's own windows, and a bad one never by chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.demo.world.changes import Change, Interconnect
from farmtui.farm.state import Severity
from farmtui.insight.findings import findings
from farmtui.insight.networks import recovers
from farmtui.polling import Feed
from tests.demo.stage import patient, stage
from tests.screenshot import Standing


@pytest.mark.parametrize(
    ("first", "then", "recovering"),
    [
        (Interconnect(cut=True), Interconnect(), True),
        # Half of what is sent gets lost: in a minute all may get through by chance.
        (Interconnect(loss=0.5), Interconnect(loss=0.5), False),
    ],
    ids=["cut and mended", "lossy"],
)
async def test_what_a_link_does_after_it_was_cut(tmp_path: Path, first: Change, then: Change, recovering: bool) -> None:
    async with stage() as farm:
        keeper = farm.running.keeper
        feed = Feed(patient(farm.config(tmp_path)), clock=Standing(farm.clock))
        farm.clock.at += 600
        await keeper.ask(lambda observed: observed.happen(first))
        farm.clock.at += 150
        await keeper.ask(lambda observed: observed.happen(then))
        farm.clock.at += 75
        seen = await feed.one_cycle(60.0)
        await feed.close()
    alive = [hop for network in seen.networks for hop in network.measured if hop.up and (hop.loss_ratio or 0) > 0.2]
    assert alive
    assert any(recovers(hop) for hop in alive) is recovering
    told = {finding.key: finding for finding in findings(seen)}["network/loss/interconnect"]
    assert ("recovers" in told.title) is recovering
    assert recovering or told.severity is Severity.CRITICAL
