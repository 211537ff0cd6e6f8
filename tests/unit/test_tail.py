"""A log's parts: lines made safe, entries told apart, bounds kept, refusals in words."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farmtui import secrets
from farmtui.farm.actions import ActionError
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Severity
from farmtui.farm.text import PLACEHOLDER
from farmtui.tail.decode import Decoded, journal_entry, service_entry
from farmtui.tail.intake import LONGEST, TICK_BYTES, TICK_LINES, Intake
from farmtui.tail.line import PARTS_LIMIT, TEXT_LIMIT, LogLine, lines_of, marker
from farmtui.tail.ring import Ring
from farmtui.tail.saving import save
from farmtui.tail.standing import empty_words
from farmtui.tail.target import (
    KERNEL,
    Docker,
    MachineLog,
    ServiceLog,
    Wanted,
    follow_argv,
    history_argv,
    service_argv,
    window_word,
)
from farmtui.tail.words import partly, refusal

AT = datetime(2026, 11, 29, 3, 14, 15, 926_535, tzinfo=UTC)
USEC = 1_795_922_055_926_535


def entry(**fields: object) -> bytes:
    told = {"__REALTIME_TIMESTAMP": str(USEC), "__CURSOR": "s=1;i=2", "MESSAGE": "hello", "SYSLOG_IDENTIFIER": "sshd"}
    return json.dumps({**told, **fields}).encode()


def only(raw: bytes) -> LogLine:
    found = journal_entry(raw)
    assert found is not None
    [line] = found.lines
    return line


# -- lines ----------------------------------------------------------------------------------------


def test_a_line_is_cleaned_redacted_and_cut() -> None:
    secrets.register("hunter2-hunter2")
    [line] = lines_of(
        AT, "app", "\x1b[31;1mred\x1b[0m \x1b]52;c;aGk=\x07 pass hunter2-hunter2 \u202egnp " + "x" * 9_000
    )
    assert line.text.startswith(
        f"red {PLACEHOLDER}]52;c;aGk={PLACEHOLDER} pass {secrets.REDACTED} {PLACEHOLDER}gnp xxx"
    )
    assert len(line.text) == TEXT_LIMIT
    assert "\x1b" not in line.plain


def test_a_message_of_several_lines_is_several_lines_with_their_indents() -> None:
    lines = list(lines_of(AT, "php", "Fatal error\n  #0 /srv/x.php(3)\n\t#1 main\n"))
    assert [line.text for line in lines] == ["Fatal error", "  #0 /srv/x.php(3)", "    #1 main"]
    many = list(lines_of(AT, "php", "\n".join(map(str, range(1_000)))))
    assert len(many) == PARTS_LIMIT + 1
    assert many[-1].text == f"… and {1_000 - PARTS_LIMIT} more lines of this message"


def test_how_bad_a_line_is_stands_in_its_text_too() -> None:
    assert LogLine(AT, "a[1]", "x", 3).plain == "2026-11-29T03:14:15.926Z a[1]: err x"
    assert LogLine(AT, "a[1]", "x", 4).severity is Severity.WARNING
    assert LogLine(AT, "a[1]", "x").plain == "2026-11-29T03:14:15.926Z a[1]: x"
    assert marker("5 lines left out").plain == "-- 5 lines left out --"


# -- what journalctl and docker print -------------------------------------------------------------


def test_an_entry_of_the_journal() -> None:
    raw = entry(PRIORITY="4", _PID="77", _SYSTEMD_UNIT="ssh.service")
    assert journal_entry(raw) == Decoded((LogLine(AT, "sshd[77]", "hello", 4, "ssh.service"),), "s=1;i=2")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (list(b"caf\xc3\xa9 \x1b[1mbold"), "café bold"),
        (list(b"\xff\xfe"), "\ufffd\ufffd"),
        (["one", "two"], "one two"),
        (None, "(a message of more than 4 kB, which is not sent; on the machine: journalctl --all shows it)"),
        ("", ""),
        ([], ""),
        ({"a": 1}, ""),
        (7, ""),
    ],
)
def test_a_message_comes_in_many_forms(message: object, text: str) -> None:
    assert only(entry(MESSAGE=message)).text == text


@pytest.mark.parametrize(
    "raw",
    [
        b"-- No entries --", b"-- Boot 1234 --", b"", b"{", b"{}", b"[1]", b'{"__REALTIME_TIMESTAMP":"x"}', b"\xff",
        b'{"__REALTIME_TIMESTAMP":"99999999999999999999999"}', b"{" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_entry_is_none(raw: bytes) -> None:
    assert journal_entry(raw) is None


@pytest.mark.parametrize("priority", ["8", "-1", "x", "", None, ["3"]])
def test_a_priority_that_is_none_is_taken_for_information_or_read(priority: object) -> None:
    assert only(entry(PRIORITY=priority)).word == ("err" if priority == ["3"] else "info")


@pytest.mark.parametrize(
    ("raw", "source", "text", "cursor"),
    [
        (
            b"2026-11-29T03:14:15.926535123Z wp_site.3.abcdefghijkl@worker-7    | GET / 200",
            "wp_site.3@worker-7", "GET / 200", "2026-11-29T03:14:15.926535123Z",
        ),
        (
            b"2026-11-29T03:14:15.926535Z edge.0123456789abcdefghijklmno.abcdefghijkl@mgr-1 |  two | bars\r",
            "edge@mgr-1", " two | bars", "2026-11-29T03:14:15.926535Z",
        ),
        (b"2026-11-29T05:14:15.926535+02:00 web.1@n | x", "web.1@n", "x", "2026-11-29T05:14:15.926535+02:00"),
    ],
)  # fmt: skip
def test_a_line_of_a_service(raw: bytes, source: str, text: str, cursor: str) -> None:
    assert service_entry(raw) == Decoded((LogLine(AT, source, text),), cursor)


@pytest.mark.parametrize("raw", [b"", b"no such service: x", b"2026-99-29T03:14:15Z a@b | x", b"a@b | no time"])
def test_what_is_no_line_of_a_service_is_none(raw: bytes) -> None:
    assert service_entry(raw) is None


# -- bounds ---------------------------------------------------------------------------------------


def test_a_ring_keeps_the_newest_and_counts_the_rest() -> None:
    ring = Ring(lines_max=100)
    for number in range(1_000):
        ring.add([LogLine(AT, "", str(number))])
        assert len(ring.lines) <= 100
        assert ring.total == number + 1
    assert ring.lines[-1].text == "999"
    assert ring.lines[0].text == str(ring.dropped)


def test_a_ring_of_long_lines_is_bounded_by_their_size() -> None:
    ring = Ring(bytes_max=50_000)
    for _ in range(200):
        ring.add([LogLine(AT, "", "x" * 2_000)])
        assert ring.bytes <= 50_000
    assert 15 < len(ring.lines) < 25
    assert ring.total == 200


class Stage:
    """An intake with a clock of its own."""

    def __init__(self, at_once: int = 0) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.lines: list[str] = []
        self.cursors: list[str] = []
        self.intake = Intake(journal_entry, self._take, at_once=at_once, clock=lambda: self.now, sleep=self._sleep)

    def _take(self, lines: Sequence[LogLine], cursor: str) -> None:
        self.lines += [line.text for line in lines]
        self.cursors.append(cursor)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_lines_are_put_together_however_they_are_cut() -> None:
    stage = Stage()
    whole = b"".join(entry(MESSAGE=f"m{n}") + b"\n" for n in range(5)) + entry(MESSAGE="last, without an end")
    for byte in whole:
        await stage.intake.hear("out", bytes([byte]))
    stage.intake.end()
    assert stage.lines == ["m0", "m1", "m2", "m3", "m4", "last, without an end"]
    assert set(stage.cursors) == {"s=1;i=2"}


async def test_a_flood_is_left_out_in_part_and_that_is_said() -> None:
    stage = Stage()
    part = (entry() + b"\n") * 1_000
    await stage.intake.hear("out", part)
    await stage.intake.hear("out", part)
    assert len(stage.lines) == TICK_LINES
    stage.now = 1.0
    await stage.intake.hear("out", part)
    assert stage.lines[TICK_LINES] == f"{2_000 - TICK_LINES:,} lines left out: they come faster than 4,000 a second"
    assert len(stage.lines) == 2 * TICK_LINES + 1
    stage.intake.end()
    assert stage.lines[-1] == f"{1_000 - TICK_LINES:,} lines left out: they come faster than 4,000 a second"


async def test_of_a_flood_that_has_ended_it_is_said_soon() -> None:
    stage = Stage()
    await stage.intake.hear("out", (entry() + b"\n") * 1_000)
    while len(stage.lines) == TICK_LINES:  # noqa: ASYNC110 - the test's own timeout ends a wait in vain
        await asyncio.sleep(0.01)
    assert stage.lines[-1].startswith("600 lines left out")


async def test_what_there_is_already_is_no_flood() -> None:
    stage = Stage(at_once=3_000)
    await stage.intake.hear("out", (entry() + b"\n") * 3_000)
    stage.intake.end()
    assert stage.lines == ["hello"] * 3_000


async def test_what_comes_too_fast_waits_at_the_machine() -> None:
    stage = Stage()
    part = (entry() + b"\n") * 100
    for _ in range(2 * TICK_BYTES // len(part)):
        await stage.intake.hear("out", part)
    assert sum(stage.slept) == pytest.approx(0.1)


async def test_a_line_without_an_end_is_not_held_for_ever() -> None:
    stage = Stage()
    for _ in range(50):
        await stage.intake.hear("out", b"x" * LONGEST)
    await stage.intake.hear("out", b"the end of it\n" + entry(MESSAGE="next") + b"\n")
    stage.intake.end()
    assert stage.lines == ["a line of more than 64 kB left out", "next"]


async def test_errors_are_kept_as_far_as_they_are_words() -> None:
    stage = Stage()
    for _ in range(100):
        await stage.intake.hear("err", b"no\xff " * 100)
    assert len(stage.intake.stderr) == 4_000


# -- what is asked, and what is refused -----------------------------------------------------------


def test_what_journalctl_is_told() -> None:
    unit = MachineLog("cache-1", "varnish")
    asked = history_argv(unit, Wanted(since_s=300, level=4), 10)
    assert asked[0] == "journalctl"
    assert {"--unit=varnish", "--priority=4", "--since=-300s", "--reverse", "--lines=10", "--no-pager"} <= set(asked)
    assert "--follow" not in asked
    followed = follow_argv(unit, Wanted(), "s=1")
    assert {"--follow", "--after-cursor=s=1"} <= set(followed)
    assert not any(word.startswith(("--since", "--priority")) for word in followed)
    assert "--since=-3600s" in follow_argv(unit, Wanted(), "")
    assert "_TRANSPORT=kernel" in history_argv(MachineLog("a", KERNEL), Wanted(), 1)
    assert not any("unit" in word for word in history_argv(MachineLog("a"), Wanted(), 1) if "fields" not in word)


def test_what_docker_is_told() -> None:
    service = ServiceLog("abc", "web")
    asked = service_argv(service, Wanted(since_s=300), Docker(sudo=True), "", 50)
    assert asked[:4] == ["sudo", "-n", "docker", "service"]
    assert {"--since=300s", "--tail=50", "--follow", "--timestamps"} <= set(asked)
    assert asked[-2:] == ["--", "abc"]
    again = service_argv(service, Wanted(follow=False), Docker(socket="/x.sock"), "2026-11-29T03:14:15Z", 50)
    assert again[:3] == ["docker", "-H", "unix:///x.sock"]
    assert "--since=2026-11-29T03:14:15Z" in again
    assert "--follow" not in again


_MACHINE, _SERVICE = MachineLog("a", "varnish"), ServiceLog("web", "web")


@pytest.mark.parametrize(
    ("target", "status", "said", "kind", "words"),
    [
        (_MACHINE, 1, "No journal files were opened due to insufficient permissions.", "FORBIDDEN", "may not read"),
        (_MACHINE, 127, "sh: 3: journalctl: not found", "CONFIG", "no journalctl"),
        (_MACHINE, 1, "No journal files were found.", "BAD_ANSWER", "no journal is kept"),
        (_MACHINE, 1, "Failed to seek to cursor: Invalid argument", "BAD_ANSWER", "cursor"),
        (_MACHINE, None, "", "SERVER", "unknown status"),
        (_MACHINE, 2, "\x1b[31mboo", "SERVER", f"{PLACEHOLDER}[31mboo"),
        (_SERVICE, 1, "Error response from daemon: no such task or service: web", "BAD_ANSWER", "service web is gone"),
        (_SERVICE, 1, "permission denied while trying to connect to the Docker daemon", "FORBIDDEN", "may not use"),
        (_SERVICE, 1, "sudo: a password is required", "FORBIDDEN", "may not use docker"),
        (_SERVICE, 127, "sh: 3: docker: not found", "SERVER", "no docker command"),
        (_SERVICE, 1, "This node is not a swarm manager.", "SERVER", "not a swarm manager"),
        (_SERVICE, 1, "The swarm does not have a leader.", "SERVER", "does not have a leader"),
        (_SERVICE, 1, "configured logging driver does not support reading", "BAD_ANSWER", "logging driver"),
        (_SERVICE, 9, "boo", "SERVER", "docker: boo"),
    ],
)  # fmt: skip
def test_each_refusal_has_words_and_a_remedy(
    target: MachineLog | ServiceLog, status: int | None, said: str, kind: str, words: str
) -> None:
    error = refusal(target, status, said)
    assert error.kind is FailureKind[kind]
    assert words in error.what
    assert error.remedy


def test_a_hint_is_no_failure() -> None:
    hint = (
        "Hint: You are currently not seeing messages from other users and the system.\n"
        "      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
    )
    assert "systemd-journal" in partly(hint)
    assert partly("") == ""


def test_an_empty_window_is_named() -> None:
    assert empty_words(_MACHINE, Wanted(since_s=900)) == "nothing was logged by varnish on a in the last 15 min"
    assert empty_words(MachineLog("a"), Wanted(level=3)) == "nothing so bad was logged by journal on a in the last 1 h"
    assert window_word(86_400) == "24 h"


# -- saving ---------------------------------------------------------------------------------------


def test_a_saved_log_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    first = save("varnish on ../../x", [LogLine(AT, "a", "one"), marker("two")], folder)
    assert first.parent == folder
    assert first.read_text() == "2026-11-29T03:14:15.926Z a: one\n-- two --\n"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert save("varnish on ../../x", [], folder) != first


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ActionError, match="cannot be saved"):
        save("x", [], tmp_path / "file")
