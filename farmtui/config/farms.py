"""Several farms: a config file each, in one folder, by its name. There is no list beside it that could be wrong."""

from __future__ import annotations

import contextlib
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from platformdirs import user_config_path

from farmtui.config.loading import ConfigError, find_config

DEFAULT: Final = "default"
"""What the config is called that is found without `--farm`."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def farms_folder() -> Path:
    """Where farms are: NAME.yaml, or a link of that name to a config that is kept elsewhere."""
    return user_config_path("farmtui") / "farms"


def known_farms(*opened: Path | None) -> dict[str, Path]:
    """Every farm's config by the farm's name: those of the folder, the one that is found without a name, the opened.

    A file whose name is no name for a farm is none. May block.
    """
    found: dict[str, Path] = {}
    folder = farms_folder()
    if folder.is_dir():
        for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
            if _NAME.fullmatch(path.stem):
                found.setdefault(path.stem, path)
    with contextlib.suppress(ConfigError):
        _add(found, DEFAULT, find_config(None))
    for path in filter(None, opened):
        _add(found, path.stem, path)
    return found


def _add(found: dict[str, Path], name: str, path: Path) -> None:
    """Add one that is not there by another name."""
    if not any(_same(path, known) for known in found.values()):
        while name in found:
            name = f"{name}-"
        found[name] = path


def find_farm(name: str, *opened: Path | None) -> Path:
    """The config of a farm. Raises ConfigError with the farms that there are."""
    known = known_farms(*opened)
    if name in known:
        return known[name]
    if not known:
        raise ConfigError(f"there is no farm {name!r}, and no other: put its config at {farms_folder() / 'NAME.yaml'}")
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ConfigError(f"there is no farm {name!r}; {hint}there are: {', '.join(known)} (in {farms_folder()})")


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
