"""One of a thing is told in the singular."""

from __future__ import annotations

from farmtui.discovery.ssh_names import SshNames
from farmtui.discovery.surroundings import Surroundings
from farmtui.discovery.words import here
from farmtui.plain import Page


def test_one_host_and_one_line() -> None:
    one = SshNames(files=("~/.ssh/config",), hosts={"a": "a"}, known=frozenset({"a"}), hashed=1)
    told = " ".join(here(Surroundings(ssh=one), Page()).split())
    assert "config: 1 host" in told
    assert "keys of 1 host, and 1 line whose" in told
    several = SshNames(files=("~/.ssh/config",), hosts={"a": "a", "b": "b"}, known=frozenset({"a", "b"}), hashed=2)
    told = " ".join(here(Surroundings(ssh=several), Page()).split())
    assert "config: 2 hosts" in told
    assert "keys of 2 hosts, and 2 lines whose" in told
