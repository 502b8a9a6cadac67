"""API request on its way through a handler: parameters, body, context, and the services that answer it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from wfx.api.answer_memory import Share
from wfx.api.services import Services
from wfx.request_context import ClientCertificate, RequestContext

CERTIFICATE_EXTENSION = "wfx.certificate"
"""Where a server puts the :class:`wfx.request_context.ClientCertificate` of the connection, or None."""
ABORT_EXTENSION = "wfx.abort"
"""Where a server that can do so puts a function into the ASGI scope's extensions that closes the connection at once.

Without it the connection of a reader that does not read lingers, with its send buffer, until the reader goes away.
Over HTTP/2 it ends the stream.
"""
_DISCONNECT_SECONDS = 1.0


@dataclass(slots=True)
class ApiRequest:
    """A request whose parameters and body were found to be as the OpenAPI document says."""

    scope: Scope
    services: Services
    context: RequestContext
    path: Mapping[str, str]
    """Decoded path parameters by the names they have in the document."""
    query: dict[str, Any]
    """Decoded query parameters; what was left out has its default."""
    body: Any = None
    """What the handler works with of the body, for operations that take one; see :mod:`wfx.api.inputs`."""
    size: int = 0
    """Bytes of that body, or of the document in it where it was read by a worker."""
    most: float = math.inf
    """Bytes of an answer of which any use can be made: a filter takes no more than so many."""
    share: Share | None = None
    """What a large answer holds of the memory for answers."""

    @property
    def client(self) -> str:
        """The peer's address; see :func:`client_of`."""
        return client_of(self.scope)

    @property
    def http(self) -> Request:
        """The request as Starlette shows it, for what few operations look at."""
        return Request(self.scope)

    def own_share(self) -> Share:
        """Return this request's share of the memory for answers, made when it is first needed."""
        if self.share is None:
            self.share = Share(self.services.answers, abort_of(self.scope))
        return self.share


def certificate_of(scope: Scope) -> ClientCertificate | None:
    """Return the identity in the certificate of the peer; None if it was not asked for one."""
    extensions = scope.get("extensions")
    return None if extensions is None else extensions.get(CERTIFICATE_EXTENSION)


def client_of(scope: Scope) -> str:
    """Return the peer's address, by which clients are told apart where they share something; empty on a Unix socket."""
    peer = scope.get("client")
    return peer[0] if peer else ""


def abort_of(scope: Scope) -> Callable[[], None]:
    """Return what closes the connection of a request at once; it does nothing where the server cannot."""
    abort: Callable[[], None] = scope.get("extensions", {}).get(ABORT_EXTENSION, _nothing)
    return abort


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the server reports the end of a connection that was just closed, or a second.

    A handler that returns earlier lets the server log that its answer is incomplete.
    """
    with anyio.move_on_after(_DISCONNECT_SECONDS):
        while (await receive())["type"] != "http.disconnect":
            pass


def _nothing() -> None:
    """Stand for the abort of a server that offers none."""


Handler = Callable[[ApiRequest], Awaitable[Response]]
