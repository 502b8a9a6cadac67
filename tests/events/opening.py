"""An open broker, and readers of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.events.listlog import ListLog
from tests.events.reading import EventSource, Reader
from wfx.events.broker import Broker
from wfx.events.query import Parameter, parse_query

Subscribe = Callable[..., Awaitable[Reader]]


@asynccontextmanager
async def opened(log: ListLog) -> AsyncIterator[tuple[Broker, Subscribe]]:
    """Open a broker, and give a function that subscribes with parameters as on the wire and starts to read."""
    broker = Broker(log.store)
    await broker.open()

    async def subscribe(
        source: EventSource | None = None,
        *,
        keep_alive: float = 30,
        last_event_id: str | None = None,
        **parameters: Parameter,
    ) -> Reader:
        reader = Reader(await broker.subscribe(parse_query(parameters, last_event_id), keep_alive), source)
        await settled()
        return reader

    try:
        yield broker, subscribe
    finally:
        await broker.close()


async def settled() -> None:
    """Let everything happen that can happen now (virtual time)."""
    await asyncio.sleep(0.1)
