"""HTTP: the one module that knows the HTTP library (cli section 4)."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast
from urllib.parse import urlencode

from wfx.commandline.client_tls import ClientTls
from wfxctl import bodies, curl, deadline
from wfxctl.exchange import Exchange
from wfxctl.failures import Unreachable
from wfxctl.targets import Target

# httpx drags in its own command line with everything that needs; leaving that out halves the time the import takes.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how Python marks a missing module

import httpx  # noqa: E402  # see above

TIMEOUT = 10.0
"""Seconds for a whole exchange, from connecting to the last byte."""

_HEADERS = {"User-Agent": "wfxctl", "Accept-Encoding": "gzip"}
_MOST_REDIRECTS = 10
# A stream may be silent for long; these find out within about a minute when the other machine has gone.
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    body: str
    exchange: Exchange

    @property
    def succeeded(self) -> bool:
        """Whether it is one of the API's success codes."""
        return self.status in (200, 201, 204)


@dataclass(frozen=True, slots=True)
class OpenStream:
    """An answer whose body is still coming."""

    status: int
    chunks: Iterator[bytes]
    exchange: Exchange


class Api:
    """One API of one server."""

    def __init__(
        self,
        target: Target,
        tls: ClientTls,
        headers: Sequence[tuple[str, str]] = (),
        sending: Callable[[str], None] | None = None,
    ) -> None:
        """Open nothing yet. Raises ConfigurationFailure for files of TLS that cannot be used.

        ``headers`` go with every request, but to no other server. ``sending`` is told each request, as curl takes it.
        """
        self.target = target
        self._tls = tls
        self._headers = headers
        self._sending = sending
        if tls.names_files:
            _ = self._trust

    def send(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one exchange; every status is an answer.

        Raises Unreachable when there is no complete answer in time, or one that is too large.
        """
        url = self._url(path, query)
        asked = Exchange(method, url, self.target.proxy)
        headers = dict(headers or {}) | ({} if body is None else {"Content-Type": "application/json"})
        self._tell(method, url, headers, body)

        def exchange() -> Answer:
            with self._opened(httpx.Timeout(TIMEOUT)) as client:
                response = self._exchange(client, client.build_request(method, url, content=body, headers=headers))
                with closing(response):
                    text = bodies.whole(_pieces(response)).decode("utf-8", "replace")
                    return Answer(response.status_code, text, _led_to(asked, response.url))

        with _failures_named(asked):
            return deadline.begin(exchange)(TIMEOUT)

    def fetch(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Return the body of a successful answer. Raises RefusedByServer for any other answer, Unreachable for none."""
        answer = self.send(method, path, query, body, headers)
        if not answer.succeeded:
            raise answer.exchange.refusal(answer.status, answer.body)
        return answer.body

    @contextmanager
    def stream(self, path: str, query: Query, headers: Mapping[str, str]) -> Iterator[OpenStream]:
        """Open a stream without a time limit. Raises Unreachable when it cannot be opened, or breaks off."""
        url = self._url(path, query)
        asked = Exchange("GET", url, self.target.proxy)
        self._tell("GET", url, headers, None)
        timeout = httpx.Timeout(TIMEOUT, read=None)
        with _failures_named(asked), self._opened(timeout) as client:
            request = client.build_request("GET", url, headers=[(k.encode(), v.encode()) for k, v in headers.items()])
            with closing(self._exchange(client, request)) as response:
                yield OpenStream(response.status_code, _pieces(response), _led_to(asked, response.url))

    def _url(self, path: str, query: Query) -> str:
        return self.target.url + path + ("?" + urlencode(query, safe=",") if query else "")

    def _tell(self, method: str, url: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None) -> None:
        if self._sending is not None:
            self._sending(curl.command(self.target, self._tls, method, url, headers, self._headers, body))

    def _exchange(self, client: httpx.Client, request: httpx.Request) -> httpx.Response:
        """Send a request, to where redirects lead, and return the answer, of which only the header was read."""
        server = _server(request.url)
        for _ in range(_MOST_REDIRECTS + 1):
            response = client.send(request, stream=True)
            if response.next_request is None:
                return response
            response.close()  # nobody is interested in how long the body of a redirect is
            request = response.next_request
            if _server(request.url) != server:
                for name, _ in self._headers:
                    request.headers.pop(name, None)
        raise httpx.TooManyRedirects(f"more than {_MOST_REDIRECTS} redirects", request=request)

    @contextmanager
    def _opened(self, timeout: httpx.Timeout) -> Iterator[httpx.Client]:
        port = httpx.URL(self.target.url).port or 0
        if not 0 <= port < 2**16:  # the resolver would take the rest of a division
            raise httpx.InvalidURL(f"there is no port {port}")
        plain = self._transport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        secured = _OnDemand(lambda: self._transport(self._trust))
        with httpx.Client(
            transport=plain,
            mounts={"https://": secured},
            timeout=timeout,
            trust_env=False,
        ) as client:
            client.headers.update(_HEADERS)
            del client.headers["Accept"]
            client.headers.update(self._headers)
            yield client

    def _transport(self, context: ssl.SSLContext) -> httpx.HTTPTransport:
        named = cast(ssl.SSLContext, _CertificateNames(context))
        if self.target.socket:
            return httpx.HTTPTransport(verify=named, trust_env=False, uds=self.target.socket)
        if not (proxy := self.target.proxy):
            return httpx.HTTPTransport(verify=named, trust_env=False, socket_options=_KEEP_ALIVE)
        reached_by = httpx.Proxy(proxy, ssl_context=self._trust if proxy.startswith("https:") else None)
        return _ProxyTransport(verify=named, trust_env=False, socket_options=_KEEP_ALIVE, proxy=reached_by)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return self._tls.context()


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _pieces(response: httpx.Response) -> Iterator[bytes]:
    return bodies.unpacked(response.iter_raw(), response.headers.get("Content-Encoding", ""))


class _ProxyTransport(httpx.HTTPTransport):
    """Names a server with an IPv6 address to the proxy in brackets, which httpcore leaves out."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if ":" not in request.url.host:
            return super().handle_request(request)
        named = httpx.Request(
            request.method, request.url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        named.url = _Bracketed(request.url)
        return super().handle_request(named)


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

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_hostname: str) -> ssl.SSLObject:
        return self._context.wrap_bio(incoming, outgoing, server_hostname=_certificate_name(server_hostname))


def _certificate_name(host: str) -> str:
    return host.strip("[]").removesuffix(".")


class _OnDemand(httpx.BaseTransport):
    """Makes the real transport when it is first needed: reading the system's certificates takes long."""

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


@contextmanager
def _failures_named(asked: Exchange) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, OverflowError) as exc:
        # The last two are what the system's resolver raises for impossible hosts and ports.
        raise Unreachable(_described(exc, asked)) from exc
    except bodies.Unreadable as exc:
        raise Unreachable(f"{asked}: {exc}") from exc
    except TimeoutError as exc:
        raise Unreachable(f"{asked}: no complete answer within {TIMEOUT:g}s") from exc


def _led_to(asked: Exchange, url: httpx.URL) -> Exchange:
    """Return an exchange with the address that it was redirected to, if it was."""
    return asked if url == httpx.URL(asked.url) else replace(asked, redirected=str(url))


def _described(exc: Exception, asked: Exchange) -> str:
    if isinstance(exc, httpx.RequestError):
        with suppress(RuntimeError):  # it does not know the request
            asked = _led_to(asked, exc.request.url)
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(exc)) or type(exc).__name__
    if isinstance(exc, httpx.ProxyError) and (status := re.match(r"[1-9][0-9]{2}\b", text)):
        text = asked.described(int(status[0]))
    return f"{asked}: {text}"
