"""Fifty readers of one busy service: each gets exactly its part of the log, whatever it does meanwhile."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from history_check import Document, Outcome

from tests.acceptance.clients import BASE, DEADLINE, Recorder, Writer, create_workflow, number_of, read_log
from tests.events.reading import EventSource
from tests.waiting import until
from wfx.demo.local import LocalService

Passes = Callable[[Document], bool]
SEED = 1 if "CI" in os.environ else random.randrange(10**9)
READERS = 50
CHANGES = 2000
WRITERS = 8


class Reader:
    """Follows a part of the log over a bare connection; some leave now and then and come back."""

    def __init__(self, port: int, query: str, passes: Passes, *, leaves: bool, seed: int) -> None:
        """Ask with ``query``; ``passes`` says which events that should let through."""
        self.source = EventSource()
        self.start: int | None = None
        self.returns = 0
        self._port, self._query, self._leaves = port, query, leaves
        self._passes = passes
        self._random = random.Random(seed)

    async def run(self) -> None:
        """Read until cancelled."""
        since = "now"
        while True:
            await self._read(since)
            assert self.source.last_id is not None, "a stream with since begins with its position"
            since = self.source.last_id
            self.returns += 1

    async def _read(self, since: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            target = f"{BASE}/jobs/events?since={since}{self._query}"
            writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await self._take(reader, chunked=b"chunked" in head.lower())
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, *, chunked: bool) -> None:
        """Take in the stream, up to its end or to the moment of leaving."""
        self.source.reconnect()
        stays = self._random.randrange(20, 200) if self._leaves else CHANGES * 2
        begin = len(self.source.ids)
        while len(self.source.ids) - begin < stays:
            if chunked:
                size = int(await reader.readline(), 16)
                data = (await reader.readexactly(size + 2))[:-2]
            else:
                data = await reader.read(65536)
            if not data:
                return
            self.source.feed(data)
            if self.start is None and self.source.ids:
                self.start = number_of(self.source.ids[0])

    def part_of(self, log: list[tuple[int, Document]]) -> list[tuple[int, Document]]:
        """What of the log this reader should have seen."""
        assert self.start is not None
        return [(number, event) for number, event in log if number > self.start and self._passes(event)]

    @property
    def seen(self) -> list[tuple[int, Document]]:
        """What it has seen."""
        return [(number_of(event_id), event) for event_id, event in self.source.events]


def wishes() -> Iterator[tuple[str, Passes]]:
    """Ways to ask, and what each lets through."""
    yield "", lambda _: True
    yield "&clientIds=w1", lambda event: event["job"]["clientId"] == "w1"
    yield "&clientIds=w2,w3,nobody", lambda event: event["job"]["clientId"] in ("w2", "w3")
    yield "&actions=create,delete", lambda event: event["action"] in ("CREATE", "DELETE")
    yield "&workflows=endless&actions=ADD_TAGS", lambda event: event["action"] == "ADD_TAGS"
    yield (
        "&clientIds=w4&actions=UPDATE_STATUS",
        lambda event: event["action"] == "UPDATE_STATUS" and event["job"]["clientId"] == "w4",
    )
    yield "&workflows=other", lambda _: False


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
async def test_each_reader_gets_its_part(tmp_path: Path, engine: str) -> None:
    """Fifty readers come while two thousand changes happen, half of them leave and return: none misses or repeats."""
    ways = list(wishes())
    recorder = Recorder()
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        await create_workflow(service.north)
        writers = [Writer(f"w{n}", service.ports, recorder, SEED + n) for n in range(WRITERS)]
        readers = [
            Reader(service.ports["south"], *ways[n % len(ways)], leaves=n % 2 == 1, seed=SEED + n)
            for n in range(READERS)
        ]
        async with asyncio.TaskGroup() as group:
            writing = [group.create_task(w.run(lambda: recorder.acknowledged < CHANGES)) for w in writers]
            reading = []
            for number, reader in enumerate(readers):
                await until(partial(recorder.has, number * CHANGES // (2 * READERS)), "more changes")
                reading.append(group.create_task(reader.run()))
            await asyncio.wait(writing, timeout=DEADLINE)
            log = await read_log(service.north)
            await until(
                lambda: all(r.start is not None and len(r.seen) >= len(r.part_of(log)) for r in readers),
                f"all events at all readers; seed {SEED}",
            )
            for task in reading:
                task.cancel()
        for writer in writers:
            writer.close()
    assert recorder.outcomes == {Outcome.ACKNOWLEDGED: recorder.acknowledged}, "nothing failed"
    assert len(log) >= CHANGES
    for reader in readers:
        assert reader.seen == reader.part_of(log), f"seed {SEED}"
    assert sum(reader.returns for reader in readers) > READERS, "many left and came back"
