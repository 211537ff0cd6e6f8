"""The way to an S3 store: botocore signs and reads, our own wire asks. Lists, and can do nothing else."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from farmtui.config.backups import StoreConfig
from farmtui.farm.reading import FailureKind
from farmtui.secrets import Secret, SecretError
from farmtui.sources.errors import SourceError, bad_answer, safe_words, status_error
from farmtui.sources.http import tls_context

PAGE: Final = 1_000
"""Objects in one answer: what S3 gives at most."""
PAGE_LIMIT: Final = 16_000_000
"""Bytes of one answer: a thousand of the longest keys, written in entities."""


@dataclass(frozen=True, slots=True)
class S3Object:
    """One object of a listing."""

    key: str
    size_bytes: int
    at: int
    """When it was last written, by the store's clock, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing. `token` continues it; empty at its end."""

    objects: tuple[S3Object, ...]
    token: str
    clock_ahead_s: float
    """By how much our clock is at least ahead of the store's (below 0: behind); 0 where it can be right."""


class S3Client:
    """One bucket, for a worker thread. botocore is imported at the first use: 0.2 s and 40 MB."""

    def __init__(self, config: StoreConfig) -> None:
        """Raises SecretError where one of the config's references is not one."""
        self._config = config
        self._access = Secret(config.access_key)
        self._secret = Secret(config.secret_key)
        self._client: Any = None
        self._wire: Any = None
        self._lock = threading.Lock()
        self._heard: Mapping[str, str] = {}
        self._status = 0
        self._asked_at = self._heard_at = datetime.now(UTC)

    def page(self, prefix: str, after: str, token: str) -> Page:
        """The objects whose keys begin with `prefix` and come behind `after`; `token` goes on where a page has ended.

        Raises SourceError, SecretError, TimeoutError and urllib3's errors.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        asked: dict[str, Any] = {"Bucket": self._config.bucket, "Prefix": prefix, "MaxKeys": PAGE}
        if token:
            asked["ContinuationToken"] = token
        elif after:
            asked["StartAfter"] = after
        try:
            answer = self._connect().list_objects_v2(**asked)
        except ClientError as error:
            raise self._refused(error.response) from None
        except (ResponseParserError, ValueError):
            # A ValueError is that of a number or a time that is none.
            raise bad_answer("the answer is not S3's XML") from None
        except BotoCoreError as error:
            raise SourceError(
                FailureKind.CONFIG, f"the request cannot be made: {safe_words(str(error))}", "mend the store's section"
            ) from None
        return self._page(answer)

    def _page(self, answer: Mapping[str, Any]) -> Page:
        # Any XML reads as a listing of nothing: a listing says whether it goes on, and of which bucket it is.
        if not isinstance(answer.get("IsTruncated"), bool) or "Name" not in answer:
            raise bad_answer("the answer is no listing of a bucket")
        found = tuple(map(_object, answer.get("Contents") or ()))
        token = answer.get("NextContinuationToken") if answer["IsTruncated"] else ""
        if answer["IsTruncated"] and not token:
            raise bad_answer("the listing goes on, and does not say how")
        return Page(found, str(token or ""), ahead_s(self._heard.get("date", ""), self._asked_at, self._heard_at))

    def _refused(self, response: Mapping[str, Any]) -> SourceError:
        """S3's own codes in words. Keys and signatures, which its messages may repeat, are left out."""
        error, meta = response.get("Error") or {}, response.get("ResponseMetadata") or {}
        code, status = str(error.get("Code", "")), int(meta.get("HTTPStatusCode") or 0)
        bucket = self._config.bucket
        if code in _LOGIN:
            self.forget_login()
            return SourceError(FailureKind.FORBIDDEN, _LOGIN[code], _LOGIN_REMEDY, status=status)
        if code == "AccessDenied" or (status == 403 and code in ("", "403", "Forbidden")):
            self.forget_login()
            words = f"HTTP 403, our keys may not list bucket {bucket}"
            return SourceError(FailureKind.FORBIDDEN, words, "give them the right s3:ListBucket on it", status=status)
        if code == "NoSuchBucket":
            words = f"there is no bucket {bucket}"
            remedy = "check bucket, endpoint and addressing: Spaces has its buckets in one region each"
            return SourceError(FailureKind.CONFIG, words, remedy, status=status)
        if code == "RequestTimeTooSkewed":
            words = "its clock and this machine's differ too much for our signature to count"
            return SourceError(FailureKind.CONFIG, words, "set this machine's clock: chronyc tracking", status=status)
        if code in ("SlowDown", "TooManyRequests", "Throttling"):
            return SourceError(
                FailureKind.RATE_LIMITED, "it asks us to slow down", "raise the store's interval_s", status=status
            )
        if self._status < 300 and code in ("", "500", "InternalError"):
            # botocore calls a success whose body is no XML an error of the server's.
            return bad_answer("the answer is not S3's XML")
        words = " ".join(filter(None, (code if code != str(status) else "", str(error.get("Message") or ""))))
        return status_error(status, detail=words) if status >= 400 else bad_answer(f"it refuses: {safe_words(words)}")

    def forget_login(self) -> None:
        """Resolve the keys again at the next call: they may have been rotated."""
        self._access.forget()
        self._secret.forget()
        self.close()

    def _connect(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> Any:
        from botocore.config import Config as BotoConfig
        from botocore.session import Session

        from farmtui.sources.wire import Wire

        access, secret = self._access.reveal(), self._secret.reveal()
        if not access.isascii() or not access.isprintable():
            raise SecretError("the access key holds characters that no HTTP header can carry")
        self._wire = Wire(
            tls_context(self._config.ca_file),
            deadline_s=self._config.request_deadline_s,
            limit_bytes=PAGE_LIMIT,
            heard=self._hear,
        )
        # Nothing of ~/.aws and of the environment: whom the console asks, and as whom, is what its config says.
        session = Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        # Its own takes half of the time that a page takes, for formats that no store uses.
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
        client = session.create_client(
            "s3",
            endpoint_url=self._config.endpoint,
            region_name=self._config.region,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=BotoConfig(
                signature_version="s3v4",
                s3={"addressing_style": self._config.addressing},
                retries={"total_max_attempts": 1},
                user_agent="farmtui",
                ignore_configured_endpoint_urls=True,
            ),
        )
        # botocore's own hook for who has another way to the server: it is never asked to open a connection.
        client.meta.events.register("before-send.s3", self._send)
        return client

    def _hear(self, headers: Mapping[str, str]) -> None:
        self._heard, self._heard_at = headers, datetime.now(UTC)

    def _send(self, request: Any, **_: object) -> Any:
        from botocore.awsrequest import AWSResponse

        self._asked_at = datetime.now(UTC)
        answer = self._wire.ask(request.method, request.url, _plain(request.headers), request.body)
        self._status = answer.status
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
        response = AWSResponse(request.url, answer.status, headers, None)
        response._content = answer.body
        return response

    def close(self) -> None:
        """Let the connections go; the next call opens new ones."""
        with self._lock:
            self._client, wire, self._wire = None, self._wire, None
        if wire is not None:
            wire.close()


_LOGIN: Final = {
    "SignatureDoesNotMatch": "HTTP 403, our signature is not accepted: the secret key is not the access key's",
    "InvalidAccessKeyId": "HTTP 403, it knows no such access key",
    "InvalidToken": "HTTP 403, our login is not accepted",
}
_LOGIN_REMEDY: Final = "check access_key and secret_key of the store, and that what they refer to is still valid"


def _plain(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    return {name: v.decode("latin-1") if isinstance(v, bytes) else str(v) for name, v in headers.items()}


def _object(item: Mapping[str, Any]) -> S3Object:
    key, size, at = item.get("Key"), item.get("Size"), item.get("LastModified")
    if not isinstance(key, str) or not isinstance(size, int) or not isinstance(at, int):
        raise bad_answer("the listing has an object without key, size or time")
    return S3Object(key, max(0, size), at)


def _moment(text: str) -> int:
    """A time of a listing (`2026-11-23T03:12:00.000Z`) as whole Unix seconds. Raises ValueError."""
    told = datetime.fromisoformat(text)
    return int((told if told.tzinfo is not None else told.replace(tzinfo=UTC)).timestamp())


def ahead_s(date: str, asked_at: datetime, heard_at: datetime) -> float:
    """By how many seconds our clock is at least ahead of who has answered with this Date (below 0: behind).

    0 where it can be right: the date was written between the question and the answer, to a second. A header that is no
    date tells nothing.
    """
    try:
        told = parsedate_to_datetime(date)
    except (ValueError, IndexError, TypeError, OverflowError):
        return 0.0
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    earliest, latest = (asked_at - told).total_seconds(), (heard_at - told).total_seconds()
    if earliest > 1.0:
        return earliest
    return latest if latest < -1.0 else 0.0
