"""Writing the config: valid before it is written, whole or not at all, and nothing that was there is lost."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farmtui.config import ConfigError
from farmtui.discovery.saving import SavingError, free_names, save

NOW = datetime(2026, 11, 29, 3, 4, 5, tzinfo=UTC)
TEXT = "farm: {name: shop}\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_one_is_for_the_user_alone_and_so_is_what_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "a/b/config.yaml"
    saved = save(path, TEXT, {"pve-token": "hunter2hunter2"}, replace=False, now=NOW)
    assert (saved.backup, saved.difference, saved.changed) == (None, (), True)
    assert everything(path.parent) == {"config.yaml": TEXT.encode(), "pve-token": b"hunter2hunter2\n"}
    assert {mode(path), mode(path.parent / "pve-token")} == {0o600}
    assert mode(path.parent) == 0o700


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("farm: {}\n")
    with pytest.raises(SavingError, match="--force"):
        save(path, TEXT, {"t": "secret"}, replace=False, now=NOW)
    assert everything(tmp_path) == {"config.yaml": b"farm: {}\n"}


def test_what_is_replaced_is_kept_with_its_mode_and_shown_without_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    before = (
        "prometheus:\n  url: http://p:9090\n  headers:\n    X-Scope-OrgID: swordfish\n    X-Key: env:KEY\n"
        "proxmox:\n- token_secret: 0123-4567\n"
    )
    path.write_text(before)
    path.chmod(0o640)
    saved = save(path, TEXT, {}, replace=True, now=NOW)
    assert saved.backup == tmp_path / "config.yaml.20261129-030405.bak"
    assert saved.backup.read_text() == before
    assert (mode(path), mode(saved.backup)) == (0o640, 0o640)
    shown = "\n".join(saved.difference)
    assert "-  url: http://p:9090" in shown
    assert "-    X-Key: env:KEY" in shown
    assert "+farm: {name: shop}" in shown
    assert "swordfish" not in shown
    assert "0123-4567" not in shown
    again = save(path, "farm: {}\n", {}, replace=True, now=NOW)
    assert again.backup == tmp_path / "config.yaml.20261129-030405.bak-2"


def test_the_same_again_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    saved = save(path, TEXT, {}, replace=True, now=NOW)
    assert (saved.changed, saved.backup) == (False, None)
    assert everything(tmp_path) == {"config.yaml": TEXT.encode()}


def test_what_is_no_config_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="naem"):
        save(tmp_path / "config.yaml", "farm: {naem: x}\n", {"t": "secret"}, replace=True, now=NOW)
    assert everything(tmp_path) == {}


def test_a_failure_halfway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("farm: {}\n")
    before = everything(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavingError, match="No space left"):
        save(path, TEXT, {"t": "secret"}, replace=True, now=NOW)
    assert {name: text for name, text in everything(tmp_path).items() if "secret" in text.decode()} == {}
    assert everything(tmp_path)["config.yaml"] == before["config.yaml"]


def test_names_that_are_free(tmp_path: Path) -> None:
    (tmp_path / "pve-token").touch()
    assert free_names(tmp_path, ["pve-token", "do-token", "do-token"]) == ("pve-token-2", "do-token", "do-token-2")
