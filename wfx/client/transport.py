"""The way to a server by the HTTP library: Unix sockets, proxies, TLS, redirects. wfxctl takes it too."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, cast

import httpx

MOST_REDIRECTS = 10
# A stream may be silent for long; these find out within about a minute when the other machine has gone.
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
Trust = Callable[[], ssl.SSLContext]
"""Reads the settings of TLS when they are first needed: reading the system's certificates takes long."""


def blocking(path: str, proxy: str, trust: Trust) -> dict[str, Any]:
    """Return the transports of a client, as arguments of it: through a socket, through a proxy, or straight."""
    kind = _ProxyTransport if proxy and not path else httpx.HTTPTransport
    return {
        "transport": kind(**_options(path, proxy, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust)),
        "mounts": {"https://": _OnDemand(lambda: kind(**_options(path, proxy, trust(), trust)))},
    }


def asynchronous(path: str, proxy: str, trust: Trust) -> dict[str, Any]:
    """Return those of an asynchronous client."""
    kind = _AsyncProxyTransport if proxy and not path else httpx.AsyncHTTPTransport
    return {
        "transport": kind(**_options(path, proxy, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust)),
        "mounts": {"https://": _AsyncOnDemand(lambda: kind(**_options(path, proxy, trust(), trust)))},
    }


def _options(path: str, proxy: str, context: ssl.SSLContext, trust: Trust) -> dict[str, Any]:
    shared = {"verify": cast(ssl.SSLContext, _CertificateNames(context)), "trust_env": False}
    if path:
        return {**shared, "uds": path}
    if not proxy:
        return {**shared, "socket_options": _KEEP_ALIVE}
    reached_by = httpx.Proxy(proxy, ssl_context=trust() if proxy.startswith("https:") else None)
    return {**shared, "socket_options": _KEEP_ALIVE, "proxy": reached_by}


class Redirects:
    """Follows redirects; header fields of the caller's own go to no other server."""

    def __init__(self, request: httpx.Request, own: Iterable[str]) -> None:
        """Begin with the request that may be redirected."""
        self._server = _server(request.url)
        self._own = tuple(own)
        self._left = MOST_REDIRECTS

    def after(self, response: httpx.Response) -> httpx.Request | None:
        """Return the request to go on with; None if the answer is no redirect. Raises TooManyRedirects."""
        request = response.next_request
        if request is None:
            return None
        if not self._left:
            raise httpx.TooManyRedirects(f"more than {MOST_REDIRECTS} redirects", request=request)
        self._left -= 1
        if _server(request.url) != self._server:
            for name in self._own:
                request.headers.pop(name, None)
        return request


def opened(client: httpx.Client, request: httpx.Request, own: Iterable[str]) -> httpx.Response:
    """Send a request, to where redirects lead, and return the answer, of which only the header was read."""
    redirects = Redirects(request, own)
    while True:
        response = client.send(request, stream=True)
        following = redirects.after(response)
        if following is None:
            return response
        response.close()  # nobody is interested in how long the body of a redirect is
        request = following


async def opened_async(client: httpx.AsyncClient, request: httpx.Request, own: Iterable[str]) -> httpx.Response:
    """Do as :func:`opened` does."""
    redirects = Redirects(request, own)
    while True:
        response = await client.send(request, stream=True)
        following = redirects.after(response)
        if following is None:
            return response
        await response.aclose()
        request = following


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _ProxyTransport(httpx.HTTPTransport):
    """Names a server with an IPv6 address to the proxy in brackets, which httpcore leaves out."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(_bracketed(request))


class _AsyncProxyTransport(httpx.AsyncHTTPTransport):
    """Does the same."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(_bracketed(request))


def _bracketed(request: httpx.Request) -> httpx.Request:
    if ":" not in request.url.host:
        return request
    named = httpx.Request(
        request.method, request.url, headers=request.headers, stream=request.stream, extensions=request.extensions
    )
    named.url = _Bracketed(request.url)
    return named


class _Bracketed(httpx.URL):
    @property
    def raw_host(self) -> bytes:
        return b"[%b]" % super().raw_host


class _CertificateNames:
    """What httpcore calls of a TLS context: certificates have names without brackets, and without a dot at the end."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def set_alpn_protocols(self, protocols: Iterable[str]) -> None:
        self._context.set_alpn_protocols(protocols)

    def wrap_socket(self, sock: socket.socket, server_hostname: str) -> ssl.SSLSocket:
        return self._context.wrap_socket(sock, server_hostname=_certificate_name(server_hostname))

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes = "",
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        name = _certificate_name(server_hostname)
        return self._context.wrap_bio(incoming, outgoing, server_side, name, session)


def _certificate_name(host: str | bytes) -> str:
    """Return the name; anyio gives it encoded."""
    host = host.decode("ascii") if isinstance(host, bytes) else host
    return host.strip("[]").removesuffix(".")


class _OnDemand(httpx.BaseTransport):
    """Makes the real transport when it is first needed."""

    def __init__(self, make: Callable[[], httpx.BaseTransport]) -> None:
        self._make = make

    @cached_property
    def _transport(self) -> httpx.BaseTransport:
        return self._make()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)

    def close(self) -> None:
        if "_transport" in vars(self):
            self._transport.close()


class _AsyncOnDemand(httpx.AsyncBaseTransport):
    """Does the same."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make

    @cached_property
    def _transport(self) -> httpx.AsyncBaseTransport:
        return self._make()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if "_transport" in vars(self):
            await self._transport.aclose()
