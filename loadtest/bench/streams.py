"""What event streams and filtered answers cost: deliveries, delay, and memory of idle streams."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psutil

from bench import fixture, wrk
from bench.servers import client
from bench.wrk import Load
from wfx.demo.local import LocalService
from wfx_loadtest.session import Side
from wfx_loadtest.stream import Stream, subscribe
from wfx_loadtest.wire import Address, Connection, Request, connect

_WRITERS = 8
_ENOUGH_SECONDS = 120
_SECONDS = 2
"""Of one measurement with wrk, which knows whole seconds only."""
_BODY = b'{"state":"INSTALLING","clientId":"dev","progress":50}'


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str


def measure(engine: str, updates: int = 1000) -> Iterator[Figure]:
    """Measure on a service of its own; takes about half a minute."""
    with tempfile.TemporaryDirectory() as folder, LocalService(Path(folder), f"--http-engine={engine}") as service:
        with client(service.north) as operator, client(service.south) as device:
            cases = fixture.prepare(operator, device, _WRITERS)
        paths = next(case.load.paths for case in cases if case.name == "PUT status")
        for readers in (1, 50, 500):
            yield asyncio.run(_deliveries(service, paths, readers, updates))
        yield from asyncio.run(delays(service, paths[0]))
        yield asyncio.run(_idle_memory(service))
        yield _filter_cost(service, paths)


@asynccontextmanager
async def _reading(service: LocalService, readers: int, arrivals: list[float]) -> AsyncIterator[None]:
    """Open so many streams, and note when each event arrives."""
    side = Side(Address("127.0.0.1", service.ports["north"]), "localhost")
    streams: list[Stream] = []
    try:
        while len(streams) < readers:
            streams += [await subscribe(side, "since=now", lambda _: arrivals.append(time.perf_counter()))]
        yield
    finally:
        for stream in streams:
            stream.close()
        await asyncio.sleep(0.1)  # the loop closes the sockets, and the server notices


async def _arrived(arrivals: list[float], count: int) -> None:
    async with asyncio.timeout(_ENOUGH_SECONDS):
        while len(arrivals) < count:  # noqa: ASYNC110  # an event for each arrival would be measured too
            await asyncio.sleep(0.002)


async def _put(connection: Connection, path: str) -> None:
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(_BODY)}\r\n\r\n"
    )
    assert (await connection.exchange(Request(head.encode(), _BODY))).ok


async def _connect(service: LocalService) -> Connection:
    return await connect(Address("127.0.0.1", service.ports["south"]))


async def _deliveries(service: LocalService, paths: tuple[str, ...], readers: int, updates: int) -> Figure:
    """Let eight devices write as quickly as they are answered, and count what arrives at all readers together."""
    arrivals: list[float] = []

    async def write(path: str) -> None:
        connection = await _connect(service)
        for _ in range(updates // _WRITERS):
            await _put(connection, path)
        connection.close()

    async with _reading(service, readers, arrivals):
        begun = time.perf_counter()
        await asyncio.gather(*map(write, paths[:_WRITERS]))
        await _arrived(arrivals, readers * (updates // _WRITERS) * _WRITERS)
    return Figure(f"deliveries to {readers} readers", len(arrivals) / (arrivals[-1] - begun), "/s")


async def delays(
    service: LocalService, path: str, readers: int = 100, rate: int = 100, *, readers_of: LocalService | None = None
) -> list[Figure]:
    """Measure from a PUT's answer to the arrival at each reader, of this server or another one of the same store.

    What arrives before the answer counts as 0.
    """
    arrivals: list[float] = []
    took: list[float] = []
    async with _reading(readers_of or service, readers, arrivals):
        connection = await _connect(service)
        begin = time.perf_counter()
        for number in range(3 * rate):
            await asyncio.sleep(begin + number / rate - time.perf_counter())
            await _put(connection, path)
            answered = time.perf_counter()
            await _arrived(arrivals, readers)
            took += [max(0.0, arrival - answered) for arrival in arrivals]
            arrivals.clear()
        connection.close()
    name = f"delay, {readers} readers, {rate} updates/s"
    return [
        Figure(f"{name}, p50", median(took) * 1000, "ms"),
        Figure(f"{name}, p99", quantiles(took, n=100)[98] * 1000, "ms"),
    ]


async def _idle_memory(service: LocalService, readers: int = 1000) -> Figure:
    assert service.process is not None
    process = psutil.Process(service.process.pid)
    before = process.memory_info().rss
    async with _reading(service, readers, []):
        grown = process.memory_info().rss - before
    return Figure(f"memory of {readers} idle streams", grown / 1024 / readers, "KiB each")


def _filter_cost(service: LocalService, paths: tuple[str, ...], rounds: int = 3) -> Figure:
    """Compare PUT with and without the filter that devices send."""
    body = _BODY.decode()
    plain, filtered = Load("PUT", paths, body), Load("PUT", paths, body, (("X-Response-Filter", "del(.context)"),))
    ratios = []
    for _ in range(rounds):
        rate = wrk.run(service.ports["south"], filtered, 16, _SECONDS).rate
        ratios.append(rate / wrk.run(service.ports["south"], plain, 16, _SECONDS).rate)
    return Figure("PUT with del(.context) to PUT without", median(ratios), "ratio")
