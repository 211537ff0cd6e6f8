"""The simulated farm's backups: an S3 store and Proxmox VE's storages, as the console's own sources read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from farmtui.config import Config
from farmtui.config.backups import StoreConfig
from farmtui.demo.faults import FAULTS
from farmtui.farm.backups import StoreListing
from farmtui.farm.farm import Farm
from farmtui.farm.reading import FailureKind, Reading
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.polling import Feed
from farmtui.sources.backups_s3 import BackupsS3Source
from farmtui.status_document import key_figures
from tests.demo.stage import PATIENT_S, Stage, patient, stage
from tests.screenshot import Standing


async def seen(running: Stage, folder: Path) -> Farm:
    """The farm through the console's own sources."""
    feed = Feed(patient(running.config(folder)), clock=Standing(running.clock))
    try:
        return await feed.one_cycle(PATIENT_S)
    finally:
        await feed.close()


def about_backups(farm: Farm) -> Mapping[str, Finding]:
    """The findings of backups."""
    return {found.key: found for found in findings(farm) if found.part == "backups" or "backups" in found.key}


async def polled(config: StoreConfig) -> Reading[StoreListing]:
    """One poll of the store."""
    source = BackupsS3Source(config)
    try:
        return await source.poll()
    finally:
        await source.close()


def the_store(config: Config) -> StoreConfig:
    """The store of the simulated farm's config."""
    assert config.backups is not None
    [store] = config.backups.stores
    return store


async def test_a_well_farm_has_every_backup_and_no_fault(tmp_path: Path) -> None:
    async with stage() as running:
        farm = await seen(running, tmp_path)
    book = farm.backups
    assert book is not None
    assert about_backups(farm) == {}, [source.warnings for source in farm.sources]
    sites = len(running.running.farm.sites)
    kinds = [row.kind for row in book.rows if not row.excused]
    assert (kinds.count("database"), kinds.count("files")) == (sites, sites)
    assert kinds.count("guest") == sum(bool(machine.host) for machine in running.running.farm.machines)
    assert {row.state(farm.at.timestamp())[1] for row in book.rows} == {"ok", "exempt"}
    assert book.listings[0].objects == sites * 2 * 7
    figures = {figure.name: figure.value for figure in key_figures(farm)}
    assert (figures["backups_overdue"], figures["backups_missing"]) == (0, 0)


@pytest.mark.parametrize(
    ("fault", "key", "words"),
    [
        ("backups-overdue", "backups/overdue/database", "no database backup for"),
        ("backup-shrunk", "backups/doubted", "files backup is shrunk"),
        ("spaces-down", "source/backups spaces", "has an error"),
        ("backup-failed", "backups/overdue/files", "500 sites have no fresh files backup"),
    ],
)
async def test_faults_are_seen(tmp_path: Path, fault: str, key: str, words: str) -> None:
    async with stage(fault) as running:
        farm = await seen(running, tmp_path)
        found = about_backups(farm)
    assert words in found[key].title
    if fault != "backup-failed":
        assert set(found) == {key}
    figures = {figure.name: figure.value for figure in key_figures(farm)}
    overdue = {"backups-overdue": 1, "backup-failed": 1_000}
    assert figures["backups_overdue"] == overdue.get(fault, 0)


def test_they_are_in_the_list_of_faults() -> None:
    assert {"backups-overdue", "backup-shrunk", "spaces-down"} <= set(FAULTS)


async def test_the_store_answers_whoever_has_its_keys_and_nobody_else(tmp_path: Path) -> None:
    async with stage() as running:
        store = the_store(running.config(tmp_path))
        (tmp_path / "wrong").write_text("w" * 40)
        wrong = f"file:{tmp_path / 'wrong'}"
        asked = {
            "secret": await polled(store.model_copy(update={"secret_key": wrong})),
            "access": await polled(store.model_copy(update={"access_key": wrong})),
            "bucket": await polled(store.model_copy(update={"bucket": "nowhere"})),
        }
        whole = await polled(store)
    kinds = {name: reading.failure.kind if reading.failure else None for name, reading in asked.items()}
    assert kinds == {
        "secret": FailureKind.FORBIDDEN, "access": FailureKind.FORBIDDEN, "bucket": FailureKind.CONFIG,
    }  # fmt: skip
    assert whole.value is not None
    assert whole.value.whole
    assert whole.requests == 8, "3,500 objects of each of two kinds, a thousand a page"
