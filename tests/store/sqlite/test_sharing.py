"""Connections and what they share with other programs and with each other."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, begin, whole_log
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.protocol import Store


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    """A store that is closed in the end, whatever happens: its threads would keep the tests from ending."""
    store = await open_store("sqlite", str(folder / "wfx.db"))
    try:
        yield store
    finally:
        await store.close()


async def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    """The write-ahead log is copied into the database again and again: it stays far smaller than what was written."""
    async with opened(tmp_path) as store:
        await store.create_workflow(FLOW)
        for _ in range(40):
            await store.create_job(FLOW.name, begin(definition={"x": "y" * 1_000_000}))
        assert (tmp_path / "wfx.db-wal").stat().st_size < 16_000_000


async def test_a_short_lock_of_another_program_is_waited_for(tmp_path: Path) -> None:
    """While another program writes, changes wait for it, and then happen."""
    async with opened(tmp_path) as store:
        await store.create_workflow(FLOW)
        with closing(sqlite3.connect(tmp_path / "wfx.db", isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(0.2, other.rollback).start()
            assert await store.create_job(FLOW.name, begin())


async def test_searches_do_not_end_each_other(tmp_path: Path) -> None:
    """Of two searches the first is cancelled; the second, which began to wait meanwhile, is answered."""
    async with opened(tmp_path) as store:
        assert isinstance(store, BatchingStore)
        begun, go_on = threading.Event(), threading.Event()

        def first(connection: sqlite3.Connection) -> None:
            begun.set()
            while not go_on.is_set():
                connection.execute("SELECT 1").fetchone()

        def second(connection: sqlite3.Connection) -> int:
            sql = "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n LIMIT 300000) SELECT count(*) FROM n"
            return int(connection.execute(sql).fetchone()[0])

        searching = asyncio.create_task(sqlite_of(store)._query_connection.run(first))
        await asyncio.to_thread(begun.wait, 30)
        waiting = asyncio.create_task(sqlite_of(store)._query_connection.run(second))
        for _ in range(10):
            await asyncio.sleep(0)
        assert sqlite_of(store)._connections.query._tx.qsize() == 0, (
            "an interruption would be of whatever the connection does next"
        )
        searching.cancel()
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.wait_for(waiting, 30) == 300_000
        await asyncio.gather(searching, return_exceptions=True)


@pytest.mark.parametrize("kept", [1, 2, 3])
async def test_the_last_event_of_a_deleted_workflow(tmp_path: Path, kept: int) -> None:
    """As long as an event of a deleted workflow is kept it can be read, also if it is the only one."""
    async with opened(tmp_path) as store:
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin())
        await store.delete_job(job.id)
        await store.delete_workflow(FLOW.name)
        await store.prune_log(keep_newest=kept, older_than=job.stime, at_most=100)
    async with opened(tmp_path) as store:  # with no workflow in memory
        events = await whole_log(store)
        assert [event.seq for event in events] == [2, 3, 4][-kept:]
        assert {replace(event.workflow) for event in events} == {FLOW}
