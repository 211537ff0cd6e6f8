"""Text as the cells it takes on the screen: the second wall, after which nothing can move a cursor or a neighbour.

A cell is a string: a cluster (one base character and what combines with it) or "" where the cluster to its left
reaches into it. Widths are Textual's own (`rich.cells`), since it laid out the screen by them. Terminals disagree
about some of them, so each cluster also has a reach: how many cells any terminal might touch in drawing it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import split_graphemes
from wcwidth import wcwidth

from farmtui.farm.text import visible

__all__ = ["BLANK", "MAX_CLUSTER", "REACH", "Reach", "split_cells"]

BLANK: Final = " "
"""The cell that a cleared terminal shows."""

MAX_CLUSTER: Final = 16
"""Characters in a cluster: the longest emoji in use has 10, and what is longer is a flood of marks."""

# Scripts and symbols on whose width all terminals agree, whatever their Unicode version; emoji are not among them,
# nor is anything that combines, shapes or was widened later.
_NARROW: Final = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u20bf"
    "\u2100-\u2319\u231c-\u23e8\u2400-\u24ff\u2500-\u25fc\u25ff-\u2613\u2616-\u2647\u2654-\u267e\u2680-\u2692"
    "\u2694-\u26a0\u26a2-\u26a9\u26ac-\u26bc\u2701-\u2704\u2706-\u2709\u270c-\u2727\u2729-\u274b\u2761-\u2794"
    "\u2798-\u27af\u27c0-\u2b1a\u2c60-\u2c7f\uff61-\uff9f\ufffd]"
)
_WIDE: Final = re.compile(
    "[\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u3105-\u312d\u3131-\u3163\u3165-\u318e\u3400-\u4db5\u4e00-\u9fcc"
    "\uac00-\ud7a3\uf900-\ufad9\uff01-\uff60\uffe0-\uffe6]"
)


@lru_cache(maxsize=8192)
def split_cells(text: str) -> tuple[str, tuple[str, ...]]:
    """Marks that combine with whatever stands before `text`, and the cells of `text` itself.

    Each character that controls or hides becomes a visible placeholder of one cell, even where Textual counts it as
    nothing: the text may then take more cells than Textual meant, and whoever places it cuts it at its own width.
    """
    text = visible(text)
    leading = ""
    cells: list[str] = []
    flag_half = False
    for start, end, width in split_graphemes(text)[0]:
        cluster = text[start : min(end, start + MAX_CLUSTER)]
        if not width:
            leading = cluster
        elif flag_half and _is_flag_half(cluster):
            # Two regional indicators are one flag. Sent apart they would be two letters.
            cells[-1] += cluster
            cells.extend([""] * width)
            flag_half = False
        else:
            cells.append(cluster)
            cells.extend([""] * (width - 1))
            flag_half = _is_flag_half(cluster)
    return leading, tuple(cells)


def _is_flag_half(cluster: str) -> bool:
    return len(cluster) == 1 and "\U0001f1e6" <= cluster <= "\U0001f1ff"


class Reach(dict[str, int]):
    """For each cluster the cells that some terminal may touch in drawing it; 0 if all agree on its width.

    What is missing is worked out when it is asked for. The number of different clusters is bounded by starting
    again, since what the farm calls its sites is not known beforehand.
    """

    def __missing__(self, cluster: str) -> int:
        if len(self) >= 65536:
            self.clear()
        reach = self[cluster] = _reach(cluster)
        return reach


def _reach(cluster: str) -> int:
    if len(cluster) == 1 and (_NARROW.match(cluster) or _WIDE.match(cluster)):
        return 0
    reach = 0
    for character in cluster:
        width = wcwidth(character)
        # Spacing marks were counted by older tables, and a selector may widen what it follows.
        extends = character == "\ufe0f" or unicodedata.category(character) == "Mc"
        reach += max(width, 0) + (extends and width < 1)
    return max(reach, 2 if len(cluster) == 1 else 1)


REACH: Final = Reach()
