"""The config file: what is wrong in it, each with its line, what to do about it, and what it costs until then."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.mistake import ConfigState, Mistake
from farmtui.farm.state import Freshness, Severity
from screens.frame import FarmScreen
from widgets import ink
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.table_columns import Column

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding


class ConfigScreen(FarmScreen):
    """What follows from the mistakes, the mistakes, and the one under the cursor in full."""

    NAME = "config"
    CSS_PATH = "config.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("config.reload", "r", "reload", "Read again", "Read the config again now", shown=True, group="list"),
        Command("config.sort.line", "L", "sort('line')", "By line", "Sort by line", group="sort"),
        Command("config.sort.key", "N", "sort('key')", "By key", "Sort by key", group="sort"),
    )

    def compose_body(self) -> ComposeResult:
        """What follows, the mistakes, one of them in full."""
        yield Static(id="told", markup=False)
        yield LiveTable[Mistake](
            (
                Column("line", "line", lambda m: str(m.line or "–"), width=5, align="right", priority=0,
                       sort=lambda m: m.line),
                Column("key", "key", lambda m: Content.styled(m.key or "(file)", ink.STRONG), width=22, min_width=16,
                       flex=1, priority=0, sort=lambda m: m.key),
                Column("what", "what is wrong, and what to do", lambda m: m.what, width=30, flex=3, priority=0),
                Column("lost", "left out", lambda m: m.left_out, width=18, flex=1, priority=2),
            ),
            key=lambda mistake: (mistake.line, mistake.key, mistake.what),
            severity=lambda mistake: Severity.CRITICAL if mistake.limits else Severity.WARNING,
            noun="mistakes",
            sort="line",
            id="mistakes",
        )  # fmt: skip
        yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        """It needs no picture of the farm."""
        super().on_mount()
        self._show()
        self.query_one("#mistakes", LiveTable).focus()

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """The file may have been read again."""
        self._show()

    def _show(self) -> None:
        state = self.console.config_state
        well = f"nothing is wrong in {state.file}" if state.file else "this console has no config file"
        table = self.query_one("#mistakes", LiveTable)
        table.set_rows(state.mistakes, freshness=Freshness.LIVE, reason=well)
        self.query_one("#told", Static).update(told(state))
        self._show_about()

    @on(LiveTable.RowHighlighted, "#mistakes")
    def _show_about(self) -> None:
        row: Mistake | None = self.query_one("#mistakes", LiveTable).cursor_row
        self.query_one("#about", Static).update(about(row, self.console.config_state) if row else Content())

    def action_copy(self) -> None:
        """The place, as an editor takes it."""
        row: Mistake | None = self.query_one("#mistakes", LiveTable).cursor_row
        if row is not None:
            self.console.clip(row.place, "the place")

    def action_reload(self) -> None:
        """Read the file again now."""
        self.console.reload()


def told(state: ConfigState) -> Content:
    """The file, and what follows from what is wrong in it."""
    signs = glyphs()
    if not state.mistakes:
        return Content.assemble((f"{signs.severity[Severity.OK]} ", ink.OK), (state.file, ink.TEXT))
    count = len(state.mistakes)
    lines = [
        Content.assemble(
            (f"{signs.severity[Severity.CRITICAL]} {count} mistake{'' if count == 1 else 's'} in ",
             f"{ink.STRONG} {ink.CRITICAL}"),
            (state.file, f"{ink.STRONG} {ink.CRITICAL}"),
        )
    ]  # fmt: skip
    goes_on = "the config of before goes on" if state.kept else "what is right in it holds"
    lines.append(Content.styled(f"{goes_on}; it is read again as soon as it is saved", ink.TEXT))
    if state.locked:
        lines.append(Content.styled(f"{signs.severity[Severity.CRITICAL]} READ-ONLY: {state.locked}", ink.CRITICAL))
    lines.append(Content.styled("no run begins until then; farmtui check tells the same in a shell", ink.MUTED))
    return Content("\n").join(lines)


def about(mistake: Mistake, state: ConfigState) -> Content:
    """One mistake in full, with its line."""
    name = PurePath(mistake.file).name
    place = f"{name}:{mistake.line}" if mistake.line else name
    parts: list[tuple[str, str]] = [(place, ink.MUTED), (f"  {mistake.key or '(file)'}", ink.STRONG)]
    if mistake.text:
        parts += [(f"\n{mistake.line:>5} │ ", ink.MUTED), (mistake.text, ink.TEXT)]
    parts.append((f"\n{mistake.what}", ink.ACCENT))
    if mistake.left_out == mistake.key and not state.kept:
        parts.append(("\nuntil then as if it were not there", ink.MUTED))
    elif mistake.left_out and not state.kept:
        parts += [("\nuntil then without ", ink.MUTED), (mistake.left_out, ink.TEXT)]
    if mistake.limits:
        parts.append(("\nit may limit what is allowed: so nothing is", ink.CRITICAL))
    return Content.assemble(*parts)
