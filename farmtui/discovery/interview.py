"""From question to question: each answer is tried at once, and a wrong one is told why and asked again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from farmtui.config import AlertmanagerConfig, DigitalOceanConfig, PrometheusConfig, ProxmoxConfig, Section, SshConfig
from farmtui.discovery import looking, words
from farmtui.discovery.asking import NONE, Terminal
from farmtui.discovery.candidates import candidates, without_logins
from farmtui.discovery.found import Answers, Candidate, Found, Trial
from farmtui.discovery.proposal import listed, machines_of
from farmtui.discovery.saving import free_names
from farmtui.discovery.surroundings import Surroundings
from farmtui.farm.node import PveCluster
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.secrets import is_reference, register

PVE_TOKEN: Final = "farmtui@pve!console"  # noqa: S105 - a token's name; its secret is asked for
PVE_SECRET_NAME: Final = "FARMTUI_PVE_TOKEN"  # noqa: S105 - a variable's name
_PVE_MADE_SO: Final = (
    "A token that may look, and no more: pveum user add farmtui@pve; pveum acl modify / --users farmtui@pve --roles"
    " PVEAuditor; pveum user token add farmtui@pve console --privsep 0"
)
_HELD: Final = "FARMTUI_INIT_"
"""Variables of this process that hold what was typed, until it is in its file."""
_DO_API: Final = "https://api.digitalocean.com"

T = TypeVar("T")
S = TypeVar("S", bound=Section)


class AnswerError(Exception):
    """What the command line or the environment says cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says; what it does not say is found, or asked."""

    name: str = ""
    prometheus: str = ""
    alertmanagers: tuple[str, ...] = ()
    pve: tuple[str, ...] = ()
    pve_token: str = ""
    pve_secret: str = ""
    """A reference."""
    do: bool | None = None
    """None: where a token is found."""
    do_token: str = ""
    """A reference."""
    do_tag: str = ""
    ca_file: Path | None = None
    ssh_config: Path | None = None
    log_in: bool = True


@dataclass(slots=True)
class Interview:
    """One run of it. `answers` and `found` grow from step to step."""

    given: Given
    around: Surroundings
    terminal: Terminal
    folder: Path
    """Where the config will be, and its secrets beside it."""
    now: datetime
    answers: Answers = field(default_factory=Answers)
    found: Found = field(default_factory=Found)

    def run(self) -> None:
        """All of it. Raises AnswerError; EOFError and KeyboardInterrupt where somebody has enough of it."""
        name = self.terminal.ask("The farm's name, for the header", self.given.name or "farm")
        self.answers = replace(self.answers, name=name or "farm")
        if self.given.ssh_config is not None:
            self.answers = replace(self.answers, ssh=SshConfig(config_files=[self.given.ssh_config.absolute()]))
        for step in (self._prometheus, self._alertmanager, self._proxmox, self._digitalocean, self._machines):
            step()
        self._sites()

    # -- Prometheus and Alertmanager --------------------------------------------------------------

    def _prometheus(self) -> None:
        default, extra, failed = self.given.prometheus or self.around.prometheus, dict[str, Any](), ""
        while typed := self.terminal.ask(f"Prometheus's address ({NONE} for none)", default):
            url = _address(typed)
            section = self._made(PrometheusConfig, {"url": url, **self._ca(url), **extra})
            if section is None:
                continue
            found = self._look(url, looking.look_at_prometheus(section))
            self.terminal.tell(words.prometheus(found, self.terminal.page))
            if found.view is not None or _address(self.given.prometheus) == url or url == failed:
                self.answers = replace(self.answers, prometheus=section)
                self.found = replace(self.found, prometheus=found)
                return
            if not self.terminal.asks:
                self._left_out("prometheus", found.failure)
                return
            default = failed = url
            if mended := self._mended(found.failure.kind if found.failure else None, "prometheus-password"):
                extra, failed = {**extra, **mended}, ""
            self._again(url, keeps=not mended)

    def _alertmanager(self) -> None:
        told = self.found.prometheus.alertmanagers if self.found.prometheus is not None else ()
        given = tuple(_address(url) for url in self.given.alertmanagers)
        urls = given or told or tuple(filter(None, [self.around.alertmanager]))
        default, extra, failed = ",".join(urls), dict[str, Any](), ""
        whose = " (those that Prometheus sends to)" if urls and urls == told else f" ({NONE} for none)"
        while text := self.terminal.ask(f"Alertmanager, every replica, with commas{whose}", default):
            listing = [_address(part) for part in _split(text)]
            section = self._made(AlertmanagerConfig, {"urls": listing, **self._ca(*listing), **extra})
            if section is None:
                continue
            reading = self._look(listed(listing), looking.look_at_alertmanager(section))
            self.terminal.tell(words.alertmanager(reading, listing, self.terminal.page))
            # Prometheus's own list is right even while none of them answers here.
            kept = tuple(listing) in (given, told) and not self.terminal.asks
            if reading.value is not None or kept or text == failed:
                self.answers = replace(self.answers, alertmanager=section)
                self.found = replace(self.found, alertmanager=reading)
                return
            if not self.terminal.asks:
                self._left_out("alertmanager", reading.failure)
                return
            default = failed = text
            if mended := self._mended(reading.failure.kind if reading.failure else None, "alertmanager-password"):
                extra, failed = {**extra, **mended}, ""
            self._again(text, keeps=not mended)

    def _mended(self, kind: FailureKind | None, file: str) -> dict[str, Any]:
        """What the server wants of us, asked for: a user with a password or a token, or a CA that vouches for it."""
        if kind is FailureKind.TLS:
            trust = self._trust()
            return {"ca_file": trust} if trust is not None else {}
        if kind is not FailureKind.FORBIDDEN:
            return {}
        user = self.terminal.ask(f"It wants a login. User ({NONE} for a bearer token)", "")
        secret = self._secret("Password" if user else "Bearer token", file)
        if not secret:
            return {}
        return {"auth": {"username": user, "password": secret} if user else {"bearer": secret}}

    def _trust(self) -> Path | None:
        """The file of a CA's certificate; None where there is none, or nobody to name it."""
        while named := self.terminal.ask("The file of its CA's certificate (Enter: go on without)", ""):
            path = Path(named).expanduser().absolute()
            if path.is_file():
                return path
            self.terminal.say(f"There is no file {path}.")
        return None

    def _left_out(self, name: str, failure: Failure | None) -> None:
        """It was found, not wanted by name, and does not answer: the config does without."""
        if failure is not None:
            dropped = {**self.answers.dropped, name: f"{failure.what}; {failure.remedy}"}
            self.answers = replace(self.answers, dropped=dropped)

    # -- Proxmox VE and DigitalOcean --------------------------------------------------------------

    def _proxmox(self) -> None:
        default, failed = ",".join(self.given.pve), ""
        token, secret = self.given.pve_token or PVE_TOKEN, self.given.pve_secret or f"env:{PVE_SECRET_NAME}"
        trust = self.given.ca_file or (Path(self.around.pve_ca) if self.around.pve_ca else None)
        while text := self.terminal.ask(f"Proxmox VE's API hosts, with commas ({NONE} or Enter for none)", default):
            if self.terminal.asks and text != failed:
                self.terminal.say(_PVE_MADE_SO)
                token = self.terminal.ask("The API token, USER@REALM!NAME", token)
                before = "the one before" if secret.startswith(f"env:{_HELD}") else secret
                secret = self._secret(f"Its secret; Enter for {before}", "pve-token") or secret
            hosts = [_host(part) for part in _split(text)]
            values: dict[str, Any] = {"name": "main", "hosts": hosts, "token_id": token, "token_secret": secret}
            values |= {"ca_file": trust.absolute()} if trust is not None else {}
            section = self._made(ProxmoxConfig, values)
            if section is None:
                continue
            reading = self._proxmox_tried(section)
            while self.terminal.asks and reading.failure is not None and reading.failure.kind is FailureKind.TLS:
                named = self._trust()
                if named is None:
                    break
                trust = named
                section = section.model_copy(update={"ca_file": trust})
                reading = self._proxmox_tried(section)
            if reading.value is not None or not self.terminal.asks or text == failed:
                self.answers = replace(self.answers, proxmox=section)
                self.found = replace(self.found, proxmox=reading)
                return
            default = text
            refused = reading.failure is not None and reading.failure.kind in (
                FailureKind.FORBIDDEN,
                FailureKind.CONFIG,
            )
            # A login that is refused is asked for again; all else may be kept as it is.
            failed = "" if refused else text
            self._again(text, keeps=not refused)

    def _proxmox_tried(self, section: ProxmoxConfig) -> Reading[PveCluster]:
        reading = self._look(listed(section.hosts), looking.look_at_proxmox(section))
        self.terminal.tell(words.proxmox(reading, section.hosts, self.terminal.page))
        return reading

    def _digitalocean(self) -> None:
        if self.given.do is False:
            return
        found = self.around.token
        reference, endpoint = self.given.do_token, found.endpoint if found is not None else ""
        trust: dict[str, Any] = {}
        if not reference and found is not None:
            use = self.given.do is True or self.terminal.confirm(f"Use the token of {found.where}?", default=True)
            reference = found.reference if use else ""
        while True:
            reference = reference or self._secret(
                "A DigitalOcean API token with read scope (Enter for none)", "do-token"
            )
            if not reference:
                return
            values: dict[str, Any] = {"token": reference}
            if endpoint and endpoint.rstrip("/") != _DO_API:
                values |= {"endpoint": endpoint, **self._ca(endpoint), **trust}
            if self.given.do_tag:
                values["tag"] = self.given.do_tag
            section = self._made(DigitalOceanConfig, values)
            if section is None:
                reference = endpoint = ""
                continue
            reading = self._look("DigitalOcean", looking.look_at_digitalocean(section))
            self.terminal.tell(words.digitalocean(reading, self.terminal.page))
            kind = reading.failure.kind if reading.failure is not None and self.terminal.asks else None
            if kind is FailureKind.FORBIDDEN:
                reference = ""
                continue
            if kind is FailureKind.TLS and "endpoint" in values and (named := self._trust()) is not None:
                trust = {"ca_file": named}
                continue
            tags = {tag for droplet in (reading.value.droplets if reading.value else ()) for tag in droplet.tags}
            if tags and not self.given.do_tag:
                tag = self.terminal.ask("Only droplets with one tag? (Enter: all of the account)", "")
                section = section.model_copy(update={"tag": tag}) if tag else section
            if reading.value is not None or self.given.do is True or self.given.do_token:
                self.answers = replace(self.answers, digitalocean=section)
                self.found = replace(self.found, digitalocean=reading)
            else:
                self._left_out("digitalocean", reading.failure)
            return

    # -- the machines, and the sites --------------------------------------------------------------

    def _machines(self) -> None:
        nodes = machines_of(self.found, self.now)
        pve = self.found.proxmox is not None and self.found.proxmox.value is not None
        wanted = candidates(nodes, self.found, self.around.ssh, pve=pve)
        if not wanted:
            return
        hosts = list(dict.fromkeys(host for candidate in wanted for host in candidate.hosts))
        question = f"Log in to {listed(hosts)} over SSH, to see what can be asked there?"
        if hosts and not (self.given.log_in and self.terminal.confirm(question, default=True)):
            wanted = tuple(without_logins(candidate) for candidate in wanted)
        if any(candidate.ways for candidate in wanted):
            made = self._look(listed(hosts) or "Proxmox VE for Ceph", self._tried(wanted))
        else:
            made = tuple(Trial(candidate) for candidate in wanted)
        self.found = replace(self.found, trials=made)
        self.terminal.tell(words.trials(made, self.terminal.page))

    async def _tried(self, wanted: tuple[Candidate, ...]) -> tuple[Trial, ...]:
        ssh, proxmox = self.answers.ssh, self.answers.proxmox
        return tuple(await asyncio.gather(*(looking.tried(candidate, ssh, proxmox) for candidate in wanted)))

    def _sites(self) -> None:
        view = self.found.prometheus.view if self.found.prometheus is not None else None
        seen = view.edge.sites_seen if view is not None and view.edge is not None else None
        while self.terminal.asks:
            typed = self.terminal.ask(f"How many sites should there be? ({NONE} for: not said)", str(seen or ""))
            if typed.isdecimal() or not typed:
                self.answers = replace(self.answers, sites=int(typed or 0))
                return
            self.terminal.say(f"{typed!r} is no number.")

    # -- for all of them --------------------------------------------------------------------------

    def _look(self, where: str, look: Coroutine[Any, Any, T]) -> T:
        self.terminal.say(f"... asking {where}")
        return asyncio.run(look)

    def _made(self, model: type[S], values: Mapping[str, Any]) -> S | None:
        """A section of the config of what was typed; or, told why, None. Raises AnswerError where nobody types."""
        try:
            return model.model_validate(values)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = [
            f"{'.'.join(map(str, problem['loc']))}: {str(problem['msg']).removeprefix('Value error, ')}"
            for problem in problems
        ]
        if not self.terminal.asks:
            raise AnswerError(f"{model.__name__.removesuffix('Config')}: {'; '.join(told)}")
        for line in told:
            self.terminal.say(line)
        return None

    def _again(self, typed: str, *, keeps: bool = True) -> None:
        enter = f"Enter to keep {typed} as it is" if keeps else f"Enter to ask {typed} once more"
        self.terminal.say(f"Type another, or {enter}, or {NONE} to leave it out.")

    def _ca(self, *addresses: str) -> dict[str, Any]:
        """The CA file, for servers that have a certificate."""
        wanted = self.given.ca_file is not None and any(address.startswith("https:") for address in addresses)
        return {"ca_file": self.given.ca_file.absolute()} if wanted and self.given.ca_file is not None else {}

    def _secret(self, question: str, file: str) -> str:
        """A reference to what is typed: as it is where it is one, else to where it is held until it is in a file."""
        typed = self.terminal.hidden(f"{question} (hidden; or env:NAME, file:PATH, cmd:COMMAND)")
        if not typed or is_reference(typed):
            return typed
        register(typed)
        [name] = free_names(self.folder, [file])
        variable = f"{_HELD}{file.upper().replace('-', '_')}"
        os.environ[variable] = typed
        self.answers = replace(self.answers, typed={**self.answers.typed, f"env:{variable}": name})
        return f"env:{variable}"

    def typed_secrets(self) -> dict[str, str]:
        """What was typed, by the name of its file; this process holds it no longer."""
        return {
            name: os.environ.pop(reference.removeprefix("env:"), "") for reference, name in self.answers.typed.items()
        }


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _address(text: str) -> str:
    """An address as the config has it: plain HTTP where nothing else is said."""
    return text if "//" in text or not text else f"http://{text}"


def _host(text: str) -> str:
    """`host:port` of what may be the address of its web page."""
    return text.partition("//")[2].partition("/")[0] if "//" in text else text
