"""Which addresses an http step may ask: verified TLS, or plain HTTP where the book says so, or this machine itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def address_problem(url: str, *, insecure: bool) -> str:
    """Why an address may not be asked; empty where it may."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        return "must be an http:// or https:// address with a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials: give `auth`, with references"
    if parts.scheme == "http" and not insecure and not _is_here(parts.hostname or ""):
        return "is plain http, which anybody on the way can read and change: use https, or say `insecure: true`"
    return ""


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
