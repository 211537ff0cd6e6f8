"""Which hosts ssh knows: what its files name, and which machine is meant by a name of theirs."""

from __future__ import annotations

from pathlib import Path

from farmtui.discovery.ssh_names import SshNames, ssh_names

CONFIG = """\
Include conf.d/*.conf
Host bastion
  HostName 192.0.2.1
host=cache-1 cache-2
  HostName %h.farm.example
  ProxyJump bastion
Host db
  HostName=10.0.0.5
  ProxyCommand none
Host *.farm.example !x
  User ops
Match user root
  HostName 10.9.9.9
Host "un closed
"""


def names(folder: Path, config: str = CONFIG, known: str = "") -> SshNames:
    (folder / "conf.d").mkdir(exist_ok=True)
    (folder / "conf.d/a.conf").write_text("Host worker-1\n  HostName 10.0.0.21\n  ProxyJump bastion\n")
    (folder / "config").write_text(config)
    (folder / "known_hosts").write_text(known)
    return ssh_names([folder / "config"], [folder / "known_hosts"], folder)


def test_names_jumps_wildcards_and_what_is_included(tmp_path: Path) -> None:
    found = names(tmp_path)
    assert dict(found.hosts) == {
        "worker-1": "10.0.0.21",
        "bastion": "192.0.2.1",
        "cache-1": "cache-1.farm.example",
        "cache-2": "cache-2.farm.example",
        "db": "10.0.0.5",
    }
    assert (found.jumps, found.wildcards) == (3, 2)


def test_known_hosts(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        known="""\
# a comment
[mon-1.example]:2222,10.0.0.9 ssh-ed25519 AAAA
|1|abc=|def= ssh-ed25519 AAAA
@cert-authority *.farm.example ssh-ed25519 AAAA
@revoked old.example ssh-ed25519 AAAA
Edge-1 ssh-ed25519 AAAA
""",
    )
    assert found.known == {"mon-1.example", "10.0.0.9", "edge-1"}
    assert found.hashed == 1


def test_a_machine_is_known_by_name_then_by_address_then_by_its_key(tmp_path: Path) -> None:
    found = names(tmp_path, known="10.0.0.9 ssh-ed25519 AAAA\nmon-2 ssh-ed25519 AAAA\n")
    assert found.name_of(["CACHE-1"], []) == "cache-1"
    assert found.name_of(["cache-2.other.example"], []) == "cache-2"
    assert found.name_of(["galera-a"], ["10.0.0.4", "10.0.0.5"]) == "db"
    assert found.name_of(["cache-1.farm.example"], []) == "cache-1"
    assert found.name_of(["mon-1"], ["10.0.0.9"]) == "10.0.0.9"
    assert found.name_of(["mon-2"], []) == "mon-2"
    assert found.name_of(["stranger"], ["10.0.0.99"]) == ""
    assert found.name_of([""], []) == ""


def test_files_that_are_not_there_or_include_themselves(tmp_path: Path) -> None:
    assert ssh_names([tmp_path / "a"], [tmp_path / "b"], tmp_path) == SshNames()
    found = names(tmp_path, f"Include {tmp_path / 'config'}\nHost a\n")
    assert dict(found.hosts) == {"a": "a"}
