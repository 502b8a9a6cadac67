"""Reader of HTTP/1.1 requests: where each begins and ends, and what is refused. Both engines read through it.

First lines are read here, and how long a body is, is decided here. Fields and chunks are left to a parser (llhttp),
which takes no bare LF, no folded lines, no space before a colon, no NUL. It is given one request at a time and nothing
beyond its end: whatever it makes of one, an offer to change the protocol say, the next begins where it does.
"""

from __future__ import annotations

import re

import httptools

from wfx.server import refusal
from wfx.server.head import MAX_FIELDS, USUAL_LINE, judge_beginning, read_line, valid_host
from wfx.server.refusal import Refusal

BETWEEN, LINE, FIELDS, BODY = range(4)
"""Where in a request the reader is. (An enumeration would be looked up for each request, which takes its time.)"""

_SLICE = 4096
"""Bytes of a head or of chunks that are parsed at once, so that what is too large is noticed early."""
_END = b"\r\n\r\n"
"""How each head ends, and each chunked body."""
_REACH = _SLICE + len(_END)
_LINE = b"POST / HTTP/1.1"
"""The first line that the parser is told, whatever the real one is: it is not to judge by that."""
_CHUNKED = _LINE + b"\r\nTransfer-Encoding: chunked" + _END
"""What a parser is told that has to read the chunks that the one before left out."""
_LINE_END = b"\r\n"
_NOT_BLANK = re.compile(rb"[^\r\n]")
_TELLING = frozenset({b"host", b"expect", b"connection", b"transfer-encoding", b"content-length"})
_MAX_DIGITS = 18
"""Digits of a length; no body is as long as that."""

Field = tuple[bytes, bytes]


class _Found:
    """What the parser found in what it was given; the methods are what it calls."""

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


def _new_parser(found: _Found) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(found)
    parser.set_dangerous_leniencies(lenient_keep_alive=True)  # which request is the last is not its business
    return parser


class RequestReader:
    """Reads one request after the other; engines add what they do about them."""

    __slots__ = (
        "_at",
        "_authority",
        "_chunked",
        "_data",
        "_found",
        "_head",
        "_left",
        "_parser",
        "_untold",
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
        """Take heads of at most so many bytes."""
        self.max_head = max_head
        self.phase = BETWEEN
        self.refusal: Refusal | None = None
        """Why reading has ended for good."""
        self.method = b""
        self.path = b""
        self.query = b""
        self.version = ""
        self.headers: list[Field] = []
        self.stays = False
        """Whether the client wants the connection to go on after this request."""
        self.expects_continue = False
        """Whether the client waits with its body until it is told to go on."""
        self._data = b""
        self._at = 0
        """Up to where the data is read."""
        self._authority: bytes | None = None
        self._head = 0
        """Bytes of the present head, or of chunks since the last of their content."""
        self._left = 0
        """Bytes of the present body that are still to come, where its length is known."""
        self._chunked = False
        self._found = _Found()
        self._parser = _new_parser(self._found)
        self._untold = b""
        """What the parser is to be told before anything else."""

    @property
    def pending(self) -> bool:
        """Whether something came that is not read yet."""
        return self._at < len(self._data)

    def add(self, data: bytes) -> None:
        """Take what came, to be read later."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def read(self) -> bool:
        """Read a step further, never beyond the end of a request; tell whether there was enough for a step.

        Sets :attr:`refusal` when this is not how HTTP goes, or too much of it; then reading has ended.
        """
        if self._at >= len(self._data) or self.refusal is not None:
            return False
        if self.phase == BODY:
            return self._read_body()
        return self._read_fields() if self.phase == FIELDS else self._read_line()

    def request_begun(self) -> None:
        """Do what is to be done when a request begins to come."""

    def head_complete(self) -> None:
        """Do what is to be done about a request whose head has passed."""
        raise NotImplementedError

    def body_piece(self, body: bytes) -> None:
        """Do what is to be done with a piece of a body."""
        raise NotImplementedError

    def message_complete(self) -> None:
        """Do what is to be done at the end of a request."""
        raise NotImplementedError

    def drop(self) -> None:
        """Forget what came and is not read yet."""
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
            end = self._judge_line(data[at : data.find(b"\n", at) + 1 or None]) + at
            if end == at:
                return False
        else:
            self.method, self.path, self.query = usual.groups(b"")
            self.version = "1.1"
            self._authority = None
            end = usual.end()
        self.phase = FIELDS
        self._at = end - 2  # so that there is an empty line behind in any case
        self._head = end - at - 2
        self._untold = _LINE
        self._found.ended = False
        return self._read_fields()

    def _judge_line(self, line: bytes) -> int:
        """Take a first line apart; gives its length, or 0 where it is refused or a part of it is missing."""
        self.method = line.partition(b" ")[0]
        read = read_line(line) if line[-1:] == b"\n" else judge_beginning(line, self.max_head)
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
            end = min(at + _SLICE, len(data) - 3)  # the end may come divided; the parser gets it in one piece
            if end <= at:
                return False
        self._head += end - at
        if self._head > self.max_head:
            return self._stop(refusal.LARGE_HEAD)
        if not self._parse(end):
            return False
        if len(self._found.fields) > MAX_FIELDS:
            return self._stop(refusal.MANY_FIELDS)
        return self._end_head() if complete else True

    def _parse(self, end: int) -> bool:
        """Parse what came up to there."""
        data = self._untold + self._data[self._at : end]
        self._untold = b""
        self._at = end
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return True  # raised at the end of the head, where no data is left
        except httptools.HttpParserError:
            return self._stop(refusal.MALFORMED)
        return True

    def _end_head(self) -> bool:
        """Judge the head, let the engine have it if it may pass, and see to the body."""
        found = self._found
        self.headers, found.fields = found.fields, []
        reason = self._judge_fields()
        if reason is not None:
            return self._stop(reason)
        if self._authority is not None:
            self.headers = [(b"host", self._authority), *(field for field in self.headers if field[0] != b"host")]
        self.phase = BODY
        self._head = 0
        self.head_complete()
        self.headers = []
        if self._left:
            self._parser = _new_parser(found)  # bodies of known length are not parsed: the old one still waits for it
        elif not self._chunked:
            self.phase = BETWEEN
            self.message_complete()
        elif found.ended:
            self._parser = _new_parser(found)
            self._parser.feed_data(_CHUNKED)
            found.fields = []
            found.ended = False
        return True

    def _read_body(self) -> bool:
        if self._left:
            body = self._data[self._at : self._at + self._left]
            self._at += len(body)
            self._left -= len(body)
            ended = not self._left
        else:
            at = self._at
            end = self._data.find(_END, at, at + _REACH) + 4
            if end < 4:
                end = min(at + _SLICE, len(self._data) - 3)
            if end <= at or not self._parse(end):
                return False
            body, ended = b"".join(self._found.body), self._found.ended
            reason = self._judge_chunks(end - at)
            if reason is not None:
                return self._stop(reason)
        if body:
            self.body_piece(body)
            if self.refusal is not None:
                return False
        if ended:
            self.phase = BETWEEN
            self.message_complete()
        return True

    def _judge_chunks(self, size: int) -> Refusal | None:
        """Judge how much there is around the content of a body: lines of chunks, and the trailer."""
        found = self._found
        fields = len(found.fields)
        self._head = 0 if found.body else self._head + size
        found.body = []
        if found.ended:
            found.fields = []  # fields after a body do not count: nobody asked for them
        if self._head > self.max_head:
            return refusal.LARGE_HEAD
        return refusal.MANY_FIELDS if fields > MAX_FIELDS else None

    def _judge_fields(self) -> Refusal | None:
        expects, self.stays = False, self.version == "1.1"
        host = framing = None
        for field in self.headers:
            name, value = field
            if name not in _TELLING:
                continue
            if name == b"host":
                if host is not None:
                    return refusal.MANY_HOSTS
                host = value
            elif name == b"connection":
                self.stays = self.stays and (value == b"keep-alive" or not _closes(value))
            elif name == b"expect":
                expects = value.lower() == b"100-continue" and self.version == "1.1"
            elif framing is not None:
                return refusal.MALFORMED
            else:
                framing = field
        self._left = 0
        self._chunked = False
        reason = self._judge_framing(framing)
        self.expects_continue = expects and (self._chunked or self._left > 0)
        if reason is not None:
            return reason
        if host is None:
            return refusal.NO_HOST if self.version == "1.1" else None
        return None if valid_host(host) else refusal.BAD_HOST

    def _judge_framing(self, framing: Field | None) -> Refusal | None:
        if framing is None:
            return None if self._found.ended else refusal.MALFORMED
        name, value = framing
        if name == b"content-length":
            if not value.isdigit() or len(value) > _MAX_DIGITS:
                return refusal.MALFORMED
            self._left = int(value)
            return None
        self._chunked = value.lower() == b"chunked" and self.version == "1.1"
        return None if self._chunked else refusal.BAD_CODING


def _closes(connection: bytes) -> bool:
    return b"close" in map(bytes.strip, connection.lower().split(b","))
