"""ASGI application of one side: looks up the route of a request and runs its endpoint."""

from __future__ import annotations

import html
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.access_log import AccessLog
from wfx.api.call import Services
from wfx.api.endpoint import Endpoint
from wfx.api.reply import Reply, text_reply
from wfx.api.routes import ROUTES, Route, Table
from wfx.api.side import Side


def build_app(side: Side, services: Services, rings: Sequence[Middleware] = ()) -> Starlette:
    """Build the app of a side; ``rings`` are laid around it, the first one outermost."""
    return App(Dispatch(side, services), middleware=[*rings, Middleware(AccessLog)])


class App(Starlette):
    """Starlette without its two rings for errors and without its router, a fifth of the time of a request.

    Nothing here raises ``HTTPException``, and what nobody expected is answered and logged by whatever serves the app.
    """

    def __init__(self, dispatch: Dispatch, middleware: Sequence[Middleware]) -> None:
        """Answer HTTP requests by ``dispatch``, behind the middleware."""
        super().__init__(middleware=middleware)
        self._dispatch = dispatch

    def build_middleware_stack(self) -> ASGIApp:
        """Lay the rings around the dispatcher."""
        app: ASGIApp = self._dispatch
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return app


class Dispatch:
    """Answers requests for all paths: looks the raw path up in the route table and answers what has no endpoint.

    Starlette's own routes compare decoded paths and answer 404 and 405 in their own way; the contract wants raw paths,
    an ``Allow`` on each 405 and no body on a 404 (rest-api section 2).
    """

    def __init__(self, side: Side, services: Services) -> None:
        """Prepare an endpoint for each route."""
        self._table = Table()
        self._endpoints: dict[Route, Endpoint] = {route: Endpoint(route, side, services) for route in ROUTES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the endpoint, or answer why there is none."""
        raw_path: bytes = scope["raw_path"]
        found = self._table.find(raw_path)
        if found is None:
            await _no_such_path(scope, raw_path)(scope, receive, send)
            return
        routes, key = found
        method = scope["method"]
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            await _no_such_method(routes)(scope, receive, send)
            return
        await self._endpoints[route](scope, receive, send, key)


def _no_such_path(scope: Scope, raw_path: bytes) -> Reply:
    clean = _cleaned(raw_path)
    if clean != raw_path:
        return _redirect(clean, scope["query_string"])
    if scope["method"] in ("GET", "HEAD"):
        return Reply(404)
    return _not_allowed("GET, HEAD")


def _no_such_method(routes: dict[str, Route]) -> Reply:
    return _not_allowed(", ".join(sorted({*routes, *(("HEAD",) if "GET" in routes else ())})))


def _not_allowed(methods: str) -> Reply:
    return text_reply(405, "Method Not Allowed", ((b"allow", methods.encode()),))


def _cleaned(raw_path: bytes) -> bytes:
    """Remove empty and dot segments; a slash at the very end stays, as Go's mux has it (rest-api section 2)."""
    kept: list[bytes] = []
    segments = raw_path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    end = b"/" if kept and not segments[-1] else b""
    return b"/" + b"/".join(kept) + end


def _redirect(path: bytes, query: bytes) -> Reply:
    target = path + b"?" + query if query else path
    link = html.escape(target.decode("latin-1"))
    body = f'<a href="{link}">Temporary Redirect</a>.\n\n'.encode()
    return Reply(307, body, ((b"content-type", b"text/html; charset=utf-8"), (b"location", target)))
