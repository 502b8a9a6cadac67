from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.events.reading import EventSource
from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
WORKFLOW = {
    "name": "flow",
    "states": [{"name": "NEW"}, {"name": "DONE"}],
    "transitions": [{"from": "NEW", "to": "DONE", "eligible": "CLIENT"}],
}


class Writer(threading.Thread):
    """Creates jobs as fast as it can, whether the service is there or not, and remembers which were acknowledged."""

    def __init__(self, address: str) -> None:
        """Write to this service."""
        super().__init__()
        self.acknowledged: list[str] = []
        self.enough = threading.Event()
        self._address = address

    def run(self) -> None:
        """Go on until it is enough."""
        with httpx.Client(base_url=self._address + BASE) as client:
            while not self.enough.is_set():
                try:
                    answer = client.post("/jobs", json={"clientId": "c", "workflow": "flow"})
                except httpx.TransportError:
                    time.sleep(0.05)
                else:
                    if answer.status_code == 201:
                        self.acknowledged.append(answer.json()["id"])


@contextmanager
def writing(address: str) -> Iterator[Writer]:
    """Write in the background for a while."""
    writer = Writer(address)
    writer.start()
    try:
        yield writer
    finally:
        writer.enough.set()
        writer.join(10)


def read_on(source: EventSource, address: str, until: int, meanwhile: threading.Thread | None = None) -> None:
    """Follow the log after the last id until so many events were seen, or the connection ends."""
    headers = {"Last-Event-ID": source.last_id} if source.last_id else {}
    with httpx.stream("GET", f"{address}{BASE}/jobs/events?since=0", headers=headers, timeout=10) as response:
        assert response.status_code == 200
        if meanwhile is not None:
            meanwhile.start()
        for chunk in response.iter_raw():
            source.feed(chunk)
            if len(source.events) >= until:
                break
    source.reconnect()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_readers_go_on_after_a_restart(how: signal.Signals, tmp_path: Path) -> None:
    """Whether the service is stopped or killed, readers go on without loss or repetition when it is back."""
    source = EventSource()
    with LocalService(tmp_path) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
        with writing(service.north) as writer:
            read_on(source, service.south, 100)
            stopping = threading.Timer(0.3, service.stop, [how])
            try:
                read_on(source, service.south, 1_000_000, stopping)
            except httpx.RemoteProtocolError:
                assert how is signal.SIGKILL, "the stream did not end properly"
            stopping.join()
            source.reconnect()
            service.start()
            read_on(source, service.south, len(source.events) + 100)
        head = len(source.events) + 2
        while head > len(source.events) + 1:  # The first event is the workflow's, which streams do not show.
            page = httpx.get(
                f"{service.south}{BASE}/jobs/events?since={source.last_id}&limit=1000",
                headers={"Accept": "application/json"},
            ).json()
            head = int(page["next"].rpartition("-")[2])
            if head > len(source.events) + 1:
                read_on(source, service.south, head - 1)
    assert [int(number.rpartition("-")[2]) for number, _ in source.events] == list(range(2, head + 1))
    assert len(set(source.jobs)) == len(source.jobs)
    assert set(writer.acknowledged) <= set(source.jobs)
    assert len(writer.acknowledged) > 200
