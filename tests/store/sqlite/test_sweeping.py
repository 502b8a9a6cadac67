"""The histories of deleted jobs: gone from sight at once, and from the disk piece by piece."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.backends import SQLITE_BACKENDS, Backend, SetClock
from tests.store.samples import FLOW, all_jobs, begin, history_of, move, redefine, together
from wfx.domain.errors import JobNotFound
from wfx.domain.job import Job
from wfx.store import history_bounds
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.sqlite import batch_sql
from wfx.store.sqlite.checking import check


@pytest.fixture(params=SQLITE_BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each kind of SQLite store in turn."""
    chosen: Backend = request.param
    return chosen


@pytest.fixture(autouse=True)
def _three_entries_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_sql, "_ENTRIES", 3)


async def lived(store: Store, *histories: int) -> Sequence[Job]:
    """Create jobs that have so many history entries each."""
    jobs = await together(*(store.create_job(FLOW.name, begin(f"c{n}")) for n in range(len(histories))))
    for job, count in zip(jobs, histories, strict=True):
        await together(*(store.change_job(job.id, redefine({"n": n})) for n in range(count)))
    return jobs


async def sweep(store: Store, at_most: int) -> list[int]:
    """Sweep until nothing is left; returns how much it was each time."""
    swept = [await store.run_chores(at_most)]
    while swept[-1]:
        swept.append(await store.run_chores(at_most))
    return swept


@pytest.mark.usefixtures("flow")
async def test_a_short_history_goes_with_its_job(store: Store) -> None:
    """When a job with few changes is deleted, nothing of it is left to be swept."""
    (job,) = await lived(store, 3)
    await store.delete_job(job.id)
    assert await store.run_chores(99) == 0


@pytest.mark.usefixtures("flow")
async def test_a_long_history_goes_in_pieces(store: Store) -> None:
    """A deleted job with many changes is gone at once; its entries are dropped in pieces as large as asked for."""
    job, other = await lived(store, 10, 2)
    await store.delete_job(job.id)
    with pytest.raises(JobNotFound):
        await history_of(store, job.id, 99)
    assert await sweep(store, 4) == [4, 4, 2, 0]
    assert len(await history_of(store, other.id, 99)) == 2
    assert await all_jobs(store) == (await store.get_job(other.id),)


@pytest.mark.usefixtures("flow")
async def test_many_deletions_at_once_leave_what_is_too_much(store: Store) -> None:
    """However many jobs are deleted at once, only so many entries go with them; one sweep may end several histories."""
    jobs = await lived(store, 2, 2, 1, 5)
    await together(*(store.delete_job(job.id) for job in jobs))
    assert await sweep(store, 100) == [7, 0]


@pytest.mark.usefixtures("flow")
async def test_changes_just_before_the_deletion_leave_nothing(store: Store) -> None:
    """A job that is changed and deleted in one batch leaves no more than it had before."""
    (job,) = await lived(store, 5)
    await together(
        *(store.change_job(job.id, move("RUN", message=str(n))) for n in range(4)), store.delete_job(job.id),
        store.create_job(FLOW.name, begin()),
    )  # fmt: skip
    assert await sweep(store, 100) == [5, 0]


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("at_most", [0, -5])
async def test_nothing_is_swept_where_nothing_may_be(store: Store, at_most: int) -> None:
    """Asked for nothing, a sweep does nothing."""
    (job,) = await lived(store, 5)
    await store.delete_job(job.id)
    assert await store.run_chores(at_most) == 0
    assert await sweep(store, 100) == [5, 0]


@pytest.mark.usefixtures("flow")
async def test_what_was_cut_out_is_swept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dropped entries are swept in pieces while the job goes on, and its history stays as it is."""
    monkeypatch.setattr(history_bounds, "MOST_ENTRIES", 10)
    monkeypatch.setattr(history_bounds, "_FIRST_ENTRIES", 2)
    monkeypatch.setattr(history_bounds, "_NEWEST_ENTRIES", 5)
    job = await store.create_job(FLOW.name, begin())
    for number in range(11):
        await store.change_job(job.id, move("RUN", message=str(number)))
    before = await history_of(store, job.id, 99)
    assert [await store.run_chores(2) for _ in range(3)] == [2, 1, 0]
    assert await history_of(store, job.id, 99) == before


@pytest.mark.parametrize(
    "backend", [backend for backend in SQLITE_BACKENDS if backend.lasting], ids=lambda one: one.name
)
async def test_sweeping_goes_on_after_a_restart(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """Between two pieces the service may end: the data is sound at every moment, whatever comes to be meanwhile.

    The next job may even get the deleted one's number.
    """
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        _, last = await lived(store, 2, 9)
        await store.delete_job(last.id)
    pieces = []
    for _ in range(4):
        async with backend.open(tmp_path, clock) as store:
            pieces.append(await store.run_chores(4))
            await lived(store, 2)
    assert pieces == [4, 4, 1, 0]


async def test_a_database_of_the_first_version_learns_to_sweep(tmp_path: Path) -> None:
    """Row 7: a file that an older wfx left is brought up to date at the start, with all that is in it."""
    path = tmp_path / "wfx.db"
    store = await open_store("sqlite", str(path))
    await store.create_workflow(FLOW)
    (job,) = await lived(store, 9)
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("""
            DELETE FROM event WHERE job_id = '';
            UPDATE meta SET value = 1 WHERE name = 'horizon';
            ALTER TABLE event DROP COLUMN state_before;
            ALTER TABLE event DROP COLUMN cause;
            ALTER TABLE workflow DROP COLUMN created;
            DROP INDEX job_workflow_state;
            DROP INDEX workflow_state_workflow;
            DROP INDEX workflow_state_state;
            DROP INDEX workflow_state_group;
            ALTER TABLE job RENAME COLUMN workflow_state TO place;
            ALTER TABLE workflow_state RENAME TO place;
            CREATE INDEX job_place ON job (place);
            CREATE INDEX place_workflow ON place (workflow);
            CREATE INDEX place_state ON place (state);
            CREATE INDEX place_group ON place ("group");
            DROP TABLE orphaned_history;
            DROP TABLE current_script;
            DROP TABLE script;
            DROP TABLE task;
            DROP TABLE event_answer;
            DROP TABLE score;
            DROP TABLE score_total;
            DROP TABLE sequence;
            DROP TABLE repetition;
            DROP TABLE device_key;
            DROP TABLE device;
            DROP TABLE bulk_slice;
            DROP TABLE bulk_content;
            DROP TABLE bulk_request;
            DROP TABLE tombstone;
            ALTER TABLE job DROP COLUMN overtaken;
            DROP TABLE consumer;
            DROP TABLE lease;
            ALTER TABLE job DROP COLUMN size;
            ALTER TABLE job DROP COLUMN history_bytes;
            ALTER TABLE job DROP COLUMN history_dropped;
            PRAGMA user_version = 1;
        """)
    store = await open_store("sqlite", str(path))
    assert len(await history_of(store, job.id, 99)) == 9
    await store.delete_job(job.id)
    assert await sweep(store, 100) == [9, 0]
    await store.close()
    assert check(path).findings == []
