"""Guard of addresses: decides where webhooks may connect to.

Whoever writes rules, or fills in an address by an event, must not reach what only this machine reaches. What is no
public unicast address is refused unless the administrator lists its network. Lists of such addresses differ between
releases of Python (``is_global``), and none has NAT64 and 6to4, which lead to addresses of IPv4: so this is one of its
own, after the registries of special-purpose addresses of IANA.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from wfx.ip_networks import address, network

_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # between a provider and its customers
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and the metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols of the IETF
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # measurements
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
"""All that is public so far. The rest has loopback, IPv4 in IPv6, NAT64 (64:ff9b::/96), private ones …"""
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols of the IETF, such as Teredo, which leads to IPv4
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which leads to IPv4
            "3fff::/20",  # documentation
        ),
    )
)


class AddressNotAllowed(Exception):
    """Nothing may be sent there."""

    def __init__(self, where: str) -> None:
        """Say where that would have been."""
        super().__init__(f"address not allowed: {where}")


class AddressGuard:
    """What may be connected to: public addresses, and networks that the administrator allows."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """Allow these networks and addresses, too. Raises ValueError for what is none."""
        self._allowed = [network(text) for text in allowed]

    def allows(self, text: str) -> bool:
        """Tell whether an address may be connected to; what is no address may not."""
        try:
            found = address(text.partition("%")[0])  # without the zone of a link-local one
        except ValueError:
            return False
        return any(found in listed for listed in self._allowed) or _is_public(found)


def _is_public(found: IPv4Address | IPv6Address) -> bool:
    if isinstance(found, IPv4Address):
        return not any(found in special for special in _NOT_PUBLIC_4)
    return found in _PUBLIC_6 and not any(found in special for special in _NOT_PUBLIC_6)
