"""What is wrong, worst first, each with its cause: a cause stands for all that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farmtui.farm.farm import Farm
from farmtui.insight.backups import backup_faults
from farmtui.insight.balancers import balancer_faults
from farmtui.insight.cache import cache_faults
from farmtui.insight.ceph import ceph_faults
from farmtui.insight.ceph_own import ceph_silence
from farmtui.insight.edge import edge_faults
from farmtui.insight.finding import Finding
from farmtui.insight.galera import galera_faults
from farmtui.insight.gluster import gluster_faults
from farmtui.insight.lookup import Machines
from farmtui.insight.machines import compute_faults, machine_faults
from farmtui.insight.networks import network_faults
from farmtui.insight.newest import of_newest
from farmtui.insight.pve import pve_faults
from farmtui.insight.signals import explain_alerts, source_faults
from farmtui.insight.sites import site_faults
from farmtui.insight.swarm import swarm_faults


@of_newest
def findings(farm: Farm) -> tuple[Finding, ...]:
    """All of them, the worst first, then the one that began first. Pure.

    Where thousands of machines are ill it takes longer than a frame.
    """
    machines = Machines(farm)
    # In the order from causes to consequences: each can only follow from one before it.
    found = (
        *ceph_silence(farm),
        *source_faults(farm),
        *network_faults(farm),
        *compute_faults(farm),
        *machine_faults(farm),
        *balancer_faults(farm),
        *pve_faults(farm),
        *galera_faults(farm, machines),
        *swarm_faults(farm, machines),
        *ceph_faults(farm, machines),
        *gluster_faults(farm, machines),
        *cache_faults(farm, machines),
        *edge_faults(farm, machines),
        *site_faults(farm),
        *backup_faults(farm),
    )
    told = explain_alerts(farm, _causes(found), machines)
    return tuple(sorted(told, key=lambda f: (-f.severity, f.since or farm.at, f.key)))


def _follows(finding: Finding, cause: Finding) -> bool:
    """Whether the cause covers what a finding is about: its subject, or all machines of a tier that are gone."""
    several = finding.key.startswith(("tier/", "machines/")) and bool(finding.covers)
    return finding.subject in cause.covers or (several and finding.covers <= cause.covers)


def _causes(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that follow from no other; what follows from one is its evidence, and as bad as it is."""
    causes: list[Finding] = []
    for finding in found:
        index = next((i for i, cause in enumerate(causes) if _follows(finding, cause)), None)
        if index is None:
            causes.append(finding)
            continue
        cause = causes[index]
        # A machine's own finding, or that of an answer in part, only says again what the cause already names.
        said = f"so {finding.title}{f': {finding.stakes}' if finding.stakes else ''}"
        follows = () if finding.key.startswith(("node/", "machines/", "source-partial/")) else (said,)
        causes[index] = replace(
            cause,
            severity=max(cause.severity, finding.severity),
            evidence=(*cause.evidence, *follows),
            covers=cause.covers | finding.covers,
            hurts=(*cause.hurts, (finding.part, finding.severity), *finding.hurts),
            topics=tuple(dict.fromkeys((*cause.topics, *finding.topics))),
            since=min((at for at in (cause.since, finding.since) if at), default=None),
        )
    return tuple(causes)
