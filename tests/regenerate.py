"""Writes what is generated in docs/: `python -m tests.regenerate` (`make docs`). A test holds each file up to date."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from farmtui import config
from farmtui.config import text as config_text
from farmtui.keys import GLOBAL, key_scopes
from farmtui.runbooks import book
from farmtui.sources.prometheus import catalogue
from screens.console import SCREENS
from tests import layering, manual, screenshot
from tests.tour import guide

ROOT = Path(__file__).parent.parent


def config_reference() -> str:
    """docs/config.md."""
    return config_text.reference()


def config_schema() -> str:
    """docs/config.schema.json."""
    return f"{json.dumps(config.schema(), indent=2)}\n"


def runbook_schema() -> str:
    """docs/runbook.schema.json."""
    return f"{json.dumps(book.schema(), indent=2)}\n"


def figure_catalogue() -> str:
    """docs/catalogue.md."""
    return catalogue.markdown(catalogue.catalogue())


def key_reference() -> str:
    """docs/keys.md."""
    lines = [
        "# Keys",
        "",
        "Each can be moved or taken off in the config: `ui.keys: {ID: KEYS}`, an empty text for none;",
        "`farmtui config keys` lists what is in force. `?` in the console shows what works where you are.",
    ]
    for scope, bindings in key_scopes().items():
        lines += ["", f"## {scope.capitalize()}", "", "| keys | id | what it does |", "|---|---|---|"]
        for binding in bindings:
            keys = ", ".join(f"`{key}`" for key in binding.key.split(",")).replace("|", "\\|")
            lines.append(
                f"| {keys} | {f'`{binding.id}`' if binding.id else '–'} | {binding.tooltip or binding.description} |"
            )
    names = [f"`:{name}`" for entry in SCREENS for name in (entry.name, *entry.names)]
    lines += ["", "## Prompt", "", f"Screens: {', '.join(dict.fromkeys(names))}.", ""]
    commands = [command for command in GLOBAL if command.names and not command.id.startswith("go.")]
    lines += ["| command | what it does |", "|---|---|"]
    for command in commands:
        argument = f" {command.argument.upper()}" if command.argument else ""
        words = ", ".join(f"`:{name}{argument}`" for name in command.names)
        lines.append(f"| {words} | {command.help} |")
    return "\n".join(lines) + "\n"


GENERATED: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "docs/config.md": config_reference,
        "docs/config.schema.json": config_schema,
        "docs/runbook.schema.json": runbook_schema,
        "docs/catalogue.md": figure_catalogue,
        "docs/keys.md": key_reference,
        "docs/farmtui.1": manual.page,
        "docs/layers.svg": layering.picture,
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
    # The tour's pictures are of runs and clocks, no two of which are alike: they are kept while they say the same.
    return guide.main()


if __name__ == "__main__":
    sys.exit(main())
