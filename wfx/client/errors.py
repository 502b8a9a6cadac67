"""Errors of the client, as one tree.

ClientError
├── Unreachable              no complete answer; whether the server has acted is not known
│   ├── NotSent              the request did not reach the server: nothing has happened
│   └── TimedOut             it took too long
├── Unreadable               the answer is too large, or not what the API has
├── Ended                    what was waited for cannot happen any more
└── Refused                  the server answered that it did not carry the request out
    ├── InvalidRequest       400 and other mistakes in the request
    │   ├── KeyReused        the idempotency key was given with another request
    │   ├── WorkflowInvalid
    │   └── WorkflowNotUnique
    ├── Denied               401, 403: by a plugin, a gateway, or the wrong side
    ├── NotFound
    │   ├── DeviceNotFound
    │   ├── JobNotFound
    │   ├── NoFleetApi       the server is older than this client
    │   └── WorkflowNotFound
    ├── Conflict             409, 412: what was to be changed is not as it was expected to be
    │   ├── DeviceChanged
    │   ├── DeviceInUse      jobs refer to it
    │   ├── EventsOtherLog   the position belongs to another log: read the jobs again
    │   ├── JobModified
    │   ├── KeyInUse         a request with this idempotency key is being carried out
    │   └── SelectionTooLarge  more jobs meet the conditions than were expected
    ├── EventsGone           the events behind the position are no longer kept: read the jobs again
    └── ServerFault          5xx
        ├── Unavailable      502, 503, 504, and
        │   └── TooManyRequests  429: later it may work
        └── StoreFull
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


class ClientError(Exception):
    """Root of what goes wrong between this client and a server."""


class Unreachable(ClientError):
    """There is no complete answer. The server may have acted on the request."""


class NotSent(Unreachable):
    """No connection came about, so that nothing has happened."""


class TimedOut(Unreachable):
    """There was no complete answer in time. The server may have acted on the request."""


class Unreadable(ClientError):
    """The answer is too large, or not what the API has: most likely it is of another server."""


class Ended(ClientError):
    """The job was deleted, or its workflow has no way from its state to what was waited for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason that a server gives."""

    code: str
    """For programs, such as ``wfx.jobNotFound``."""
    message: str
    """For people."""
    logref: str = ""
    pointer: str = ""
    """Where in the body it is (JSON Pointer), if the server tells."""


class Refused(ClientError):
    """The server did not carry the request out."""

    def __init__(
        self, status: int, problems: Sequence[Problem] = (), text: str = "", retry_after: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Take the parts of the answer."""
        self.status = status
        self.problems = tuple(problems)
        self.text = text
        """The body of the answer, where it has no problems in it."""
        self.retry_after = retry_after
        """Seconds that the server asks to wait for."""
        self.extra = extra or {}
        """Further members of the answer, such as ``oldest`` of EventsGone, and ``head`` and ``logId``."""
        super().__init__("; ".join(each.message for each in self.problems) or text.strip() or _phrase(status))

    @property
    def code(self) -> str:
        """The code of the first problem; empty if there is none."""
        return self.problems[0].code if self.problems else ""


class InvalidRequest(Refused):
    """The request is wrong; sending it again will not help."""


class WorkflowInvalid(InvalidRequest):
    """The state machine breaks rules; ``problems`` has all of them."""


class WorkflowNotUnique(InvalidRequest):
    """The name of the workflow is taken."""


class KeyReused(InvalidRequest):
    """The idempotency key was given with another request before."""


class Denied(Refused):
    """A plugin, a gateway, or the side of the API does not allow it."""


class NotFound(Refused):
    """What was asked for is not there."""


class JobNotFound(NotFound):
    """No job has this id, or no longer."""


class DeviceNotFound(NotFound):
    """No device has this client id."""


class NoFleetApi(NotFound):
    """The server has no fleet API, or not this part of it."""


class WorkflowNotFound(NotFound):
    """No workflow has this name."""


class Conflict(Refused):
    """What was to be changed is not as it was expected to be."""


class JobModified(Conflict):
    """Another change to the job came first."""


class DeviceChanged(Conflict):
    """Somebody else has changed what is said about the device."""


class DeviceInUse(Conflict):
    """Jobs refer to the device, so it cannot be deleted."""


class KeyInUse(Conflict):
    """A request with this idempotency key is being carried out."""


class SelectionTooLarge(Conflict):
    """More jobs meet the conditions than were expected; nothing was changed."""

    @property
    def count(self) -> int | None:
        """How many jobs meet the conditions, if the server tells."""
        count = self.extra.get("count")
        return count if isinstance(count, int) else None


class EventsOtherLog(Conflict):
    """The position is not on this log: read the jobs again, then follow from now on."""


class EventsGone(Refused):
    """Events after the position are no longer kept: read the jobs again, then follow from now on."""


class ServerFault(Refused):
    """The server failed; whether it has acted is not known, unless the error is one of those below."""


class Unavailable(ServerFault):
    """The server, or what is before it, cannot serve now."""


class TooManyRequests(Unavailable):
    """The address of the client has used up its requests for now; nothing has happened."""


class StoreFull(ServerFault):
    """The store has no room left; nothing was changed."""


_BY_CODE: Mapping[str, type[Refused]] = {
    "wfx.deviceChanged": DeviceChanged,
    "wfx.deviceInUse": DeviceInUse,
    "wfx.deviceNotFound": DeviceNotFound,
    "wfx.eventsGone": EventsGone,
    "wfx.eventsOtherLog": EventsOtherLog,
    "wfx.idempotencyKeyInUse": KeyInUse,
    "wfx.idempotencyKeyReused": KeyReused,
    "wfx.jobChanged": JobModified,
    "wfx.jobModifiedConcurrently": JobModified,
    "wfx.jobNotFound": JobNotFound,
    "wfx.selectionTooLarge": SelectionTooLarge,
    "wfx.storeFull": StoreFull,
    "wfx.storeUnavailable": Unavailable,
    "wfx.tooManyRequests": TooManyRequests,
    "wfx.workflowInvalid": WorkflowInvalid,
    "wfx.workflowNotFound": WorkflowNotFound,
    "wfx.workflowNotUnique": WorkflowNotUnique,
}
_BY_STATUS: Mapping[int, type[Refused]] = {
    401: Denied, 403: Denied, 404: NotFound, 409: Conflict, 410: EventsGone, 412: Conflict, 429: TooManyRequests,
    502: Unavailable, 503: Unavailable, 504: Unavailable, 507: StoreFull,
}  # fmt: skip


def refusal(status: int, headers: Mapping[str, str], body: str) -> Refused:
    """Make the error of an answer; ``headers`` have names in lower case."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    listed = document.get("errors") if isinstance(document, dict) else None
    problems = [problem_of(each) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    extra = {name: value for name, value in document.items() if name != "errors"} if isinstance(document, dict) else {}
    code = problems[0].code if problems else ""
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status) or (ServerFault if status >= 500 else InvalidRequest)
    return kind(status, problems, "" if problems else body, _seconds(headers.get("retry-after", "")), extra)


def fleet_refusal(status: int, headers: Mapping[str, str], body: str) -> Refused:
    """Make the error of an answer to a request of the fleet API, which older servers do not have."""
    error = refusal(status, headers, body)
    if not lacks_fleet_api(status, error.code):
        return error
    return NoFleetApi(status, [Problem(error.code, NO_FLEET_API)])


NO_FLEET_API = "the server has no fleet API, or not all of it: it is older than this program"


def lacks_fleet_api(status: int, code: str) -> bool:
    """Tell whether an answer, of which this is the first code or nothing, is of a server that does not know the path.

    Some servers take the path for one of the other API with another method.
    """
    return status in (404, 405) and code in ("", "wfx.pathNotFound", "wfx.methodNotAllowed")


def problem_of(given: Mapping[str, Any]) -> Problem:
    """Read one reason of a refusal."""
    return Problem(*(str(given.get(name, "")) for name in ("code", "message", "logref", "pointer")))


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _phrase(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else f"status {status}"
