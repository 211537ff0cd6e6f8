"""The simulated farm's Ceph has the metrics that a real one has: names, labels, types and kinds of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.calibration import differences, figures_of, simulated_farm
from tests.lab.services.ceph import Ceph
from tests.lab.services.prometheus import Prometheus

ON_LOOPBACK = frozenset({"back_iface", "front_iface"})
"""Empty there: Ceph looks for an interface of the subnet."""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A farm in which an OSD has been out for a while: more is to be seen of Ceph than where all is well."""
    folder: Path = tmp_path_factory.mktemp("simulated")
    with simulated_farm(folder, "osd-down") as url:
        yield url


def test_every_figure_has_the_same_labels_and_types(prometheus: Prometheus, ceph: Ceph, simulated: str) -> None:
    prometheus.wait_scraped("ceph")
    assert list(differences(figures_of("ceph"), prometheus.url, simulated, ON_LOOPBACK)) == []
