"""A command's words, told apart as most daemons' tools do it."""

from __future__ import annotations

from collections.abc import Sequence


def told_apart(words: Sequence[str], with_value: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options with what they are given (empty where they take nothing), and the other words.

    `-eTEXT` and `--option=value` are known too, for those options that take a value.
    """
    options: dict[str, str] = {}
    rest: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word == "--":
            return options, [*rest, *words[place:]]
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif word in with_value:
            options[word] = words[place] if place < len(words) else ""
            place += 1
        elif word.startswith("--"):
            name, _, value = word.partition("=")
            options[name] = value
        elif word[:2] in with_value:
            options[word[:2]] = word[2:]
        elif f"-{word[-1]}" in with_value:
            # `-NBe TEXT`: the last of several letters takes what follows.
            options.update(dict.fromkeys((f"-{letter}" for letter in word[1:-1]), ""))
            options[f"-{word[-1]}"] = words[place] if place < len(words) else ""
            place += 1
        else:
            options[word] = ""
    return options, rest


def with_leading(words: Sequence[str], with_value: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The same for options before the first other word only: all that follows is taken as it is."""
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] not in ("-", "--"):
        place += 2 if words[place] in with_value else 1
    return told_apart(words[:place], with_value)[0], list(words[place:])
