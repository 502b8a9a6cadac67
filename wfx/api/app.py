"""ASGI application of one side: makes the context of a request, looks up its route, and runs its endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from functools import partial

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api import redirects
from wfx.api.access_log import AccessLog
from wfx.api.endpoint import Endpoint
from wfx.api.reply import RawHeader, Reply, adding_headers, method_not_allowed
from wfx.api.request import certificate_of
from wfx.api.route_table import RouteTable
from wfx.api.routes import REFUSED_IN_LOWER_CASE, UNKNOWN_PATH_ALLOWS, Mount, service_mounts, service_routes
from wfx.api.services import Services
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
        self._table = RouteTable(
            (route.method, route.path, Endpoint(route, side, services)) for route in service_routes()
        )
        mounts = service_mounts(services) if mounts is None else mounts
        self._mounts = [mount for mount in mounts if side in mount.sides]

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
            return method_not_allowed(", ".join(sorted(endpoints)), text)(scope, receive, send)
        context = current()
        assert context is not None
        context.operation = endpoint.operation
        context.path = parameters
        return endpoint(scope, receive, send, context)

    def _beside(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        for mount in self._mounts:
            if mount.covers(scope["raw_path"]):
                return mount.app({**scope, "root_path": mount.prefix}, receive, send)
        return _no_such_path(scope, scope["raw_path"])(scope, receive, send)


def _no_such_path(scope: Scope, raw_path: bytes) -> Reply:
    clean = redirects.cleaned(raw_path)
    if clean != raw_path:
        return redirects.temporary(clean, scope["query_string"])
    if scope["method"] in ("GET", "HEAD"):
        return Reply(404)
    return method_not_allowed(UNKNOWN_PATH_ALLOWS)
