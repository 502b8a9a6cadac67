"""Subscribers of the event stream, as the scenarios fleet and events use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.ledger import Ledger
from wfx_loadtest.session import Session
from wfx_loadtest.stream import Stream, subscribe
from wfx_loadtest.timeline import DELIVERIES

_PATIENCE = 10 * SECOND
"""How long the last events may take before they count as missing."""


@asynccontextmanager
async def listening(session: Session, ledger: Ledger, query: str) -> AsyncIterator[list[Stream]]:
    """Open all subscriptions; before they are left, wait for what is still on its way."""
    streams: list[Stream] = []
    try:
        for _ in range(session.settings.subscribers):
            streams.append(await subscribe(session.south, query, ledger.listener().received))  # noqa: PERF401 - one by one, so that all are closed if one fails
        yield streams
        await _all_arrived(session, ledger)
    finally:
        for stream in streams:
            stream.close()


async def _all_arrived(session: Session, ledger: Ledger) -> None:
    deadline = session.clock.now() + _PATIENCE
    while ledger.settled < ledger.expected and session.clock.now() < deadline and not session.stop.is_set():
        await session.clock.until(session.clock.now() + 20 * MILLISECOND)


def new_ledger(session: Session, client_prefix: str) -> Ledger:
    """Return a ledger that also shows each delivery on the session's time line."""

    def seen(due: int, delay: int) -> None:
        session.metrics.timeline.add(DELIVERIES, due, delay, failed=False)

    return Ledger(client_prefix, session.clock, seen)
