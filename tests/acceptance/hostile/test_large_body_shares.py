"""Large bodies are read by a few worker processes, in turns, and each client has its share."""

from __future__ import annotations

import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Self

import psutil
import pytest
from rawhttp import Wire

from tests.waiting import eventually, is_gone
from wfx.demo.local import LocalService

AT_ONCE = 5
WORKERS = 2
LATE = 120.0
"""Seconds: only guards against hanging."""


def body(lists: int) -> bytes:
    """A job to be created with so many lists in its definition: what takes most memory in proportion to its size."""
    return b'{"clientId":"c","workflow":"none","definition":{"a":[' + b"[]," * lists + b"0]}}"


def request(content: bytes) -> bytes:
    """The request to create it."""
    return (
        b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: wfx.test\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(content) + content
    )


LARGE = request(body(355_000))
SMALL = request(body(45_000))
"""Small among those that go to a worker."""


def post(port: int) -> None:
    """Try to create a job of no workflow."""
    with Wire(port, timeout=LATE) as wire:
        wire.send(LARGE)
        assert wire.answer().status == 400


def post_and_leave(port: int) -> None:
    """Try to create a job, and leave before the answer."""
    with Wire(port, timeout=LATE) as wire:
        wire.send(LARGE)
        reset(wire)


def reset(wire: Wire) -> None:
    """Let the connection end in a way that cannot be taken for waiting."""
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def workers(service: LocalService) -> list[psutil.Process]:
    """The processes that read bodies."""
    assert service.process is not None
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(service.process.pid).children()
        return [child for child in children if "wfx.api.body_worker" in child.cmdline()]
    return []


class Census(threading.Thread):
    """Counts the processes again and again; use as a context manager."""

    def __init__(self, service: LocalService) -> None:
        """Count those of this service."""
        super().__init__(daemon=True)
        self._service = service
        self._over = threading.Event()
        self.seen: set[int] = set()
        self.most = 0

    def run(self) -> None:
        """Count."""
        while not self._over.is_set():
            time.sleep(0.005)
            found = {worker.pid for worker in workers(self._service)}
            self.seen |= found
            self.most = max(self.most, len(found))

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self.join()


@pytest.fixture(params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of its own for each test, with each engine."""
    options = (f"--http-engine={request.param}", "--graceful-timeout=1s")
    with LocalService(tmp_path_factory.mktemp("turns"), *options) as running:
        yield running
    grave = [line for line in running.lines if '"level": "error"' in line or "Traceback" in line]
    assert [line for line in grave if "graceful shutdown exceeded" not in line] == []


@pytest.mark.parametrize("ask", [post, post_and_leave])
def test_few_at_a_time(service: LocalService, ask: Callable[[int], None]) -> None:
    """Row 63: many large bodies at once are read by two processes at most, also if their senders do not wait."""
    port = service.ports["north"]
    with Census(service) as census, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, [port] * AT_ONCE))
        post(port)
    assert 1 <= census.most <= WORKERS


def test_nobody_works_for_who_has_left(service: LocalService) -> None:
    """Row 63: when the sender of a large body leaves, the process that reads it is ended, and the next body is read."""
    port = service.ports["north"]
    with Census(service) as census, Wire(port, timeout=LATE) as wire:
        wire.send(LARGE)
        eventually(lambda: census.seen, "a worker runs")
        reset(wire)
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in census.seen), "no worker is left")
    post(port)


def test_a_share_for_each_client(service: LocalService) -> None:
    """Row 63: while one client's large bodies wait, the body of another client and a smaller one are read before them.

    Six of one client come first; when the two others are answered, most of them are not.
    """
    port = service.ports["north"]
    crowd = [Wire(port, LATE, "127.0.0.2") for _ in range(6)]
    for wire in crowd:
        wire.send(LARGE)
    answered: list[str] = []

    def ask(name: str, wire: Wire, content: bytes) -> None:
        with wire:
            if content:
                wire.send(content)
            assert wire.answer().status in {400, 503 if name == "crowd" else 400}
            answered.append(name)

    with ThreadPoolExecutor(12) as pool:
        waits = [pool.submit(ask, "crowd", wire, b"") for wire in crowd]
        waits.append(pool.submit(ask, "large", Wire(port, LATE, "127.0.0.3"), LARGE))
        waits.append(pool.submit(ask, "small", Wire(port, LATE, "127.0.0.2"), SMALL))
        for wait in waits:
            wait.result(LATE)
    assert answered.index("small") < 4
    assert answered.index("large") < 4


def test_workers_end_with_the_service(service: LocalService) -> None:
    """Row 63: when the service stops while bodies are read and wait, no process of it is left."""
    port = service.ports["north"]
    crowd = [Wire(port, LATE, "127.0.0.2") for _ in range(4)]
    for wire in crowd:
        wire.send(LARGE)
    with Census(service) as census:
        eventually(lambda: census.seen, "a worker runs")
        assert service.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in census.seen)
    for wire in crowd:
        wire.socket.close()


def test_workers_end_with_a_service_that_is_killed(service: LocalService) -> None:
    """Row 63: when the service is killed while bodies are read and wait, no process of it is left."""
    port = service.ports["north"]
    crowd = [Wire(port, LATE, "127.0.0.2") for _ in range(4)]
    for wire in crowd:
        wire.send(LARGE)
    eventually(lambda: workers(service), "a worker runs")
    started = workers(service)
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: all(map(is_gone, started)), "no worker is left")
    for wire in crowd:
        wire.socket.close()


def test_a_service_at_rest_has_no_workers(service: LocalService) -> None:
    """Row 63: no process is started before the first large body comes; light ones need none."""
    port = service.ports["north"]
    with Wire(port, timeout=LATE) as wire:
        wire.send(request(body(1)))
        assert wire.answer().status == 400
    assert workers(service) == []
    post(port)
    assert len(workers(service)) == 1
