"""Addresses and networks of IP: those of IPv4 that are written as ones of IPv6 (``::ffff:192.0.2.1``) are of IPv4."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_MAPPED = 96
"""Bits of an IPv6 address before the IPv4 address in it."""


def address(text: str) -> IPv4Address | IPv6Address:
    """Read an address. Raises ValueError."""
    found = ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found


def network(text: str, *, strict: bool = True) -> IPv4Network | IPv6Network:
    """Read a network or an address; ``strict`` refuses bits of a host. Raises ValueError."""
    found = ip_network(text, strict=strict)
    if isinstance(found, IPv6Network) and found.prefixlen >= _MAPPED and (mapped := found.network_address.ipv4_mapped):
        return IPv4Network((mapped, found.prefixlen - _MAPPED))
    return found
