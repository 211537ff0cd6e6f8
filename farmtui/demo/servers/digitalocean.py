"""DigitalOcean's API over the world: the account that the farm's droplets run in."""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web

from farmtui.demo.observed import Keeper, Observed
from farmtui.demo.servers.digitalocean_actions import Actions, ImpossibleError
from farmtui.demo.servers.digitalocean_state import (
    Json,
    account,
    balance,
    droplets,
    load_balancers,
    regions,
    reserved_ips,
    sizes,
    snapshots,
    volumes,
)

PER_PAGE, MOST_PER_PAGE = 20, 200
HOURLY_LIMIT = 5_000
_HOUR_S = 3_600.0

Listing = Callable[[Observed, Mapping[str, str]], Sequence[Json]]


class DigitalOceanServer:
    """One account's API, for one token: what looks, and a droplet's actions."""

    def __init__(self, keeper: Keeper, *, token: str, hourly_limit: int = HOURLY_LIMIT) -> None:
        """`token` is all it lets in; `hourly_limit` requests are answered in an hour of the world's clock."""
        self._keeper = keeper
        self._token = token
        self._limit = hourly_limit
        self._hour = 0
        self._asked = 0
        self._actions = Actions()

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=2**20, middlewares=[self._guarded])
        listings: dict[str, tuple[str, Listing]] = {
            "/v2/droplets": ("droplets", _droplets),
            "/v2/volumes": ("volumes", lambda o, given: _equal(volumes(o), given, "name")),
            "/v2/load_balancers": ("load_balancers", lambda o, _given: load_balancers(o)),
            "/v2/reserved_ips": ("reserved_ips", lambda o, _given: reserved_ips(o)),
            "/v2/snapshots": ("snapshots", lambda o, given: _equal(snapshots(o), given, "resource_type")),
            "/v2/sizes": ("sizes", lambda o, _given: sizes(o)),
            "/v2/regions": ("regions", lambda o, _given: regions(o)),
            "/v2/actions": ("actions", lambda o, _given: self._actions.listed(o)),
            "/v2/droplets/{droplet}/actions": (
                "actions",
                lambda o, given: self._actions.listed(o, given["droplet"]),
            ),
        }
        for path, (key, listing) in listings.items():
            app.router.add_get(path, self._paged(key, listing))
        for path, key in (
            ("/v2/droplets", "droplet"),
            ("/v2/volumes", "volume"),
            ("/v2/load_balancers", "load_balancer"),
            ("/v2/actions", "action"),
            ("/v2/droplets/{droplet}/actions", "action"),
        ):
            app.router.add_get(f"{path}/{{id}}", self._one(key, listings[path][1]))
        app.router.add_get("/v2/account", self._plain(lambda o: {"account": account(o)}))
        app.router.add_get("/v2/customers/my/balance", self._plain(balance))
        app.router.add_post("/v2/droplets/{droplet}/actions", self._act)
        app.router.add_route("*", "/{path:.*}", _not_found)
        return app

    async def _act(self, request: web.Request) -> web.Response:
        try:
            given = json.loads(await request.read())
        except ValueError:
            given = None
        if not isinstance(given, dict) or not isinstance(given.get("type"), str):
            return _error(422, "unprocessable_entity", "You must specify a type for the action.")
        droplet, kind = request.match_info["droplet"], given["type"]
        try:
            action = await self._keeper.ask(lambda observed: self._actions.begin(observed, droplet, kind, given))
        except ImpossibleError as error:
            return _error(error.status, error.ident, str(error))
        return _json({"action": action}, 201)

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The login, the rate limit, and the headers that tell of it."""
        # What is due in the world happens first: the API may be about to refuse.
        now = await self._keeper.ask(lambda observed: observed.world.advance())
        state = self._keeper.condition.cloud_api
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self._token.encode())
        if not known or state == "unauthorized":
            return _error(401, "Unauthorized", "Unable to authenticate you")
        remaining, reset = self._count(now, limited=state == "limited")
        if remaining < 0:
            answer: web.StreamResponse = _error(429, "too_many_requests", "API Rate limit exceeded.")
            answer.headers["Retry-After"] = str(max(1, math.ceil(reset - now)))
        else:
            answer = await handler(request)
        answer.headers["ratelimit-limit"] = str(self._limit)
        answer.headers["ratelimit-remaining"] = str(max(0, remaining))
        answer.headers["ratelimit-reset"] = str(int(reset))
        return answer

    def _count(self, now: float, *, limited: bool) -> tuple[int, float]:
        """Requests left in this hour after the present one (below 0: it is one too many), and the hour's end."""
        hour = int(now // _HOUR_S)
        if hour != self._hour:
            self._hour, self._asked = hour, 0
        # Somebody else has used up what there was: the limit is the account's.
        self._asked = self._limit + 1 if limited else min(self._asked, self._limit) + 1
        return self._limit - self._asked, (hour + 1) * _HOUR_S

    def _paged(self, key: str, listing: Listing) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            given = {**request.query, **request.match_info}
            page, per_page = _number(given, "page", 1), _number(given, "per_page", PER_PAGE)
            if page is None or per_page is None or per_page > MOST_PER_PAGE:
                return _error(400, "bad_request", "page must be at least 1, and per_page between 1 and 200")
            items = await self._keeper.ask(lambda observed: listing(observed, given))
            first = (page - 1) * per_page
            body = {
                key: items[first : first + per_page],
                "links": _links(request, page, per_page, len(items)),
                "meta": {"total": len(items)},
            }
            return _json(body)

        return answer

    def _one(self, key: str, listing: Listing) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            wanted = request.match_info["id"]
            items = await self._keeper.ask(lambda observed: listing(observed, request.match_info))
            found = next((item for item in items if str(item["id"]) == wanted), None)
            return await _not_found(request) if found is None else _json({key: found})

        return answer

    def _plain(self, question: Callable[[Observed], Json]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_request: web.Request) -> web.Response:
            return _json(await self._keeper.ask(question))

        return answer


def _droplets(observed: Observed, given: Mapping[str, str]) -> Sequence[Json]:
    found = _equal(droplets(observed), given, "name")
    tag = given.get("tag_name")
    return found if tag is None else [droplet for droplet in found if tag in droplet["tags"]]


def _equal(items: Sequence[Json], given: Mapping[str, str], name: str) -> Sequence[Json]:
    wanted = given.get(name)
    return items if wanted is None else [item for item in items if item[name] == wanted]


def _links(request: web.Request, page: int, per_page: int, total: int) -> Json:
    last = max(1, -(-total // per_page))
    others = {name: value for name, value in request.query.items() if name not in ("page", "per_page")}

    def address(number: int) -> str:
        return f"{request.url.origin()}{request.path}?{urlencode({**others, 'page': number, 'per_page': per_page})}"

    pages: Json = {}
    if page > 1:
        pages |= {"first": address(1), "prev": address(page - 1)}
    if page < last:
        pages |= {"next": address(page + 1), "last": address(last)}
    return {"pages": pages} if pages else {}


def _number(given: Mapping[str, str], name: str, default: int) -> int | None:
    """A number above 0; None where what is given is none."""
    text = given.get(name, str(default))
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0 else None


def _json(body: Json, status: int = 200) -> web.Response:
    return web.Response(
        text=json.dumps(body, separators=(",", ":")), status=status, content_type="application/json", charset="utf-8"
    )


def _error(status: int, ident: str, message: str) -> web.Response:
    return _json({"id": ident, "message": message}, status)


async def _not_found(_request: web.Request) -> web.Response:
    return _error(404, "not_found", "The resource you were accessing could not be found.")
