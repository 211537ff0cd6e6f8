"""The request path drawn as boxes: each tier with its machines, and what flows between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.networks import NetworkKind
from farmtui.farm.node import Node, Tier, TierSummary
from farmtui.farm.state import Severity
from farmtui.farm.units import percent, rate, round_trip
from farmtui.insight.networks import flaws, network_state
from screens.cache import total
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from textual.strip import Strip

    from farmtui.farm.farm import Farm

PATH = (Tier.EDGE, Tier.CACHE, Tier.APP, Tier.DATABASE, Tier.STORAGE)
BESIDE = (Tier.MONITORING, Tier.OTHER)
_LEAST_BOX = 9
FLOW_WIDTHS = ((150, 11), (110, 7), (0, 3))
"""From which width on an arrow is how wide."""
NARROW_FLOW = 3
HEIGHT = 6
SHORT_TITLES = {Tier.APP: "WP", Tier.DATABASE: "DB", Tier.MONITORING: "Mon", Tier.OTHER: "Other"}


@dataclass(frozen=True, slots=True)
class TierBox:
    """One box of the map: a tier, its machines, and what flows into it."""

    summary: TierSummary
    nodes: tuple[Node, ...]
    flow: str = ""


def boxes_of(farm: Farm) -> tuple[TierBox, ...]:
    """The boxes of the tiers that the farm has or should have, in the order of the request path."""
    flows = _flows(farm)
    found = []
    for tier in (*PATH, *BESIDE):
        summary = next((item for item in farm.tiers if item.tier is tier), None)
        if summary is not None and (summary.seen or summary.expected):
            found.append(TierBox(summary, farm.tier_nodes(tier), flows.get(tier, "")))
    return tuple(found)


def _flows(farm: Farm) -> dict[Tier, str]:
    """What goes into each tier, per second, where it is measured."""
    flows: dict[Tier, str] = {}
    if farm.edge is not None:
        flows[Tier.EDGE] = rate(farm.edge.requests_per_s)
    if farm.cache is not None and farm.cache.nodes:
        flows[Tier.CACHE] = rate(total(node.requests_per_s for node in farm.cache.nodes))
        missed = (total(node.miss_per_s for node in farm.cache.nodes), total(n.pass_per_s for n in farm.cache.nodes))
        flows[Tier.APP] = rate(total(missed))
    if farm.galera is not None and farm.galera.nodes:
        flows[Tier.DATABASE] = rate(total(node.queries_per_s for node in farm.galera.nodes))
    if farm.ceph is not None and farm.ceph.pools:
        reads = total(pool.read_per_s for pool in farm.ceph.pools)
        writes = total(pool.write_per_s for pool in farm.ceph.pools)
        flows[Tier.STORAGE] = rate(total((reads, writes)))
    return flows


class TierMap(LineWidget):
    """Six lines: boxes with counts and one sign per machine, arrows with traffic, links between sites below."""

    DEFAULT_CSS = f"TierMap {{ height: {HEIGHT}; }}"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._boxes: tuple[TierBox, ...] = ()
        self._links = Content()

    def show(self, farm: Farm) -> None:
        """Show the farm's tiers and interconnects."""
        self._boxes = boxes_of(farm)
        self._links = _links(farm)
        self.repaint()

    def draw_line(self, y: int, width: int) -> Strip:
        """Lines 0-4 are the boxes, line 5 the links."""
        if y == HEIGHT - 1:
            return self.content_strip(self._links, width)
        parts: list[Content | str] = []
        path = [box for box in self._boxes if box.summary.tier in PATH]
        beside = [box for box in self._boxes if box.summary.tier in BESIDE]
        flow_width = next(cells for least, cells in FLOW_WIDTHS if width >= least)
        # What stands beside the path gives way where there is no room for it: half a box says nothing.
        while beside and width - flow_width * len(path) - 2 * len(beside) < _LEAST_BOX * (len(path) + len(beside)):
            beside.pop()
        boxes = len(path) + len(beside)
        if not boxes:
            return self.content_strip(Content.styled("no machine is known yet", ink.MUTED) if y == 1 else "", width)
        room = width - flow_width * len(path) - 2 * len(beside)
        box_width = max(_LEAST_BOX, min(26, room // boxes))
        for box in path:
            parts += [self._flow(box, y, flow_width), self._box(box, y, box_width)]
        for box in beside:
            parts += ["  ", self._box(box, y, box_width)]
        return self.content_strip(Content.assemble(*parts), width)

    def _flow(self, box: TierBox, y: int, width: int) -> Content:
        signs = glyphs()
        if y == 1 and width > NARROW_FLOW:
            return Content.styled(box.flow.center(width)[:width], ink.MUTED)
        if y == 2:
            return Content.styled((signs.axis_line * (width - 2) + signs.arrow).center(width), ink.FAINT)
        return Content(" " * width)

    def _box(self, box: TierBox, y: int, width: int) -> Content:
        inner = width - 2
        state = box.summary.state
        frame = ink.SEVERITY[state] if state >= Severity.WARNING else ink.FAINT
        ascii_only = glyphs().is_ascii
        top_left, top_right, low_left, low_right, side, bar = "+++++-" if ascii_only else "╭╮╰╯│─"
        side = "|" if ascii_only else side
        if y == 0:
            title = box.summary.tier.title
            title = title if len(title) < inner else SHORT_TITLES.get(box.summary.tier, title)[: inner - 1]
            return Content.assemble(
                (top_left, frame), (title, ink.STRONG), (bar * (inner - len(title)) + top_right, frame)
            )
        if y == 4:
            return Content.styled(low_left + bar * inner + low_right, frame)
        line = (self._count, self._signs, self._worst)[y - 1](box, inner)
        padded = line.truncate(inner, ellipsis=True, pad=True)
        return Content.assemble((side, frame), padded, (side, frame))

    @staticmethod
    def _count(box: TierBox, width: int) -> Content:
        summary = box.summary
        expected = summary.expected if summary.expected is not None else summary.seen
        mark = glyphs().severity[summary.state]
        style = ink.SEVERITY[summary.state] if summary.state >= Severity.WARNING else ink.OK
        counts = f"{summary.healthy}/{expected}"
        word = " well" if len(counts) + 7 <= width else ""
        return Content.assemble((f"{mark} ", style), (counts, ink.STRONG), (word, ink.MUTED))

    @staticmethod
    def _signs(box: TierBox, width: int) -> Content:
        """One sign per machine, worst first; what does not fit is counted."""
        signs = glyphs()
        nodes = sorted(box.nodes, key=lambda node: -node.state)
        shown = nodes if len(nodes) <= width else nodes[: max(0, width - 4)]
        parts = [(signs.severity[node.state], ink.SEVERITY[node.state]) for node in shown]
        more = f" +{len(nodes) - len(shown)}" if len(nodes) > len(shown) else ""
        return Content.assemble(*parts, (more, ink.MUTED))

    @staticmethod
    def _worst(box: TierBox, width: int) -> Content:
        """The name of what is worst, or where the tier runs."""
        worst = max(box.nodes, key=lambda node: node.state, default=None)
        if worst is not None and worst.state >= Severity.WARNING:
            return Content.styled(worst.name, ink.SEVERITY[worst.state])
        if box.summary.expected is not None and box.summary.seen < box.summary.expected:
            word = "not seen" if box.summary.state is Severity.UNKNOWN else "missing"
            lacks = f"{box.summary.expected - box.summary.seen} {word}"
            return Content.styled(lacks, ink.SEVERITY[box.summary.state])
        providers = sorted({node.provider.value for node in box.nodes})
        return Content.styled(" ".join(providers), ink.MUTED)


def _links(farm: Farm) -> Content:
    """The interconnects by their probes; then networks with which something is wrong."""
    parts: list[tuple[str, str]] = []
    faulty = any(network.kind is NetworkKind.INTERCONNECT and flaws(farm, network) for network in farm.networks)
    for hop in farm.interconnects:
        severity = Severity.OK if hop.up else Severity.CRITICAL
        words = f"{glyphs().severity[severity]} {'up' if hop.up else 'DOWN'} "
        # It is up, and all the same not well: what is wrong is told beside it.
        how = ("up ", ink.MUTED) if hop.up and faulty else (words, ink.SEVERITY[severity])
        parts += [
            (" interconnect ", ink.MUTED),
            how,
            (f"{round_trip(hop.latency_s)}, {percent(hop.loss_ratio)} lost  ", ink.MUTED),
            (f"{hop.instance} ", ink.MUTED),
        ]
    shown: list[tuple[str, str]] = []
    for network in farm.networks:
        wrong = flaws(farm, network)
        state = network_state(farm, network)
        between = network.kind is NetworkKind.INTERCONNECT
        if between and not farm.interconnects and not wrong:
            shown += [(" interconnect ", ink.MUTED), ("not measured ", ink.SEVERITY[Severity.UNKNOWN])]
        elif wrong and not (between and wrong[0].kind == "down"):
            sign = f" {glyphs().severity[state]} {network.name} {wrong[0].text} "
            shown.append((sign, ink.SEVERITY[state]))
    # What is wrong stands first: at 80 columns the end is cut.
    return Content.assemble(*shown, *parts)
