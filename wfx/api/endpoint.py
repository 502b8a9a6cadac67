"""Endpoint of one operation: reads parameters and body, applies the response filter, answers errors."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from functools import lru_cache
from time import perf_counter

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wfx.api import body, notes, parameters, validation_message
from wfx.api.answer_memory import SMALL, TooManyAnswers
from wfx.api.bad_request import BadRequest
from wfx.api.body import take_body
from wfx.api.inputs import INPUTS
from wfx.api.large_answers import LargeReply, TooLong
from wfx.api.refusals import refusals_of
from wfx.api.reply import TEXT, RawHeader, Reply
from wfx.api.request import ApiRequest
from wfx.api.request_counts import RouteCounts
from wfx.api.request_schemas import compile_body, members_of_body
from wfx.api.routes import Route
from wfx.api.services import Services
from wfx.api.spec import operations
from wfx.api.strict_bodies import require_strict
from wfx.domain.errors import WfxError
from wfx.filtering import FilterLimit, Limit
from wfx.filtering.filters import MAX_DOCUMENT
from wfx.request_context import RequestContext, Side

_FILTER = b"x-response-filter"
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What may not stand in a header's value (RFC 9110 section 5.5)."""
_VARY: RawHeader = (b"vary", b"Origin")


class Endpoint:
    """One operation on one side, with everything that can be prepared beforehand."""

    __slots__ = (
        "_body",
        "_counts",
        "_input",
        "_members",
        "_parameters",
        "_recent",
        "_refusals",
        "_refused",
        "_route",
        "_services",
        "_takes_text",
        "operation",
    )

    def __init__(self, route: Route, side: Side, services: Services) -> None:
        """Compile the readers of parameters and body from the OpenAPI document."""
        self.operation = route.operation
        self.count_in(RouteCounts())
        self._route = route
        self._services = services
        self._refused = side not in route.sides
        self._refusals = refusals_of(route.path.encode())
        self._parameters: parameters.ReadParameters | None = None
        self._body = compile_body(route.operation) if route.operation else None
        self._input = INPUTS[route.operation] if self._body else None
        self._members = members_of_body(route.operation) if self._body else None
        self._takes_text = False
        if route.operation:
            self._parameters = parameters.compile_parameters(route.operation)
            self._takes_text = operations()[route.operation].takes_text

    async def __call__(self, scope: Scope, receive: Receive, send: Send, context: RequestContext) -> None:
        """Answer one request (rest-api section 2 fixes the order of the checks)."""
        started, counted = perf_counter(), False
        fields = dict(scope["headers"])
        request = ApiRequest(scope, self._services, context, context.path, {})
        unknown: list[str] = []
        try:
            try:
                self._route.require(self._services)
                if self._parameters is not None:
                    request.query = self._parameters(scope["query_string"], unknown)
                if self._body is not None:
                    await self._read(request, receive, fields, unknown)
                elif self._takes_text:
                    pieces = await take_body(receive, fields.get(b"content-length", b""), self._services.max_body)
                    request.body = body.decode_text(b"".join(pieces), scope["headers"])
                response = await self._handled(request, fields)
            except (BadRequest, TooManyAnswers, WfxError) as exc:
                response = self._refusals.of(exc)
            request.body = None  # not needed any more, and a large answer may take long
            if self._route.operation:
                response.raw_headers.append(_VARY)
            if unknown:
                response.raw_headers.append(notes.ignored(unknown))
            self._recent[response.status_code].append(perf_counter() - started)
            counted = True
            await response(scope, receive, send)
        except BaseException as exc:
            if not counted:
                self._counts.note_failure(exc, perf_counter() - started)
            raise
        finally:
            if request.share is not None:
                request.share.release()

    @property
    def is_offered(self) -> bool:
        """Whether this side offers the operation."""
        return not self._refused

    def count_in(self, counts: RouteCounts) -> None:
        """Count what is answered from now on in these counters."""
        self._counts, self._recent = counts, counts.recent

    def _handled(self, request: ApiRequest, fields: dict[bytes, bytes]) -> Awaitable[Response]:
        if self._refused:
            return _answered(self._refusals.forbidden())
        if _FILTER not in fields or (text := self._filter_of(request.scope, fields)) is None:
            return self._route.handler(request)
        return self._filtered(request, text)

    async def _read(
        self, request: ApiRequest, receive: Receive, fields: dict[bytes, bytes], unknown: list[str]
    ) -> None:
        """Receive the body and make the handler's input from it: here if the body is light, else in a worker.

        Members that are not known are added to ``unknown``, but for those of a body that a worker reads.
        """
        assert self._body is not None
        assert self._input is not None
        pieces = await take_body(receive, fields.get(b"content-length", b""), self._services.max_body)
        request.size = size = sum(map(len, pieces))
        body.check_kind(size, request.scope["headers"])
        if size <= body.MEDIUM and body.is_light(raw := b"".join(pieces)):
            value, good = body.check(raw, self._body.is_valid)
            if not good:
                raise await validation_message.refusal(self._route.operation, value)
            if self._input.is_strict:
                require_strict(raw)
            if self._members is not None and not self._members.issuperset(value):
                unknown += notes.unknown_members(self._members, value)
            request.body = None if self._refused else self._input.make(value)
        else:
            request.body, request.size = await self._services.large_bodies.read(
                self._route.operation, pieces, size, request.client, only_check=self._refused
            )
            if request.size > SMALL:
                # The answer repeats it, and cannot be refused later.
                await request.own_share().hold(request.size + SMALL)

    def _filter_of(self, scope: Scope, fields: dict[bytes, bytes]) -> str | None:
        if not self._route.filtered:
            return None
        text = fields[_FILTER]
        if len(fields) < len(scope["headers"]) and [name for name, _ in scope["headers"]].count(_FILTER) > 1:
            raise BadRequest("header X-Response-Filter is given more than once")
        return text.decode("utf-8", "replace")

    async def _filtered(self, request: ApiRequest, text: str) -> Response:
        """Run the operation and filter its answer; a text that is no program is refused before anything happens.

        If the filter then runs into a limit the answer is 422, although the operation was carried out.
        """
        filters = self._services.filters
        # An answer contains what was sent, so the size of the body is a lower bound of the answer's.
        program = await filters.prepare(text, request.client, request.size)
        request.most = MAX_DOCUMENT
        try:
            response = await self._route.handler(request)
            if response.status_code >= 300:
                return response
            document = await response.whole(request.most) if isinstance(response, LargeReply) else bytes(response.body)
        except TooLong as exc:
            raise FilterLimit(Limit.DOCUMENT, MAX_DOCUMENT) from exc
        filtered = await filters.apply(program, document, request.client)
        return Reply(200, filtered, (TEXT, _echo(text)) if filtered else (_echo(text),))


async def _answered(reply: Reply) -> Response:
    return reply


@lru_cache(maxsize=256)
def _echo(text: str) -> RawHeader:
    return _FILTER, _UNSAFE.sub(b"", text.encode("utf-8", "replace"))
