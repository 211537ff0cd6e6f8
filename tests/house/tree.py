"""The project's own files, as a checkout holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("farmtui", "screens", "widgets", "themes")
_MADE = ("build", "dist", "node_modules")


def files(*suffixes: str, below: Path = ROOT) -> Iterator[Path]:
    """Every file of the project with one of the suffixes (none: all), without what tools have made."""
    for path in sorted(below.iterdir()):
        if path.is_dir():
            if not _is_made(path):
                yield from files(*suffixes, below=path)
        elif not suffixes or path.suffix in suffixes:
            yield path


def name(path: Path) -> str:
    """A file's name from the project's root."""
    return path.relative_to(ROOT).as_posix()


def _is_made(folder: Path) -> bool:
    if folder.name.startswith("."):
        return folder.name != ".ci"
    return folder.name in _MADE or folder.name.endswith((".egg-info", "__pycache__"))
