"""doctl's config: its token is referred to by a command that prints it, and its value is shown by nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.discovery.doctl import Doctl, doctl
from farmtui.secrets import REDACTED, Secret, redact

TOKEN = "dop_v1_" + "0123456789abcdef" * 4


def told(home: Path, text: str, place: str = ".config/doctl/config.yaml") -> Doctl:
    path = home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return doctl(home, {})


def test_there_is_none(tmp_path: Path) -> None:
    assert doctl(tmp_path, {}) == Doctl()


@pytest.mark.parametrize(
    "place", [".config/doctl/config.yaml", "Library/Application Support/doctl/config.yaml"], ids=["linux", "mac"]
)
def test_the_default_context(tmp_path: Path, place: str) -> None:
    found = told(tmp_path, f"access-token: {TOKEN}\napi-url: https://api.example\ncontext: default\n", place)
    assert found.token is not None
    assert Secret(found.token.reference).reveal() == TOKEN
    assert found.token.endpoint == "https://api.example"
    assert TOKEN not in repr(found)
    assert redact(f"x {TOKEN}") == f"x {REDACTED}"


def test_another_context_whose_name_is_no_pattern(tmp_path: Path) -> None:
    other = TOKEN.replace("0", "f")
    contexts = f"auth-contexts:\n  shopxeu: {TOKEN}\n  shop.eu: {other}\n  z: {TOKEN}\n"
    found = told(tmp_path, f"access-token: {TOKEN}\n{contexts}context: shop.eu\n")
    assert found.token is not None
    assert Secret(found.token.reference).reveal() == other


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("context: default\n", "no token for its context default; run: doctl auth init"),
        ("access-token: ''\n", "no token for its context default"),
        ("context: gone\nauth-contexts: {a: b}\n", "no token for its context gone"),
        ("auth-contexts: 3\ncontext: x\n", "no token for its context x"),
        ("a: [\n", "is not YAML"),
        ("- a\n", "no token"),
        (f'access-token: "{TOKEN}"\n', "written in a way that no single command reads"),
        (f"auth-contexts: {{a: {TOKEN}}}\ncontext: a\n", "written in a way that no single command reads"),
    ],
)
def test_a_config_without_a_token_that_can_be_referred_to(tmp_path: Path, text: str, why: str) -> None:
    found = told(tmp_path, text)
    assert found.token is None
    assert why in found.problem
    assert TOKEN not in found.problem


def test_one_that_is_too_long_or_no_text(tmp_path: Path) -> None:
    assert "longer" in told(tmp_path, "a" * 1_000_001).problem
    (tmp_path / ".config/doctl/config.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in doctl(tmp_path, {}).problem


def test_the_folder_that_the_environment_names_comes_first(tmp_path: Path) -> None:
    told(tmp_path, f"access-token: {TOKEN}\n")
    (tmp_path / "xdg/doctl").mkdir(parents=True)
    (tmp_path / "xdg/doctl/config.yaml").write_text("context: empty\n")
    assert "xdg" in doctl(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}).problem
