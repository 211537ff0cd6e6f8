"""An S3 store whose objects a test may choose, or its answers; and a source that lists it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from aiohttp import web

from farmtui.config.backups import StoreConfig
from farmtui.sources.backups_s3 import BackupsS3Source
from tests.sources.conftest import Certificates, Handler, Serve
from tests.sources.prometheus.fakes import Fault

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATIENT_S = 60.0
BUCKET = "farm-backups"


def listing(
    objects: Iterable[tuple[str, int, datetime]], *, token: str = "", truncated: bool | None = None, name: str = BUCKET
) -> web.Response:
    """A ListObjectsV2 answer."""
    contents = "".join(
        f"<Contents><Key>{quote(key)}</Key><LastModified>{at:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        f"<Size>{size}</Size></Contents>"
        for key, size, at in objects
    )
    more = bool(token) if truncated is None else truncated
    onwards = f"<NextContinuationToken>{escape(token)}</NextContinuationToken>" if token else ""
    return xml(
        f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{name}</Name>'
        f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
        f"{onwards}{contents}</ListBucketResult>"
    )


def xml(body: str, status: int = 200) -> web.Response:
    """An XML answer."""
    return web.Response(text=body, status=status, content_type="application/xml")


def refusal(status: int, code: str, message: str = "") -> Fault:
    """S3's manner of refusing."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return xml(f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>", status)

    return answer


@dataclass
class FakeS3:
    """Lists its objects (key, size, time), `page` at a time."""

    objects: list[tuple[str, int, datetime]] = field(default_factory=list)
    page: int = 1_000
    fault: Fault | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    date: str = ""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        self.headers.append(dict(request.headers))
        self.paths.append(f"{request.host}{request.path}")
        if self.fault is not None and (answer := await self.fault(request)) is not None:
            return answer
        after = request.query.get("continuation-token") or request.query.get("start-after", "")
        found = [
            one for one in sorted(self.objects) if one[0].startswith(request.query.get("prefix", "")) and one[0] > after
        ]
        token = found[self.page - 1][0] if len(found) > self.page else ""
        answered = listing(found[: self.page], token=token)
        if self.date:
            answered.headers["Date"] = self.date
        return answered


class S3:
    """Starts stores and makes sources that list them; all are closed when the test is over."""

    def __init__(self, serve: Serve, certificates: Certificates) -> None:
        self._serve = serve
        self._certificates = certificates
        self._sources: list[BackupsS3Source] = []

    async def store(self, answering: Handler, tls: ssl.SSLContext | None = None) -> str:
        """The address of a new store."""
        return await self._serve(answering, tls)

    def source(self, endpoint: str, **more: Any) -> BackupsS3Source:
        """A source for a store."""
        source = BackupsS3Source(self.config(endpoint, **more), clock=lambda: AT)
        self._sources.append(source)
        return source

    def config(self, endpoint: str, **more: Any) -> StoreConfig:
        """The store's section."""
        given: dict[str, Any] = {
            "name": "spaces",
            "endpoint": endpoint,
            "bucket": BUCKET,
            "access_key": "env:FARMTUI_TEST_ACCESS",
            "secret_key": "env:FARMTUI_TEST_SECRET",
            "ca_file": self._certificates.ca_file,
            "deadline_s": PATIENT_S,
            "request_deadline_s": PATIENT_S,
            **more,
        }
        return StoreConfig(**given)

    async def close(self) -> None:
        """Close every source."""
        for source in self._sources:
            await source.close()


@pytest.fixture
async def s3(
    serve: Serve, certificates: Certificates, planted: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[S3]:
    """Stores and sources, with keys in the environment."""
    monkeypatch.setenv("FARMTUI_TEST_ACCESS", "AKPLANTEDACCESSKEY")
    made = S3(serve, certificates)
    yield made
    await made.close()
