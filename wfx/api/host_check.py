"""ASGI middleware that rejects browsers under foreign host names, as protection against DNS rebinding.

A page's host name may resolve to 127.0.0.1. For the browser this service then has the page's own origin, so no rule
about other origins applies; but the request still carries the name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.reply import RawHeader, Reply, text_reply
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.note_answer import NoteAnswer, ignore_answer

_CACHED = 1024
"""Values of ``Host`` whose verdicts are cached, so that most requests need one lookup."""
_LONGEST_CACHED = 300
"""Bytes of the longest of these: names in use are shorter, and a header may have a megabyte."""


class HostCheck:
    """ASGI middleware for a listener on loopback; clients other than browsers may use any name."""

    def __init__(self, app: ASGIApp, tunables: Holder[Tunables], note: NoteAnswer = ignore_answer) -> None:
        """Let browsers use addresses, ``localhost`` and the allowed names; ``note`` counts those that are rejected."""
        self._app = app
        self._note = note
        self._names = Derived(tunables, _HostNames)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on, or answer 421."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"host":
                    if not self._names.current.allow(value) and _is_from_browser(scope["headers"]):
                        self._note(scope, 421)
                        return _refusal(value)(scope, receive, send)
                    break
        return self._app(scope, receive, send)


class _HostNames:
    """The names that browsers may use, and verdicts on values of ``Host``."""

    def __init__(self, tunables: Tunables) -> None:
        self._names = frozenset({b"localhost", *(name.lower().encode() for name in tunables.allowed_host)})
        self._is_allowed_cached = lru_cache(_CACHED)(self._is_allowed)

    def allow(self, host: bytes) -> bool:
        return self._is_allowed_cached(host) if len(host) <= _LONGEST_CACHED else self._is_allowed(host)

    def _is_allowed(self, host: bytes) -> bool:
        name = _without_port(host)
        return name.lower().removesuffix(b".") in self._names or _is_address(name)


def _refusal(host: bytes) -> Reply:
    shown = host.decode("latin-1")[:100]
    return text_reply(421, f"browsers may not use this service as '{shown}'; the option --allowed-host permits a name")


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return name if colon and not port.endswith(b"]") else host


def _is_address(name: bytes) -> bool:
    try:
        ip_address(name.decode("ascii").removeprefix("[").removesuffix("]"))
    except ValueError:  # also for what is not ASCII
        return False
    return True


def _is_from_browser(headers: Iterable[RawHeader]) -> bool:
    return any(
        name == b"origin" or name.startswith(b"sec-fetch-") or (name == b"user-agent" and value.startswith(b"Mozilla/"))
        for name, value in headers
    )
