"""Table of the answers to domain errors (rest-api section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wfx.api.bad_request import one_line
from wfx.api.reply import LATER, RawHeader, Reply, json_reply
from wfx.domain import errors
from wfx.domain.json import encode


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and error code of one kind of error; ``logref`` is constant per code."""

    status: int
    code: str
    logref: str


@dataclass(frozen=True, slots=True)
class Described:
    """All that is told of an error, whatever it is written as."""

    answer: Answer
    messages: Sequence[str]
    extra: Mapping[str, Any]
    """Further members of the answer."""
    headers: Sequence[RawHeader] = ()
    pointers: Sequence[str] = ()
    """The places that the messages are about, where they are about the body."""

    @property
    def listed(self) -> list[dict[str, str]]:
        """The items of ``errors``."""
        code, logref = self.answer.code, self.answer.logref
        listed = [{"code": code, "logref": logref, "message": message} for message in self.messages]
        for each, pointer in zip(listed, self.pointers, strict=False):
            each["pointer"] = pointer
        return listed


_CHANGED = Answer(412, "wfx.jobChanged", "9d7b1f0c52e64a83b1c6e05f48a2d37e")
_LARGE_SELECTION = Answer(412, "wfx.selectionTooLarge", "70e2d4b8c9134fa6a5d81c3e6b7f0a29")
_KEY_REUSED = Answer(422, "wfx.idempotencyKeyReused", "c1f46b9a08d74e35972d0ab8e36f51c4")
_KEY_IN_USE = Answer(409, "wfx.idempotencyKeyInUse", "3a8c5e1f7d2b4096a4e8c71b0f5d92e6")
_INVALID = Answer(400, "wfx.invalidRequest", "96a37ea1f7d205ffbfa12334c6812727")
_JOB = Answer(404, "wfx.jobNotFound", "11cc67762090e15b79a1387eca65ba65")
_WORKFLOW = Answer(404, "wfx.workflowNotFound", "c452719774086b6e803bb8f6ecea9899")
_NOT_UNIQUE = Answer(400, "wfx.workflowNotUnique", "e1ee1f2aea859b9dd34579610e386da6")
_BAD_WORKFLOW = Answer(400, "wfx.workflowInvalid", "18f57adc70dd79c7fb4f1246be8a6e04")
_GONE = Answer(410, "wfx.eventsGone", "6d3f0a52be914c7c8f1f5d0e92c4a7b1")
_OTHER_LOG = Answer(409, "wfx.eventsOtherLog", "b8e15c7709d24a2f9a6c43d1f07be582")
_UNAVAILABLE = Answer(503, "wfx.storeUnavailable", "2f4ac8d95b1e47a3a0d9c6e8731f5b24")
_NO_DEVICE = Answer(404, "wfx.deviceNotFound", "91f3a6c2d47e4b08b5c9e02f8a61d73b")
_DEVICE_CHANGED = Answer(412, "wfx.deviceChanged", "4b7e02d9c8f14a35b1d60e93a7f25c88")
_DEVICE_IN_USE = Answer(409, "wfx.deviceInUse", "c05d9e7f31b2486aa4e8d1f06b97325e")
TOO_MANY = Answer(429, "wfx.tooManyRequests", "7c1e90d25ab84f36b0e3d4f8a6915c27")
_REPEATED = Answer(400, "wfx.tooManyRepetitions", "8f21c6b0d94e4b7ca3e5170d62f8b9a4")
_TIMED_OUT = Answer(408, "wfx.commandTimedOut", "52d7e9a10c3f4868b9f4a6c8e01d7b35")
_FULL = Answer(507, "wfx.storeFull", "e07b3d61c84f4592b5a8f29d1c6370ea")

_ANSWERS: tuple[tuple[type[errors.WfxError], Answer], ...] = (
    (errors.JobNotFound, _JOB),
    (errors.WorkflowNotFound, _WORKFLOW),
    (errors.WorkflowNotUnique, _NOT_UNIQUE),
    (errors.WorkflowInvalid, _BAD_WORKFLOW),
    (errors.DeviceNotFound, _NO_DEVICE),
    (errors.DeviceChanged, _DEVICE_CHANGED),
    (errors.DeviceInUse, _DEVICE_IN_USE),
    (errors.BehindHorizon, _GONE),
    (errors.NotOnThisLog, _OTHER_LOG),
    (errors.JobChanged, _CHANGED),
    (errors.SelectionTooLarge, _LARGE_SELECTION),
    (errors.IdempotencyKeyReused, _KEY_REUSED),
    (errors.IdempotencyKeyInUse, _KEY_IN_USE),
    (errors.TooManyStarted, TOO_MANY),
    (errors.TooManyRepetitions, _REPEATED),
    (errors.CommandTimedOut, _TIMED_OUT),
    (errors.Refused, _INVALID),
    (errors.StoreFull, _FULL),
    (errors.StoreError, _UNAVAILABLE),
)


_HEADERS: Mapping[str, Sequence[RawHeader]] = {
    _UNAVAILABLE.code: (LATER,),
    _FULL.code: (LATER,),
    _KEY_IN_USE.code: ((b"retry-after", b"1"),),
}
"""What else an answer has, by its code."""


def described(error: errors.WfxError) -> Described:
    """Say how an error is answered; the first row of the table that fits counts."""
    answer = next(answer for kind, answer in _ANSWERS if isinstance(error, kind))
    messages = error.faults if isinstance(error, errors.WorkflowInvalid) else (str(error),)
    headers = _HEADERS.get(answer.code, ())
    if isinstance(error, errors.TooManyStarted):
        headers = ((b"retry-after", b"%d" % error.seconds),)
    return Described(answer, messages, _extra(error), headers)


def listed_error(error: errors.WfxError) -> dict[str, str]:
    """Say what is wrong with an item of a bulk request, in a bounded line: there may be very many of them."""
    if isinstance(error, errors.WorkflowNotFound):
        kind, message = _WORKFLOW, f"workflow {error.name} does not exist"
    else:
        found = described(error)
        kind, message = found.answer, found.messages[0]
    return {"code": kind.code, "logref": kind.logref, "message": one_line(message)}


def reply_to(error: errors.WfxError) -> Reply:
    """Answer an error."""
    return _reply(described(error))


def unknown_workflow(error: errors.WorkflowNotFound, *, status: int, message: str) -> Reply:
    """Answer a missing workflow where the contract words it differently: on creation of a job, and on deletion."""
    return _reply(Described(Answer(status, _WORKFLOW.code, _WORKFLOW.logref), (message.format(error.name),), {}))


def too_many_requests(message: str, headers: Sequence[RawHeader]) -> Reply:
    """Answer that the caller's address has used up its requests."""
    return _reply(Described(TOO_MANY, (message,), {}, headers))


def _extra(error: errors.WfxError) -> dict[str, Any]:
    match error:
        case errors.BehindHorizon(oldest=oldest):
            return {"oldest": oldest}
        case errors.NotOnThisLog(head=head, log_id=log_id):
            return {"head": head, "logId": log_id}
        case errors.SelectionTooLarge(count=count):
            return {"count": count}
    return {}


def _reply(what: Described) -> Reply:
    return json_reply(encode({"errors": what.listed, **what.extra}), what.answer.status, what.headers)
