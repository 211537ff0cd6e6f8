"""Steps over HTTP: what is sent, that no secret shows, and what of an answer, or of none, is known."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.runbooks.bodies import HttpAuth
from farmtui.runbooks.planned import HttpCall, PlannedStep
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said
from farmtui.runbooks.steps.http import SHOWN, HttpRequests
from tests.runbooks.test_api_steps import Written
from tests.sources.conftest import Certificates, Serve, ServeRaw, certificates, serve, serve_raw
from tests.sources.prometheus.fakes import reset

__all__ = ["certificates", "serve", "serve_raw"]

SECRET = "s3cr3t/with spaces&more"
SENT = Said("note", "sent")


class Server:
    """What it was asked, and what it answers."""

    def __init__(self, status: int = 200, body: str = "", **headers: str) -> None:
        self.answer = status, body, headers
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((request.method, request.path_qs, headers, await request.read()))
        status, body, more = self.answer
        return web.Response(status=status, text=body, headers=more)


def effect(call: HttpCall, *notes: str) -> Effect:
    return Effect("run-1", PlannedStep(id="step", name="Step", call=call, text="step"), "", 1, notes=notes)


async def told(call: HttpCall) -> tuple[Any, Written]:
    tell = Written()
    return await HttpRequests(connect_s=30.0).perform(effect(call), tell), tell


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMTUI_TEST_SECRET", SECRET)


REFERENCE = "env:FARMTUI_TEST_SECRET"


async def test_a_document_is_sent_with_its_secrets(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    server = Server()
    call = HttpCall(
        url=f"{await serve(server)}/x?a=1", method="POST", auth=HttpAuth(bearer=REFERENCE),
        headers={"X-Api-Key": f"file:{tmp_path / 'token'}", "X-Plain": "plain"},
        document={"text": "hello", "n": 3, "deep": [{"key": REFERENCE}], "not": "an env:REFERENCE"},
    )  # fmt: skip
    done, tell = await told(call)
    assert done == Done(Outcome.OK, why="HTTP 200")
    assert tell.said == [SENT, Said("note", "answered: HTTP 200")]
    [(method, path, headers, body)] = server.heard
    assert (method, path, headers["content-type"]) == ("POST", "/x?a=1", "application/json")
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert (headers["x-api-key"], headers["x-plain"]) == ("from-a-file", "plain")
    assert body == (
        b'{"text": "hello", "n": 3, "deep": [{"key": "s3cr3t/with spaces&more"}], "not": "an env:REFERENCE"}'
    )


@pytest.mark.parametrize(
    ("data", "kind", "body"),
    [
        ({"a": "b c", "n": 1, "on": True, "key": REFERENCE}, "application/x-www-form-urlencoded",
         b"a=b+c&n=1&on=true&key=s3cr3t%2Fwith+spaces%26more"),
        ("as it is", "text/plain; charset=utf-8", b"as it is"),
        (REFERENCE, "text/plain; charset=utf-8", SECRET.encode()),
    ],
    ids=["form", "text", "secret"],
)  # fmt: skip
async def test_a_form_and_a_text(serve: Serve, data: Any, kind: str, body: bytes) -> None:
    server = Server()
    await told(HttpCall(url=await serve(server), method="PUT", data=data))
    [(method, _, headers, sent)] = server.heard
    assert (method, headers["content-type"], sent) == ("PUT", kind, body)


async def test_a_content_type_of_one_s_own(serve: Serve) -> None:
    server = Server()
    await told(HttpCall(url=await serve(server), method="PUT", data="x", headers={"content-type": "text/csv"}))
    assert server.heard[0][2]["content-type"] == "text/csv"


@pytest.mark.parametrize(
    ("status", "wanted", "outcome", "why"),
    [
        (204, (), Outcome.OK, "HTTP 204"),
        (404, (200, 404), Outcome.OK, "HTTP 404"),
        (200, (202,), Outcome.FAILED, "HTTP 200, and not 202"),
        (404, (), Outcome.FAILED, "HTTP 404, and not 200 to 299"),
        (503, (), Outcome.FAILED, "HTTP 503, and not 200 to 299"),
        (302, (), Outcome.FAILED, "HTTP 302: it sends elsewhere, and no redirect is followed"),
    ],
)
async def test_an_answer_s_code_says_how_it_went(
    serve: Serve, status: int, wanted: tuple[int, ...], outcome: Outcome, why: str
) -> None:
    server = Server(status, Location="/elsewhere")
    done, _ = await told(HttpCall(url=await serve(server), method="POST", status=wanted))
    assert done == Done(outcome, why=why)
    assert len(server.heard) == 1


async def test_the_answer_s_beginning_is_told_without_secrets(serve: Serve) -> None:
    server = Server(500, f"you sent {SECRET}, and")
    _, tell = await told(HttpCall(url=await serve(server), method="POST", auth=HttpAuth(bearer=REFERENCE)))
    assert tell.said[-1] == Said("out", "you sent •••, and\n", len("you sent •••, and\n".encode()))


async def test_no_half_of_a_secret_is_left_at_the_cut(serve: Serve) -> None:
    server = Server(200, "x" * (SHOWN - 5) + SECRET + "y" * 200_000)
    _, tell = await told(HttpCall(url=await serve(server), method="POST", auth=HttpAuth(bearer=REFERENCE)))
    assert tell.said[-1].text == "x" * (SHOWN - 5) + "•••yy\n[the rest is not kept]\n"


async def test_what_nobody_can_have_heard_has_failed(serve: Serve, certificates: Certificates) -> None:
    server = Server()
    untrusted = await serve(server, certificates.server())
    for call, words in (
        (HttpCall(url="http://127.0.0.1:1/", method="POST"), "connection refused"),
        (HttpCall(url=untrusted, method="POST"), "the certificate is not trusted"),
        (HttpCall(url="env:NOT_THERE", method="POST"), "NOT_THERE is not set"),
        (HttpCall(url="http://127.0.0.1:1/", method="POST", ca_file="/not/there"), "connection refused"),
        (HttpCall(url="https://127.0.0.1:1/", method="POST", ca_file="/not/there"), "cannot use ca_file"),
        (HttpCall(url=REFERENCE, method="POST"), "must be an http:// or https:// address"),
    ):
        done, _ = await told(call)
        assert isinstance(done, Done), call
        assert done.outcome is Outcome.FAILED
        assert words in done.why
        assert done.why.endswith("nothing was begun")
        assert SECRET not in done.why
    assert server.heard == []


async def test_a_ca_of_the_book_s_own_is_trusted(serve: Serve, certificates: Certificates) -> None:
    url = await serve(Server(), certificates.server())
    done, _ = await told(HttpCall(url=url, method="POST", ca_file=str(certificates.ca_file)))
    assert done == Done(Outcome.OK, why="HTTP 200")


async def test_an_address_that_is_a_secret_shows_nowhere(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMTUI_TEST_HOOK", "http://127.0.0.1:1/services/T000/B000")
    done, tell = await told(HttpCall(url="env:FARMTUI_TEST_HOOK", method="POST"))
    assert "T000" not in f"{done}{tell.said}"
    server = Server()
    monkeypatch.setenv("FARMTUI_TEST_HOOK", f"{await serve(server)}/services/T000")
    assert (await told(HttpCall(url="env:FARMTUI_TEST_HOOK", method="POST")))[0] == Done(Outcome.OK, why="HTTP 200")
    assert server.heard[0][1] == "/services/T000"


async def test_what_was_cut_off_is_unknown_and_not_sent_again(serve: Serve) -> None:
    heard: list[str] = []

    async def cut(request: web.Request) -> web.StreamResponse:
        heard.append(request.method)
        answer = await reset(request)
        assert answer is not None
        return answer

    done, tell = await told(HttpCall(url=await serve(cut), method="POST"))
    assert isinstance(done, Lost)
    assert "whether it was heard is not known" in done.why
    assert (heard, tell.said) == (["POST"], [SENT])


async def test_an_answer_whose_end_is_lost_is_an_answer(serve_raw: ServeRaw) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        await writer.drain()

    done, tell = await told(HttpCall(url=await serve_raw(half), method="POST"))
    assert done == Done(Outcome.OK, why="HTTP 200")
    assert tell.said[-1].text == "only this\n[the rest was lost: ClientPayloadError]\n"


async def test_another_runner_knows_what_was_noted_and_never_sends() -> None:
    requests, call = HttpRequests(), HttpCall(url="http://127.0.0.1:1/", method="POST")
    answered = ("sent", "answered: HTTP 503")
    for ask in (requests.recover, requests.stop):
        assert await ask(effect(call, *answered), Written()) == Done(Outcome.FAILED, why="HTTP 503, and not 200 to 299")
        assert isinstance(await ask(effect(call, "sent"), Written()), Lost)
    assert await requests.recover(effect(call), Written()) == Done(Outcome.ABSENT, why="it was not sent yet")
    assert await requests.stop(effect(call), Written()) == Done(Outcome.CANCELLED, why="it was not sent yet")
