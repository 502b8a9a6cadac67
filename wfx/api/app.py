"""ASGI application of one side: makes the context of a request, looks up its route, and runs its endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Sequence
from copy import copy
from functools import partial

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api import redirects
from wfx.api.access_log import AccessLog
from wfx.api.endpoint import Endpoint
from wfx.api.refusals import refusals_of
from wfx.api.reply import RawHeader, Reply, adding_headers
from wfx.api.request import certificate_of
from wfx.api.request_counts import UNMATCHED, RequestCounts, run_counted
from wfx.api.route_table import RouteTable
from wfx.api.routes import REFUSED_IN_LOWER_CASE, Mount, service_mounts, service_routes
from wfx.api.services import Services
from wfx.note_answer import NoteAnswer
from wfx.request_context import REQUEST_ID, RequestContext, Side, current, enter, given_id


def build_app(side: Side, endpoints: ASGIApp, middleware: Sequence[Middleware] = ()) -> App:
    """Build an app of a side around its endpoints, a :class:`Dispatch` that several apps of the side may share.

    ``middleware`` is laid around them, the first one outermost.
    """
    return App(side, endpoints, [*middleware, Middleware(AccessLog)])


class App:
    """The outermost middleware: makes the context of each request, and gives a caller's request id back to it.

    Starlette's application would add one more layer. Nothing here raises ``HTTPException``, and what nobody expected is
    answered and logged by whatever serves the app.
    """

    def __init__(self, side: Side, app: ASGIApp, middleware: Sequence[Middleware] = ()) -> None:
        """Answer the requests of a side by ``app``, behind the middleware."""
        self._side = side
        for cls, args, kwargs in reversed(middleware):
            app = cls(app, *args, **kwargs)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in a new context."""
        if scope["type"] == "http":
            given = given_id(scope["headers"])
            context = RequestContext(self._side, given, certificate_of(scope))
            enter(context)
            if given is not None:
                send = adding_headers(send, partial(_missing_id, context.request_id.encode()))
        await self._app(scope, receive, send)


def _missing_id(request_id: bytes, headers: list[RawHeader]) -> list[RawHeader]:
    """Return the field with the id, if an answer with these headers lacks it."""
    return [] if any(name == REQUEST_ID for name, _ in headers) else [(REQUEST_ID, request_id)]


class Dispatch:
    """Answers requests for all paths: looks the raw path up in the route table and answers what has no endpoint.

    Starlette's own routes compare decoded paths and answer 404 and 405 in their own way; the contract wants raw paths,
    an ``Allow`` on each 405 and no body on a 404 (rest-api section 2).
    """

    def __init__(self, side: Side, services: Services, mounts: Iterable[Mount] | None = None) -> None:
        """Prepare an endpoint for each route, which takes a while; the mounts are the service's unless given."""
        self.counts = RequestCounts(side)
        self._table = RouteTable(self._endpoints(side, services))
        self._note_unmatched = self.counts.recorder_for(UNMATCHED)
        self._mounts: list[tuple[Mount, NoteAnswer]] = []
        for each in service_mounts(services) if mounts is None else mounts:
            self.mount(each, side)

    def _endpoints(self, side: Side, services: Services) -> Iterator[tuple[str, str, Endpoint]]:
        """Make the rows of the table; HEAD is answered as GET is, and counted on its own."""
        for route in service_routes():
            if route.hidden and side not in route.sides:
                continue
            name = route.operation or route.path
            endpoint = Endpoint(route, side, services)
            endpoint.count_in(self.counts.of(name, route.method))
            yield route.method, route.path, endpoint
            if route.method == "GET":
                head = copy(endpoint)
                head.count_in(self.counts.of(name, "HEAD"))
                yield "HEAD", route.path, head

    def mount(self, mount: Mount, side: Side) -> None:
        """Have an app answer for a path and what is below it, if it is for this side."""
        if side in mount.sides:
            self._mounts.append((mount, self.counts.recorder_for(mount.prefix)))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Run the endpoint, or answer why there is none."""
        raw_path: bytes = scope["raw_path"]
        found = self._table.find(raw_path)
        if found is None:
            return self._beside(scope, receive, send)
        endpoints, parameters = found
        endpoint = endpoints.get(scope["method"])
        if endpoint is None:
            text = (
                "method not allowed" if (scope["method"], raw_path) in REFUSED_IN_LOWER_CASE else "Method Not Allowed"
            )
            offered = any(each.is_offered for each in endpoints.values())
            reply = refusals_of(raw_path).method_not_allowed(", ".join(sorted(endpoints)), text, offered=offered)
            self._note_unmatched(scope, reply.status_code)
            return reply(scope, receive, send)
        context = current()
        assert context is not None
        context.operation = endpoint.operation
        context.path = parameters
        return endpoint(scope, receive, send, context)

    def _beside(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        for mount, note in self._mounts:
            if mount.covers(scope["raw_path"]):
                return run_counted(note, mount.app, {**scope, "root_path": mount.prefix}, receive, send)
        reply = no_such_path(scope)
        self._note_unmatched(scope, reply.status_code)
        return reply(scope, receive, send)


def no_such_path(scope: Scope) -> Reply:
    """Answer that nothing is there, or where it is."""
    raw_path: bytes = scope["raw_path"]
    clean = redirects.cleaned(raw_path)
    if clean != raw_path:
        return redirects.temporary(clean, scope["query_string"])
    return refusals_of(raw_path).no_such_path(scope["method"])
