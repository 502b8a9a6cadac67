"""Refusals of connections and requests by the listeners: answers, counters and log records."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable
from contextvars import Context
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from starlette.types import Receive, Scope, Send

from wfx.api.reply import CLOSE, RawHeader, Reply, text_reply
from wfx.host_port import host_port

log = logging.getLogger("wfx.edge")

_PAUSE = 1.0
"""Seconds between two records of one kind, so that a flood of bad requests does not fill the log."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that no handler gave; over HTTP/1.1 the connection ends with it. It is an ASGI app."""

    kind: str
    """What it is counted as; see :data:`KINDS`."""
    status: int
    text: str
    extra: tuple[RawHeader, ...] = ()

    def reply(self) -> Reply:
        """Return the answer."""
        return text_reply(self.status, self.text, (CLOSE, *self.extra))

    def raw(self, method: bytes = b"") -> bytes:
        """Return the bytes of the answer over HTTP/1.1 to this method, where no engine writes it."""
        reply = self.reply()
        fields = [(b"date", formatdate(usegmt=True).encode()), *reply.raw_headers]
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [name + b": " + value for name, value in fields]
        return b"\r\n".join([*lines, b"", b"" if method == b"HEAD" else bytes(reply.body)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self.reply()(scope, receive, send)


MALFORMED = Refusal("malformed", 400, "malformed request")
NO_HOST = Refusal("host", 400, "header Host is missing")
MANY_HOSTS = Refusal("host", 400, "header Host is given more than once")
BAD_HOST = Refusal("host", 400, "header Host is malformed")
BAD_TARGET = Refusal("target", 400, "malformed request target")
LONG_TARGET = Refusal("target", 414, "request target is too long")
LARGE_HEAD = Refusal("head", 431, "request header is too large")
MANY_FIELDS = Refusal("head", 431, "request has too many header fields")
BAD_METHOD = Refusal("method", 405, "Method Not Allowed", ((b"allow", b"GET, HEAD"),))
"""Where there is no path."""
BAD_VERSION = Refusal("version", 505, "unsupported protocol version")
BAD_CODING = Refusal("malformed", 400, "unsupported Transfer-Encoding")
SLOW_BODY = Refusal("slow-body", 408, "request body did not arrive in time")
_LATER: tuple[RawHeader, ...] = ((b"retry-after", b"1"),)
BUSY = Refusal("busy", 503, "too many requests at once", _LATER)
FULL = Refusal("connections", 503, "too many connections", _LATER)
BODIES = Refusal("bodies", 503, "too many large requests at once", _LATER)
CRASHED = Refusal("error", 500, "Internal Server Error")
"""Not what a caller did, so it is not counted; the log has the traceback."""

KINDS = {
    "malformed": "breaks the rules of HTTP framing",
    "host": "has no valid Host, or several",
    "target": "asks for something that is no path, or for one that is too long",
    "head": "has a header that is too large",
    "method": "uses a method that is unknown to HTTP",
    "tls": "came to a port of TLS without a handshake that could be completed",
    "version": "speaks a version of HTTP that is not spoken here",
    "silent": "was opened and never used",
    "slow-head": "did not send its header in time",
    "slow-body": "did not send its body in time",
    "slow-reader": "did not take its answer in time",
    "busy": "came while too many others were being worked on",
    "bodies": "came while the bodies of others filled the memory set aside for them",
    "connections": "came while too many connections were open",
    "rate": "came after its address had used up its requests (--ip-rate-limit)",
    "flood": "made its HTTP/2 connection a burden: resets, pings, settings",
}
"""All that is refused: a connection or request that …"""


def bad_method(raw_path: bytes) -> Refusal:
    """Return the answer to a method that HTTP does not know: it lists those that the path has."""
    from wfx.api.routes import allowed_methods  # imports all handlers, which not everybody needs who serves HTTP

    return replace(BAD_METHOD, extra=((b"allow", allowed_methods(raw_path).encode()),))


class Refusals:
    """Counts refusals, and logs each kind at most once a second, with how many there were."""

    def __init__(self) -> None:
        """Begin with all counts at 0."""
        self.counts: Counter[str] = Counter()
        self._untold: dict[str, int] = {}
        self._told: dict[str, float] = {}

    def note(self, kind: str, client: Any, reason: str = "") -> None:
        """Count one; ``client`` is the peer's address as ASGI has it."""
        self.counts[kind] += 1
        self._untold[kind] = self._untold.get(kind, 0) + 1
        self._tell((kind,), client, reason)

    def tell_rest(self) -> None:
        """Log what was counted since the last record; to be called at intervals."""
        if self._untold:
            self._tell(list(self._untold), None)

    def _tell(self, kinds: Iterable[str], client: Any, reason: str = "") -> None:
        now = time.monotonic()
        for kind in kinds:
            if now - self._told.get(kind, -math.inf) < _PAUSE:
                continue
            self._told[kind] = now
            fields = {"kind": kind, "count": self._untold.pop(kind)}
            if client:
                fields["client"] = host_port(client[0], client[1])
            if reason:
                fields["reason"] = reason
            # These are about connections, even where the request before is still in its context.
            Context().run(log.warning, "refused what %s", KINDS[kind], extra={"fields": fields})
