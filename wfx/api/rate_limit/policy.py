"""Policy of the rate limit: which requests count, and for whom."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import NamedTuple

from starlette.types import Scope

from wfx.config.tunables import Tunables
from wfx.ip_networks import address, network
from wfx.limits.asks import Ask, Asks, LimitScope, bucket_key
from wfx.limits.bucket import Band
from wfx.request_context import Side

NEVER_LIMITED = frozenset({b"/health", b"/api/wfx/v1/health"})
"""What supervisors and monitoring ask for: they must see a service that is under load as it is.

The paths that options give to metrics and probes come to these."""
_CACHED = 4096
"""Addresses of which is remembered whose bucket they use."""
_NETWORK_OF_ONE = 64
"""Bits of the IPv6 network that one subscriber has (RFC 6177); it may use any address in it."""


class Whose(NamedTuple):
    """Whose bucket a request takes a token of."""

    name: str
    """The address, or the network that counts as one."""
    asks: Asks


class Policy:
    """The limit of one side, as the options say it."""

    def __init__(self, tunables: Tunables, never_limited: Iterable[str] = ()) -> None:
        """Take it from the options; ``never_limited`` are further paths that are exempt."""
        self.size = tunables.ip_rate_limit + tunables.ip_burst_size
        """Tokens in a full bucket."""
        self._bands = (Band(self.size, tunables.ip_window_minutes * 60_000, tunables.ip_rate_limit),)
        self._excluded = [network(text) for text in tunables.rate_limit_excluded_ips]
        exempt = (*never_limited, *tunables.rate_limit_excluded_paths)
        self._exact = NEVER_LIMITED | {path.encode() for path in exempt}
        self._below = tuple(path.rstrip("/").encode() + b"/" for path in tunables.rate_limit_excluded_paths)
        self._bucket_of = lru_cache(_CACHED)(self._find_bucket)

    @classmethod
    def of(cls, side: Side, never_limited: Iterable[str], tunables: Tunables) -> Policy | None:
        """Return the policy of a side; None if it has no limit."""
        limited = tunables.rate_limit_enabled and side in tunables.rate_limit_sides
        return cls(tunables, never_limited) if limited else None

    def whose(self, scope: Scope) -> Whose | None:
        """Return whose bucket a request takes a token from; None if it takes none.

        Peers on a Unix socket have no address: they take none, unless a trusted proxy tells whom it speaks for.
        """
        peer = scope.get("client")
        if not peer:
            return None
        path: bytes = scope["raw_path"]
        if path in self._exact or (self._below and path.startswith(self._below)):
            return None
        return self._bucket_of(peer[0])

    def _find_bucket(self, peer: str) -> Whose | None:
        try:
            found = address(peer)
        except ValueError:  # a server may call its peers as it likes
            return self._whose(peer)
        if any(found in excluded for excluded in self._excluded):
            return None
        return self._whose(_name(found))

    def _whose(self, name: str) -> Whose:
        key = bucket_key("requests", LimitScope.ADDRESS, name)
        return Whose(name, (Ask(key, LimitScope.ADDRESS, self._bands),))


def _name(peer: IPv4Address | IPv6Address) -> str:
    """Name the bucket: of an IPv4 address, or of an IPv6 network; all neighbours on a link share one of the latter."""
    if isinstance(peer, IPv4Address) or peer.is_link_local:
        return str(peer)
    return str(ip_network((int(peer), _NETWORK_OF_ONE), strict=False))
