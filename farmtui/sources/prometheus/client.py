"""prometheus-api-client behind an asynchronous face: its calls in a few threads, many at once, none for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from farmtui.config import PrometheusConfig
from farmtui.farm.reading import Failure, FailureKind
from farmtui.sources.errors import bad_answer
from farmtui.sources.failures import failure_of
from farmtui.sources.http import Login, tls_context
from farmtui.sources.prometheus.decode import Key, Lines, Vector, VectorReader, label_text, matrix
from farmtui.sources.threads import CallPool

if TYPE_CHECKING:
    from prometheus_api_client import PrometheusConnect

    from farmtui.sources.prometheus.session import PrometheusSession

_AT_ONCE: Final = frozenset({FailureKind.FORBIDDEN, FailureKind.RATE_LIMITED, FailureKind.CONFIG, FailureKind.TLS})
"""Failures that will be the same for the next query: it is not asked."""

ABOUT_ONE_QUERY: Final = frozenset({FailureKind.BAD_ANSWER, FailureKind.SERVER})
"""Failures that may well be about this query alone."""

_UNREACHABLE_IN_A_ROW: Final = 2
_FAILURES_IN_A_ROW: Final = 6


class Asked(Protocol):
    """What is asked: something with a name."""

    @property
    def name(self) -> str:
        """The name, unique in one round."""
        ...


A = TypeVar("A", bound=Asked)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Round(Generic[R]):
    """What came of asking many things. What is in neither mapping was not asked, or had no answer in time."""

    answers: Mapping[str, R]
    failures: Mapping[str, Failure]
    statuses: Mapping[str, int]
    """The HTTP status of each failure that is about one."""
    stopped: Failure | None
    """Why the rest was not asked; None when all were."""
    warnings: tuple[str, ...]
    """What the server said beside its answers."""
    unanswered: tuple[str, ...]

    @property
    def hopeless(self) -> bool:
        """Whether nothing was answered, and for a reason that will be the same for whatever is asked next."""
        kinds = {failure.kind for failure in self.failures.values()}
        return not self.answers and bool(self.stopped or self.unanswered or kinds - ABOUT_ONE_QUERY)


@dataclass(slots=True)
class _Progress(Generic[A, R]):
    """A round as its threads work through it; everything under one lock."""

    waiting: deque[A]
    answers: dict[str, R] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    in_a_row: int = 0
    stopped: Failure | None = None
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> A | None:
        with self.lock:
            return None if self.over or self.stopped or not self.waiting else self.waiting.popleft()

    def answered(self, name: str, answer: R, warnings: Iterable[str]) -> None:
        with self.lock:
            if not self.over:
                self.answers[name] = answer
                self.warnings.update(dict.fromkeys(warnings))
                self.in_a_row = 0

    def failed(self, name: str, failure: Failure, status: int) -> None:
        with self.lock:
            if self.over:
                return
            self.failures[name] = failure
            if status:
                self.statuses[name] = status
            self.in_a_row += 1
            limit = _UNREACHABLE_IN_A_ROW if failure.kind is FailureKind.UNREACHABLE else _FAILURES_IN_A_ROW
            if failure.kind in _AT_ONCE or self.in_a_row >= limit:
                self.stopped = self.stopped or failure


class Api:
    """What can be asked, from a thread of the pool. Its calls raise what `failure_of` puts into words."""

    def __init__(self, connect: PrometheusConnect, session: PrometheusSession) -> None:
        self._connect = connect
        self._session = session

    @property
    def said(self) -> tuple[str, ...]:
        """The warnings beside this thread's last answer."""
        return self._session.said()

    def instant(self, promql: str, labels: Key) -> Vector:
        """An instant query at the server's present, read by `labels`."""
        reader = VectorReader(labels)
        with self._session.reading(reader.read):
            result = self._connect.custom_query(promql)
        return reader.vector() if isinstance(result, list) else Vector({}, "the result is not a list of series")

    def instants(self, promql: str, by: str, labels: Mapping[str, Key]) -> Mapping[str, Vector]:
        """An instant query of several parts: the label `by` says of which one a series is, to be read by its labels."""
        readers = {name: VectorReader(own) for name, own in labels.items()}
        strays = 0

        def read(series: Any) -> None:
            nonlocal strays
            metric = series.get("metric") if isinstance(series, dict) else None
            name = metric.get(by) if isinstance(metric, dict) else None
            reader = readers.get(name) if isinstance(name, str) else None
            if reader is None:
                strays += 1
            else:
                reader.read(series)

        with self._session.reading(read):
            result = self._connect.custom_query(promql)
        if strays or not isinstance(result, list):
            raise bad_answer(f"{strays} series do not say what they are of" if strays else "it is no list of series")
        return {name: reader.vector() for name, reader in readers.items()}

    def over_time(self, promql: str, labels: Key, start: datetime, end: datetime, step_s: int) -> Lines:
        """A range query, both ends included, read by `labels`."""
        return matrix(self._connect.custom_query_range(promql, start, end, f"{step_s}"), labels)

    def metric_names(self) -> frozenset[str]:
        """All metric names that the server knows."""
        names = self._connect.get_label_values("__name__")
        if not isinstance(names, list):
            raise bad_answer("the metric names are not a list")
        return frozenset(label_text(name) for name in names if isinstance(name, str))


class PrometheusClient:
    """One Prometheus. Its methods are for the event loop; `ask` functions given to them run in its threads."""

    def __init__(self, config: PrometheusConfig, *, source: str) -> None:
        """`source` is the name in failures. Raises SecretError where the config's reference is not one."""
        self._config = config
        self._source = source
        self._login = Login(config.auth, config.headers)
        self._calls = CallPool(config.pool_size, f"farmtui {source}")
        self._opening = threading.Lock()
        self._open: tuple[Api, PrometheusSession] | None = None

    @property
    def sent(self) -> int:
        """Requests since the start."""
        return self._open[1].sent if self._open else 0

    def failure(self, error: BaseException, what: str = "") -> Failure:
        """The words for an exception; `what` names the part that was asked for."""
        source = f"{self._source} {what}".strip()
        return failure_of(error, source=source, where=self._config.url, deadline_s=self._config.deadline_s)

    async def round(self, wanted: Iterable[A], ask: Callable[[Api, A], R], deadline_s: float) -> Round[R]:
        """Ask for everything wanted, `pool_size` at once, in at most `deadline_s`.

        `ask` runs in a thread. The round ends early when the server is plainly not going to answer: refused, not
        reachable twice in a row, or six failures without an answer between.
        """
        progress: _Progress[A, R] = _Progress(deque(wanted))

        def work() -> None:
            while (item := progress.next()) is not None:
                try:
                    api = self._api()
                    answer = ask(api, item)
                except Exception as error:  # noqa: BLE001 - whatever a server's answer breaks becomes words
                    progress.failed(item.name, self.failure(error), getattr(error, "status", 0))
                else:
                    progress.answered(item.name, answer, api.said)

        everything = [item.name for item in progress.waiting]
        threads = min(self._config.pool_size, len(everything))
        ends_at = time.monotonic() + deadline_s
        workers = [asyncio.ensure_future(self._calls.run(work, deadline_s)) for _ in range(threads)]
        try:
            if workers:
                await asyncio.wait(workers, timeout=max(0.0, ends_at - time.monotonic()))
        finally:
            with progress.lock:
                progress.over = True
            for worker in workers:
                worker.cancel()
            # Their time is up: nothing but that is in what they raise.
            await asyncio.gather(*workers, return_exceptions=True)
        return Round(
            progress.answers,
            progress.failures,
            progress.statuses,
            progress.stopped,
            tuple(progress.warnings),
            tuple(name for name in everything if name not in progress.answers and name not in progress.failures),
        )

    async def metric_names(self) -> frozenset[str]:
        """All metric names that the server knows. Raises what `failure` puts into words."""
        return await self._calls.run(lambda: self._api().metric_names(), self._config.deadline_s)

    def _api(self) -> Api:
        """The client library and the session below it, made in the first thread that needs them."""
        with self._opening:
            if self._open is None:
                # 0.2 s of import, paid in a thread and after the first paint.
                from prometheus_api_client import PrometheusConnect
                from urllib3.util import Retry

                from farmtui.sources.prometheus.session import PrometheusSession

                config = self._config
                session = PrometheusSession(
                    self._login,
                    tls=tls_context(config.ca_file) if config.url.startswith("https:") else None,
                    connections=config.pool_size,
                    timeout_s=config.deadline_s,
                )
                connect = PrometheusConnect(
                    config.url, session=session, timeout=config.deadline_s, retry=Retry(0), method="GET"
                )
                self._open = (Api(connect, session), session)
            return self._open[0]

    def close(self) -> None:
        """Let go of threads and connections; may be called more than once."""
        self._calls.close()
        if self._open is not None:
            self._open[1].close()
