"""How the host treats its plugins."""

from __future__ import annotations

from dataclasses import dataclass

_HEADER_ROOM = 4
"""What headers may grow to as a message: offsets and paddings, and two bytes for one that is not UTF-8."""
_SLACK = 65_536


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """Deadlines in seconds, sizes in bytes."""

    max_body: int
    """Longest request body."""
    max_head: int = 1_004_096
    """Longest request line with headers."""
    reply_timeout: float = 30.0
    """How long a request waits for one plugin's answer."""
    stop_grace: float = 5.0
    """How long a plugin may take to end after SIGTERM."""

    @property
    def max_frame(self) -> int:
        """Longest message in either direction."""
        return self.max_body + _HEADER_ROOM * self.max_head + _SLACK

    @property
    def max_outstanding_bytes(self) -> int:
        """How much one plugin may have to answer or to read at a time."""
        return 4 * self.max_frame
