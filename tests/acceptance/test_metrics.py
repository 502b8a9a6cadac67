"""Metrics, read from the registry of a service that runs."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY, generate_latest

from tests.composition import Running, composed
from tests.waiting import until
from wfx import logs
from wfx.log_writer import ROOM, LogWriter
from wfx.metrics.catalog import CATALOGUE
from wfx.request_context import Side

WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}
ENDLESS = "last(repeat(1))"


def value(running: Running, name: str, **labels: str) -> float | None:
    """What the registry says now."""
    return running.parts.monitoring.metrics.registry.get_sample_value(name, labels)


def samples(running: Running, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric that are not 0, by the values of their labels."""
    found = [
        s for metric in running.parts.monitoring.metrics.registry.collect() for s in metric.samples if s.name == name
    ]
    return {tuple(sample.labels.values()): sample.value for sample in found if sample.value}


async def post(running: Running, client: httpx.AsyncClient, path: str, document: Any) -> None:
    """Create something."""
    (await client.post(running.url(Side.NORTH) + path, json=document)).raise_for_status()


async def test_names(tmp_path: Path) -> None:
    """There are these metrics, each with a help text, in a registry of their own."""
    async with composed(tmp_path) as running:
        registry = running.parts.monitoring.metrics.registry
        await running.parts.monitoring.metrics.refresh()
        ours = {metric.name: metric for metric in registry.collect() if not metric.name.startswith("process_")}
        assert {name: metric.type for name, metric in ours.items()} == {
            family.name: str(family.kind) for family in CATALOGUE.values()
        }
        assert all(metric.documentation for metric in registry.collect())
        assert value(running, "wfx_refusals_total", side="south", reason="flood") == 0
        assert b"\n# TYPE wfx_refusals_total counter\n" in generate_latest(registry)
    assert b"wfx_" not in generate_latest(REGISTRY)


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
async def test_edge(engine: str, tmp_path: Path) -> None:
    """Refusals are counted by side and reason, running requests by side."""
    two_hosts = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    half = b"PUT /api/wfx/v1/jobs/none/status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with composed(tmp_path, http_engine=engine) as running:
        for side, sent, times in ((Side.NORTH, two_hosts, 3), (Side.SOUTH, b"GET / RTSP/1.1\r\n\r\n", 2)):
            for _ in range(times):
                refused = await running.connect(side, sent)
                assert b" 400 " in await refused.rest()
                await refused.close()
        assert samples(running, "wfx_refusals_total") == {("north", "host"): 3, ("south", "malformed"): 2}
        waiting = [await running.connect(Side.SOUTH, half + b"Content-Length: 9\r\n\r\n{") for _ in range(3)]
        await until(lambda: value(running, "wfx_http_requests_in_flight", side="south") == 3)
        assert value(running, "wfx_http_requests_in_flight", side="north") == 0
        for connection in waiting:
            await connection.close()
        await until(lambda: value(running, "wfx_http_requests_in_flight", side="south") == 0)


async def test_readers_that_do_not_read(tmp_path: Path) -> None:
    """A reader of events that is given up is counted once; those who read are not."""
    async with (
        composed(tmp_path, sse_grace_interval=2.0) as running,
        httpx.AsyncClient(trust_env=False, timeout=60) as client,
    ):
        await post(running, client, "/workflows", WORKFLOW)
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(stuck, ("127.0.0.1", running.ports[Side.SOUTH]))
        request = b"GET /api/wfx/v1/jobs/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        await loop.sock_sendall(stuck, request)
        reader = await running.connect(Side.SOUTH, request)
        await until(lambda: running.parts.services.broker.subscribers == 2)
        reading = asyncio.create_task(reader.reader.read(-1))
        for _ in range(10):
            await post(
                running, client, "/jobs", {"clientId": "c", "workflow": "w", "definition": {"x": "x" * 1_000_000}}
            )
        await until(lambda: value(running, "wfx_event_subscribers_dropped_total") == 1)
        await until(lambda: running.parts.services.broker.subscribers == 1)
        stuck.close()
        await reader.close()
        await reading
        assert value(running, "wfx_event_subscribers_dropped_total") == 1


async def ask(running: Running, client: httpx.AsyncClient, program: str) -> int:
    """Ask for jobs with a response filter; gives the status."""
    answer = await client.get(running.url(Side.NORTH) + "/jobs", headers={"X-Response-Filter": program})
    return answer.status_code


@pytest.mark.parametrize(("limits", "fine", "stopped"), [
    ({"filter_timeout": 0.5}, ".content | length", {"time": ENDLESS}),
    ({"filter_timeout": 60.0, "filter_memory": 64 * 1024 * 1024, "filter_output": 10_000},
     "reduce range(10) as $n (0; . + $n)", {"memory": '"x" * 100000000', "output": "[range(10000)]"}),
])  # fmt: skip
async def test_filters(tmp_path: Path, limits: dict[str, Any], fine: str, stopped: dict[str, str]) -> None:
    """Response filters that are stopped in a worker are counted by the limit that they exceeded; others are not."""
    async with composed(tmp_path, **limits) as running, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        assert await ask(running, client, fine) == 200
        expected: dict[tuple[str, ...], float] = {}
        for times, (reason, program) in enumerate(stopped.items(), start=1):
            assert samples(running, "wfx_filter_kills_total") == expected
            for _ in range(times):
                assert await ask(running, client, program) != 200
            expected[reason,] = times
        assert samples(running, "wfx_filter_kills_total") == expected


async def test_filters_of_clients_that_leave(tmp_path: Path) -> None:
    """A response filter whose client leaves while it runs is counted as that."""
    async with composed(tmp_path, filter_timeout=60.0, read_timeout=0.5) as running:
        request = b"GET /api/wfx/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Response-Filter: %b\r\n\r\n"
        connection = await running.connect(Side.SOUTH, request % ENDLESS.encode())
        pool = running.parts.services.filters._pool
        await until(lambda: any(turn.began and turn.typical for turn in pool._shares._running))
        await connection.close()
        await until(lambda: samples(running, "wfx_filter_kills_total") == {("client-left",): 1})


async def test_store(tmp_path: Path) -> None:
    """Batches of changes are counted with their sizes: one for each change of who waits for each answer."""
    async with composed(tmp_path) as running, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        # retention: events, histories, tombstones
        await until(lambda: value(running, "wfx_store_batch_size_count") == 3)
        await post(running, client, "/workflows", WORKFLOW)
        job = {"clientId": "c", "workflow": "w"}
        for _ in range(5):
            await post(running, client, "/jobs", job)
        for name in ("size_count", "size_sum"):
            assert value(running, f"wfx_store_batch_{name}") == 3 + 1 + 5
        assert value(running, "wfx_store_batch_size_bucket", le="1.0") == 3 + 1 + 5
        await asyncio.gather(*(post(running, client, "/jobs", job) for _ in range(20)))
        assert value(running, "wfx_store_batch_size_sum") == 3 + 1 + 5 + 20
        batches = value(running, "wfx_store_batch_size_count")
        assert value(running, "wfx_store_batch_size_bucket", le="+Inf") == batches
        assert value(running, "wfx_store_commit_duration_seconds_count") == batches
        assert value(running, "wfx_store_commit_duration_seconds_bucket", le="+Inf") == batches
        assert (value(running, "wfx_store_commit_duration_seconds_sum") or 0) > 0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nobody reads, to log to; its ends."""
    read, write = os.pipe()
    handler = LogWriter(write)
    logging.getLogger().addHandler(handler)
    yield read, write
    logging.getLogger().removeHandler(handler)
    os.close(write)


async def test_log(tmp_path: Path, pipe: tuple[int, int]) -> None:
    """Log records that find no room are counted, and those that cannot be written as well."""
    name = "wfx_log_records_dropped_total"
    async with composed(tmp_path) as running:
        before = logs.dropped_records()
        record = "x" * (ROOM // 4 - 4096)  # with room for the service's own records
        for _ in range(7):
            logging.getLogger("wfx.test").error(record)
        assert value(running, name) == before + 3
        os.close(pipe[0])
        await until(lambda: value(running, name) >= before + 7)
