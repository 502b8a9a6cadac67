"""ASGI middleware that tells observers how each request was answered, once the caller has the answer."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wfx.note_answer import LEFT, status_without_answer
from wfx.plugin.chain import PluginChain
from wfx.plugin.message import Answer, PluginRequest
from wfx.plugin.rewrite import grouped
from wfx.plugin.shown import shown_request, shown_scope
from wfx.request_context import current

MOST_BODY = 64 * 1024
"""Bytes of a body that observers are shown, of request and answer each."""
_STREAM = b"text/event-stream"


class Observing:
    """ASGI middleware around all others of one side, so that it sees what they refuse; only if there are observers."""

    def __init__(self, app: ASGIApp, chain: PluginChain) -> None:
        """Tell the observers of ``chain`` what ``app`` answers."""
        self._app = app
        self._chain = chain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = _Seen(scope, self._chain)
        try:
            await self._app(scope, seen.reading(receive), seen.sending(send))
        except BaseException as exc:
            seen.failed(exc)
            raise
        finally:
            seen.tell()


class _Body:
    """The beginning of a body, and how long it is."""

    def __init__(self) -> None:
        self.beginning = bytearray()
        self.size = 0

    def add(self, piece: bytes) -> None:
        if room := MOST_BODY - len(self.beginning):
            self.beginning += piece[:room]
        self.size += len(piece)


class _Seen:
    """One request and its answer, as they pass."""

    def __init__(self, scope: Scope, chain: PluginChain) -> None:
        self._scope = scope
        self._chain = chain
        self._began = perf_counter()
        self._received, self._sent = _Body(), _Body()
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._complete = False
        self._told = False

    def reading(self, receive: Receive) -> Receive:
        async def watched() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._received.add(message.get("body", b""))
            return message

        return watched

    def sending(self, send: Send) -> Send:
        """Watch what is sent, after it was: the caller never waits for it."""

        async def watched(message: Message) -> None:
            await send(message)
            if self._told:
                return
            if message["type"] == "http.response.start":
                self._status, self._headers = message["status"], list(message.get("headers", ()))
                if any(name == b"content-type" and value.startswith(_STREAM) for name, value in self._headers):
                    self.tell()
            elif message["type"] == "http.response.body":
                if self._scope["method"] != "HEAD":
                    self._sent.add(message.get("body", b""))
                if not message.get("more_body", False):
                    self._complete = True
                    self.tell()

        return watched

    def failed(self, error: BaseException) -> None:
        """Note that the app has failed, which the server answers if no answer has begun."""
        self._status = self._status or status_without_answer(error)

    def tell(self) -> None:
        """Tell the observers, once. An app that answers nothing has seen the caller leave."""
        if not self._told:
            self._told = True
            self._chain.observe(self._described())

    def _described(self) -> PluginRequest:
        context = current()
        shown = shown_request(shown_scope(self._scope), bytes(self._received.beginning))
        return PluginRequest(
            shown.destination, shown.action, shown.headers, shown.body, shown.origin,
            Answer(
                self._status or LEFT,
                grouped(self._headers),
                bytes(self._sent.beginning),
                self._sent.size,
                self._complete,
                round((perf_counter() - self._began) * 1e6),
                context.answered_by.encode("utf-8", "surrogateescape") if context is not None else b"",
                context.operation.encode() if context is not None else b"",
                self._received.size,
            ),
        )  # fmt: skip
