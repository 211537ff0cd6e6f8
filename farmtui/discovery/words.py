"""What was found, in words, system by system: what is there, what is missing, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from farmtui.discovery.exporters import Presence, Seen, exporters_seen, screens
from farmtui.discovery.found import Found, PrometheusFound, Trial
from farmtui.discovery.proposal import NOT_FOUND, NOT_TRIED, Proposal, listed
from farmtui.discovery.surroundings import LOOPBACK, PORTS, Surroundings
from farmtui.farm.alerts import AlertBook
from farmtui.farm.node import CloudAccount, PveCluster
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.state import Severity
from farmtui.farm.units import plural
from farmtui.plain import WORD, Page, row, wrapped
from farmtui.sources.errors import host_of

T = TypeVar("T")

_INDENT: Final = 2 + WORD
_WARNINGS_SHOWN: Final = 5


def here(found: Surroundings, page: Page) -> str:
    """What this machine knows."""
    lines = ["This machine"]
    lines += [
        row(page, Severity.OK, "found", f"Prometheus by {found.prometheus_from}: {host_of(found.prometheus)}")
        if found.prometheus
        else row(page, Severity.INFO, "none", "$PROMETHEUS_URL is not set")
    ]
    if found.token is not None:
        lines.append(row(page, Severity.OK, "found", f"a DigitalOcean token: {found.token.where}"))
    elif found.doctl.problem:
        lines.append(row(page, Severity.WARNING, "unread", found.doctl.problem))
    else:
        lines.append(
            row(page, Severity.INFO, "none", "no DigitalOcean token in the environment, nor in doctl's config")
        )
    ssh = found.ssh
    if ssh.files:
        jumps = f", {ssh.jumps} of them through a jump host" if ssh.jumps else ""
        wildcards = f"; {ssh.wildcards} with wildcards" if ssh.wildcards else ""
        lines.append(
            row(
                page,
                Severity.OK,
                "found",
                f"{', '.join(ssh.files)}: {plural(len(ssh.hosts), 'host')}{jumps}{wildcards}",
            )
        )
    else:
        lines.append(row(page, Severity.INFO, "none", "no ssh_config"))
    hashed = f", and {plural(ssh.hashed, 'line')} whose names are hashed" if ssh.hashed else ""
    lines.append(
        row(page, Severity.OK, "found", f"known_hosts: the keys of {plural(len(ssh.known), 'host')}{hashed}")
        if ssh.known or ssh.hashed
        else row(page, Severity.INFO, "none", "no known_hosts")
    )
    tried = " ".join(f"{port} ({name})" for port, name in PORTS.items())
    heard = " ".join(f"{port} ({PORTS[port]})" for port in found.listening)
    lines.append(
        row(page, Severity.OK, "found", f"{LOOPBACK} listens on {heard}")
        if heard
        else row(page, Severity.INFO, "none", f"nothing listens on {LOOPBACK} {tried}; no other address was tried")
    )
    if found.pve_ca:
        lines.append(row(page, Severity.OK, "found", f"this is a Proxmox VE host: {found.pve_ca}"))
    return "\n".join(lines)


def prometheus(found: PrometheusFound, page: Page) -> str:
    """A Prometheus: its targets, and exporter by exporter what is there."""
    lines = [" ".join(word for word in ("Prometheus", found.version, "at", host_of(found.url)) if word)]
    if found.failure is not None:
        lines += _failed(found.failure, page, "partial" if found.view is not None else "failed")
    if found.view is None:
        return "\n".join(lines)
    view = found.view
    up = sum(target.up for target in view.targets)
    jobs = Counter(target.job for target in view.targets)
    down = f", {len(view.targets) - up} of them down" if up < len(view.targets) else ""
    if view.targets:
        listed = ", ".join(f"{job} {count}" for job, count in sorted(jobs.items()))
        words = (
            f"{plural(len(view.targets), 'target')} in {plural(len(jobs), 'job')}{down};"
            f" {plural(len(view.hosts), 'machine')}: {listed}"
        )
        lines.append(row(page, Severity.WARNING if down else Severity.OK, "targets", words))
    else:
        words = f"the server names no targets; {plural(len(view.hosts), 'machine')} by their figures"
        lines.append(row(page, Severity.INFO, "targets", words))
    lines += [_exporter(seen, page) for seen in exporters_seen(found.figures)]
    if pve := [job for job in jobs if "pve" in job.casefold()]:
        lines.append(row(page, Severity.OK, "yes", f"pve_exporter: {plural(jobs[pve[0]], 'host')}"))
    if any("gluster" in job.casefold() for job in jobs):
        words = "GlusterFS exporter; volumes and heals are asked over SSH, exporters differ too much"
        lines.append(row(page, Severity.OK, "yes", words))
    rules = plural(len(view.rules), "alerting rule") if view.rules else "no alerting rules: nothing will ever be raised"
    lines.append(row(page, Severity.OK if view.rules else Severity.INFO, "rules", rules))
    return "\n".join([*lines, *_warnings(found.warnings, page)])


def _exporter(seen: Seen, page: Page) -> str:
    exporter = seen.exporter
    match seen.presence:
        case Presence.YES:
            unit = exporter.counts.removesuffix("s") if seen.count == 1 else exporter.counts
            counted = f": {seen.count} {unit}" if seen.count else ""
            return row(page, Severity.OK, "yes", f"{exporter.name}{counted}")
        case Presence.SILENT:
            words = f"{exporter.name}: its metrics are known, and have no value now: is it scraped still?"
            return row(page, Severity.WARNING, "silent", words)
        case Presence.FAILED:
            return row(page, Severity.WARNING, "failed", f"{exporter.name}: {seen.detail}")
        case _:
            words = (
                f"{exporter.name}: not found; the {exporter.screen} screen will lack it. To have it, {exporter.remedy}"
            )
            return row(page, Severity.INFO, "no", words)


def alertmanager(reading: Reading[AlertBook], urls: Sequence[str], page: Page) -> str:
    """The Alertmanagers, all replicas."""
    book = reading.value
    version = next((f" {replica.version}" for replica in book.replicas if replica.version), "") if book else ""
    lines = [f"Alertmanager{version} at {', '.join(host_of(url) for url in urls)}"]
    if book is None:
        return "\n".join([*lines, *_trouble(reading, page)])
    up = sum(replica.up for replica in book.replicas)
    active = sum(silence.state == "active" for silence in book.silences)
    words = (
        f"{up} of {plural(len(book.replicas), 'replica')} answer; {plural(len(book.alerts), 'alert')},"
        f" {plural(active, 'active silence')}"
    )
    return "\n".join([*lines, row(page, Severity.OK, "yes", words), *_trouble(reading, page)])


def proxmox(reading: Reading[PveCluster], hosts: Sequence[str], page: Page) -> str:
    """A Proxmox VE cluster."""
    cluster = reading.value
    lines = [f"Proxmox VE at {', '.join(hosts)}"]
    if cluster is not None:
        running = sum(guest.status == "running" for guest in cluster.guests)
        templates = sum(guest.template for guest in cluster.guests)
        words = (
            f"{plural(len(cluster.hosts), 'host')} ({listed([host.name for host in cluster.hosts])});"
            f" {plural(len(cluster.guests), 'guest')}, {running} of them running, {plural(templates, 'template')}"
        )
        lines.append(row(page, Severity.OK, "yes", words))
    lines += _trouble(reading, page)
    if reading.failure is not None and reading.failure.kind is FailureKind.TLS:
        lines += wrapped(f"→ {PVE_CERTIFICATE}", _INDENT)
    return "\n".join(lines)


PVE_CERTIFICATE: Final = (
    "Proxmox VE signs its certificates itself. Copy /etc/pve/pve-root-ca.pem from one of its hosts (it is no secret)"
    " and name the copy: --ca-file FILE. Compare it there, by `openssl x509 -in FILE -noout -fingerprint -sha256`."
    " farmtui has no switch that turns the check off."
)


def digitalocean(reading: Reading[CloudAccount], page: Page) -> str:
    """A DigitalOcean account."""
    account = reading.value
    lines = ["DigitalOcean"]
    if account is not None:
        tags = Counter(tag for droplet in account.droplets for tag in droplet.tags)
        counted = listed([f"{tag} {count}" for tag, count in tags.most_common()]) or "none"
        words = (
            f"droplets {len(account.droplets)}, volumes {len(account.volumes)}, load balancers"
            f" {len(account.load_balancers)}; tags: {counted}"
        )
        lines.append(row(page, Severity.OK, "yes", words))
    return "\n".join([*lines, *_trouble(reading, page)])


def trials(made: Sequence[Trial], page: Page) -> str:
    """What may be asked on the machines themselves."""
    lines = ["On the machines themselves"]
    for trial in made:
        section, hosts, unknown = trial.candidate.section, listed(trial.candidate.hosts), trial.candidate.unknown
        if trial.works is not None:
            lines.append(
                row(page, Severity.OK, "yes", f"{section}{_way(trial.works.get(section))}: {hosts}".rstrip(": "))
            )
            lines += wrapped(f"! {trial.words}", _INDENT) if trial.words else []
        elif trial.candidate.ways:
            lines.append(row(page, Severity.INFO, "no", f"{section}: {hosts}".rstrip(": ")))
            lines += wrapped(trial.words, _INDENT)
        elif not unknown:
            lines.append(row(page, Severity.INFO, "untried", f"{section}: {NOT_TRIED}"))
        if unknown:
            words = (
                f"{section}: ssh does not know {listed(unknown)}; log in once by hand, or name them in ssh_config, then"
                " run farmtui init again (docs/ssh.md)"
            )
            lines.append(row(page, Severity.INFO, "untried", words))
    return "\n".join(lines)


def _way(works: object) -> str:
    """By which way a section is asked, where there are several."""
    told = works[0] if isinstance(works, list) else works
    if not isinstance(told, Mapping):
        return ""
    words = [f"via {told['via']}"] if "via" in told else []
    words += ["by sudo -n"] if told.get("sudo") else []
    return f" ({', '.join(words)})" if words else ""


def missing(proposal: Proposal, page: Page) -> str:
    """The sources that are not in the config, and why; `trials` tells of those on the machines themselves."""
    lines = ["Not in the config"]
    lines += [
        row(page, Severity.INFO, "no", f"{name}: {why}")
        for name, why in proposal.left_out.items()
        if name in NOT_FOUND and name not in proposal.sections
    ]
    return "\n".join(lines) if len(lines) > 1 else ""


def tiers(proposal: Proposal, page: Page) -> str:
    """The machines by tier."""
    lines = [f"{plural(proposal.machines, 'machine')}, by tier"]
    for tier in proposal.tiers.tiers:
        patterns = f"; match {' '.join(tier.patterns)}" if tier.patterns else ""
        words = f"{tier.tier.value}: {listed(tier.names)} ({tier.how}{patterns})"
        lines.append(row(page, Severity.OK, str(len(tier.names)), words))
    if strangers := proposal.tiers.strangers:
        words = f"of no tier: {listed(strangers)}. Add their names to a tier's `match`, or tag them tier-NAME"
        lines.append(row(page, Severity.INFO, str(len(strangers)), words))
    return "\n".join(lines)


def screen_list(found: Found, proposal: Proposal, page: Page) -> str:
    """What each screen will show."""
    lines = ["The screens"]
    for use in screens(found, proposal.sections, proposal.machines):
        if use.by:
            lines.append(row(page, Severity.OK, "shows", f"{use.key} {use.name}: {', '.join(use.by)}"))
        elif not use.known:
            words = f"{use.key} {use.name}: nobody knows before Prometheus answers"
            lines.append(row(page, Severity.UNKNOWN, "unknown", words))
        else:
            lines.append(row(page, Severity.INFO, "empty", f"{use.key} {use.name}: it would take this: {use.lacks}"))
    return "\n".join(lines)


def _failed(failure: Failure, page: Page, word: str = "failed") -> list[str]:
    return [row(page, Severity.CRITICAL, word, failure.what), *wrapped(f"→ {failure.remedy}", _INDENT)]


def _trouble(reading: Reading[T], page: Page) -> Iterator[str]:
    if reading.failure is not None:
        yield from _failed(reading.failure, page)
    yield from _warnings(reading.warnings, page)


def _warnings(warnings: Sequence[str], page: Page) -> Iterator[str]:
    for warning in warnings[:_WARNINGS_SHOWN]:
        yield row(page, Severity.WARNING, "but", warning)
