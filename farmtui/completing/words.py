"""What may stand at the end of a command line, worked out from the command line's own declarations.

`farmtui __complete LINE` prints it: a candidate per line, a tab, its help; `:files` where a file is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from farmtui.completing.values import FILES, VALUES, Candidate, Typed
from farmtui.farm.text import visible

Declared: TypeAlias = Any
"""A command, a group or a parameter, as typer declares it: their common types are private names of typer's."""

_WORD: Final = re.compile(r"""(?:\\.|'[^']*(?:'|$)|"(?:\\.|[^"\\])*(?:"|$)|[^\s'"\\]|\\$)+""", re.DOTALL)
_FILE_METAVARS: Final = frozenset({"FILE", "FILE...", "DIR", "FOLDER"})
_HELP_CELLS: Final = 72


def print_completions(root: Declared, line: str) -> int:
    """Print what may stand at the end of a line up to the cursor, the program's name included; gives the exit code."""
    words = split(line)
    try:
        for candidate in candidates(root, words[1:-1], words[-1]):
            print(f"{visible(candidate.value)}\t{_short(candidate.help)}")
    except OSError:
        # A folder that cannot be read: a prompt is no place for words about that.
        return 1
    return 0


def split(line: str) -> list[str]:
    """The words of a line that may end inside a quotation; the last is what is being typed, empty after a space."""
    words = [_unquoted(match[0]) for match in _WORD.finditer(line)]
    return [*words, ""] if len(words) < 2 or line[-1:].isspace() else words


def candidates(root: Declared, before: Sequence[str], typed: str) -> list[Candidate]:
    """What the word may become that follows the words before it."""
    command, state, wanting = _walk(root, before)
    if wanting is not None:
        return _begin(typed, _values(wanting, state, typed))
    if typed.startswith("--") and "=" in typed:
        name, _, value = typed.partition("=")
        option = _options(command).get(name)
        found = _begin(value, _values(option, state, value)) if option is not None else []
        return [one if one is FILES else Candidate(f"{name}={one.value}", one.help) for one in found]
    if typed.startswith("-") and not state.only_arguments:
        return _begin(typed, _option_names(command, state))
    if commands := getattr(command, "commands", None):
        return _begin(typed, (Candidate(n, c.help or "") for n, c in sorted(commands.items()) if not c.hidden))
    argument = _argument(command, len(state.arguments))
    return _begin(typed, _values(argument, state, typed)) if argument is not None else []


def _walk(root: Declared, before: Sequence[str]) -> tuple[Declared, Typed, Declared | None]:
    """The command that the words lead to, what it was given so far, and the option whose value comes next."""
    command, state = root, Typed()
    wanting: Declared | None = None
    for word in before:
        if wanting is not None:
            state = state.with_option(wanting.name, word)
            wanting = None
        elif word == "--" and not state.only_arguments:
            state = state.ended()
        elif word.startswith("-") and word != "-" and not state.only_arguments:
            name, is_, value = word.partition("=")
            option = _options(command).get(name)
            if option is None:
                continue
            if option.is_flag or is_:
                state = state.with_option(option.name, value)
            else:
                wanting = option
        elif (commands := getattr(command, "commands", None)) and word in commands:
            command = commands[word]
        else:
            state = state.with_argument(word)
    return command, state, wanting


def _options(command: Declared) -> dict[str, Declared]:
    """A command's options by every name that they have."""
    return {
        name: parameter for parameter in command.params if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }  # fmt: skip


def _option_names(command: Declared, state: Typed) -> Iterator[Candidate]:
    for name, option in _options(command).items():
        given = option.name in state.options and not option.multiple
        if name.startswith("--") and not option.hidden and not given:
            yield Candidate(name, option.help or "")
    yield Candidate("--help", "Show what can be typed, and exit.")


def _argument(command: Declared, number: int) -> Declared | None:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    if number < len(arguments):
        return arguments[number]
    return arguments[-1] if arguments and arguments[-1].nargs == -1 else None


def _values(parameter: Declared | None, state: Typed, typed: str) -> Sequence[Candidate]:
    if parameter is None:
        return ()
    if values := VALUES.get(parameter.name or ""):
        return values(state)
    return (FILES,) if (parameter.metavar or "").strip("[]") in _FILE_METAVARS else ()


def _begin(typed: str, found: Iterator[Candidate] | Sequence[Candidate]) -> list[Candidate]:
    return [one for one in found if one is FILES or one.value.startswith(typed)]


def _short(text: str) -> str:
    """The first sentence, in one line that fits beside the candidate."""
    line = visible(" ".join(text.split("\n\n")[0].split()))
    sentence = re.split(r"(?<=\w)\. ", line)[0].rstrip(".")
    return sentence if len(sentence) <= _HELP_CELLS else f"{sentence[: _HELP_CELLS - 1]}…"


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)|['\"]", lambda match: match[1] or "", word)
