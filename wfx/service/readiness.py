"""Readiness: whether the service can serve, for load balancers and orchestrators that ask."""

from __future__ import annotations

from wfx.service.health import Health


class Readiness:
    """Ready while the store answers and the service does not stop."""

    def __init__(self, health: Health) -> None:
        """Ask these health checks."""
        self._health = health
        self._stopping = False

    def stop(self) -> None:
        """Say from now on that the service stops."""
        self._stopping = True

    async def not_ready_reason(self) -> str:
        """Return why the service cannot serve; empty if it can.

        It says no more of the store than that: anybody may read this. The log has the error.
        """
        if self._stopping:
            return "the service is stopping"
        return "" if (await self._health.report()).up else "the store is down"
