"""What is right in a wrong config: what is left out because of a mistake, and that nothing is opened by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.config import parse_config
from farmtui.config.changes import changes, limits_differ
from farmtui.config.salvage import Salvaged, salvage, salvage_file
from farmtui.farm.mistake import why_locked
from farmtui.keys import misfits

FILE = Path("farmtui.yaml")
WHOLE = """\
farm: {name: shop}
prometheus: {url: http://p:9090, interval_s: 5}
alertmanager: {urls: [http://a:9093, http://b:9093]}
"""


def found_in(text: str) -> Salvaged:
    return salvage(text, FILE)


def test_a_config_without_mistakes_is_itself() -> None:
    found = found_in(WHOLE)
    assert (found.mistakes, found.config) == ((), parse_config(WHOLE, FILE))


@pytest.mark.parametrize(
    ("wrong", "key", "left_out", "locks"),
    [
        # How often and how it looks: the default holds.
        ("prometheus: {url: http://p:9090, interval_s: soon}", "prometheus.interval_s", "prometheus.interval_s", False),
        ("ui: {mouse: 7up}", "ui.mouse", "ui.mouse", False),
        ("ui: {keyz: {}}", "ui.keyz", "ui.keyz", False),
        ("farm: {sites: many}", "farm.sites", "farm.sites", False),
        # An address: the source is left out.
        ("prometheus: {url: ftp://p}", "prometheus.url", "prometheus", False),
        ("prometheus: {interval_s: 5}", "prometheus.url", "prometheus", False),
        # One of several: the others are asked.
        ("alertmanager: {urls: [http://a, b]}", "alertmanager.urls.1", "alertmanager.urls.1", False),
        # Whom we trust, who we are, and how far it goes.
        ("prometheus: {url: http://p, ca_file: 3}", "prometheus.ca_file", "prometheus", True),
        ("prometheus: {url: http://p, ca_fiel: /x}", "prometheus.ca_fiel", "prometheus", True),
        ("prometheus: {url: http://p, headers: x}", "prometheus.headers", "prometheus", True),
        ("digitalocean: {token: env:T, tga: shop}", "digitalocean.tga", "digitalocean", True),
        ("digitalocean: {token: env:T, endpoint: x}", "digitalocean.endpoint", "digitalocean", True),
        ("proxmox: [{name: a, hosts: [h], token_id: 'a@b!c', token_secret: x}]", "proxmox.0.token_secret",
         "proxmox.0", True),
        # What is allowed, and to whom.
        ("farm: {read_only: ture}", "farm.read_only", "farm.read_only", True),
        ("farm: {readonly: true}", "farm.readonly", "farm.readonly", True),
        ("farm: 3", "farm", "farm", True),
        ("ui: {read_only: true}", "ui.read_only", "ui.read_only", True),
        ("read_only: true", "read_only", "read_only", True),
        ("roles: {operators: ina}", "roles.operators", "roles.operators", True),
        ("rolse: {operators: [ina]}", "rolse", "rolse", True),
        ("protected: [db-1]", "protected", "protected", True),
        ("journal: {url: 3}", "journal.url", "journal.url", True),
        ("runbooks: {announce: {}}", "runbooks.announce", "runbooks.announce", True),
        ("promethues: {url: http://p}", "promethues", "promethues", False),
        # Without what it says of SSH, other host keys would be trusted.
        ("ssh: {known_hosts: 3}\nswarm: {hosts: [m]}", "ssh.known_hosts", "ssh.known_hosts, swarm", True),
        ("ssh: {connect_timeout_s: x}\nswarm: {hosts: [m]}", "ssh.connect_timeout_s", "ssh.connect_timeout_s", False),
        # What follows from a mistake is no mistake of its own.
        ("ceph: {pve: a}\nproxmox: [{name: a, hosts: [h], token_id: x, token_secret: env:S}]", "proxmox.0.token_id",
         "proxmox.0, ceph", True),
        ("proxmox: [{name: a, hosts: ['h h'], token_id: 'a@b!c', token_secret: env:S}]", "proxmox.0.hosts.0",
         "proxmox.0", False),
    ],
)  # fmt: skip
def test_what_a_mistake_costs(wrong: str, key: str, left_out: str, locks: bool) -> None:
    found = found_in(wrong)
    assert [(m.key, m.left_out) for m in found.mistakes] == [(key, left_out)]
    assert bool(why_locked(found.mistakes)) is locks
    for section in left_out.split(", "):
        if "." not in section and section in type(found.config).model_fields:
            assert section not in found.config.model_fields_set


def test_what_is_right_beside_it_stays() -> None:
    found = found_in(WHOLE + "proxmox:\n- {name: a}\n- {name: b, hosts: [h], token_id: 'a@b!c', token_secret: env:S}\n")
    assert [cluster.name for cluster in found.config.proxmox] == ["b"]
    assert found.config.prometheus == parse_config(WHOLE, FILE).prometheus
    assert {m.line for m in found.mistakes} == {5}


def test_items_are_named_by_their_place_in_the_file_whatever_went_before_them() -> None:
    cluster = "{{name: {0}, hosts: [h], token_id: 'a@b!c', token_secret: {1}}}"
    items = [cluster.format("a", "x"), cluster.format("b", "env:S"), cluster.format("c", "env:S, ca_file: [1]")]
    found = found_in("proxmox:\n" + "".join(f"- {item}\n" for item in items) + "ceph: {pve: d}\n")
    # That of ceph is seen when the others are out.
    told = [(m.line, m.key) for m in found.mistakes]
    assert (2, "proxmox.0.token_secret") in told
    assert (4, "proxmox.2.ca_file") in told
    assert [one.name for one in found.config.proxmox] == ["b"]


def test_a_key_given_twice_is_told_and_the_last_one_holds() -> None:
    found = found_in("ui: {theme: a, theme: b}\nroles: {operators: [a], operators: ['*']}\n")
    assert [(m.key, m.limits) for m in found.mistakes] == [("ui.theme", False), ("roles.operators", True)]
    assert found.config.ui.theme == "b"


@pytest.mark.parametrize("text", ["a: [\n", "a: b: c\n", "- 1\n", "x: &a [*a]\n", "ui:\n\tmouse: true\n"])
def test_of_what_is_no_yaml_nothing_is_taken_and_nothing_allowed(text: str) -> None:
    found = found_in(text)
    assert why_locked(found.mistakes)
    assert not found.config.model_fields_set


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not-utf-8", "a-folder"])
def test_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "farmtui.yaml"
    path.write_bytes(content) if content else path.mkdir()
    found = salvage_file(path)
    [mistake] = found.mistakes
    assert (found.readable, mistake.line, mistake.key, mistake.limits) == (False, 0, "", True)
    assert str(mistake).startswith(f"{path}: ")


def test_its_line_is_shown_without_what_may_be_a_secret() -> None:
    found = found_in("ui:\n  mouse: 7up # why\n  them: hunter2\ndigitalocean:\n  token: hunter2\n")
    assert [m.text for m in found.mistakes] == ["  mouse: 7up", "  them: •••", "  token: •••"]


def test_keys_and_figures_that_there_are_not_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "farmtui.yaml"
    path.write_text(
        "prometheus:\n  url: http://p\n  queries:\n    edge.requests_per_s: up\n    edge.reqests_per_s: up\n"
        "ui:\n  keys:\n    faults: f5\n    refresh: f5\n    quit: escape\n"
    )
    found = salvage_file(path, misfits)
    told = [(m.line, m.key) for m in found.mistakes]
    assert told == [(5, "prometheus.queries.edge.reqests_per_s"), (9, "ui.keys.refresh"), (10, "ui.keys.quit")]
    assert found.config.ui.keys == {"faults": "f5"}
    assert found.config.prometheus is not None
    assert list(found.config.prometheus.queries) == ["edge.requests_per_s"]
    assert not why_locked(found.mistakes)


def test_changes_are_named_by_key_and_by_name() -> None:
    cluster = "proxmox: [{{name: a, hosts: [{0}], token_id: 'a@b!c', token_secret: env:S}}]\n"
    before = parse_config(WHOLE + cluster.format("h"), FILE)
    after = parse_config(
        WHOLE.replace("http://b:9093", "http://c:9093") + cluster.format("k") + "ui: {theme: x, keys: {raw: Y}}", FILE
    )
    assert changes(before, after) == ["alertmanager.urls", "proxmox.a.hosts", "ui.theme", "ui.keys.raw"]
    assert changes(before, before) == []
    assert limits_differ(before, after) == ""
    assert limits_differ(before, parse_config(WHOLE + "roles: {operators: [a]}", FILE)) == "roles"
