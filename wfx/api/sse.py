"""Response that carries a subscription as server-sent events (rest-api section 10)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from sse_starlette.sse import AppStatus, EventSourceResponse
from starlette.types import Message, Receive, Scope, Send

from wfx.api.request import ABORT_EXTENSION, client_of, wait_for_disconnect
from wfx.api.services import Services
from wfx.events.broker import Broker
from wfx.events.subscription import Subscription

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",
}

_logger = logging.getLogger(__name__)

# Streams end with the broker, between two blocks. The library would cut them wherever they are when it sees uvicorn
# stop, and all later ones of the process too.
AppStatus.enable_automatic_graceful_drain = False


class EventStream(EventSourceResponse):
    """The response that carries a subscription until either side ends it.

    The keep-alive is the subscription's: the library's comes at fixed times and between the slices of an event.
    """

    def __init__(self, subscription: Subscription, services: Services) -> None:
        """Send what the subscription yields; give up when one send takes longer than the grace interval."""
        super().__init__(subscription.chunks(), headers=_HEADERS, ping=0)
        self._subscription = subscription
        self._broker = services.broker
        self._grace = services.tunables.current.sse_grace_interval
        self._sending_since: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the stream to its end; a reader that does not read is cut off."""
        if scope["http_version"] != "1.1":
            del self.headers["connection"]  # HTTP/2 forbids it.
        with anyio.CancelScope() as cut, self._watched(cut), _logged(scope, self._broker):
            self._subscription.interrupt = cut.cancel
            await super().__call__(scope, receive, send)
        if cut.cancel_called:
            await _abort(scope, receive)

    async def _send_with_timeout(self, send: Send, message: Message) -> None:
        """Note when a send begins. The library opens a cancel scope for each, which costs more than the send itself."""
        self._sending_since = asyncio.get_running_loop().time()
        await send(message)
        self._sending_since = None

    @contextmanager
    def _watched(self, cut: anyio.CancelScope) -> Iterator[None]:
        self._look_at(asyncio.get_running_loop().time() + self._grace, cut)
        try:
            yield
        finally:
            self._watch.cancel()

    def _look_at(self, when: float, cut: anyio.CancelScope) -> None:
        self._watch = asyncio.get_running_loop().call_at(when, self._look, cut)

    def _look(self, cut: anyio.CancelScope) -> None:
        """Give up the reader if a send has taken the grace interval, or look again when the present one will have."""
        now = asyncio.get_running_loop().time()
        deadline = (now if self._sending_since is None else self._sending_since) + self._grace
        if now < deadline:
            self._look_at(deadline, cut)
            return
        self._broker.dropped += 1
        _logger.warning("a reader of events did not read for %g s: its stream is closed", self._grace)
        cut.cancel()


@contextmanager
def _logged(scope: Scope, broker: Broker) -> Iterator[None]:
    """Log that a stream begins and ends, and how many there are then."""
    client = {"remoteAddr": client_of(scope)}
    _logger.info("event stream begins", extra={"fields": {**client, "subscribers": broker.subscribers + 1}})
    try:
        yield
    finally:
        _logger.info("event stream ends", extra={"fields": {**client, "subscribers": broker.subscribers}})


async def _abort(scope: Scope, receive: Receive) -> None:
    """Close the connection, if the server offers that, and wait until it is closed."""
    abort: Callable[[], None] | None = scope.get("extensions", {}).get(ABORT_EXTENSION)
    if abort is None:
        return
    abort()
    await wait_for_disconnect(receive)
