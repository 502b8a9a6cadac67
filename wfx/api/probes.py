"""ASGI middleware that answers probes: whether the process lives, and whether the service can serve.

It stands before plugins and all that refuses requests by who sends them, since orchestrators have no credentials; its
answers tell nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.reply import NO_STORE, Reply, json_reply, refused_method
from wfx.api.request_counts import run_counted
from wfx.domain.json import encode
from wfx.note_answer import NoteAnswer
from wfx.service.readiness import Readiness

Probe = Callable[[], Awaitable[Reply]]


async def alive() -> Reply:
    """Answer that the process does."""
    return json_reply(encode({"status": "alive"}), 200, (NO_STORE,))


async def ready(readiness: Readiness) -> Reply:
    """Answer whether the service can serve, with 503 if not."""
    if reason := await readiness.not_ready_reason():
        return json_reply(encode({"reason": reason, "status": "not ready"}), 503, (NO_STORE,))
    return json_reply(encode({"status": "ready"}), 200, (NO_STORE,))


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
        return run_counted(note, partial(_answer, probe), scope, receive, send)


async def _answer(probe: Probe, scope: Scope, receive: Receive, send: Send) -> None:
    reply = refused_method(scope) or await probe()
    await reply(scope, receive, send)
