"""Trusted proxies: takes the client's address, and the scheme it used, from what they say about a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from starlette.types import Scope

from wfx.ip_networks import Peers, address

_MOST_HOPS = 32
"""Proxies that a request is followed back through; a chain of more ends there, however long its header is."""
_LONGEST = 64
"""Characters that an address with its port may have."""


class TrustedProxies:
    """The proxies whose word is taken."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Trust these networks and addresses, and ``unix``."""
        self._trusted = Peers(trusted)

    def apply(self, scope: Scope) -> None:
        """Correct the client and the scheme of a request that a trusted proxy has passed on."""
        if not self._trusted.include(scope.get("client")):
            return
        headers = scope["headers"]
        client = self._client(_nearest(headers, b"x-forwarded-for", _MOST_HOPS))
        if client is not None:
            scope["client"] = (client, 0)
        for entry in _nearest(headers, b"x-forwarded-proto", 1):
            if (scheme := entry.strip().lower()) in (b"http", b"https"):
                scope["scheme"] = scheme.decode()

    def _client(self, chain: Iterable[bytes]) -> str | None:
        """Go from proxy to proxy, nearest first; the first that is not trusted is the client."""
        found = None
        for entry in chain:
            forwarder = _address(entry)
            if forwarder is None:
                break
            found = str(forwarder)
            if not self._trusted.include_address(found):
                break
        return found


def _nearest(headers: Sequence[tuple[bytes, bytes]], name: bytes, most: int) -> list[bytes]:
    """Return the last entries of a list in headers, the nearest proxy's first."""
    entries: list[bytes] = []
    for field, value in reversed(headers):
        if field == name and len(entries) < most:
            entries += reversed(value.rsplit(b",", most))
    return entries[:most]


def _address(entry: bytes) -> IPv4Address | IPv6Address | None:
    """Read an address, with or without a port; None if it is none."""
    text = entry.strip().decode("latin-1")
    if len(text) > _LONGEST:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return address(text)
    except ValueError:
        return None
