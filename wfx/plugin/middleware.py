"""ASGI middleware that asks the plugins about each request."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wfx.note_answer import LEFT, NoteAnswer, ignore_answer, status_without_answer
from wfx.plugin.chain import PluginChain
from wfx.plugin.errors import Undecided
from wfx.plugin.message import PluginRequest, Respond
from wfx.plugin.shown import NOT_SHOWN, shown_request, shown_scope

_FRAMING = frozenset({b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"transfer-encoding",
                      b"upgrade"})  # fmt: skip
"""Response headers that are the engine's business."""
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_LONGEST_NUMBER = 20
"""Digits of a length that are looked at: more than any body needs, fewer than Python refuses to read."""

RawHeaders = list[tuple[bytes, bytes]]


class PluginMiddleware:
    """ASGI middleware around the whole application of one side; install it only if there are plugins."""

    def __init__(self, app: ASGIApp, chain: PluginChain, note: NoteAnswer = ignore_answer) -> None:
        """Guard ``app`` with ``chain``; bodies longer than ``chain.settings.max_body`` are answered 413.

        ``note`` counts requests that do not come to ``app``.
        """
        self._note = note
        self._app = app
        self._chain = chain
        self._max_body = chain.settings.max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide on an HTTP request; let the server's own life cycle through, and nothing else."""
        if scope["type"] == "http":
            await self._guard(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = await self._ask(scope, receive)
        except _Refused as refusal:
            await self._refuse(send, scope, refusal.status, refusal.text)
            return
        except ClientDisconnect:
            self._note(scope, LEFT)
            return
        except BaseException as exc:
            self._note(scope, status_without_answer(exc))
            raise
        scope, shown, decided = asked
        if isinstance(decided, Respond):
            self._note(scope, decided.status)
            await _answer(send, decided)
        else:
            inner = scope if decided is shown else _rerouted(scope, decided)
            await self._app(inner, _replay(decided.body, receive), send)

    async def _ask(self, scope: Scope, receive: Receive) -> tuple[Scope, PluginRequest, PluginRequest | Respond]:
        """Return the request for the application, as plugins see it, and what they decide.

        Raises _Refused, and ClientDisconnect when the caller has gone.
        """
        if _declared_length(scope) > self._max_body:
            raise _TooLong
        body = await _read(receive, self._max_body)
        scope = shown_scope(scope)
        shown = shown_request(scope, body)
        try:
            return scope, shown, await self._chain.decide(shown)
        except Undecided as exc:
            raise _NoDecision from exc

    async def _refuse(self, send: Send, scope: Scope, status: int, text: bytes) -> None:
        self._note(scope, status)
        headers = [_TEXT, (b"x-content-type-options", b"nosniff")]
        if status == 413 and scope["http_version"].startswith("1"):
            headers.append((b"connection", b"close"))
        await _send(send, status, headers, text)


class _Refused(Exception):
    """The request does not come to the application."""

    status: int
    text: bytes


class _TooLong(_Refused):
    """The body is longer than allowed."""

    status, text = 413, b"request body too large\n"


class _NoDecision(_Refused):
    """The plugins do not decide."""

    status, text = 503, b"no decision from the plugins\n"


def _declared_length(scope: Scope) -> int:
    """Give the length a caller announces, 0 if it announces none; the engines refuse what is not a number."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length" and value.isdigit()]
    return max((int(value[:_LONGEST_NUMBER]) for value in lengths), default=0)


async def _read(receive: Receive, limit: int) -> bytes:
    """Read the whole body. Raises _TooLong, and ClientDisconnect when the caller has gone."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        length += len(part)
        if length > limit:
            raise _TooLong
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _rerouted(scope: Scope, request: PluginRequest) -> Scope:
    """Give the scope of a rewritten request: as if the caller had sent it so, to the same host by the same method."""
    raw_path, _, query = request.destination.partition(b"?")
    headers: RawHeaders = [(name, value) for name, value in scope["headers"] if name == b"host"]
    for name, values in request.headers:
        lowered = name.lower()
        if lowered not in NOT_SHOWN and lowered != b"content-length":
            headers.extend((lowered, value) for value in values)
    if request.body:
        headers.append((b"content-length", str(len(request.body)).encode()))
    return {
        **scope,
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "headers": headers,
    }


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read once more, in one piece, and then whatever the connection says."""
    pending: bytes | None = body

    async def replayed() -> Message:
        nonlocal pending
        if pending is None:
            return await receive()
        whole, pending = pending, None
        return {"type": "http.request", "body": whole, "more_body": False}

    return replayed


async def _answer(send: Send, response: Respond) -> None:
    """Send a plugin's response with no headers added but a length, and a type for a body that has none."""
    headers = [
        (name.lower(), value)
        for name, values in response.headers if name.lower() not in _FRAMING
        for value in values
    ]  # fmt: skip
    if response.body and not any(name == b"content-type" for name, _ in headers):
        headers.append(_TEXT)
    await _send(send, response.status, headers, response.body)


async def _send(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
