"""`farmtui init` against the simulated farm, over its real protocols: by flags, and question by question."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from farmtui.config import load_config
from farmtui.farm.node import Tier
from tests.cli.run import Ended, farmtui
from tests.discovery.simulated import Doors, doors
from tests.terminal.pty_harness import PtySession

BARE = {"PROMETHEUS_URL": "", "DIGITALOCEAN_TOKEN": "", "DIGITALOCEAN_ACCESS_TOKEN": "", "SSH_AUTH_SOCK": ""}
"""Nothing of the machine that the tests run on."""


@pytest.fixture(scope="module")
def farm() -> Iterator[Doors]:
    with doors() as found:
        yield found


@pytest.fixture
def home(farm: Doors, tmp_path: Path) -> Path:
    return farm.home(tmp_path / "home")


def init(home: Path, *words: str | Path) -> Ended:
    done = farmtui("init", *words, home=home, environ=BARE)
    assert "Traceback" not in done.out + done.err
    return done


def written(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / ".config/farmtui").rglob("*") if path.is_file()}


def test_all_of_the_farm_is_found_and_check_accepts_it(farm: Doors, home: Path) -> None:
    done = init(home, "--yes", *farm.flags())
    assert done.code == 0, done.out + done.err
    config = load_config(home / ".config/farmtui/config.yaml")
    assert config.farm.sites == 500
    assert config.prometheus is not None
    assert config.prometheus.url == farm.prometheus
    assert config.alertmanager is not None
    assert config.alertmanager.urls == farm.alertmanagers
    expected = {tier: section.expect for tier, section in farm.config.tiers.items()}
    assert {tier: section.expect for tier, section in config.tiers.items()} == expected
    assert config.tiers[Tier.CACHE].match == ["cache-*"]
    assert config.proxmox[0].hosts == farm.config.proxmox[0].hosts
    assert config.digitalocean is not None
    assert config.digitalocean.token.startswith("cmd:sed ")
    assert config.swarm is not None
    assert config.swarm.hosts == ["mgr-1", "mgr-2", "mgr-3"]
    assert config.varnish is not None
    assert config.ceph is not None
    assert config.ceph.via == "pve"
    assert "Prometheus 2.42.0 at" in done.out
    assert "yes      Varnish: 3 caches" in done.out
    assert "shows    8 database: Galera" in done.out
    assert done.out.rstrip().endswith("next: farmtui")
    told = done.out + "".join(text.decode() for text in written(home).values())
    assert farm.do_token not in told
    assert farm.pve_token not in told
    check = farmtui("check", "--json", home=home, environ=BARE)
    assert check.code in (0, 1), check.out
    assert {source["outcome"] for source in json.loads(check.out)["sources"]} == {"ok"}


def test_without_prometheus_the_tags_of_guests_and_droplets_are_the_tiers(farm: Doors, home: Path) -> None:
    flags = farm.flags()
    done = init(home, "--yes", "--no-ssh", *flags[flags.index("--pve") :])
    assert done.code == 0, done.out + done.err
    config = load_config(home / ".config/farmtui/config.yaml")
    assert config.tiers[Tier.APP].expect == 20
    assert config.tiers[Tier.EDGE].match == ["mgr-*"]
    assert config.tiers[Tier.HYPERVISOR].expect == 5
    assert config.ceph is not None, "Proxmox VE's own API tells it, with no login"
    assert "tier-cache 3" in done.out
    assert "prometheus: none was found" in done.out


def test_a_certificate_that_nobody_vouches_for_is_no_reason_to_look_away(farm: Doors, tmp_path: Path) -> None:
    [cluster] = farm.config.proxmox
    words = ("--pve", cluster.hosts[0], "--pve-token", cluster.token_id, "--pve-secret", cluster.token_secret)
    done = init(tmp_path, "--yes", "--no-do", *words)
    assert done.code == 1
    assert "the certificate is not trusted" in done.out
    assert "Copy /etc/pve/pve-root-ca.pem from one of its hosts" in " ".join(done.out.split())
    config = load_config(tmp_path / ".config/farmtui/config.yaml")
    assert [section.hosts for section in config.proxmox] == [[cluster.hosts[0]]], "it was named: it stays"


def test_printed_it_is_the_config_alone_and_nothing_is_written(farm: Doors, home: Path) -> None:
    done = init(home, "--yes", "--print", "--prometheus", farm.prometheus, "--no-do", "--no-ssh", "--alertmanager",
                farm.alertmanagers[0])  # fmt: skip
    assert done.code == 0
    (home / "farmtui.yaml").write_text(done.out)
    config = load_config(home / "farmtui.yaml")
    assert (config.prometheus is not None, config.digitalocean, config.swarm) == (True, None, None)
    assert "Varnish: 3 caches" in done.err
    assert written(home) == {}


def test_what_is_there_is_kept_unless_it_is_forced(farm: Doors, home: Path) -> None:
    path = home / ".config/farmtui/config.yaml"
    path.parent.mkdir()
    path.write_text("farm: {name: mine}\n")
    flags = ("--yes", "--no-do", "--no-ssh", "--prometheus", farm.prometheus, "--alertmanager", farm.alertmanagers[0])
    refused = init(home, *flags)
    assert (refused.code, refused.out) == (2, "")
    assert "--force" in refused.err
    assert path.read_text() == "farm: {name: mine}\n"
    forced = init(home, *flags, "--force")
    assert forced.code == 0
    assert "-farm: {name: mine}" in forced.out
    [backup] = path.parent.glob("config.yaml.*.bak")
    assert backup.read_text() == "farm: {name: mine}\n"
    again = init(home, *flags, "--force")
    assert "just so already" in again.out
    assert list(path.parent.glob("config.yaml.*.bak")) == [backup]


def test_a_prometheus_that_hangs_costs_seconds_and_is_not_called_empty(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}"
        done = init(tmp_path, "--yes", "--print", "--prometheus", url)
    assert done.code == 0
    assert "no answer within 5 s" in done.err
    assert "unknown  3 cache: nobody knows before Prometheus answers" in done.err
    assert "url: " + url in done.out


def test_with_nothing_at_all_a_config_is_written_that_says_what_is_missing(tmp_path: Path) -> None:
    done = init(tmp_path, "--yes", "--prometheus", "http://127.0.0.1:1")
    assert done.code == 1
    assert "connection refused" in done.out
    config = load_config(tmp_path / ".config/farmtui/config.yaml")
    assert (config.prometheus is not None, config.alertmanager, config.proxmox) == (True, None, [])
    assert "none was found: farmtui init --alertmanager URL" in (tmp_path / ".config/farmtui/config.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--yes", "--prometheus", "http://x/?q"), "must be the base address"),
        (("--yes", "--alertmanager", "ftp://x"), "must be an http"),
        (("--yes", "--do-token", "dop_v1_0123456789abcdef"), "never by value"),
        (("--yes", "--pve-secret", "hunter2hunter2"), "never by value"),
        (("--yes", "--do"), "no token in $DIGITALOCEAN_ACCESS_TOKEN"),
        (("--yes", "--ca-file", "nowhere.pem"), "there is no file nowhere.pem"),
        (("--yes", "--output", "."), "is a folder"),
        ((), "this is no terminal"),
    ],
)
def test_a_wrong_command_line_writes_nothing(words: tuple[str, ...], why: str, tmp_path: Path) -> None:
    done = init(tmp_path, *words)
    assert done.code == 2
    assert why in " ".join(done.err.split())
    assert "hunter2" not in done.out + done.err
    assert "dop_v1" not in done.out + done.err
    assert list(tmp_path.iterdir()) == []


def test_question_by_question_with_wrong_answers_between(farm: Doors, home: Path) -> None:
    output = home / "out/farm.yaml"
    environment = {**BARE, "HOME": str(home)}
    with PtySession(
        ["-m", "farmtui", "init", "--output", str(output)], columns=100, lines=60, environment=environment
    ) as one:

        def answer(question: str, text: str) -> None:
            one.wait_for(lambda: question in one.text.rstrip().rpartition("\n?")[2])
            one.send(f"{text}\r")

        answer("The farm's name", "shop")
        answer("Prometheus's address", "http://127.0.0.1:1/?x")
        one.wait_for("must be the base address")
        answer("Prometheus's address", "http://127.0.0.1:1")
        one.wait_for("connection refused")
        answer("[http://127.0.0.1:1]", farm.prometheus.removeprefix("http://"))
        answer("Alertmanager, every replica", ",".join(farm.alertmanagers))
        answer("Proxmox VE's API hosts", f"https://{farm.config.proxmox[0].hosts[0]}/")
        answer("The API token", farm.config.proxmox[0].token_id)
        answer("Its secret", "not-the-secret-not-the-secret")
        one.wait_for("the certificate is not trusted")
        answer("The file of its CA's certificate", str(farm.ca_file))
        one.wait_for("our login is not accepted")
        answer("Proxmox VE's API hosts", "")
        answer("The API token", "")
        answer("Its secret", farm.pve_token)
        one.wait_for("5 hosts")
        answer("Use the token of", "n")
        answer("A DigitalOcean API token", "")
        answer("Log in to mgr-1", "y")
        answer("How many sites", "many")
        one.wait_for("is no number")
        answer("How many sites", "512")
        answer("Write", "")
        assert one.finish() == 0
        assert "next: farmtui --config" in one.text
        assert farm.pve_token.encode() not in one.raw
    config = load_config(output)
    assert (config.farm.name, config.farm.sites) == ("shop", 512)
    assert config.digitalocean is None
    assert config.proxmox[0].token_secret == f"file:{output.parent / 'pve-token'}"
    assert (output.parent / "pve-token").read_text().strip() == farm.pve_token
    assert (output.parent / "pve-token").stat().st_mode & 0o777 == 0o600
    assert config.swarm is not None


def test_ctrl_c_writes_nothing(farm: Doors, home: Path) -> None:
    before = set(home.rglob("*"))
    with PtySession(["-m", "farmtui", "init"], environment={**BARE, "HOME": str(home)}) as one:
        one.wait_for("The farm's name")
        one.send("shop\r")
        one.wait_for("Prometheus's address")
        one.kill(signal.SIGINT)
        assert one.finish() == 130
        assert "nothing was written" in one.text
    assert set(home.rglob("*")) == before
