"""Who is let in: pure rules."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import pytest

from farmtui.web import access as module
from farmtui.web.access import Access, AccessError, is_loopback, new_token
from farmtui.web.start import ServeError, Wanted, address_of, session_arguments, token_of, told

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("LOCALHOST", True),
        ("[::1]:8765", True),
        ("127.0.0.53", True),
        ("wall.example.net", True),
        ("WALL.example.net:80", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("wall.example.net.evil.example", False),
        ("10.0.0.5:8765", False),
        ("evil.example@127.0.0.1", False),
        ("127.0.0.1/evil", False),
        ("127.0.0.1 evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_only_our_own_names_are_answered_to(host: str, known: bool) -> None:
    assert Access(TOKEN, 8765, frozenset({"wall.example.net"})).knows_host(host) is known


def test_plain_addresses_are_known_where_others_may_reach_it() -> None:
    open_one = Access(TOKEN, 8765, loopback=False)
    assert open_one.knows_host("10.0.0.5:8765")
    assert open_one.knows_host("[2001:db8::5]:8765")
    assert not open_one.knows_host("rebound.example")


@pytest.mark.parametrize(
    ("origin", "known"),
    [
        ("http://127.0.0.1:8765", True),
        ("https://127.0.0.1:8765", True),
        ("http://localhost:8765", False),
        ("http://127.0.0.1:8766", False),
        ("http://127.0.0.1", False),
        ("http://evil.example", False),
        ("http://127.0.0.1:8765.evil.example", False),
        ("ws://127.0.0.1:8765", False),
        ("null", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_only_our_own_pages_open_the_socket(origin: str, known: bool) -> None:
    assert Access(TOKEN, 8765).knows_origin(origin, "127.0.0.1:8765") is known


def test_token_and_cookie_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def noted(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Noting:
        new = staticmethod(hmac.new)
        compare_digest = staticmethod(noted)

    monkeypatch.setattr(module, "hmac", Noting)
    rules = Access(TOKEN, 1)
    assert rules.token_is(TOKEN)
    assert not rules.token_is("")
    assert not rules.token_is(TOKEN + "x")
    assert not rules.token_is("ü\udc80")
    assert rules.cookie_is(rules.cookie)
    assert not rules.cookie_is(TOKEN)
    assert len(compared) == 6


def test_the_cookie_outlives_a_restart_and_tells_nothing_of_the_token() -> None:
    assert Access(TOKEN, 1).cookie == Access(TOKEN, 2).cookie
    assert TOKEN not in Access(TOKEN, 1).cookie
    assert Access(TOKEN, 1).cookie != Access(TOKEN + "x", 1).cookie
    assert Access(TOKEN, 1).cookie_name != Access(TOKEN, 2).cookie_name


def test_a_token_is_long_or_new_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="at least 16"):
        Access("short", 1)
    assert len({new_token() for _ in range(50)}) == 50
    assert len(new_token()) >= 32
    (tmp_path / "token").write_text("from-a-file-0123456789\n")
    assert token_of(f"file:{tmp_path / 'token'}") == "from-a-file-0123456789"
    assert token_of("") != token_of("")
    with pytest.raises(ServeError, match="by reference") as refused:
        token_of("pasted-instead-of-a-reference")
    assert "pasted" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "only_here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False), ("10.0.0.5", False),
     ("::", False), ("wall.example.net", False)],
)  # fmt: skip
def test_what_is_loopback(host: str, only_here: bool) -> None:
    assert is_loopback(host) is only_here


def test_it_listens_on_loopback_unless_told() -> None:
    assert is_loopback(Wanted().host)
    assert address_of("0.0.0.0", 8765) == "http://127.0.0.1:8765/"
    assert address_of("::1", 8765) == "http://[::1]:8765/"


def test_a_session_is_read_only_unless_told() -> None:
    config = Path("farmtui.yaml")
    assert "--read-only" in session_arguments(config, Wanted())
    assert "--read-only" not in session_arguments(config, Wanted(allow_changes=True))
    assert session_arguments(config, Wanted(wall=True, every_s=20))[3:] == [
        "wall", "--config", "farmtui.yaml", "--every", "20",
    ]  # fmt: skip


def test_what_it_says_when_it_serves() -> None:
    at = "http://127.0.0.1:8765/"
    assert told(Wanted(), at, TOKEN)[0].endswith(f"?token={TOKEN}")
    kept = " ".join(told(Wanted(token="env:X"), at, TOKEN))
    assert TOKEN not in kept
    assert "read-only" in kept
    assert "WITH CHANGES" in " ".join(told(Wanted(allow_changes=True), at, TOKEN))
    assert "plain HTTP" in " ".join(told(Wanted(host="0.0.0.0"), at, TOKEN))
