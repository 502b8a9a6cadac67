"""Plugin requests and decisions, as the server sees them (server sections 11.4 and 11.5).

Everything textual stays bytes: what a plugin is shown is what the router will see, and what comes back goes on
the wire again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wfx.plugin.generated import messages as wire

Headers = tuple[tuple[bytes, tuple[bytes, ...]], ...]
"""Names in canonical form, each once, with all their values."""


class Action(IntEnum):
    """What a method means for the resource."""

    READ = wire.Action.Read
    CREATE = wire.Action.Create
    UPDATE = wire.Action.Update
    DELETE = wire.Action.Delete

    @classmethod
    def of(cls, method: str) -> Action:
        """Give the action of an HTTP method; those the contract does not name are reads."""
        return _ACTIONS.get(method, cls.READ)


_ACTIONS = {"POST": Action.CREATE, "PUT": Action.UPDATE, "PATCH": Action.UPDATE, "DELETE": Action.DELETE}


@dataclass(frozen=True, slots=True)
class PluginRequest:
    """An HTTP request as a plugin is shown it."""

    destination: bytes
    action: Action
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Pass:
    """Go on unchanged."""


@dataclass(frozen=True, slots=True)
class Modify:
    """Go on with these instead: an empty destination and a missing body leave what was there, headers are replaced."""

    destination: bytes
    headers: Headers
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Respond:
    """End the request with this response."""

    status: int
    headers: Headers
    body: bytes


Decision = Pass | Modify | Respond
PASS = Pass()
