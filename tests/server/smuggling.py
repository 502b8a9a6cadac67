"""Requests that could be taken for two: each method and each field that has to do with framing, with a request as body.

Every case is a request whose body is itself a request, with one more request behind it. What must come of it is the
same everywhere: the request is answered, and with it the one behind; or it is refused, and nobody sees any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle, islice, product

KNOWN = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "COPY", "LOCK", "MKCOL", "MOVE",
    "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY",
    "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PURGE", "MKCALENDAR", "LINK", "UNLINK",
    "SOURCE",
)  # fmt: skip
STRANGE = ("CONNECT", "PRI", "BREW", "get", "Post", "connect", "DESCRIBE", "SETUP", "FLUSH", "GE", "GETX")
"""Methods that are refused."""

Lines = tuple[str, ...]
_UPGRADE = ("Connection: Upgrade", "Upgrade: x")
_H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
_WEBSOCKET = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: x")
FIELDS: tuple[Lines, ...] = (
    (),
    _UPGRADE,
    ("Upgrade: x", "Connection: Upgrade"),
    ("Connection: keep-alive, Upgrade", "Upgrade: x"),
    ("Connection: Upgrade, keep-alive", "Upgrade: x, y/1"),
    ("connection: upgrade", "upgrade: websocket", *_WEBSOCKET),
    _H2C,
    ("HTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: h2c"),
    ("Connection: keep-alive", "Connection: Upgrade", "Upgrade: x"),
    ("Connection: Upgrade", "Connection: keep-alive", "Upgrade: x"),
    ("Connection: ,\t,UPGRADE ,", "Upgrade: TLS/1.0, HTTP/1.1"),
    ('Connection: "Upgrade"', "Upgrade: x"),
    ("Connection: Upgrade", "Upgrade:"),
    ("Connection: Upgrade", "Upgrade: x", "Upgrade: y"),
    ("Connection: Upgrade",),
    ("Upgrade: x",),
    ("Proxy-Connection: Upgrade", "Upgrade: x"),
    ("Proxy-Connection: close",),
    ('Connection: "close", closed',),
    ("Connection: Content-Length",),
    ("Connection: Transfer-Encoding, Host",),
    (*_UPGRADE, "Connection: Content-Length, Transfer-Encoding"),
    ("Expect: 100-continue",),
    ("Expect: 100-continue", *_UPGRADE),
    ("Expect: something", *_UPGRADE),
    ("TE: trailers, chunked", "Connection: TE"),
    ("Trailer: Content-Length, Transfer-Encoding", *_UPGRADE),
    ("Keep-Alive: timeout=5, max=1", "Connection: keep-alive"),
    ("Content_Length: 1", "Transfer_Encoding: chunked", *_UPGRADE),
    ("X-Transfer-Encoding: chunked", "Content-Lengths: 1"),
    ("X-HTTP-Method-Override: CONNECT", "Max-Forwards: 0", *_UPGRADE),
    ("Content-Encoding: identity", "Content-Range: bytes 0-4/5", *_UPGRADE),
)
"""Fields that change nothing about where a request ends, so that they are taken."""
LAST: tuple[Lines, ...] = (
    ("Connection: close",),
    ("Connection: close, Upgrade", "Upgrade: x"),
    ("Connection: Upgrade, close", "Upgrade: h2c"),
    ("Connection: Upgrade", "Upgrade: x", "Connection: close"),
)
"""Fields after which the connection ends with the answer."""
BROKEN: tuple[Lines, ...] = (
    ("Content-Length: {length}", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: {length}"),
    ("Transfer-Encoding: chunked", "Content-Length: 0"),
    ("Content-Length: 0", "Transfer-Encoding: chunked"),
    ("Content-Length: {length}", "Content-Length: {length}"),
    ("Content-Length: 0", "Content-Length: {length}"),
    ("Content-Length: {length}, {length}",),
    ("Content-Length: +{length}",),
    ("Content-Length:",),
    ("Transfer-Encoding: identity",),
    ("Transfer-Encoding: identity", "Content-Length: {length}"),
    ("Transfer-Encoding: gzip, chunked",),
    ("Transfer-Encoding: chunked, chunked",),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: xchunked",),
    ("Transfer-Encoding:",),
    ("Transfer-Encoding : chunked",),
    ("Content-Length : {length}",),
    ("Upgrade : x", "Connection: Upgrade", "Content-Length: {length}"),
)
"""Framing that is refused."""
_HOST = "Host: wfx.test\r\n"
_OFFERS = (_UPGRADE, _H2C, ("Expect: 100-continue", *_UPGRADE), ())
"""What is tried with every method."""


@dataclass(frozen=True, slots=True)
class Smuggling:
    """One case."""

    number: int
    method: str
    framing: str
    fields: Lines
    first: bool
    """Whether the fields come before those that frame the body."""
    passes: bool
    """Whether the request is answered, and not refused."""
    ends: bool
    """Whether the connection ends with the first answer."""

    @property
    def path(self) -> str:
        """The path that is asked for."""
        return f"/{self.number}"

    @property
    def behind(self) -> str:
        """The path of the request behind."""
        return f"/{self.number}/behind"

    @property
    def body(self) -> str:
        """A request that nobody has sent."""
        return f"GET /{self.number}/smuggled HTTP/1.1\r\n{_HOST}\r\n"

    def data(self) -> bytes:
        """The bytes to send."""
        body = self.body
        match self.framing:
            case "none":
                framing, sent = "", ""
            case "length":
                framing, sent = f"Content-Length: {len(body)}\r\n", body
            case "empty":
                framing, sent = "Content-Length: 0\r\n", ""
            case "chunked":
                framing, sent = "Transfer-Encoding: chunked\r\n", f"{len(body):x};x=y\r\n{body}\r\n0\r\nX: y\r\n\r\n"
            case broken:
                framing, sent = broken.replace("{length}", str(len(body))), body
        fields = "".join(line + "\r\n" for line in self.fields)
        lines = _HOST + (fields + framing if self.first else framing + fields)
        behind = f"GET {self.behind} HTTP/1.1\r\n{_HOST}Connection: close\r\n\r\n"
        return f"{self.method} {self.path} HTTP/1.1\r\n{lines}\r\n{sent}{behind}".encode()

    @property
    def bodies(self) -> dict[str, int]:
        """The requests that there are, with the length of their bodies."""
        if not self.passes:
            return {}
        whole = {self.path: len(self.body) if self.framing in ("length", "chunked") else 0}
        return whole if self.ends else {**whole, self.behind: 0}

    def __str__(self) -> str:
        """Name the case."""
        return f"{self.method} {', '.join(self.fields)} / {self.framing} ({'before' if self.first else 'behind'})"


def cases() -> Iterator[Smuggling]:
    """Return every method with some fields and every field with some methods, with all framings, in either order."""
    framed = ("length", "chunked", "empty", "none")
    broken = ["".join(line + "\r\n" for line in lines) for lines in BROKEN]
    some = cycle(("POST", "GET", "PUT", "DELETE", "HEAD"))
    orders = cycle((True, False))
    kinds = chain(
        zip(product((*KNOWN, *STRANGE), framed[:2], _OFFERS), orders, strict=False),
        (((method, framing, fields), True) for method, framing, fields in product(STRANGE, framed[2:], _OFFERS)),
        (((next(some), framing, fields), first)
         for framing, fields, first in product(framed, FIELDS + LAST, (True, False))),
        (((next(some), framing, fields), first)
         for framing, fields, first in product(broken, FIELDS[:8] + LAST, (True, False))),
    )  # fmt: skip
    for number, ((method, framing, fields), first) in enumerate(kinds):
        passes = method in KNOWN and framing in framed
        yield Smuggling(number, method, framing, fields, first, passes, fields in LAST or not passes)


CASES = tuple(cases())
SOME = tuple(islice(CASES, 0, None, 13))
"""Those that are also sent byte by byte."""
