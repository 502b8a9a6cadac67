"""ASGI middleware that answers probes: whether the process lives, and whether the service can serve.

It stands before plugins and all that refuses requests by who sends them, since orchestrators have no credentials; its
answers tell nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.reply import RawHeader, Reply, json_reply, method_not_allowed
from wfx.api.request_counts import NoteAnswer, counting
from wfx.domain.json import encode
from wfx.service.readiness import Readiness

_FRESH: RawHeader = (b"cache-control", b"no-store")

Probe = Callable[[], Awaitable[Reply]]


async def alive() -> Reply:
    """Answer that the process does."""
    return json_reply(encode({"status": "alive"}), 200, (_FRESH,))


async def ready(readiness: Readiness) -> Reply:
    """Answer whether the service can serve, with 503 if not."""
    if obstacle := await readiness.obstacle():
        return json_reply(encode({"reason": obstacle, "status": "not ready"}), 503, (_FRESH,))
    return json_reply(encode({"status": "ready"}), 200, (_FRESH,))


class Probes:
    """ASGI middleware for the northbound side."""

    def __init__(self, app: ASGIApp, probes: Mapping[str, Probe], note: Callable[[str], NoteAnswer]) -> None:
        """Answer the probes by their paths; ``note`` makes what counts the answers of a path."""
        self._app = app
        self._probes = {path.encode(): (probe, note(path)) for path, probe in probes.items()}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a probe, or pass the request on."""
        if scope["type"] != "http" or (found := self._probes.get(scope["raw_path"])) is None:
            return self._app(scope, receive, send)
        probe, note = found
        return _answer(probe, scope, receive, counting(note, scope, send))


async def _answer(probe: Probe, scope: Scope, receive: Receive, send: Send) -> None:
    reply = await probe() if scope["method"] in ("GET", "HEAD") else method_not_allowed("GET, HEAD")
    await reply(scope, receive, send)
