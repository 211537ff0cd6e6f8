"""Which books `x` offers on a thing, and what is known of their inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.identity import DIGITALOCEAN, PROXMOX
from farmtui.farm.node import CloudAccount, Droplet, Guest, PveCluster, Sighting
from farmtui.farm.sites import Site, SiteBook
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding
from farmtui.runbooks.fitting import Offer, offers
from farmtui.runbooks.loading import Shelf, Shelved, load_book, shelf
from tests.screens.whole import whole_farm

FARM = whole_farm()
BOOKS = {
    "restart": "risk: 2\nalerts: [NodeDown]\ninputs: {node: {type: node, tier: cache}}",
    "drain": "risk: 2\ninputs: {manager: {type: node, tier: edge, target: false}, node: {type: node, tier: app}}",
    "fan": "risk: 1\ninputs: {nodes: {type: nodes}}",
    "disk": "risk: 2\nalerts: ['OSD*']\ninputs: {osd: {type: osd}, node: {type: node, tier: edge, target: false}}",
    "grow": "risk: 1\ninputs: {pool: {type: pool}}",
    "plain": "risk: 1\nalerts: [CacheHitRatioLow]\ninputs: {why: {type: text, pattern: '.*'}}",
}


@pytest.fixture(name="shelf")
def _shelf(tmp_path: Path) -> Shelf:
    books = {}
    for name, text in BOOKS.items():
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"title: {name}\n{text}\nsteps: [{{name: Look, manual: Look.}}]\n")
        books[name] = Shelved(name, load_book(path), path, own=True)
    return Shelf(books)


def told(found: tuple[Offer, ...]) -> dict[str, dict[str, str]]:
    return {offer.book.name: dict(offer.inputs) for offer in found}


def fingerprint(farm: Farm, name: str) -> str:
    assert farm.book is not None
    return next(alert.fingerprint for alert in farm.book.alerts if alert.name == name)


def test_a_machine_fits_books_of_its_tier_and_of_all(shelf: Shelf) -> None:
    assert told(offers(shelf, FARM, "node", "cache-1")) == {"fan": {"nodes": "cache-1"}, "restart": {"node": "cache-1"}}
    assert told(offers(shelf, FARM, "node", "worker-03")) == {
        "fan": {"nodes": "worker-03"},
        "drain": {"node": "worker-03"},
    }


def test_a_machine_on_which_a_command_is_merely_run_offers_nothing(shelf: Shelf) -> None:
    assert set(told(offers(shelf, FARM, "node", "mgr-1"))) == {"fan"}


def test_daemons_stand_for_their_machines_and_osds_for_themselves(shelf: Shelf) -> None:
    assert FARM.cache is not None
    varnish = FARM.cache.nodes[0].instance
    assert told(offers(shelf, FARM, "varnish", varnish))["restart"] == {"node": "cache-1"}
    assert told(offers(shelf, FARM, "osd", "osd.3")) == {"disk": {"osd": "osd.3"}}
    assert FARM.ceph is not None
    assert told(offers(shelf, FARM, "pool", FARM.ceph.pools[1].id)) == {"grow": {"pool": "cephfs.meta"}}


def test_an_alert_offers_the_books_that_name_it_first(shelf: Shelf) -> None:
    found = offers(shelf, FARM, "alert", fingerprint(FARM, "NodeDown"))
    assert found[0].book.name == "restart"
    assert found[0].by_alert
    assert dict(found[0].inputs) == {"node": "cache-2"}
    assert [offer.by_alert for offer in found[1:]] == [False] * len(found[1:])
    plain = offers(shelf, FARM, "alert", fingerprint(FARM, "CacheHitRatioLow"))
    assert told(plain) == {"plain": {}}, "it names the alert, though no input of it is known"


def test_the_book_of_the_cause_comes_before_those_of_what_follows_from_it(tmp_path: Path) -> None:
    """A host is down, and with it a database node: what wakes the host is named first."""
    assert FARM.book is not None
    down = FARM.book.alerts[0]
    alerts = tuple(
        replace(down, fingerprint=name, labels=(("alertname", name),))
        for name in ("PveHostDown", "GaleraNodeDown", "GaleraClusterSmall")
    )
    text = "title: t\nrisk: 2\nalerts: [{alerts}]\ninputs: {{node: {{type: node}}}}\n"
    text += "steps: [{{name: Look, manual: Look.}}]\n"
    (tmp_path / "a-restart.yaml").write_text(text.format(alerts="Galera*"))
    (tmp_path / "wake.yaml").write_text(text.format(alerts="PveHostDown"))
    books = shelf([tmp_path])
    own = Shelf({name: books.books[name] for name in ("a-restart", "wake")})
    farm = replace(FARM, book=replace(FARM.book, alerts=alerts))
    finding = Finding(
        "pve", Severity.CRITICAL, "PVE host is offline", "", subject=("node", FARM.nodes[0].name),
        topics=("pvehost", "galera"), alerts=tuple(alert.name for alert in alerts),
    )  # fmt: skip
    found = offers(own, farm, "finding", "pve", finding)
    assert [offer.book.name for offer in found] == ["wake", "a-restart"]


def test_a_machine_stands_for_its_guest_and_its_droplet(tmp_path: Path) -> None:
    text = "title: t\nrisk: 2\ninputs: {guest: {type: guest}}\nsteps: [{name: Look, manual: Look.}]\n"
    (tmp_path / "guests.yaml").write_text(text)
    (tmp_path / "droplets.yaml").write_text(text.replace("guest", "droplet"))
    books = shelf([tmp_path])
    own = Shelf({name: books.books[name] for name in ("guests", "droplets")})
    first, second, *rest = FARM.nodes
    guest = Guest("main", 101, "web", "qemu", "pve-1", "running")
    droplet = Droplet(7, "edge", "active", "fra1", "s", None, 1, 1e9, 1e9)
    farm = replace(
        FARM,
        pve=(PveCluster("main", quorate=True, guests=(guest,)),),
        cloud=CloudAccount((droplet,)),
        nodes=(
            replace(first, sightings=(Sighting(PROXMOX, guest.ident),)),
            replace(second, sightings=(Sighting(DIGITALOCEAN, droplet.ident),)),
            *rest,
        ),
    )
    assert told(offers(own, farm, "node", first.name)) == {"guests": {"guest": "web"}}
    assert told(offers(own, farm, "node", second.name)) == {"droplets": {"droplet": "edge"}}
    assert told(offers(own, farm, "guest", guest.ident)) == {"guests": {"guest": "web"}}


def test_a_finding_offers_what_its_thing_and_its_alerts_do(shelf: Shelf) -> None:
    finding = Finding("k", Severity.CRITICAL, "t", "c", subject=("node", "cache-2"), topics=("hitratio",))
    found = told(offers(shelf, FARM, "finding", "k", finding))
    assert found == {"plain": {}, "fan": {"nodes": "cache-2"}, "restart": {"node": "cache-2"}}


def test_what_is_not_known_fits_nothing(shelf: Shelf) -> None:
    for kind, key in (("node", "gone"), ("osd", "osd.99"), ("alert", "gone"), ("swarm-task", "x"), ("tier", "app")):
        assert offers(shelf, FARM, kind, key) == (), kind
    assert offers(shelf, Farm("empty", FARM.at), "node", "cache-1") == ()


def test_a_site_is_given_by_its_host_and_brings_its_service(tmp_path: Path) -> None:
    text = "title: t\nrisk: 1\ninputs: {site: {type: site}}\nsteps: [{name: Look, manual: Look.}]\n"
    (tmp_path / "flush.yaml").write_text(text)
    own = Shelf({"flush": shelf([tmp_path]).books["flush"]})
    site = Site("shop-017@docker", "shop-017.example", swarm="wp_shop-017")
    farm = replace(FARM, sites=SiteBook(sites=(site,)))
    assert told(offers(own, farm, "site", site.key)) == {"flush": {"site": "shop-017.example"}}
    assert offers(own, farm, "site", "gone") == ()
