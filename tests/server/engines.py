"""The engines with any app, as they run in the service: on uvloop, in a thread of their own."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.reply import Reply
from wfx.config.tunables import Holder
from wfx.request_context import Side
from wfx.server.limits import HttpLimits, HttpSettings
from wfx.server.listeners import open_tcp
from wfx.server.tls import Tls

DEADLINE = 60.0


@contextmanager
def serving(engine: str, app: ASGIApp, settings: HttpSettings | None = None, tls: Tls | None = None) -> Iterator[int]:
    """Serve an app; gives the port."""
    with stoppable(engine, app, settings, tls) as (port, _):
        yield port


@contextmanager
def stoppable(
    engine: str, app: ASGIApp, settings: HttpSettings | None = None, tls: Tls | None = None
) -> Iterator[tuple[int, Callable[[], object]]]:
    """Serve an app; gives the port, and what stops the engine as a signal does."""
    told: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()

    async def serve() -> None:
        listener = open_tcp(Side.NORTH, "127.0.0.1", 0, engine, tls)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        told.put((int(listener.address.rpartition(":")[2]), lambda: loop.call_soon_threadsafe(stop.set)))
        limits = HttpLimits(Holder(settings or HttpSettings(10, 1))).add_listener(Side.NORTH)
        await listener.serve(app, limits, stop)

    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    port, stop = told.get(timeout=DEADLINE)
    try:
        yield port, stop
    finally:
        with suppress(RuntimeError):  # it has stopped already
            stop()
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the engine does not stop"


HUGE = 20_000_000
"""Bytes of an answer that does not fit into the buffers of the system."""


class Handlers:
    """An app that counts who works, and works until it is told to stop: ``/wait``; others are answered at once.

    ``/stream`` is an event stream that says nothing, ``/body`` answers with the length of the body, ``/large`` with
    200 kB, ``/head`` with a header of 20 MB. Each answer has a header field that no other has.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self.running = 0
        self.most = 0
        self.asked: list[str] = []
        self.cancelled = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        self.asked.append(scope["path"])
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._answer(scope, receive, send)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b"fine"
        match scope["path"]:
            case "/wait":
                await asyncio.Event().wait()
            case "/stream":
                headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b": begins\n\n", "more_body": True})
                await asyncio.Event().wait()
            case "/body":
                length = 0
                while (message := await receive()).get("more_body", False):
                    length += len(message["body"])
                body = str(length + len(message["body"])).encode()
            case "/large":
                body = b"x" * 200_000
            case "/huge":
                body = b"x" * HUGE
            case "/head":
                await Reply(200, body, ((b"x-filler", b"y" * 20_000_000),))(scope, receive, send)
                return
            case "/crash":
                raise RuntimeError("meant to be")
        await Reply(200, body, ((b"x-number", b"%d" % len(self.asked)),))(scope, receive, send)
