"""Tags of jobs in a table of their own: true whoever writes, and what searches by tag read."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.store.postgres.patience import until
from tests.store.postgres.release_before import start_as_before, write_as_before_counts_of_tags
from tests.store.postgres_schemas import EMPTY
from tests.store.samples import FLOW, all_jobs, begin, move, redefine, tag, together, untag
from tests.store.test_queries import matches, populate
from wfx.domain.errors import StoreUnusable
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery, Paging
from wfx.store.bulk import SliceResult
from wfx.store.dump import Header, Record
from wfx.store.findings import quiet
from wfx.store.opening import open_store
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob
from wfx.store.postgres import migrate, restoring
from wfx.store.postgres.checking import check
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.migrate import migrations
from wfx.store.postgres.target import read_target
from wfx.store.postgres.texts import key_of
from wfx.store.protocol import Store
from wfx.store.sqlite import dumping as sqlite_dumping

LONG = "long" * 200
MEANWHILE = (
    "UPDATE job SET tag_keys = '{late,x}' WHERE number = (SELECT min(number) FROM job)",
    "DELETE FROM job WHERE number = (SELECT max(number) FROM job)",
    """
    INSERT INTO job SELECT (jsonb_populate_record(job, '{"number": 1000, "id": "new", "tag_keys": ["new"]}')).*
    FROM job LIMIT 1
    """,
    """
    INSERT INTO event (seq, ctime, action, job_id, client_id, workflow, payload)
    SELECT head + row_number() OVER (), 0, 'ADD_TAGS', id, '', workflow, '{}' FROM job, log
    WHERE 'late' = ANY (tag_keys) OR 'new' = ANY (tag_keys)
    """,
    "UPDATE log SET head = (SELECT max(seq) FROM event)",
)
"""A job gets other tags, one is deleted, and one is created, on the log as far as it matters."""
BEFORE = 6
"""The schema of programs that do not know of the table."""


@pytest.fixture
async def store(option: str) -> AsyncIterator[Store]:
    """A store; in the end its database is sound."""
    opened = await open_store("postgres", option)
    yield opened
    await opened.close()
    assert (await asyncio.to_thread(check, option)).findings == []


async def kept(plain: Plain) -> Mapping[str, set[str]]:
    """Return the tags of the table by the jobs' ids; a job without a row in it has none."""
    rows = await plain.fetch("SELECT id, tag FROM job LEFT JOIN job_tag USING (number)")
    assert await plain.fetchval("SELECT count(*) FROM job_tag WHERE number NOT IN (SELECT number FROM job)") == 0
    return {job_id: {row[1] for row in rows if row[0] == job_id and row[1] is not None} for job_id, _ in rows}


def keys(job: Job) -> set[str]:
    """Return what the tags of a job are found by."""
    return set(map(key_of, decode(job.tags)))


async def require_true(store: Store, plain: Plain) -> None:
    """Hold the table, and searches, against the jobs."""
    jobs = await all_jobs(store)
    assert await kept(plain) == {job.id: keys(job) for job in jobs}
    for tags in (("x",), ("x", "y"), ("z", LONG)):
        for groups, workflow in itertools.product(((), ("OPEN",)), ("", FLOW.name)):
            query = JobQuery(workflow=workflow, groups=groups, tags=tags, paging=Paging(limit=0, with_total=True))
            page = await store.query_jobs(query)
            expected = tuple(job for job in jobs if matches(job, query))
            assert (page.items, page.total) == (expected, len(expected)), query


async def live(store: Store) -> None:
    """Create, tag and delete jobs, one by one and many at once."""
    jobs = [job for job in await all_jobs(store) if job.workflow.name == FLOW.name]
    new = [await store.create_job(FLOW.name, begin(tags=tags)) for tags in ((), ("x", LONG), ("y",), ("x", "z"))]
    await together(*(store.change_job(job.id, tag("z", LONG)) for job in (*jobs[::4], *new)))
    await together(*(store.change_job(job.id, untag("x", "nothing")) for job in (*jobs[::3], new[1])))
    await store.change_job(new[1].id, untag("z", LONG))
    await together(*(store.delete_job(job.id) for job in (*jobs[::5], new[3])))
    acts = [CreateJob(FLOW.name, begin(tags=("x",))), ChangeJob(new[0].id, tag("y")), DeleteJob(new[2].id)]
    await store.take_slice(None, 0, [acts], lambda outcomes: SliceResult(len(outcomes), 0, ""))


async def test_tags_follow_each_change(store: Store, plain: Plain) -> None:
    """However jobs come and go, and their tags with them, the table has the tags that they have."""
    await populate(store)
    await require_true(store, plain)
    await live(store)
    await require_true(store, plain)


async def test_reports_leave_tags_alone(store: Store, plain: Plain) -> None:
    """A change of a job that changes no tag writes nothing there, and one that does writes those tags alone."""
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin(tags=("x", "y")))
    rows = "SELECT ctid, xmin, tag FROM job_tag ORDER BY tag"
    before = await plain.fetch(rows)
    await store.change_job(job.id, move("RUN"))
    await store.change_job(job.id, redefine({"n": 2}))
    assert await plain.fetch(rows) == before
    await store.change_job(job.id, tag("z"))
    await store.change_job(job.id, untag("x"))
    after = await plain.fetch(rows)
    assert (after[0], [row[2] for row in after]) == (before[1], ["y", "z"])


async def test_a_row_that_should_not_be_there(store: Store, plain: Plain) -> None:
    """A row of a tag that a job does not have refuses no change, and is right once the job has the tag."""
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin(tags=("x",)))
    await plain.execute("INSERT INTO job_tag (tag, number, workflow) SELECT 'y', number, workflow + 1 FROM job")
    await store.change_job(job.id, tag("y"))
    assert await kept(plain) == {job.id: {"x", "y"}}
    assert await plain.fetchval("SELECT bool_and(job_tag.workflow = job.workflow) FROM job_tag JOIN job USING (number)")


async def test_triggers_do_not_depend_on_the_search_path(store: Store, plain: Plain) -> None:
    """In whatever schemas a session looks for tables, and whatever it has there, triggers write into the right one."""
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin(tags=("x",)))
    schema = await plain.fetchval("SELECT current_schema")
    async with plain.transaction():
        await plain.execute("CREATE TEMPORARY TABLE job_tag (tag text, number bigint, workflow bigint)")
        await plain.execute("SET LOCAL search_path = pg_temp")
        await plain.execute(f"UPDATE {schema}.job SET tags = '[\"y\"]', tag_keys = '{{y}}'")
        assert await plain.fetchval("SELECT count(*) FROM pg_temp.job_tag") == 0
        await plain.execute("DROP TABLE pg_temp.job_tag")
    assert await kept(plain) == {job.id: {"y"}}
    await plain.execute("UPDATE job SET tags = '[\"x\"]', tag_keys = '{x}'")


async def test_searches_read_the_table(store: Store, plain: Plain) -> None:
    """Pages and totals by tag come from the table."""
    jobs = await populate(store)
    query = JobQuery(tags=("x",), paging=Paging(with_total=True))
    await plain.execute("DELETE FROM job_tag WHERE tag = 'x'")
    page = await store.query_jobs(query)
    assert (page.items, page.total) == ((), 0)
    await plain.execute("INSERT INTO job_tag SELECT 'x', number, workflow FROM job WHERE 'x' = ANY (tag_keys)")
    assert (await store.query_jobs(query)).total == sum(matches(job, query) for job in jobs)


@EMPTY
async def test_an_upgrade_beside_the_release_before(option: str, plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database with jobs gets the table, which stays true while a server of the release before goes on."""
    start_as_before(BEFORE, monkeypatch)
    older = await open_store("postgres", option)
    write_as_before_counts_of_tags(older)
    await populate(older)
    assert await plain.fetchval("SELECT version FROM wfx_schema") == BEFORE
    monkeypatch.undo()
    newer = await open_store("postgres", option)
    await require_true(newer, plain)
    await live(older)
    await require_true(newer, plain)
    await together(live(older), live(newer))
    await require_true(newer, plain)
    await older.close()
    await newer.close()
    assert (await asyncio.to_thread(check, option)).findings == []


@EMPTY
@pytest.mark.parametrize("pruned", [False, True])
async def test_changes_during_an_upgrade(
    option: str, plain: Plain, monkeypatch: pytest.MonkeyPatch, *, pruned: bool
) -> None:
    """What others change while the table is filled is in it, also where the log was pruned meanwhile."""
    start_as_before(BEFORE, monkeypatch)
    monkeypatch.setattr(migrate, "_LOCK_TIMEOUT", "60s")
    older = await open_store("postgres", option)
    write_as_before_counts_of_tags(older)
    await populate(older)
    await older.close()
    writing = await Connector(read_target(option))()
    async with writing.transaction():
        await writing.execute("LOCK TABLE job IN ROW EXCLUSIVE MODE")  # as who writes a batch has it
        migrating = asyncio.create_task(migrate.migrate(plain, migrations(), "the database"))
        await until(lambda: writing.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
        for change in MEANWHILE:
            await writing.execute(change)
        if pruned:
            await writing.execute("UPDATE log SET horizon = head; DELETE FROM event")
    await migrating
    found = await writing.fetch("SELECT tag, number, workflow FROM job_tag ORDER BY 2, 1")
    assert found == await writing.fetch("SELECT unnest(tag_keys) AS tag, number, workflow FROM job ORDER BY 2, 1")
    assert {"late", "new"} < {row[0] for row in found}
    await writing.close()


@EMPTY
async def test_what_is_imported_has_its_tags(
    option: str, plain: Plain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import fills the table, and one that is refused leaves nothing there."""
    monkeypatch.setattr(restoring, "_TOGETHER", 20)
    source = await open_store("sqlite", str(tmp_path / "wfx.db"))
    await populate(source)
    await live(source)
    await source.close()

    def imported(*, refused: bool) -> None:
        with sqlite_dumping.dump(tmp_path / "wfx.db") as (header, records):
            some: list[Record] = list(records)
            known: Header = header
        restoring.restore(option, known, some + some[-1:] if refused else some, quiet)

    with pytest.raises((StoreUnusable, ValueError)):
        await asyncio.to_thread(imported, refused=True)
    assert await plain.fetchval("SELECT count(*) FROM job_tag") == 0
    await asyncio.to_thread(imported, refused=False)
    store = await open_store("postgres", option)
    await require_true(store, plain)
    await live(store)
    await require_true(store, plain)
    await store.close()
    assert (await asyncio.to_thread(check, option)).findings == []
