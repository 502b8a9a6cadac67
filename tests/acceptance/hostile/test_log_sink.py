"""The service does not depend on whoever reads its log."""

from __future__ import annotations

import json
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rawhttp import Wire
from rawhttp import request as head

from wfx.commandline.failures import EXIT_OK
from wfx.demo.local import START_DEADLINE, STOP_DEADLINE, LocalService
from wfx.log_writer import ROOM

REQUESTS = 100
LONG = "/x" * 30_000
"""A path that is logged twice with each request: all of them together are more than has room."""


class Unread(LocalService):
    """A service whose log is read until both sides listen, and then no more until somebody asks for the rest."""

    def _drain(self, process: subprocess.Popen[str], fresh: queue.Queue[str | None]) -> None:
        assert process.stdout is not None
        listening = 0
        while listening < 2:
            line = process.stdout.readline()
            fresh.put(line or None)
            listening += '"listening"' in line

    def rest(self) -> list[dict[str, object]]:
        """Read what is left of the log until the service ends, as records."""
        assert self.process is not None
        assert self.process.stdout is not None
        return [json.loads(line) for line in self.process.stdout]

    def close(self) -> None:
        """Close our end of the pipe."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(params=["uvicorn", "hypercorn"])
def unread(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Unread]:
    """A service of each engine that logs each request."""
    with Unread(tmp_path, f"--http-engine={request.param}", "--log-level=debug") as service:
        yield service
        service.close()


def ask(service: LocalService, times: int = REQUESTS) -> None:
    """Send requests one after the other; each must be answered."""
    with Wire(service.ports["north"]) as wire:
        for _ in range(times):
            wire.send(head("GET", LONG))
            assert wire.answer().status == 404


def test_a_log_that_nobody_reads(unread: Unread) -> None:
    """Row 58: while nobody reads the log all requests are answered; who reads it later sees how many records miss."""
    ask(unread)
    assert REQUESTS * 2 * len(LONG) > ROOM
    records: list[dict[str, object]] = []
    reader = threading.Thread(target=lambda: records.extend(unread.rest()))
    reader.start()
    ask(unread, 1)
    assert unread.stop() == EXIT_OK
    reader.join()
    requests = [record for record in records if record.get("path") == LONG]
    dropped = [record["count"] for record in records if "dropped" in str(record["message"])]
    assert dropped
    assert len(requests) + sum(map(int, map(str, dropped))) == (REQUESTS + 1) * 2
    assert records[-1]["message"] == "wfx stopped"


def test_a_log_that_is_never_read_again(unread: Unread) -> None:
    """Row 58: a service whose log nobody will ever read again can be stopped, with exit code 0."""
    ask(unread, REQUESTS // 10)
    assert unread.stop(signal.SIGTERM) == EXIT_OK


def test_a_log_whose_reader_is_gone(unread: Unread) -> None:
    """Row 58: a service whose log has been closed from outside goes on, and stops with exit code 0."""
    unread.close()
    ask(unread, 10)
    assert unread.stop() == EXIT_OK


def start(folder: Path, output: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a service with its standard output as the shell is told; returns it once it answers, and where it does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "wfx", "--client-port=0", f"--mgmt-port={port}", "--storage-opt=:memory:"]
    process = subprocess.Popen(["sh", "-c", f'exec "$@" --log-level=debug {output}', "sh", *command], cwd=folder,
                               stderr=subprocess.PIPE)  # fmt: skip
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_DEADLINE
    while True:
        try:
            httpx.get(url, trust_env=False)
        except httpx.ConnectError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return process, url


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a service; it must end well and say nothing on standard error."""
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=STOP_DEADLINE)[1] == b""
    assert process.returncode == EXIT_OK


def test_no_log_at_all(tmp_path: Path) -> None:
    """Row 58: a service that is started without a standard output serves, and says nothing anywhere."""
    process, url = start(tmp_path, ">&-")
    assert httpx.get(url + LONG, trust_env=False).status_code == 404
    stop(process)


def test_a_file_that_is_full(tmp_path: Path) -> None:
    """Row 58: while the log's file must not grow the service goes on; once it may, the log tells what is missing."""
    process, url = start(tmp_path, ">log")
    size = (tmp_path / "log").stat().st_size + len(LONG) // 2
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    for _ in range(10):
        assert httpx.get(url + LONG, trust_env=False).status_code == 404
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    stop(process)
    lines = (tmp_path / "log").read_bytes().splitlines()
    place, told = next((place, line) for place, line in enumerate(lines) if b"dropped" in line)
    assert not lines[place - 1].endswith(b"}"), "half a record, as much as had room"
    written = [line for line in lines if line.endswith(b"}") and LONG.encode() in line]
    dropped = json.loads(told)["count"]
    assert 20 - len(written) <= dropped <= 25 - len(written), "both records of each request, and hardly any others"
