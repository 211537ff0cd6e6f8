"""DigitalOcean where it fails: broken answers, TLS, secrets, wrong shapes, and the source's manners."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.farm.reading import FailureKind
from tests.sources.cloud_fakes import AT, Cloud, FakeCloud, cloud, droplet, refusing
from tests.sources.conftest import Certificates, ServeRaw
from tests.sources.prometheus.fakes import Fault, cut_short, drip, for_ever, reset, text

__all__ = ["cloud"]

SHORT_S = 0.4
SLOW = ("volumes", "load_balancers", "customers/my/balance")


def unix(seconds: float) -> str:
    """So many seconds after the tests' beginning, as a header gives it."""
    return str(int(AT.timestamp() + seconds))


# -- faults


async def page_503(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="<html>maintenance</html>", content_type="text/html")


async def elsewhere(_: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "https://login.example/?ticket=x"})


async def no_content(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


async def lying_gzip(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})


async def latin(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"droplets": ["\xff"]}', content_type="application/json")


FAULTS: dict[str, tuple[Fault, FailureKind]] = {
    "400": (refusing(400, "bad_request", "no"), FailureKind.BAD_ANSWER),
    "401": (refusing(401, "Unauthorized", "Unable to authenticate you"), FailureKind.FORBIDDEN),
    "403": (refusing(403, "Forbidden", "You are not authorized"), FailureKind.FORBIDDEN),
    "404": (refusing(404, "not_found", "The resource you were accessing could not be found."), FailureKind.BAD_ANSWER),
    "422": (refusing(422, "unprocessable_entity", "no"), FailureKind.BAD_ANSWER),
    "429": (refusing(429, "too_many_requests", "slow down"), FailureKind.RATE_LIMITED),
    "500": (refusing(500, "server_error", "Unexpected server-side error"), FailureKind.SERVER),
    "503": (page_503, FailureKind.SERVER),
    "504": (refusing(504, "gateway", ""), FailureKind.SERVER),
    "reset": (reset, FailureKind.UNREACHABLE),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "redirect": (elsewhere, FailureKind.BAD_ANSWER),
    "204": (no_content, FailureKind.BAD_ANSWER),
    "lying encoding": (lying_gzip, FailureKind.BAD_ANSWER),
    "page": (text("<html>a router</html>", "text/html"), FailureKind.BAD_ANSWER),
    "empty": (text(""), FailureKind.BAD_ANSWER),
    "not JSON": (text('{"droplets": [}'), FailureKind.BAD_ANSWER),
    "not UTF-8": (latin, FailureKind.BAD_ANSWER),
    "deep": (text("[" * 100_000), FailureKind.BAD_ANSWER),
    "a list": (text("[]"), FailureKind.BAD_ANSWER),
    "null": (text("null"), FailureKind.BAD_ANSWER),
    "no droplets": (text('{"links": {}}'), FailureKind.BAD_ANSWER),
    "null droplets": (text('{"droplets": null}'), FailureKind.BAD_ANSWER),
    "an object for a list": (text('{"droplets": {"id": 1}}'), FailureKind.BAD_ANSWER),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_becomes_words(cloud: Cloud, planted: str, name: str) -> None:
    fault, kind = FAULTS[name]
    api = FakeCloud()
    api.faults[""] = fault
    source = cloud.source(url := await cloud.api(api))
    reading = await source.poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind, reading.failure
    assert reading.failure.what.startswith(f"digitalocean at {url.removeprefix('https://')}: ")
    assert reading.failure.remedy
    assert planted not in repr(reading)
    assert "<html" not in repr(reading)
    # Nothing is repeated inside a poll, and one refused login is enough.
    assert api.asked["droplets"] == 1
    api.faults.clear()
    assert (await source.poll()).failure is None


async def test_what_the_api_says_is_said_once(cloud: Cloud) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(401, "Unauthorized", "Unable to authenticate you")
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert reading.failure.what.endswith("our login is not accepted: Unable to authenticate you")


async def test_what_the_api_says_is_said(cloud: Cloud) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(404, "not_found", "The resource you were accessing could not be found.")
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert "could not be found" in reading.failure.what


@pytest.mark.parametrize("fault", [for_ever, drip], ids=["hangs", "drips"])
async def test_no_answer_in_time(cloud: Cloud, fault: Fault) -> None:
    api = FakeCloud()
    api.faults[""] = fault
    source = cloud.source(await cloud.api(api), deadline_s=SHORT_S)
    for _ in range(3):
        # There is one thread, and it is not lost to it.
        reading = await source.poll()
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TIMEOUT


async def test_nobody_listens(cloud: Cloud) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    reading = await cloud.source(f"https://127.0.0.1:{port}").poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.UNREACHABLE
    assert "refused" in reading.failure.what


async def test_a_huge_answer_is_not_swallowed(cloud: Cloud) -> None:
    body = gzip.compress(b'{"droplets": [' + b" " * 100_000_000 + b"]}", compresslevel=1)

    async def huge(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    api = FakeCloud()
    api.faults["droplets"] = huge
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER
    assert "longer than 64 MB" in reading.failure.what


async def test_what_is_not_tls(cloud: Cloud, serve_raw: ServeRaw) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        await writer.drain()
        await reader.read(4096)

    url = await serve_raw(greet)
    reading = await cloud.source(url.replace("http:", "https:")).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS


# -- TLS


@pytest.mark.parametrize("trouble", ["expired", "another host", "unknown CA"])
async def test_a_certificate_that_is_not_trusted_gets_no_token(
    cloud: Cloud, certificates: Certificates, trouble: str
) -> None:
    contexts = {
        "expired": certificates.server(expired=True),
        "another host": certificates.server("api.farm.example"),
        "unknown CA": certificates.server(),
    }
    api = FakeCloud()
    url = await cloud.api(api, contexts[trouble])
    ca_file = None if trouble == "unknown CA" else certificates.ca_file
    reading = await cloud.source(url, ca_file=ca_file).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS
    assert not api.logins


async def test_a_token_does_not_travel_in_the_clear(cloud: Cloud) -> None:
    reading = await cloud.source("http://127.0.0.1:1").poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "https" in reading.failure.remedy


async def test_the_environment_has_no_say(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert (await cloud.source(await cloud.api(FakeCloud())).poll()).failure is None


async def test_a_ca_file_that_cannot_be_used_is_the_config_s_fault(cloud: Cloud, tmp_path: Path) -> None:
    reading = await cloud.source(await cloud.api(FakeCloud()), ca_file=tmp_path / "cloud-ca.pem").poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "cloud-ca.pem" in reading.failure.what


# -- secrets


@pytest.mark.parametrize("secret", ["gehe1m-ü-n1cht", "with\ttab-s3cr3t"])
async def test_a_token_that_no_header_can_carry(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("FARMTUI_TEST_SECRET", secret)
    api = FakeCloud()
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert secret not in repr(reading)
    assert not api.asked


async def test_a_token_that_was_changed_is_read_anew_after_a_refusal(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(401, "Unauthorized", "Unable to authenticate you")
    source = cloud.source(await cloud.api(api))
    reading = await source.poll()
    assert reading.failure is not None
    assert "digitalocean.token" in reading.failure.remedy
    api.faults.clear()
    monkeypatch.setenv("FARMTUI_TEST_SECRET", "another-Pl4nted-one")
    assert (await source.poll()).failure is None
    assert api.logins[-1] == "Bearer another-Pl4nted-one"


async def test_a_token_that_is_sent_back_is_not_shown(cloud: Cloud, planted: str, caplog: Any) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(500, "server_error", f"what is Bearer {planted}?")
    with caplog.at_level("DEBUG"):
        reading = await cloud.source(await cloud.api(api)).poll()
    assert planted not in repr(reading)
    assert "•••" in repr(reading)
    assert planted not in "".join(record.getMessage() for record in caplog.records if record.levelname != "DEBUG")


# -- answers of the wrong shape

WRONG: list[Any] = [None, 7, "d", [], {}, {"id": None}, {"id": "x"}, {"id": [1]}, {"id": 5, "memory": 1e400}]


async def test_items_that_cannot_be_read_are_counted_and_the_others_go_on(cloud: Cloud) -> None:
    api = FakeCloud()
    body = json.dumps({"droplets": [*WRONG, droplet(1)], "links": {}}).encode()

    async def odd(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    api.faults["droplets"] = odd
    for path in ("volumes", "load_balancers"):
        api.lists[path] = [None, {"name": "x"}, *api.lists[path], {"id": "y", "droplet_ids": ["z"]}]
    api.balance = {"month_to_date_usage": {"a": 1}}
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert [d.id for d in reading.value.droplets] == [1]
    assert [volume.id for volume in reading.value.volumes] == ["v-1"]
    assert reading.value.month_to_date_usd is None
    assert reading.warnings == (
        f"{len(WRONG)} of {len(WRONG) + 1} droplets could not be read",
        "3 of 4 volumes could not be read",
        "3 of 4 load balancers could not be read",
    )


async def test_droplets_that_cannot_be_read_are_no_empty_account(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [{"id": "x"}, None]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER


async def test_figures_of_the_wrong_kind_are_nothing(cloud: Cloud) -> None:
    odd: dict[str, Any] = {
        "name": 5, "status": None, "memory": "much", "vcpus": True, "disk": [], "size": 7, "region": "fra1",
        "networks": [1], "tags": "farm", "created_at": "yesterday", "locked": None,
    }  # fmt: skip
    api = FakeCloud()
    api.lists["droplets"] = [droplet(1, **odd), droplet(2, networks={"v4": [5, {"ip_address": 4}], "v6": 3})]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    one, two = reading.value.droplets
    assert (one.name, one.status, one.memory_bytes, one.vcpus, one.region) == ("1", "unknown", 0.0, 0, "")
    assert (one.price_monthly, one.tags, one.addresses, one.created_at) == (None, (), (), None)
    assert two.addresses == ()


async def test_names_are_plain_text(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [droplet(1, name="\x1b]52;c;cHduZWQ=\x07evil\u202ename\n")]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    name = reading.value.droplets[0].name
    assert "evil" in name
    assert all(char.isprintable() for char in name)


# -- manners


async def test_the_client_is_imported_by_the_worker_alone() -> None:
    script = (
        "import sys\n"
        "from farmtui.config import DigitalOceanConfig\n"
        "from farmtui.sources.digitalocean import DigitalOceanSource\n"
        "DigitalOceanSource(DigitalOceanConfig(token='env:X'))\n"
        "print([n for n in ('pydo', 'azure.core', 'requests', 'textual') if n in sys.modules])\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_a_poll_that_is_cancelled_leaves_the_source_usable(cloud: Cloud) -> None:
    api = FakeCloud()
    arrived, leave = asyncio.Event(), asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await leave.wait()
        return web.json_response({"droplets": [], "links": {}})

    api.faults["droplets"] = hold
    source = cloud.source(await cloud.api(api))
    task = asyncio.create_task(source.poll())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    api.faults.clear()
    leave.set()
    reading = await source.poll()
    assert reading.value is not None
    assert len(reading.value.droplets) == 2


async def test_closing_twice(cloud: Cloud) -> None:
    source = cloud.source(await cloud.api(FakeCloud()))
    await source.poll()
    await source.close()
    await source.close()
    # A poll after that has no thread any more, and says so instead of raising.
    assert (await source.poll()).failure is not None
