"""`farmtui serve` over its own protocol: token, names, origins; sessions that end; nothing that can be changed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.cli.run import farmtui
from tests.web.serving import TOKEN, Serving, logged_in, serving, terminal


async def status(server: Serving, path: str = "/", **headers: str) -> int:
    """What a stranger is answered."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
        client.get(f"{server.address}{path}", headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status


async def gone(server: Serving) -> None:
    """Wait until no session is left."""
    async with asyncio.timeout(20):
        while server.sessions():  # noqa: ASYNC110 - processes of others tell nobody that they end
            await asyncio.sleep(0.05)


def told_of(process: int, part: str) -> bytes:
    """What /proc says of a process; nothing of one that is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/{part}").read_bytes()
    return b""


def logs_below(folder: Path) -> str:
    """All that was logged."""
    return "".join(path.read_text() for path in folder.rglob("*.log*"))


def listens_on(port: int) -> set[str]:
    """The addresses, in hexadecimal, on which somebody listens at a port."""
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    sockets = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {address for address, number in sockets if int(number, 16) == port}


async def test_nothing_is_answered_without_the_token(tmp_path: Path) -> None:
    async with serving(tmp_path, "--token", "env:THE_TOKEN") as server:
        for path in ("/", "/terminal", "/ws", "/alive", "/page/page.js", "/static/js/textual.js", "/static/", "/x"):
            assert await status(server, path) == 401, path
        assert await status(server, "/?token=wrong") == 401
        assert await status(server, "/?token=") == 401
        assert await status(server, f"/alive?token={TOKEN}") == 401, "only the front door takes it"
        assert await status(server, f"/?token={TOKEN}") == 303
        assert await status(server, "/alive", Cookie=f"farmtui-{server.port}={TOKEN}") == 401
        async with logged_in(server) as client:
            for path in ("/", "/terminal", "/alive", "/page/page.js", "/static/js/textual.js"):
                async with client.get(path) as answer:
                    assert answer.status == 200, path
                    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
                    assert answer.headers["Referrer-Policy"] == "no-referrer"
            async with client.get("/static/") as answer:
                assert answer.status == 403, "folders are not listed"
            [cookie] = list(client.cookie_jar)
            assert cookie["httponly"]
            assert cookie["samesite"] == "Lax"
            assert TOKEN not in cookie.value
        assert TOKEN not in server.words, "a token that is kept elsewhere is not repeated"
        await server.end()
        assert TOKEN not in server.words
        assert TOKEN not in logs_below(tmp_path)


async def test_a_new_token_each_start_is_told_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        token = server.words.split("?token=")[1].split()[0]
        assert len(token) >= 32
        async with logged_in(server, token):
            pass
        assert await status(server, f"/?token={TOKEN}") == 401
        await server.end()
        assert server.words.count(token) == 1


async def test_no_foreign_name_and_no_foreign_page(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, "--token", "env:THE_TOKEN", "--name", "wall.example.net") as server,
        logged_in(server) as client,
    ):
        cookie = "; ".join(f"{one.key}={one.value}" for one in client.cookie_jar)
        for host, answered in (
            ("rebound.example", 403), (f"rebound.example:{server.port}", 403), ("wall.example.net", 200),
        ):  # fmt: skip
            assert await status(server, "/alive", Host=host, Cookie=cookie) == answered, host
        for origin in ("http://evil.example", "null", f"http://localhost:{server.port}", None):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect("/ws", origin=origin)
            assert refused.value.status == 403, origin
        assert server.sessions() == []
        async with terminal(server, client) as own:
            await own.shows("lab")


async def test_a_console_is_read_only_and_nothing_inside_lifts_it(tmp_path: Path) -> None:
    config = (
        "farm: {name: lab}\nprometheus: {url: 'http://127.0.0.1:1'}\nalertmanager: {urls: ['http://127.0.0.1:1']}\n"
    )
    async with serving(tmp_path, "--token", "env:THE_TOKEN", config=config) as server:
        async with logged_in(server) as client, terminal(server, client, 120, 35) as own:
            await own.shows("1 overv")
            await own.shows("READ-ONLY")
            for command in server.sessions():
                assert b"--read-only" in told_of(command, "cmdline")
            await own.send("stdin", "9")
            await own.shows("ceph-noout")
            await own.send("stdin", "\r")
            await own.shows("Asks for")
            await own.send("stdin", "x")
            await own.shows("not now: read-only: the console was started wi")
            # Chosen all the same: no form to fill in, no plan.
            await own.send("stdin", "r")
            await own.send("stdin", "\r")
            await own.drain(1.5)
            assert "on node" not in own.text
            assert "Asks for" in own.text
        await gone(server)


async def test_with_changes_only_when_told(tmp_path: Path) -> None:
    async with serving(tmp_path, "--token", "env:THE_TOKEN", "--allow-changes") as server:
        assert "WITH CHANGES" in server.words
        async with logged_in(server) as client, terminal(server, client) as own:
            await own.shows("1 overv")
            await own.drain(1.0)
            assert "READ-ONLY" not in own.text
    refused = farmtui("serve", "--wall", "--allow-changes", home=tmp_path)
    assert refused.code == 2
    assert "a wall changes nothing" in refused.err


async def test_sessions_take_keys_and_sizes_and_end_with_their_browser(tmp_path: Path) -> None:
    async with serving(tmp_path, "--token", "env:THE_TOKEN") as server, logged_in(server) as client:
        async with terminal(server, client) as own:
            await own.shows("1 overv")
            await own.send("stdin", ":")
            await own.send("stdin", "sources\r")
            await own.shows("prometheus")
            own.screen.resize(40, 140)
            await own.send("resize", {"width": 140, "height": 40})
            await own.drain(1.5)
            assert max(len(line) for line in own.text.splitlines()) > 110
            for garbage in ("", "[]", "{}", "null", '["stdin", 7]', '["resize", {"width": "x"}]', '["what"]', "\x00"):
                await own.socket.send_str(garbage)
            await own.socket.send_bytes(b"\xff")
            await own.send("resize", {"width": 10**9, "height": -5})
            await own.send("ping", "1")
            await own.drain(1.0)
            assert len(server.sessions()) == 1
        await gone(server)


async def test_a_wall_takes_no_key(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, "--wall", "--token", "env:THE_TOKEN") as server,
        logged_in(server) as client,
        terminal(server, client, 80, 24) as own,
    ):
        await own.shows("██████")
        [session] = server.sessions()
        await own.send("stdin", "\x03")
        await own.send("stdin", "q")
        await own.drain(2.5)
        assert server.sessions() == [session]


async def test_a_session_that_hangs_is_ended_when_its_browser_goes(tmp_path: Path) -> None:
    async with serving(tmp_path, "--token", "env:THE_TOKEN") as server, logged_in(server) as client:
        async with terminal(server, client) as own:
            await own.shows("1 overv")
            [session] = server.sessions()
            os.kill(session, signal.SIGSTOP)
        await gone(server)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
async def test_no_session_outlives_the_server(tmp_path: Path, signum: signal.Signals) -> None:
    async with serving(tmp_path, "--wall", "--token", "env:THE_TOKEN") as server:
        async with logged_in(server) as client, terminal(server, client, 80, 24) as own:
            await own.shows("██████")
            [session] = server.sessions()
            ending = asyncio.create_task(server.end(signum))
            with contextlib.suppress(AssertionError, TimeoutError):
                await own.drain(20.0)
            assert await ending == (-9 if signum is signal.SIGKILL else 0)
            assert own.socket.close_code == (1006 if signum is signal.SIGKILL else 1001)
        async with asyncio.timeout(20):
            while told_of(session, "cmdline"):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)


async def test_a_session_is_not_told_the_token(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, "--token", "env:THE_TOKEN") as server,
        logged_in(server) as client,
        terminal(server, client) as own,
    ):
        await own.shows("1 overv")
        [session] = server.sessions()
        for part in ("environ", "cmdline"):
            assert told_of(session, part)
            assert TOKEN.encode() not in told_of(session, part)


async def test_there_is_an_end_to_sessions(tmp_path: Path) -> None:
    from farmtui.web.server import SESSIONS_MOST

    async with serving(tmp_path, "--wall", "--token", "env:THE_TOKEN") as server, logged_in(server) as client:
        sockets = [await client.ws_connect("/ws", origin=server.address) for _ in range(SESSIONS_MOST)]
        async with client.get("/alive") as answer:
            assert answer.status == 503
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/ws", origin=server.address)
        assert refused.value.status == 503
        for socket in sockets:
            await socket.close()
        await gone(server)


def test_it_listens_where_it_is_told_and_says_what_that_means(tmp_path: Path) -> None:
    async def listening(*options: str) -> tuple[set[str], str]:
        async with serving(tmp_path, *options) as server:
            return listens_on(server.port), server.words

    alone, words = asyncio.run(listening())
    assert alone == {"0100007F"}
    assert "plain HTTP" not in words
    everywhere, words = asyncio.run(listening("--host", "0.0.0.0"))
    assert everywhere == {"00000000"}
    assert "plain HTTP" in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--token", "a-pasted-token-0123456789"), "by reference"),
        (("--token", "env:SHORT"), "at least 16"),
        (("--token", "env:NOT_THERE"), "is not set"),
        (("--host", "192.0.2.1"), "cannot listen on 192.0.2.1"),
        (("--fault", "osd-down"), "are for --demo"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_served_is_said(options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text("farm: {name: lab}\nprometheus: {url: 'http://127.0.0.1:1'}\n")
    done = farmtui("serve", *options, home=tmp_path, environ={"SHORT": "short-token"})
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err
    assert "a-pasted-token" not in done.err
    assert "short-token" not in done.err
