"""Bitmaps in memory: what they tell is what the tables of the same snapshot say, whatever is written meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.backends import SQLITE_BACKENDS, Backend, sqlite_of
from tests.store.samples import FLOW, all_jobs, begin, move, renamed, tag, together, untag
from tests.store.test_model import live
from wfx.domain.errors import StoreUnavailable, WfxError
from wfx.domain.job import Job
from wfx.domain.query import JobQuery, Paging
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.sqlite import dirty_jobs, job_search
from wfx.store.sqlite.bitmaps import Bitmaps
from wfx.store.sqlite.connection import inside
from wfx.store.sqlite.dirty_jobs import DirtyJobs
from wfx.store.sqlite.job_facets import Condition
from wfx.store.sqlite.job_search import Found, Search, select
from wfx.store.sqlite.numbering import NumberedJob
from wfx.store.sqlite.rows import ANY_SIZE

FAR = Paging(limit=0, with_total=True)
QUERIES = [
    JobQuery("", state, workflow, groups, tags, FAR)
    for state, workflow, groups, tags in itertools.product(
        ("", "RUN"), ("", "a"), ((), ("OPEN",), ("OPEN", "CLOSED")), (("x",), ("x", "y"), ("x", "y", "none"))
    )
]
TAGGED_AND_NEW = JobQuery(state="NEW", tags=("x",), paging=FAR)


@pytest.fixture(autouse=True)
def _nothing_is_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_search, "FEW", 0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BatchingStore]:
    """A store with jobs of two workflows, in two states, with two tags."""
    opened = await open_store("sqlite", str(tmp_path / "wfx.db"))
    assert isinstance(opened, BatchingStore)
    for name in ("a", "b"):
        await opened.create_workflow(renamed(name, FLOW))
        jobs = await together(*(opened.create_job(name, begin(tags=["x", "y"][n % 2 :])) for n in range(20)))
        await together(*(opened.change_job(job.id, move("RUN")) for job in jobs[::3]))
    yield opened
    await opened.close()


def both_ways(store: BatchingStore, connection: sqlite3.Connection, query: JobQuery) -> type:
    """Hold what bitmaps tell against a search by SQL, in one snapshot; returns how the jobs were found."""
    connection.execute("BEGIN")
    try:
        found, searched = select(connection, query, sqlite_of(store)._bitmaps), select(connection, query)
        assert isinstance(searched, Search)
        for paging in (query.paging, Paging(3, 4), Paging(2, 5, descending=True), Paging(2**70, 3, descending=True)):
            pages = [list(way.page(connection, paging, ANY_SIZE)) for way in (found, searched)]
            assert pages[0] == pages[1], query
        assert found.total(connection) == searched.total(connection), query
    finally:
        connection.rollback()
    return type(found)


async def ways_to_find(store: BatchingStore, queries: list[JobQuery]) -> set[type]:
    """Find the jobs of each query both ways."""
    return {
        await sqlite_of(store)._query_connection.run(lambda connection, one=one: both_ways(store, connection, one))
        for one in queries
    }


async def test_bitmaps_tell_what_a_search_finds(store: BatchingStore) -> None:
    """Whatever the conditions, jobs and their number are those that a search finds, before and after changes."""
    assert Found in await ways_to_find(store, QUERIES)
    jobs = await all_jobs(store)
    await together(*(store.change_job(job.id, tag("y")) for job in jobs[::5]))
    await together(*(store.change_job(job.id, untag("x")) for job in jobs[::7]))
    await together(*(store.delete_job(job.id) for job in jobs[::9]))
    await together(*(store.create_job("a", begin(tags=["x"])) for _ in range(5)))
    assert Found in await ways_to_find(store, QUERIES)


async def test_bitmaps_are_of_the_searchs_own_snapshot(store: BatchingStore) -> None:
    """While others write without pause, jobs and total are always those of one moment."""
    going = True

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        jobs = list(await all_jobs(store))
        while going:
            job = chance.choice(jobs)
            acts = (
                store.change_job(job.id, move("RUN")),
                store.change_job(job.id, tag(chance.choice("xyz"))),
                store.change_job(job.id, untag("x")),
                store.delete_job(job.id),
                store.create_job("a", begin(tags=["x"])),
            )
            chosen = chance.choices(acts, (4, 4, 4, 1, 2))[0]
            for act in acts:
                if act is not chosen:
                    act.close()
            try:
                jobs.append(await chosen or job)
            except WfxError:
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for seed in range(4):
            group.create_task(write(seed))
        ways = [await ways_to_find(store, QUERIES) for _ in range(8)]
        while Found not in set.union(*ways):  # a snapshot from before the dirty_jobs began is searched otherwise
            ways.append(await ways_to_find(store, QUERIES))
        going = False


@pytest.mark.parametrize("backend", SQLITE_BACKENDS, ids=lambda backend: backend.name)
def test_a_store_that_finds_by_bitmaps_does_what_the_model_does(backend: Backend) -> None:
    """Through restarts, deletions and changes of any kind, lists by bitmaps are what looking at each job gives."""
    live(backend)


async def test_after_too_many_changes_bitmaps_begin_anew(store: BatchingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When more was written than is worth reading anew, the next search is right, and those after it quick again."""
    assert await ways_to_find(store, [TAGGED_AND_NEW]) == {Found}
    monkeypatch.setattr(dirty_jobs, "_NOTED", 3)
    await together(*(store.create_job("a", begin(tags=["x"])) for _ in range(9)))
    assert not sqlite_of(store)._bitmaps._dirty_jobs._noted
    assert await ways_to_find(store, [TAGGED_AND_NEW]) == {Found}


async def test_after_a_failed_commit_bitmaps_begin_anew(store: BatchingStore) -> None:
    """What a commit that failed would have done is not counted on: bitmaps are read from the indexes once more."""
    assert await ways_to_find(store, [TAGGED_AND_NEW]) == {Found}
    connection = sqlite_of(store)._writer._connection
    assert connection is not None
    await inside(connection, lambda plain: plain.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreUnavailable):
        await store.create_job("a", begin(tags=["x"]))
    assert sqlite_of(store)._bitmaps._dirty_jobs.until(10_000) is None
    await store.create_job("a", begin(tags=["x"]))
    assert Found in await ways_to_find(store, QUERIES)


async def test_nothing_is_noted_before_somebody_asks(store: BatchingStore) -> None:
    """A service whose lists need no bitmaps spends nothing on them."""
    await store.create_job("a", begin(tags=["x"]))
    await store.query_jobs(JobQuery(tags=("x",), paging=Paging()))
    assert not sqlite_of(store)._bitmaps._dirty_jobs._noted


async def test_reports_without_a_new_state_are_not_noted(store: BatchingStore) -> None:
    """Progress does not make a job fulfil other conditions, so no search has to read it anew."""
    assert await ways_to_find(store, [TAGGED_AND_NEW]) == {Found}
    job = await store.create_job("a", begin())
    await store.change_job(job.id, move("RUN"))
    changes = sqlite_of(store)._bitmaps._dirty_jobs
    before = changes.until(10_000)
    for progress in range(3):
        await store.change_job(job.id, move("RUN", message=str(progress)))
    assert changes.until(10_000) == before


def image(number: int, before: Job | None, after: Job | None) -> NumberedJob:
    """Return what a commit does to a job."""
    return NumberedJob(number, None, 0, 0, before, after, 0)


async def test_a_change_on_its_way_when_noting_begins_is_waited_for(store: BatchingStore) -> None:
    """Until a snapshot shows what was being written when the first search came, nothing is read into bitmaps."""
    job = (await all_jobs(store))[0]
    changes = DirtyJobs()
    changes.note([image(1, None, job)], 7)
    assert changes.follow()
    assert changes.until(6) is None
    changes.note([image(2, job, None)], 8)
    assert changes.until(7) == changes.until(8) == {2}


async def test_what_a_snapshot_did_not_show_is_read_again(store: BatchingStore) -> None:
    """A change that was noted and not yet written stays noted until a snapshot shows it."""
    job = (await all_jobs(store))[0]
    changes = DirtyJobs()
    changes.follow()
    changes.note([image(1, None, job)], 1)
    changes.note([image(2, job, None)], 2)
    changes.drop(1)
    assert changes.until(1) == {2}
    changes.drop(2)
    assert changes.until(2) == set()


async def test_a_search_that_is_stopped_while_it_reads_anew_leaves_the_bitmaps_right(
    store: BatchingStore, tmp_path: Path
) -> None:
    """An interruption between two steps of a search changes nothing for the searches after it."""
    assert await ways_to_find(store, [TAGGED_AND_NEW]) == {Found}
    await together(*(store.create_job("a", begin(tags=["x"])) for _ in range(3)))
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        connection.set_progress_handler(lambda: 1, 1)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            sqlite_of(store)._bitmaps.follow(connection)
        connection.set_progress_handler(None, 0)
    assert await ways_to_find(store, [TAGGED_AND_NEW]) == {Found}


async def test_bitmaps_keep_to_their_room(store: BatchingStore, tmp_path: Path) -> None:
    """However many conditions are asked for, only those asked for lately are kept."""
    await store.ping()
    bitmaps = Bitmaps(DirtyJobs(), room=100_000)
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        assert bitmaps.follow(connection)
        for number in range(100):
            assert not bitmaps.find(connection, [Condition("tag", [f"none-{number}"])])
    assert len(bitmaps._kept.all()) < 15
