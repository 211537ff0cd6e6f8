"""Full collections happen while nobody types, and never for long not at all."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator

import pytest

from farmtui.term import quiet
from farmtui.term.quiet import QuietCollector


class Knot:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def knot() -> weakref.ref[Knot]:
    """A reference to garbage that only a full collection may find."""
    made = Knot()
    gc.collect()  # grown old: the young generations are done with it
    return weakref.ref(made)


@pytest.fixture(autouse=True)
def _no_other_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def test_garbage_stays_while_somebody_types_and_goes_when_nobody_does() -> None:
    collector, lost = QuietCollector(), knot()
    assert not collector.look(time.monotonic())
    assert lost() is not None
    assert collector.look(time.monotonic() - quiet.QUIET_S)
    assert lost() is None


def test_somebody_who_never_stops_typing_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    collector, lost = QuietCollector(), knot()
    monkeypatch.setattr(quiet, "LONGEST_S", 0.0)
    assert collector.look(time.monotonic())
    assert lost() is None


def test_what_comes_after_the_first_quiet_moment_is_found_in_the_next() -> None:
    collector, early = QuietCollector(), Knot()
    seen = weakref.ref(early)
    assert collector.look(-quiet.QUIET_S)
    late = knot()
    assert collector.look(-quiet.QUIET_S)
    assert late() is None
    del early
    assert collector.look(-quiet.QUIET_S)
    assert seen() is not None, "what a console begins with is looked at no more"


def test_python_itself_begins_no_full_collection_any_more() -> None:
    """In a process of its own: what is frozen stays so."""
    code = (
        "import gc; from farmtui.term.quiet import QuietCollector, hold; hold(); full = []\n"
        "collector = QuietCollector(); collector.begin(); collector.go_on()\n"
        "gc.callbacks.append(lambda phase, info: full.append(phase) if info['generation'] == 2 else None)\n"
        "kept = [[n] for n in range(600_000)]; print(len(full), gc.get_freeze_count() > 1000, gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", "True"]


def test_a_console_that_starts_looks_for_no_garbage_until_it_has_begun() -> None:
    gc.enable()
    quiet.hold()
    collector = QuietCollector()
    collector.begin()
    assert not gc.isenabled()
    collector.go_on()
    assert gc.isenabled()
