"""Numbers of jobs by state that are kept with each change: right whoever writes, and made anew where they are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.store.postgres_schemas import unsound
from tests.store.samples import FLOW, all_jobs, begin, move, together
from tests.store.test_queries import populate
from tests.store.test_summaries import counted
from tests.waiting import DEADLINE
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.postgres import job_summary
from wfx.store.postgres.backend import PostgresBackend
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import fenced_statements
from wfx.store.protocol import Store

CHORES = 500


@pytest.fixture
async def store(option: str) -> AsyncIterator[Store]:
    """A store; in the end its database is sound, the counts among it."""
    opened = await open_store("postgres", option)
    yield opened
    await opened.close()
    assert await unsound(option) == []


def write_as_the_release_before(store: Store, *, really: bool = True) -> None:
    """Write batches as programs do that know nothing of counts, or again as this one does."""
    assert isinstance(store, BatchingStore)
    assert isinstance(store.backend, PostgresBackend)
    known = fenced_statements(make_durable=False)
    counting = "counted = CASE counted WHEN head THEN head + (SELECT events FROM size) ELSE counted END"
    shifts = "SELECT workflow, state, grp, jobs FROM shifts"
    assert counting in known.apply
    assert shifts in known.apply
    older, still = (
        sql.replace(counting, "counted = counted").replace(shifts, f"{shifts} LIMIT 0")
        for sql in (known.apply, known.apply_still)
    )
    store.backend._writer._fenced = known._replace(apply=older, apply_still=still) if really else known


async def is_counted(plain: Plain) -> bool:
    """Tell whether summaries are read from the counts."""
    found: bool = await plain.fetchval("SELECT counted = head AND covered = 9223372036854775807 FROM log")
    return found


async def require_right(store: Store) -> None:
    """Hold summaries against a look at each job."""
    jobs = list(await all_jobs(store))
    for query in (JobQuery(), JobQuery(state="RUN"), JobQuery(groups=("OPEN", "")), JobQuery(workflow=FLOW.name)):
        assert (await store.summarize_jobs(JobListQuery(query))).counts == counted(jobs, query), query


async def test_a_new_database_is_counted_from_its_first_job_on(store: Store, plain: Plain) -> None:
    """What is kept is what there is, however jobs come, move and go; a change that moves none writes nothing."""
    jobs = await populate(store)
    await together(*(store.change_job(job.id, move("RUN")) for job in jobs if job.state == "NEW"))
    await together(*(store.delete_job(job.id) for job in jobs[::3]))
    assert await is_counted(plain)
    await require_right(store)
    before = await plain.fetch("SELECT xmin, * FROM job_count ORDER BY workflow, state")
    moved = next(job for job in await all_jobs(store) if job.state == "RUN")
    await store.change_job(moved.id, move("RUN", message="still"))
    assert await plain.fetch("SELECT xmin, * FROM job_count ORDER BY workflow, state") == before


async def test_summaries_read_the_counts(store: Store, plain: Plain) -> None:
    """A summary by workflow, state and group looks at no job."""
    await populate(store)
    await plain.execute("UPDATE job_count SET jobs = 7000")
    assert set((await store.summarize_jobs(JobListQuery(JobQuery(state="RUN")))).counts.values()) == {7000}
    assert set((await store.summarize_jobs(JobListQuery(JobQuery(tags=("x",))))).counts.values()) != {7000}
    await plain.execute("UPDATE log SET counted = -1")


async def test_what_the_release_before_changes_is_noticed(
    store: Store, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After changes by a program that knows nothing of counts, summaries are right, and a chore counts anew."""
    write_as_the_release_before(store)
    jobs = await populate(store)
    assert not await is_counted(plain)
    await require_right(store)
    write_as_the_release_before(store, really=False)
    await store.change_job(next(job for job in jobs if job.state == "NEW").id, move("RUN"))
    assert not await is_counted(plain)
    monkeypatch.setattr(job_summary, "_AT_ONCE", 7)
    pieces = 0
    async with asyncio.timeout(DEADLINE):
        while not await is_counted(plain):
            pieces += await store.run_chores(CHORES) == CHORES
            new = await store.create_job(FLOW.name, begin())
            await store.change_job(new.id, move("RUN"))
            await store.delete_job((await all_jobs(store))[pieces].id)
            await require_right(store)
    assert pieces >= 7
    await require_right(store)
    assert await store.run_chores(CHORES) == 0


async def test_counting_gives_way_while_the_release_before_is_at_work(store: Store, plain: Plain) -> None:
    """While a program spoils the counts, each chore begins anew once, and asks for no further turn."""
    write_as_the_release_before(store)
    await populate(store)
    await store.run_chores(CHORES)
    for _ in range(3):
        await store.create_job(FLOW.name, begin())
        assert await store.run_chores(CHORES) == 0
        assert not await is_counted(plain)
        await require_right(store)


async def test_counts_of_workflows_that_are_gone_go(store: Store, plain: Plain) -> None:
    """What was counted of a workflow is dropped with it."""
    jobs = await populate(store)
    await together(*(store.delete_job(job.id) for job in jobs))
    await store.delete_workflow(FLOW.name)
    await store.run_chores(CHORES)
    left = await plain.fetchval(
        "SELECT count(*) FROM job_count WHERE workflow NOT IN (SELECT number FROM current_workflow)"
    )
    assert left == 0
    assert await is_counted(plain)
