"""Who is let in: a token, the names that this server answers to, and the pages that may open its socket. Pure."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

TOKEN_LEAST = 16
"""Characters below which a token can be tried out."""
COOKIE = "farmtui"
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


class AccessError(ValueError):
    """What was asked for would let in anybody; the text says what to do instead."""


def new_token() -> str:
    """A token for one start: 192 bits."""
    return secrets.token_urlsafe(24)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server. `names` are host names beside loopback's that it is known by, in small letters."""

    token: str
    port: int
    names: frozenset[str] = frozenset()
    loopback: bool = True
    """Whether it listens on loopback alone."""

    def __post_init__(self) -> None:
        if len(self.token) < TOKEN_LEAST:
            raise AccessError(f"the token has {len(self.token)} characters; it wants at least {TOKEN_LEAST}")

    @property
    def cookie_name(self) -> str:
        """Cookies know no ports: two servers of one machine must not take each other's."""
        return f"{COOKIE}-{self.port}"

    @property
    def cookie(self) -> str:
        """What a browser keeps instead of the token: it opens this server, also after a restart, and nothing else."""
        return hmac.new(self.token.encode(), b"farmtui serve: cookie", hashlib.sha256).hexdigest()

    def token_is(self, given: str) -> bool:
        """Whether that is the token; takes as long for any."""
        return _same(given, self.token)

    def cookie_is(self, given: str) -> bool:
        """Whether that is the cookie; takes as long for any."""
        return _same(given, self.cookie)

    def knows_host(self, host: str) -> bool:
        """Whether a `Host` header names this server.

        A name that somebody's DNS points here (rebinding) is none of ours: only loopback's, those that were given,
        and, where others may reach it at all, plain addresses, which no DNS can forge.
        """
        name = _name(host)
        if name is None:
            return False
        if is_loopback(name) or name in self.names:
            return True
        return not self.loopback and _is_address(name)

    def knows_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this very server asks: any other's script could type for whoever is logged in.

        The scheme may be either: a proxy in front may add TLS.
        """
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc.lower() == host.lower()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _name(host: str) -> str | None:
    """The host of a `Host` header, without its port."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name if name and not set(host) & set("/@?#\\ ") else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
