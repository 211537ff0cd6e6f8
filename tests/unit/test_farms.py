"""Farms by name: the folder's, the one that is found without a name, and one that was opened from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.config import ConfigError, load_config
from farmtui.config.farms import find_farm, known_farms


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("FARMTUI_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "farmtui" / "farms"
    found.mkdir(parents=True)
    return found


def test_without_any_it_says_where_they_belong(folder: Path) -> None:
    assert known_farms() == {}
    with pytest.raises(ConfigError, match=str(folder)):
        find_farm("shop")


def test_each_file_is_a_farm_and_so_is_a_link_to_one_that_is_kept_elsewhere(folder: Path, tmp_path: Path) -> None:
    (folder / "shop.yaml").write_text("farm: {name: x}\n")
    kept = tmp_path / "repository" / "farmtui.yaml"
    kept.parent.mkdir()
    kept.write_text("prometheus: {url: http://p, ca_file: ca.pem}\n")
    (folder / "blog.yaml").symlink_to(kept)
    (folder / ".draft.yaml").write_text("")
    (folder / "notes.txt").write_text("")
    assert list(known_farms()) == ["blog", "shop"]
    found = load_config(find_farm("blog"))
    assert found.prometheus is not None
    assert found.prometheus.ca_file == kept.parent / "ca.pem", "relative to the file, not to the link"
    # It is the same one, by whichever way it was opened.
    assert list(known_farms(kept)) == ["blog", "shop"]


def test_what_is_found_without_a_name_and_what_was_opened_have_one_too(folder: Path, tmp_path: Path) -> None:
    (folder / "shop.yaml").write_text("")
    (folder.parent / "config.yaml").write_text("")
    other = tmp_path / "shop.yaml"
    other.write_text("")
    assert list(known_farms(other, None)) == ["shop", "default", "shop-"]
    with pytest.raises(ConfigError, match="did you mean shop"):
        find_farm("shpo")
