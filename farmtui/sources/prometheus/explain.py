"""Why a figure shows nothing: each one tried, and told apart as empty, missing, refused or failed (`farmtui check`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from farmtui.config import PrometheusConfig
from farmtui.farm.reading import Failure, FailureKind
from farmtui.sources.http import HttpClient
from farmtui.sources.prometheus.catalogue import Catalogue, Figure
from farmtui.sources.prometheus.client import Api, PrometheusClient
from farmtui.sources.prometheus.decode import Vector
from farmtui.sources.prometheus.rules import PARTS, Part

NOT_OFFERED: Final = frozenset({404, 405, 501})
"""HTTP statuses of a part of the API that a server does not have."""

_BAD_QUERY: Final = frozenset({400, 422})
"""A syntax error, and an error while it ran: about the query, not about the server."""


class FigureStatus(Enum):
    """How a figure went. Only REFUSED and FAILED are faults; a farm need not have all that the catalogue asks for."""

    OK = "ok"
    EMPTY = "empty"
    """The query runs and its metrics exist, and nothing matches now."""
    MISSING = "missing metric"
    REFUSED = "refused"
    """The server will not run the query, or not for us."""
    FAILED = "failed"
    OFF = "off"
    """Switched off in the config, or not offered by this server."""


@dataclass(frozen=True, slots=True)
class FigureReport:
    """One figure, tried."""

    name: str
    title: str
    status: FigureStatus
    series: int = 0
    """How many numbers it gave."""
    detail: str = ""
    remedy: str = ""


async def report(
    client: PrometheusClient, http: HttpClient, config: PrometheusConfig, catalogue: Catalogue
) -> tuple[FigureReport, ...]:
    """Every figure in the catalogue's order, then `targets` and `rules`. Never raises."""
    # Four times a poll's patience: this is run by hand, and wants the answer more than the speed.
    rounds = [await client.round(catalogue.switched_on[:1], _ask, config.deadline_s)]
    if not rounds[0].hopeless:
        rounds.append(await client.round(catalogue.switched_on[1:], _ask, 4 * config.deadline_s))
    answers = {name: answer for made in rounds for name, answer in made.answers.items()}
    failures = {name: failure for made in rounds for name, failure in made.failures.items()}
    statuses = {name: status for made in rounds for name, status in made.statuses.items()}
    stopped = next((made.stopped for made in rounds if made.stopped), next(iter(failures.values()), None))
    names: frozenset[str] | None = None
    if answers:
        try:
            names = await client.metric_names()
        except Exception:  # noqa: BLE001 - without the names, empty is all that can be said
            names = None
    reports = [
        _unheard(figure, failures.get(figure.name), statuses.get(figure.name, 0), stopped)
        if figure.name not in answers
        else _heard(figure, answers[figure.name], names)
        for figure in catalogue.figures.values()
    ]
    reports += [await _part(client, http, config, part) for part in PARTS]
    return tuple(reports)


def _ask(api: Api, figure: Figure) -> Vector:
    return api.instant(figure.promql, figure.labels)


def _heard(figure: Figure, found: Vector, names: frozenset[str] | None) -> FigureReport:
    """The report of a figure whose query was answered; `names` are the metrics that there are, None: not known."""
    mend = f"mend prometheus.queries.{figure.name}"
    if found.values:
        return FigureReport(figure.name, figure.title, FigureStatus.OK, len(found.values), found.problem)
    if found.problem:
        return FigureReport(figure.name, figure.title, FigureStatus.FAILED, 0, found.problem, mend)
    missing = [metric for metric in figure.needs if names is not None and metric not in names]
    if missing:
        detail = f"no such metric: {', '.join(missing)}"
        remedy = f"scrape its exporter, or use your exporter's names: prometheus.queries.{figure.name}"
        return FigureReport(figure.name, figure.title, FigureStatus.MISSING, 0, detail, remedy)
    return FigureReport(figure.name, figure.title, FigureStatus.EMPTY, 0, "the query gives no series now")


def _unheard(figure: Figure, failure: Failure | None, status: int, stopped: Failure | None) -> FigureReport:
    """The report of a figure that is off, failed, or was not asked since the server was given up."""
    mend = f"mend prometheus.queries.{figure.name}"
    if not figure.promql:
        return FigureReport(
            figure.name, figure.title, FigureStatus.OFF, remedy=mend.replace("mend", "give it a query:")
        )
    if failure is None and stopped is not None:
        detail = f"not asked: {stopped.what}"
        return FigureReport(figure.name, figure.title, FigureStatus.FAILED, 0, detail, stopped.remedy)
    if failure is None:
        remedy = "look at the server's load, or raise deadline_s"
        return FigureReport(figure.name, figure.title, FigureStatus.FAILED, 0, "no answer in time", remedy)
    about_query = status in _BAD_QUERY
    refused = about_query or failure.kind in (FailureKind.FORBIDDEN, FailureKind.RATE_LIMITED)
    kind = FigureStatus.REFUSED if refused else FigureStatus.FAILED
    return FigureReport(figure.name, figure.title, kind, 0, failure.what, mend if about_query else failure.remedy)


async def _part(client: PrometheusClient, http: HttpClient, config: PrometheusConfig, part: Part) -> FigureReport:
    try:
        answer = await http.json(
            f"{config.url}{part.path}", params=part.params, list_key=part.list_key, each=part.read_each
        )
        count = len(part.read(answer))
    except Exception as error:  # noqa: BLE001 - told as this part's report
        if getattr(error, "status", 0) in NOT_OFFERED:
            return FigureReport(part.name, part.title, FigureStatus.OFF, detail="this server does not offer them")
        failure = client.failure(error, part.name)
        refused = failure.kind in (FailureKind.FORBIDDEN, FailureKind.RATE_LIMITED)
        status = FigureStatus.REFUSED if refused else FigureStatus.FAILED
        return FigureReport(part.name, part.title, status, 0, failure.what, failure.remedy)
    return FigureReport(part.name, part.title, FigureStatus.OK if count else FigureStatus.EMPTY, count)
