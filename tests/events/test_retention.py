from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import pytest

from tests.events.listlog import ListLog
from tests.events.opening import opened
from tests.events.virtual_time import run
from tests.store.samples import FLOW, begin
from tests.tuned import tuned
from wfx.domain import creation
from wfx.domain.errors import BehindHorizon, StoreUnavailable
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import State, Workflow
from wfx.events.retention import Retention
from wfx.store.memory import open_memory
from wfx.store.opening import open_store
from wfx.store.protocol import KEPT_FOR_CONSUMERS

SECOND = 1_000_000
WEEK = 7 * 24 * 3600.0
"""Seconds."""


class Recording(ListLog):
    """A log that remembers when and how much was pruned."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[tuple[float, int]] = []

    async def prune_log(
        self, *, keep_newest: int, older_than: Timestamp, at_most: int, keep_for_consumers: int = KEPT_FOR_CONSUMERS
    ) -> int:
        """See the protocol."""
        if self.unavailable:
            raise StoreUnavailable("the database is away")
        count = await super().prune_log(keep_newest=keep_newest, older_than=older_than, at_most=at_most)
        assert keep_for_consumers == KEPT_FOR_CONSUMERS
        self.acts.append((asyncio.get_running_loop().time(), count))
        return count


def log_of(count: int) -> Recording:
    """Make a log with so many events, a millisecond apart."""
    log = Recording()
    for _ in range(count):
        log.change()
    return log


def test_only_the_newest_are_kept() -> None:
    """Of a log that is too long the oldest events go, exactly as many as are too many."""

    async def scenario() -> None:
        log = log_of(5000)
        retention = Retention(log.store, tuned(events_keep=1234, events_max_age=WEEK), now=lambda: log.events[0].ctime)
        assert await retention.prune() == 5000 - 1234
        assert log.horizon == 5000 - 1234
        assert await retention.prune() == 0

    run(scenario())


def test_old_events_go() -> None:
    """Events older than the greatest age go, even when there are few."""

    async def scenario() -> None:
        log = log_of(2000)
        end = log.events[-1].ctime
        retention = Retention(log.store, tuned(events_keep=1_000_000, events_max_age=0.5), now=lambda: end)
        await retention.prune()
        assert end - log.events[log.horizon].ctime == SECOND // 2

    run(scenario())


def test_pruning_is_done_in_small_steps_with_pauses() -> None:
    """Much to prune is many short transactions with pauses between them, so that nobody waits for it."""

    async def scenario() -> None:
        log = log_of(5000)
        async with Retention(
            log.store, tuned(events_keep=0, events_max_age=WEEK), pause=0.05, interval=60, now=lambda: Timestamp(0)
        ):
            await asyncio.sleep(30)
        times = [moment for moment, _ in log.acts]
        assert max(count for _, count in log.acts) <= 500
        assert sum(count for _, count in log.acts) == 5000
        assert all(later - earlier > 0.0499 for earlier, later in pairwise(times))

    run(scenario())


def test_histories_of_deleted_jobs_are_swept_in_small_steps() -> None:
    """What deleted jobs left behind goes by and by, from the start on, and what comes later too."""

    async def scenario() -> None:
        log = log_of(3)
        log.leftover = 1200
        async with Retention(
            log.store, tuned(events_keep=9999, events_max_age=WEEK), pause=0.05, interval=60, now=lambda: Timestamp(0)
        ):
            seen = [log.leftover]
            for _ in range(4):
                await asyncio.sleep(0.049)
                seen.append(log.leftover)
            assert seen == [1200, 700, 200, 0, 0]
            log.leftover = 7
            await asyncio.sleep(60)
            assert log.leftover == 0

    run(scenario())


def test_pruning_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """The log is looked after again and again, also after the store was away for a while."""

    async def scenario() -> None:
        log = log_of(10)
        async with Retention(
            log.store, tuned(events_keep=5, events_max_age=WEEK), interval=60, now=lambda: Timestamp(0)
        ):
            await asyncio.sleep(1)
            assert log.horizon == 5
            log.change()
            log.unavailable = True
            await asyncio.sleep(60)
            log.unavailable = False
            await asyncio.sleep(60)
            assert log.horizon == 6

    with caplog.at_level(logging.WARNING, "wfx"):
        run(scenario())
    assert "the database is away" in caplog.text


def test_readers_while_the_log_is_pruned() -> None:
    """A live reader does not notice pruning; one that comes back too late is told the oldest event."""

    async def scenario() -> None:
        log = log_of(0)
        async with (
            opened(log) as (_, subscribe),
            Retention(log.store, tuned(events_keep=50, events_max_age=WEEK), interval=1, now=lambda: Timestamp(0)),
        ):
            reader = await subscribe(since="0")
            for _ in range(1000):
                log.change()
                await asyncio.sleep(0.1)
            assert reader.source.ids == [f"L-{seq}" for seq in range(1001)]
            with pytest.raises(BehindHorizon) as caught:
                await subscribe(since="900")
            assert caught.value.oldest == log.horizon + 1

    run(scenario())


async def test_real_store() -> None:
    """On a real store the log ends up with what is to be kept, and its numbers go on."""
    moment = 1_800_000_000 * SECOND
    store = await open_store("sqlite", ":memory:", clock=lambda: moment)
    await store.create_workflow(Workflow("flow", (State("NEW"),)))
    start = partial(creation.decide, client_id="c", definition=None, tags=())
    await asyncio.gather(*(store.create_job("flow", start) for _ in range(39)))
    retention = Retention(store, tuned(events_keep=30, events_max_age=10), now=lambda: Timestamp(moment))
    await retention.prune()
    assert (await store.log_bounds()).oldest == 11
    moment += 11 * SECOND
    await retention.prune()
    bounds = await store.log_bounds()
    assert (bounds.oldest, bounds.head) == (41, 40)
    await store.create_job("flow", start)
    kept: Sequence[int] = [event.seq for event in await store.read_log(40, 10)]
    assert kept == [41]
    await store.close()


async def test_an_age_before_all_time() -> None:
    """A greatest age that reaches further back than times are stored drops nothing."""
    store = await open_store("sqlite", ":memory:")
    try:
        await store.create_workflow(Workflow("flow", (State("NEW"),)))
        await store.create_job("flow", partial(creation.decide, client_id="c", definition=None, tags=()))
        assert await Retention(store, tuned(events_keep=30, events_max_age=9_999_999_999 * 3600.0)).prune() == 0
        assert (await store.log_bounds()).oldest == 1
    finally:
        await store.close()


async def test_what_consumers_lose_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Events that a consumer has not read are kept up to a bound; a warning and a counter tell what it loses."""
    store = await open_memory()
    await store.create_workflow(FLOW)
    await store.consumer("mail")
    await store.consumer("audit")

    async def prune(jobs: int) -> int:
        for _ in range(jobs):
            await store.create_job(FLOW.name, begin())
        return await retention.prune()

    tunables = tuned(events_keep=2, events_max_age=WEEK)
    lost = Counter[str]()
    retention = Retention(store, tunables, keep_for_consumers=5, lost=lost)
    assert await prune(5) == 1, "the event of the workflow, which was there before them"
    await store.step("audit", 1, 0, 6, [])
    assert await prune(3) == 3
    assert lost == {"mail": 3}
    assert caplog.messages == ["consumer 'mail' was too slow: 3 events were pruned before it had read them"]
    assert await prune(0) == 0
    retention = Retention(store, tunables, keep_for_consumers=5, lost=lost)
    assert await prune(1) == 1
    assert lost == {"mail": 4}, "what was lost before was told before"
    assert len(caplog.messages) == 2
    assert (await store.consumer("mail")).lost == 4
    assert (await store.consumer("audit")).lost == 0
    await store.close()
