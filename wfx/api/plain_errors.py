"""Refusals as an object with the text of the error, as the API of rules has them."""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

from collections.abc import Sequence

from wfx.api.answer_memory import TooManyAnswers
from wfx.api.bad_request import BadRequest, BodyFault, BodyInvalid, one_line
from wfx.api.errors import described
from wfx.api.reply import LATER, RawHeader, Reply, json_reply
from wfx.domain.errors import (
    EventQueueFull,
    EventTimedOut,
    NoRules,
    TaskNotFailed,
    TaskNotFound,
    WfxError,
)
from wfx.domain.json import decode, encode
from wfx.domain.script_errors import (
    ScriptBlocked,
    ScriptInvalid,
    ScriptNotFound,
    ScriptsBusyNow,
    ScriptsOff,
    ScriptsUnavailableNow,
    TooManyScripts,
)
from wfx.filtering import FilterError

PREFIX = "/v1"
_SOON: RawHeader = (b"retry-after", b"1")
_ANSWERS: tuple[tuple[type[WfxError], int, Sequence[RawHeader]], ...] = (
    (EventQueueFull, 429, (_SOON,)),
    (EventTimedOut, 408, ()),
    (NoRules, 404, ()),
    (TaskNotFound, 404, ()),
    (TaskNotFailed, 409, ()),
    (ScriptNotFound, 404, ()),
    (ScriptsOff, 403, ()),
    (ScriptInvalid, 400, ()),
    (ScriptsUnavailableNow, 503, (_SOON,)),
    (ScriptsBusyNow, 408, (_SOON,)),
    (TooManyScripts, 409, ()),
)
"""Status and headers of the errors that only this API has; all others have those of the other APIs."""
_SENTENCES = ("event ", "batch ")
"""How reasons begin that say all by themselves; what a schema complains of begins with a value."""


class PlainErrors:
    """Answers refusals by the text of the error."""

    def of(self, error: BadRequest | TooManyAnswers | WfxError) -> Reply:
        match error:
            case TooManyAnswers():
                return _reply(503, str(error), (LATER,))
            case BodyInvalid(faults=faults):
                return _reply(error.status, _headline(faults[0]), faults=faults)
            case BadRequest():
                return _reply(error.status, str(error), error.headers)
            case FilterError():
                raise AssertionError("no operation of the API of rules is filtered")
        if isinstance(error, ScriptBlocked):
            return json_reply(encode({"error": str(error), "findings": decode(error.findings)}), 422)
        for kind, status, headers in _ANSWERS:
            if isinstance(error, kind):
                return _reply(status, str(error), headers)
        what = described(error)
        return _reply(what.answer.status, what.messages[0], what.headers)

    def forbidden(self) -> Reply:
        return self.no_such_path("")

    def no_such_path(self, method: str) -> Reply:  # noqa: ARG002 - whatever is to be done there
        return _reply(404, "nothing is found under this path")

    def method_not_allowed(self, methods: str, text: str, *, offered: bool = True) -> Reply:  # noqa: ARG002 - see there
        return _reply(405, f"the path has these methods: {methods}", ((b"allow", methods.encode()),))

    def too_many_requests(self, message: str, headers: Sequence[RawHeader]) -> Reply:
        return _reply(429, message, headers)


def _headline(fault: BodyFault) -> str:
    return one_line(fault.reason if fault.reason.startswith(_SENTENCES) else fault.text)


def _reply(status: int, text: str, headers: Sequence[RawHeader] = (), faults: Sequence[BodyFault] = ()) -> Reply:
    shown: dict[str, object] = {"error": text}
    if len(faults) > 1 or any(fault.pointer for fault in faults):
        shown["faults"] = [one_line(f"{fault.pointer or '/'}: {fault.reason}") for fault in faults]
    return json_reply(encode(shown), status, headers)
