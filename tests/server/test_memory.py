"""What requests leave in memory once they are over: nothing, even if Python's collector of cycles never looks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from left_behind import Inspected, Left
from rawhttp import Wire

from tests.server import http2
from tests.server.conftest import ENGINES
from tests.server.corpus import CASES, Case, canary
from tests.server.test_corpus import ask
from tests.waiting import eventually

LARGE = 900_000
FILLER = b"X: " + b"x" * LARGE + b"\r\n"
HEADS = [case for case in CASES if case.row == 29 and len(case.data) > LARGE]
TIMES = 20


@pytest.fixture(scope="module", params=ENGINES)
def uncollected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """A service of each engine, whose collector of cycles is off."""
    inspected = Inspected(tmp_path_factory.mktemp(f"uncollected-{request.param}"), f"--http-engine={request.param}")
    with inspected.service:
        yield inspected


def assert_nothing_left(inspected: Inspected, work: Callable[[int], object], *, in_cycles: int = 0) -> None:
    """After doing this again and again, not even the text of one request is left, nor an object for each.

    ``in_cycles`` is how many objects each may leave in cycles.
    """
    port = inspected.service.ports["south"]
    for _ in range(TIMES // 2):
        work(port)
    before = inspected.look()
    for _ in range(TIMES):
        work(port)
    found: list[Left] = []

    def is_clean() -> bool:
        found.append(inspected.look())
        return found[-1].bytes < before.bytes + LARGE and found[-1].objects < before.objects + TIMES

    try:
        eventually(is_clean, "it is gone")
    except AssertionError as exc:
        exc.add_note(f"before {before}, afterwards {found[-1]}")
        raise
    assert sum(left.bytes_in_cycles for left in found) < LARGE
    assert sum(left.objects_in_cycles for left in found) <= in_cycles * TIMES


@pytest.mark.parametrize("case", HEADS, ids=[case.name for case in HEADS])
def test_heads(uncollected: Inspected, case: Case) -> None:
    """Row 29: large headers, targets and trailers leave nothing in memory, refused or not."""
    assert_nothing_left(uncollected, lambda port: ask(port, case.data + canary()))


def test_broken_off(uncollected: Inspected) -> None:
    """Row 29: a header of which the client sent only a part leaves nothing in memory."""

    def send_part(port: int) -> None:
        with Wire(port) as wire:
            wire.send(b"GET / HTTP/1.1\r\nHost: wfx.test\r\n" + FILLER)
            leave(wire.socket)

    assert_nothing_left(uncollected, send_part)


def test_streams(uncollected: Inspected) -> None:
    """Row 29: event streams that were asked for with a large header leave little in memory once they are closed."""

    def follow(port: int) -> None:
        with Wire(port) as wire:
            wire.send(b"GET /api/wfx/v1/jobs/events HTTP/1.1\r\nHost: wfx.test\r\n" + FILLER + b"\r\n")
            wire.until(b"\r\n\r\n")
            leave(wire.socket)

    assert_nothing_left(uncollected, follow, in_cycles=200)


def test_refused_changes(uncollected: Inspected) -> None:
    """Row 29: a change that is refused for what is in the store leaves nothing of its request in memory."""
    body = b'{"state":"INSTALLED","context":{"log":"' + b"x" * LARGE + b'"}}'
    head = (
        b"PUT /api/wfx/v1/jobs/01900000-0000-7000-8000-000000000000/status HTTP/1.1\r\nHost: wfx.test\r\n"
        b"Connection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )

    def change(port: int) -> None:
        _, answers = ask(port, head + body)
        assert [answer.status for answer in answers] == [404]

    assert_nothing_left(uncollected, change)


@pytest.mark.parametrize("uncollected", ["hypercorn"], indirect=True)
def test_http2(uncollected: Inspected) -> None:
    """Row 29: a header over HTTP/2 of which the client sent only a part leaves nothing in memory."""
    part = b"x" * 16_000

    def send_part(port: int) -> None:
        with http2.Client(port) as client:
            client.flush(http2.frame(1, 0, 1, part) + http2.frame(9, 0, 1, part) * 50)
            leave(client.socket)

    assert_nothing_left(uncollected, send_part)


def leave(connection: socket.socket) -> None:
    """Send no more, and wait until the service has ended the connection too."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass
