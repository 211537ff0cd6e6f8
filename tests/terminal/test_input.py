"""Whatever a terminal sends, the console goes on: not UTF-8, cut sequences, endless pastes, reports from nowhere."""

from __future__ import annotations

import base64
import json
import random
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from farmtui.farm.text import PLACEHOLDER
from farmtui.term.clipboard import CLIPBOARD_LIMIT, ClipboardError, copy_sequence
from farmtui.term.keyboard import PASTE_LIMIT, InputSplitter, Keys, Pasted
from farmtui.terminal import TolerantParser
from tests.terminal.pty_harness import PtySession

DEAF = ["-m", "tests.terminal.tour_app", "--deaf", "--report"]

FRAGMENTS = [
    b"\x1b",
    b"\x1b[",
    b"\x1b[<",
    b"\x1b[<35;10;10M",
    b"\x1b[<0;99999;99999M",
    b"\x1b[<0;99999;99999m",
    b"\x1b[<64;-5;3M",
    b"\x1b[<35;1",
    b"\x1b[M\xff\xfe\xfd",
    b"\x1b[200~",
    b"\x1b[201~",
    b"\x1b[20",
    b"\x1b[48;0;0;0;0t",
    b"\x1b[48;99999;99999;1;1t",
    b"\x1b[9999999999999u",
    b"\x1b[55296;;55296u",
    b"\x1b[97;;1114112u",
    b"\x1b[;;;u",
    b"\x1b[?2026;9$y",
    b"\x1b[?2048;1$y",
    b"\x1b[1;1R",
    b"\x1b]52;c;AAAA\x07",
    b"\x1bP",
    b"\x1b\\",
    b"\x1b[I\x1b[O",
    b"\x1bOP",
    b"\x9b31m",
    b"\xc3",
    b"\xe6\xbc",
    b"\xf0\x9f\x94\xa5",
    b"\xff\xfe\x00",
    b"abc",
    b"\r\n\t\x7f\x03",
]


class Clock:
    """Time that a test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def holding(splitter: InputSplitter) -> bool:
    """A question again, which mypy takes for answered."""
    return splitter.holding


def pending(parser: TolerantParser) -> bool:
    """As `holding`."""
    return parser.pending


def pieces(found: Iterable[Keys | Pasted]) -> list[Keys | Pasted]:
    """Neighbouring keys joined: where a read was cut does not matter."""
    joined: list[Keys | Pasted] = []
    for item in found:
        if joined and isinstance(item, Keys) and isinstance(joined[-1], Keys):
            joined[-1] = Keys(joined[-1].text + item.text)
        else:
            joined.append(item)
    return joined


@given(
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=12).map(b"".join),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_where_a_read_is_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    whole = InputSplitter()
    expected = pieces([*whole.feed(data), *whole.flush()])
    splitter = InputSplitter()
    found: list[Keys | Pasted] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        found.extend(splitter.feed(data[start:end]))
    assert pieces([*found, *splitter.flush()]) == expected


@settings(max_examples=300)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=8)), max_size=20))
def test_no_bytes_break_the_parser(reads: list[bytes]) -> None:
    splitter, parser = InputSplitter(), TolerantParser()
    messages: list[Message] = []
    for data in reads:
        for item in splitter.feed(data):
            if isinstance(item, Keys):
                messages.extend(parser.feed(item.text))
    for keys in splitter.flush():
        messages.extend(parser.feed(keys.text))
    messages.extend(parser.expire())
    assert not parser.pending
    # Afterwards a key is a key again, unless a paste is open: that ends as a paste.
    *_, last = [item for item in splitter.feed(b"\x1b[201~x") if isinstance(item, Keys)]
    found = list(parser.feed(last.text))
    assert isinstance(found[-1], events.Key)
    assert found[-1].key == "x"


def test_a_paste_is_cleaned() -> None:
    splitter = InputSplitter()
    found = list(splitter.feed(b"a\x1b[200~x\x1b[31m\ty\r\nz\x00\xff\x9c\x1b[201~b"))
    assert found == [
        Keys("a"),
        Pasted(f"x{PLACEHOLDER}[31m\ty\nz{PLACEHOLDER * 3}"),
        Keys("b"),
    ]


def test_a_huge_paste_is_cut_and_nothing_after_it_is_lost() -> None:
    splitter = InputSplitter()
    found = [*splitter.feed(b"\x1b[200~" + b"x" * PASTE_LIMIT)]
    for _ in range(50):
        found.extend(splitter.feed(b"x" * 65536))
    found.extend(splitter.feed(b"\x1b[201~q"))
    assert [type(item) for item in found] == [Pasted, Keys]
    assert len(found[0].text) == PASTE_LIMIT
    assert found[0].text.endswith("x…")
    assert found[1] == Keys("q")


def test_a_paste_whose_end_was_lost_is_given_up_by_escape_after_a_silence() -> None:
    clock = Clock()
    splitter = InputSplitter(clock)
    assert list(splitter.feed(b"\x1b[200~rm -rf")) == []
    clock.now_s = 0.5
    assert list(splitter.feed(b"\x1b")) == []  # part of the paste: nobody is that quick
    clock.now_s = 3.0
    assert list(splitter.feed(b"\x1b")) == [Pasted(f"rm -rf{PLACEHOLDER}")]
    assert list(splitter.feed(b"q")) == [Keys("q")]


def test_an_escape_is_held_until_it_cannot_be_a_paste() -> None:
    splitter = InputSplitter()
    assert list(splitter.feed(b"\x1b")) == []
    assert holding(splitter)
    assert list(splitter.flush()) == [Keys("\x1b")]
    assert not holding(splitter)
    assert list(splitter.feed(b"\x1b[2")) == []
    assert list(splitter.feed(b"00~paste\x1b[20")) == []
    assert not holding(splitter)
    assert list(splitter.feed(b"1~")) == [Pasted("paste")]


def test_an_escape_sequence_that_never_ends_expires() -> None:
    parser = TolerantParser()
    assert list(parser.feed("\x1b[<35;1")) == []
    assert pending(parser)
    assert [event.key for event in parser.expire() if isinstance(event, events.Key)]
    assert not pending(parser)
    assert [event.key for event in parser.feed("\x1b[A") if isinstance(event, events.Key)] == ["up"]


@pytest.mark.parametrize("seed", range(3))
def test_the_console_survives_any_input(seed: int, tmp_path: Path) -> None:
    fuzz = random.Random(seed)
    with PtySession([*DEAF, str(tmp_path)], columns=90, lines=24, sync=True) as session:
        session.wait_for("step 0.")
        for _ in range(300):
            session.send(fuzz.choice(FRAGMENTS) if fuzz.random() < 0.6 else fuzz.randbytes(fuzz.randrange(1, 30)))
        session.wait_for(lambda: session.pump(0.3) == 0)
        assert session.process.poll() is None
        # Whatever paste or sequence was open, this ends it; then keys are keys.
        session.send(b"\x1b[201~")
        before = session.text.count("step")
        assert before == 1
        session.send("N")
        session.wait_for(lambda: "step 0." not in session.text)
        session.kill(signal.SIGTERM)
        assert session.finish() == 128 + signal.SIGTERM
        assert b"Traceback" not in session.raw
        assert json.loads((tmp_path / "end.json").read_text())["keys"] > 0


def test_one_byte_that_is_not_utf8_does_not_end_the_app(tmp_path: Path) -> None:
    with PtySession([*DEAF, str(tmp_path)]) as session:
        session.wait_for("step 0.")
        session.send(b"\xff")
        session.send("漢".encode()[:2])  # the rest does not come
        session.send("N")
        session.wait_for("step 1.")
        session.send("漢".encode()[:1])
        session.pump(0.2)
        session.send("漢".encode()[1:])
        session.send("N")
        session.wait_for("step 2.")
        session.kill(signal.SIGTERM)
        assert session.finish() == 128 + signal.SIGTERM


def test_what_is_typed_onto_the_first_frame_reaches_the_first_screen(tmp_path: Path) -> None:
    """The first frame names the screens, and comes before there is one that could take a key."""
    config = tmp_path / "farmtui.yaml"
    config.write_text("farm: {name: early}\nprometheus: {url: 'http://127.0.0.1:9'}\n", encoding="utf-8")
    with PtySession(["-m", "farmtui", "--config", str(config)]) as session:
        while "1 over" not in session.text:
            session.pump(0.001)
        session.send(":storage\r")
        session.wait_for("raw capacity")
        session.send(":quit\r")
        assert session.finish() == 0


def test_a_huge_paste_arrives_and_the_keys_after_it_work(tmp_path: Path) -> None:
    with PtySession([*DEAF, str(tmp_path)]) as session:
        session.wait_for("step 0.")
        session.send(b"\x1b[200~" + b"0123456789abcdef" * 100_000 + b"\x1b[201~")
        session.wait_for(f"pasted {PASTE_LIMIT}")
        session.send("N")
        session.wait_for("step 1.")
        session.kill(signal.SIGTERM)
        assert session.finish() == 128 + signal.SIGTERM


class TestClipboard:
    """OSC 52, through multiplexers."""

    ENV: ClassVar = {"TERM": "xterm-256color"}

    def test_a_plain_terminal(self) -> None:
        sequence = copy_sequence("漢字", self.ENV)
        assert sequence == f"\x1b]52;c;{base64.b64encode('漢字'.encode()).decode()}\x07"

    def test_tmux_gets_it_wrapped_and_plain(self) -> None:
        sequence = copy_sequence("x", {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"})
        assert sequence == "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\\x1b]52;c;eA==\x07"

    def test_screen_gets_it_in_pieces_it_takes(self) -> None:
        text = "y" * 3000
        sequence = copy_sequence(text, {"TERM": "screen", "STY": "1.pts-0"})
        chunks = sequence.split("\x1b\\")
        assert chunks[-1] == ""
        assert all(chunk.startswith("\x1bP") and len(chunk) < 768 for chunk in chunks[:-1])
        assert "".join(chunk.removeprefix("\x1bP") for chunk in chunks) == copy_sequence(text, self.ENV)

    def test_the_cap_is_said_and_not_passed(self) -> None:
        fits = CLIPBOARD_LIMIT // 4 * 3
        assert len(copy_sequence("x" * fits, self.ENV)) <= CLIPBOARD_LIMIT + 8
        with pytest.raises(ClipboardError, match="terminals take 74994"):
            copy_sequence("x" * (fits + 3), self.ENV)

    def test_a_console_has_no_clipboard(self) -> None:
        with pytest.raises(ClipboardError, match="linux has no clipboard"):
            copy_sequence("x", {"TERM": "linux"})
