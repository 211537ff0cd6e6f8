"""A server that speaks Prometheus's API from plain data, so that a test can say what it answers and how it fails."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

_PART = re.compile(r'label_replace\(\((.*?)\n\),"farmtui_figure","([^"]+)","farmtui_figure",""\)', re.DOTALL)


def parts(query: str) -> dict[str, str]:
    """The queries of a batch by figure; of a query that is none itself, without a name."""
    return {name: promql for promql, name in _PART.findall(query)} or {"": query}


Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def series(value: Any, at: float = 1_800_000_000.0, **labels: str) -> dict[str, Any]:
    """One series of an instant vector."""
    return {"metric": labels, "value": [at, str(value)]}


def success(data: Any, **beside: Any) -> web.Response:
    """The API's envelope."""
    return web.json_response({"status": "success", "data": data, **beside})


def vector_answer(result: Any, **beside: Any) -> web.Response:
    """An instant query's answer."""
    return success({"resultType": "vector", "result": result}, **beside)


class FakePrometheus:
    """Answers queries by their PromQL text; an unknown one has no series. `fault` may answer instead."""

    def __init__(self, vectors: Mapping[str, Any] | None = None) -> None:
        self.vectors: dict[str, Any] = {"up": [series(1, instance="a:9100", job="node")], **(vectors or {})}
        self.ranges: dict[str, Any] = {}
        self.targets: Any = {"activeTargets": []}
        self.rules: Any = {"groups": []}
        self.names: list[str] = []
        self.warnings: list[str] = []
        self.fault: Fault | None = None
        self.asked: Counter[str] = Counter()
        """Queries by text, be they parts of a batch or not; other requests by path."""
        self.requests = 0
        self.parameters: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        path, query = request.path.removeprefix("/api/v1/"), request.query.get("query", "")
        self.requests += 1
        for part in parts(query).values():
            self.asked[part or path] += 1
        self.parameters.append(dict(request.query))
        self.headers.append(dict(request.headers))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            answer = await self.fault(request) if self.fault else None
            return answer if answer is not None else self._well(path, query)
        finally:
            self.in_flight -= 1

    def _well(self, path: str, query: str) -> web.StreamResponse:
        beside = {"warnings": self.warnings} if self.warnings else {}
        if path == "query":
            return vector_answer(self._result(parts(query)), **beside)
        if path == "query_range":
            return success({"resultType": "matrix", "result": self.ranges.get(query, [])}, **beside)
        if path == "targets":
            return success(self.targets)
        if path == "rules":
            return success(self.rules)
        if path == "label/__name__/values":
            return success(self.names)
        return web.json_response({"status": "error", "errorType": "not_found", "error": "no such path"}, status=404)

    def _result(self, wanted: Mapping[str, str]) -> Any:
        found: list[Any] = []
        for name, query in wanted.items():
            own = self.vectors.get(query, [])
            if not name:
                return own
            # What is no series cannot be given a label, and stands as it is.
            found += [_labelled(item, name) for item in own] if isinstance(own, list) else [own]
        return found


def _labelled(item: Any, name: str) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("metric"), dict):
        return item
    return {**item, "metric": {**item["metric"], "farmtui_figure": name}}


async def for_ever(_: web.Request) -> web.StreamResponse:
    """A server that has hung."""
    await asyncio.Event().wait()
    raise AssertionError("an event that is never set was set")


async def cut_short(request: web.Request) -> web.StreamResponse:
    """Half a body, then a closed connection."""
    response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"status":"success","data":{"resultType":"vector","result":[')
    assert request.transport is not None
    request.transport.close()
    return response


async def reset(request: web.Request) -> web.StreamResponse:
    """A connection that is torn down without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """A body that never ends, a byte now and then: no read of it ever takes long."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)
    except ConnectionError:
        return response


def status(code: int, error: str = "", **headers: str) -> Fault:
    """A handler that answers with an HTTP status and Prometheus's kind of error."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = json.dumps({"status": "error", "errorType": "x", "error": error})
        return web.Response(status=code, text=body, content_type="application/json", headers=headers)

    return answer


def text(body: str, content_type: str = "application/json", code: int = 200) -> Fault:
    """A handler that answers with a text."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=body, content_type=content_type)

    return answer
