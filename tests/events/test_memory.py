from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.events.listlog import ListLog
from tests.events.opening import opened, settled
from tests.events.reading import EventSource, Reader
from tests.events.virtual_time import run
from wfx.events import log_window
from wfx.events.broker import Broker
from wfx.events.query import parse_query


def test_huge_event_is_encoded_once_and_never_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of megabytes reaches many readers whole, in slices of one shared piece of memory."""
    monkeypatch.setattr(log_window, "MOST_BYTES", 1000)

    async def scenario() -> None:
        log = ListLog()
        broker = Broker(log.store)
        await broker.open()
        streams = [(await broker.subscribe(parse_query({"since": "0"}))).chunks() for _ in range(20)]
        for stream in streams:
            await anext(stream)
        log.change("big", filling="x" * 600_000)
        log.change("small")
        await settled()
        shared = set()
        for stream in streams:
            source = EventSource()
            while len(source.events) < 2:
                chunk = await anext(stream)
                assert len(chunk) < 100_000
                if isinstance(chunk, memoryview):
                    shared.add(id(chunk.obj))
                source.feed(bytes(chunk))
            assert source.jobs == ["big", "small"]
            assert len(source.events[0][1]["job"]["filling"]) == 600_000
            await stream.aclose()
        assert len(shared) == 1
        await broker.close()

    run(scenario())


def test_readers_stuck_at_a_huge_past_event_share_it() -> None:
    """Many readers that resume before a huge old event hold it once, not once each."""

    async def scenario() -> None:
        log = ListLog()
        for number in range(8):
            log.change(str(number), filling="x" * 500_000)
        async with opened(log) as (broker, _):
            places = (0, 0, 1, 1, 0)
            streams = [(await broker.subscribe(parse_query({"since": str(since)}))).chunks() for since in places]
            sources = [EventSource() for _ in streams]
            for _ in range(500):
                for stream, source in zip(streams, sources, strict=True):
                    if not source.events or source.jobs[-1] != "7":
                        source.feed(bytes(await anext(stream)))
            for since, source in zip(places, sources, strict=True):
                assert source.jobs == [str(number) for number in range(since, 8)]
            assert log.reads <= 2 * 8 + 1
            for stream in streams:
                await stream.aclose()

    run(scenario())


def test_only_the_concerned_are_woken() -> None:
    """A change to one job costs nothing to readers of other jobs, clients and workflows."""

    async def scenario() -> None:
        log = ListLog()
        broker = Broker(log.store)
        await broker.open()
        parameters = {
            "job": {"jobIds": "a"},
            "client": {"clientIds": "z"},
            "workflow": {"workflows": "flow-b"},
            "all": {},
        }
        woken: list[str] = []
        readers = []
        for name, wanted in parameters.items():
            subscription = await broker.subscribe(parse_query(wanted))
            wake = subscription.wake

            def note(first: int, name: str = name, wake: Callable[[int], None] = wake) -> None:
                woken.append(name)
                wake(first)

            subscription.wake = note  # type: ignore[method-assign]  # to see it called
            readers.append(Reader(subscription))
        await settled()
        log.change("a", "c", "flow-a")
        await settled()
        assert sorted(woken) == ["all", "job"]
        woken.clear()
        log.change("b", "z", "flow-b")
        await settled()
        assert sorted(woken) == ["all", "client", "workflow"]
        await broker.close()

    run(scenario())


def test_nothing_is_kept_in_memory_without_readers() -> None:
    """Without readers no event is encoded or held, and the first reader still gets everything it asks for."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (broker, subscribe):
            for _ in range(100):
                log.change()
            await settled()
            source = broker._window
            assert source.recent.first == source.recent.head + 1 == 101
            assert len((await subscribe(since="40")).source.events) == 60

    run(scenario())


def test_a_reader_a_little_behind_needs_no_store() -> None:
    """A reader that stopped reading for some megabytes of events gets these from memory, not from the database."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="0")
            reader.pause()
            for _ in range(400):
                log.change(filling="x" * 10_000)
                await settled()
            reader.go_on()
            await settled()
            assert len(reader.source.events) == 400
            assert log.reads == 0

    run(scenario())
