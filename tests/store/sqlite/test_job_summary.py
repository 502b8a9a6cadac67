"""Counts from bitmaps and from indexes are the same, whichever way is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, all_jobs, begin, move, tag, together
from tests.store.test_queries import populate
from tests.store.test_summaries import QUERIES, counted
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.sqlite import job_search, job_summary


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BatchingStore]:
    """A store with jobs of two workflows, of which none are so few that they are looked for one by one."""
    monkeypatch.setattr(job_search, "FEW", 0)
    opened = await open_store("sqlite", str(tmp_path / "wfx.db"))
    assert isinstance(opened, BatchingStore)
    await populate(opened)
    yield opened
    await opened.close()


async def require_right(store: BatchingStore) -> None:
    """Hold the counts of each query against a look at each job."""
    jobs = list(await all_jobs(store))
    for query in QUERIES:
        assert (await store.summarize_jobs(JobListQuery(query))).counts == counted(jobs, query), query


@pytest.mark.parametrize("most_states", [0, 1000])
async def test_both_ways_count_the_same(
    store: BatchingStore, monkeypatch: pytest.MonkeyPatch, most_states: int
) -> None:
    """Before and after changes of any kind, bitmaps and indexes give as many jobs as a look at each job."""
    monkeypatch.setattr(job_summary, "_MOST_STATES", most_states)
    await require_right(store)
    jobs = await all_jobs(store)
    fresh = [job for job in jobs if job.state == "NEW"]
    await together(*(store.change_job(job.id, tag("y")) for job in jobs[::3]))
    await together(*(store.change_job(job.id, move("RUN")) for job in fresh[::2]))
    await together(*(store.delete_job(job.id) for job in jobs[::5]))
    await together(*(store.create_job(FLOW.name, begin("a", tags=["x"])) for _ in range(5)))
    await require_right(store)


async def test_a_second_summary_reads_no_index(store: BatchingStore) -> None:
    """What was counted once is told from memory, also after changes."""
    (bitmaps,) = (each for each in sqlite_of(store).caches() if each.name == "bitmaps")
    assert bitmaps.entries == 0
    await store.summarize_jobs(JobListQuery())
    await store.create_job(FLOW.name, begin())
    before = sqlite_of(store)._bitmaps.figures()
    summary = await store.summarize_jobs(JobListQuery(JobQuery(groups=("OPEN", "CLOSED", "BUSY", ""))))
    after = sqlite_of(store)._bitmaps.figures()
    assert sum(summary.counts.values()) == 49
    assert (after.misses, after.hits > before.hits) == (before.misses, True)
