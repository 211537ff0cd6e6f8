"""Actions on whatever is selected: what it is connected to, and copying what it is called."""

from __future__ import annotations

from screens.actions import Scene, action, ask
from screens.alert_draft import labels_text
from screens.describe import Detail, Link
from screens.known import known_of
from widgets.dialog import Choice, ChoiceDialog


def _detail(scene: Scene) -> Detail | None:
    return known_of(scene.console, scene.subject)


def _links(scene: Scene) -> tuple[Link, ...]:
    detail = _detail(scene)
    return detail.links if detail else ()


def _machine(scene: Scene) -> Link | None:
    return next((link for link in _links(scene) if link.subject.kind == "node"), None)


def _no_machine(scene: Scene) -> str:
    return "" if _machine(scene) else "no machine of the farm is known by its labels"


_ON_A_MACHINE = ("alert", "galera", "varnish", "redis", "osd", "ceph-daemon", "backend", "site", "guest", "droplet")


@action("machine", "Machine", "Open the machine that it is on", kinds=_ON_A_MACHINE, order=30, applies=_no_machine)
def open_machine(scene: Scene) -> None:
    """Open the machine."""
    link = _machine(scene)
    if link is not None:
        scene.console.open(link.subject)


def _shell_host(scene: Scene) -> str:
    """The machine to log in to: the thing itself, or the one that it is on."""
    if scene.subject.kind == "node":
        return scene.subject.key
    link = _machine(scene)
    return link.subject.key if link is not None else ""


def _no_shell(scene: Scene) -> str:
    remedies = scene.console.remedies
    if not _shell_host(scene):
        return "no machine of the farm is known by it"
    if remedies is None:
        return "the journal is being opened: it is written down there"
    return remedies.picture.trouble or remedies.picture.rights.operate


@action("shell", "Shell", "Log in by ssh; that, not what is typed, is written down", kinds=("node", *_ON_A_MACHINE),
        effect=True, order=25, applies=_no_shell)  # fmt: skip
def open_shell(scene: Scene) -> None:
    """Give the terminal to ssh."""
    scene.console.shell(_shell_host(scene))


@action(
    "related",
    "Related",
    "Open one of the things that it is connected to",
    order=35,
    applies=lambda scene: "" if _links(scene) else "nothing is known to be connected to it",
)
def open_related(scene: Scene) -> None:
    """Choose among the related things."""
    links = _links(scene)
    choices = [
        Choice(str(index), f"{link.relation}: {link.subject.title}", link.text, link.severity)
        for index, link in enumerate(links)
    ]
    ask(
        scene,
        ChoiceDialog(f"Related to {scene.title}", choices, heading="THING"),
        lambda key: scene.console.open(links[int(key)].subject),
    )


@action("copy.name", "Copy name", "Copy what it is called", order=80)
def copy_name(scene: Scene) -> None:
    """Copy the names, a line each."""
    scene.console.clip("\n".join(dict.fromkeys(subject.title for subject in scene.subjects)), "the name")


@action("copy.key", "Copy key", "Copy its address, fingerprint or id", order=81)
def copy_key(scene: Scene) -> None:
    """Copy the keys, a line each."""
    scene.console.clip("\n".join(subject.key for subject in scene.subjects), "the key")


def _no_labels(scene: Scene) -> str:
    detail = _detail(scene)
    return "" if detail and detail.labels else "it has no labels"


@action("copy.labels", "Copy labels", "Copy its labels as PromQL has them", order=82, applies=_no_labels)
def copy_labels(scene: Scene) -> None:
    """Copy the labels, a line each thing."""
    details = [known_of(scene.console, subject) for subject in scene.subjects]
    scene.console.clip("\n".join(labels_text(detail.labels) for detail in details if detail), "the labels")


@action("poll", "Poll", "Ask every source now", kinds=("source",), order=10)
def poll(scene: Scene) -> None:
    """Poll now instead of when the next attempt is due."""
    scene.console.refresh_sources()
