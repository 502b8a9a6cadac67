"""Connections to addresses that the guard allows: a network backend of httpcore.

The name is resolved, each address checked, and a connection made to one that was checked, in one step. So a name whose
addresses change in between leads nowhere else, and no spelling of an address matters: all become what the system makes
of them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from wfx.tasks.address_guard import AddressGuard, AddressNotAllowed

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host. Raises OSError, or UnicodeError for a name that cannot be one."""
_MOST_TRIED = 4
"""Addresses of a name that are tried, one after the other."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class GuardedConnections(httpcore.AsyncNetworkBackend):
    """Connects by TCP to allowed addresses, and to nothing else."""

    def __init__(self, guard: AddressGuard, resolve: Resolve = resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        self._connections = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the class of httpcore has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an allowed address of the host. Raises AddressNotAllowed, and errors of httpcore."""
        try:
            found = list(dict.fromkeys(await self._resolve(host, port)))
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {exc}") from exc
        allowed = [each for each in found if self._guard.allows(each)][:_MOST_TRIED]
        if found and not allowed:
            raise AddressNotAllowed(host if found == [host] else f"{host} is {found[0]}")
        failure: Exception = httpcore.ConnectError(f"the name {host} has no address")
        for each in allowed:
            try:
                return await self._connections.connect_tcp(each, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
