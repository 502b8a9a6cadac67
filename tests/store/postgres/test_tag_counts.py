"""Numbers of jobs by tag and state that are kept with each change, for the tags that many jobs have."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.store.postgres.patience import until
from tests.store.postgres.release_before import start_as_before, write_as_before_counts_of_tags
from tests.store.postgres.test_job_tags import live
from tests.store.postgres_schemas import EMPTY
from tests.store.samples import FLOW, all_jobs, begin, move, tag, together
from tests.store.test_queries import populate
from tests.store.test_summaries import counted
from tests.waiting import DEADLINE
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery
from wfx.store.batching_store import BatchingStore
from wfx.store.findings import quiet
from wfx.store.opening import open_store
from wfx.store.postgres import job_summary, restoring, writer
from wfx.store.postgres.backend import PostgresBackend
from wfx.store.postgres.checking import check
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import fenced_statements
from wfx.store.postgres.target import read_target
from wfx.store.protocol import Store
from wfx.store.sqlite import dumping as sqlite_dumping

BEFORE = 10
"""The schema of the release before."""
CHORES = 500
KNOWING = "CASE tag_counted WHEN head THEN"
"""What a program has to know so that it keeps the counts true."""


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three jobs are many."""
    monkeypatch.setattr(job_summary, "_MANY", 3)
    monkeypatch.setattr(job_summary, "_FEW", 1)


@pytest.fixture
async def store(option: str) -> AsyncIterator[Store]:
    """A store; in the end its database is sound, the counts among it."""
    opened = await open_store("postgres", option)
    yield opened
    await opened.close()
    assert (await asyncio.to_thread(check, option)).findings == []


async def chosen(plain: Plain) -> set[str]:
    """Return the tags of which jobs are counted."""
    return {row[0] for row in await plain.fetch("SELECT tag FROM counted_tag")}


async def is_counted(plain: Plain) -> bool:
    """Tell whether summaries by these are read from the counts."""
    missing = "SELECT FROM counted_tag WHERE covered < 9223372036854775807"
    found: bool = await plain.fetchval(f"SELECT tag_counted = head AND NOT EXISTS ({missing}) FROM log")
    return found


async def count(store: Store, plain: Plain) -> None:
    """Choose tags, as PostgreSQL knows them to be frequent, and count their jobs."""
    await plain.execute("ANALYZE job_tag")
    async with asyncio.timeout(DEADLINE):
        while await store.run_chores(CHORES) or not await is_counted(plain):
            pass


async def require_right(store: Store) -> None:
    """Hold summaries against a look at each job."""
    jobs = list(await all_jobs(store))
    for wanted, state, groups, workflow in itertools.product(
        ("x", "y", "z", "more", "nothing"), ("", "RUN"), ((), ("OPEN", ""), ("CLOSED",)), ("", FLOW.name)
    ):
        query = JobQuery(state=state, workflow=workflow, groups=groups, tags=(wanted,))
        expected = counted(jobs, query)
        assert (await store.summarize_jobs(JobListQuery(query))).counts == expected, query
        all_of_one = JobListQuery(JobQuery(state=state, workflow=workflow, groups=groups), all_tags=(wanted,))
        assert (await store.summarize_jobs(all_of_one)).counts == expected, query


async def spoiled(store: Store, plain: Plain) -> Mapping[str, int]:
    """Return what a summary by each chosen tag says while all counts are 7000."""
    async with plain.transaction():
        before = await plain.fetch("SELECT tag, workflow, state, jobs FROM tag_count")
    await plain.execute("UPDATE tag_count SET jobs = 7000")
    told = {
        each: max((await store.summarize_jobs(JobListQuery(JobQuery(tags=(each,))))).counts.values(), default=0)
        for each in await chosen(plain)
    }
    for row in before:
        await plain.execute("UPDATE tag_count SET jobs = $4 WHERE (tag, workflow, state) = ($1, $2, $3)", *row)
    return told


def write_unknowing(store: Store) -> None:
    """Write batches as programs do that know nothing of these counts."""
    assert isinstance(store, BatchingStore)
    assert isinstance(store.backend, PostgresBackend)
    known = fenced_statements(make_durable=False)
    assert KNOWING in known.apply
    older, still = (sql.replace(KNOWING, "CASE tag_counted WHEN -2 THEN") for sql in (known.apply, known.apply_still))
    store.backend._writer._fenced = known._replace(apply=older, apply_still=still)


async def test_tags_that_many_jobs_have_are_counted(store: Store, plain: Plain) -> None:
    """A tag that many jobs have is counted, others are not; summaries by it look at no job."""
    await populate(store)
    await store.create_job(FLOW.name, begin(tags=("x", "rare")))
    await count(store, plain)
    tags = await chosen(plain)
    assert "x" in tags
    assert "rare" not in tags
    assert await spoiled(store, plain) == dict.fromkeys(tags, 7000)
    await require_right(store)


async def test_counts_follow_each_change(store: Store, plain: Plain) -> None:
    """However jobs come, move and go, and their tags with them, the counts are what there is, and stay in use."""
    jobs = await populate(store)
    await count(store, plain)
    await live(store)
    await together(*(store.change_job(job.id, move("RUN")) for job in jobs if job.state == "NEW"))
    await live(store)
    assert await is_counted(plain)
    await require_right(store)
    shifts = await plain.fetchval("SELECT count(*) FROM tag_shift")
    moved = next(job for job in await all_jobs(store, tags=("x",)) if job.state == "RUN")
    await store.change_job(moved.id, move("RUN", message="still"))
    assert await plain.fetchval("SELECT count(*) FROM tag_shift") == shifts > 0
    await count(store, plain)
    assert await plain.fetchval("SELECT count(*) FROM tag_shift") == 0
    await require_right(store)


async def test_counting_beside_changes(store: Store, plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    """While jobs are counted in pieces others change them, and each summary is right."""
    monkeypatch.setattr(job_summary, "_TAGGED_AT_ONCE", 8)
    await populate(store)
    await plain.execute("ANALYZE job_tag")
    pieces = 0
    async with asyncio.timeout(DEADLINE):
        while await store.run_chores(CHORES) or not await is_counted(plain):
            pieces += 1
            new = await store.create_job(FLOW.name, begin(tags=("x", "z")))
            await store.change_job(new.id, move("RUN"))
            await store.change_job((await all_jobs(store))[pieces].id, tag("y"))
            await store.delete_job((await all_jobs(store))[pieces].id)
            await require_right(store)
    assert pieces > 5
    await require_right(store)


async def test_changes_are_added_before_they_are_many(
    store: Store, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any chore, summaries have few changes to look at beside the counts."""
    jobs = await populate(store)
    await count(store, plain)
    monkeypatch.setattr(writer, "_MOST_SHIFTS", 8)
    for job in jobs:
        await store.change_job(job.id, tag("more"))
        assert await plain.fetchval("SELECT count(*) FROM tag_shift") < 8
    await require_right(store)


async def test_several_servers_count_together(option: str, store: Store, plain: Plain) -> None:
    """Changes through several servers, also while tags are chosen and counted, leave right counts."""
    jobs = await populate(store)
    other = await open_store("postgres", option)
    await count(store, plain)
    acts = [
        each.change_job(job.id, act) for each in (store, other) for job in jobs for act in (tag("more"), move("RUN"))
    ]
    await together(*acts, count(store, plain), count(other, plain))
    await other.close()
    await count(store, plain)
    assert "more" in await chosen(plain)
    await require_right(store)


async def test_a_program_without_counts(store: Store, plain: Plain) -> None:
    """Changes by a program that knows nothing of counts are noticed: summaries are right, and all is counted anew."""
    jobs = await populate(store)
    await count(store, plain)
    write_unknowing(store)
    await store.change_job(next(job for job in jobs if job.state == "NEW").id, move("RUN"))
    assert not await is_counted(plain)
    await require_right(store)
    await store.run_chores(CHORES)
    await store.create_job(FLOW.name, begin(tags=("x",)))
    assert await store.run_chores(CHORES) == 0, "it may go on so"
    assert isinstance(store, BatchingStore)
    assert isinstance(store.backend, PostgresBackend)
    store.backend._writer._fenced = fenced_statements(make_durable=False)
    await count(store, plain)
    await require_right(store)


async def test_a_tag_chosen_while_a_change_waits(store: Store, plain: Plain) -> None:
    """A change that began before a tag was chosen and its jobs were counted, and is made after that, is counted too."""
    jobs = await populate(store)
    await count(store, plain)
    moved = next(job for job in jobs if job.state == "NEW")
    async with plain.transaction():
        await plain.execute("SELECT FROM log FOR UPDATE")
        change = asyncio.create_task(store.change_job(moved.id, tag("more")))
        await until(lambda: _waits(plain))
        await plain.execute("INSERT INTO counted_tag VALUES ('more', 9223372036854775807)")
    await change
    assert await is_counted(plain)
    await require_right(store)
    await count(store, plain)
    await require_right(store)


async def _waits(plain: Plain) -> bool:
    found: bool = await plain.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    return found


async def test_tags_that_few_have_by_now(store: Store, plain: Plain) -> None:
    """A tag that jobs no longer have is counted no more, though the statistics still name it."""
    jobs = await populate(store)
    await count(store, plain)
    await together(*(store.delete_job(job.id) for job in jobs))
    await store.run_chores(CHORES)
    assert await chosen(plain) == set()
    await store.run_chores(CHORES)
    assert await chosen(plain) == set()
    assert await plain.fetchval("SELECT count(*) FROM tag_count") == 0


@EMPTY
async def test_an_upgrade_beside_the_release_before(option: str, plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a server of the release before, which began on its own tables, summaries are right, later from counts."""
    start_as_before(BEFORE, monkeypatch)
    older = await open_store("postgres", option)
    write_as_before_counts_of_tags(older)
    await populate(older)
    monkeypatch.undo()
    newer = await open_store("postgres", option)
    await together(live(older), live(newer))
    await require_right(newer)
    await older.close()
    await plain.execute("ANALYZE job_tag")
    async with asyncio.timeout(DEADLINE):
        while await newer.run_chores(CHORES) or not await is_counted(plain):
            pass
    await require_right(newer)
    await newer.close()
    assert (await asyncio.to_thread(check, option)).findings == []


@EMPTY
def test_an_import_leaves_counts(option: str, tmp_path: Path) -> None:
    """After an import summaries are read from counts at once, by state and by tag."""
    asyncio.run(_filled(tmp_path / "wfx.db"))
    with sqlite_dumping.dump(tmp_path / "wfx.db") as (header, records):
        restoring.restore(option, header, records, quiet)
    assert check(option).findings == []
    asyncio.run(_imported(option))


async def _filled(path: Path) -> None:
    store = await open_store("sqlite", str(path))
    await populate(store)
    await store.close()


async def _imported(option: str) -> None:
    store, plain = await open_store("postgres", option), await Connector(read_target(option))()
    assert await is_counted(plain)
    assert await plain.fetchval("SELECT counted = head AND covered = 9223372036854775807 FROM log")
    assert {"x", "y"} <= await chosen(plain)
    assert await spoiled(store, plain) == dict.fromkeys(await chosen(plain), 7000)
    await live(store)
    await require_right(store)
    assert await is_counted(plain)
    await plain.close()
    await store.close()
