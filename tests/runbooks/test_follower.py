"""What is written down of a command: whole lines, from any place on, without secrets or the script's own word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui import secrets
from farmtui.journal.entry import Author, Note
from farmtui.journal.store import Journal
from farmtui.runbooks.planned import LocalCall, PlannedStep
from farmtui.runbooks.steps.commands import LONGEST_LINE, Follower
from farmtui.runbooks.steps.effect import Effect, Said

STEP = PlannedStep(id="step", name="Step", call=LocalCall(argv=("true",)), text="true")
EFFECT = Effect("run", STEP, "", 1)
LAST = f"\nfarmtui-end {EFFECT.key} code 0\n".encode()


class Written:
    def __init__(self) -> None:
        self.said: list[Said] = []

    async def __call__(self, said: Said) -> None:
        self.said.append(said)

    def text(self, stream: str) -> str:
        return "".join(one.text for one in self.said if one.stream == stream)


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(data)], strict=True):
        yield data[start:end]


LINES = st.lists(
    st.sampled_from(["", "a", "über alles", "\nfarmtui-end", "farmtui-end x code 1", "x" * 50]), max_size=8
)


@given(LINES, st.booleans(), st.lists(st.integers(0, 10_000), max_size=10))
async def test_however_it_comes_in_it_is_written_once_and_the_last_word_is_known(
    lines: list[str], ends: bool, cuts: list[int]
) -> None:
    data = "\n".join(lines).encode() + (b"\n" if ends else b"")
    tell = Written()
    follower = Follower(EFFECT, tell)
    for piece in pieces(data + LAST, cuts):
        await follower.hear("err", piece)
    assert await follower.last_word() == "code 0"
    assert tell.text("err") == data.decode()
    assert follower.read == (0, len(data))


@given(st.lists(st.integers(0, 10_000), max_size=10), st.integers(0, 200))
async def test_what_is_lost_with_the_connection_is_asked_for_again_from_its_place(cuts: list[int], lost: int) -> None:
    data = "".join(f"line {n} über\n" for n in range(10)).encode()
    tell = Written()
    follower = Follower(EFFECT, tell)
    for piece in pieces(data[:lost], cuts):
        await follower.hear("out", piece)
    assert await follower.last_word() == ""
    await follower.hear("out", data[follower.read[0] :])
    await follower.hear("err", LAST)
    assert await follower.last_word() == "code 0"
    assert tell.text("out") == data.decode()


async def test_a_line_without_an_end_is_not_held_for_ever() -> None:
    tell = Written()
    follower = Follower(EFFECT, tell)
    for _ in range(10):
        await follower.hear("out", b"x" * LONGEST_LINE)
    assert follower.read[0] > 8 * LONGEST_LINE
    assert max(len(one.text) for one in tell.said) < 3 * LONGEST_LINE


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_a_secret_in_pieces_does_not_reach_the_journal(tmp_path: Path, size: int) -> None:
    secrets.register("correct-horse-battery")
    journal = Journal.open(f"sqlite:///{tmp_path / 'j.db'}")

    async def write(said: Said) -> None:
        journal.append(Note("output", Author("a", "b"), "run", {"text": said.text}))

    follower = Follower(EFFECT, write)
    data = b"the password is correct-horse-battery, they say\n" * 3
    for start in range(0, len(data), size):
        await follower.hear("out", data[start : start + size])
    await follower.hear("err", LAST)
    assert await follower.last_word() == "code 0"
    stored = "".join(entry.body["text"] for entry in journal.entries())
    journal.close()
    assert stored == "the password is •••, they say\n" * 3
    assert b"battery" not in (tmp_path / "j.db").read_bytes()
