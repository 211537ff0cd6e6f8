"""An S3 store with one bucket, as far as listing it goes: ListObjectsV2, signed by Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from aiohttp import web

from farmtui.demo.observed import Keeper
from farmtui.demo.servers.moments import rfc3339
from farmtui.demo.servers.s3_state import BUCKET, Bucket, Stored

MOST: Final = 1_000
_SCHEME: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<day>\d{8})/(?P<region>[^/,]+)/s3/aws4_request, *"
    r"SignedHeaders=(?P<signed>[^,]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>'


class S3Server:
    """The store, for one pair of keys."""

    def __init__(self, keeper: Keeper, *, access_key: str, secret_key: str) -> None:
        self._keeper = keeper
        self._access_key = access_key
        self._secret_key = secret_key
        self._bucket = Bucket()

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=2**16)
        app.router.add_get("/{bucket}", self._list)
        app.router.add_get("/{bucket}/", self._list)
        app.router.add_route("*", "/{path:.*}", self._unknown)
        return app

    async def _list(self, request: web.Request) -> web.Response:
        objects = await self._keeper.ask(self._bucket.objects)
        if self._keeper.condition.spaces_down:
            return _error(503, "ServiceUnavailable", "Service is unable to handle request.")
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if request.match_info["bucket"] != BUCKET:
            return _error(404, "NoSuchBucket", "")
        given = request.query
        if given.get("list-type") != "2":
            return _error(501, "NotImplemented", "Only ListObjectsV2 is implemented.")
        prefix = given.get("prefix", "")
        after = given.get("continuation-token") or given.get("start-after", "")
        count = min(MOST, int(text) if (text := given.get("max-keys", "")).isdecimal() else MOST)
        found = [one for one in objects if one.key.startswith(prefix) and one.key > after]
        return _xml(_listing(prefix, found[:count], count, more=len(found) > count))

    async def _unknown(self, request: web.Request) -> web.Response:
        return self._refusal(request) or _error(501, "NotImplemented", "A header or query you provided is not known.")

    def _refusal(self, request: web.Request) -> web.Response | None:
        """What S3 says to who has not the keys; None for who has."""
        told = _SCHEME.fullmatch(request.headers.get("Authorization", ""))
        if told is None:
            return _error(403, "AccessDenied", "")
        if told["key"] != self._access_key:
            return _error(403, "InvalidAccessKeyId", "")
        if not hmac.compare_digest(signature(request, told.groupdict(), self._secret_key), told["signature"]):
            return _error(403, "SignatureDoesNotMatch", "")
        return None


def signature(request: web.Request, told: Mapping[str, str], secret_key: str) -> str:
    """A request's signature by the specification of Signature Version 4."""
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in request.query.items())
    names = told["signed"].split(";")
    canonical = "\n".join(
        (
            request.method,
            request.rel_url.raw_path,
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            told["signed"],
            request.headers.get("x-amz-content-sha256", ""),
        )
    )
    scope = f"{told['day']}/{told['region']}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", request.headers.get("x-amz-date", ""), scope, digest))
    key = f"AWS4{secret_key}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _listing(prefix: str, found: list[Stored], count: int, *, more: bool) -> str:
    contents = "".join(
        f"<Contents><Key>{quote(one.key)}</Key><LastModified>{rfc3339(one.at)}</LastModified>"
        f"<ETag>&quot;{hashlib.md5(one.key.encode(), usedforsecurity=False).hexdigest()}&quot;</ETag>"
        f"<Size>{one.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for one in found
    )
    onwards = f"<NextContinuationToken>{escape(found[-1].key)}</NextContinuationToken>" if more else ""
    return (
        f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{BUCKET}</Name>'
        f"<Prefix>{escape(quote(prefix))}</Prefix><MaxKeys>{count}</MaxKeys><KeyCount>{len(found)}</KeyCount>"
        f"<EncodingType>url</EncodingType><IsTruncated>{'true' if more else 'false'}</IsTruncated>"
        f"{onwards}{contents}</ListBucketResult>"
    )


def _xml(body: str, status: int = 200) -> web.Response:
    return web.Response(text=f"{_XML}{body}", status=status, content_type="application/xml")


def _error(status: int, code: str, message: str) -> web.Response:
    words = f"<Message>{escape(message)}</Message>" if message else ""
    return _xml(f"<Error><Code>{code}</Code>{words}<RequestId>tx0001</RequestId></Error>", status)
