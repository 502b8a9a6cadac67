"""An application behind plugins, in process and on both engines."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import hypercorn.asyncio
import hypercorn.config
import uvicorn
from plugin_programs import DEADLINE
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from wfx.plugin.chain import PluginChain
from wfx.plugin.middleware import PluginMiddleware

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
MIRROR = """
import json
def mirror(request):
    seen = dict(destination=request.destination, action=request.action.name, headers=request.headers,
                body=request.body.decode("latin-1"))
    return Respond(Status.ACCEPT, json.dumps(seen).encode())
run(mirror)
"""


async def mirror(request: Request) -> JSONResponse:
    """Show the request as the application got it."""
    scope = request.scope
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return JSONResponse(
        {
            "path": scope["path"],
            "target": (scope["raw_path"] + query).decode("latin-1"),
            "method": scope["method"],
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": (await request.body()).decode("latin-1"),
        }
    )


async def events(_request: Request) -> StreamingResponse:
    """Stream three events, the last after the caller could have read the first."""

    async def stream() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"data: %d\n\n" % number
            await asyncio.sleep(0)

    return StreamingResponse(stream(), media_type="text/event-stream")


APP = Starlette(routes=[Route("/events", events), Route("/{rest:path}", mirror, methods=METHODS)])


def client_of(chain: PluginChain, app: ASGIApp = APP) -> httpx.AsyncClient:
    """Call the guarded application in process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(PluginMiddleware(app, chain)), base_url="http://wfx.test")


@asynccontextmanager
async def on_uvicorn(app: ASGIApp) -> AsyncIterator[int]:
    """Serve on a free port of loopback."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await asyncio.wait_for(serving, DEADLINE)


@asynccontextmanager
async def on_hypercorn(app: ASGIApp) -> AsyncIterator[int]:
    """Serve on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    stop = asyncio.Event()
    serving = asyncio.create_task(
        hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type] # any ASGI app
    )
    yield port
    stop.set()
    await asyncio.wait_for(serving, DEADLINE)


Engine = Callable[[ASGIApp], AbstractAsyncContextManager[int]]
