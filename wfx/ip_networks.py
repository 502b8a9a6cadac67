"""Addresses and networks of IP, and lists of peers made of them.

Addresses of IPv4 that are written as ones of IPv6 (``::ffff:192.0.2.1``) are of IPv4.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_MAPPED_PREFIX_BITS = 96
"""Bits of an IPv6 address before the IPv4 address in it."""
UNIX = "unix"
"""Stands for all that connect to Unix sockets."""
_CACHED = 1024
"""Addresses of which is remembered whether they are listed."""


def address(text: str) -> IPv4Address | IPv6Address:
    """Read an address. Raises ValueError."""
    found = ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found


def network(text: str, *, strict: bool = True) -> IPv4Network | IPv6Network:
    """Read a network or an address; ``strict`` refuses bits of a host. Raises ValueError."""
    found = ip_network(text, strict=strict)
    if isinstance(found, IPv4Network) or found.prefixlen < _MAPPED_PREFIX_BITS:
        return found
    mapped = found.network_address.ipv4_mapped
    return IPv4Network((mapped, found.prefixlen - _MAPPED_PREFIX_BITS)) if mapped else found


class Peers:
    """Peers of connections as options list them: networks, addresses, and ``unix``."""

    def __init__(self, listed: Iterable[str]) -> None:
        """Read the list. Raises ValueError."""
        names = set(listed)
        self._has_unix = UNIX in names
        self._networks = [network(text) for text in names - {UNIX}]
        self.include_address = lru_cache(_CACHED)(self._lies_within)
        """Tells whether an address is one of them, by its text; what is no address is none."""

    def include(self, peer: tuple[str, int] | None) -> bool:
        """Tell whether this is one of them; None is who connects to a Unix socket."""
        return self._has_unix if peer is None else self.include_address(peer[0])

    def _lies_within(self, text: str) -> bool:
        try:
            found = address(text)
        except ValueError:
            return False
        return any(found in listed for listed in self._networks)
