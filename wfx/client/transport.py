"""The way to a server: address, TLS, proxy, Unix socket, header fields; what the HTTP library says of failures."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from wfx.client.commands import Request
from wfx.client.errors import NotSent, TimedOut, Unreachable


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and how it is reached."""

    url: str
    """Its root, such as ``http://localhost:8080``: port 8080 is for devices, 8081 for operators."""
    socket: str = ""
    """Connect through this Unix socket instead of to the host of the URL."""
    proxy: str = ""
    """Connect through this HTTP proxy; variables of the environment are not looked at."""
    tls: ssl.SSLContext | None = None
    """Whom to trust, and which certificate to show; None trusts whom the system trusts."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with each request, such as ``Authorization``."""
    timeout: float = 10.0
    """Seconds for a whole exchange, event streams apart."""

    def options(self) -> dict[str, Any]:
        """Return what both kinds of HTTP clients are made with."""
        return {
            "base_url": self.url.rstrip("/"),
            "headers": {"User-Agent": "wfx-client", "Accept-Encoding": "gzip", **self.headers},
            "timeout": httpx.Timeout(self.timeout),
            "trust_env": False,
            "follow_redirects": True,
        }

    def transport_options(self) -> dict[str, Any]:
        """Return what both kinds of transports are made with."""
        return {
            "verify": self.tls if self.tls is not None else True,
            "trust_env": False,
            "uds": self.socket or None,
            "proxy": httpx.Proxy(self.proxy) if self.proxy else None,
        }

    def stream_timeout(self, silence: float) -> httpx.Timeout:
        """Return the limits of an answer without an end."""
        return httpx.Timeout(self.timeout, read=silence)


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


def names_lowered(headers: httpx.Headers) -> dict[str, str]:
    """Return the fields of an answer."""
    return {name.lower(): value for name, value in headers.items()}


def _described(request: Request, exc: Exception) -> str:
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(exc)) or type(exc).__name__
    return f"{request.method} {request.path}: {text}"
