"""Finding, reading and validating the config file: each error names the file, the line, the key and the remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from platformdirs import user_config_path

from farmtui.config.parsing import FileError, read_text
from farmtui.config.salvage import salvage
from farmtui.config.whole import Config

CONFIG_ENV = "FARMTUI_CONFIG"


class ConfigError(FileError):
    """A config that cannot be used. Each line of the text names the file, the place and the remedy."""


def config_paths(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """Where a config is looked for, first hit wins: --config, $FARMTUI_CONFIG, ./farmtui.yaml, the user's folder."""
    if explicit is not None:
        yield explicit
        return
    if environ.get(CONFIG_ENV):
        yield Path(environ[CONFIG_ENV]).expanduser()
        return
    yield Path("farmtui.yaml")
    yield user_config_path("farmtui") / "config.yaml"


def find_config(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The config file to use. Raises ConfigError with where it was looked for."""
    tried = list(config_paths(explicit, environ))
    for path in tried:
        if path.is_file():
            return path
    places = ", ".join(str(path) for path in tried)
    raise ConfigError(
        f"no config found (looked at {places}).\n"
        "Have one written with: farmtui init; or look around without one: farmtui demo"
    )


def load_config(path: Path) -> Config:
    """Read and validate one file. Raises ConfigError whose lines read `FILE:LINE: KEY: what; remedy`."""
    try:
        text = read_text(path)
    except FileError as error:
        raise ConfigError(str(error)) from None
    return parse_config(text, path)


def parse_config(text: str, path: Path) -> Config:
    """Validate a config's text; `path` is named in errors, and relative paths in the file are relative to it."""
    found = salvage(text, path)
    if found.mistakes:
        raise ConfigError("\n".join(map(str, found.mistakes)))
    return found.config
