"""Backups joined with the sites and guests that should have them, and the findings that follow."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from farmtui.config import ConfigError, parse_config
from farmtui.config.backups import BackupsConfig
from farmtui.farm.backup_rows import SiteNames, backup_book
from farmtui.farm.backups import BackupBook, BackupTask, PveBackups, Stored, StoreListing
from farmtui.farm.farm import Farm
from farmtui.farm.node import Guest
from farmtui.farm.reading import Failure, FailureKind, SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.polling.backing import rules
from farmtui.sources.s3_layout import Layout

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
HOUR = 3600
SITES: SiteNames = (("shop-example@file", "shop.example"), ("blog@docker", "blog.example"))


def stored(of: str, hours: float = 2.0, kind: str = "database", size: int = 100, before: int | None = 100) -> Stored:
    """A newest backup, so many hours old."""
    at = AT - round(hours * HOUR)
    return Stored(kind, of, at, size, f"db/{of}/x", "bucket", None if before is None else at - 24 * HOUR, before)


def listing(*found: Stored, **changes: Any) -> StoreListing:
    """A bucket of databases."""
    made = StoreListing("spaces", "bucket", ("database",), found, whole=True, objects=len(found))
    return dataclasses.replace(made, **changes)


def guest(vmid: int, name: str, **more: Any) -> Guest:
    """A guest of the cluster."""
    return Guest("main", vmid, name, "qemu", "pve-1", "running", **more)


def pve(*found: Stored, **changes: Any) -> PveBackups:
    """A cluster's backups."""
    return dataclasses.replace(PveBackups("main", found, whole=True, uncovered=(), storages=("pbs",)), **changes)


def book(
    *listings: StoreListing, clusters: tuple[PveBackups, ...] = (), sites: SiteNames = SITES,
    guests: tuple[Guest, ...] = (), **config: Any,
) -> BackupBook:  # fmt: skip
    """The book of these, under a config."""
    return backup_book(listings, clusters, sites, {"main": guests}, rules(BackupsConfig(**config)))


def states(made: BackupBook, hours: float = 0.0) -> dict[str, str]:
    """Each row's state in so many hours, by thing and kind."""
    told = {f"{row.thing} {row.kind}": row.state(AT + hours * HOUR) for row in made.rows}
    return {name: f"{severity.word} {word}" for name, (severity, word) in told.items()}


def source(name: str = "backups spaces", freshness: Freshness = Freshness.LIVE, failed: bool = False) -> SourceState:
    """A source that tells of backups."""
    failure = Failure(FailureKind.SERVER, f"{name}: HTTP 503", "look") if failed else None
    return SourceState(name, "backups", "s3.example", 600.0, freshness, last_success_at=NOW, failure=failure)


def told(made: BackupBook, *sources: SourceState) -> dict[str, Finding]:
    """The findings of backups, by their key."""
    farm = Farm("farm", NOW, sources=sources or (source(), source("pve backups main")), backups=made)
    return {finding.key: finding for finding in findings(farm) if finding.key.startswith("backups/")}


# -- the join


def test_a_backup_is_a_sites_by_any_of_its_names() -> None:
    made = book(listing(stored("shop.example"), stored("BLOG_example"), stored("gone.example", 900)))
    assert states(made) == {
        "shop.example database": "ok ok", "blog.example database": "ok ok",
        "gone.example database": "info no such site",
    }  # fmt: skip
    assert [row.subject for row in made.rows] == [("site", "shop-example@file"), ("site", "blog@docker"), ("", "")]
    assert made.of("site", "blog@docker") == (made.rows[1],)


def test_a_name_that_two_sites_have_is_neithers() -> None:
    made = book(listing(stored("x.example")), sites=(("a@file", "x.example"), ("b@file", "x.example"), *SITES))
    assert made.rows[0].subject == ("", "")


def test_what_has_none_is_missed_where_the_whole_bucket_is_known() -> None:
    assert states(book(listing(stored("shop.example"))))["blog.example database"] == "warn never"
    cut = book(listing(stored("shop.example"), whole=False))
    assert "blog.example database" not in states(cut), "it may stand further on"


def test_a_layout_that_fits_no_site_misses_nothing_and_is_told() -> None:
    made = book(listing(stored("site_1"), stored("site_2")))
    assert made.never == ()
    assert set(told(made)) == {"backups/unmatched/spaces"}


def test_an_empty_bucket_is_missed() -> None:
    assert len(book(listing()).never) == 2


def test_without_a_list_of_sites_each_backup_is_judged_for_itself() -> None:
    made = book(listing(stored("a", 2), stored("b", 40)), sites=())
    assert states(made) == {"a database": "ok ok", "b database": "warn overdue"}


@pytest.mark.parametrize(
    ("hours", "state"),
    [(25.9, "ok ok"), (26.0, "warn overdue"), (49.9, "warn overdue"), (50.0, "CRIT overdue"), (-1.0, "ok ok")],
)
def test_ages(hours: float, state: str) -> None:
    made = book(listing(stored("shop.example", hours), stored("blog.example")))
    assert states(made)["shop.example database"] == state
    assert [row.thing for row in made.overdue(AT)] == (["shop.example"] if "overdue" in state else [])


def test_overdue_comes_with_time_alone() -> None:
    made = book(listing(stored("shop.example", 1), stored("blog.example", 3)))
    assert made.overdue(AT) == []
    assert [row.thing for row in made.overdue(AT + 24 * HOUR)] == ["blog.example"]
    assert len(made.overdue(AT + 25 * HOUR)) == 2


@pytest.mark.parametrize(
    ("size", "before", "state"),
    [(49, 100, "warn shrunk"), (50, 100, "ok ok"), (0, 100, "warn empty"), (0, None, "warn empty"), (5, 0, "ok ok")],
)
def test_doubtful_sizes(size: int, before: int | None, state: str) -> None:
    made = book(listing(stored("shop.example", size=size, before=before)))
    assert states(made)["shop.example database"] == state


def test_smallest_and_shrunk_are_the_configs() -> None:
    made = book(listing(stored("shop.example", size=40)), smallest_bytes=50, shrunk_below=0)
    assert states(made)["shop.example database"] == "warn too small"


def test_exempt_things_are_shown_and_not_missed() -> None:
    made = book(listing(stored("shop.example", 90)), exempt=["shop.*", "blog.*"])
    assert set(states(made).values()) == {"info exempt"}
    assert told(made) == {}


def test_guests_by_their_ids() -> None:
    guests = (guest(1, "db-1"), guest(2, "web-1"), guest(3, "lab"), guest(4, "golden", template=True))
    made = book(
        clusters=(pve(stored("main/1", 7 * 24, "guest"), stored("main/9", 7, "guest"), uncovered=(3, 4)),),
        guests=guests,
    )
    assert states(made) == {
        "db-1 guest": "ok ok", "main/9 guest": "info no such guest", "web-1 guest": "warn never",
        "lab guest": "info no job",
    }  # fmt: skip
    assert made.uncovered == (("main/3", "lab"),)
    assert states(made, 48)["db-1 guest"] == "warn overdue"


# -- findings


def test_one_that_is_overdue_is_named_with_its_book() -> None:
    made = book(listing(stored("shop.example", 80), stored("blog.example")))
    found = told(made)["backups/overdue/database"]
    assert (found.severity, found.title) == (Severity.CRITICAL, "shop.example: no database backup for 3 d")
    assert (found.subject, found.screen, found.runbook) == (("site", "shop-example@file"), "backups", "backup-run")
    assert found.since is not None
    assert (NOW - found.since).total_seconds() == 54 * HOUR


def test_many_that_are_overdue_are_one_finding_with_a_count() -> None:
    sites = tuple((f"s{n}@file", f"s{n}.example") for n in range(300))
    made = book(listing(*(stored(name, 30 + n / 100) for n, (_, name) in enumerate(sites))), sites=sites)
    assert set(told(made)) == {"backups/overdue/database"}
    found = told(made)["backups/overdue/database"]
    assert (found.title, found.severity) == ("300 sites have no fresh database backup", Severity.WARNING)
    assert "s299.example (1 d), s298.example" in found.evidence[0]
    assert "297 more" in found.evidence[0]


def test_each_sort_of_fault_is_one_finding() -> None:
    made = book(
        listing(stored("shop.example", size=10)),
        clusters=(pve(stored("main/1", 400, "guest"), uncovered=(2,),
                      tasks=(BackupTask("pve-1", None, AT - HOUR, "job errors"),)),),
        guests=(guest(1, "db-1"), guest(2, "lab")),
    )  # fmt: skip
    found = told(made)
    assert {key: finding.severity for key, finding in found.items()} == {
        "backups/never/database": Severity.WARNING, "backups/doubted": Severity.WARNING,
        "backups/overdue/guest": Severity.CRITICAL, "backups/uncovered/main": Severity.WARNING,
    }  # fmt: skip
    assert found["backups/doubted"].title == "shop.example: database backup is shrunk"
    assert any("job errors" in words for words in found["backups/overdue/guest"].evidence)
    assert found["backups/uncovered/main"].subject == ("guest", "main/2")


@pytest.mark.parametrize("freshness", [Freshness.STALE, Freshness.FORBIDDEN, Freshness.NEVER])
def test_what_a_store_that_is_silent_holds_is_unknown_not_overdue(freshness: Freshness) -> None:
    made = book(listing(stored("shop.example", 80)))
    silent = source(freshness=freshness, failed=True)
    assert told(made, silent) == {}
    assert made.rows[0].state(AT, trusted=False) == (Severity.UNKNOWN, "unknown")
    farm = Farm("farm", NOW, sources=(silent,), backups=made)
    assert any(finding.key == "source/backups spaces" for finding in findings(farm)), "that it is silent is told"


def test_a_farm_without_backups_has_none_of_it() -> None:
    assert findings(Farm("farm", NOW)) == ()


# -- the config


def parsed(text: str) -> Any:
    """The section `backups` of a config."""
    return parse_config(f"backups:\n{text}", Path("farmtui.yaml")).backups


def test_a_store_needs_little() -> None:
    made = parsed(
        "  stores:\n  - {name: s, endpoint: 'https://ams3.example', bucket: farm-backups, access_key: 'env:A',"
        " secret_key: 'env:B'}\n  ages: {database: {overdue_h: 8, critical_h: 12}}\n"
    )
    assert [pattern.kind for pattern in made.stores[0].layout] == ["database", "files", "files"]
    assert (made.age("database").overdue_h, made.age("files").overdue_h, made.age("guest").overdue_h) == (8, 26, 192)
    assert made.age("uploads").overdue_h == 26


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("{key: 'db/{time}', kind: database}", "must hold {site}"),
        ("{key: 'db/{site}/{name}', kind: database}", "{name} is no placeholder"),
        ("{key: '{site}/{site}', kind: database}", "twice"),
        ("{key: '/db/{site}', kind: database}", "as the bucket lists it"),
        ("{key: 'db/{site}/{kind}', kind: database}", "one of them"),
        ("{key: 'db/{site}'}", "one of them"),
        ("{key: 'db/{site}/}', kind: database}", "as the bucket lists it"),
    ],
)
def test_layouts_that_say_nothing_are_refused(layout: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(
            "  stores:\n  - {name: s, endpoint: 'https://x.example', bucket: bbb, access_key: 'env:A',"
            f" secret_key: 'env:B', layout: [{layout}]}}\n"
        )
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  ages: {database: {overdue_h: 9, critical_h: 8}}", "critical_h is less"),
        ("  ages: {database: {overdue_h: 0, critical_h: 8}}", "greater than 0"),
        ("  stores: [{name: s, endpoint: x, bucket: bbb, access_key: 'env:A', secret_key: 'env:B'}]", "https://"),
        ("  stores: [{name: s, endpoint: 'https://x', bucket: bbb, access_key: AKIA, secret_key: 'env:B'}]",
         "by reference"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_config_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(f"{text}\n")
    assert words in str(caught.value)


def test_only_what_the_layout_names_is_listed() -> None:
    made = parsed(
        "  stores:\n  - name: s\n    endpoint: https://x.example\n    bucket: bbb\n    access_key: env:A\n"
        "    secret_key: env:B\n    layout:\n    - {key: 'a/b/{site}/**', kind: files}\n"
        "    - {key: 'a/{site}.sql', kind: database}\n    - {key: 'c/*/{site}/{time}.tar', kind: files}\n"
    )
    layout = Layout(made.stores[0].layout)
    assert layout.prefixes == ("a/", "c/")
    read = layout.read("c/x/shop/2026.tar")
    assert read is not None
    assert (read.kind, read.site, read.backup) == ("files", "shop", "c/x/shop/2026")
    assert layout.read("c/shop/2026.tar") is None
