"""From nothing to a console on real services: `farmtui init` with no more than Prometheus's address."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from farmtui.config import load_config
from farmtui.farm.node import Tier
from tests.cli.run import farmtui
from tests.lab.services.alertmanager import Alertmanagers
from tests.lab.services.ceph import Ceph
from tests.lab.services.gluster import PEERS, Gluster
from tests.lab.services.prometheus import Prometheus
from tests.lab.services.redis import Redis
from tests.lab.services.ssh import SshHosts
from tests.lab.services.varnish import NODES, Varnish
from tests.terminal.pty_harness import PtySession

BARE = {"PROMETHEUS_URL": "", "DIGITALOCEAN_TOKEN": "", "DIGITALOCEAN_ACCESS_TOKEN": "", "SSH_AUTH_SOCK": ""}


def home_of(folder: Path, ssh: SshHosts) -> Path:
    """A home in which ssh can log in to the lab's hosts, and nothing else is."""
    (folder / ".ssh").mkdir(parents=True)
    ours = f"Host *\n  UserKnownHostsFile {folder}/.ssh/known_hosts\n  IdentityFile {ssh.key}\n"
    (folder / ".ssh/config").write_text(ssh.ssh_config.read_text() + ours)
    shutil.copy(ssh.known_hosts, folder / ".ssh/known_hosts")
    return folder


def test_one_address_leads_to_a_console_with_live_figures(
    tmp_path: Path,
    prometheus: Prometheus,
    alertmanagers: Alertmanagers,
    varnish: Varnish,
    redis: Redis,
    ceph: Ceph,
    gluster: Gluster,
    ssh: SshHosts,
) -> None:
    prometheus.wait_scraped("varnish")
    prometheus.wait_scraped("ceph")
    home = home_of(tmp_path / "home", ssh)
    done = farmtui("init", "--yes", "--prometheus", prometheus.url, home=home, environ=BARE)
    assert done.code == 0, done.out + done.err
    assert f"yes      Varnish: {len(NODES)} caches" in done.out
    assert "yes      Redis: 2 instances" in done.out
    assert "yes      Ceph's mgr: 6 OSDs" in done.out
    config = load_config(home / ".config/farmtui/config.yaml")
    assert config.alertmanager is not None
    assert sorted(config.alertmanager.urls) == sorted(alertmanagers.urls), "those that Prometheus sends to"
    assert config.tiers[Tier.CACHE].match == ["cache-*"]
    assert config.tiers[Tier.CACHE].expect == len(NODES)
    assert [pool.hosts for pool in config.gluster] == [list(PEERS)], "asked on the hosts that ssh_config names"
    # Its varnishd runs in a folder of its own, which nothing tells: a section that does not work is not written.
    assert config.varnish is None
    check = farmtui("check", "--json", home=home, environ=BARE)
    assert check.code in (0, 1), check.out
    assert {source["outcome"] for source in json.loads(check.out)["sources"]} == {"ok"}
    with PtySession(["-m", "farmtui"], columns=120, lines=40, environment={**BARE, "HOME": str(home)}) as console:
        console.wait_for("1 overv")
        console.send(":cache\r")
        console.wait_for(lambda: all(node in console.text for node in NODES))
        console.send(":storage\r")
        console.wait_for("HEALTH_")
        console.send(":q\r")
        assert console.finish() == 0
