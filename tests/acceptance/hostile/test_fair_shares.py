"""One large body does not keep others waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}
NUMBERS = b",".join([b"-0"] * 1_000_000)
"""What takes longest to look through: numbers that are read one by one, and enter the hash one by one."""
LEAST = 20
"""Requests of others that are answered meanwhile; they would be a handful if they had to wait."""


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def north(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service of each engine that has a workflow."""
    with (
        LocalService(tmp_path_factory.mktemp("large"), f"--http-engine={request.param}") as service,
        httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=60) as client,
    ):
        client.post("/workflows", json=WORKFLOW).raise_for_status()
        yield client


def create(north: httpx.Client) -> str:
    """Create a job; gives its id."""
    return str(north.post("/jobs", json={"clientId": "c", "workflow": "w"}).raise_for_status().json()["id"])


def answered_meanwhile(north: httpx.Client, body: bytes, status: int, ask: Callable[[], httpx.Response]) -> int:
    """Put a large definition, and count how many other requests are answered from its last byte to its answer."""
    path, headers = f"/jobs/{create(north)}/definition", {"Content-Type": "application/json"}
    sent = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield body[:-1]
        sent.set()
        yield body[-1:]

    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(lambda: north.put(path, content=pieces(), headers=headers))
        assert sent.wait(60)
        count = 0
        while not put.done():
            assert ask().is_success
            count += 1
        assert put.result().status_code == status
    return count


def test_writers_go_on(north: httpx.Client) -> None:
    """Row 63: while a definition of a million numbers is worked on, the reports of other devices are stored."""
    path = f"/jobs/{create(north)}/status"
    body = b'{"a": [%b]}' % NUMBERS
    assert answered_meanwhile(north, body, 200, lambda: north.put(path, json={"state": "S"})) >= LEAST


def test_readers_go_on(north: httpx.Client) -> None:
    """Row 63: while a body of a million numbers is looked through only to be refused, others are answered."""
    assert answered_meanwhile(north, b"[%b]" % NUMBERS, 400, lambda: north.get("/version")) >= LEAST
