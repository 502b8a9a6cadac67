"""ASGI middleware for cross-origin requests: which other origins may use the API (``--allowed-origin``).

Where no origin is allowed, no answer has an ``Access-Control-*`` field and every preflight is a 405, so browsers keep
pages of other origins from reading anything, and from every request that changes something and needs a preflight; what
needs none is refused here (``foreign_pages.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import NamedTuple, Self

from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.foreign_pages import is_forged
from wfx.api.reply import CLOSE, RawHeader, Reply, adding_headers, text_reply
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.note_answer import NoteAnswer, ignore_answer

_ANY = b"*"
"""Allows all origins what the contract allows them: to read answers and streams, but no preflight."""

_ALLOWED = b"access-control-allow-origin"
_FORGED = text_reply(
    403, "pages of other origins may not do this; the option --allowed-origin permits an origin", (CLOSE,)
)
_VARY: RawHeader = (b"vary", b"Origin")
_STREAM = b"text/event-stream"
_WANTED_METHOD, _WANTED_FIELDS = b"access-control-request-method", b"access-control-request-headers"
_METHODS: RawHeader = (b"access-control-allow-methods", b"DELETE, GET, POST, PUT")
_MAX_AGE: RawHeader = (b"access-control-max-age", b"600")


class _Allowed(NamedTuple):
    """Origins whose pages may use the API."""

    named: frozenset[bytes]
    anybody: bool
    """Whether pages of all others may read."""

    @classmethod
    def of(cls, tunables: Tunables) -> Self:
        """Take them from the option."""
        origins = frozenset(origin.encode() for origin in tunables.allowed_origin)
        return cls(origins - {_ANY}, _ANY in origins)


class CrossOriginSharing:
    """ASGI middleware outside the plugins.

    It answers preflights before plugins see them: browsers send them without credentials, so a plugin that asks for
    credentials could never let one pass. A preflight only asks what is permitted, and changes nothing.
    """

    def __init__(self, app: ASGIApp, tunables: Holder[Tunables], note: NoteAnswer = ignore_answer) -> None:
        """Let pages of the allowed origins use ``app``; ``note`` counts what is answered here."""
        self._app = app
        self._note = note
        self._allowed = Derived(tunables, _Allowed.of)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a preflight or what a foreign page sends, or pass the request on and add the fields to its answer."""
        allowed = self._allowed.current
        if scope["type"] == "http" and is_forged(scope["method"], scope["headers"], allowed.named):
            self._note(scope, 403)
            return _FORGED(scope, receive, send)
        if not (allowed.named or allowed.anybody) or scope["type"] != "http":
            return self._app(scope, receive, send)
        return self._share(allowed, scope, receive, send)

    async def _share(self, allowed: _Allowed, scope: Scope, receive: Receive, send: Send) -> None:
        fields: dict[bytes, bytes] = dict(scope["headers"])
        origin = fields.get(b"origin", b"")
        if origin in allowed.named and scope["method"] == "OPTIONS" and _WANTED_METHOD in fields:
            self._note(scope, 204)
            await _preflight(origin, fields.get(_WANTED_FIELDS, b""))(scope, receive, send)
            return
        await self._app(scope, receive, adding_headers(send, partial(_marks, allowed, origin)))


def _marks(allowed: _Allowed, origin: bytes, headers: list[RawHeader]) -> list[RawHeader]:
    """Return the fields to add to an answer with these headers."""
    varies = _VARY in headers
    marks = [] if varies or not allowed.named else [_VARY]
    if origin in allowed.named:
        return [(_ALLOWED, origin), *marks]
    # Answers of the API vary in any case; streams are for all even without an Origin (rest-api section 10.3).
    if allowed.anybody and ((origin and varies) or _is_stream(headers)):
        return [(_ALLOWED, _ANY), *marks]
    return marks


def _is_stream(headers: list[RawHeader]) -> bool:
    return any(name == b"content-type" and value.startswith(_STREAM) for name, value in headers)


def _preflight(origin: bytes, fields: bytes) -> Reply:
    asked = [(b"access-control-allow-headers", fields)] if fields else []
    return Reply(204, headers=((_ALLOWED, origin), _METHODS, *asked, _MAX_AGE, _VARY))
