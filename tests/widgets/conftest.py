"""What each widget test begins with: Unicode signs, whatever terminal the tests run in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from widgets.glyphs import set_ascii


@pytest.fixture(autouse=True)
def _unicode_signs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("NO_COLOR", raising=False)
    set_ascii(False)
    yield
    set_ascii(None)


@pytest.fixture
def ascii_signs() -> Iterator[None]:
    """ASCII signs in this test."""
    set_ascii(True)
    yield
    set_ascii(False)
