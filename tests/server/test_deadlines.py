"""Who is slow is waited for as long as the options say, and nobody else waits."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from rawhttp import Wire, request

from tests.server.conftest import ENGINES
from tests.server.engines import Handlers, serving
from tests.waiting import eventually
from wfx.demo.local import LocalService
from wfx.server.limits import HttpSettings

BASE = "/api/wfx/v1"
LATE = 60.0
"""Seconds; what is over after a second has to be over after this, however busy the machine is."""
RESET = struct.pack("ii", 1, 0)
"""Closing says at once that nothing is read any more either."""
_HEAD = b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module", params=ENGINES)
def patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine that waits for everybody."""
    options = ("--read-timeout=10m", "--cleanup-timeout=10m", f"--http-engine={request.param}")
    with LocalService(tmp_path_factory.mktemp(f"patient-{request.param}"), *options) as service:
        yield service


def drip(wire: Wire, piece: bytes) -> None:
    """Send a piece again and again until something comes back."""
    deadline = time.monotonic() + LATE
    while not select.select([wire.socket], [], [], 0.05)[0]:
        assert time.monotonic() < deadline, "nobody minds"
        try:
            wire.send(piece)
        except ConnectionError:
            break


@pytest.mark.parametrize("begun", [b"", b"G", b"GET / HTTP/1.1\r\nHost: h\r\nX-", b"\r\n", b"PRI * HTTP/2.0\r"])
def test_silence(hasty: LocalService, begun: bytes) -> None:
    """Row 23: a connection that says nothing, or only half a header, is closed without an answer."""
    with Wire(hasty.ports["south"], LATE) as wire:
        wire.send(begun)
        assert wire.over()


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nHost: h\r\nX-", b""])
def test_header_drip(hasty: LocalService, begun: bytes) -> None:
    """Row 23: a header that comes byte by byte is not waited for any longer than one that stalls."""
    with Wire(hasty.ports["south"], LATE) as wire:
        wire.send(begun)
        drip(wire, b"y" if begun else b"\r\n")
        assert wire.over()


@pytest.mark.parametrize(("framing", "piece"), [
    (b"Content-Length: 1000000\r\n\r\n", b" "),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y"),
])  # fmt: skip
@pytest.mark.parametrize("stalls", [True, False])
def test_slow_body(hasty: LocalService, framing: bytes, piece: bytes, stalls: bool) -> None:
    """Row 24: a body that stalls or drips is answered with 408 at the deadline for the whole request."""
    with Wire(hasty.ports["north"], LATE) as wire:
        wire.send(_HEAD + framing)
        if not stalls:
            drip(wire, piece)
        answer = wire.answer()
        assert (answer.status, answer.body) == (408, b"request body did not arrive in time\n")
        assert answer.headers["connection"] == "close"
        assert wire.over()


def test_body_that_nobody_wants(hasty: LocalService) -> None:
    """Row 24: who is answered before the body has come may send the rest, but not for ever."""
    with Wire(hasty.ports["north"], LATE) as wire:
        wire.send(b"DELETE /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
        assert wire.answer().status == 405
        drip(wire, b" ")
        assert wire.over()


def test_idle(hasty: LocalService) -> None:
    """A connection on which no further request comes is closed without a word."""
    with Wire(hasty.ports["south"], LATE) as wire:
        for _ in range(3):
            wire.send(request("GET", f"{BASE}/version"))
            assert wire.answer().status == 200
        assert wire.over()


def test_half_closed(patient: LocalService) -> None:
    """Row 24: a client that shuts down its sending side gets its answers; half a request gets none."""
    whole, half, malformed = request("GET", f"{BASE}/version"), b"GET / HTTP/1.1\r\nHost:", b"GET / HTP/1.1\r\n\r\n"
    for data, answers in ((whole, [200]), (half, []), (whole + half, [200]), (whole + malformed, [200, 400])):
        with Wire(patient.ports["south"], LATE) as wire:
            wire.send(data)
            wire.socket.shutdown(socket.SHUT_WR)
            assert [wire.answer().status for _ in answers] == answers
            assert wire.over()


def test_pipelined(patient: LocalService) -> None:
    """Row 24: a hundred requests sent at once are answered in order."""
    burst = b"".join(request("GET", f"//{number}") for number in range(100))
    with Wire(patient.ports["south"], LATE) as wire:
        wire.send(burst + request("GET", "/", b"", "Connection: close"))
        assert [wire.answer().headers["location"] for _ in range(100)] == [f"/{number}" for number in range(100)]
        assert wire.answer().status == 204
        assert wire.over()


def test_pipelined_and_gone(engine: str, tmp_path: Path) -> None:
    """Row 24: a hundred clients that send a hundred requests each and leave are no matter for the log."""
    burst = b"".join(request("GET", f"{BASE}/jobs/{number}") for number in range(100))
    with LocalService(tmp_path, "--read-timeout=10m", f"--http-engine={engine}") as service:
        for number in range(100):
            with Wire(service.ports["south"]) as wire:
                if number % 2:
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                wire.send(burst)
        assert httpx.get(f"{service.south}{BASE}/version", trust_env=False).status_code == 200
    levels = {json.loads(line)["level"] for line in service.lines}
    assert levels == {"info"}, "all of the log, to the end of the service"


def test_half_closed_behind_chunks(patient: LocalService) -> None:
    """Row 24: a client that says there is no more behind a body of a thousand chunks gets all its answers."""
    body = b"2\r\n\r\n\r\n" * 1500 + b"0\r\n\r\n"
    head = ("POST", f"{BASE}/jobs", b"", "Content-Type: application/json", "Transfer-Encoding: chunked")
    with Wire(patient.ports["north"]) as wire:
        wire.send(request("POST", f"{BASE}/jobs", b"{}") + request(*head) + body)
        wire.socket.shutdown(socket.SHUT_WR)
        assert [wire.answer().status for _ in range(2)] == [400, 400]
        assert wire.over()


def test_streams_whose_readers_are_gone(engine: str, tmp_path: Path) -> None:
    """Row 24: who asks for an event stream and leaves at once takes nobody's place."""
    options = ("--read-timeout=10m", "--max-connections=5", f"--http-engine={engine}")
    with LocalService(tmp_path, *options) as service:
        for _ in range(20):
            with suppress(ConnectionError), Wire(service.ports["south"]) as wire:
                wire.send(request("GET", f"{BASE}/jobs/events"))
        eventually(lambda: is_served(service.ports["south"], f"{BASE}/version"), "there is room")


@pytest.mark.parametrize("resets", [True, False])
def test_clients_that_left_hold_no_connection(engine: str, resets: bool) -> None:
    """Row 24: who sends a hundred requests at once and leaves without an answer makes room for others."""
    settings = HttpSettings(600, 1, read_timeout=600, max_connections=20)
    with serving(engine, Handlers(), settings) as port:
        for _ in range(20):
            with Wire(port) as wire:
                wire.send(request("GET", "/") * 100)
                if resets:
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        eventually(lambda: is_served(port), "there is room")


def is_served(port: int, path: str = "/") -> bool:
    """Whether a new connection is answered."""
    with Wire(port) as wire, suppress(ConnectionError, EOFError):
        wire.send(request("GET", path, b"", "Connection: close"))
        return bool(wire.answer().status == 200)
    return False


def test_others_are_served(patient: LocalService) -> None:
    """Row 23: fifty clients that do not get on do not keep others waiting: those are answered while these are not."""
    slow = [b"", b"GET / HTTP/1.1\r\nHost: h\r\n", _HEAD + b"Content-Length: 100\r\n\r\n{"]
    with ExitStack() as stack, httpx.Client(base_url=patient.south + BASE, trust_env=False, timeout=LATE) as client:
        wires = [stack.enter_context(Wire(patient.ports["south"])) for _ in range(50)]
        for number, wire in enumerate(wires):
            wire.send(slow[number % len(slow)])
        assert [client.get("/jobs").status_code for _ in range(100)] == [200] * 100
        assert select.select([wire.socket for wire in wires], [], [], 0)[0] == [], "these are still waited for"


@pytest.fixture(scope="module")
def large(hasty: LocalService) -> str:
    """A path whose answer is larger than what systems take in on behalf of their programs."""
    workflow = {"name": "large", "states": [{"name": "S"}], "transitions": []}
    with httpx.Client(base_url=hasty.north + BASE, trust_env=False, timeout=LATE) as client:
        client.post("/workflows", json=workflow).raise_for_status()
        job = {"clientId": "large", "workflow": "large", "definition": {"filler": "x" * 3_000_000}}
        for _ in range(6):
            client.post("/jobs", json=job).raise_for_status()
    return f"{BASE}/jobs?clientId=large"


def stubborn(port: int, path: str) -> Wire:
    """A client that asks and does not read."""
    wire = Wire(port, LATE)
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.send(request("GET", path))
    return wire


def test_slow_reader(hasty: LocalService, large: str) -> None:
    """A client that does not take its answer is cut off, and that is logged once."""
    before = len(hasty.lines)
    with stubborn(hasty.ports["south"], large) as wire:
        said = wait_for_line(hasty, before, lambda record: record.get("kind") == "slow-reader")
        assert (said["level"], said["count"]) == ("warn", 1)
        with pytest.raises(ConnectionResetError):
            wire.until(b"\r\n0\r\n\r\n")


def wait_for_line(service: LocalService, start: int, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for a log record and return it."""
    deadline = time.monotonic() + LATE
    while time.monotonic() < deadline:
        records: list[dict[str, Any]] = [json.loads(line) for line in service.lines[start:]]
        if found := [record for record in records if fits(record)]:
            return found[0]
        time.sleep(0.01)
    raise AssertionError(f"not logged: {service.lines[start:]}")


def test_streams_have_no_deadline(hasty: LocalService, large: str) -> None:
    """An event stream outlives all deadlines, and still tells what happens."""
    with httpx.stream("GET", f"{hasty.south}{BASE}/jobs/events", trust_env=False, timeout=LATE) as stream:
        before = len(hasty.lines)
        with Wire(hasty.ports["south"], LATE) as idle, stubborn(hasty.ports["south"], large):
            assert idle.over()
            wait_for_line(hasty, before, lambda record: record.get("kind") == "slow-reader")
        body = {"clientId": "late", "workflow": "large"}
        created = httpx.post(f"{hasty.north}{BASE}/jobs", json=body, trust_env=False).json()
        assert created["id"] in next(line for line in stream.iter_lines() if line.startswith("data:"))


def test_refusals_are_counted_and_not_repeated(patient: LocalService) -> None:
    """A thousand refusals of a kind are a few lines of the log, with their number and the last client."""
    before = len(patient.lines)
    for _ in range(1000):
        with Wire(patient.ports["south"], LATE) as wire:
            wire.send(b"GET / HTTP/1.1\r\n\r\n")
            assert wire.answer().status == 400

    def counted() -> list[int]:
        records = [json.loads(line) for line in patient.lines[before:]]
        return [record["count"] for record in records if record.get("kind") == "host"]

    eventually(lambda: sum(counted()) >= 1000, "all are counted")
    assert sum(counted()) == 1000
    assert len(counted()) < 100
