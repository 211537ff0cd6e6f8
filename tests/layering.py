"""docs/layers.svg: the layers of the code as import-linter holds them, from its contract in pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from html import escape
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
_WIDTH, _ROW, _GAP, _MARGIN = 960, 34, 8, 14
_ENGINE, _SCREEN, _LINE, _TEXT = "#e8f0fa", "#fdf1dc", "#5b6b80", "#1c2430"


def contracts() -> list[dict[str, Any]]:
    """import-linter's contracts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


def layers() -> list[list[str]]:
    """The modules of each layer, the topmost first: a module may import what stands below it."""
    [contract] = [one for one in contracts() if one["type"] == "layers"]
    return [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]


def engine() -> set[str]:
    """The modules that are held to be without Textual."""
    [contract] = [one for one in contracts() if "textual" in one.get("forbidden_modules", ())]
    return set(contract["source_modules"])


def picture() -> str:
    """The SVG: a row for each layer, engine and screen in two colours, an arrow for the direction of imports."""
    rows, without = layers(), engine()
    height = 2 * _MARGIN + len(rows) * (_ROW + _GAP) + 22
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-size="12"'
            ' font-family="DejaVu Sans, Verdana, sans-serif">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<path d="M24 {_MARGIN} V{height - 40} m-6 -10 l6 10 l6 -10" fill="none" stroke="{_LINE}" stroke-width="2"/>',
    ]
    for number, modules in enumerate(rows):
        y = _MARGIN + number * (_ROW + _GAP)
        left, room = 48.0, _WIDTH - 48.0 - _MARGIN
        # Each box as wide as its name wants, and all together as wide as the picture.
        wanted = [len(module) + 4 for module in modules]
        free = room - _GAP * (len(modules) - 1)
        for module, share in zip(modules, wanted, strict=True):
            width = free * share / sum(wanted)
            fill = _ENGINE if module in without else _SCREEN
            lines += [
                (
                    f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{_ROW}" rx="4" fill="{fill}"'
                    f' stroke="{_LINE}"/>'
                ),
                (
                    f'<text x="{left + width / 2:.1f}" y="{y + 21}" text-anchor="middle" fill="{_TEXT}"'
                    f' font-size="{min(12.0, 1.62 * width / len(module)):.1f}">{escape(module)}</text>'
                ),
            ]
            left += width + _GAP
    y = height - 12
    lines += [
        f'<rect x="48" y="{y - 11}" width="14" height="14" fill="{_ENGINE}" stroke="{_LINE}"/>',
        f'<text x="68" y="{y}" fill="{_TEXT}">the engine: held to be without Textual</text>',
        f'<rect x="330" y="{y - 11}" width="14" height="14" fill="{_SCREEN}" stroke="{_LINE}"/>',
        f'<text x="350" y="{y}" fill="{_TEXT}">may use it</text>',
        f'<text x="470" y="{y}" fill="{_TEXT}">a module may import what stands below it</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
