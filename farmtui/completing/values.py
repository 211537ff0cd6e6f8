"""The values that options and arguments may have, by the parameter's name: one entry here completes it everywhere.

Nothing heavy is imported, and nothing is asked over a network: of books the title is read, of journals those in SQLite.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

RUNS_MAX: Final = 50
"""So many runs are offered, the newest."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word, and what it means."""

    value: str
    help: str = ""


FILES: Final = Candidate(":files")
"""Stands for the names of files, which the shell itself knows best."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a command was given before the word that is being typed."""

    options: Mapping[str, str] = field(default_factory=dict)
    """By the parameter's name, those of the commands above too."""
    arguments: tuple[str, ...] = ()
    only_arguments: bool = False
    """After `--`."""

    def with_option(self, name: str | None, value: str) -> Typed:
        """With one more option."""
        return replace(self, options={**self.options, name or "": value})

    def with_argument(self, value: str) -> Typed:
        """With one more argument."""
        return replace(self, arguments=(*self.arguments, value))

    def ended(self) -> Typed:
        """After `--`."""
        return replace(self, only_arguments=True)


def config_file(typed: Typed) -> Path | None:
    """The config that this command line would use; farmtui.config.loading.find_config, which costs 0.2 s, agrees."""
    given = typed.options.get("config") or os.environ.get("FARMTUI_CONFIG")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_config_path

    places = (Path("farmtui.yaml"), user_config_path("farmtui") / "config.yaml")
    return next((path for path in places if path.is_file()), None)


def books(typed: Typed) -> list[Candidate]:
    """Every runbook with its title."""
    return [Candidate(name, _line(path, "title")) for name, path in sorted(_books(typed).items())]


def book_inputs(typed: Typed) -> list[Candidate]:
    """What the book that was named takes, and has not been given."""
    path = _books(typed).get(typed.arguments[0]) if typed.arguments else None
    inputs = _mapping(_read(path).get("inputs")) if path else {}
    given = {word.partition("=")[0] for word in typed.arguments[1:]}
    return [
        Candidate(f"{name}=", str(_mapping(one).get("help", "")))
        for name, one in inputs.items()
        if name not in given
    ]  # fmt: skip


def runs(typed: Typed) -> list[Candidate]:
    """The runs that have not ended, and where there is none the newest of all, newest first."""
    import json
    import sqlite3
    from contextlib import closing

    path = _journal(typed)
    if path is None or not path.is_file():
        return []
    # A lock is not waited for, and nothing is made or changed.
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.05)) as journal:
            planned = journal.execute(
                "SELECT run, body, run IN (SELECT run FROM farmtui_entry WHERE kind = 'ended') FROM farmtui_entry"
                " WHERE kind = 'planned' ORDER BY seq DESC LIMIT ?", (RUNS_MAX,)
            ).fetchall()  # fmt: skip
    except sqlite3.Error:
        return []
    going = [row for row in planned if not row[2]]
    return [Candidate(run, str(json.loads(body)["plan"]["title"])) for run, body, _ in going or planned]


def faults(_typed: Typed) -> list[Candidate]:
    """What the simulated farm can be started with."""
    from farmtui.demo.faults import FAULTS

    return [Candidate(name, fault.words) for name, fault in FAULTS.items()]


def screens(_typed: Typed) -> list[Candidate]:
    """The screens."""
    from screens.console import SCREENS

    return [Candidate(entry.name, entry.help) for entry in SCREENS]


def themes(_typed: Typed) -> list[Candidate]:
    """Our themes, and the user's."""
    from platformdirs import user_config_path

    ours = find_spec("themes")
    folders = [*(ours.submodule_search_locations or () if ours else ()), user_config_path("farmtui") / "themes"]
    files = [path for folder in folders for path in sorted(Path(folder).glob("*.y*ml"))]
    return [Candidate(name) for name in dict.fromkeys(_line(path, "name") for path in files) if name]


def shells(_typed: Typed) -> list[Candidate]:
    """The shells that there is a script for."""
    from farmtui.completing.shells import SHELLS

    return [Candidate(name) for name in SHELLS]


VALUES: Final[Mapping[str, Callable[[Typed], Sequence[Candidate]]]] = MappingProxyType(
    {
        "book": books,
        "inputs": book_inputs,
        "run": runs,
        "fault": faults,
        "screen": screens,
        "theme": themes,
        "shell": shells,
    }
)


# -- inside -------------------------------------------------------------------------------------


def _books(typed: Typed) -> dict[str, Path]:
    """Each book's file: the library's, then the user's own, which take the place of those."""
    from platformdirs import user_config_path

    runbooks = find_spec("farmtui.runbooks")
    library = [Path(place) / "library" for place in (runbooks.submodule_search_locations or () if runbooks else ())]
    return {path.stem: path for folder in (*library, user_config_path("farmtui") / "runbooks", *_more(typed))
            for path in sorted(folder.glob("*.yaml"))}  # fmt: skip


def _more(typed: Typed) -> Iterator[Path]:
    """The folders of books that the config names."""
    config = config_file(typed)
    if config is not None:
        folders = _mapping(_read(config).get("runbooks")).get("folders")
        for folder in folders if isinstance(folders, list) else ():
            yield config.parent / Path(str(folder)).expanduser()


def _journal(typed: Typed) -> Path | None:
    """The journal's file; None where it is not in one: a server is not asked while somebody types."""
    from platformdirs import user_state_path

    config = config_file(typed)
    url = str(_mapping(_read(config).get("journal")).get("url") or "") if config is not None else ""
    if not url:
        return user_state_path("farmtui") / "journal.db"
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def _line(path: Path, key: str) -> str:
    """The value of a key at the margin of a YAML file, which is not parsed: there are many, and it takes time."""
    found = re.search(rf"^{key}: *(.+?) *$", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return found[1].strip("'\"") if found else ""


def _read(path: Path) -> Mapping[str, Any]:
    """A YAML file's mapping; empty where it is none: what is wrong with it is told by what reads it in earnest."""
    import yaml

    try:
        return _mapping(yaml.safe_load(path.read_text(encoding="utf-8", errors="replace")))
    except (OSError, yaml.YAMLError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
