"""Events of workflows, which are on the log and are shown to no reader of the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.events.reading import EventSource
from tests.store.samples import FLOW, begin, renamed
from wfx.domain.job import Subject
from wfx.events.broker import Broker
from wfx.events.query import parse_query
from wfx.store.opening import open_store
from wfx.store.protocol import Store

OTHER = renamed("other")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store whose log has events 1, 3 and 4 of workflows, and 2 and 5 of jobs."""
    opened = await open_store("sqlite", str(tmp_path / "wfx.db"))
    await opened.create_workflow(FLOW)
    await opened.create_job(FLOW.name, begin())
    await opened.create_workflow(OTHER)
    await opened.delete_workflow(OTHER.name)
    await opened.create_job(FLOW.name, begin())
    yield opened
    await opened.close()


@pytest.fixture
async def broker(store: Store) -> AsyncIterator[Broker]:
    """An open broker."""
    opened = Broker(store)
    await opened.open()
    yield opened
    await opened.close()


def numbers(ids: list[str]) -> list[int]:
    """The sequence numbers in ids of the log."""
    return [int(each.rpartition("-")[2]) for each in ids]


@pytest.mark.parametrize("query", [{}, {"workflows": "demo.flow,other"}, {"actions": "create,delete"}])
async def test_pages_pass_over_workflows(broker: Broker, query: dict[str, str]) -> None:
    """A page shows events of jobs alone, whatever it is filtered by, and ``next`` lies behind all that it passed."""
    page = await broker.page(parse_query({"since": "0", **query}))
    assert ([entry.seq for entry in page.entries], page.next) == ([2, 5], 5)
    first = await broker.page(parse_query({"since": "0", "limit": "1", **query}))
    assert ([entry.seq for entry in first.entries], first.next) == ([2], 2)
    rest = await broker.page(parse_query({"since": "2", "limit": "1", **query}))
    assert ([entry.seq for entry in rest.entries], rest.next) == ([5], 5)


async def test_a_page_of_workflows_alone_is_empty(store: Store, broker: Broker) -> None:
    """Where nothing but workflows has changed, a page is empty and moves on."""
    await store.create_workflow(OTHER)
    page = await broker.page(parse_query({"since": "5"}))
    assert (page.entries, page.next) == ((), 6)


@pytest.mark.parametrize("since", ["0", "1", "2", "3", "4"])
async def test_a_resumed_reader_is_not_held_up(broker: Broker, since: str) -> None:
    """A stream from any place of the past, also from a number of a workflow, comes to the next job."""
    stream, source = (await broker.subscribe(parse_query({"since": since}))).chunks(), EventSource()
    async with asyncio.timeout(20):
        while 5 not in numbers(source.ids):
            source.feed(bytes(await anext(stream)))
    await stream.aclose()
    assert [number for number in (2, 5) if number > int(since)] == numbers([each for each, _ in source.events])
    assert set(numbers(source.ids)) == {int(since), *numbers([each for each, _ in source.events])}


async def test_a_waiting_reader_is_not_shown_workflows(store: Store, broker: Broker) -> None:
    """Readers at the head, of whatever they follow, get the next job, and nothing of the workflows before it."""
    queries = [{"since": "now"}, {"since": "now", "workflows": "demo.flow,other"}, {}]
    streams = [(await broker.subscribe(parse_query(query))).chunks() for query in queries]
    sources = [EventSource() for _ in streams]
    for stream, source in zip(streams[:2], sources, strict=False):
        source.feed(bytes(await anext(stream)))
    steps = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0)
    await store.create_workflow(OTHER)
    await store.delete_workflow(OTHER.name)
    await store.create_job(FLOW.name, begin())
    async with asyncio.timeout(20):
        for source, step in zip(sources, await asyncio.gather(*steps), strict=True):
            source.feed(bytes(step))
    assert [numbers([each for each, _ in source.events]) for source in sources] == [[8], [8], [1]]
    for stream in streams:
        await stream.aclose()


async def test_followers_of_the_log_are_told_of_workflows(store: Store) -> None:
    """Who follows the store's log gets the events of workflows between those of jobs, without a gap."""
    follower = store.follow_log()
    await store.create_workflow(OTHER)
    await store.create_job(OTHER.name, begin())
    async with asyncio.timeout(20):
        events = [*await anext(follower), *await anext(follower)]
    assert [(event.seq, event.subject) for event in events] == [(6, Subject.WORKFLOW), (7, Subject.JOB)]
    await follower.aclose()
