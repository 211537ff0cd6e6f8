"""What stands behind a pipe: commands that read what another has printed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.given import told_apart


async def _wc(call: Call, words: Sequence[str]) -> int:
    counts = {"-l": call.stdin.count("\n"), "-w": len(call.stdin.split()), "-c": len(call.stdin.encode())}
    wanted = [counts[word] for word in words if word in counts] or list(counts.values())
    call.out(" ".join(map(str, wanted)) + "\n")
    return 0


async def _head(call: Call, words: Sequence[str]) -> int:
    call.out("".join(call.stdin.splitlines(keepends=True)[: _lines(words)]))
    return 0


async def _tail(call: Call, words: Sequence[str]) -> int:
    count = _lines(words)
    call.out("".join(call.stdin.splitlines(keepends=True)[-count:] if count else []))
    return 0


def _lines(words: Sequence[str]) -> int:
    options, _ = told_apart(words, ("-n",))
    text = options.get("-n") or next((name[1:] for name in options if name[1:].isdigit()), "10")
    return int(text) if text.isdigit() else 10


async def _sort(call: Call, words: Sequence[str]) -> int:
    lines = sorted(call.stdin.splitlines(keepends=True), reverse="-r" in words)
    call.out("".join(dict.fromkeys(lines) if "-u" in words else lines))
    return 0


async def _grep(call: Call, words: Sequence[str]) -> int:
    options, rest = told_apart(words, ("-e",))
    text = options.get("-e") or (rest[0] if rest else "")
    try:
        pattern = re.compile(re.escape(text) if "-F" in options else text)
    except re.error:
        return call.fail("grep: Invalid regular expression", 2)
    found = [
        line
        for line in call.stdin.splitlines(keepends=True)
        if (pattern.search(line) is not None) is ("-v" not in options)
    ]
    if "-c" in options:
        call.out(f"{len(found)}\n")
    elif "-q" not in options:
        call.out("".join(found))
    return 0 if found else 1


COMMANDS: Table = {"wc": _wc, "head": _head, "tail": _tail, "sort": _sort, "grep": _grep}
