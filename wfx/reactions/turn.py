"""Turn of one of several servers to have the rules work: a lease. Without it, work would be done in vain."""

from __future__ import annotations

from time import monotonic

from wfx.store.protocol import Store

NAME = "rules"
"""Of the lease, and of the consumer."""
LEASE = 6.0
"""Seconds for which a server has the work to itself; it renews that in a third of the time."""


class Turn:
    """The lease, where there are several servers. A server that is alone need not wait for the end of one."""

    def __init__(self, store: Store, *, is_shared: bool) -> None:
        """Begin without one."""
        self._store = store
        self._is_shared = is_shared
        self._leased = 0.0
        """When it was renewed."""

    async def is_ours(self) -> bool:
        """Tell whether the work is this server's, and see to it that it stays so."""
        if self._is_shared and monotonic() - self._leased >= LEASE / 3:
            if await self._store.lease(NAME, LEASE) is None:
                return False
            self._leased = monotonic()
        return True
