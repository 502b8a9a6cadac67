"""Plugin requests and decisions, as the server sees them (server sections 11.4 and 11.5).

Everything textual stays bytes: what a plugin is shown is what the router will see, and what comes back goes on
the wire again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wfx.plugin.generated import messages as wire
from wfx.request_context import ClientCertificate

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


class ShownSide(IntEnum):
    """Which API a request came in by."""

    UNKNOWN = wire.Side.Unknown
    NORTH = wire.Side.North
    SOUTH = wire.Side.South


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a request beside what plugins may change; empty for what is not known."""

    method: bytes = b""
    peer: bytes = b""
    """Address and port of the client; empty on Unix sockets."""
    side: ShownSide = ShownSide.UNKNOWN
    request_id: bytes = b""
    certificate: ClientCertificate | None = None


NO_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request was answered, as observers are told."""

    status: int
    headers: Headers
    body: bytes
    """Its beginning."""
    size: int
    """Bytes of the whole body."""
    complete: bool
    """Whether all of it was sent."""
    microseconds: int
    answered_by: bytes
    """The plugin that answered, or was to decide and did not; empty if none has."""
    operation: bytes
    request_size: int
    """Bytes of the request's body that were read."""


@dataclass(frozen=True, slots=True)
class PluginRequest:
    """An HTTP request as a plugin is shown it."""

    destination: bytes
    action: Action
    headers: Headers
    body: bytes
    origin: Origin = NO_ORIGIN
    answer: Answer | None = None
    """For observers alone."""


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
