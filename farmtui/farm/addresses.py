"""What an address or a name says about which machine it is: some say nothing, since every machine has them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final

_EVERYWHERE_NAMES: Final = frozenset({"", "localhost", "localhost.localdomain", "localhost6", "ip6-localhost"})


def host_part(instance: str) -> str:
    """The host of an instance label, in lower case: without port, brackets, zone or prefix length.

    `10.0.0.4:9100`, `[fd00::1]:9100`, `fd00::1`, `Cache-1.example.net:9131`, `http://10.0.0.4:9115/probe`.
    """
    text = instance.strip().casefold()
    if "//" in text:
        text = text.partition("//")[2]
    if text.startswith("["):
        return text[1:].partition("]")[0].partition("%")[0]
    if "/" in text:
        text = text.partition("/")[0]
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.partition("%")[0]


@lru_cache(maxsize=1 << 17)
def telling_address(text: str) -> str | None:
    """The canonical form of an address that can tell one machine from another; None for any other text.

    Loopback, link-local, unspecified and multicast addresses tell nothing, nor do those that Docker's own bridges
    have on every host: docker0's 172.17.0.0/16, and the gateways 172.18-31.0.1 of further bridges.
    """
    host = host_part(text)
    parts = host.split(".")
    if len(parts) == 4:
        # Ten thousand guests bring forty thousand addresses: the ipaddress module alone would take 0.2 s.
        a, b, c, d = parts
        if a.isdecimal() and b.isdecimal() and c.isdecimal() and d.isdecimal() and a.isascii():
            return _telling_ipv4(host, a, b, c, d)
    if ":" not in host:
        return None
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return None
    if address.ipv4_mapped is not None:
        return telling_address(str(address.ipv4_mapped))
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        return None
    return str(address)


def _telling_ipv4(host: str, a: str, b: str, c: str, d: str) -> str | None:
    if a in ("127", "0"):
        return None
    try:
        first, second, third, fourth = int(a), int(b), int(c), int(d)
    except ValueError:
        return None
    if max(first, second, third, fourth) > 255 or first in (0, 127) or first >= 224:
        return None
    if first == 169 and second == 254:
        return None
    if first == 172 and (second == 17 or (18 <= second <= 31 and third == 0 and fourth == 1)):
        return None
    canonical = f"{first}.{second}.{third}.{fourth}"
    return host if host == canonical else canonical


def is_address(text: str) -> bool:
    """Whether a host part is an IP address rather than a name."""
    if not text or not (text[0].isdigit() or ":" in text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def telling_name(text: str) -> str | None:
    """A name that can tell one machine from another, in lower case; None for addresses, localhost and nothing."""
    name = text.strip().casefold().rstrip(".")
    if name in _EVERYWHERE_NAMES or is_address(name):
        return None
    return name


def short_name(name: str) -> str:
    """What stands before the first dot of a telling name."""
    return name.partition(".")[0]


def same_name(first: str, second: str) -> bool:
    """Whether two names are one machine's: equal but for case and domain. Localhost and addresses never are."""
    one, other = telling_name(first), telling_name(second)
    if one is None or other is None:
        return False
    if "." in one and "." in other:
        return one == other
    return short_name(one) == short_name(other)
