"""Leases on PostgreSQL: they go by the clock of the database, whatever the servers' own clocks say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from tests.store.backends import NOON, SetClock
from wfx.store.opening import open_store
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store

HOUR = 3_600_000_000


@pytest.fixture
async def operator(option: str) -> AsyncIterator[Plain]:
    """Somebody else on the database."""
    plain = await Connector(read_target(option))()
    yield plain
    await plain.close()


@pytest.fixture
async def servers(option: str) -> AsyncIterator[Sequence[Store]]:
    """Two servers, one of which has a clock that is an hour ahead of the other's."""
    early, late = SetClock(), SetClock()
    late.now = NOON + HOUR
    both = [await open_store("postgres", option, clock=clock) for clock in (early, late)]
    yield both
    for each in both:
        await each.close()


async def test_clocks_of_servers_do_not_count(servers: Sequence[Store], operator: Plain) -> None:
    """A lease that one server has no other takes, however far its clock is ahead; it ends by the database's clock."""
    before = await operator.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    lease = await servers[0].lease("chores", 600)
    after = await operator.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    assert lease is not None
    assert before + 600_000_000 <= lease.until <= after + 600_000_000
    assert await servers[1].lease("chores", 600) is None
    renewed = await servers[0].lease("chores", 600)
    assert renewed is not None
    assert (renewed.epoch, renewed.until > lease.until) == (1, True)


async def test_end(servers: Sequence[Store], operator: Plain) -> None:
    """A lease that has ended another server gets, as its next holder; so it does if the clock was set back by hours."""
    first = await servers[0].lease("chores", 600)
    await operator.execute("UPDATE lease SET until = until - 600000000")  # as long later
    second = await servers[1].lease("chores", 600)
    assert first is not None
    assert second is not None
    assert (second.epoch, second.holder != first.holder) == (2, True)
    await operator.execute("UPDATE lease SET until = until + 3600000000")  # as if the clock was set back
    third = await servers[0].lease("chores", 600)
    assert third is not None
    assert (third.epoch, third.holder) == (3, first.holder)
