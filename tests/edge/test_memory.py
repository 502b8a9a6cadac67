"""What requests leave in memory once they are over: nothing, even if Python's collector of cycles never looks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from rawhttp import Wire

from tests.edge import http2
from tests.edge.conftest import ENGINES
from tests.edge.corpus import CASES, Case, canary
from tests.edge.test_corpus import ask
from wfx.demo.local import LocalService

LARGE = 900_000
FILLER = b"X: " + b"x" * LARGE + b"\r\n"
HEADS = [case for case in CASES if case.row == 29 and len(case.data) > LARGE]
TIMES = 30
MOST = 12_000_000
"""Bytes by which the service may grow: half of what is sent in the least of the cases."""


@pytest.fixture(scope="module", params=ENGINES)
def uncollected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine, whose collector of cycles is off."""
    folder: Path = tmp_path_factory.mktemp(f"uncollected-{request.param}")
    (folder / "sitecustomize.py").write_text("import gc\n\ngc.disable()\n")
    options = (f"--http-engine={request.param}",)
    with LocalService(folder, *options, environment={"PYTHONPATH": str(folder)}) as service:
        yield service


def assert_flat(service: LocalService, work: Callable[[int], object]) -> None:
    """Doing this again and again must not take more memory than doing it a few times."""
    assert service.process is not None
    process = psutil.Process(service.process.pid)
    for _ in range(TIMES // 3):
        work(service.ports["south"])
    before = process.memory_info().rss
    for _ in range(TIMES):
        work(service.ports["south"])
    grown = process.memory_info().rss - before
    assert grown < MOST, f"{grown} bytes more"


@pytest.mark.parametrize("case", HEADS, ids=[case.name for case in HEADS])
def test_heads(uncollected: LocalService, case: Case) -> None:
    """Row 29: large headers, targets and trailers leave nothing in memory, refused or not."""
    assert_flat(uncollected, lambda port: ask(port, case.data + canary()))


def test_broken_off(uncollected: LocalService) -> None:
    """Row 29: a header of which the client sent only a part leaves nothing in memory."""

    def send_part(port: int) -> None:
        with Wire(port) as wire:
            wire.send(b"GET / HTTP/1.1\r\nHost: wfx.test\r\n" + FILLER)
            leave(wire.socket)

    assert_flat(uncollected, send_part)


def test_streams(uncollected: LocalService) -> None:
    """Row 29: event streams that were asked for with a large header leave little in memory once they are closed."""

    def follow(port: int) -> None:
        with Wire(port) as wire:
            wire.send(b"GET /api/wfx/v1/jobs/events HTTP/1.1\r\nHost: wfx.test\r\n" + FILLER + b"\r\n")
            wire.until(b"\r\n\r\n")
            leave(wire.socket)

    assert_flat(uncollected, follow)


def test_refused_changes(uncollected: LocalService) -> None:
    """Row 29: a change that is refused for what is in the store leaves nothing of its request in memory."""
    body = b'{"state":"INSTALLED","context":{"log":"' + b"x" * LARGE + b'"}}'
    head = (
        b"PUT /api/wfx/v1/jobs/01900000-0000-7000-8000-000000000000/status HTTP/1.1\r\nHost: wfx.test\r\n"
        b"Connection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )

    def change(port: int) -> None:
        _, answers = ask(port, head + body)
        assert [answer.status for answer in answers] == [404]

    assert_flat(uncollected, change)


@pytest.mark.parametrize("uncollected", ["hypercorn"], indirect=True)
def test_http2(uncollected: LocalService) -> None:
    """Row 29: a header over HTTP/2 of which the client sent only a part leaves nothing in memory."""
    part = b"x" * 16_000

    def send_part(port: int) -> None:
        with http2.Client(port) as client:
            client.flush(http2.frame(1, 0, 1, part) + http2.frame(9, 0, 1, part) * 50)
            leave(client.socket)

    assert_flat(uncollected, send_part)


def leave(connection: socket.socket) -> None:
    """Send no more, and wait until the service has ended the connection too."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass
