"""Writes what is generated in docs/: `python -m tests.regenerate` (`make docs`). A test holds each file up to date."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from farmtui import config, config_text
from tests import screenshot

ROOT = Path(__file__).parent.parent


def config_reference() -> str:
    """docs/config.md."""
    return config_text.reference()


def config_schema() -> str:
    """docs/config.schema.json."""
    return f"{json.dumps(config.schema(), indent=2)}\n"


GENERATED: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "docs/config.md": config_reference,
        "docs/config.schema.json": config_schema,
        "docs/screenshot.svg": screenshot.svg,
    }
)
"""Each generated file, by its path from the project's root, and what gives its text."""


def main() -> int:
    """Write every file whose text differs, and say which."""
    for name, text_of in GENERATED.items():
        path, text = ROOT / name, text_of()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
