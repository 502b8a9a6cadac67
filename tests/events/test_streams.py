from __future__ import annotations

import asyncio

import pytest

from tests.events.listlog import ListLog
from tests.events.opening import opened, settled
from tests.events.virtual_time import run
from wfx.domain.errors import NotOnThisLog
from wfx.domain.job import Action
from wfx.events import log_window
from wfx.events.broker import Broker
from wfx.events.query import parse_query


def test_stream_from_now_on_counts_its_own_events() -> None:
    """Without a position a stream begins with the next event, numbered 1, 2, 3 for each reader."""

    async def scenario() -> None:
        log = ListLog()
        log.change("old")
        async with opened(log) as (_, subscribe):
            early = await subscribe()
            log.commit(("a", "c", "flow-a", Action.CREATE), ("b", "c", "flow-a", Action.DELETE))
            await settled()
            late = await subscribe(tags="x,y")
            log.change("d")
            await settled()
            assert [(number, data["job"]["id"]) for number, data in early.source.events] == [
                ("1", "a"),
                ("2", "b"),
                ("3", "d"),
            ]
            assert late.source.ids == ["1"]
            assert early.source.events[0][1]["tags"] is None
            assert late.source.events[0][1]["tags"] == ["x", "y"]

    run(scenario())


def test_bytes() -> None:
    """A block is one data line, one id line and an empty line, with line feeds only."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            counting, following = await subscribe(keep_alive=5), await subscribe(since="0", keep_alive=5)
            log.change("a")
            await asyncio.sleep(6)
            data = (
                b'data: {"ctime":"2026-07-02T13:46:40.001Z","action":"UPDATE_STATUS","job":{"clientId":"client",'
                b'"id":"a","filling":"","workflow":{"name":"flow-a"}},"tags":null}\n'
            )
            assert counting.raw == data + b"id: 1\n\n" + b": keepalive\n\n"
            assert following.raw == b"id: L-0\n\n" + data + b"id: L-1\n\n" + b": keepalive\n\n"

    run(scenario())


def test_past_and_present_are_one_stream() -> None:
    """A stream that begins in the past goes over to the present without a gap or a repetition, and filters both."""

    async def scenario() -> None:
        log = ListLog()
        for number in range(300):
            log.change("a" if number % 3 else "b")
        async with opened(log) as (_, subscribe):
            everything, later = await subscribe(since="0"), await subscribe(since="290")
            some = await subscribe(since="0", jobIds="b")
            for _ in range(5):
                log.change("b")
                await settled()
            assert everything.source.ids == [f"L-{seq}" for seq in range(306)]
            assert [seq for seq, _ in some.source.events] == [
                f"L-{event.seq}" for event in log.events if event.job_id == "b"
            ]
            assert later.source.ids == [f"L-{seq}" for seq in range(290, 306)]

    run(scenario())


def test_list_then_follow() -> None:
    """A stream with since=now tells at once where it begins, and has everything after that."""

    async def scenario() -> None:
        log = ListLog()
        log.change("a")
        async with opened(log) as (_, subscribe):
            reader = await subscribe(since="now", jobIds="nobody")
            assert reader.raw == b"id: L-1\n\n"

    run(scenario())


def test_resumption() -> None:
    """A reader that comes back with its last id misses nothing and sees nothing twice, whatever URL it began with."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (broker, subscribe):
            reader = await subscribe(since="now")
            log.change("a")
            await settled()
            await reader.stop()
            assert broker.subscribers == 0
            log.change("b")
            again = await subscribe(reader.source, since="now", last_event_id=reader.source.last_id)
            log.change("c")
            await settled()
            assert again.source.jobs == ["a", "b", "c"]

    run(scenario())


def test_slow_reader_is_served_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that stops for a while gets all it missed, in order, though memory holds only a few events."""
    monkeypatch.setattr(log_window, "MOST_EVENTS", 10)

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (_, subscribe):
            slow, counting, quick = await subscribe(since="0"), await subscribe(), await subscribe()
            slow.pause()
            counting.pause()
            for _ in range(200):
                log.change()
                await asyncio.sleep(0)
            await settled()
            assert len(quick.source.events) == 200
            assert len(slow.source.events) < 200
            slow.go_on()
            counting.go_on()
            log.change()
            await settled()
            assert slow.source.ids == [f"L-{seq}" for seq in range(202)]
            assert counting.source.ids == [str(number) for number in range(1, 202)]

    run(scenario())


@pytest.mark.parametrize("since", ["11", str(2**63 - 1), "other-1"])
def test_no_stream_where_there_is_no_log(since: str) -> None:
    """A position ahead of the head or on another log is refused before the stream begins."""

    async def scenario() -> None:
        log = ListLog()
        for _ in range(10):
            log.change()
        async with opened(log) as (_, subscribe):
            with pytest.raises(NotOnThisLog):
                await subscribe(since=since)

    run(scenario())


def test_closing_ends_all_streams_between_blocks() -> None:
    """When the broker closes, streams end at once after whole blocks, and later ones end as they begin."""

    async def scenario() -> None:
        log = ListLog()
        async with opened(log) as (broker, subscribe):
            idle, busy = await subscribe(), await subscribe(since="0")
            for _ in range(10):
                log.change()
            await settled()
            await broker.close()
            await idle.end()
            await busy.end()
            assert busy.raw.endswith(b"\n\n")
            assert broker.subscribers == 0
            late = await subscribe()
            assert late.ended

    run(scenario())


def test_closing_does_not_wait_for_a_reader_that_does_not_read() -> None:
    """A reader that is stuck is cut off a moment after the others have ended."""

    async def scenario() -> None:
        log = ListLog()
        broker = Broker(log.store)
        await broker.open()
        subscription = await broker.subscribe(parse_query({"since": "now"}))
        chunks = subscription.chunks()
        await anext(chunks)
        cut = asyncio.Event()
        subscription.interrupt = cut.set
        before = asyncio.get_running_loop().time()
        await broker.close()
        assert cut.is_set()
        assert asyncio.get_running_loop().time() - before < 5
        await chunks.aclose()
        assert broker.subscribers == 0

    run(scenario())
