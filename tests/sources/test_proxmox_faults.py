"""Proxmox VE where it fails: broken answers, TLS, secrets, wrong shapes, and the source's manners."""

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
from farmtui.sources.proxmox import LOOKUPS
from tests.sources.conftest import Certificates, Serve, ServeRaw, beating
from tests.sources.prometheus.fakes import Fault, cut_short, drip, for_ever, reset, text
from tests.sources.pve_fakes import RESOURCES, STATUS, TOKEN_ID, FakePve, Pve, nobody_there, pve, refusing

__all__ = ["pve"]

SHORT_S = 0.4


# -- faults


async def web_page_401(_: web.Request) -> web.StreamResponse:
    return web.Response(status=401, text="<html>log in</html>", content_type="text/html")


async def list_500(_: web.Request) -> web.StreamResponse:
    return web.json_response([1, 2], status=500, reason="got timeout")


async def half_an_error(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=503, reason="starting", headers={"Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b'{"errors":')
    assert request.transport is not None
    request.transport.close()
    return response


async def elsewhere(_: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "https://login.example/?ticket=x"})


async def latin(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"data": "\xff"}', content_type="application/json")


async def lying_gzip(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})


FAULTS: dict[str, tuple[Fault, FailureKind]] = {
    "401": (refusing(401, "No ticket"), FailureKind.FORBIDDEN),
    "401 with a page": (web_page_401, FailureKind.FORBIDDEN),
    "403": (refusing(403, "Permission check failed"), FailureKind.FORBIDDEN),
    "404": (refusing(404, "Not found"), FailureKind.BAD_ANSWER),
    "429": (refusing(429, "slow down"), FailureKind.RATE_LIMITED),
    "500": (refusing(500, "got timeout"), FailureKind.SERVER),
    "500 with a list": (list_500, FailureKind.SERVER),
    "501": (refusing(501, "Method not implemented"), FailureKind.SERVER),
    "503 cut short": (half_an_error, FailureKind.SERVER),
    "595": (nobody_there, FailureKind.UNREACHABLE),
    "reset": (reset, FailureKind.UNREACHABLE),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "redirect": (elsewhere, FailureKind.BAD_ANSWER),
    "lying encoding": (lying_gzip, FailureKind.BAD_ANSWER),
    "page": (text("<html>a router</html>", "text/html"), FailureKind.BAD_ANSWER),
    "empty": (text(""), FailureKind.BAD_ANSWER),
    "not JSON": (text('{"data": [}'), FailureKind.BAD_ANSWER),
    "not UTF-8": (latin, FailureKind.BAD_ANSWER),
    "deep": (text("[" * 100_000), FailureKind.BAD_ANSWER),
    "no data": (text('{"success": 1}'), FailureKind.BAD_ANSWER),
    "a list": (text("[]"), FailureKind.BAD_ANSWER),
    "a number": (text("3"), FailureKind.BAD_ANSWER),
    "null": (text("null"), FailureKind.BAD_ANSWER),
    "null data": (text('{"data": null}'), FailureKind.BAD_ANSWER),
    "data of another kind": (text('{"data": {"a": 1}}'), FailureKind.BAD_ANSWER),
    "text for data": (text('{"data": "yes"}'), FailureKind.BAD_ANSWER),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_becomes_words(pve: Pve, planted: str, name: str) -> None:
    fault, kind = FAULTS[name]
    node = FakePve()
    node.faults[""] = fault
    source = pve.source(host := await pve.node(node))
    reading = await source.poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind, reading.failure
    assert reading.failure.what.startswith(f"proxmox main at {host}: ")
    assert reading.failure.remedy
    assert planted not in repr(reading)
    assert "<html" not in repr(reading)
    # It is well again, and so are we.
    node.faults.clear()
    assert (await source.poll()).failure is None


@pytest.mark.parametrize("fault", [for_ever, drip], ids=["hangs", "drips"])
async def test_no_answer_in_time(pve: Pve, fault: Fault) -> None:
    node = FakePve()
    node.faults[""] = fault
    source = pve.source(await pve.node(node), deadline_s=SHORT_S)
    for _ in range(6):
        # More often than there are threads: none of them is lost to it.
        reading = await source.poll()
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TIMEOUT
        assert "within 0.4 s" in reading.failure.what


async def test_a_huge_answer_is_not_swallowed(pve: Pve) -> None:
    body = gzip.compress(b'{"data": [' + b" " * 100_000_000 + b"]}", compresslevel=1)

    async def huge(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=body, headers=headers)

    node = FakePve()
    node.faults["cluster/status"] = huge
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER
    assert "longer than 64 MB" in reading.failure.what


async def test_a_big_cluster_does_not_stop_the_loop(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/resources"] = [
        {**RESOURCES[2], "vmid": vmid, "id": f"qemu/{vmid}", "name": f"worker-{vmid}", "status": "stopped"}
        for vmid in range(20_000)
    ]
    node.faults.update({f"nodes/pve-1/qemu/{vmid}/config": refusing(500, "no") for vmid in range(4)})
    body = json.dumps({"data": node.answers["cluster/resources"]}).encode()

    async def prepared(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    node.faults["cluster/resources"] = prepared
    source = pve.source(await pve.node(node))
    async with beating() as beat:
        reading = await source.poll()
    assert reading.value is not None
    assert len(reading.value.guests) == 20_000
    assert reading.requests == 3 + LOOKUPS
    # A thread that works holds the loop for an interpreter's slice or two, not for all of its work.
    assert beat.busiest_s < beat.spent_s / 4


async def test_what_is_not_http(pve: Pve, serve_raw: ServeRaw) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        await writer.drain()
        await reader.read(4096)

    url = await serve_raw(greet)
    reading = await pve.source(url.removeprefix("http://")).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS


# -- TLS


async def test_a_certificate_that_has_expired(pve: Pve, certificates: Certificates) -> None:
    host = await pve.node(FakePve(), certificates.server(expired=True))
    reading = await pve.source(host).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS
    assert "expired" in reading.failure.what
    assert "renew" in reading.failure.remedy


async def test_a_certificate_for_another_host(pve: Pve, certificates: Certificates) -> None:
    reading = await pve.source(await pve.node(FakePve(), certificates.server("pve-7.farm.example"))).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS


async def test_a_ca_that_nobody_knows_gets_no_login(pve: Pve, tmp_path: Path) -> None:
    node = FakePve()
    reading = await pve.source(await pve.node(node), ca_file=None).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS
    assert "ca_file" in reading.failure.remedy
    assert not node.logins


async def test_the_environment_has_no_say(pve: Pve, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert (await pve.source(await pve.node(FakePve())).poll()).failure is None


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_ca_file_that_cannot_be_used_is_the_config_s_fault(
    pve: Pve, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "pve-ca.pem"
    if content is not None:
        path.write_text(content)
    node = FakePve()
    reading = await pve.source(await pve.node(node), ca_file=path).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "pve-ca.pem" in reading.failure.what


# -- secrets


@pytest.mark.parametrize("secret", ["gehe1m-ü-n1cht", "with\ttab-s3cr3t"])
async def test_a_secret_that_no_header_can_carry(pve: Pve, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("FARMTUI_TEST_SECRET", secret)
    node = FakePve()
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert secret not in repr(reading)
    assert not node.asked


async def test_a_secret_that_is_not_there(pve: Pve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FARMTUI_TEST_SECRET")
    node = FakePve()
    first, second = await pve.node(node), await pve.node(node)
    reading = await pve.source(first, second).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "FARMTUI_TEST_SECRET" in reading.failure.what
    assert not node.asked


async def test_a_secret_that_is_sent_back_is_not_shown(pve: Pve, planted: str) -> None:
    node = FakePve()
    node.faults[""] = refusing(500, f"bad header PVEAPIToken={TOKEN_ID}={planted}")
    reading = await pve.source(await pve.node(node)).poll()
    assert planted not in repr(reading)
    assert "•••" in repr(reading)


# -- answers of the wrong shape

WRONG: list[Any] = [
    None,
    7,
    "qemu",
    [],
    {},
    {"type": "qemu"},
    {"type": ["qemu"], "vmid": 5},
    {"type": "qemu", "vmid": "twelve", "node": "pve-1"},
    {"type": "qemu", "vmid": None},
    {"type": "qemu", "vmid": 1e400},
    {"type": "node"},
    {"type": "node", "node": 5},
    {"type": "node", "node": ""},
]


async def test_resources_that_cannot_be_read_are_counted_and_the_others_go_on(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/resources"] = [*WRONG, *RESOURCES]
    node.answers["cluster/status"] = [*WRONG, *STATUS]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert [guest.name for guest in reading.value.guests] == ["worker-1", "db-1"]
    assert [host.name for host in reading.value.hosts] == ["pve-1", "pve-2"]
    assert any(f"of {len(WRONG) + len(RESOURCES)} resources of main could not be read" in w for w in reading.warnings)


async def test_resources_that_cannot_be_read_are_no_empty_cluster(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/resources"] = [7, None]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER


async def test_figures_of_the_wrong_kind_are_not_measured(pve: Pve) -> None:
    odd: dict[str, Any] = {"cpu": "NaN", "maxcpu": [], "mem": {}, "maxmem": None, "uptime": True, "tags": 5, "lock": []}
    node = FakePve()
    node.answers["cluster/resources"] = [{**item, **odd, "name": 5, "status": None} for item in RESOURCES]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is not None
    guest = reading.value.guests[0]
    assert (guest.cpu_ratio, guest.cpus, guest.memory_bytes, guest.uptime_s, guest.tags) == (None,) * 4 + ((),)
    assert (guest.name, guest.status) == ("101", "unknown")
    assert reading.value.hosts[0].cpu_ratio is None


async def test_names_are_plain_text(pve: Pve) -> None:
    node = FakePve()
    node.answers["cluster/resources"] = [{**RESOURCES[2], "name": "\x1b]52;c;cHduZWQ=\x07evil\u202ename\n"}]
    reading = await pve.source(await pve.node(node)).poll()
    assert reading.value is not None
    name = reading.value.guests[0].name
    assert "evil" in name
    assert all(char.isprintable() for char in name)


# -- manners


async def test_the_client_is_imported_by_the_first_poll_only() -> None:
    script = (
        "import sys\n"
        "from farmtui.config import ProxmoxConfig\n"
        "from farmtui.sources.proxmox import ProxmoxSource\n"
        "ProxmoxSource(ProxmoxConfig(name='m', hosts=['h'], token_id='a@b!c', token_secret='env:X'))\n"
        "print([n for n in ('proxmoxer', 'requests', 'textual') if n in sys.modules])\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_a_poll_that_is_cancelled_leaves_the_source_usable(pve: Pve) -> None:
    node = FakePve()
    arrived = asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        arrived.set()
        return await for_ever(request)

    node.faults[""] = hold
    source = pve.source(await pve.node(node))
    task = asyncio.create_task(source.poll())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    node.faults.clear()
    assert (await source.poll()).failure is None


async def test_closing_twice(pve: Pve) -> None:
    source = pve.source(await pve.node(FakePve()))
    await source.poll()
    await source.close()
    await source.close()
    # A poll after that has no thread any more, and says so instead of raising.
    assert (await source.poll()).failure is not None
