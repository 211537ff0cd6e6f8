"""The library's books for Ceph, run to their end on the simulated farm: it is whole afterwards."""

from __future__ import annotations

from pathlib import Path

from tests.demo.remedies import remedies


async def test_an_osd_is_taken_out_until_its_data_is_elsewhere_and_brought_back(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        said = await farm.run("ceph-osd-out", osd="osd.3")
        assert "OSD(s) 3 are safe to destroy" in said
        assert not farm.world.ceph.osds[3].is_in
        await farm.run("ceph-osd-return", osd="osd.3")
        assert farm.world.ceph.osds[3].is_in
