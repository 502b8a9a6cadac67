"""The reader of HTTP/1.1 by itself: what it makes of bytes does not depend on how they come."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.server.corpus import CASES, Case, canary
from tests.server.smuggling import CASES as SMUGGLING
from wfx.server import edge_errors
from wfx.server.header_fields import Fields, check_fields
from wfx.server.request_reader import BODY, RequestReader
from wfx.short_key_cache import ShortKeyCache

_SHORT = 2000


class Noting(RequestReader):
    """Notes all that it is to do."""

    def __init__(self) -> None:
        super().__init__(1_004_096)
        self.requests: list[tuple[bytes, bytes, bytes, str, tuple[tuple[bytes, bytes], ...]]] = []
        self.bodies: list[bytes] = []
        self.complete = 0

    def head_complete(self) -> None:
        """Note a head."""
        self.requests.append((self.method, self.path, self.query, self.version, tuple(self.headers)))
        self.bodies.append(b"")

    def body_piece(self, body: bytes) -> None:
        """Note a piece of a body."""
        self.bodies[-1] += body

    def message_complete(self) -> None:
        """Note the end."""
        self.complete += 1


def noted(*pieces: bytes) -> tuple[Any, ...]:
    """Read pieces; return what was noted, and of bodies those that are complete."""
    reader = Noting()
    for piece in pieces:
        reader.add(piece)
        while reader.read():
            pass
    return reader.requests, reader.bodies[: reader.complete], reader.refusal


@pytest.mark.parametrize("case", [case for case in CASES if len(case.data) < _SHORT], ids=lambda case: case.name)
def test_pieces(case: Case) -> None:
    """Rows 26 to 31: whole, byte by byte and in any two pieces, the same is read and refused."""
    data = case.data + canary()
    whole = noted(data)
    assert noted(*(data[at : at + 1] for at in range(len(data)))) == whole
    for at in range(1, len(data)):
        assert noted(data[:at], data[at:]) == whole, f"divided before {data[at:]!r}"


def test_pieces_of_smuggling() -> None:
    """Row 26: requests with requests as bodies, and more behind them, are read the same however they are divided."""
    chance = random.Random(7)
    data = [case.data().replace(b"Connection: close", b"X: y") for case in SMUGGLING]
    for case in data:
        several = case + chance.choice(data) + canary()
        cuts = sorted(chance.sample(range(1, len(several)), 5))
        pieces = [several[start:end] for start, end in zip([0, *cuts], [*cuts, len(several)], strict=True)]
        assert noted(*pieces) == noted(several), several


def test_one_request_at_a_time() -> None:
    """A step of reading never goes beyond the end of a request: the one behind is not begun before it is asked for."""
    reader = Noting()
    reader.add(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /3 ")
    ended = []
    while reader.read():
        ended.append((len(reader.requests), reader.complete))
    assert ended == [(1, 1), (2, 2)]
    assert reader.refusal is None


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: unseen\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: unseen\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
])  # fmt: skip
def test_a_parser_that_sees_no_end(data: bytes) -> None:
    """Where the parser does not see the end of a head that the reader sees, the request is refused."""

    class Blind:
        """A parser that finds nothing."""

        def feed_data(self, data: bytes) -> None:
            """Find nothing."""

    reader = Noting()
    reader._parser = Blind()  # type: ignore[assignment]  # all that the reader calls
    reader.add(data)
    assert not reader.read()
    assert reader.refusal is edge_errors.MALFORMED
    assert reader.requests == []


def test_repeated_fields() -> None:
    """What one request does with its fields does not show in the next that has the same."""
    reader = Noting()
    for path in (b"/1", b"/2"):
        reader.add(b"PUT %b HTTP/1.1\r\nHost: repeated\r\nContent-Length: 1\r\nConnection: close\r\n\r\n" % path)
        assert reader.read()
        assert (reader.stays, reader.phase) == (False, BODY)
        reader.add(b"x")
        assert reader.read()
    first, second = reader.requests
    assert first[4] == second[4] == ((b"host", b"repeated"), (b"content-length", b"1"), (b"connection", b"close"))
    assert (first[1], second[1], reader.bodies) == (b"/1", b"/2", [b"x", b"x"])


def test_fields_of_another_version() -> None:
    """The fields of an HTTP/1.1 request mean something else in one of HTTP/1.0: there the connection ends."""
    fields = b"Host: version\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader = Noting()
    reader.add(b"PUT / HTTP/1.1\r\n" + fields + b"0\r\n\r\nPUT / HTTP/1.0\r\n" + fields)
    while reader.read():
        pass
    assert (reader.complete, reader.refusal) == (1, edge_errors.BAD_CODING)


def test_fields_that_are_kept_are_bounded() -> None:
    """Clients that send ever new fields, or long ones, take a bounded amount of memory for those that are kept."""
    cache: ShortKeyCache[Fields] = ShortKeyCache(most=1024, longest=512)
    fields = check_fields([(b"host", b"h")], "1.1")
    assert isinstance(fields, Fields)
    cache.put(b"x" * 513, fields)
    assert cache.get(b"x" * 513) is None
    for number in range(3000):
        cache.put(b"%d" % number, fields)
    assert sum(cache.get(b"%d" % number) is not None for number in range(3000)) <= 1024
    assert cache.get(b"2999") is fields
