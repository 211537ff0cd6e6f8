"""What is typed after `:`, understood: a command by any of its names, or by what begins one alone, and its argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from farmtui.commands import Command, completions, only_one
from widgets.prompt import Suggestion


class NotUnderstoodError(Exception):
    """It is no command; the text says what may have been meant."""


def understood(typed: str, commands: Mapping[str, Command]) -> tuple[Command, str]:
    """The command and its argument. Raises NotUnderstoodError."""
    name, _, argument = typed.strip().partition(" ")
    command = commands.get(name.lower()) or only_one(name.lower(), commands)
    if command is None:
        close = get_close_matches(name.lower(), commands, n=1)
        hint = f"; did you mean {close[0]}?" if close else "; ? shows what there is"
        raise NotUnderstoodError(f"there is no command {name!r}{hint}")
    if command.argument and not command.optional and not argument.strip():
        raise NotUnderstoodError(f"{name} wants a {command.argument}")
    return command, argument.strip()


def suggestions(
    typed: str, commands: Mapping[str, Command], arguments: Mapping[str, Sequence[str]]
) -> list[Suggestion]:
    """What a command may become: names that begin so first, then those that hold it; after its name its arguments."""
    name, space, argument = typed.partition(" ")
    if space and name in arguments:
        return [Suggestion(f"{name} {one}") for one in arguments[name] if one.startswith(argument)]
    return [Suggestion(known, command.help) for known, command in completions(typed, commands)]
