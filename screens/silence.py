"""The silence dialog: matchers, an end, a reason, and live what it would keep quiet. Nothing is done by one key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static, TextArea

from farmtui.farm.actions import ActionError
from farmtui.farm.alerts import Alert, Matcher, Silence
from farmtui.farm.matchers import MatcherError, parse_matchers
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import ago, duration
from farmtui.unix import unix_user
from screens.alert_draft import (
    PRESETS,
    Caution,
    Coverage,
    Draft,
    EndError,
    Preview,
    cautions,
    end_of,
    fires_again,
    matches_nothing_in_particular,
)
from screens.alert_rows import Around, around, summary
from screens.lines import ClickableLine
from widgets import ink
from widgets.dialog import ConfirmDialog, key_hints
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from textual.app import App, ComposeResult

    from farmtui.farm.farm import Farm
    from screens.console import Console

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class UntilInput(Input):
    """The end of a silence; up and down step through the usual lengths."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", show=False, tooltip="the next longer preset"),
        Binding("down", "step(-1)", show=False, tooltip="the next shorter preset"),
    ]

    def action_step(self, by: int) -> None:
        """The next preset, from the one that is typed or from the ends."""
        here = PRESETS.index(self.value) if self.value in PRESETS else (-1 if by > 0 else len(PRESETS))
        self.value = PRESETS[max(0, min(here + by, len(PRESETS) - 1))]


class SilenceScreen(ModalScreen[str]):
    """Makes or changes a silence; gives its id, or None when nothing was done."""

    CSS_PATH = "silence.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "cancel", id="silence.cancel", show=False, tooltip="close without doing anything")
    ]

    def __init__(self, draft: Draft, *, clock: Clock = utc_now, author: str = "") -> None:
        super().__init__()
        self._draft = draft
        self._clock = clock
        self._author = author or unix_user()
        self._farm: Farm | None = None
        self._around: Around | None = None
        self._preview = Preview(())
        self._matchers: tuple[Matcher, ...] | None = None
        self._coverage = Coverage()
        self._cautions: tuple[Caution, ...] = ()
        self._asked: object = None
        """What was going to be done when a second confirmation was asked for."""
        self._busy = False

    @property
    def console(self) -> Console:
        """The application, as screens see it."""
        return cast("Console", self.app)

    @property
    def coverage(self) -> Coverage:
        """What the silence as it stands would cover."""
        return self._coverage

    # -- layout ---------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """What, until when, why, what that covers, and the two buttons."""
        draft = self._draft
        with Vertical(id="silence") as box:
            box.border_title = Content(draft.title)
            with Horizontal(classes="field matchers"):
                yield Label("matchers", markup=False)
                yield TextArea(
                    "\n".join(map(str, draft.matchers)),
                    id="matchers",
                    compact=True,
                    soft_wrap=True,
                    highlight_cursor_line=False,
                )
            yield Static(id="matchers-problem", classes="hint", markup=False)
            with Horizontal(classes="field"):
                yield Label("for, until", markup=False)
                yield UntilInput(draft.until, id="until", compact=True, select_on_focus=False)
                yield ClickableLine(id="presets")
            yield Static(id="until-words", classes="hint", markup=False)
            with Horizontal(classes="field"):
                yield Label("why", markup=False)
                yield Input(draft.comment, id="comment", compact=True, select_on_focus=False)
            yield Static(id="covers", markup=False)
            yield LiveTable[Alert](
                (
                    Column("severity", "sev", lambda alert: status_mark(alert.severity), width=6, priority=0),
                    Column("name", "alert", lambda alert: alert.name, width=16, min_width=12, flex=2, priority=0),
                    Column("where", "machine", self._where, width=12, min_width=8, flex=1, priority=1),
                    Column("note", "", self._note, width=14, min_width=10, flex=1, priority=0),
                    Column("summary", "summary", summary, width=18, min_width=14, flex=3, priority=2),
                ),
                key=lambda alert: alert.fingerprint,
                freshness=lambda alert: Freshness.AGEING if alert.suppressed else Freshness.LIVE,
                noun="alerts would be covered",
                id="covered",
            )
            yield Static(id="outcome", markup=False)
            with Horizontal(id="buttons"):
                yield Button(_label(self._verb), id="create", compact=True)
                yield Button(_label("Cancel"), id="cancel", compact=True)
                yield Static(key_hints(("Tab", "next"), ("Esc", "cancel")), id="keys", markup=False)

    @property
    def _verb(self) -> str:
        return "Change silence" if self._draft.replaces else "Create silence"

    def on_mount(self) -> None:
        """Begin where something is missing: the reason."""
        parts = [ClickableLine.part(Content.styled(f" {preset} ", ink.ACCENT), preset) for preset in PRESETS]
        self.query_one("#presets", ClickableLine).show(Content.assemble(*parts))
        self.query_one("#until" if self._draft.comment else "#comment").focus()
        self.follow()
        self.set_interval(1.0, self.follow)

    # -- what it would do -----------------------------------------------------------------------

    def follow(self) -> None:
        """The farm goes on while somebody types: the preview is of the newest picture."""
        farm = self.console.farm
        if farm is not self._farm:
            self._farm = farm
            self._around = around(farm) if farm else None
            self._preview = Preview(farm.book.alerts if farm and farm.book else ())
            self._work_out()
        self._show_end()

    @on(TextArea.Changed, "#matchers")
    def _matchers_typed(self) -> None:
        self._work_out()

    def _work_out(self) -> None:
        """Read the matchers and see what they cover; what cannot be read covers nothing, and says why."""
        problem = ""
        try:
            self._matchers = self._read_matchers()
        except MatcherError as error:
            self._matchers = None
            problem = str(error)
        self._coverage = self._preview.of(self._matchers or (), self._draft.chosen)
        self._hint("#matchers-problem", problem, Severity.CRITICAL)
        self._show_coverage()
        self._forget_question()

    def _read_matchers(self) -> tuple[Matcher, ...]:
        """Matchers, one or several a line. Raises MatcherError that names the line."""
        found: list[Matcher] = []
        lines = self.query_one("#matchers", TextArea).text.split("\n")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found.extend(parse_matchers(line))
            except MatcherError as error:
                raise MatcherError(f"line {number}: {error}") from None
        if not found:
            raise MatcherError('no matcher: write one a line, as alertname="TargetDown" or instance=~"db-.*"')
        if matches_nothing_in_particular(found):
            raise MatcherError("every alert would match: one matcher at least must not match an empty label")
        return tuple(found)

    @on(Input.Changed, "#until")
    def _until_typed(self) -> None:
        self._show_end()
        self._show_coverage()
        self._forget_question()

    def _end(self) -> datetime:
        return end_of(self.query_one("#until", Input).value, self._clock())

    def _show_end(self) -> None:
        now = self._clock()
        try:
            end = self._end()
        except EndError as error:
            self._hint("#until-words", str(error), Severity.CRITICAL)
            return
        day = f"{end:%H:%M}Z" if end.date() == now.astimezone(UTC).date() else f"{end:%a %Y-%m-%d %H:%M}Z"
        words = f"ends {day}, in {duration(round((end - now).total_seconds()))}   by {self._author}"
        self._hint("#until-words", words, None)

    def _show_coverage(self) -> None:
        coverage, farm = self._coverage, self._farm
        source = farm.source("alertmanager") if farm else None
        book_age_s = None
        if farm and source and source.freshness is not Freshness.LIVE and source.last_success_at:
            book_age_s = (farm.at - source.last_success_at).total_seconds()
        try:
            length: timedelta | None = self._end() - self._clock()
        except EndError:
            length = None
        self._cautions = cautions(coverage, length, book_age_s) if self._matchers else ()
        count = len(coverage.covered)
        what = f"{count} of {coverage.total} alerts" if coverage.total else "no alert: there is none now"
        lines = [Content.assemble(("would cover ", ink.MUTED), (what, ink.STRONG))]
        for caution in self._cautions:
            style = f"{ink.SEVERITY[caution.severity]} {ink.STRONG if caution.loud else ''}".strip()
            lines.append(Content.styled(f"{glyphs().severity[caution.severity]} {caution.text}", style))
        self._put("#covers", Content("\n").join(lines))
        self.query_one("#covered", LiveTable).set_rows(coverage.covered)

    def _where(self, alert: Alert) -> str:
        return (self._around.where(alert) if self._around else "") or "–"

    def _note(self, alert: Alert) -> str | Content:
        if alert.suppressed:
            return "quiet already"
        if not self._draft.chosen:
            return ""
        if alert.fingerprint in self._draft.chosen:
            return "chosen"
        return Content.styled("also covered", ink.SEVERITY[max(alert.severity, Severity.WARNING)])

    def _hint(self, where: str, words: str, severity: Severity | None) -> None:
        self.query_one(where).display = bool(words)
        if severity is None:
            self._put(where, Content.styled(words, ink.MUTED))
        else:
            self._put(where, Content.styled(f"{glyphs().severity[severity]} {words}", ink.SEVERITY[severity]))

    def _put(self, where: str, text: Content) -> None:
        """Update only what differs: an update with the same text would be sent again."""
        static = self.query_one(where, Static)
        if not (isinstance(static.content, Content) and static.content.is_same(text)):
            static.update(text)

    # -- doing it -------------------------------------------------------------------------------

    @on(ClickableLine.Chosen)
    def _preset_clicked(self, message: ClickableLine.Chosen) -> None:
        message.stop()
        self.query_one("#until", Input).value = message.name

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        """Enter goes on to the next field: only the button does anything."""
        message.stop()
        self.query_one("#comment" if message.input.id == "until" else "#create").focus()

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.action_refuse()

    def action_refuse(self) -> None:
        """Close, unless an answer is awaited: what is under way cannot be taken back by looking away."""
        if self._busy:
            self._say("asking Alertmanager; it answers or fails within seconds", Severity.INFO)
        else:
            self.dismiss(None)

    @on(Input.Changed, "#comment")
    def _comment_typed(self) -> None:
        self._forget_question()

    def _forget_question(self) -> None:
        """Something has changed since a second confirmation was asked for."""
        if self._asked is not None:
            self._asked = None
            self.query_one("#create", Button).label = _label(self._verb)
            self._say("")

    @on(Button.Pressed, "#create")
    def _pressed(self) -> None:
        if self._busy:
            return
        refusal, field = self._refusal()
        if refusal:
            self._say(refusal, Severity.CRITICAL)
            if field:
                self.query_one(field).focus()
            return
        matchers = self._matchers or ()
        loud = [caution for caution in self._cautions if caution.loud]
        wanted = (matchers, tuple(alert.fingerprint for alert in self._coverage.covered))
        if loud and self._asked != wanted:
            self._asked = wanted
            self.query_one("#create", Button).label = _label(f"Really silence {len(self._coverage.covered)}")
            self._say(f"{loud[0].text}. Press once more if that is meant", Severity.CRITICAL)
            return
        self._busy = True
        self._say("asking Alertmanager", Severity.INFO)
        comment = self.query_one("#comment", Input).value.strip()
        self.run_worker(self._create(matchers, comment), exclusive=True)

    def _refusal(self) -> tuple[str, str]:
        """Why it cannot be made, and the field to look at."""
        if self.console.read_only:
            return f"read-only: {self.console.read_only}", ""
        if self.console.silences is None:
            return "no Alertmanager is configured", ""
        if self._matchers is None:
            return "the matchers cannot be read", "#matchers"
        try:
            self._end()
        except EndError as error:
            return str(error), "#until"
        if not self.query_one("#comment", Input).value.strip():
            return "say why: others will see this silence, and ask", "#comment"
        return "", ""

    async def _create(self, matchers: Sequence[Matcher], comment: str) -> None:
        desk = self.console.silences
        assert desk is not None, "_refusal has seen to it"
        end = self._end()
        try:
            length_s = (end - self._clock()).total_seconds()
            ident = await desk.create(matchers, length_s, comment, replaces=self._draft.replaces)
        except ActionError as error:
            self._busy = False
            self._say(str(error), Severity.CRITICAL)
        except Exception as error:  # noqa: BLE001 - whatever a desk does, the dialog stays and says it
            self._busy = False
            self._say(f"{type(error).__name__}: look at the silences before you try again", Severity.CRITICAL)
        else:
            count = len([alert for alert in self._coverage.covered if not alert.suppressed])
            noun = "alert" if count == 1 else "alerts"
            self.console.say(f"silence {ident[:8]}: {count} {noun} quiet until {end:%a %H:%M}Z")
            self.dismiss(ident)

    def _say(self, words: str, severity: Severity = Severity.OK) -> None:
        self._hint("#outcome", words, severity if words else None)


def _label(words: str) -> Content:
    """A button's label: brackets make it a button where there are no colours."""
    return Content(f"[ {words} ]")


# -- ending one -----------------------------------------------------------------------------------

_MOST_LISTED = 10


def expire_dialog(silence: Silence, alerts: Sequence[Alert], beside: Around) -> ConfirmDialog:
    """Asks whether a silence is to end, and says which alerts fire again then."""
    again = sorted(fires_again(silence, alerts), key=lambda alert: (-alert.severity, alert.name))
    left_s = (silence.ends_at - beside.at).total_seconds()
    body: list[str | Content] = [
        Content.assemble(("matches   ", ink.MUTED), ", ".join(map(str, silence.matchers))),
        Content.assemble(("made by   ", ink.MUTED), f"{silence.created_by}, {_ago(beside.at, silence.starts_at)}"),
        Content.assemble(("because   ", ink.MUTED), silence.comment or "(no comment)"),
        Content.assemble(("would end ", ink.MUTED), f"in {duration(left_s)}" if left_s > 0 else "now"),
        "",
    ]
    if again:
        body.append(Content.styled(f"{len(again)} {'fires' if len(again) == 1 else 'fire'} again at once:", ink.STRONG))
        body.extend(
            Content.assemble("  ", status_mark(alert.severity), f"  {alert.name}  ", (beside.where(alert), ink.MUTED))
            for alert in again[:_MOST_LISTED]
        )
        if len(again) > _MOST_LISTED:
            body.append(Content.styled(f"  and {len(again) - _MOST_LISTED} more", ink.MUTED))
    else:
        body.append(Content.styled("no present alert fires again", ink.MUTED))
    return ConfirmDialog(f"End silence {silence.id[:8]}", body, verb="end it")


def _ago(now: datetime, then: datetime) -> str:
    words = ago((now - then).total_seconds())
    return "just now" if words == "now" else words


async def expire(app: App[None], ident: str) -> None:
    """End a silence, and say how that went."""
    console = cast("Console", app)
    desk = console.silences
    if desk is None or console.read_only:
        console.say(console.read_only or "no Alertmanager is configured", Severity.WARNING)
        return
    try:
        await desk.expire(ident)
    except ActionError as error:
        console.say(str(error), Severity.CRITICAL)
    except Exception as error:  # noqa: BLE001 - whatever a desk does, the console stays and says it
        console.say(f"{type(error).__name__}: look at the silences before you try again", Severity.CRITICAL)
    else:
        console.say(f"silence {ident[:8]} has ended")
