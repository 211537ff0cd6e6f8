"""What a machine does with a command line: its words are looked up in a table, and there is no shell behind it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands import table

NOT_FOUND, SYNTAX = 127, 2
_CARRIERS = ("nice", "nohup", "env", "command", "exec", "stdbuf", "ionice")
"""Commands that run another; what they are asked besides matters to nobody here."""


def words_of(line: str) -> list[str]:
    """A command line's words. Raises ValueError for an open quotation."""
    return shlex.split(line)


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
    if name not in ("timeout", "sh", "bash", *_CARRIERS) and name not in _table(call):
        # It is sudo itself that looks for the command.
        return call.fail(f"sudo: {name}: command not found")
    as_root = Call(call.place, call.out, call.err, "root")
    return await run(as_root, rest)


async def _timeout(call: Call, words: Sequence[str]) -> int:
    """`timeout` lets what it runs take its time: nothing here hangs."""
    rest = _after_options(words, with_value=("-k", "-s"))
    if len(rest) < 2:
        return call.fail("timeout: missing operand\nTry 'timeout --help' for more information.", 125)
    return await run(call, rest[1:])


async def _script(call: Call, text: str) -> int:
    """`sh -c`: commands in a row (`;`, newline, `&&`, `||`); a pipe or a redirection is none of what is known here."""
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:
        return call.fail("sh: 1: Syntax error: Unterminated quoted string", SYNTAX)
    status, words, before = 0, list[str](), ";"
    for token in [*tokens, ";"]:
        if token in (";", "&&", "||"):
            if words and (before == ";" or (status == 0) is (before == "&&")):
                status = await run(call, words)
            if words:
                before = token
            words = []
        elif set(token) <= set("();<>|&"):
            return call.fail(f'sh: 1: Syntax error: "{token}" is beyond this simulated shell', SYNTAX)
        else:
            words.append(token)
    return status


def _after_options(words: Sequence[str], *, with_value: Sequence[str]) -> Sequence[str]:
    place = 0
    while place < len(words) and words[place].startswith("-"):
        if words[place] == "--":
            return words[place + 1 :]
        place += 2 if words[place] in with_value and place + 1 < len(words) else 1
    return words[place:]
