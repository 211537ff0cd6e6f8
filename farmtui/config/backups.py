"""The config's section for backups: where they are kept, how their keys are to be read, and how old they may be."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from farmtui.config.fields import ConfigPath, Seconds, SecretRef, Section, Url

_KIND: Final = r"^[a-z][a-z0-9-]*$"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_KNOWN: Final = ("site", "kind", "time")

Kind = Annotated[str, Field(pattern=_KIND)]
Hours = Annotated[float, Field(gt=0, le=87_600, allow_inf_nan=False)]


def _key(value: str) -> str:
    names = _PLACEHOLDER.findall(value)
    if strange := [name for name in names if name not in _KNOWN]:
        raise ValueError(f"{{{strange[0]}}} is no placeholder: {{site}}, {{kind}} and {{time}} are, and * and **")
    if twice := [name for name in _KNOWN if names.count(name) > 1]:
        raise ValueError(f"{{{twice[0]}}} stands in it twice")
    if "site" not in names:
        raise ValueError("must hold {site}: whose backup it is")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", value)) or value.startswith("/") or not value.isprintable():
        raise ValueError("must be an object's key as the bucket lists it, such as db/{site}/{time}")
    return value


class LayoutConfig(Section):
    """How one sort of backup is named in the bucket."""

    key: Annotated[str, AfterValidator(_key)]
    """The object's key: `{site}` whose it is, `{kind}` what of it, `{time}` which backup: objects that share it are one
    backup together. Each stands for a part without `/`, as `*` does; `**` is anything. When it was made is never read
    from the key: the store's own time counts."""
    kind: Kind | None = None
    """What of the site it is, such as database or files; not needed where the key holds {kind}."""

    @model_validator(mode="after")
    def _has_a_kind(self) -> LayoutConfig:
        if (self.kind is None) == ("{kind}" not in self.key):
            raise ValueError("give `kind`, or {kind} in the key: one of them")
        return self


class StoreConfig(Section):
    """A bucket of an S3 store: DigitalOcean Spaces, Ceph's RGW, or another. It is only ever listed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    """A name of your own."""
    endpoint: Url
    """The store's address without the bucket: https://ams3.digitaloceanspaces.com, or an RGW's."""
    bucket: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$")]
    """The bucket."""
    region: str = "us-east-1"
    """The region that requests are signed for. Spaces and RGW take any; RGW with a zonegroup's api_name wants that."""
    access_key: SecretRef
    """The access key's id, by reference. The right to list the bucket (s3:ListBucket) is enough."""
    secret_key: SecretRef
    """Its secret, by reference."""
    addressing: Literal["path", "virtual"] = "path"
    """path: https://HOST/BUCKET, which every store takes. virtual: https://BUCKET.HOST, for a store that wants that."""
    ca_file: ConfigPath | None = None
    """CA certificates to trust instead of the system's. TLS is always verified."""
    layout: Annotated[list[LayoutConfig], Field(min_length=1)] = [
        LayoutConfig(key="db/{site}/{time}", kind="database"),
        LayoutConfig(key="files/{site}/{time}", kind="files"),
        LayoutConfig(key="files/{site}/{time}/**", kind="files"),
    ]
    """How its keys are to be read; the first that fits counts, and only what begins as one of them does is listed."""
    interval_s: Seconds = 600.0
    """Seconds between two polls."""
    deadline_s: Seconds = 60.0
    """Seconds that the listing of one poll may take; what it has not come to, the next goes on with."""
    request_deadline_s: Seconds = 15.0
    """Seconds after which one request is given up."""
    pages: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Requests of one poll at most, of 1,000 objects each. A larger bucket is listed over several polls."""


class AgeConfig(Section):
    """How old the newest backup of a kind may be."""

    overdue_h: Hours
    """Hours from which on it is overdue, a warning."""
    critical_h: Hours
    """Hours from which on that is critical."""

    @model_validator(mode="after")
    def _in_order(self) -> AgeConfig:
        if self.critical_h < self.overdue_h:
            raise ValueError("critical_h is less than overdue_h")
        return self


USUAL_AGES: Final = {
    "database": AgeConfig(overdue_h=26, critical_h=50),
    "files": AgeConfig(overdue_h=26, critical_h=74),
    "guest": AgeConfig(overdue_h=192, critical_h=360),
}
"""A nightly backup has two hours to be late in; a weekly one has a day."""


class BackupsConfig(Section):
    """Backups: of sites in S3 stores, and of guests as Proxmox VE keeps them."""

    stores: list[StoreConfig] = []
    """The buckets."""
    pve: bool = True
    """Look at the backups of guests too, in every cluster under `proxmox`. The token needs Datastore.Audit and
    VM.Backup there to see them: PVEAuditor tells no backup's content."""
    pve_interval_s: Seconds = 600.0
    """Seconds between two looks at them."""
    ages: dict[Kind, AgeConfig] = {}
    """How old the newest may be, by kind: `database`, `files`, `guest`, or a kind of your layout. Unset: 26 h for
    databases, files and all others, 8 days for guests."""
    shrunk_below: Annotated[float, Field(ge=0, le=1)] = 0.5
    """A backup smaller than this share of the one before it is doubted; 0 doubts none."""
    smallest_bytes: Annotated[int, Field(ge=0)] = 1
    """And so is one that is smaller than this."""
    exempt: list[str] = []
    """Shell patterns of sites and guests that need no backup: ["cache-*", "staging.*"]."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> BackupsConfig:
        names = [store.name for store in self.stores]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"stores: the name {twice[0]!r} is given twice")
        return self

    def age(self, kind: str) -> AgeConfig:
        """The limits of a kind."""
        return self.ages.get(kind) or USUAL_AGES.get(kind) or self.ages.get("files") or USUAL_AGES["files"]
