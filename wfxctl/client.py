"""HTTP: the one module of wfxctl that knows the HTTP library (cli section 4)."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from wfx.client import bodies
from wfx.client.errors import Unreadable
from wfx.commandline.client_tls import ClientTls
from wfxctl import curl, deadline
from wfxctl.exchange import Exchange
from wfxctl.failures import Unreachable
from wfxctl.targets import Target

# httpx drags in its own command line with everything that needs; leaving that out halves the time the import takes.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how Python marks a missing module

import httpx  # noqa: E402  # see above

from wfx.client import transport  # noqa: E402  # see above

TIMEOUT = 10.0
"""Seconds for a whole exchange, from connecting to the last byte."""

_HEADERS = {"User-Agent": "wfxctl", "Accept-Encoding": "gzip"}
_NO_HEADERS: Mapping[str, str] = {}
_LONGEST_PAUSE = 3600.0
"""Seconds that a server can make us wait."""

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered."""

    status: int
    body: str
    exchange: Exchange
    retry_after: float = 0.0
    """Seconds in which the server wants no further request."""
    etag: str = ""
    """The header that tells this state of what was asked for from others."""

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
    retry_after: float = 0.0
    """As in an answer."""


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
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> HttpAnswer:
        """Make one exchange; every status is an answer.

        Raises Unreachable when there is no complete answer in time, or one that is too large.
        """
        url = self._url(path, query)
        asked = Exchange(method, url, self.target.proxy)
        fields = {**headers} if body is None else {**headers, "Content-Type": "application/json"}
        self._show_as_curl(method, url, fields, body)

        def exchange() -> HttpAnswer:
            with self._opened(httpx.Timeout(TIMEOUT)) as client:
                response = self._answer(client, client.build_request(method, url, content=body, headers=fields))
                with closing(response):
                    text = bodies.whole(_pieces(response)).decode("utf-8", "replace")
                    pause, etag = _seconds(response.headers.get("Retry-After", "")), response.headers.get("ETag", "")
                    return HttpAnswer(response.status_code, text, _led_to(asked, response.url), pause, etag)

        with _failures_named(asked):
            return deadline.begin(exchange)(TIMEOUT)

    def fetch(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> str:
        """Return the body of a successful answer. Raises RefusedByServer for any other answer, Unreachable for none."""
        answer = self.send(method, path, query, body, headers)
        if not answer.succeeded:
            raise answer.exchange.refusal(answer.status, answer.body, answer.retry_after)
        return answer.body

    @contextmanager
    def stream(
        self, path: str, query: Query, headers: Mapping[str, str], silence: float | None = None
    ) -> Iterator[OpenStream]:
        """Open a stream without a time limit.

        Raises Unreachable when it cannot be opened, breaks off, or nothing comes for ``silence`` seconds.
        """
        url = self._url(path, query)
        asked = Exchange("GET", url, self.target.proxy)
        self._show_as_curl("GET", url, headers, None)
        timeout = httpx.Timeout(TIMEOUT, read=silence)
        with _failures_named(asked), self._opened(timeout) as client:
            request = client.build_request("GET", url, headers=[(k.encode(), v.encode()) for k, v in headers.items()])
            with closing(self._answer(client, request)) as response:
                pause = _seconds(response.headers.get("Retry-After", ""))
                yield OpenStream(response.status_code, _pieces(response), _led_to(asked, response.url), pause)

    def _url(self, path: str, query: Query) -> str:
        return self.target.url + path + ("?" + urlencode(query, safe=",") if query else "")

    def _show_as_curl(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> None:
        if self._sending is not None:
            self._sending(curl.command(self.target, self._tls, method, url, headers, self._headers, body))

    def _answer(self, client: httpx.Client, request: httpx.Request) -> httpx.Response:
        return transport.opened(client, request, [name for name, _ in self._headers])

    @contextmanager
    def _opened(self, timeout: httpx.Timeout) -> Iterator[httpx.Client]:
        port = httpx.URL(self.target.url).port or 0
        if not 0 <= port < 2**16:  # the resolver would take the rest of a division
            raise httpx.InvalidURL(f"there is no port {port}")
        ways = transport.blocking(self.target.socket, self.target.proxy, lambda: self._trust)
        with httpx.Client(**ways, timeout=timeout, trust_env=False) as client:
            client.headers.update(_HEADERS)
            del client.headers["Accept"]
            client.headers.update(self._headers)
            yield client

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return self._tls.context()


def _seconds(retry_after: str) -> float:
    """Read the header Retry-After; a date, which servers of this API do not send, and nonsense are no pause."""
    return min(float(retry_after), _LONGEST_PAUSE) if re.fullmatch(r"[0-9]{1,19}", retry_after) else 0.0


def _pieces(response: httpx.Response) -> Iterator[bytes]:
    return bodies.unpacked(response.iter_raw(), response.headers.get("Content-Encoding", ""))


@contextmanager
def _failures_named(asked: Exchange) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, OverflowError) as exc:
        # The last two are what the system's resolver raises for impossible hosts and ports.
        raise Unreachable(_described(exc, asked)) from exc
    except Unreadable as exc:
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
