"""The config: what is accepted, and errors that name the place, the key and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.config import Config, ConfigError, find_config, load_config, parse_config
from farmtui.farm.node import Tier

FILE = Path("/etc/farm/farmtui.yaml")


def problem(text: str) -> str:
    """The words of the error that `text` gives."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    return str(caught.value)


def test_an_empty_file_is_a_config_with_nothing_configured() -> None:
    config = parse_config("# nothing yet\n", FILE)
    assert config == Config()
    assert config.prometheus is None
    assert config.farm.name == "farm"


def test_a_section_without_lines_means_its_defaults() -> None:
    config = parse_config("farm:\n  # name: shop\nui:\nprometheus:\ntiers:\n  cache:\n", FILE)
    assert config == parse_config("tiers: {cache: {}}", FILE)
    assert config.prometheus is None


def test_twenty_lines_make_a_farm() -> None:
    config = parse_config(
        """
farm: {name: shop, sites: 500}
tiers:
  cache: {expect: 3, match: ["cache-*"]}
  app: {expect: 23, match: ["worker-*", "manager-*"]}
prometheus: {url: "http://prometheus.example:9090/"}
alertmanager: {urls: ["http://am-1.example:9093", "http://am-2.example:9093"]}
proxmox:
  - name: main
    hosts: [pve-1.example, "pve-2.example:8006", "[2001:db8::1]:8006"]
    token_id: farmtui@pve!console
    token_secret: env:PVE_TOKEN
digitalocean: {token: "file:do-token"}
""",
        FILE,
    )
    assert config.farm.sites == 500
    assert config.prometheus is not None
    assert config.prometheus.url == "http://prometheus.example:9090"
    assert config.digitalocean is not None
    assert config.digitalocean.token == "file:/etc/farm/do-token"
    assert [config.tier_by_name(name) for name in ("cache-1", "manager-2", "pve-1")] == [Tier.CACHE, Tier.APP, None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("farm:\n  naem: x\n", ":2: farm.naem: is not a key farmtui knows; did you mean name?"),
        ("promtheus: {}\n", ":1: promtheus: is not a key farmtui knows; did you mean prometheus?"),
        ("farm:\n  zzz: 1\n", "known here: name, colour, sites, read_only"),
        (
            "tiers:\n  cache:\n    expects: 3\n",
            ":3: tiers.cache.expects: is not a key farmtui knows; did you mean expect?",
        ),
        ("tiers:\n  caches: {}\n", ":2: tiers.caches: Input should be 'edge', 'cache'"),
        ("proxmox:\n- name: a\n  host: x\n", ":3: proxmox.0.host: is not a key farmtui knows; did you mean hosts?"),
        ("prometheus:\n  pool_size: 8\n", ":1: prometheus.url: is missing"),
        ("prometheus:\n  url: prom:9090\n", ":2: prometheus.url: must be an http:// or https:// address"),
        ("prometheus:\n  url: http://h:99999\n", ":2: prometheus.url: must be an http:// or https:// address"),
        ("prometheus:\n  url: 'http://[::1'\n", ":2: prometheus.url: must be an http:// or https:// address"),
        ("prometheus:\n  url: http://h/?a=b\n", ":2: prometheus.url: must be the base address"),
        ("prometheus:\n  url: http://h\n  interval_s: .nan\n", ":3: prometheus.interval_s: Input should be"),
        (
            "prometheus:\n  url: http://h\n  interval_s: 0\n",
            ":3: prometheus.interval_s: Input should be greater than 0",
        ),
        ("prometheus:\n  url: http://h\n  ca_file: ~nobody-here/ca.pem\n", ":3: prometheus.ca_file: begins with a ~"),
        ("farm: 3\n", ":1: farm: must be a section"),
        ("tiers:\n  cache:\n    match: cache-*\n", ":3: tiers.cache.match: must be a list"),
        ("farm:\n  name: 8080\n", ":2: farm.name: must be a text: put it in quotes"),
        ("farm:\n  name: a\n  sites: 1\n  name: b\n", ":4: farm.name: given twice; remove one"),
        ("farm:\n  1: x\n", ":2: farm.1: is not a text: put the key in quotes"),
        ("- a\n- b\n", ":1: the file must be a mapping of sections"),
        ("farm: {name: a\nui: {}\n", ":2: not YAML: "),
        ("farm:\n  name: \x01\n", ":2: not YAML: a control character (U+0001)"),
        ("a: &a [*a]\n", ": a: is not a key farmtui knows"),
        ("farm: &a {name: x, sites: *a}\n", ":1: farm.sites: "),
        ("farm: {sites: !!int ''}\n", ": not YAML: a value does not fit its tag"),
        ("farm: {name: 2026-13-45}\n", ": not YAML: a value does not fit its tag"),
        ("alertmanager:\n  urls: []\n", ":2: alertmanager.urls: List should have at least 1 item"),
        (
            "proxmox:\n- {name: a, hosts: ['https://pve:8006'], token_id: 'a@b!c', token_secret: 'env:X'}\n",
            "without https://",
        ),
        (
            "proxmox:\n- {name: a, hosts: ['pve:http'], token_id: 'a@b!c', token_secret: 'env:X'}\n",
            "must be `host` or `host:port`",
        ),
        ("nodes: [{name: a}, {name: a}]\n", "nodes: the name 'a' is given twice"),
    ],
)
def test_errors_name_the_line_the_key_and_the_remedy(text: str, words: str) -> None:
    said = problem(text)
    assert said.startswith(str(FILE))
    assert words in said


def test_all_problems_are_told_at_once() -> None:
    said = problem("farm:\n  naem: x\n  sites: -1\nprometheus: {}\n").splitlines()
    assert [line.removeprefix(f"{FILE}:").split(": ")[0:2] for line in said] == [
        ["2", "farm.naem"],
        ["3", "farm.sites"],
        ["4", "prometheus.url"],
    ]


def test_aliases_to_aliases_take_no_time() -> None:
    levels = "\n".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]" for n in range(1, 25))
    said = problem(f"k0: &k0 [x]\n{levels}\n")
    assert "k24: is not a key farmtui knows" in said


def test_the_file_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "none.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"farm: {name: caf\xe9}\n")
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(byte 16\)"):
        load_config(latin)


def test_where_a_config_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = {"FARMTUI_CONFIG": str(tmp_path / "by-env.yaml")}
    with pytest.raises(ConfigError) as caught:
        find_config(None, {})
    assert "farmtui.yaml" in str(caught.value)
    assert "farmtui demo" in str(caught.value)
    with pytest.raises(ConfigError, match=r"by-env\.yaml"):
        find_config(None, home)
    Path("farmtui.yaml").write_text("")
    assert find_config(None, {}) == Path("farmtui.yaml")
    # Who names a file means that file: no other is taken in its place.
    with pytest.raises(ConfigError, match=r"by-env\.yaml"):
        find_config(None, home)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        find_config(tmp_path / "mine.yaml", home)


def test_an_unknown_key_below_an_unknown_tier_is_words_too() -> None:
    with pytest.raises(ConfigError, match="farm"):
        parse_config("tiers: {farm: {farm: false}}", Path("farmtui.yaml"))
