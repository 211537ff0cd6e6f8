"""Which books fit a thing of the farm, and with what inputs: what `x` offers on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from farmtui.farm.alerts import Alert
from farmtui.farm.farm import Farm
from farmtui.insight.finding import Finding
from farmtui.runbooks.book import Book
from farmtui.runbooks.inputs import choices
from farmtui.runbooks.loading import Shelf, Shelved

Value = tuple[str, str]
"""An input's type and what would be given: `("node", "cache-2")`."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A book that fits."""

    book: Shelved
    inputs: Mapping[str, str]
    """What is known of its inputs already."""
    by_alert: bool = False
    """It names the alert that is looked at, or is named for what was found."""
    alerts: int = 0
    """How many of the alerts that are looked at it names."""
    off_cause: int = 0
    """How far what it names is from the finding's cause, by the order of its topics: 0 is the cause itself."""


def offers(shelf: Shelf, farm: Farm, kind: str, key: str, finding: Finding | None = None) -> tuple[Offer, ...]:
    """The books that fit a thing, by its kind and key as the screens' subjects have them; the fittest first.

    A book fits a thing that is one of its inputs, and an alert that it names. `finding` is the one that `key` names.
    """
    alerts = tuple(_alerts(farm, kind, key, finding))
    things = list(_things(farm, *((kind, key) if finding is None else finding.subject)))
    if not things:
        # An alert that tells of a worker may come from a manager: what a finding is about counts before that.
        for alert in alerts:
            things += (value for value in _of_alert(farm, alert) if value not in things)
    found = [offer for book in shelf.books.values() if (offer := _offer(book, farm, things, alerts, finding))]
    return tuple(sorted(found, key=lambda one: _rank(one, kind)))


def _rank(offer: Offer, kind: str) -> tuple[bool, int, bool, int, bool, bool, int, str]:
    """What names the alert first, the cause's before that of what follows from it, and of those what has something to
    work on; then what is about such a thing (a varnish, not just its machine), then what is for such machines alone."""
    book = offer.book.book
    of_tier = any(book.inputs[name].tier is not None and book.inputs[name].target is not False for name in offer.inputs)
    worked_on = any(book.inputs[name].target is not False for name in offer.inputs) or not book.inputs
    about = kind not in book.tags
    return (
        not offer.by_alert,
        offer.off_cause,
        not worked_on,
        -offer.alerts,
        about,
        not of_tier,
        book.risk,
        offer.book.name,
    )


def _offer(
    shelved: Shelved, farm: Farm, things: list[Value], alerts: tuple[Alert, ...], finding: Finding | None
) -> Offer | None:
    book = shelved.book
    inputs = {name: text for name in book.inputs if (text := _known(book, name, farm, things))}
    names = {alert.name for alert in alerts if any(fnmatchcase(alert.name, pattern) for pattern in book.alerts)}
    told = finding is not None and shelved.name == finding.runbook
    named = told or bool(names)
    # A thing on which a command is merely run does not make a book fit.
    worked_on = any(book.inputs[name].target is not False for name in inputs)
    if not named and not worked_on:
        return None
    topics = finding.topics if finding is not None else ()
    off = next((i for i, topic in enumerate(topics) if any(topic in name.lower() for name in names)), len(topics))
    return Offer(shelved, inputs, named, len(names), 0 if told else off)


def _known(book: Book, name: str, farm: Farm, things: list[Value]) -> str:
    """What the things say of an input: the first that may be given."""
    given = book.inputs[name]
    wanted = [text for kind, text in things if kind == given.type.removesuffix("s")]
    if given.type == "site":
        # A farm need not name its sites: any may be given.
        return next(iter(wanted), "")
    possible = choices(given, farm) if wanted else ()
    return next((text for text in wanted if text in possible), "")


def _alerts(farm: Farm, kind: str, key: str, finding: Finding | None) -> Iterator[Alert]:
    known = farm.book.alerts if farm.book else ()
    if kind == "alert":
        yield from (alert for alert in known if alert.fingerprint == key)
    elif finding is not None:
        for alert in known:
            if alert.name in finding.alerts or any(topic in alert.name.lower() for topic in finding.topics):
                yield alert


def _things(farm: Farm, kind: str, key: str) -> Iterator[Value]:
    """A subject as values of inputs."""
    match kind:
        case "node":
            yield "node", key
            idents = {sighting.ident for node in farm.nodes if node.name == key for sighting in node.sightings}
            yield from (("guest", g.name) for cluster in farm.pve for g in cluster.guests if g.ident in idents)
            droplets = farm.cloud.droplets if farm.cloud else ()
            yield from (("droplet", d.name) for d in droplets if d.ident in idents)
        case "pve-task":
            tasks = (task for cluster in farm.pve for task in cluster.tasks if task.key == key)
            yield from (value for task in tasks for value in _host(farm, task.node))
        case "osd":
            yield "osd", key
        case "ceph-daemon":
            if key.startswith("osd."):
                yield "osd", key
            ceph = farm.ceph
            daemons = (*ceph.mons, *ceph.mgrs, *ceph.mdss, *ceph.rgws) if ceph else ()
            yield from (value for daemon in daemons if daemon.name == key for value in _host(farm, daemon.host))
        case "pool":
            yield from (("pool", p.name) for p in (farm.ceph.pools if farm.ceph else ()) if p.id == key)
        case "guest":
            yield from (("guest", g.name) for cluster in farm.pve for g in cluster.guests if g.ident == key)
        case "droplet":
            yield from (("droplet", d.name) for d in (farm.cloud.droplets if farm.cloud else ()) if d.ident == key)
        case "swarm-service" | "swarm-task" | "swarm-node":
            yield from _of_swarm(farm, kind, key)
        case "site":
            known = farm.sites.sites if farm.sites else ()
            for site in (one for one in known if one.key == key):
                yield "site", site.name
                yield from (("service", site.swarm),) if site.swarm else ()
        case "gluster-volume":
            yield "volume", key.rpartition("/")[2]
        case "gluster-peer":
            yield from _host(farm, key.rpartition("/")[2])
        case "galera" | "varnish" | "redis":
            node = farm.node_of_instance(key)
            if node is not None:
                yield from _things(farm, "node", node.name)


def _host(farm: Farm, name: str) -> Iterator[Value]:
    if any(node.name == name for node in farm.nodes):
        yield "node", name


def _of_swarm(farm: Farm, kind: str, key: str) -> Iterator[Value]:
    swarm = farm.swarm_cluster
    if swarm is None:
        return
    if kind == "swarm-service":
        yield from (("service", service.name) for service in swarm.services if service.id == key)
    elif kind == "swarm-task":
        task = next((task for task in swarm.tasks if task.id == key), None)
        if task is not None:
            yield "service", task.service
            yield from _host(farm, task.node)
    else:
        yield from (value for node in swarm.nodes if node.id == key for value in _host(farm, node.hostname))


_LABELS: Final = (
    ("ceph_daemon", "osd"), ("service_name", "service"), ("service", "service"), ("volume", "volume"),
    ("pool", "pool"), ("guest", "guest"), ("droplet", "droplet"), ("site", "site"),
)  # fmt: skip
"""Labels of alerts that name a thing, and what they name."""


def _of_alert(farm: Farm, alert: Alert) -> Iterator[Value]:
    """What an alert's labels name."""
    instance = alert.label("instance")
    node = farm.node_of_instance(instance) if instance else None
    if node is not None:
        yield from _things(farm, "node", node.name)
    for label, kind in _LABELS:
        if text := alert.label(label):
            yield kind, text
