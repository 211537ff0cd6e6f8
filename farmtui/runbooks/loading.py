"""The shelf: books that ship with farmtui and books of the users' own, and those that are broken, with why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from farmtui.config.parsing import FileError, parse, read_text
from farmtui.config.places import line_of
from farmtui.runbooks.book import Book
from farmtui.runbooks.inputs import FACTS, OTHER_NAMES
from farmtui.runbooks.template import RenderError, names_in

LIBRARY: Final = Path(__file__).with_name("library")
LIMIT_BYTES: Final = 200_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A book and where it stands."""

    name: str
    book: Book
    path: Path
    own: bool
    """Of the users, not of the library."""
    replaces: bool = False
    """The library has one of this name; this one stands in its place."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that is no book."""

    name: str
    path: Path
    why: str
    """Lines of `FILE:LINE: KEY: what; remedy`."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """All books, by name."""

    books: dict[str, Shelved] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()


def load_book(path: Path) -> Book:
    """Read a book. Raises FileError with every mistake: `FILE:LINE: KEY: what; remedy`."""
    return read_book(path)[0]


def read_book(path: Path) -> tuple[Book, yaml.Node | None]:
    """A book, and the YAML's nodes for the lines of later findings. Raises FileError as `load_book` does."""
    if not _NAME.fullmatch(path.stem):
        raise FileError(f"{path}: a book's file is named by small letters, digits and dashes: restart-varnish.yaml")
    text = read_text(path)
    if len(text) > LIMIT_BYTES:
        raise FileError(f"{path}: is longer than {LIMIT_BYTES} characters, and no book")
    book, root = parse(text, path, Book, like="those that `farmtui runbooks show NAME` prints")
    mistakes = sorted(_mistakes(book, root))
    if mistakes:
        raise FileError("\n".join(f"{path}:{line}: {words}" for line, words in mistakes))
    return book, root


def _mistakes(book: Book, root: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """What is wrong with the templates: their form, and names that there are not."""
    for where, text, _ in book.texts():
        place, line = ".".join(map(str, where)), line_of(root, where)
        try:
            for name, *rest in names_in(text):
                given = book.inputs.get(name)
                if given is None and name not in OTHER_NAMES:
                    known = ", ".join([*book.inputs, *OTHER_NAMES])
                    yield line, f"{place}: there is no {name!r}; there are {known}"
                elif given is not None and rest and rest[0] not in FACTS.get(given.type, ()):
                    facts = ", ".join(FACTS.get(given.type, ())) or "nothing"
                    yield line, f"{place}: a {given.type} has no {rest[0]!r}; it has {facts}"
        except RenderError as error:
            yield line, f"{place}: {error}"
    for number, step in enumerate(book.steps):
        if step.ssh is not None and step.ssh.hosts is not None:
            name = step.ssh.hosts
            if name not in book.inputs or book.inputs[name].type != "nodes":
                at = ("steps", number, "ssh", "hosts")
                yield line_of(root, at), f"{'.'.join(map(str, at))}: must be the name of an input of type nodes"


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in (LIBRARY, *folders):
        yield from sorted(folder.glob("*.yaml")) if folder.is_dir() else ()


def signature(folders: Sequence[Path]) -> frozenset[tuple[Path, int, int]]:
    """Changes when a book is added, changed or removed."""
    return frozenset((path, (told := path.stat()).st_mtime_ns, told.st_size) for path in _files(folders))


def shelf(folders: Sequence[Path]) -> Shelf:
    """The library, and what is in the users' folders; a later one's book stands in the place of an earlier one's."""
    books: dict[str, Shelved] = {}
    broken: list[Broken] = []
    for path in _files(folders):
        try:
            book = load_book(path)
        except FileError as error:
            broken.append(Broken(path.stem, path, str(error)))
            continue
        own = path.parent != LIBRARY
        books[path.stem] = Shelved(path.stem, book, path, own, replaces=own and path.stem in books)
    return Shelf(dict(sorted(books.items())), tuple(broken))
