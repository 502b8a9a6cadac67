"""The schema: how it comes about, and what happens when that is interrupted."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.samples import FLOW, all_jobs, begin, history_of, move, renamed, tag, whole_log
from wfx.domain.cause import Cause
from wfx.domain.errors import StoreUnusable
from wfx.domain.job import Subject
from wfx.store.opening import open_store
from wfx.store.protocol import Consumer
from wfx.store.sqlite import migrate as migrating
from wfx.store.sqlite.checking import check
from wfx.store.sqlite.migrate import APPLICATION_ID, Migration, migrate, migrations, version_of

FOLDER = Path(migrating.__file__).parent
CONSUMERS = {4: [], 5: [Consumer("reader", 517, 1, 0)]}
FILES = Path(__file__).parent / "files"


def schema_of(connection: sqlite3.Connection) -> list[str]:
    """Return the statements that made what is there."""
    return [row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY rowid")]


def test_the_migrations_produce_the_schema() -> None:
    """``schema.sql``, which people read, is what the migrations make."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, migrations(), 0)
        made = ";\n\n".join(schema_of(connection)) + ";\n"
    assert (FOLDER / "schema.sql").read_text(encoding="utf-8") == made


def test_migrations_are_numbered_without_gaps() -> None:
    """The steps are 1, 2, 3 …, so that the number is the schema's version."""
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_each_step_is_applied_once_and_marks_its_number(tmp_path: Path) -> None:
    """A database at an older version gets the missing steps only, and is marked as ours."""
    steps = [Migration(1, "CREATE TABLE a (x);"), Migration(2, "CREATE TABLE b (x); INSERT INTO a VALUES (2);")]
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        for known in (steps[:1], steps, steps):
            migrate(connection, known, version_of(connection, known, "x"))
        assert connection.execute("SELECT * FROM a").fetchall() == [(2,)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        with pytest.raises(StoreUnusable, match="version 2, but this program knows only up to 1"):
            version_of(connection, steps[:1], "x")


def test_a_failing_step_leaves_the_version_before_it(tmp_path: Path) -> None:
    """Row 7: a step that fails half-way is rolled back whole."""
    steps = [Migration(1, "CREATE TABLE a (x);"), Migration(2, "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);")]
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, steps, 0)
        assert schema_of(connection) == ["CREATE TABLE a (x)"]
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


async def test_a_file_of_an_older_release_is_brought_up_to_date(tmp_path: Path) -> None:
    """Row 7: a file of schema version 2, also with a deleted job's history still to be swept, is sound after the start.

    The next job has the number of the deleted one; what is left of that one's history counts for neither.
    """
    path = tmp_path / "wfx.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FILES / "version_2.sql").read_text(encoding="utf-8"))
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2")
        entries = connection.execute("SELECT count(*) FROM history").fetchone()[0]
    store = await open_store("sqlite", str(path))
    assert check(path).findings == []
    jobs = await all_jobs(store)
    histories = [len(await history_of(store, job.id, 99)) for job in jobs]
    assert histories == [job.version - 1 for job in jobs] == [9, 2, 1]
    assert await store.run_chores(99) == entries - sum(histories)
    await store.close()
    assert check(path).findings == []


@pytest.mark.parametrize("version", [4, 5])
async def test_a_file_without_causes_of_events_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    """Row 7: a file of schema version 4 or 5, with a pruned log and an unswept history, is sound after the start.

    Its events have no cause and no state before; those that follow do, also those of jobs that were there before.
    """
    path = tmp_path / "wfx.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FILES / f"version_{version}.sql").read_text(encoding="utf-8"))
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}")
        before = connection.execute("SELECT seq, action, payload FROM event ORDER BY seq").fetchall()
    store = await open_store("sqlite", str(path))
    assert check(path).findings == []
    events = await whole_log(store)
    assert [(event.seq, event.action, event.payload.decode()) for event in events] == before
    assert {(event.state_before, event.cause, event.subject) for event in events} == {(None, None, Subject.JOB)}
    assert list(await store.consumers()) == CONSUMERS[version]
    running, *_ = await all_jobs(store, state="RUN", groups=("OPEN",), workflow=FLOW.name)
    await store.change_job(running.id, tag("new"))
    await store.change_job(running.id, move("DONE"))
    await store.delete_workflow("unused")
    await store.create_workflow(renamed("fresh"))
    changes = (await whole_log(store))[len(before) :]
    assert [event.seq for event in changes] == list(range(before[-1][0] + 1, before[-1][0] + 5))
    assert [event.state_before for event in changes] == ["RUN", "RUN", None, None]
    assert [event.subject for event in changes[1:3]] == [Subject.JOB, Subject.WORKFLOW]
    assert all(event.cause == Cause() for event in changes)
    assert await store.run_chores(99) == 6
    assert check(path).findings == []
    await store.close()
    assert check(path).findings == []


async def test_a_migration_killed_after_any_statement_is_made_good(tmp_path: Path) -> None:
    """Row 7: whatever statement the first start dies after, the next start finds a database it can finish."""
    statements = [part + ";" for part in migrations()[0].script.split(";")[:-1]]
    for count in range(len(statements) + 1):
        path = tmp_path / f"{count}.db"
        with closing(sqlite3.connect(tmp_path / "dying.db", isolation_level=None)) as dying:
            dying.execute("PRAGMA journal_mode = WAL")
            dying.execute("PRAGMA cache_spill = 1")
            dying.execute("BEGIN IMMEDIATE")
            for statement in statements[:count]:
                dying.execute(statement)
            shutil.copy(tmp_path / "dying.db", path)
            shutil.copy(tmp_path / "dying.db-wal", f"{path}-wal")
            dying.execute("ROLLBACK")
        store = await open_store("sqlite", str(path))
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin())
        assert await all_jobs(store) == (job,)
        await store.close()
