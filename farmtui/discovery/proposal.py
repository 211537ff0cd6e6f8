"""What comes of the answers and of what was found: the config's sections, and why each is as it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from farmtui.config import Section
from farmtui.config.commented import commented
from farmtui.discovery.exporters import SOURCES
from farmtui.discovery.found import Answers, Found
from farmtui.discovery.tiers import TierFound, TiersFound, tiers_of
from farmtui.farm.node import Node
from farmtui.farm.nodes import populate

_NAMES_SHOWN: Final = 8
NOT_TRIED: Final = "it was not tried: no login was wanted"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A config, before it is written."""

    sections: Mapping[str, Any]
    notes: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]
    """Why a section is not there, by its name."""
    tiers: TiersFound
    machines: int

    @property
    def sources(self) -> tuple[str, ...]:
        """The sections of it that are sources."""
        return tuple(name for name in self.sections if name in SOURCES)

    @property
    def text(self) -> str:
        """The file's text."""
        return commented(self.sections, self.notes, self.left_out)


def machines_of(found: Found, now: datetime) -> tuple[Node, ...]:
    """The machines that all sources tell of together, joined as the console joins them."""
    view = found.prometheus.view if found.prometheus is not None else None
    cluster = found.proxmox.value if found.proxmox is not None else None
    account = found.digitalocean.value if found.digitalocean is not None else None
    return populate(
        view.hosts if view is not None else (), (cluster,) if cluster is not None else (), account, now=now
    ).nodes


def propose(answers: Answers, found: Found, now: datetime) -> Proposal:
    """The config for these answers and findings; a source that was asked in vain stays in it where it was wanted."""
    nodes = machines_of(found, now)
    tiers = tiers_of(nodes)
    view = found.prometheus.view if found.prometheus is not None else None
    seen = view.edge.sites_seen if view is not None and view.edge is not None else None
    sections: dict[str, Any] = {"farm": {"name": answers.name}}
    notes: dict[str, tuple[str, ...]] = {}
    left_out = {**NOT_FOUND, **answers.dropped}
    sites = answers.sites if answers.sites is not None else seen
    if sites:
        sections["farm"]["sites"] = sites
        if answers.sites is None:
            notes["farm.sites"] = (f"{sites} sites have traffic now; fewer than this are a fault.",)
    if tiers.tiers:
        sections["tiers"] = {tier.tier.value: _tier(tier) for tier in tiers.tiers}
        notes["tiers"] = (_TIERS,)
        notes |= {f"tiers.{tier.tier.value}": (f"{listed(tier.names)} ({tier.how})",) for tier in tiers.tiers}
    for name, section in (
        ("prometheus", answers.prometheus),
        ("alertmanager", answers.alertmanager),
        ("digitalocean", answers.digitalocean),
    ):
        if section is not None:
            sections[name] = _given(section)
    told = found.prometheus.alertmanagers if found.prometheus is not None else ()
    if answers.alertmanager is not None and tuple(answers.alertmanager.urls) == told:
        notes["alertmanager"] = ("Those that Prometheus sends its alerts to.",)
    if answers.proxmox is not None:
        sections["proxmox"] = [_given(answers.proxmox)]
    for trial in found.trials:
        if trial.works is not None:
            sections |= trial.works
        else:
            left_out[trial.candidate.section] = _why_not(trial.candidate.unknown, trial.words)
    if ssh := _given(answers.ssh):
        sections["ssh"] = ssh
    sections = {name: _with_files(value, answers.typed) for name, value in sections.items()}
    return Proposal(sections, notes, left_out, tiers, len(nodes))


_TIERS: Final = (
    "`expect` is what there was when this was written: fewer are a fault. `match` are shell patterns on names; a"
    " label or tag that names the tier comes before them."
)
NOT_FOUND: Final[Mapping[str, str]] = {
    "prometheus": "none was found: farmtui init --prometheus URL",
    "alertmanager": "none was found: farmtui init --alertmanager URL",
    "proxmox": "no API token was given: farmtui init --pve URL --pve-token USER@REALM!NAME",
    "digitalocean": "no token was found, or it was not wanted: farmtui init --do",
}
"""Why a source is not there, where nothing else is known of it."""


def _tier(tier: TierFound) -> dict[str, Any]:
    return {"expect": len(tier.names), **({"match": list(tier.patterns)} if tier.patterns else {})}


def _given(section: Section) -> dict[str, Any]:
    """What was set of a section: all else is at its default, and is not written."""
    data: dict[str, Any] = section.model_dump(mode="json", exclude_unset=True)
    return data


def _with_files(value: Any, typed: Mapping[str, str]) -> Any:
    """The same with each secret that was typed as the file that it will be in."""
    match value:
        case str():
            return f"file:{typed[value]}" if value in typed else value
        case dict():
            return {key: _with_files(inner, typed) for key, inner in value.items()}
        case list():
            return [_with_files(inner, typed) for inner in value]
    return value


def _why_not(unknown: Sequence[str], words: str) -> str:
    if words:
        return words
    if unknown:
        return f"ssh knows none of {listed(unknown)}: no line in ssh_config or known_hosts names them"
    return NOT_TRIED


def listed(names: Sequence[str]) -> str:
    """The names, of many the first and how many more there are."""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
