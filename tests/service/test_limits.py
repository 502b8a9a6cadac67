"""Limits: who waits, who is refused, and what holds while a shared database does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.clock import Clock
from tests.tuned import tuned
from wfx.domain.errors import StoreUnavailable, TooManyStarted
from wfx.limits.asks import Ask, Shortage
from wfx.limits.bucket import Bucket
from wfx.limits.memory import MemoryBuckets
from wfx.limits.policy import Kind
from wfx.service.limits import Limits


class Database:
    """Keeps buckets, and notes what it is asked; it can be down."""

    def __init__(self, clock: Clock) -> None:
        self.asked: list[int] = []
        self.down = False
        self._buckets = MemoryBuckets(lambda: int(clock.now * 1000))

    async def take_all(self, wanted: Sequence[Sequence[Ask]]) -> Sequence[Shortage | None]:
        """Answer."""
        self.asked.append(len(wanted))
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailable("down")
        return [self._buckets.take(asks) for asks in wanted]

    async def give_back(self, wanted: Sequence[Sequence[Ask]]) -> None:
        """Have tokens back."""
        if self.down:
            raise StoreUnavailable("down")
        for asks in wanted:
            self._buckets.give_back(asks)

    async def look(self, keys: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        """Tell how they are."""
        return self._buckets.look(keys)


@pytest.fixture
def clock() -> Clock:
    """A clock that the test sets."""
    return Clock()


async def test_what_callers_start_is_refused(clock: Clock) -> None:
    """Who starts work beyond the limit is told to come back in whole seconds, at the earliest when there is a token."""
    limits = Limits(tuned(sandbox_rate_limit_job_schedule=("7/PT1M",)), clock=clock)
    for _ in range(7):
        await limits.require(Kind.JOB_SCHEDULE)
    with pytest.raises(TooManyStarted) as refused:
        await limits.require(Kind.JOB_SCHEDULE)
    assert refused.value.seconds == 9  # 60 / 7 = 8.57
    clock.now += 9
    await limits.require(Kind.JOB_SCHEDULE)
    assert limits.is_set(Kind.JOB_SCHEDULE)
    assert not limits.is_set(Kind.JOB_EXECUTE)
    await limits.require(Kind.JOB_EXECUTE)  # nothing is limited there


async def test_limits_are_shown_while_the_database_is_down(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """While shared buckets cannot be read, those of this server are shown, and why."""
    database = Database(clock)
    database.down = True
    limits = Limits(tuned(sandbox_rate_limit_instance_start=("5/PT1M",)), {"postgres": database}, clock)
    assert await limits.take(Kind.INSTANCE_START) == 0

    async def fail(_: Sequence[str]) -> tuple[Sequence[Bucket], int]:
        raise StoreUnavailable("down")

    monkeypatch.setattr(database, "look", fail)
    (state,), trouble = await limits.look()
    assert (state.left, trouble) == (4, "shared buckets cannot be read, these are of this server alone: down")


async def test_the_database_is_asked_together(clock: Clock) -> None:
    """Those who come while the database is asked are asked for together; that there is no token is remembered."""
    database = Database(clock)
    limits = Limits(tuned(sandbox_rate_limit_instance_start=("5/PT1M",)), {"postgres": database}, clock)
    waits = await asyncio.gather(*(limits.take(Kind.INSTANCE_START) for _ in range(8)))
    assert waits == [0] * 5 + [12] * 3
    assert sum(database.asked) == 8
    assert len(database.asked) <= 2
    clock.now += 3
    assert await limits.take(Kind.INSTANCE_START) == 9
    assert sum(database.asked) == 8
    clock.now += 9
    assert await limits.take(Kind.INSTANCE_START) == 0


async def test_while_the_database_is_down(clock: Clock) -> None:
    """While the database does not answer the server's own buckets decide; afterwards the shared ones do again."""
    database = Database(clock)
    limits = Limits(tuned(sandbox_rate_limit_instance_start=("2/PT1M",)), {"postgres": database}, clock)
    database.down = True
    assert [await limits.take(Kind.INSTANCE_START) for _ in range(3)] == [0, 0, 30]
    database.down = False
    assert [await limits.take(Kind.INSTANCE_START) for _ in range(3)] == [0, 0, 30]
