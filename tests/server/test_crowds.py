"""Many at once: who leaves is not worked for, and there is an end to what is worked on."""

from __future__ import annotations

import logging
import select
import socket
import struct
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psutil
import pytest
from rawhttp import Wire, request

from tests.server.engines import DEADLINE, HUGE, Handlers, serving
from tests.waiting import eventually
from wfx.demo.local import LocalService
from wfx.server import limits
from wfx.server.limits import HttpSettings

BASE = "/api/wfx/v1"
_RESET = struct.pack("ii", 1, 0)


def connect(port: int, data: bytes, address: str = "") -> Wire:
    """Send something over a new connection, from this address."""
    wire = Wire(port, address=address)
    wire.send(data)
    return wire


@pytest.mark.parametrize("path", ["/wait", "/stream"])
@pytest.mark.parametrize("resets", [True, False])
def test_nobody_works_for_who_has_left(engine: str, path: str, resets: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Row 24: handlers are cancelled when their clients leave, and that is no error."""
    handlers = Handlers()
    with serving(engine, handlers, HttpSettings(10, 1, read_timeout=1.0)) as port:
        wires = [connect(port, request("GET", path)) for _ in range(20)]
        eventually(lambda: handlers.running == 20, "all are worked on")
        for wire in wires:
            if resets:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            wire.socket.close()
        eventually(lambda: handlers.running == 0, "nobody is worked on")
    assert handlers.cancelled == 20
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("begun", [b"Content-Length: 1000\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"])
def test_uploads_that_break_off(engine: str, begun: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Row 24: who leaves in the middle of a body leaves no handler and no traceback."""
    handlers = Handlers()
    with serving(engine, handlers) as port:
        for _ in range(20):
            with connect(port, b"PUT /body HTTP/1.1\r\nHost: h\r\n" + begun):
                eventually(lambda: handlers.running == 1, "it is worked on")
            eventually(lambda: handlers.running == 0, "it is not worked on any more")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("resets", [True, False])
def test_answers_that_nobody_takes(engine: str, resets: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Row 24: who sends 400 requests, takes not even the header of an answer, and leaves is no matter for the log."""
    handlers = Handlers()
    with serving(engine, handlers) as port:
        for number in range(1, 6):
            with connect(port, request("GET", "/head") * 400) as wire:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                eventually(lambda: handlers.running == 1, "the first is worked on")
                if resets:
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            eventually(lambda: handlers.running == 0, "nobody is worked on")
            assert len(handlers.asked) <= 2 * number, "the others are not begun"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_half_closed_and_slow(engine: str) -> None:
    """Row 24: who has shut down its sending side waits for its answer as long as a request may take to come."""
    handlers = Handlers()
    with serving(engine, handlers, HttpSettings(10, 1, read_timeout=0.5)) as port:
        with connect(port, request("GET", "/wait")) as wire:
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.over()
        eventually(lambda: handlers.running == 0, "nobody is worked on")
    assert handlers.cancelled == 1


@pytest.mark.parametrize("size", [5000, 5])
def test_half_closed_pipeline(engine: str, size: int) -> None:
    """Row 24: who sends many requests and says that there are no more gets an answer to each."""
    with serving(engine, Handlers()) as port:
        for _ in range(20):
            with connect(port, request("PUT", "/body", b"x" * size) * 50) as wire:
                wire.socket.shutdown(socket.SHUT_WR)
                assert [wire.answer().body for _ in range(50)] == [b"%d" % size] * 50
                assert wire.over()


def test_half_closed_and_incomplete(engine: str) -> None:
    """Row 24: a client that says there is no more in the middle of its second request is answered the first."""
    with serving(engine, Handlers(), HttpSettings(600, 1, read_timeout=600)) as port:
        for end in (-1, -5, -30):
            with connect(port, (request("PUT", "/body", b"x" * 10) * 2)[:end]) as wire:
                wire.socket.shutdown(socket.SHUT_WR)
                assert wire.answer().body == b"10"
                assert wire.over()


def test_half_closed_and_taking_long(engine: str) -> None:
    """Row 24: a client that has shut down its sending side may take its answer as slowly as any other."""
    settings = HttpSettings(10, 1, read_timeout=0.1)
    with serving(engine, Handlers(), settings) as port, connect(port, request("GET", "/huge")) as wire:
        wire.socket.shutdown(socket.SHUT_WR)
        time.sleep(1.5)  # many times as long as it could wait for the beginning
        assert len(wire.answer().body) == HUGE


def test_limit_of_requests(engine: str) -> None:
    """More requests than are worked on at once are told to come back; event streams do not count."""
    handlers = Handlers()
    with serving(engine, handlers, HttpSettings(10, 1, max_requests=3)) as port, ExitStack() as stack:
        streams = [stack.enter_context(connect(port, request("GET", "/stream"))) for _ in range(5)]
        for wire in streams:
            wire.until(b": begins")
        waiting = [stack.enter_context(connect(port, request("GET", "/wait"))) for _ in range(3)]
        eventually(lambda: handlers.running == 8, "all are worked on")
        with connect(port, request("GET", "/")) as wire:
            answer = wire.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert answer.body == b"too many requests at once\n"
            assert wire.over()
        waiting[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        waiting[0].socket.close()
        eventually(lambda: handlers.running == 7, "one has left")
        with connect(port, request("GET", "/")) as wire:
            assert wire.answer().status == 200


def test_limit_of_connections(engine: str) -> None:
    """Who connects when there are too many is told so at once; when one has left, others come in."""
    with serving(engine, Handlers(), HttpSettings(10, 1, max_connections=3)) as port:
        wires = [connect(port, request("GET", "/")) for _ in range(3)]
        assert [wire.answer().status for wire in wires] == [200, 200, 200]
        with closing(socket.create_connection(("127.0.0.1", port), DEADLINE)) as refused:
            answer = refused.recv(65536)
            assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"\r\nretry-after: 1\r\n" in answer
            assert answer.endswith(b"\r\n\r\ntoo many connections\n")
            assert refused.recv(1) == b""
        wires[0].socket.close()
        eventually(lambda: _is_served(port), "there is room again")
        for wire in wires:
            wire.socket.close()


def _is_served(port: int) -> bool:
    with connect(port, request("GET", "/")) as wire:
        status: int = wire.answer().status
        return status == 200


def test_limit_of_bodies(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's bodies are refused while they come once they are more than they leave to others, who find room.

    What is answered is forgotten.
    """
    monkeypatch.setattr(limits, "_BODIES", 720_000)
    handlers = Handlers()
    head = b"PUT /body HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
    with serving(engine, handlers, HttpSettings(10, 1, max_body=100_000)) as port:
        for _ in range(3):
            with ExitStack() as stack:
                held = [stack.enter_context(connect(port, head + b"x" * 99_000)) for _ in range(3)]
                eventually(lambda: handlers.running == 3, "three are worked on")
                with connect(port, head + b"x" * 99_000) as wire:
                    answer = wire.answer()
                    assert (answer.status, answer.body) == (503, b"too many large requests at once\n")
                    assert answer.headers["retry-after"] == "1"
                held.append(stack.enter_context(connect(port, head + b"x" * 99_000, "127.0.0.2")))
                eventually(lambda: handlers.running == 4, "that of another client is worked on")
                for wire in held:
                    wire.send(b"x" * 1000)
                    assert wire.answer().body == b"100000"


def test_few_descriptors(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 25: with 64 descriptors and 120 clients the service neither spins nor breaks, and serves once they left."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -n 64\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        assert service.process is not None
        process = psutil.Process(service.process.pid)
        wires = [Wire(service.ports["south"]) for _ in range(120)]
        held = set(wires)

        def others_are_refused() -> bool:
            heard, _, _ = select.select([wire.socket for wire in held], [], [], 0)
            held.difference_update([wire for wire in held if wire.socket in heard and _is_refused(wire)])
            return len(held) < 64

        eventually(others_are_refused, "who is too many is refused")
        assert held
        assert process.num_fds() < 64
        eventually(lambda: _rests(process), "it waits, and does not spin")
        created = httpx.post(f"{service.north}{BASE}/workflows", trust_env=False, json={
            "name": "w", "states": [{"name": "S"}], "transitions": [],
        })  # fmt: skip
        assert created.status_code == 201, "the other side is served meanwhile"
        for wire in wires:
            wire.socket.close()
        eventually(lambda: _serves(service), "it serves again")
        assert not [line for line in service.lines if "Traceback" in line or '"error"' in line]


def _is_refused(wire: Wire) -> bool:
    """Tell whether the connection got its 503, or was closed; those that are served hear nothing."""
    try:
        return b" 503 " in wire.until(b"\r\n")
    except (EOFError, ConnectionResetError):
        return True


def _rests(process: psutil.Process) -> bool:
    """Tell whether a process is asleep however often one looks."""
    for _ in range(50):
        if process.status() != psutil.STATUS_SLEEPING:
            return False
        time.sleep(0.002)  # between two looks
    return True


def _serves(service: LocalService) -> bool:
    try:
        return httpx.get(f"{service.south}{BASE}/jobs", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_crash_is_logged_once(engine: str, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that fails is answered with 500 and logged with its traceback, and the next request is served."""
    with serving(engine, Handlers()) as port:
        with connect(port, request("GET", "/crash")) as wire:
            answer = wire.answer()
            assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
        with connect(port, request("GET", "/")) as wire:
            assert wire.answer().status == 200
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(failures) == 1
    assert failures[0].exc_info is not None


def test_without_keep_alive(engine: str) -> None:
    """With `--keep-alive=false` each answer says that it is the last, and is."""
    with serving(engine, Handlers(), HttpSettings(10, 1, keep_alive=False)) as port:
        for path in ("/", "/crash", "/large"):
            with connect(port, request("GET", path)) as wire:
                assert wire.answer().headers["connection"] == "close"
                assert wire.over()


def test_old_clients(engine: str) -> None:
    """HTTP/1.0 is answered without what it does not know: no chunks, and the connection ends."""
    with serving(engine, Handlers()) as port:
        with connect(port, b"GET / HTTP/1.0\r\n\r\n") as wire:
            answer = wire.answer()
            assert (answer.body, answer.headers["connection"]) == (b"fine", "close")
            assert wire.over()
        with connect(port, b"GET /stream HTTP/1.0\r\n\r\n") as wire:
            assert b"transfer-encoding" not in wire.until(b"\r\n\r\n").lower()
            assert wire.exactly(len(b": begins\n\n")) == b": begins\n\n"


def test_stop_while_somebody_works(engine: str, caplog: pytest.LogCaptureFixture) -> None:
    """A request that does not end when the service stops is cut off after the time granted, without a traceback."""
    handlers = Handlers()
    with serving(engine, handlers, HttpSettings(10, 0.2)) as port:
        wire = connect(port, request("GET", "/wait"))
        idle = connect(port, request("GET", "/"))
        assert idle.answer().status == 200
        eventually(lambda: handlers.running == 1, "it is worked on")
    with wire, idle:
        assert wire.over()
        assert idle.over()
    assert handlers.running == 0
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
