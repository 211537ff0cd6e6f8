"""Backups in a real RADOS gateway: what the console lists is what was stored, and its refusals are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from farmtui.config.backups import StoreConfig
from farmtui.farm.backups import Stored, StoreListing
from farmtui.farm.reading import Failure, FailureKind
from farmtui.sources.backups_s3 import BackupsS3Source
from tests.lab.conftest import Console
from tests.lab.services.backups import BUCKET, SITES, Backups
from tests.lab.services.prometheus import Prometheus


async def listed(backups: Backups, polls: int = 1, **more: Any) -> StoreListing:
    """What the console's own source reads."""
    source = BackupsS3Source(StoreConfig(**backups.store(**more)))
    try:
        for _ in range(polls):
            reading = await source.poll()
            assert reading.failure is None
    finally:
        await source.close()
    assert reading.value is not None
    return reading.value


async def refused(backups: Backups, **more: Any) -> Failure:
    """Why the source can list nothing."""
    source = BackupsS3Source(StoreConfig(**backups.store(**more)))
    try:
        reading = await source.poll()
    finally:
        await source.close()
    assert reading.value is None
    assert reading.failure is not None
    return reading.failure


def by_thing(listing: StoreListing) -> dict[tuple[str, str], Stored]:
    """Each thing's backups."""
    return {(stored.kind, stored.of): stored for stored in listing.stored}


async def test_what_was_stored_is_listed_with_the_servers_own_times_and_sizes(backups: Backups) -> None:
    listing = await listed(backups)
    found = by_thing(listing)
    assert set(found) == {(kind, site) for kind in ("database", "files") for site in SITES}
    assert (listing.whole, listing.unread, listing.problems) == (True, 0, ())
    dump = found["database", SITES[0]]
    head = backups.client.head_object(Bucket=BUCKET, Key=f"db/{SITES[0]}/2026-11-23.sql.gz")
    assert (dump.size_bytes, dump.before_bytes) == (2_100, 2_000)
    assert abs(dump.at - head["LastModified"].timestamp()) <= 1
    assert abs(dump.at - datetime.now(UTC).timestamp()) < 3_600
    assert found["files", SITES[0]].size_bytes == 7_000, "the parts of one backup are one"


async def test_a_multipart_upload_that_nobody_has_finished_is_no_backup(backups: Backups) -> None:
    key = "db/unfinished.example/2026-11-23.sql.gz"
    upload = backups.client.create_multipart_upload(Bucket=BUCKET, Key=key)
    ident = upload["UploadId"]
    backups.client.upload_part(Bucket=BUCKET, Key=key, UploadId=ident, PartNumber=1, Body=b"x" * 5_242_880)
    try:
        assert ("database", "unfinished.example") not in by_thing(await listed(backups))
    finally:
        backups.client.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=ident)


@pytest.fixture
def many(backups: Backups) -> Iterator[list[str]]:
    """More objects than one answer holds."""
    keys = [f"db/site-{number:04}.example/1.sql" for number in range(1_100)]
    for key in keys:
        backups.put(key, 10)
    yield keys
    backups.delete(*keys)


async def test_a_listing_goes_on_from_page_to_page_and_from_poll_to_poll(backups: Backups, many: list[str]) -> None:
    whole = await listed(backups)
    assert len(whole.stored) == len(many) + 4
    first = await listed(backups, pages=1)
    assert not first.whole
    assert "cut after" in first.problems[0]
    # db in two pages, files in one: with one page a poll the third poll has come to the end.
    third = await listed(backups, polls=3, pages=1)
    assert third.whole
    assert sorted(third.stored, key=lambda s: (s.kind, s.of)) == sorted(whole.stored, key=lambda s: (s.kind, s.of))


async def test_names_that_nobody_should_give_are_read_all_the_same(backups: Backups) -> None:
    keys = ["db/a\x1b[31m.example/1", "db/b[bold]&<>.example/1", "db/c d+%2F.example/1", "db/ü.example/1", "db//1"]
    for key in keys:
        backups.put(key, 1)
    try:
        found = {stored.of for stored in (await listed(backups)).stored}
    finally:
        backups.delete(*keys)
    assert {"b[bold]&<>.example", "c d+%2F.example", "ü.example"} <= found
    assert not any("\x1b" in name for name in found)


async def test_refusals_are_told_apart(backups: Backups) -> None:
    wrong = await refused(backups, secret_key=backups.store("stranger")["secret_key"])
    assert wrong.kind is FailureKind.FORBIDDEN
    assert "signature" in wrong.what
    stranger = await refused(backups, user="stranger")
    assert stranger.kind is FailureKind.FORBIDDEN
    assert "may not list" in stranger.what
    nowhere = await refused(backups, user="writer", bucket="nowhere")
    assert (nowhere.kind, "no bucket nowhere" in nowhere.what) == (FailureKind.CONFIG, True)
    for failure in (wrong, stranger, nowhere):
        assert not any(key in failure.what for pair in backups.keys.values() for key in pair)


def test_the_screen_shows_them(console: Console, prometheus: Prometheus, backups: Backups) -> None:
    screen = console(prometheus, backups, screen="backups")
    screen.wait_for("rgw: ")
    screen.wait_for(f"{SITES[0]}")
    screen.wait_for("2.1 KiB")
