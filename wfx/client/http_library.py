"""What goes into the HTTP library and comes out of it, in the client's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from wfx.client.commands import Request
from wfx.client.errors import NotSent, TimedOut, Unreachable
from wfx.client.server import Server


@contextmanager
def failures_named(request: Request) -> Iterator[None]:
    """Raise errors of the client's own instead of those of the HTTP library."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as exc:
        raise NotSent(_described(request, exc)) from exc
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError, OverflowError) as exc:
        # The last two are what the system's resolver raises for impossible hosts and ports.
        raise NotSent(_described(request, exc)) from exc
    except (httpx.TimeoutException, TimeoutError) as exc:
        raise TimedOut(f"{request.method} {request.path}: no complete answer in time") from exc
    except (httpx.HTTPError, httpx.StreamError) as exc:
        raise Unreachable(_described(request, exc)) from exc


def options_of(server: Server) -> dict[str, Any]:
    """Return what both kinds of HTTP clients are made with, beside the ways to the server."""
    return {
        "base_url": server.url.rstrip("/"),
        "headers": {"User-Agent": "wfx-client", "Accept-Encoding": "gzip", **server.headers},
        "timeout": httpx.Timeout(server.timeout),
        "trust_env": False,
    }


def stream_timeout(server: Server, silence: float) -> httpx.Timeout:
    """Return the limits of an answer without an end."""
    return httpx.Timeout(server.timeout, read=silence)


def names_lowered(headers: httpx.Headers) -> dict[str, str]:
    """Return the fields of an answer."""
    return {name.lower(): value for name, value in headers.items()}


def _described(request: Request, exc: Exception) -> str:
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(exc)) or type(exc).__name__
    return f"{request.method} {request.path}: {text}"
