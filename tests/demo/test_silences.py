"""Silences of the simulated Alertmanager: what they cover, when, and how a bad one is refused.

Statuses and words are those of a real Alertmanager 0.25, asked the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.demo.stage import NOON, Clock, Site, names, stage

SILENCES = "/api/v2/silences"


def at(seconds: float) -> str:
    """So many seconds after noon."""
    return (datetime.fromtimestamp(NOON, UTC) + timedelta(seconds=seconds)).isoformat()


def matcher(name: str = "alertname", value: str = "GaleraNodeDown", **kind: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True, **kind}


def silence(*matchers: dict[str, Any], start: float = 0.0, end: float = 3600.0, **more: str) -> dict[str, Any]:
    body = {"startsAt": at(start), "endsAt": at(end), "createdBy": "me", "comment": "ticket 7"}
    return {**body, "matchers": list(matchers) or [matcher()], **more}


async def make(site: Site, *matchers: dict[str, Any], **more: Any) -> str:
    status, body = await site.post(SILENCES, silence(*matchers, **more))
    assert status == 200, body
    return str(body["silenceID"])


async def silenced(site: Site) -> set[str]:
    alerts = await site.get("/api/v2/alerts")
    assert all(bool(a["status"]["silencedBy"]) <= (a["status"]["state"] == "suppressed") for a in alerts)
    return names([a for a in alerts if a["status"]["silencedBy"]])


async def test_a_silence_made_at_one_replica_holds_at_the_other() -> None:
    async with stage("galera-node-lost") as farm:
        one, other = farm.alertmanagers
        assert await silenced(one) == set()
        ident = await make(one)
        assert await silenced(one) == await silenced(other) == {"GaleraNodeDown"}
        [alert] = await other.get("/api/v2/alerts", ("filter", "alertname=GaleraNodeDown"))
        assert alert["status"] == {"inhibitedBy": [], "silencedBy": [ident], "state": "suppressed"}
        assert names(await one.get("/api/v2/alerts", ("silenced", "false"))) == {"GaleraClusterSmall", "Watchdog"}
        shown = await other.get(f"/api/v2/silence/{ident}")
        assert shown == {
            "id": ident,
            "status": {"state": "active"},
            "updatedAt": "2026-11-23T12:00:00.000Z",
            "comment": "ticket 7",
            "createdBy": "me",
            "endsAt": "2026-11-23T13:00:00.000Z",
            "matchers": [{"isEqual": True, "isRegex": False, "name": "alertname", "value": "GaleraNodeDown"}],
            "startsAt": "2026-11-23T12:00:00.000Z",
        }
        assert await one.get(SILENCES) == [shown]


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ([matcher(value="Galera.*", isRegex=True)], {"GaleraNodeDown", "GaleraClusterSmall"}),
        ([matcher(value="Galera", isRegex=True)], set()),
        ([matcher(value="Galera.*", isRegex=True), matcher("severity", "critical")], {"GaleraNodeDown"}),
        ([matcher(value="Galera.*", isRegex=True), matcher("severity", "critical", isEqual=False)],
         {"GaleraClusterSmall"}),
        ([matcher(value="Galera.*", isRegex=True, isEqual=False), matcher("farm", "demo")], {"Watchdog"}),
        ([matcher("farm", "demo"), matcher("node", "")], {"GaleraClusterSmall", "Watchdog"}),
    ],
)  # fmt: skip
async def test_a_silence_covers_what_all_its_matchers_match(matchers: list[dict[str, Any]], covered: set[str]) -> None:
    async with stage("galera-node-lost") as farm:
        await make(farm.alertmanagers[0], *matchers)
        assert await silenced(farm.alertmanagers[1]) == covered


async def test_a_silence_waits_holds_and_ends() -> None:
    clock = Clock()
    async with stage("galera-node-lost", clock=clock) as farm:
        site = farm.alertmanagers[0]
        ident = await make(site, start=600.0, end=1200.0)
        states = []
        for moment in (0.0, 599.0, 600.0, 1199.0, 1200.0):
            clock.at = NOON + moment
            state = (await site.get(f"/api/v2/silence/{ident}"))["status"]["state"]
            states.append((state, bool(await silenced(site))))
        assert states == [
            ("pending", False),
            ("pending", False),
            ("active", True),
            ("active", True),
            ("expired", False),
        ]
        clock.at = NOON + 6 * 86_400.0
        assert await site.get(SILENCES) == []


async def test_expiring_ends_it_now_and_twice_is_once() -> None:
    clock = Clock()
    async with stage("galera-node-lost", clock=clock) as farm:
        one, other = farm.alertmanagers
        ident = await make(one)
        clock.at += 60.0
        assert await other.ask("DELETE", f"/api/v2/silence/{ident}") == (200, "")
        clock.at += 60.0
        assert await one.ask("DELETE", f"/api/v2/silence/{ident}") == (200, "")
        shown = await one.get(f"/api/v2/silence/{ident}")
        assert (shown["status"]["state"], shown["endsAt"]) == ("expired", "2026-11-23T12:01:00.000Z")
        assert await silenced(one) == set()


async def test_an_edit_ends_the_old_one_and_makes_a_new_one() -> None:
    clock = Clock()
    async with stage("galera-node-lost", clock=clock) as farm:
        site = farm.alertmanagers[0]
        old = await make(site)
        clock.at += 60.0
        new = await make(site, matcher("severity", "critical"), start=60.0, end=7200.0, id=old)
        assert new != old
        listed = [(s["id"], s["status"]["state"]) for s in await site.get(SILENCES)]
        assert listed == [(new, "active"), (old, "expired")]
        # The same matchers and the same start: it is the same silence, with another end.
        assert await make(site, matcher("severity", "critical"), start=60.0, end=900.0, id=new) == new
        assert (await site.get(f"/api/v2/silence/{new}"))["endsAt"] == "2026-11-23T12:15:00.000Z"


async def test_a_list_is_filtered_by_the_silences_matchers() -> None:
    async with stage() as farm:
        site = farm.alertmanagers[0]
        first = await make(site, matcher("tier", "cache"))
        await make(site, matcher("tier", "edge"))
        assert [s["id"] for s in await site.get(SILENCES, ("filter", 'tier="cache"'))] == [first]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (
            silence(matcher(value="(", isRegex=True)),
            400,
            (
                'silence invalid: invalid label matcher 0: invalid regular expression "(": error parsing regexp: '
                "missing closing ): `(`"
            ),
        ),
        (silence(matcher(value="")), 400, "silence invalid: at least one matcher must not match the empty string"),
        (
            silence(matcher(value=".*", isRegex=True)),
            400,
            "silence invalid: at least one matcher must not match the empty string",
        ),
        (silence(matcher(name="a-b")), 400, 'silence invalid: invalid label matcher 0: invalid label name "a-b"'),
        (silence(start=60.0, end=30.0), 400, "Failed to create silence: start time must be before end time"),
        (silence(start=-60.0, end=-30.0), 400, "Failed to create silence: end time can't be in the past"),
        (silence(id="1ae49131-8139-42bb-934d-1acf9cf9b5ef"), 404, "silence not found"),
        (
            {**silence(), "matchers": []},
            422,
            {"code": 612, "message": "matchers in body should have at least 1 items"},
        ),
        (
            {k: v for k, v in silence().items() if k != "comment"},
            422,
            {"code": 602, "message": "comment in body is required"},
        ),
        (
            silence({"name": "a", "value": "b"}),
            422,
            {"code": 602, "message": "matchers.0.isRegex in body is required"},
        ),
        (
            {**silence(), "endsAt": "nonsense"},
            400,
            {
                "code": 400,
                "message": 'parsing silence body from "" failed, because parsing time "nonsense" as '
                '"2006-01-02 15:04:05": cannot parse "nonsense" as "2006"',
            },
        ),
        (
            {**silence(), "matchers": "x"},
            400,
            {
                "code": 400,
                "message": 'parsing silence body from "" failed, because json: cannot unmarshal string into Go struct '
                "field Silence.matchers of type models.Matchers",
            },
        ),
    ],
)
async def test_a_bad_silence_is_refused_in_alertmanagers_words(body: object, status: int, words: object) -> None:
    async with stage() as farm:
        site = farm.alertmanagers[0]
        assert await site.post(SILENCES, body) == (status, words)
        assert await site.get(SILENCES) == []


async def test_an_id_that_is_none_and_one_that_is_not_there() -> None:
    async with stage() as farm:
        site = farm.alertmanagers[0]
        refusal = {"code": 601, "message": 'silenceID in path must be of type uuid: "nope"'}
        assert await site.ask("DELETE", "/api/v2/silence/nope") == (422, refusal)
        unknown = "/api/v2/silence/1ae49131-8139-42bb-934d-1acf9cf9b5ef"
        assert await site.ask("DELETE", unknown) == (500, "silence not found")
        assert (await site.ask("GET", unknown))[0] == 404
