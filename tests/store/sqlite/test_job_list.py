"""Lists of jobs from bitmaps, from the index of clients, and from searches are the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, all_jobs, begin, tag, together
from tests.store.test_lists import CONDITIONS, counts, fulfils, listed, row
from tests.store.test_queries import populate
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.sqlite import job_search


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BatchingStore]:
    """A store with jobs of two workflows."""
    opened = await open_store("sqlite", str(tmp_path / "wfx.db"))
    assert isinstance(opened, BatchingStore)
    await populate(opened)
    await together(*(opened.create_job(FLOW.name, begin(f"press-{n}", tags=["x"])) for n in range(5)))
    yield opened
    await opened.close()


@pytest.mark.parametrize("few", [0, 3, 20, 1000])
async def test_all_ways_find_the_same(store: BatchingStore, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Whatever counts as few, and whatever was changed, pages give what a look at each job gives."""
    monkeypatch.setattr(job_search, "FEW", few)
    for _ in range(2):
        jobs = await all_jobs(store)
        for conditions in CONDITIONS:
            query = JobListQuery(**conditions, limit=4)
            expected = [row(job) for job in jobs if fulfils(job, query)]
            assert await listed(store, query) == expected, query
            assert await listed(store, replace(query, descending=True)) == expected[::-1], query
            assert (await store.summarize_jobs(query)).counts == counts(jobs, query), query
        await together(*(store.change_job(job.id, tag("y")) for job in jobs[::5]))
        await together(*(store.delete_job(job.id) for job in jobs[::7]))


async def test_pages_of_several_conditions_come_from_bitmaps(
    store: BatchingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each of several conditions leaves many jobs, no index is gone through for a second page."""
    monkeypatch.setattr(job_search, "FEW", 0)
    query = JobListQuery(JobQuery(groups=("OPEN",), tags=("x",)), limit=4)
    page = await store.list_jobs(query)
    before = sqlite_of(store)._bitmaps.figures()
    await store.list_jobs(replace(query, after=page.next))
    after = sqlite_of(store)._bitmaps.figures()
    assert (after.misses, after.hits > before.hits) == (before.misses, True)
