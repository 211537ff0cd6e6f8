"""One farm of real daemons for each module that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.farm import LabFarm, lab_farm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the lab."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabFarm]:
    """A running farm; the tests of a module share it and leave it as they found it."""
    with lab_farm(tmp_path_factory.mktemp("farm")) as running:
        yield running
