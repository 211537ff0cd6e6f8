"""Calls that block, in a few threads, each with a deadline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from farmtui.sources.threads import CallPool
from tests.sources.conftest import beating


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hung calls wait for; opened when the test is over, so that their threads end."""
    event = threading.Event()
    yield event
    event.set()


async def test_results_and_exceptions_come_back() -> None:
    pool = CallPool(2, "test")
    assert await pool.run(lambda: 41 + 1, 60) == 42
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0, 60)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await pool.run(lambda: next(iter(())), 60)
    pool.close()


async def test_a_hung_call_costs_one_thread_and_never_the_loop(gate: threading.Event) -> None:
    pool = CallPool(2, "test")
    async with beating() as beat:
        with pytest.raises(TimeoutError):
            await pool.run(gate.wait, 0.2)
        assert await pool.run(lambda: "well", 60) == "well"
    assert beat.count > 5, "the loop went on"
    assert pool.busy == 1
    pool.close()


async def test_no_more_threads_than_its_size(gate: threading.Event) -> None:
    pool = CallPool(3, "bounded")
    calls = [asyncio.create_task(pool.run(gate.wait, 60)) for _ in range(20)]
    await asyncio.sleep(0)
    assert pool.busy == 20
    assert sum(thread.name.startswith("bounded") for thread in threading.enumerate()) == 3
    gate.set()
    assert await asyncio.gather(*calls) == [True] * 20
    pool.close()


async def test_a_call_that_never_got_a_thread_is_never_made(gate: threading.Event) -> None:
    pool = CallPool(1, "test")
    made: list[str] = []
    hung = asyncio.create_task(pool.run(gate.wait, 60))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await pool.run(lambda: made.append("late"), 0.1)
    gate.set()
    await hung
    assert await pool.run(lambda: "next", 60) == "next"
    assert made == []
    pool.close()


async def test_a_call_given_up_frees_its_thread_when_it_ends(gate: threading.Event) -> None:
    pool = CallPool(1, "test")
    with pytest.raises(TimeoutError):
        await pool.run(gate.wait, 0.1)
    gate.set()
    assert await pool.run(lambda: "free", 60) == "free"
    pool.close()


async def test_a_closed_pool_lets_its_threads_end() -> None:
    pool = CallPool(2, "closing")
    await asyncio.gather(*(pool.run(lambda: 1, 60) for _ in range(4)))
    pool.close()
    pool.close()
    for thread in threading.enumerate():
        if thread.name.startswith("closing"):
            await asyncio.to_thread(thread.join, 60)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("closing")]
    with pytest.raises(RuntimeError, match="closed"):
        await pool.run(lambda: 1, 60)


def test_a_loop_that_is_gone_disturbs_no_thread(gate: threading.Event) -> None:
    pool = CallPool(1, "test")

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await pool.run(gate.wait, 0.05)

    asyncio.run(give_up())
    gate.set()
    assert asyncio.run(pool.run(lambda: "still there", 60)) == "still there"
    pool.close()
