"""The yardstick: Starlette and an engine, nothing else. Answers each path with bytes given at start.

Run as ``python -m bench.bare ENGINE ANSWERS.json``; prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wfx.config.tunables import Holder
from wfx.request_context import Side
from wfx.server.limits import HttpLimits, HttpSettings
from wfx.server.listeners import open_tcp


def build(answers: dict[str, str]) -> Starlette:
    """Build the app; ``answers`` maps "METHOD /path/{param}" to a body. Request bodies are read and dropped."""

    def route(key: str, body: bytes) -> Route:
        method, path = key.split(" ")

        async def answer(request: Request) -> Response:
            if method in ("PUT", "POST"):
                await request.body()
            return Response(body, 201 if method == "POST" else 200, media_type="application/json")

        return Route(path, answer, methods=[method])

    return Starlette(routes=[route(key, body.encode()) for key, body in answers.items()])


async def _main(engine: str, answers: dict[str, str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listener = open_tcp(Side.NORTH, "127.0.0.1", 0, engine)
    print(listener.address.rpartition(":")[2], flush=True)  # noqa: T201  # whoever started this reads the port
    limits = HttpLimits(Holder(HttpSettings(10, 1))).add_listener(Side.NORTH)
    await listener.engine(build(answers), listener.socket, limits, stop)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
