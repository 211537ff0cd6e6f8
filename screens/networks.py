"""The networks: how far the sites are from each other, and which machine is not in its network as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from farmtui.commands import Command
from farmtui.farm.state import Severity
from farmtui.farm.units import duration
from screens.frame import FarmScreen
from screens.network_rows import NOUN, NetworkRow, columns, network_rows, network_subject
from screens.trends import show_trend
from widgets.chart_axis import Axis
from widgets.live_table import LiveTable
from widgets.trend_chart import TrendChart

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding
    from screens.places import Subject

ROUND_TRIPS = Axis(format=duration, least=0.002)
"""Within a site it is a millisecond or two."""
TRENDS = (("network.ping_median_s", "median", False), ("network.latency_s", "round trip", False))


class NetworksScreen(FarmScreen):
    """Round trips above, every network below; Enter shows a network's machines."""

    NAME = "networks"
    CSS_PATH = "networks.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("networks.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("networks.sort.state", "S", "sort('state')", "By state", "Sort by state, worst first", group="list"),
        Command("networks.sort.latency", "L", "sort('latency')", "By latency", "Sort by latency", group="list"),
        Command("networks.sort.loss", "O", "sort('loss')", "By loss", "Sort by what is lost", group="list"),
        Command("networks.sort.traffic", "T", "sort('traffic')", "By traffic", "Sort by traffic", group="list"),
    )

    def compose_body(self) -> ComposeResult:
        """The trend, then the networks."""
        yield TrendChart("round trips", ROUND_TRIPS, id="trend")
        yield LiveTable[NetworkRow](
            columns(),
            key=lambda row: row.network.name,
            severity=lambda row: row.severity,
            noun=NOUN,
            id="networks",
        )

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        rows = network_rows(farm)
        if self.console.faults_only:
            rows = tuple(row for row in rows if row.severity >= Severity.WARNING)
        self.query_one("#networks", LiveTable).set_rows(rows, freshness=farm.freshness("prometheus"))
        # Of two that measure the same path the better one is drawn.
        first = [named for named in TRENDS if farm.trends.get(named[0]) and farm.trends[named[0]].series]
        show_trend(self.query_one(TrendChart), farm, tuple(first[:1]) or TRENDS[1:])

    def selected(self) -> Subject | None:
        """The network under the cursor."""
        row = self.query_one("#networks", LiveTable).cursor_row
        return network_subject(row.network) if row is not None else None

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        self.console.open(network_subject(message.row.network))
