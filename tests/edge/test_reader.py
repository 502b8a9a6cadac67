"""The reader of HTTP/1.1 by itself: what it makes of bytes does not depend on how they come."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.edge.corpus import CASES, Case, canary
from tests.edge.smuggling import CASES as SMUGGLING
from wfx.server import refusal
from wfx.server.reader import RequestReader

_SHORT = 2000


class Noting(RequestReader):
    """Notes all that it is to do."""

    def __init__(self) -> None:
        """Begin with nothing."""
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
    assert ended == [(1, 1), (2, 1), (2, 2)]
    assert reader.refusal is None


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
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
    assert reader.refusal is refusal.MALFORMED
    assert reader.requests == []
