"""The library's book for Gluster, run to its end on the simulated farm."""

from __future__ import annotations

from pathlib import Path

from farmtui.demo.world.service_changes import Unhealed
from tests.demo.remedies import Remedies, remedies

HEAL = {"node": "stor-1", "volume": "shared", "pause": "1"}


async def pending(farm: Remedies) -> tuple[int, int]:
    """Entries that wait and that are in split-brain, over all bricks, as the console sees them."""
    [pool] = (await farm.farm()).gluster
    [volume] = pool.volumes
    assert [brick.online for brick in volume.bricks] == [True] * 3
    return sum(b.heal_pending or 0 for b in volume.bricks), sum(b.split_brain or 0 for b in volume.bricks)


async def test_a_volume_is_healed_and_the_run_waits_for_it(tmp_path: Path) -> None:
    async with remedies(tmp_path, gluster=True) as farm:
        await farm.happen(Unhealed(900.0))
        assert await pending(farm) == (2_700, 0)
        said = await farm.run("gluster-heal", **HEAL)
        assert "Launching heal operation" in said
        assert await pending(farm) == (0, 0)


async def test_a_file_in_split_brain_is_settled_by_a_person_first(tmp_path: Path) -> None:
    async with remedies(tmp_path, gluster=True) as farm:
        await farm.happen(Unhealed(30.0, split=1))
        run = await farm.begun("gluster-heal", **HEAL)
        question = farm.state(run).question
        assert question is not None
        assert "settle each, and answer repeat" in question.text
        await farm.told("stor-2", "sudo -n gluster volume heal shared split-brain latest-mtime /wp/a.jpg")
        await farm.answer(run, "repeat")
        farm.ended(run)
        assert await pending(farm) == (0, 0)
