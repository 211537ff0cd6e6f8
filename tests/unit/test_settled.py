"""A file that changes is taken when it stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest

from farmtui.opened import settled


class EndedError(Exception):
    """There is no more to look at."""


async def taken(looks: Sequence[int | None], known: int | None = None) -> list[int | None]:
    left = list(looks)

    async def look() -> int | None:
        if not left:
            raise EndedError
        return left.pop(0)

    async def sleep(_: float) -> None:
        pass

    found: list[int | None] = []
    # It ends only with what there is to look at.
    with contextlib.suppress(EndedError):
        async for one in settled(look, known, sleep=sleep):
            found += [one]
    assert not left
    return found


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([1, 1, 1], []),
        ([1, 2, 2], [2]),
        ([1, 2, 3, 4, 4, 4], [4]),  # it is being written
        ([1, None, 2, 2], [2]),  # another takes its place
        ([1, None, 1, 1], []),  # it was away for a moment
        ([1, None, None, 2, 2], [None, 2]),
        ([1, 2, 1, 1], []),
    ],
)
async def test_what_stays_as_it_is_is_taken(looks: list[int | None], expected: list[int | None]) -> None:
    assert await taken(looks) == expected


async def test_a_file_that_has_changed_since_it_was_read_is_taken() -> None:
    assert await taken([2, 2], known=1) == [2]
    assert await taken([1, 1], known=1) == []
