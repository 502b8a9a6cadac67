"""Answers to requests that are not carried out: each API has its own form, which follows from the path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wfx.api import errors, reply
from wfx.api.answer_memory import TooManyAnswers
from wfx.api.bad_request import BadRequest
from wfx.api.plain_errors import PREFIX as RULES
from wfx.api.plain_errors import PlainErrors
from wfx.api.problems import PREFIX as FLEET
from wfx.api.problems import Problems
from wfx.api.reply import LATER, RawHeader, Reply, text_reply
from wfx.domain.errors import WfxError
from wfx.filtering import FilterError, FilterLimit, FilterSyntaxError

UNKNOWN_PATH_ALLOWS = "GET, HEAD"
"""Methods that the contract's API answers with 404 where there is nothing; others with 405 (rest-api section 2)."""


class Refusals(Protocol):
    """The answers of one API."""

    def of(self, error: BadRequest | TooManyAnswers | WfxError) -> Reply:
        """Answer an error."""

    def forbidden(self) -> Reply:
        """Answer that this side does not offer the operation."""

    def no_such_path(self, method: str) -> Reply:
        """Answer that nothing is there."""

    def method_not_allowed(self, methods: str, text: str, *, offered: bool = True) -> Reply:
        """Answer that the path has only these methods; ``text`` is what the API of the contract says.

        ``offered`` tells whether this side offers one of them.
        """

    def too_many_requests(self, message: str, headers: Sequence[RawHeader]) -> Reply:
        """Answer that the caller's address has used up its requests."""


class _Contract:
    """Answers as the contract has them: a line of text, an object with errors, or nothing (rest-api section 3)."""

    too_many_requests = staticmethod(errors.too_many_requests)

    def of(self, error: BadRequest | TooManyAnswers | WfxError) -> Reply:
        match error:
            case TooManyAnswers():
                return text_reply(503, str(error), (LATER,))
            case BadRequest():
                return text_reply(error.status, str(error), error.headers)
            case FilterError():
                status = {FilterSyntaxError: 400, FilterLimit: 422}.get(type(error), 503)
                return text_reply(status, str(error))
        return errors.reply_to(error)

    def forbidden(self) -> Reply:
        return Reply(403)

    def no_such_path(self, method: str) -> Reply:
        return Reply(404) if method in ("GET", "HEAD") else reply.method_not_allowed(UNKNOWN_PATH_ALLOWS)

    def method_not_allowed(self, methods: str, text: str, *, offered: bool = True) -> Reply:  # noqa: ARG002
        return reply.method_not_allowed(methods, text)


_CONTRACT = _Contract()
_OTHERS: tuple[tuple[bytes, Refusals], ...] = ((FLEET.encode(), Problems()), (RULES.encode(), PlainErrors()))


def refusals_of(raw_path: bytes) -> Refusals:
    """Return the answers of the API to which a path belongs."""
    for prefix, refusals in _OTHERS:
        if raw_path.startswith(prefix) and raw_path[len(prefix) :][:1] in (b"", b"/"):
            return refusals
    return _CONTRACT
