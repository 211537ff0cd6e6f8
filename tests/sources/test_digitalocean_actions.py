"""Having DigitalOcean do something, through pydo: heard once or by nobody, and never sent twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import DigitalOceanConfig
from farmtui.farm.reading import FailureKind
from farmtui.sources.digitalocean_actions import DoActions
from farmtui.sources.errors import SourceError, UnsentError
from tests.sources.cloud_fakes import Cloud, cloud
from tests.sources.conftest import Certificates
from tests.sources.prometheus.fakes import Fault, for_ever, reset

__all__ = ["cloud"]

ACTION = {"id": 9, "type": "reboot", "status": "in-progress"}
Made = Callable[[str], DoActions]


@pytest.fixture
async def made(certificates: Certificates, planted: str) -> AsyncIterator[Made]:
    """Makes what asks an API."""
    all_of_them: list[DoActions] = []

    def make(endpoint: str, deadline_s: float = 60.0) -> DoActions:
        config = DigitalOceanConfig(
            token="env:FARMTUI_TEST_SECRET", endpoint=endpoint, ca_file=certificates.ca_file, deadline_s=deadline_s
        )
        all_of_them.append(DoActions(config))
        return all_of_them[-1]

    yield make
    for one in all_of_them:
        await one.close()


class Acting:
    """An API that takes actions; what it was told, and what it answers instead where a test wants it."""

    def __init__(self, instead: Fault | None = None) -> None:
        self.heard: list[tuple[str, str, Any]] = []
        self.instead = instead

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.heard.append((request.method, request.path, body))
        if self.instead is not None and (answer := await self.instead(request)) is not None:
            return answer
        if request.method == "POST":
            return web.json_response({"action": ACTION}, status=202 if "/volumes/" in request.path else 201)
        many = request.path.endswith("/actions")
        return web.json_response({"actions": [ACTION, {"id": "x"}]} if many else {"action": ACTION})


def saying(status: int, **body: Any) -> Fault:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


async def test_actions_are_sent_and_asked_for(cloud: Cloud, made: Made) -> None:
    api = Acting()
    actions = made(await cloud.api(api))
    assert await actions.send("droplet", "41", "snapshot", {"name": "x"}) == ACTION
    assert await actions.send("volume", "506f-78", "resize", {"size_gigabytes": 50}) == ACTION
    assert await actions.action(9) == ACTION
    assert await actions.recent("droplet", "41") == await actions.recent("volume", "506f-78") == [ACTION]
    assert api.heard == [
        ("POST", "/v2/droplets/41/actions", {"type": "snapshot", "name": "x"}),
        ("POST", "/v2/volumes/506f-78/actions", {"type": "resize", "size_gigabytes": 50}),
        ("GET", "/v2/actions/9", None),
        ("GET", "/v2/droplets/41/actions", None),
        ("GET", "/v2/volumes/506f-78/actions", None),
    ]


async def test_where_nobody_can_be_reached_nothing_was_begun(
    cloud: Cloud, made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UnsentError, match="refused"):
        await made("https://127.0.0.1:1").send("droplet", "41", "reboot", {})
    api = Acting()
    (tmp_path / "other").mkdir()
    untrusted = made(await cloud.api(api, Certificates(tmp_path / "other").server()))
    with pytest.raises(UnsentError, match="not trusted"):
        await untrusted.send("droplet", "41", "reboot", {})
    monkeypatch.delenv("FARMTUI_TEST_SECRET")
    without_login = made(await cloud.api(api))
    with pytest.raises(UnsentError, match="FARMTUI_TEST_SECRET is not set"):
        await without_login.send("droplet", "41", "reboot", {})
    assert api.heard == []


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (422, {"id": "unprocessable_entity", "message": "a pending event"}, FailureKind.BAD_ANSWER, "a pending event"),
        (404, {"id": "not_found", "message": "gone"}, FailureKind.BAD_ANSWER, "there is no droplet 41"),
        (403, {"id": "forbidden", "message": "no"}, FailureKind.FORBIDDEN, "HTTP 403"),
        (401, {"id": "unauthorized", "message": "no"}, FailureKind.FORBIDDEN, "HTTP 401"),
        (429, {"id": "too_many_requests", "message": "no"}, FailureKind.RATE_LIMITED, "HTTP 429"),
    ],
)
async def test_a_refusal_is_known_as_one(
    cloud: Cloud, made: Made, status: int, body: Any, kind: FailureKind, words: str
) -> None:
    api = Acting(saying(status, **body))
    with pytest.raises(SourceError, match=words) as caught:
        await made(await cloud.api(api)).send("droplet", "41", "reboot", {})
    assert (caught.value.status, caught.value.kind) == (status, kind)
    assert not isinstance(caught.value, UnsentError)
    assert len(api.heard) == 1


@pytest.mark.parametrize(
    "instead", [reset, saying(502), saying(201, nothing=1), for_ever], ids=["cut", "502", "odd", "hangs"]
)
async def test_what_may_have_been_heard_is_neither_unsent_nor_refused(cloud: Cloud, made: Any, instead: Fault) -> None:
    api = Acting(instead)
    actions = made(await cloud.api(api), 3.0 if instead is for_ever else 60.0)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the client's own
        await actions.send("droplet", "41", "reboot", {})
    assert not isinstance(caught.value, UnsentError)
    assert not 400 <= getattr(caught.value, "status", 0) < 500
    assert actions.failure(caught.value).what
    assert len(api.heard) == 1


async def test_the_remedy_names_the_scopes(cloud: Cloud, made: Made) -> None:
    actions = made(await cloud.api(Acting(saying(403, id="forbidden", message="no"))))
    with pytest.raises(SourceError) as caught:
        await actions.send("droplet", "41", "reboot", {})
    assert "droplet:update" in caught.value.remedy
