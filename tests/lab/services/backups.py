"""A bucket of backups in the lab's own Ceph, behind its RADOS gateway: a user of it, and what two sites have stored."""

from __future__ import annotations

import json
import os
from typing import Any, ClassVar

from botocore.config import Config as BotoConfig
from botocore.session import Session

from tests.lab.service import Lab, Service
from tests.lab.services.ceph import ADDRESSES, Ceph

BUCKET = "farm-backups"
SITES = ("shop.example", "blog.example")


class Backups(Service):
    """`client` is botocore's, as the one who makes the backups; the console has keys that may only list."""

    name: ClassVar[str] = "backups"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.client: Any = None
        self.endpoint = ""
        self.keys: dict[str, tuple[str, str]] = {}
        """Access and secret key of `writer`, `reader` and `stranger`."""

    def start(self) -> None:
        """Users by radosgw-admin, a bucket that one may write and another may list, and a night's backups."""
        ceph = self.lab.service(Ceph)
        self.endpoint = f"http://{ADDRESSES[ceph.host_of['rgw.a']]}:{ceph.rgw_port}"
        for user in ("writer", "reader", "stranger"):
            told = json.loads(
                ceph.tool("radosgw-admin", "user", "create", f"--uid={user}", f"--display-name={user}", timeout_s=60)
            )
            self.keys[user] = (told["keys"][0]["access_key"], told["keys"][0]["secret_key"])
            for word, value in zip(("access", "secret"), self.keys[user], strict=True):
                (self.folder / f"{user}-{word}").write_text(value, encoding="utf-8")
        access, secret = self.keys["writer"]
        session = Session(session_vars={"config_file": (None, None, os.devnull, None)})
        self.client = session.create_client(
            "s3", endpoint_url=self.endpoint, region_name="default", aws_access_key_id=access,
            aws_secret_access_key=secret, config=BotoConfig(s3={"addressing_style": "path"}),
        )  # fmt: skip
        self.client.create_bucket(Bucket=BUCKET)
        allowed = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
                    "Action": ["s3:ListBucket"],
                    "Resource": [f"arn:aws:s3:::{BUCKET}"],
                }
            ],
        }
        self.client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(allowed))
        for site in SITES:
            self.put(f"db/{site}/2026-11-22.sql.gz", 2_000)
            self.put(f"db/{site}/2026-11-23.sql.gz", 2_100)
            self.put(f"files/{site}/2026-11-23/part-1.tar", 3_000)
            self.put(f"files/{site}/2026-11-23/part-2.tar", 4_000)

    def stop(self) -> None:
        """What is in it goes with the cluster."""

    def config(self) -> dict[str, Any]:
        """The bucket, as the console reads it."""
        return {"backups": {"stores": [self.store()]}}

    def store(self, user: str = "reader", **more: Any) -> dict[str, Any]:
        """The store's section, with somebody's keys."""
        return {
            "name": "rgw",
            "endpoint": self.endpoint,
            "bucket": BUCKET,
            "region": "default",
            "access_key": f"file:{self.folder / user}-access",
            "secret_key": f"file:{self.folder / user}-secret",
            "interval_s": 5,
            **more,
        }

    def put(self, key: str, size: int) -> None:
        """Store an object."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=b"x" * size)

    def delete(self, *keys: str) -> None:
        """Delete objects."""
        for key in keys:
            self.client.delete_object(Bucket=BUCKET, Key=key)
