"""Proxmox VE's API over the world: one cluster, whose every API node tells the same."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web

from farmtui.demo.observed import Keeper, Observed
from farmtui.demo.servers import proxmox_backups
from farmtui.demo.servers.proxmox_ceph import ceph_daemons, ceph_filesystems, ceph_osds, ceph_pools, ceph_status
from farmtui.demo.servers.proxmox_state import (
    Json,
    PveState,
    RefusedError,
    Sampled,
    agent_interfaces,
    cluster_resources,
    cluster_status,
    guest_config,
    guest_status,
    node_guests,
    node_list,
    node_status,
    node_storage,
    version,
)
from farmtui.demo.servers.proxmox_task import Task
from farmtui.demo.servers.proxmox_tasks import DOINGS, REMOVALS, Tasks, snapshots, wake

_PREFIX = "/api2/json"
_MAX_BODY = 2**20

Question = Callable[[PveState, Mapping[str, str]], Any]


class ProxmoxServer:
    """A cluster's API, for one token: what looks, and what has to do with a machine's power and place."""

    def __init__(self, keeper: Keeper, *, user: str, token_name: str, token: str) -> None:
        """`user` is `name@realm`; `token` is the token's secret."""
        self._keeper = keeper
        self._login = f"{user}!{token_name}"
        self._token = token
        self._sampled = Sampled()
        self._tasks = Tasks(self._login)
        self._questions: dict[str, Question] = {
            "/version": lambda _state, _given: version(),
            "/cluster/status": lambda state, _given: cluster_status(state),
            "/cluster/resources": lambda state, given: cluster_resources(state, given.get("type", "")),
            "/cluster/backup-info/not-backed-up": lambda state, _given: proxmox_backups.not_backed_up(state),
            "/nodes/{node}/storage/{storage}/content": lambda state, given: proxmox_backups.content(
                state, given["storage"], given.get("content", "")
            ),
            "/cluster/tasks": lambda state, _given: self._tasks.listed(state),
            "/cluster/ceph/status": lambda state, _given: ceph_status(state),
            "/nodes": lambda state, _given: node_list(state),
            "/nodes/{node}/status": lambda state, given: node_status(state, given["node"]),
            "/nodes/{node}/storage": lambda state, given: node_storage(state, given["node"]),
            "/nodes/{node}/tasks": lambda state, given: self._tasks.listed(state, given["node"]),
            "/nodes/{node}/tasks/{upid}/status": lambda state, given: self._task(state, given).json(state.at),
            "/nodes/{node}/tasks/{upid}/log": lambda state, given: _page(self._task(state, given).lines, given),
            "/nodes/{node}/ceph/status": lambda state, _given: ceph_status(state),
            "/nodes/{node}/ceph/osd": lambda state, _given: ceph_osds(state),
            "/nodes/{node}/ceph/pool": lambda state, _given: ceph_pools(state),
            "/nodes/{node}/ceph/fs": lambda state, _given: ceph_filesystems(state),
            "/nodes/{node}/ceph/mon": lambda state, _given: ceph_daemons(state, "mon"),
            "/nodes/{node}/ceph/mgr": lambda state, _given: ceph_daemons(state, "mgr"),
            "/nodes/{node}/ceph/mds": lambda state, _given: ceph_daemons(state, "mds"),
            "/nodes/{node}/lxc": lambda _state, _given: [],
            "/nodes/{node}/qemu": lambda state, given: node_guests(state, given["node"]),
            "/nodes/{node}/qemu/{vmid}/status/current": lambda state, given: guest_status(state, *_guest(given)),
            "/nodes/{node}/qemu/{vmid}/snapshot": partial(snapshots, self._tasks),
            "/nodes/{node}/qemu/{vmid}/config": lambda state, given: guest_config(state, *_guest(given)),
            "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces": lambda state, given: agent_interfaces(
                state, *_guest(given)
            ),
        }

    def application(self, host: str = "") -> web.Application:
        """The aiohttp application of one API node; `host` is the PVE host that it stands on, if that matters."""
        app = web.Application(client_max_size=_MAX_BODY)
        for path, question in self._questions.items():
            app.router.add_get(f"{_PREFIX}{path}", self._answering(question, host))
        for path, doing in DOINGS.items():
            app.router.add_post(f"{_PREFIX}{path}", self._answering(partial(doing, self._tasks), host))
        for path, doing in REMOVALS.items():
            app.router.add_delete(f"{_PREFIX}{path}", self._answering(partial(doing, self._tasks), host))
        # It is about a host that is down: nothing is passed on to it.
        waking = self._answering(partial(wake, self._tasks), host, asleep=True)
        app.router.add_post(f"{_PREFIX}/nodes/{{node}}/wakeonlan", waking)
        app.router.add_route("*", "/{path:.*}", self._unknown)
        return app

    def _task(self, state: PveState, given: Mapping[str, str]) -> Task:
        return self._tasks.of(state, given["node"], given["upid"])

    def _answering(
        self, question: Question, host: str, *, asleep: bool = False
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            if (refusal := self._refusal(request)) is not None:
                return refusal
            body = await _body(request)
            if body is None:
                return _refused(400, "Parameter verification failed.")
            given = {**request.query, **body, **request.match_info}

            def ask(observed: Observed) -> Any:
                state = PveState.of(observed, self._sampled, host)
                if (node := given.get("node")) is not None and not asleep:
                    state.must_reach(node)
                return question(state, given)

            try:
                data = await self._keeper.ask(ask)
            except RefusedError as error:
                return _refused(error.status, error.words)
            return _json({"data": data})

        return answer

    async def _unknown(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        path = request.path.removeprefix(_PREFIX)
        return _refused(501, f"Method '{request.method} {path}' not implemented")

    def _refusal(self, request: web.Request) -> web.Response | None:
        """What PVE says to who has not the token; None for who has."""
        scheme, _, rest = request.headers.get("Authorization", "").partition("=")
        login, _, token = rest.partition("=")
        if scheme != "PVEAPIToken":
            # `PVEAPIToken=user@realm!name=secret`: the first = belongs to the scheme.
            return web.Response(status=401, reason="No ticket")
        if login != self._login:
            return web.Response(status=401, reason="no such token for user")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return web.Response(status=401, reason="invalid token value!")
        return None


def _page(lines: Sequence[str], given: Mapping[str, str]) -> list[Json]:
    """A task's log as it is asked for: from a line on, fifty of them unless more are wanted."""
    try:
        start, limit = int(given.get("start", 0)), int(given.get("limit", 50))
    except ValueError:
        raise RefusedError(400, "Parameter verification failed.") from None
    return [{"n": number, "t": line} for number, line in enumerate(lines, 1)][start : start + limit]


def _guest(given: Mapping[str, str]) -> tuple[str, int]:
    try:
        return given["node"], int(given["vmid"])
    except ValueError:
        raise RefusedError(400, "Parameter verification failed.") from None


async def _body(request: web.Request) -> Mapping[str, str] | None:
    """What a POST says, as a form or as JSON; None where it is neither."""
    if request.method != "POST":
        return {}
    if request.content_type == "application/json":
        try:
            given = json.loads(await request.read() or b"{}")
        except ValueError:
            return None
        return {name: str(value) for name, value in given.items()} if isinstance(given, dict) else None
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _json(body: Json, status: int = 200, reason: str | None = None) -> web.Response:
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(text=text, status=status, reason=reason, content_type="application/json")


def _refused(status: int, words: str) -> web.Response:
    """An error as PVE gives it: its words are in the status line, and again in the body."""
    # A reason is one line of printable ASCII; the path that it repeats need not be.
    line = "".join(char if " " <= char <= "~" else "?" for char in words)
    return _json({"data": None, "message": f"{words}\n"}, status, line)
