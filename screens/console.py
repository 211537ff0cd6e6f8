"""What a screen may ask of the application, and the registry of screens."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from farmtui.commands import Command
from farmtui.farm.state import Severity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from farmtui.farm.alerts import Matcher
    from farmtui.farm.farm import Farm
    from farmtui.farm.looks import Look
    from farmtui.farm.mistake import ConfigState
    from farmtui.insight.finding import Finding
    from farmtui.journal.entry import Entry
    from farmtui.journal.proof import Proof
    from farmtui.runbooks.picture import Picture
    from farmtui.runbooks.planned import Plan
    from farmtui.tail.desk import LogDesk
    from screens.frame import FarmScreen
    from screens.places import Place, Subject


class SilenceDesk(Protocol):
    """The one thing that this console can change at an Alertmanager."""

    def create(
        self, matchers: Sequence[Matcher], duration_s: float, comment: str, *, replaces: str = ""
    ) -> Awaitable[str]:
        """Create a silence from now on; gives its id. Raises ActionError in words."""
        ...

    def expire(self, ident: str) -> Awaitable[None]:
        """End a silence now. Raises ActionError in words."""
        ...


class LookDesk(Protocol):
    """What is asked about the one thing on the screen, beside what the picture holds."""

    def of(self, farm: Farm, kind: str, key: str, then: Callable[[], None]) -> Look | None:
        """What is known about a thing now; `then` is called when more is. None: nothing yet, or nothing is asked."""
        ...


class RemedyDesk(Protocol):
    """Runs and books, and what may be said to runs. What is refused or fails raises ActionError, in words."""

    @property
    def picture(self) -> Picture:
        """Runs and books as they are known now."""
        ...

    @property
    def user(self) -> str:
        """Who sits at this console."""
        ...

    def follow(self, run: str) -> None:
        """Keep a run's story in the picture, until `leave`."""
        ...

    def leave(self, run: str) -> None:
        """Nobody looks at its story any more."""
        ...

    def plan(self, book: str, texts: Mapping[str, str]) -> Awaitable[Plan]:
        """The plan of a run; nothing is written down."""
        ...

    def start(self, plan: Plan, reason: str, *, typed: str = "", break_glass: str = "") -> Awaitable[str]:
        """Write a plan down and confirm it; gives the run's id."""
        ...

    def answer(self, run: str, question: int, choice: str, note: str = "") -> Awaitable[None]:
        """Answer what a run asks."""
        ...

    def approve(self, run: str, digest: str) -> Awaitable[None]:
        """Approve another's run, by the hash of its plan."""
        ...

    def reject(self, run: str, why: str) -> Awaitable[None]:
        """Refuse another's run."""
        ...

    def cancel(self, run: str, why: str, *, undo: bool = False) -> Awaitable[None]:
        """End a run; with `undo` what was done is taken back, as far as its book can."""
        ...

    def pause(self, run: str, why: str = "") -> Awaitable[None]:
        """Let a run begin no further step."""
        ...

    def resume(self, run: str) -> Awaitable[None]:
        """Let a paused run go on."""
        ...

    def shell_opened(self, host: str) -> Awaitable[None]:
        """Write down that a shell is opened on a machine."""
        ...

    def shell_closed(self, host: str, code: int, lasted_s: float) -> Awaitable[None]:
        """Write down that it has ended."""
        ...

    def record(self, *, before: int | None = None, limit: int = 2_000) -> Awaitable[list[Entry]]:
        """The journal's latest entries (before a number), the newest last."""
        ...

    def prove(self) -> Awaitable[Proof]:
        """Prove the journal whole."""
        ...


class Console(Protocol):
    """The application, as screens see it."""

    farm_name: str
    """The farm's name from the config."""
    logs: LogDesk
    """What logs are read by."""

    @property
    def looks(self) -> LookDesk:
        """Asks about one thing while somebody looks at it."""
        ...

    @property
    def farm_colour(self) -> int:
        """The ground of its name: one of the theme's line colours, from 1; 0: none."""
        ...

    @property
    def farm(self) -> Farm | None:
        """The newest picture, or None before the first."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, worst first."""
        ...

    @property
    def overall(self) -> Severity:
        """How the farm is, as a whole."""
        ...

    @property
    def screen_health(self) -> Mapping[str, Severity]:
        """How bad the worst thing on each screen is, by the screen's name."""
        ...

    @property
    def faults_only(self) -> bool:
        """Whether rows that are well are hidden."""
        ...

    @property
    def read_only(self) -> str:
        """Why nothing can be changed; empty when it can."""
        ...

    @property
    def config_state(self) -> ConfigState:
        """What is wrong in the config file, and what follows from it; another object when it has changed."""
        ...

    @property
    def silences(self) -> SilenceDesk | None:
        """None where no Alertmanager is configured."""
        ...

    @property
    def remedies(self) -> RemedyDesk | None:
        """None until the journal is looked at: that begins after the first picture."""
        ...

    def go(self, place: Place) -> None:
        """Show a place, and remember it in the history."""
        ...

    def open(self, subject: Subject) -> None:
        """Drill into a thing, on the screen where somebody is."""
        ...

    def say(self, text: str, severity: Severity = Severity.OK) -> None:
        """A passing notice. The text is never read as markup."""
        ...

    def clip(self, text: str, what: str) -> None:
        """Copy to the terminal's clipboard (OSC 52) and say so."""
        ...

    def shell(self, host: str) -> None:
        """Give the terminal to a shell on a machine, and take it back when that has ended."""
        ...

    def refresh_sources(self) -> None:
        """Poll everything now."""
        ...

    def reload(self) -> None:
        """Read the config file and the themes again."""
        ...


@dataclass(frozen=True, slots=True)
class ScreenEntry:
    """One top-level screen: the one declaration from which its key, its `:` names, its tab and its help come."""

    name: str
    key: str
    """Empty for screens that are only reached by name."""
    help: str
    target: str
    """`module:Class`, imported when it is first shown."""
    names: tuple[str, ...] = ()

    def load(self) -> type[FarmScreen]:
        """The screen's class."""
        module, _, name = self.target.partition(":")
        found: type[FarmScreen] = getattr(import_module(module), name)
        return found

    @property
    def command(self) -> Command:
        """The command that goes there."""
        return Command(
            id=f"go.{self.name}",
            keys=self.key,
            action=f"app.screen('{self.name}')",
            title=self.name,
            help=self.help,
            names=(self.name, *self.names),
            group="screens",
        )


SCREENS: tuple[ScreenEntry, ...] = (
    ScreenEntry("overview", "1", "Worst things first, each with its cause", "screens.overview:OverviewScreen", ("ov",)),
    ScreenEntry(
        "topology",
        "2",
        "The request path, and every machine",
        "screens.topology:TopologyScreen",
        ("topo", "nodes", "no"),
    ),
    ScreenEntry("cache", "3", "Varnish and Redis", "screens.cache:CacheScreen", ("varnish", "redis")),
    ScreenEntry("storage", "4", "Ceph and Gluster", "screens.storage:StorageScreen", ("ceph", "osds", "gluster")),
    ScreenEntry("alerts", "5", "Alerts and silences", "screens.alerts:AlertsScreen", ("al", "alert", "silences")),
    ScreenEntry(
        "sites", "6", "Every site: which hurt, and which eats the farm", "screens.sites:SitesScreen", ("site",)
    ),
    ScreenEntry(
        "compute", "7", "Every machine, and what the Swarm runs", "screens.compute:ComputeScreen", ("swarm", "services")
    ),
    ScreenEntry("database", "8", "Galera", "screens.database:DatabaseScreen", ("db", "galera")),
    ScreenEntry("runbooks", "9", "The library, and the runs", "screens.runbooks:RunbooksScreen", ("runs", "rb")),
    ScreenEntry(
        "cost", "0", "Spend against plan, scenarios, waste", "screens.cost:CostScreen", ("costs", "spend", "waste")
    ),
    ScreenEntry(
        "networks",
        "",
        "The interconnect, Ceph's networks, cache-net",
        "screens.networks:NetworksScreen",
        ("nets", "interconnect", "cache-net"),
    ),
    ScreenEntry(
        "backups", "", "Every site's and guest's newest backup", "screens.backups:BackupsScreen", ("bk", "backup")
    ),
    ScreenEntry("journal", "", "Who did what, when", "screens.journal:JournalScreen", ("audit",)),
    ScreenEntry("sources", "", "Where the figures come from, and how old", "screens.sources:SourcesScreen", ("src",)),
    ScreenEntry("config", "", "What is wrong in the config file, line by line", "screens.config:ConfigScreen"),
)
