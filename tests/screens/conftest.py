"""What tests of runs share: a clock that stands."""

from __future__ import annotations

import pytest

import screens.frame
import screens.overview
import screens.remedy_details
import screens.run
import screens.runbooks
from tests.screens.farms import NOW
from tests.screens.written import Still


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> type[Still]:
    """In the screens it is NOW, and stays so until `moment` is set."""
    monkeypatch.setattr(Still, "moment", NOW)
    for module in (screens.frame, screens.overview, screens.remedy_details, screens.run, screens.runbooks):
        monkeypatch.setattr(module, "datetime", Still)
    return Still
