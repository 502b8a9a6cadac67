"""Readiness: whether the service can serve, for load balancers and orchestrators that ask."""

from __future__ import annotations

from typing import Protocol

from wfx.service.health import Health


class Queue(Protocol):
    """A bounded queue."""

    @property
    def is_crowded(self) -> bool:
        """Whether so much of it is taken that others had better be asked."""


class Readiness:
    """Ready while the store answers, the service does not stop, and its queue of events from outside is not crowded."""

    def __init__(self, health: Health, events: Queue | None = None) -> None:
        """Ask these health checks, and the queue, if there is one."""
        self._health = health
        self._events = events
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
        if self._events is not None and self._events.is_crowded:
            return "more than 80 % of the event queue is taken"
        return "" if (await self._health.report()).up else "the store is down"
