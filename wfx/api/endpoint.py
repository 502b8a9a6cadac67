"""The way of one API request: parameters, body, side, filter, handler, answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wfx.api import body, explain, parameters, validate
from wfx.api.answer_memory import TooManyAnswers
from wfx.api.call import Call, Services
from wfx.api.errors import reply_to
from wfx.api.intake import BodyTooLarge, take_body
from wfx.api.large import LargeReply, TooLong
from wfx.api.refusal import BadRequest
from wfx.api.reply import CLOSE, TEXT, RawHeader, Reply, text_reply
from wfx.api.routes import Route
from wfx.api.side import Side
from wfx.domain.errors import WfxError
from wfx.filtering import FilterError, FilterLimit, FilterSyntaxError, Limit
from wfx.filtering.filters import MAX_DOCUMENT

_FILTER = b"x-response-filter"
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What may not stand in a header's value (RFC 9110 section 5.5)."""
_LARGE = 64 * 1024
"""Bytes of a body that take milliseconds to look through, the worst of them ten."""
_AT_ONCE = nullcontext()
_LATER: RawHeader = (b"retry-after", b"5")
_VARY: RawHeader = (b"vary", b"Origin")


class Endpoint:
    """One operation on one side, with everything that can be prepared beforehand."""

    def __init__(self, route: Route, side: Side, services: Services) -> None:
        """Compile the readers of parameters and body from the OpenAPI document."""
        self._route = route
        self._side = side
        self._services = services
        self._refused = side not in route.sides
        self._parameters: Callable[[bytes], dict[str, Any]] | None = None
        self._body: validate.BodyValidator | None = None
        if route.operation:
            self._parameters = parameters.compile_parameters(route.operation)
            self._body = validate.compile_body(route.operation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, key: str) -> None:
        """Answer one request (rest-api section 2 fixes the order of the checks)."""
        fields = dict(scope["headers"])
        call = Call(scope, self._services, self._side, key, {})
        try:
            response = await self._answer(call, receive, fields)
            call.body = None  # not needed any more, and a large answer may take long
            if self._route.operation:
                response.raw_headers.append(_VARY)
            await response(scope, receive, send)
        finally:
            if call.share is not None:
                call.share.release()

    async def _answer(self, call: Call, receive: Receive, fields: dict[bytes, bytes]) -> Response:
        try:
            if self._parameters is not None:
                call.query = self._parameters(call.scope["query_string"])
            if self._body is None:
                return await self._handled(call, fields)
            raw = await take_body(receive, fields.get(b"content-length", b""), self._services.max_body)
            call.large = len(raw) > _LARGE
            async with self._services.turns.turn() if call.large else _AT_ONCE:
                await self._read(call, raw, self._body)
                return await self._handled(call, fields)
        except (BadRequest, BodyTooLarge, TooManyAnswers, WfxError) as exc:
            return _refusal(exc)

    async def _read(self, call: Call, raw: bytes, validator: validate.BodyValidator) -> None:
        call.body, good = await call.work(_checked, raw, call.scope["headers"], validator.is_valid)
        if not good:
            raise BadRequest(await explain.rejection(self._route.operation, call.body))

    async def _handled(self, call: Call, fields: dict[bytes, bytes]) -> Response:
        if self._refused:
            return Reply(403)
        if (text := self._filter_of(call.scope, fields)) is None:
            return await self._route.handler(call)
        return await self._filtered(call, text, fields)

    def _filter_of(self, scope: Scope, fields: dict[bytes, bytes]) -> str | None:
        if not self._route.filtered or (text := fields.get(_FILTER)) is None:
            return None
        if len(fields) < len(scope["headers"]) and [name for name, _ in scope["headers"]].count(_FILTER) > 1:
            raise BadRequest("header X-Response-Filter is given more than once")
        return text.decode("utf-8", "replace")

    async def _filtered(self, call: Call, text: str, fields: dict[bytes, bytes]) -> Response:
        """Run the operation and cut its answer; a program that cannot be understood stops before anything happens.

        Once the operation has happened, a filter that runs into a limit is answered with 422: what was done stays done.
        """
        filters = self._services.filters
        peer = call.scope["client"]
        client = peer[0] if peer else ""
        # An answer contains what was sent: so much is known of its size before anything happens.
        size = int(fields.get(b"content-length", b"0")) if self._body else 0
        program = await filters.prepare(text, client, size)
        response = await self._route.handler(call)
        if response.status_code >= 300:
            return response
        cut = await filters.apply(program, await _document(response), client)
        return Reply(200, cut, (TEXT, _echo(text)) if cut else (_echo(text),))


async def _document(response: Response) -> bytes:
    """Return what an answer says, if a filter may have that much."""
    if not isinstance(response, LargeReply):
        return bytes(response.body)
    try:
        return await response.whole(MAX_DOCUMENT)
    except TooLong as exc:
        raise FilterLimit(Limit.DOCUMENT, MAX_DOCUMENT) from exc


@lru_cache(maxsize=256)
def _echo(text: str) -> RawHeader:
    return _FILTER, _UNSAFE.sub(b"", text.encode("utf-8", "replace"))


def _checked(raw: bytes, headers: Iterable[tuple[bytes, bytes]], is_valid: Callable[[Any], bool]) -> tuple[Any, bool]:
    value = body.parse(raw, headers)
    good = is_valid(value)
    if not good and body.has_negative_zero_progress(raw, value):
        value["progress"] = 0
        good = is_valid(value)
    return value, good


def _refusal(error: BadRequest | BodyTooLarge | TooManyAnswers | WfxError) -> Reply:
    match error:
        case TooManyAnswers():
            return text_reply(503, str(error), (_LATER,))
        case BadRequest():
            return text_reply(error.status, str(error))
        case BodyTooLarge():
            return text_reply(413, str(error), (CLOSE,))
        case FilterError():
            status = {FilterSyntaxError: 400, FilterLimit: 422}.get(type(error), 503)
            return text_reply(status, str(error))
    return reply_to(error)
