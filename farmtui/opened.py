"""One farm as the console has it opened: its config and what is wrong with the file, what polls it, and its desks.

The file is looked at each second. What is changed for the better holds at once, and only what it touches begins anew;
what is changed for the worse leaves the console as it was, and says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from farmtui.farm.mistake import ConfigState, why_locked
from farmtui.farm.state import Severity

if TYPE_CHECKING:
    from farmtui.config import Config
    from farmtui.config.salvage import Check, Salvaged, Stamp
    from farmtui.farm.farm import Farm
    from farmtui.polling import Feed
    from farmtui.runbooks.remedies import Remedies
    from farmtui.silences import AlertmanagerDesk

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S: Final = 1.0
"""How often the file is looked at; what is the same at two looks is taken: an editor may still be writing."""
TOLD: Final = 5
"""So many changed keys are named in a notice."""


class Host(Protocol):
    """What a farm that is opened asks of the console."""

    def take(self, config: Config, changed: Sequence[str]) -> None:
        """Another config holds, of which these keys differ: looks and keys follow it."""
        ...

    def tell(self) -> None:
        """What is known of the config, or of runs, has changed: show it."""
        ...

    def say(self, text: str, severity: Severity = Severity.OK) -> None:
        """A passing notice."""
        ...

    def make_feed(self, config: Config) -> Feed:
        """What polls."""
        ...


class OpenedFarm:
    """See the module."""

    def __init__(
        self,
        host: Host,
        start: Callable[[], Awaitable[Config]],
        *,
        config: Config | None = None,
        file: Path | None = None,
        salvaged: Salvaged | None = None,
        read_only: str = "",
        check: Check | None = None,
    ) -> None:
        """`start` gives the config once it is known; `config` if it is, or `salvaged`, which is what was in its file.

        `read_only` is why nothing can be changed whatever the config says. `check` finds what does not fit the console.
        """
        self.config = salvaged.config if salvaged else config
        self.file = file
        self.feed: Feed | None = None
        self.silences: AlertmanagerDesk | None = None
        self.remedies: Remedies | None = None
        self._host = host
        self._start = start
        self._stamp = salvaged.stamp if salvaged else None
        self._asked_read_only = read_only
        self._check = check
        self._own = salvaged.mistakes if salvaged else ()
        """What was wrong in the text that the config is of."""
        self.state = ConfigState(str(file or ""), self._own, locked=why_locked(self._own))
        self._reloading = asyncio.Lock()

    @property
    def name(self) -> str:
        """What the farm calls itself; where it does not, its file's name."""
        if self.config is None:
            return "starting"
        unnamed = "name" not in self.config.farm.model_fields_set
        return self.file.stem if unnamed and self.file is not None else self.config.farm.name

    @property
    def read_only(self) -> str:
        """Why nothing can be changed; empty when it can. Nothing inside the console lifts it."""
        if self._asked_read_only:
            return self._asked_read_only
        if self.config is not None and self.config.farm.read_only:
            return "the config says farm.read_only: true"
        return self.state.locked

    # -- polling --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Import what is heavy in a thread, then poll until cancelled. Raises what `start` and the sources raise."""
        importing = asyncio.ensure_future(asyncio.to_thread(_import_engine))
        config = self.config or await self._start()
        if config is not self.config:
            self.config = config
            self._host.take(config, ())
        await importing
        self.feed = self._host.make_feed(config)
        await self.feed.prepare()
        self._make_desk()
        await self.feed.run()

    def _make_desk(self) -> None:
        from farmtui.silences import desk_for

        assert self.feed is not None
        self.silences = desk_for(self.feed, read_only=self.read_only)

    async def watch_remedies(self, farm: Callable[[], Farm | None]) -> None:
        """Keep runs and books in sight, until cancelled: a thread imports what they need, after the first answers."""
        if self.feed is not None:
            await self.feed.asked_first()
        await asyncio.to_thread(import_module, "farmtui.runbooks.remedies")
        from farmtui.runbooks.remedies import Remedies

        assert self.config is not None
        assert self.file is not None
        self.remedies = Remedies(
            self.config, self.file, farm=farm, on_change=self._host.tell, read_only=self.read_only
        )  # fmt: skip
        self._tell_remedies()
        await self.remedies.watch()

    def _tell_remedies(self) -> None:
        if self.remedies is None or self.config is None:
            return
        count = len(self.state.mistakes)
        unfit = f"the config has {mistakes_words(count)}, and no run acts on such a one: see :config" if count else ""
        self.remedies.use(self.config, read_only=self.read_only, unfit=unfit)

    # -- the file -------------------------------------------------------------------------------

    async def watch_file(self) -> None:
        """Read the file again whenever it has changed, until cancelled."""
        if self.file is None:
            return
        from farmtui.config.salvage import stamp

        file = self.file

        async def look() -> Stamp | None:
            return await asyncio.to_thread(stamp, file)

        async for _ in settled(look, self._stamp):
            await self.reload()

    async def reload(self, *, asked: bool = False) -> None:
        """Read the file, and take what is better. With `asked` it is said, too, that nothing has changed."""
        if self.file is None or self.config is None:
            self._host.say("there is no config file to read", Severity.WARNING)
            return
        from farmtui.config.salvage import salvage_file

        async with self._reloading:
            try:
                found = await asyncio.to_thread(salvage_file, self.file, self._check or (lambda _: ()))
                await self._judge(found, asked=asked)
            except Exception as error:
                # Not its text: it may hold anything. What runs goes on.
                log.exception("the config could not be taken: %s", type(error).__name__)
                self._host.say(f"the changed config could not be taken: {type(error).__name__}", Severity.CRITICAL)

    async def _judge(self, found: Salvaged, *, asked: bool) -> None:
        from farmtui.config.changes import changes, limits_differ

        assert self.config is not None
        ours = {(mistake.key, mistake.what) for mistake in self._own}
        theirs = {(mistake.key, mistake.what) for mistake in found.mistakes}
        nothing_read = any(not mistake.key for mistake in self._own)
        better = found.readable and (not theirs or theirs < ours or nothing_read)
        if theirs and not better and theirs != ours:
            # Of a text that has mistakes nothing is taken, but what it may forbid is forbidden.
            limit = limits_differ(self.config, found.config) if found.readable else ""
            locked = why_locked(found.mistakes)
            if limit and not locked:
                locked = f"{limit} has changed in a config that has mistakes; mend it"
            self._hold(ConfigState(str(self.file), found.mistakes, kept=True, locked=locked))
            words = f"config: {mistakes_words(len(theirs))}; the one of before goes on; :config shows what is wrong"
            self._host.say(words, Severity.CRITICAL)
            return
        changed = changes(self.config, found.config) if better or theirs == ours else []
        mended = bool(self.state.mistakes) and not theirs
        before, self.config, self._own = self.config, found.config if changed else self.config, found.mistakes
        # What is allowed holds from now on; sources take their time to come and to go.
        self._hold(ConfigState(str(self.file), found.mistakes, locked=why_locked(found.mistakes)))
        if changed:
            self._host.take(found.config, changed)
            await self._repoll(before)
        if changed or mended or asked:
            more = f" and {len(changed) - TOLD} more" if len(changed) > TOLD else ""
            what = f": {', '.join(changed[:TOLD])}{more}" if changed else ": nothing has changed"
            again = "; it has no mistakes any more" if mended else ""
            left = f"; {mistakes_words(len(theirs))} left, :config shows them" if theirs else ""
            severity = Severity.WARNING if theirs else Severity.OK
            self._host.say(f"config reloaded{what if changed or not mended else ''}{again}{left}", severity)

    async def _repoll(self, before: Config) -> None:
        """Only sources whose sections differ begin anew."""
        if self.feed is None or self.config is None:
            return
        try:
            await self.feed.use(self.config)
        except BaseException:
            self.config = before
            raise
        self._make_desk()

    def _hold(self, state: ConfigState) -> None:
        self.state = state
        if self.feed is not None:
            self._make_desk()
        self._tell_remedies()
        self._host.tell()


async def already_known() -> Config:
    """The start of a farm whose config was read before."""
    raise AssertionError("the config is known")


def mistakes_words(count: int) -> str:
    """`1 mistake`, `3 mistakes`."""
    return f"{count} mistake{'' if count == 1 else 's'}"


async def settled(
    look: Callable[[], Awaitable[T | None]],
    known: T | None = None,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[T | None]:
    """What `look` gives, whenever it is another than before and the same at two looks; the first is what is `known`.

    So a file that is being written, or that is away for the moment in which an editor puts another in its place, is
    left alone until it stays as it is.
    """
    before = taken = known if known is not None else await look()
    while True:
        await sleep(LOOK_S)
        now = await look()
        if now == before and now != taken:
            taken = now
            yield now
        before = now


def _import_engine() -> None:
    """Pydantic, aiohttp and the sources take longer to import than the first paint; while a config is not there yet,
    what nearly every one asks for is imported meanwhile."""
    names = ("farmtui.config", "farmtui.polling", "farmtui.silences", "farmtui.sources.prometheus.session", "aiohttp")
    for name in names:
        import_module(name)
