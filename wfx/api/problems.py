"""Refusals as problem details (RFC 9457), as the fleet API has them.

Each has the members of the standard, and in ``errors`` what the other API says: a code, its reference, and a message.
"""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from wfx.api.answer_memory import TooManyAnswers
from wfx.api.bad_request import BadRequest, BodyInvalid, one_line
from wfx.api.errors import TOO_MANY, Answer, Described, described
from wfx.api.reply import LATER, RawHeader, Reply
from wfx.domain.errors import WfxError
from wfx.domain.json import encode
from wfx.filtering import FilterError

PREFIX = "/api/fleet/v1"
_TYPE: RawHeader = (b"content-type", b"application/problem+json")
_BAD_REQUEST = "wfx.badRequest", "0b8ff3ce8a0c4f6e9d27b16f6f6d5a90"
_BUSY = "wfx.busy", "5e1c5d0a3b9e4d52b8f0c7a4d92e6b13"
_FORBIDDEN = Answer(403, "wfx.forbidden", "a94d0c6e2f7b4b06a1d35f8e7c20964b")
_NOT_FOUND = Answer(404, "wfx.pathNotFound", "d3e7a25b916f4c8a8b40f1d6c59e2a78")
_NOT_ALLOWED = Answer(405, "wfx.methodNotAllowed", "64f2b8d1e0a34759931c8be5f7a6d0c2")


class Problems:
    """Answers refusals by problem details."""

    def of(self, error: BadRequest | TooManyAnswers | WfxError) -> Reply:
        match error:
            case TooManyAnswers():
                return _reply(Described(Answer(503, *_BUSY), (str(error),), {}, (LATER,)))
            case BodyInvalid():
                messages = [one_line(fault.rule_and_place) for fault in error.faults]
                pointers = [fault.pointer for fault in error.faults]
                return _reply(Described(Answer(error.status, *_BAD_REQUEST), messages, {}, pointers=pointers))
            case BadRequest():
                code = _BUSY if error.status == 503 else _BAD_REQUEST
                return _reply(Described(Answer(error.status, *code), (str(error),), {}, error.headers))
            case FilterError():
                raise AssertionError("no operation of the fleet API is filtered")
        return _reply(described(error))

    def forbidden(self) -> Reply:
        return _reply(Described(_FORBIDDEN, ("this side does not offer the operation",), {}))

    def no_such_path(self, method: str) -> Reply:  # noqa: ARG002 - whatever is to be done there
        return _reply(Described(_NOT_FOUND, ("nothing is found under this path",), {}))

    def method_not_allowed(self, methods: str, text: str, *, offered: bool = True) -> Reply:  # noqa: ARG002 - see there
        if not offered:
            return self.forbidden()
        message = f"the path has these methods: {methods}"
        return _reply(Described(_NOT_ALLOWED, (message,), {}, ((b"allow", methods.encode()),)))

    def too_many_requests(self, message: str, headers: Sequence[RawHeader]) -> Reply:
        return _reply(Described(TOO_MANY, (message,), {}, headers))


def _reply(what: Described) -> Reply:
    status = what.answer.status
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": what.messages[0],
        "errors": what.listed,
        **what.extra,
    }
    return Reply(status, encode(problem) + b"\n", (_TYPE, *what.headers))
