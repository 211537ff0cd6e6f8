"""Commands: ONE declaration gives the key binding, the footer's hint, the `:` name, the tooltip and the help."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

# Textual is imported where a binding is made of a declaration: completion at a shell's prompt reads these without it.
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.binding import Binding

UNBOUND = "unbound"
"""Prefix of a key name that no terminal sends: how a binding is taken off its key."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a person can do. `id` is what the config's `ui.keys` rebinds; `action` is Textual's."""

    id: str
    keys: str
    action: str
    title: str
    """One or two words, for the footer."""
    help: str
    """One sentence, for `?`, the tooltip and the `:` prompt."""
    names: tuple[str, ...] = ()
    """What it is called at the `:` prompt; none keeps it to its key."""
    argument: str = ""
    """Name of the argument that it takes at the prompt; the action then gets it as its only parameter."""
    optional: bool = False
    """Whether it can do without that argument, and gets an empty one then."""
    shown: bool = False
    """Whether the footer shows it."""
    group: str = "view"

    def binding(self) -> Binding:
        """Textual's form of it. A command that is only a `:` name has no key and must not be asked for one."""
        from textual.binding import Binding

        return Binding(self.keys, self.action, self.title, show=self.shown, id=self.id, tooltip=self.help)


def bindings(commands: Iterable[Command]) -> list[Binding]:
    """The bindings of all commands that have a key."""
    return [command.binding() for command in commands if command.keys]


def keymap(overrides: Mapping[str, str]) -> dict[str, str]:
    """Textual's keymap from the config's `ui.keys`; an empty text takes the binding off its key."""
    return {ident: keys.strip() or f"{UNBOUND}.{ident}" for ident, keys in overrides.items()}


def completions(typed: str, commands: Mapping[str, Command]) -> list[tuple[str, Command]]:
    """What a command's name may become, each command once: names that begin so first, then those that hold it."""
    begins = [known for known in commands if known.startswith(typed)]
    holds = [known for known in commands if typed in known and known not in begins]
    found: dict[str, tuple[str, Command]] = {}
    for known in (*begins, *holds):
        found.setdefault(commands[known].id, (known, commands[known]))
    return list(found.values())


def only_one(name: str, commands: Mapping[str, Command]) -> Command | None:
    """The command that a name begins alone: `:sto` is storage. Leaving wants its whole name."""
    found = {c.id: c for known, c in commands.items() if known.startswith(name) and c.id != "quit"}
    return next(iter(found.values())) if len(found) == 1 else None


RESERVED = frozenset({"ctrl+c", "escape", "enter", "up", "down", "colon"})
"""Keys without which nobody gets out again: no other command may take them."""


def keymap_problems(overrides: Mapping[str, str], scopes: Mapping[str, Sequence[Binding]]) -> list[tuple[str, str]]:
    """What is wrong with the config's `ui.keys`: ids with words; without these the rest can be used.

    `scopes` are the bindings by the place where they hold; the scope "everywhere" overlaps with all others.
    """
    problems: list[tuple[str, str]] = []
    kept = dict(overrides)
    # Without one, another key of the console's own may be in the way of a third.
    while found := _keymap_problems(kept, scopes):
        problems += found
        kept = {ident: keys for ident, keys in kept.items() if ident not in dict(found)}
    return sorted(problems)


def _keymap_problems(overrides: Mapping[str, str], scopes: Mapping[str, Sequence[Binding]]) -> list[tuple[str, str]]:
    known = {binding.id: scope for scope, items in scopes.items() for binding in items if binding.id}
    problems: set[tuple[str, str]] = set()
    for ident in overrides:
        if ident not in known:
            close = next(iter(get_close_matches(ident, filter(None, known), n=1)), "")
            hint = f"; did you mean {close}?" if close else ""
            problems.add((ident, f"is not a command{hint or '; `farmtui config keys` lists them'}"))
    for ident, keys in overrides.items():
        for key in filter(None, (part.strip() for part in keys.split(","))):
            if not is_key(key):
                problems.add((ident, f"{key!r} is not a key; write ctrl+n, f5, shift+tab or a character"))
            elif normal_key(key) in RESERVED:
                problems.add((ident, f"{key!r} is reserved; choose another"))
    # With the first scope of each: what is everywhere is in all others too.
    clashes: dict[tuple[str, str, str], str] = {}
    for scope, items in scopes.items():
        around = list(items) if scope == "everywhere" else [*items, *scopes.get("everywhere", ())]
        taken: dict[str, str] = {}
        for binding in around:
            keys = overrides.get(binding.id or "", binding.key)
            for key in filter(None, (normal_key(part.strip()) for part in keys.split(","))):
                other = taken.setdefault(key, binding.id or binding.action)
                mine = binding.id or binding.action
                if other != mine and {other, mine} & set(overrides) and key not in RESERVED:
                    # Of two that are both moved there, the one that the config names last.
                    wrong = [ident for ident in overrides if ident in (other, mine)][-1]
                    right = mine if wrong == other else other
                    clashes.setdefault((wrong, key, right), scope)
    problems |= {
        (wrong, f"{key!r} is the key of {right} ({scope}); move one of them")
        for (wrong, key, right), scope in clashes.items()
    }
    return sorted(problems)


def normal_key(key: str) -> str:
    """Textual's long name of a key: `?` is `question_mark`, `N` is `N`, `ctrl+n` is itself."""
    if key == ",":  # the separator of a list of keys: Textual would read two empty ones
        return "comma"
    from textual.binding import Binding

    return next(iter(Binding.make_bindings([Binding(key, "")]))).key if len(key) == 1 else key


@cache
def _named() -> frozenset[str]:
    from textual.keys import Keys

    return frozenset({key.value for key in Keys} | {"space"} | {normal_key(chr(code)) for code in range(33, 127)})


def is_key(key: str) -> bool:
    """Whether a terminal can send a key of this name."""
    if len(key) == 1:
        return key.isprintable() and not key.isspace()
    *modifiers, base = key.split("+")
    if any(modifier not in ("ctrl", "shift", "alt", "super", "meta") for modifier in modifiers):
        return False
    return base in _named() or key in _named()
