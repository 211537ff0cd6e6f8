"""What a machine does with a command line: its words are looked up in a table, and there is no shell behind it."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands import table

NOT_FOUND, SYNTAX = 127, 2
_TIMED_OUT = 124
_QUOTING = frozenset("'\"\\")
_LOOP = re.compile(r"\s*until (.+); do (.+); done\s*", re.DOTALL)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_CARRIERS = ("nice", "nohup", "env", "command", "exec", "stdbuf", "ionice")
"""Commands that run another; what they are asked besides matters to nobody here."""


def words_of(line: str) -> list[str]:
    """A command line's words. Raises ValueError for an open quotation."""
    # A listing of all tasks is asked for with thousands of words: where nothing is quoted they are told apart at once.
    return line.split() if _QUOTING.isdisjoint(line) else shlex.split(line)


async def run(call: Call, words: Sequence[str]) -> int:
    """Run a command on a call's machine; gives its exit status.

    Operators of a shell are words like all others: they make nothing happen.
    """
    if not words:
        return 0
    name, *rest = words
    name = name.removeprefix("/usr/bin/").removeprefix("/usr/sbin/").removeprefix("/bin/").removeprefix("/sbin/")
    match name:
        case "sudo":
            return await _sudo(call, rest)
        case "timeout":
            return await _timeout(call, rest)
        case "sh" | "bash" if len(rest) >= 2 and rest[0] == "-c":
            return await _script(call, rest[1])
        case "xargs":
            return await _xargs(call, rest)
    if name in _CARRIERS:
        return await run(call, _after_options(rest, with_value=("-n", "-c", "-o", "-i")))
    command = _table(call).get(name)
    if command is None:
        return call.fail(f"sh: 1: {words[0]}: not found", NOT_FOUND)
    return await command(call, rest)


def _table(call: Call) -> Table:
    return table(call.place.tier)


async def _sudo(call: Call, words: Sequence[str]) -> int:
    rest = _after_options(words, with_value=("-u", "-g"))
    if not rest:
        return call.fail("usage: sudo -h | -K | -k | -V")
    name = rest[0]
    if name not in ("timeout", "sh", "bash", "xargs", *_CARRIERS) and name not in _table(call):
        # It is sudo itself that looks for the command.
        return call.fail(f"sudo: {name}: command not found")
    return await run(replace(call, user="root"), rest)


async def _timeout(call: Call, words: Sequence[str]) -> int:
    rest = _after_options(words, with_value=("-k", "-s"))
    if len(rest) < 2:
        return call.fail("timeout: missing operand\nTry 'timeout --help' for more information.", 125)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", rest[0])
    if found is None:
        return call.fail(f"timeout: invalid time interval ‘{rest[0]}’", 125)
    limit = asyncio.timeout(float(found[1]) * _SECONDS[found[2]])
    try:
        async with limit:
            return await run(call, rest[1:])
    except TimeoutError:
        return _TIMED_OUT


async def _script(call: Call, text: str) -> int:
    """`sh -c`: commands in a row (`;`, newline, `&&`, `||`) and in pipes; there are no files to write to. A script may
    be one loop (`until A; do B; done`), and a word may be what a command prints (`"$(A)"`)."""
    loop = _LOOP.fullmatch(text)
    if loop is not None:
        while await _script(call, loop[1]) != 0:
            await _script(call, loop[2])
        return 0
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        parts = list(lexer)
    except ValueError:
        return call.fail("sh: 1: Syntax error: Unterminated quoted string", SYNTAX)
    status, before, pipe = 0, ";", [list[str]()]
    for part in [*parts, ";"]:
        if part in (";", "&&", "||"):
            if pipe[0] and (before == ";" or (status == 0) is (before == "&&")):
                status = await _pipe(call, pipe)
            before, pipe = part if pipe[0] else before, [[]]
        elif part == "|":
            pipe.append([])
        elif set(part) <= set("();<>|&"):
            return call.fail(f'sh: 1: Syntax error: "{part}" is beyond this simulated shell', SYNTAX)
        else:
            pipe[-1].append(part)
    return status


async def _pipe(call: Call, commands: Sequence[Sequence[str]]) -> int:
    """Commands of which each reads what the one before has printed. Gives the last one's status."""
    status, given = 0, call.stdin
    for place, words in enumerate(commands):
        printed: list[str] = []
        last = place == len(commands) - 1
        filled = [await _filled(call, word) for word in words]
        status = await run(replace(call, out=call.out if last else printed.append, stdin=given), filled)
        given = "".join(printed)
    return status


async def _filled(call: Call, word: str) -> str:
    """A word, or what the command prints that it stands for."""
    if not (word.startswith("$(") and word.endswith(")")):
        return word
    printed: list[str] = []
    await _script(replace(call, out=printed.append), word[2:-1])
    return "".join(printed).rstrip("\n")


async def _xargs(call: Call, words: Sequence[str]) -> int:
    """All that is read becomes words of one command."""
    given = call.stdin.split()
    if not given and ("-r" in words or "--no-run-if-empty" in words):
        return 0
    rest = _after_options(words, with_value=("-n", "-P", "-L", "-d"))
    return await run(replace(call, stdin=""), [*(rest or ["echo"]), *given])


def _after_options(words: Sequence[str], *, with_value: Sequence[str]) -> Sequence[str]:
    place = 0
    while place < len(words) and words[place].startswith("-"):
        if words[place] == "--":
            return words[place + 1 :]
        place += 2 if words[place] in with_value and place + 1 < len(words) else 1
    return words[place:]
