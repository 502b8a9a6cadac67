"""The two sides of the service: northbound and southbound."""

from __future__ import annotations

from enum import StrEnum

from wfx.domain.workflow import Actor


class Side(StrEnum):
    """Which API a request came in by."""

    NORTH = "north"
    """Management: operators and their tools."""
    SOUTH = "south"
    """Clients: the devices."""

    @property
    def actor(self) -> Actor:
        """As whom a status update of this side acts (rest-api section 9.2)."""
        return Actor.WFX if self is Side.NORTH else Actor.CLIENT
