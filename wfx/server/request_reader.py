"""Reader of HTTP/1.1 requests: finds where each begins and ends, and rejects malformed ones.

First lines are read here, and the length of a body is determined here. Fields and chunks are left to parsers (llhttp),
one for all heads and a new one for each chunked body, which reject bare LF, folded lines, a space before a colon, and
NUL. They are given one request at a time and nothing beyond its end, so how they interpret a request (an offer to
change the protocol, say) cannot move the start of the next.
"""

from __future__ import annotations

import re

import httptools

from wfx.server import edge_errors
from wfx.server.edge_errors import Refusal
from wfx.server.header_fields import Field, Fields, check_fields
from wfx.server.request_line import MAX_FIELDS, USUAL_LINE, check_incomplete_line, read_line
from wfx.short_key_cache import ShortKeyCache

BETWEEN, LINE, FIELDS, BODY = range(4)
"""Phases of the reader. (Members of an enumeration take longer to look up, which counts for each request.)"""

_SLICE = 4096
"""Bytes of a head or of chunks that are parsed at once, so that the limits apply early."""
_END = b"\r\n\r\n"
"""The end of each head and of each chunked body."""
_REACH = _SLICE + len(_END)
_LINE = b"HTTP/1.1 204 "
"""The line that the parser of heads is given instead of the request's: of a message that has no body, whatever its
fields say, and that cannot change the protocol."""
_CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked" + _END
"""The head that the parser of a chunked body is given."""
_LINE_END = b"\r\n"
_NOT_BLANK = re.compile(rb"[^\r\n]")
_CACHE: ShortKeyCache[Fields] = ShortKeyCache(most=1024, longest=512)
"""Fields of HTTP/1.1 requests by the bytes that they were parsed from."""


class _Found:
    """Collects what the parser finds; the methods are its callbacks."""

    __slots__ = ("body", "ended", "fields")

    def __init__(self) -> None:
        self.fields: list[Field] = []
        """Header fields; behind a body, those of the trailer."""
        self.body: list[bytes] = []
        self.ended = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.ended = True


def _head_parser(found: _Found) -> httptools.HttpResponseParser:
    parser = httptools.HttpResponseParser(found)
    parser.set_dangerous_leniencies(lenient_keep_alive=True)  # the reader decides which request is the last
    return parser


def _chunk_parser(found: _Found) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(found)
    parser.feed_data(_CHUNKED)
    found.fields = []
    found.ended = False
    return parser


class RequestReader:
    """Reads one request after the other; engines override the callbacks at the end."""

    __slots__ = (
        "_at",
        "_authority",
        "_chunked",
        "_data",
        "_found",
        "_head",
        "_heads",
        "_left",
        "_parser",
        "_prefix",
        "expects_continue",
        "headers",
        "max_head",
        "method",
        "path",
        "phase",
        "query",
        "refusal",
        "stays",
        "version",
    )

    def __init__(self, max_head: int) -> None:
        """Read heads of at most ``max_head`` bytes."""
        self.max_head = max_head
        self.phase = BETWEEN
        self.refusal: Refusal | None = None
        """Why nothing more is read from this connection; None as long as reading goes on."""
        self.method = b""
        self.path = b""
        self.query = b""
        self.version = ""
        self.headers: list[Field] = []
        self.stays = False
        """Whether the client wants to keep the connection after this request."""
        self.expects_continue = False
        """Whether the client waits for ``100 Continue`` before it sends the body."""
        self._data = b""
        self._at = 0
        """The position up to which the data is read."""
        self._authority: bytes | None = None
        self._head = 0
        """Bytes of the present head, or of chunk framing since the last content."""
        self._left = 0
        """Bytes of the present body that are still to come, where its length is known."""
        self._chunked = False
        self._found = _Found()
        self._heads = _head_parser(self._found)
        self._parser: httptools.HttpRequestParser | httptools.HttpResponseParser = self._heads
        self._prefix = b""
        """What the parser is to be given before the next data."""

    @property
    def pending(self) -> bool:
        """Whether data was received that is not read yet."""
        return self._at < len(self._data)

    def add(self, data: bytes) -> None:
        """Add received data, to be read later."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def read(self) -> bool:
        """Read one step, never beyond the end of a request; return whether there was enough data for it.

        Sets :attr:`refusal` when the data is malformed or exceeds a limit; then nothing more is read.
        """
        if self._at >= len(self._data) or self.refusal is not None:
            return False
        if self.phase == BODY:
            return self._read_chunks() if self._chunked else self._read_content()
        return self._read_fields() if self.phase == FIELDS else self._read_line()

    def request_begun(self) -> None:
        """Handle the first byte of a request."""

    def head_complete(self) -> None:
        """Handle a head that is complete and valid."""
        raise NotImplementedError

    def body_piece(self, body: bytes) -> None:
        """Handle a piece of a body."""
        raise NotImplementedError

    def message_complete(self) -> None:
        """Handle the end of a request."""
        raise NotImplementedError

    def drop(self) -> None:
        """Discard received data that is not read yet."""
        self._data = b""
        self._at = 0

    def _stop(self, reason: Refusal) -> bool:
        self.refusal = reason
        self.drop()
        return False

    def _read_line(self) -> bool:
        data, at = self._data, self._at
        if self.phase == BETWEEN:
            if data[at] in _LINE_END:
                first = _NOT_BLANK.search(data, at)
                self._at = at = len(data) if first is None else first.start()
                if first is None:
                    return False
            self.phase = LINE
            self.request_begun()
        usual = USUAL_LINE.match(data, at)
        if usual is None:
            end = self._parse_unusual_line(data[at : data.find(b"\n", at) + 1 or None]) + at
            if end == at:
                return False
        else:
            self.method, self.path, self.query = usual.groups(b"")
            self.version = "1.1"
            self._authority = None
            end = usual.end()
        self.phase = FIELDS
        self._at = end - 2  # keeps the line's CRLF, so that a head without fields ends like all others
        self._head = end - at - 2
        self._prefix = _LINE
        self._found.ended = False
        return self._read_fields()

    def _parse_unusual_line(self, line: bytes) -> int:
        """Parse any first line; return its length, or 0 if it is refused or not complete."""
        self.method = line.partition(b" ")[0]
        read = read_line(line) if line[-1:] == b"\n" else check_incomplete_line(line, self.max_head)
        if read is None or isinstance(read, Refusal):
            if read is not None:
                self._stop(read)
            return 0
        (self.path, self.query, self._authority), self.version = read
        return len(line)

    def _read_fields(self) -> bool:
        data, at = self._data, self._at
        end = data.find(_END, at, at + _REACH) + 4
        complete = end > 3
        if not complete:
            end = min(at + _SLICE, len(data) - 3)  # keeps a divided end of the head back until it is complete
            if end <= at:
                return False
        self._head += end - at
        if self._head > self.max_head:
            return self._stop(edge_errors.LARGE_HEAD)
        # All fields, if they are parsed at once.
        block = data[at:end] if complete and self._prefix and self.version == "1.1" else None
        if block is not None and (known := _CACHE.get(block)) is not None:
            self._at = end
            self._prefix = b""
            return self._accept_head(known)
        if not self._parse(end):
            return False
        if len(self._found.fields) > MAX_FIELDS:
            return self._stop(edge_errors.MANY_FIELDS)
        return self._end_head(block) if complete else True

    def _parse(self, end: int) -> bool:
        """Parse the data up to ``end``."""
        data = self._prefix + self._data[self._at : end]
        self._prefix = b""
        self._at = end
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            return self._stop(edge_errors.MALFORMED)
        return True

    def _end_head(self, block: bytes | None) -> bool:
        """Check the fields of a head that is complete, and remember those of a block."""
        found = self._found
        read = check_fields(found.fields, self.version) if found.ended else edge_errors.MALFORMED
        found.fields = []
        if isinstance(read, Refusal):
            return self._stop(read)
        if block is not None:
            _CACHE.put(block, read)
        return self._accept_head(read)

    def _accept_head(self, fields: Fields) -> bool:
        """Pass a valid head to the engine, and read the body as far as it is there."""
        headers, self._left, self._chunked, self.stays, self.expects_continue = fields
        self.headers = [*headers]
        if self._authority is not None:
            self.headers = [(b"host", self._authority), *(field for field in headers if field[0] != b"host")]
        self.phase = BODY
        self._head = 0
        self.head_complete()
        self.headers = []
        if self._chunked:
            self._parser = _chunk_parser(self._found)
        elif self._left:
            if self._at < len(self._data) and self.refusal is None:
                return self._read_content()
        else:
            self.phase = BETWEEN
            self.message_complete()
        return True

    def _read_content(self) -> bool:
        """Read a body whose length is known."""
        body = self._data[self._at : self._at + self._left]
        self._at += len(body)
        self._left -= len(body)
        return self._pass_on(body, ended=not self._left)

    def _read_chunks(self) -> bool:
        """Read a chunked body."""
        at = self._at
        end = self._data.find(_END, at, at + _REACH) + 4
        if end < 4:
            end = min(at + _SLICE, len(self._data) - 3)
        if end <= at or not self._parse(end):
            return False
        body, ended = b"".join(self._found.body), self._found.ended
        reason = self._check_chunks(end - at)
        if reason is not None:
            return self._stop(reason)
        if ended:
            self._parser = self._heads
        return self._pass_on(body, ended=ended)

    def _pass_on(self, body: bytes, *, ended: bool) -> bool:
        if body:
            self.body_piece(body)
            if self.refusal is not None:
                return False
        if ended:
            self.phase = BETWEEN
            self.message_complete()
        return True

    def _check_chunks(self, size: int) -> Refusal | None:
        """Check the size of what surrounds the content of a chunked body: lines of chunks, and the trailer."""
        found = self._found
        fields = len(found.fields)
        self._head = 0 if found.body else self._head + size
        found.body = []
        if found.ended:
            found.fields = []  # trailer fields are ignored
        if self._head > self.max_head:
            return edge_errors.LARGE_HEAD
        return edge_errors.MANY_FIELDS if fields > MAX_FIELDS else None
