"""How a bucket's keys are read: patterns of the config as one function from a key to whose backup it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from farmtui.config.backups import LayoutConfig
from farmtui.farm.text import clean_text

_PART: Final = re.compile(r"\{(site|kind|time)\}|\*\*|\*")
_NAME_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Read:
    """What a key says."""

    kind: str
    site: str
    backup: str
    """What the objects of one backup share: the key itself, unless the pattern has {time}."""


class Layout:
    """The patterns of one store, in order."""

    def __init__(self, patterns: Sequence[LayoutConfig]) -> None:
        self._patterns = [(pattern.kind, _compiled(pattern.key)) for pattern in patterns]
        self.kinds: tuple[str, ...] = tuple(dict.fromkeys(p.kind for p in patterns if p.kind is not None))
        """Kinds that every site should have. One that only a key names ({kind}) is missed where it has been alone."""
        self.in_parts = any("{time}" in pattern.key for pattern in patterns)
        """Whether a backup may be several objects."""
        self.prefixes: tuple[str, ...] = _roots([_PART.split(pattern.key)[0] for pattern in patterns])
        """What has to be listed, none within another."""

    def read(self, key: str) -> Read | None:
        """Whose backup an object is of; None where no pattern fits."""
        for kind, pattern in self._patterns:
            found = pattern.fullmatch(key)
            if found is None:
                continue
            named = found.groupdict()
            # `{time}` and what stands before it: all objects below are that one backup.
            backup = key[: found.end("time")] if named.get("time") is not None else key
            site = clean_text(named["site"], limit=_NAME_LIMIT)
            kind = kind or clean_text(named["kind"], limit=_NAME_LIMIT).lower()
            return Read(kind, site, backup) if site and kind else None
        return None


def _compiled(key: str) -> re.Pattern[str]:
    parts, at = [], 0
    for found in _PART.finditer(key):
        parts.append(re.escape(key[at : found.start()]))
        name = found.group(1)
        parts.append(f"(?P<{name}>[^/]+)" if name else ".*" if found.group() == "**" else "[^/]*")
        at = found.end()
    # The time comes last of a backup's own name: what hangs on it (.sql.gz) belongs to it where no slash follows.
    return re.compile("".join((*parts, re.escape(key[at:]))), re.DOTALL)


def _roots(prefixes: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not found or not prefix.startswith(found[-1]):
            found.append(prefix)
    return tuple(found)
