from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections.abc import AsyncIterator
from functools import partial

import psutil
import pytest

from tests.events.reading import EventSource
from tests.events.serving import Server, serving
from tests.waiting import until
from wfx.domain import creation, transition
from wfx.domain.errors import TransitionRefused
from wfx.domain.job import Event, Status
from wfx.domain.workflow import Actor, State, Transition, Workflow
from wfx.events import log_window
from wfx.events.query import parse_query
from wfx.store.opening import open_store
from wfx.store.protocol import Store

ENGINES = pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
SMALL = 4096


@ENGINES
async def test_disconnect_is_noticed_at_once(engine: str) -> None:
    """A reader that goes away is forgotten without waiting for an event or a keep-alive."""
    async with serving(engine, keep_alive=3600) as server:
        stream = await server.connect()
        await until(lambda: server.broker.subscribers == 1)
        stream.close()
        await until(lambda: server.broker.subscribers == 0)


@ENGINES
async def test_end_is_proper(engine: str) -> None:
    """When the service stops, the body of a stream comes to its proper end."""
    async with serving(engine) as server:
        stream = await server.connect("since=0")
        server.log.change()
        await stream.until(b"id: L-1\n\n")
        closing = asyncio.create_task(server.broker.close())
        await stream.until_ended()
        await closing


@ENGINES
async def test_reader_that_never_reads_is_closed(engine: str, caplog: pytest.LogCaptureFixture) -> None:
    """A reader that does not read for the grace interval is cut off, counted and logged, and others notice nothing."""
    async with serving(engine, grace=0.5) as server:
        stuck = await server.connect("since=0", receive_buffer=SMALL)
        well = await server.connect("since=0")
        reading = asyncio.create_task(well.until(b"id: L-3000\n\n"))
        with caplog.at_level(logging.WARNING, "wfx"):
            for number in range(3000):
                server.log.change(filling="x" * 3000)
                if number % 50 == 0:
                    await asyncio.sleep(0.002)
            await until(lambda: server.broker.dropped == 1)
        assert "did not read for 0.5 s" in caplog.text
        await stuck.until_closed()
        await reading
        assert not stuck.ended
        source = EventSource()
        source.feed(stuck.body)
        again = await server.connect("since=0", headers=f"Last-Event-ID: {source.last_id}\r\n")
        await again.until(b"id: L-3000\n\n")
        source.reconnect()
        source.feed(again.body)
        assert [number for number, _ in source.events] == [f"L-{seq}" for seq in range(1, 3001)]


@ENGINES
async def test_reader_with_nothing_to_read_is_kept(engine: str) -> None:
    """A reader to whom nothing is sent for longer than the grace interval stays, whatever was sent before."""
    async with serving(engine, keep_alive=3600, grace=0.3) as server:
        stream = await server.connect("since=0")
        for number in (1, 2):
            server.log.change()
            await stream.until(b"id: L-%d\n\n" % number)
            await asyncio.sleep(0.8)
        assert (server.broker.subscribers, server.broker.dropped) == (1, 0)


@ENGINES
async def test_stuck_readers_do_not_keep_the_service_from_stopping(engine: str) -> None:
    """Streams whose readers do not read are cut off when the service stops."""
    async with serving(engine) as server:
        stuck = await server.connect("since=0", receive_buffer=SMALL)
        for _ in range(20):
            server.log.change(filling="x" * 500_000)
        await until(lambda: server.broker._window.recent.head == 20)
        await asyncio.wait_for(server.broker.close(), 60)
        assert server.broker.subscribers == 0
        await stuck.until_closed()


async def test_reader_that_pauses_catches_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that stops for a while gets everything once it reads again, while others are up to date all along."""
    monkeypatch.setattr(log_window, "MOST_EVENTS", 100)
    async with serving() as server:
        pausing = await server.connect(receive_buffer=16 * SMALL)
        well = await server.connect()
        for last in range(1000, 4000, 1000):
            for number in range(1000):
                server.log.change(filling="x" * 6000)
                if number % 50 == 0:
                    await asyncio.sleep(0.002)
            await well.until(b"id: %d\n\n" % last)
        await pausing.until(b"id: 3000\n\n")
        source = EventSource()
        source.feed(pausing.body)
        assert source.ids == [str(number) for number in range(1, 3001)]
        assert server.broker.dropped == 0


async def test_many_idle_streams_leave_nothing_behind() -> None:
    """When hundreds of streams close at once, descriptors, tasks and readers are back to what they were."""
    async with serving() as server:
        await server.connect()
        process = psutil.Process()
        await until(lambda: server.broker.subscribers == 1)
        descriptors, tasks = process.num_fds(), len(asyncio.all_tasks())
        streams = [await server.connect(f"jobIds=job-{number % 7}") for number in range(300)]
        await until(lambda: server.broker.subscribers == 301)
        for stream in streams:
            stream.close()
        await until(lambda: server.broker.subscribers == 1)
        await until(lambda: process.num_fds() <= descriptors and len(asyncio.all_tasks()) <= tasks)
        assert not server.broker._subscribers._by_job


async def test_huge_event_to_many_slow_readers() -> None:
    """An event of megabytes to hundreds of readers that do not read is held once, and a fraction of it for each."""
    size, count = 4_000_000, 200
    async with serving() as server:
        for _ in range(count):
            await server.connect("since=now", receive_buffer=SMALL)
        well = await server.connect("since=now")
        await until(lambda: server.broker.subscribers == count + 1)
        server.log.change(filling="x" * size)
        reading = asyncio.create_task(well.until(b"id: L-1\n\n"))
        most = copies = 0
        while most <= size or not reading.done():
            most, copies = max(most, bytes_to_be_sent()), max(copies, copies_of(size))
            await asyncio.sleep(0.01)
        await reading
        assert size < most < 15 * size
        assert copies <= 5


def bytes_to_be_sent() -> int:
    """The bytes that wait in all transports of this process."""
    found = (one for one in gc.get_objects() if isinstance(one, asyncio.Transport))
    return sum(transport.get_write_buffer_size() for transport in found)


def copies_of(size: int) -> int:
    """How many texts of at least this size there are in this process, those of the reader apart."""
    texts = {id(one): one for owner in gc.get_objects() for one in gc.get_referents(owner)
             if isinstance(one, bytes | str)}  # fmt: skip
    return sum(len(one) >= size for one in texts.values())


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A real store in memory with one workflow."""
    opened = await open_store("sqlite", ":memory:")
    steps = (Transition("NEW", "DONE", Actor.CLIENT),)
    await opened.create_workflow(Workflow("flow", (State("NEW"), State("DONE")), steps))
    yield opened
    await opened.close()


async def _work(store: Store, client: str, changes: int) -> None:
    """Create a job for a client, change it, and try what is refused: that is no event."""
    start = partial(creation.decide, client_id=client, definition=None, tags=())
    job = await store.create_job("flow", start)
    for number in range(changes):
        wanted = Status("NEW", message=f"{client} {number}")
        await store.change_job(job.id, partial(transition.decide, wanted=wanted, actor=Actor.CLIENT))
        with pytest.raises(TransitionRefused):
            await store.change_job(job.id, partial(transition.decide, wanted=Status("NO"), actor=Actor.CLIENT))


async def _coming_and_going(server: Server, query: str, seed: int, last: str) -> EventSource:
    """Read to the end, with a new connection now and then."""
    source, chance = EventSource(), random.Random(seed)
    while source.last_id != last:
        headers = f"Last-Event-ID: {source.last_id}\r\n" if source.last_id else ""
        stream = await server.connect(query, headers=headers)
        until = asyncio.get_running_loop().time() + chance.uniform(0.05, 0.5)
        while not stream.closed and source.last_id != last and asyncio.get_running_loop().time() < until:
            try:
                async with asyncio.timeout_at(until):
                    await stream.read_some()
            except TimeoutError:
                break
        source.reconnect()
        source.feed(stream.body)
        source.reconnect()
        stream.close()
    return source


async def test_real_store_with_readers_that_come_and_go(store: Store) -> None:
    """Readers of a real store, with filters and reconnects, each see exactly their part of the log, in its order."""
    clients, changes, per_filter = 10, 40, 6
    head = clients * (changes + 1) + 1  # with the workflow's
    async with serving(store=store, keep_alive=0.2) as server:
        log_id = (await store.log_bounds()).log_id
        last = f"{log_id}-{head}"
        queries = ["since=now", "since=now&clientIds=client-3,client-4", "since=now&actions=create"]
        readers = [
            asyncio.create_task(_coming_and_going(server, query, seed, last))
            for seed, query in enumerate(queries * per_filter)
        ]
        await until(lambda: server.broker.subscribers == len(readers))
        await asyncio.gather(*(_work(store, f"client-{number}", changes) for number in range(clients)))
        async with asyncio.timeout(30):
            sources = await asyncio.gather(*readers)
        events: list[Event] = []
        while len(events) < head:
            events += await store.read_log(len(events), 100)
        for query, source in zip(queries * per_filter, sources, strict=True):
            wanted = parse_query(dict(part.split("=") for part in query.split("&"))).filter
            assert [number for number, _ in source.events] == [
                f"{log_id}-{event.seq}" for event in events if wanted.passes(event)
            ]
