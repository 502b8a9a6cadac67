"""Bulk requests between requests of others."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from tests.store.samples import all_jobs
from tests.tuned import tuned
from tests.waiting import DEADLINE
from wfx.domain.creation import NewJob
from wfx.domain.errors import IdempotencyKeyInUse
from wfx.service import bulk
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.bulk import BulkJobs, Key
from wfx.service.bulk_work import Creation, JobResult
from wfx.service.guard import Guard
from wfx.service.limits import Limits
from wfx.store.protocol import Store

HOUR = 3600


def show(result: JobResult) -> bytes:
    """Write the client of a job."""
    return result.client_id.encode()


def unlimited(store: Store) -> Guard:
    """Return a guard that allows everything."""
    return Guard(store, Limits(tuned()), tuned())


@pytest.mark.usefixtures("flow")
async def test_nobody_waits_behind_the_last_slice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is answered once its last slice is done, and it is the next slice that comes later."""
    monkeypatch.setattr(bulk, "_LONGEST_PAUSE", 2 * HOUR)
    requests = BulkJobs(store, BoundedCounts(), unlimited(store), count(0, HOUR).__next__)
    work = Creation(lambda n: NewJob(f"c{n}", "demo.flow", None, None), str)
    async with asyncio.timeout(DEADLINE):
        answer = await requests.run(work, lambda: requests.given(3), show, None)
    assert (answer.failed, answer.results) == (0, ["c0,c1,c2"])
    assert requests._pause_until == 3 * HOUR, "an hour as the slice took, from its end on"


@pytest.mark.usefixtures("flow")
async def test_created_jobs_are_counted(store: Store) -> None:
    """Each job that is created counts for its workflow, once, and none that is refused."""
    created = BoundedCounts()
    requests = BulkJobs(store, created, unlimited(store))
    work = Creation(lambda n: NewJob("c", "demo.flow" if n % 2 else "nowhere", None, None), str)
    for key in (None, Key("k", "f"), Key("k", "f")):
        await requests.run(work, lambda: requests.given(70), show, key)
    assert dict(created) == {"demo.flow": 70}
    assert len(await all_jobs(store)) == 70


@pytest.mark.usefixtures("flow")
async def test_an_answer_that_was_dropped_meanwhile_is_not_an_empty_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for an answer while it is dropped is told to ask again, and never that there are no items."""
    requests = BulkJobs(store, BoundedCounts(), unlimited(store))
    work = Creation(lambda n: NewJob(f"c{n}", "demo.flow", None, None), str)
    await requests.run(work, lambda: requests.given(3), show, Key("k", "f"))

    async def dropped(_key: str) -> list[str]:
        return []

    monkeypatch.setattr(store, "bulk_results", dropped)
    with pytest.raises(IdempotencyKeyInUse):
        await requests.run(work, lambda: requests.given(3), show, Key("k", "f"))
