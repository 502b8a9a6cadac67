"""A service of several worker processes on PostgreSQL, and what tests do to it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from waiting import eventually, is_gone

from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
WORKFLOW = {
    "name": "w",
    "states": [{"name": "S"}, {"name": "T"}],
    "transitions": [{"from": "S", "to": "T", "eligible": "WFX"}],
}


class WorkerService:
    """The service, its log and its processes."""

    def __init__(self, folder: Path, option: str, *options: str, count: int = 2) -> None:
        """Run this many workers on the database."""
        self.count = count
        self.local = LocalService(
            folder, f"--workers={count}", "--storage=postgres", f"--storage-opt={option}", *options
        )

    @property
    def parent(self) -> psutil.Process:
        """The process that was started."""
        assert self.local.process is not None
        return psutil.Process(self.local.process.pid)

    @property
    def records(self) -> Sequence[dict[str, Any]]:
        """What the service has logged."""
        return [json.loads(line) for line in self.local.lines if line.startswith("{")]

    def samples(self, name: str, label: str = "") -> dict[int, float]:
        """The samples of a metric by worker, added up, as one scrape shows them; those with a label if one is given."""
        with self.client() as client:
            lines = client.get("/metrics").raise_for_status().text.splitlines()
        found: dict[int, float] = {}
        for line in lines:
            sample = re.fullmatch(r'(\w+){.*worker="(\d+)".*} (\S+)', line)
            if sample and sample[1] == name and label in line:
                found[int(sample[2])] = found.get(int(sample[2]), 0) + float(sample[3])
        return found

    def logged(self, message: str, **fields: object) -> int:
        """How often it has logged this."""
        wanted = {"message": message, **fields}
        return sum(wanted.items() <= record.items() for record in self.records)

    def workers(self) -> dict[int, psutil.Process]:
        """The worker processes, by their numbers."""
        found = {}
        for process in self.parent.children():
            command = process.cmdline()
            if "wfx.worker_main" in command:
                found[int(command[-1])] = process
        return found

    def await_starts(self, number: int, times: int) -> None:
        """Wait until a worker has begun to serve so often."""
        eventually(lambda: self.starts(number) >= times, f"worker {number} serves")

    def starts(self, number: int) -> int:
        """How often a worker has begun to serve."""
        return self.logged("listening", worker=number, side="north")

    def client(self, **options: Any) -> httpx.Client:
        """A client of operators, which makes a new connection for each request: any worker may answer."""
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self.local.north, trust_env=False, timeout=120, limits=limits, **options)


@contextmanager
def running(folder: Path, option: str, *options: str, count: int = 2) -> Iterator[WorkerService]:
    """Run the service until all workers serve; in the end none is left behind."""
    service = WorkerService(folder, option, *options, count=count)
    with service.local:
        assert service.local.process is not None
        for number in range(1, count + 1):
            service.await_starts(number, 1)
        yield service
        processes = service.parent.children(recursive=True) if service.local.process.poll() is None else []
    assert all(map(is_gone, processes))


def ask(port: int) -> socket.socket:
    """Send a request on a new connection."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=120)
    opened.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return opened


def answer_of(opened: socket.socket) -> bytes:
    """What comes until the connection ends."""
    with opened:
        received = b""
        while piece := opened.recv(65536):
            received += piece
    return received
