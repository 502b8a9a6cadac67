"""That searches go by indexes, and that one long search keeps nobody waiting."""

from __future__ import annotations

import asyncio
import itertools
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, begin, move, renamed, together
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery, Paging
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.sqlite import job_search
from wfx.store.sqlite.job_search import select
from wfx.store.sqlite.migrate import migrate, migrations
from wfx.store.sqlite.rows import ANY_SIZE
from wfx.store.sqlite.statements import SQL


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BatchingStore]:
    """A store with jobs of two workflows."""
    opened = await open_store("sqlite", str(tmp_path / "wfx.db"))
    assert isinstance(opened, BatchingStore)
    for name in ("a", "b"):
        await opened.create_workflow(renamed(name, FLOW))
        jobs = await together(*(opened.create_job(name, begin(f"c{n % 3}", tags=["x", "y"])) for n in range(30)))
        await together(*(opened.change_job(job.id, move("RUN")) for job in jobs[::2]))
    yield opened
    await opened.close()


def plans_of(connection: sqlite3.Connection, query: JobQuery) -> list[str]:
    """Return the steps of everything that SQLite does for a query."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    chosen = select(connection, query)
    list(chosen.page(connection, query.paging, ANY_SIZE))
    chosen.total(connection)
    connection.set_trace_callback(None)
    # The trace shows the statements with their values put in.
    return [row[3] for sql in statements for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]


@pytest.mark.parametrize("few", [0, 1000])
async def test_no_filtered_query_goes_through_a_whole_table(
    store: BatchingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whatever the conditions, and whether they leave few jobs or many, SQLite searches and never scans a table."""
    monkeypatch.setattr(job_search, "FEW", few)
    combinations = itertools.product(
        ("", "c1"), ("", "RUN"), ("", "a"), ((), ("OPEN",), ("OPEN", "")), ((), ("x",), ("x", "y")), (False, True)
    )
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        for client, state, workflow, groups, tags, descending in combinations:
            query = JobQuery(client, state, workflow, groups, tags, Paging(descending=descending))
            if query == JobQuery(paging=query.paging):
                continue
            steps = plans_of(connection, query)
            scans = [step for step in steps if step.startswith("SCAN") and not _harmless(step)]
            assert scans == [], (query, steps)
    assert (await store.query_jobs(JobQuery(tags=("x",)))).items


@pytest.mark.parametrize("few", [0, 1000])
async def test_every_way_to_search_finds_the_same(
    store: BatchingStore, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whatever a search goes by, its page and its total are those that looking at each job gives."""
    monkeypatch.setattr(job_search, "FEW", few)
    jobs = (await store.query_jobs(JobQuery(paging=Paging(limit=0)))).items
    conditions = itertools.product(("", "c1"), ("", "RUN"), ("", "a"), ((), ("OPEN",)), ((), ("x",), ("x", "y")))
    for client, state, workflow, groups, tags in conditions:
        expected = [
            job.id for job in jobs
            if client in ("", job.client_id) and state in ("", job.state) and workflow in ("", job.workflow.name)
            and (not groups or job.workflow.group_of(job.state) in groups)
        ]  # fmt: skip
        for descending in (False, True):
            page = Paging(offset=2, limit=5, descending=descending, with_total=True)
            found = await store.query_jobs(JobQuery(client, state, workflow, groups, tags, page))
            order = expected[::-1] if descending else expected
            assert [job.id for job in found.items] == order[2:7]
            assert found.total == len(expected)


@pytest.mark.parametrize(
    "conditions",
    [
        {"groups": ("OPEN",), "tags": ("x",)},
        {"state": "NEW", "tags": ("x", "y")},
        {"client_id": "c1", "groups": ("OPEN",), "tags": ("y",)},
    ],
)
async def test_conditions_are_checked_in_indexes_alone(
    store: BatchingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conditions: dict[str, Any]
) -> None:
    """Until a page is found, no job's row is read: entries of indexes say it all, and there are many more of them."""
    monkeypatch.setattr(job_search, "FEW", 0)
    await store.ping()
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        chosen = select(connection, JobQuery(**conditions))
        numbers, values = chosen.numbers
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {numbers}", values)]
    searches = [step for step in steps if step.startswith("SEARCH")]
    assert searches
    assert [step for step in searches if not re.search(r"COVERING INDEX|job_tag USING PRIMARY KEY", step)] == []


@pytest.mark.parametrize(("descending", "first"), [(False, "job_tag"), (True, "found")])
async def test_of_two_conditions_that_leave_many_the_thinner_one_finds(
    store: BatchingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, descending: bool, first: str
) -> None:
    """A tag that only late jobs have is what a page from the beginning is found by, and not one from the end."""
    monkeypatch.setattr(job_search, "FEW", 5)
    await together(*(store.create_job("b", begin("c9", tags=["late"])) for _ in range(30)))
    await together(*(store.create_job("a", begin("c9")) for _ in range(2)))
    query = JobQuery(state="NEW", tags=("late",), paging=Paging(descending=descending))
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        numbers, values = select(connection, query).numbers
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {numbers}", values)]
    searches = [step.split()[1] for step in steps if step.startswith("SEARCH")]
    assert searches[0] == first


def _harmless(step: str) -> bool:
    # What was put together just before: a constant row, the merged parts, a list that was passed in.
    return any(word in step for word in ("CONSTANT ROW", "SUBQUERY", "subquery", "json_each"))


@pytest.mark.parametrize("conditions", [{"client_id": "c1"}, {"groups": ("OPEN",)}, {"tags": ("x",)}, {"state": "RUN"}])
async def test_pages_in_order_need_no_sorting(
    store: BatchingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conditions: dict[str, str]
) -> None:
    """An index gives the jobs of one condition in order, so that a page is read and not searched for."""
    monkeypatch.setattr(job_search, "FEW", 0)
    await store.ping()
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        query = JobQuery(**conditions)  # type: ignore[arg-type] # any of them
        assert not any("TEMP B-TREE" in step for step in plans_of(connection, query))


@pytest.mark.parametrize("rows", [1, 2, 64])
def test_fixed_statements_go_by_indexes(rows: int) -> None:
    """Of the statements with a fixed text, only listing and counting all workflows goes through a table.

    (And what takes the first rows of one, or goes through the consumers or leases, of which there is a handful, or
    the devices that nobody knows or the records of bulk requests, which are bounded, as are the tombstones that metrics
    count. Counting all jobs goes through an index that has all it needs.)
    """
    counting = "SCAN job USING COVERING INDEX job_workflow_state"
    columns = {"update_jobs": 9, "move_jobs": 2, "delete_tags": 2, "mark_overtaken": 2, "delete_device_keys": 2}
    columns |= {"note_sightings": 5, "claim_tasks": 3}
    parts = {
        ":comparison": ">",
        ":order": "DESC",
        ":extreme": "min",
        ":step": "client_id > client.found",
        ":conditions": "",
    }
    scanned = set()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, migrations(), 0)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        for name, sql in SQL.items():
            row = "(" + ",".join("?" * columns.get(name, 1)) + ")"
            if not sql.startswith("INSERT"):
                text = sql.replace(":rows", ",".join([row] * rows)).replace(":items", ",".join("?" * rows))
                for part, chosen in {":columns": "client_id", **parts}.items():
                    text = text.replace(part, chosen)
                values = len(set(re.findall(r"\?\d+", text))) + len(re.findall(r"\?(?!\d)", text))
                steps = connection.execute(f"EXPLAIN QUERY PLAN {text}", [1] * values).fetchall()
                assert name != "job_counts" or counting in [step for *_, step in steps]
                scanned |= {
                    name
                    for *_, step in steps
                    if step.split()[0] == "SCAN" and step.split()[1] in tables and step != counting
                }
    of_consumers = {"consumers", "lose_events", "end_leases"}
    assert scanned == {
        "workflows_page",
        "workflows_page_descending",
        "workflows_total",
        "first_orphaned_history",
        "drop_tombstones",
        *of_consumers,
        "count_unclaimed",
        "forget_unclaimed",
        "measure_event_answers",
        "oldest_event_answers",
        "expire_bulk_requests",
        "count_tombstones",
        "count_scripts",
        "drop_old_scripts",
    }


@pytest.mark.parametrize("rows", [1, 2, 64])
def test_tags_are_removed_by_tag_and_job(rows: int) -> None:
    """Removing a tag from a job looks at that one entry, and not at all jobs with the tag."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, migrations(), 0)
        sql = SQL["delete_tags"].replace(":rows", ",".join(["(?,?)"] * rows))
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * 2 * rows)]
    searches = [step for step in steps if "job_tag" in step]
    assert searches == ["SEARCH job_tag USING PRIMARY KEY (tag=? AND job=?)"] * 2


async def test_a_report_leaves_the_job_in_its_place(store: BatchingStore) -> None:
    """Only what brings a job to another state writes its place, which stands in the indexes of states and groups."""
    job = await store.create_job("a", begin())
    connection = sqlite_of(store)._writer._connection
    assert connection is not None
    said: list[str] = []
    await connection.set_trace_callback(said.append)
    await store.change_job(job.id, move("RUN"))
    assert sum("SET workflow_state" in sql for sql in said) == 1
    said.clear()
    await store.change_job(job.id, move("RUN", message="works"))
    assert sum("UPDATE job" in sql for sql in said) == 1
    assert not any("SET workflow_state" in sql for sql in said)


async def test_thousands_of_names_are_looked_up_by_one_statement(store: BatchingStore, tmp_path: Path) -> None:
    """Which of 10,000 names workflows have takes one statement, which searches the index of names for each."""
    said: list[str] = []
    await sqlite_of(store)._query_connection._connection.set_trace_callback(said.append)
    assert await store.workflow_names(["a", *(f"n{n}" for n in range(10_000))]) == {"a"}
    assert len(said) == 1
    with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None)) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {SQL['workflow_names']}", ("[]",))]
    assert not [step for step in steps if step.startswith("SCAN") and not _harmless(step)], steps
    assert any("(name=?)" in step for step in steps), steps


def endless(connection: sqlite3.Connection) -> None:
    """Search without end."""
    counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    connection.execute(counting).fetchone()


async def test_a_search_that_nobody_waits_for_is_stopped(store: BatchingStore) -> None:
    """When the caller of an endless search goes away, the next query is answered."""
    search = asyncio.create_task(sqlite_of(store)._query_connection.run(endless))
    others = [asyncio.create_task(store.query_jobs(JobQuery())) for _ in range(3)]
    await store.ping()
    assert not any(task.done() for task in (search, *others))
    others[1].cancel()
    search.cancel()
    pages = await asyncio.wait_for(asyncio.gather(others[0], others[2]), 20)
    assert [len(page.items) for page in pages] == [10, 10]
    assert search.cancelled()


async def test_searches_do_not_wait_for_a_count_of_rows(store: BatchingStore) -> None:
    """While jobs are counted by a look at each, lists, searches, other counts and changes are answered."""
    counting = asyncio.create_task(sqlite_of(store)._count_connection.run(endless))
    waiting = asyncio.create_task(store.summarize_jobs(JobListQuery(client_prefix="p")))
    job = await store.create_job("a", begin())
    assert job.id in {row.id for row in (await store.list_jobs(JobListQuery(client_prefix="p", descending=True))).rows}
    assert (await store.query_jobs(JobQuery(paging=Paging(with_total=True)))).total
    assert (await store.summarize_jobs(JobListQuery())).counts
    assert not counting.done()
    assert not waiting.done()
    counting.cancel()
    assert (await asyncio.wait_for(waiting, 20)).counts


async def test_short_reads_do_not_wait_for_a_long_search(store: BatchingStore) -> None:
    """While somebody searches for long, jobs are read and written as ever."""
    search = asyncio.create_task(sqlite_of(store)._query_connection.run(endless))
    job = await store.create_job("a", begin())
    assert await store.get_job(job.id) == job
    assert await store.read_log(0, 1)
    assert not search.done()
    search.cancel()
