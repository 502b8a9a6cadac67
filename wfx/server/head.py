"""The head of an HTTP request: what one may look like (rest-api sections 1 and 2), and reading it off the wire.

Both engines read HTTP/1.1 by the same parser and through the same class, so both refuse the same things. The parser
(llhttp) sees to the framing: it takes no bare LF, no folded lines, no space before a colon, no NUL, no two lengths, no
length beside a transfer coding. Its notion of a change of the protocol is not used: here a request is followed by its
body, whatever protocol it offers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import httptools

from wfx.server import refusal
from wfx.server.refusal import Refusal

_REFUSALS: dict[type[httptools.HttpParserError], Refusal] = {
    httptools.HttpParserInvalidMethodError: refusal.BAD_METHOD,
    httptools.HttpParserInvalidURLError: refusal.BAD_TARGET,
}
MAX_FIELDS = 200
"""Header fields that a request may have."""
MAX_TARGET = 64 * 1024
"""Bytes that a request target may have."""
HEAD_SLACK = 4096
"""Bytes that a head may have beyond the option ``max-header-size`` (server section 5)."""
SLICE = 4096
"""Bytes parsed at once. What follows waits until the requests in it are answered, so pipelining holds no memory."""

_TARGET = re.compile(rb'/[!"$-~]*')
"""A path with a query: visible ASCII without a fragment."""
_ABSOLUTE = re.compile(rb'https?://([^/?#]+)([/?][!"$-~]*)?', re.IGNORECASE)
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]{0,5})?")
_VERSIONS = ("1.1", "1.0")
_TELLING = frozenset({b"host", b"expect", b"transfer-encoding", b"content-length"})
_FRAMING = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: %b\r\n%b: %b\r\n\r\n"
"""A head that says nothing but whether the connection goes on and how long the body is."""

RawHeaders = list[tuple[bytes, bytes]]


class Target(NamedTuple):
    """What is asked for."""

    path: bytes
    query: bytes
    authority: bytes | None = None
    """The host of an absolute target, which counts instead of the header."""


def read_target(raw: bytes, method: bytes) -> Target | Refusal:
    """Take a request target apart: a path, a whole URL, or the ``*`` of OPTIONS."""
    if len(raw) > MAX_TARGET:
        return refusal.LONG_TARGET
    if _TARGET.fullmatch(raw):
        path, _, query = raw.partition(b"?")
        return Target(path, query)
    if raw == b"*" and method == b"OPTIONS":
        return Target(b"/", b"")
    if (absolute := _ABSOLUTE.fullmatch(raw)) is None or not valid_host(absolute[1]):
        return refusal.BAD_TARGET
    path, _, query = (absolute[2] or b"").partition(b"?")
    return Target(path or b"/", query, absolute[1])


@lru_cache(maxsize=1024)
def valid_host(value: bytes) -> bool:
    """Tell whether this is a host and perhaps a port (RFC 9112 section 3.2); the empty one is allowed."""
    return _HOST.fullmatch(value) is not None


BETWEEN, HEAD, BODY = range(3)
"""Where in a request the parser is. (An enumeration would be looked up for each header field, which takes its time.)"""


class Refused(Exception):
    """Raised in a callback to stop the parser; the reason is in :attr:`HeadReader.refusal`."""


def new_parser(reader: HeadReader) -> httptools.HttpRequestParser:
    """Return a parser that calls this reader; what follows the last request of a connection it ignores."""
    parser = httptools.HttpRequestParser(reader)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


class HeadReader:
    """The callbacks by which the parser tells what it found; engines add what they do about it."""

    __slots__ = (
        "_framing",
        "_got_body",
        "_head",
        "_skipped",
        "expects_continue",
        "headers",
        "max_head",
        "method",
        "parser",
        "path",
        "phase",
        "query",
        "refusal",
        "url",
        "version",
    )
    parser: httptools.HttpRequestParser

    def __init__(self, max_head: int) -> None:
        """Take heads of at most so many bytes."""
        self.max_head = max_head
        self.phase = BETWEEN
        self.refusal: Refusal | None = None
        """Why reading has ended for good."""
        self.headers: RawHeaders = []
        self.url = b""
        self.method = b""
        self.path = b""
        self.query = b""
        self.version = ""
        self.expects_continue = False
        self._head = 0
        """Bytes that came in slices before, of the present head, or of the end of a chunked body."""
        self._got_body = False
        """Whether some of a body was in the last slice."""
        self._framing: tuple[bytes, bytes] | None = None
        """The field that says how long the body of the present request is, where it has one."""
        self._skipped: tuple[bytes, bytes] | None = None
        """The same, if the parser takes the present request to have no body all the same."""

    def parse(self, data: bytes | memoryview) -> None:
        """Give the parser more. Sets :attr:`refusal` when this is not how HTTP goes, or too much of it.

        An offer to change the protocol is ignored, which any server may (RFC 9110 section 7.8). The parser stops
        behind the head of such a request, and would read its body as the next request.
        """
        self._got_body = False
        while True:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as offer:
                data = data[offer.args[0] :]
                if self._skipped is not None:
                    self._read_body(self._skipped)
            except httptools.HttpParserError as exc:
                self.refusal = self.refusal or _REFUSALS.get(type(exc), refusal.MALFORMED)
                return
        if self.phase != BETWEEN:
            self._measure(len(data))

    def _read_body(self, framing: tuple[bytes, bytes]) -> None:
        """Begin with the body that the parser skips, by a new parser that is told of nothing but the framing."""
        connection = b"keep-alive" if self.parser.should_keep_alive() else b"close"
        self.parser = new_parser(self)
        self.parser.feed_data(_FRAMING % (connection, *framing))
        self._skipped = None
        self.phase = BODY
        self.headers = []

    def _measure(self, added: int) -> None:
        """Refuse what grows too large before it is complete; the exact size is looked at once it is."""
        self._head = 0 if self._got_body else self._head + added
        if len(self.url) > MAX_TARGET:
            self.refusal = refusal.LONG_TARGET
        elif self._head > self.max_head + SLICE:
            self.refusal = refusal.LARGE_HEAD
        elif len(self.headers) > MAX_FIELDS:
            self.refusal = refusal.MANY_FIELDS

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.phase = HEAD
        self.headers = []
        self.url = b""
        self._head = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the request target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Judge the head, and let the engine have it if it may pass."""
        if self._skipped is not None:
            return
        self.refusal = self._judge_fields() or self._judge_line()
        if self.refusal is not None:
            raise Refused
        self._skipped = self._framing if self.parser.should_upgrade() else None
        self.phase = BODY
        self._head = 0
        self.head_complete()
        self.headers = []  # fields after a body do not count: nobody asked for them

    def head_complete(self) -> None:
        """Do what is to be done about a request whose head has passed."""
        raise NotImplementedError

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._got_body = True
        self.body_piece(body)

    def body_piece(self, body: bytes) -> None:
        """Do what is to be done with a piece of a body."""
        raise NotImplementedError

    def on_message_complete(self) -> None:
        """End a request."""
        if self._skipped is None:
            self.phase = BETWEEN
            self.message_complete()

    def message_complete(self) -> None:
        """Do what is to be done at the end of a request."""
        raise NotImplementedError

    def _judge_line(self) -> Refusal | None:
        if self.version not in _VERSIONS:
            return refusal.BAD_VERSION
        if self.method == b"CONNECT":
            return refusal.BAD_TARGET
        url = self.url
        if url[:1] == b"/" and b"#" not in url and len(url) <= MAX_TARGET:  # what most send; the parser saw to the rest
            self.path, _, self.query = url.partition(b"?")
            return None
        target = read_target(url, self.method)
        if isinstance(target, Refusal):
            return target
        self.path, self.query, authority = target
        if authority is not None:
            self.headers = [(b"host", authority), *(field for field in self.headers if field[0] != b"host")]
        return None

    def _judge_fields(self) -> Refusal | None:
        self.version = self.parser.get_http_version()
        self.method = self.parser.get_method()
        self.expects_continue = False
        self._framing = None
        hosts = []
        for name, value in self.headers:
            if name not in _TELLING:
                continue
            if name == b"host":
                hosts.append(value)
            elif name == b"expect":
                self.expects_continue = value.lower() == b"100-continue" and self.version == "1.1"
            elif self._framing is not None:
                return refusal.MALFORMED
            elif name == b"content-length":
                self._framing = (name, value) if value.strip(b"0") else None
            elif value.lower() == b"chunked":
                self._framing = (name, value)
            else:
                return refusal.BAD_CODING
        if len(self.headers) > MAX_FIELDS:
            return refusal.MANY_FIELDS
        if self._head + SLICE > self.max_head and self._size() > self.max_head:
            return refusal.LARGE_HEAD
        return self._judge_hosts(hosts)

    def _judge_hosts(self, hosts: list[bytes]) -> Refusal | None:
        if len(hosts) == 1:
            return None if valid_host(hosts[0]) else refusal.BAD_HOST
        if hosts:
            return refusal.MANY_HOSTS
        return refusal.NO_HOST if self.version == "1.1" else None

    def _size(self) -> int:
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers)
        return len(self.method) + len(self.url) + len("  HTTP/1.1\r\n\r\n") + fields
