"""Messages of the plugin protocol as the server sees them: it writes requests and reads answers (server section 11.3).

Everything textual stays bytes: what a plugin is shown is what the router will see, and what comes back goes on
the wire again. Requests are laid out by hand (``encode``), because each HTTP request pays for it and the builder of
the flatbuffers runtime takes ten times as long. Answers are read by the generated classes, once ``verify`` has made
sure that they stay within the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wfx.plugin.errors import MessageError
from wfx.plugin.generated import messages as wire
from wfx.plugin.verify import verify_answer

Headers = tuple[tuple[bytes, tuple[bytes, ...]], ...]
"""Names in canonical form, each once, with all their values."""

_CONTENT_OF_REQUEST = 12
_CONTENT_OF_RESPONSE = 8
"""Vtable slots of the two ``content`` vectors."""


class Action(IntEnum):
    """What a method means for the resource (server section 11.4)."""

    READ = wire.Action.Read
    CREATE = wire.Action.Create
    UPDATE = wire.Action.Update
    DELETE = wire.Action.Delete

    @classmethod
    def of(cls, method: str) -> Action:
        """Give the action of an HTTP method; those the contract does not name are reads."""
        return _ACTIONS.get(method, cls.READ)


_ACTIONS = {"POST": Action.CREATE, "PUT": Action.UPDATE, "PATCH": Action.UPDATE, "DELETE": Action.DELETE}
_STATUS = {
    wire.ResponseStatus.Deny: 403,
    wire.ResponseStatus.Accept: 200,
    wire.ResponseStatus.Modified: 200,
    wire.ResponseStatus.Unavailable: 503,
}


@dataclass(frozen=True, slots=True)
class Request:
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


def decode_answer(frame: bytes) -> tuple[int, Decision]:
    """Read the cookie and the decision of one frame; raise MessageError if it is not a sound answer.

    A payload is what counts: without one the tag means nothing, because a plugin that echoes the request (``cat``)
    has other bytes in that place. A payload whose tag is unknown is an error, never a pass.
    """
    verify_answer(frame)
    answer = wire.PluginResponse.GetRootAs(frame)
    payload = answer.Payload()
    tag = answer.PayloadType()
    if payload is None or tag == wire.Payload.NONE:
        return answer.Cookie(), PASS
    if tag == wire.Payload.client_Request:
        return answer.Cookie(), _modify(frame, payload.Pos)
    return answer.Cookie(), _respond(frame, payload.Pos)


def _modify(frame: bytes, position: int) -> Modify:
    request = wire.Request()
    request.Init(frame, position)
    return Modify(request.Destination() or b"", _headers(request), _content(request, _CONTENT_OF_REQUEST))


def _respond(frame: bytes, position: int) -> Respond:
    response = wire.Response()
    response.Init(frame, position)
    status = _STATUS.get(response.Status())
    if status is None:
        raise MessageError(f"answered with the unknown status {response.Status()}")
    return Respond(status, _headers(response), _content(response, _CONTENT_OF_RESPONSE) or b"")


def _headers(message: wire.Request | wire.Response) -> Headers:
    entries = (message.Envelope(index) for index in range(message.EnvelopeLength()))
    return tuple(
        (entry.Name() or b"", tuple(entry.Values(index) for index in range(entry.ValuesLength()))) for entry in entries
    )


def _content(message: wire.Request | wire.Response, slot: int) -> bytes | None:
    """Take a byte vector in one piece: the generated accessor gives single bytes, or needs numpy."""
    table = message._tab  # noqa: SLF001 - see above; this is the runtime's documented table class
    offset = table.Offset(slot)
    if not offset:
        return None
    start = table.Vector(offset)
    content: bytes = table.Bytes[start : start + table.VectorLen(offset)]
    return content
