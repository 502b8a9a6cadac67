"""Pruning just where somebody reads, on the real store; reader and pruner take their steps when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.events.reading import EventSource
from tests.events.world import tiny_bounds
from tests.store.backends import NOON
from tests.store.samples import FLOW, begin
from tests.tuned import tuned
from wfx.domain.errors import BehindHorizon
from wfx.events.broker import Broker
from wfx.events.query import parse_query
from wfx.events.retention import Retention
from wfx.store.opening import open_store
from wfx.store.protocol import Store

EVENTS = 60
WEEK = 7 * 24 * 3600.0
"""Seconds."""
PLACE = 20
"""Where the reader is: at the end of a page, so that whatever comes next is read from the store."""


@pytest.fixture(autouse=True)
def tiny() -> Iterator[None]:
    """Let little be in memory."""
    with tiny_bounds():
        yield


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with some events."""
    opened = await open_store("sqlite", str(tmp_path / "wfx.db"), clock=lambda: NOON)
    await opened.create_workflow(FLOW)
    # The first event is the workflow's, which streams do not show.
    await asyncio.gather(*(opened.create_job(FLOW.name, begin()) for _ in range(EVENTS - 1)))
    yield opened
    await opened.close()


def place(source: EventSource) -> int:
    """The number in the last id that was told."""
    return int((source.last_id or "-0").rpartition("-")[2])


@pytest.mark.parametrize("horizon", [PLACE - 1, PLACE, PLACE + 1, EVENTS])
async def test_pruning_where_somebody_reads(store: Store, horizon: int) -> None:
    """Row 16: pruning up to the event that was read last takes nothing from a reader; beyond, it is told the oldest."""
    broker, source = Broker(store), EventSource()
    await broker.open()
    stream = (await broker.subscribe(parse_query({"since": "0"}))).chunks()
    while place(source) < PLACE:
        source.feed(bytes(await anext(stream)))
    assert place(source) == PLACE
    await Retention(store, tuned(events_keep=EVENTS - horizon, events_max_age=WEEK), now=lambda: NOON).prune()
    assert (await store.log_bounds()).oldest == horizon + 1
    if horizon <= PLACE:
        while place(source) < EVENTS:
            source.feed(bytes(await anext(stream)))
        assert [int(number.rpartition("-")[2]) for number, _ in source.events] == list(range(2, EVENTS + 1))
    else:
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        with pytest.raises(BehindHorizon) as refused:
            await broker.subscribe(parse_query({"since": "0"}, source.last_id))
        assert refused.value.oldest == horizon + 1
    await stream.aclose()
    await broker.close()


async def test_pruning_between_two_steps_of_a_reader(store: Store) -> None:
    """Row 16: if the log is pruned after each step of a reader, it sees a run without gaps, and then its end."""
    broker, source = Broker(store), EventSource()
    await broker.open()
    stream = (await broker.subscribe(parse_query({"since": "0"}))).chunks()
    pruned = 0
    async for chunk in stream:
        source.feed(bytes(chunk))
        pruned += 2
        await Retention(store, tuned(events_keep=EVENTS - pruned, events_max_age=WEEK), now=lambda: NOON).prune()
        if place(source) == EVENTS:
            break
    seen = [int(number.rpartition("-")[2]) for number, _ in source.events]
    assert seen == list(range(2, len(seen) + 2))
    assert 0 < len(seen) < EVENTS, "the pruner overtook the reader"
    await stream.aclose()
    await broker.close()
