"""Rows of a sealed database, table by table."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.backends import SEALING, SetClock
from tests.store.samples import FLOW, begin, move, redefine
from tests.store.test_bulk import RECORD, Teller
from tests.tasks.working import add, ended, running
from wfx.domain.errors import SealedValueUnreadable
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.store.opening import open_store
from wfx.store.operations import CreateJob
from wfx.store.protocol import Store
from wfx.store.rule_records import NewTask, RuleRecords, Task, TaskOutcome, TaskQuery, TaskState
from wfx.store.sqlite.checking import check
from wfx.store.sqlite.sealed_tables import TABLES, SealedTable
from wfx.store.storage_settings import StorageSettings
from wfx.tasks.progress import Progress

SECRET = "a@b.io"
COLUMNS = [(table, column) for table in TABLES for column in table.columns]


async def opened(folder: Path) -> Store:
    """Open the store of the folder."""
    return await open_store("sqlite", f"{folder}/wfx.db", StorageSettings(sealing=SEALING), clock=SetClock())


async def fill(store: Store) -> None:
    """Put the secret into each table, and a task that is running."""
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin(definition={"mail": SECRET}))
    await store.change_job(job.id, redefine({"mail": [SECRET]}))
    await store.change_job(job.id, move("RUN", message=SECRET))
    gone = await store.create_job(FLOW.name, begin(definition={"mail": SECRET}))
    for state in ("RUN", "DONE"):
        await store.change_job(gone.id, move(state, message=SECRET))
    await store.delete_job(gone.id)
    consumer = await store.consumer("rules")
    tasks = [NewTask(key, "mail", Json(f'["{SECRET}"]'.encode()), Timestamp(0), "[]") for key in ("a", "b")]
    await store.step("rules", consumer.position, 0, consumer.position, (), RuleRecords(tasks=tasks))
    task, _ = await store.claim_tasks(["mail"], 2, 1000.0)
    await store.finish_task(task, TaskOutcome(TaskState.DONE, Json(f'"{SECRET}"'.encode())))
    await store.take_event("e", (), RuleRecords(), lambda _: SECRET)
    await store.open_bulk("k", replace(RECORD, content=SECRET))
    await store.take_slice("k", 0, [[CreateJob(FLOW.name, begin(SECRET[0]))]], Teller())


async def test_each_table_has_sealed_values_only(tmp_path: Path) -> None:
    """In no table a value of a column that is to be sealed is readable, and each column has some; all can be read."""
    store = await opened(tmp_path)
    await fill(store)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as plain:
        for table, column in COLUMNS:
            sql = f"SELECT DISTINCT typeof({column}) FROM {table.name} WHERE {column} IS NOT NULL"
            assert plain.execute(sql).fetchall() == [("blob",)], (table.name, column)
    assert SECRET.encode() not in (tmp_path / "wfx.db").read_bytes()
    store = await opened(tmp_path)
    tasks = await store.list_tasks(TaskQuery())
    assert [task.input for task in tasks] == [Json(f'["{SECRET}"]'.encode())] * 2
    assert tasks[0].result == Json(f'"{SECRET}"'.encode())
    assert await store.take_event("e", (), RuleRecords(), lambda _: "another answer") == SECRET
    assert (await store.read_bulk("k")) is not None
    assert list(await store.bulk_results("k")) == ["1"]
    await store.close()
    assert check(tmp_path / "wfx.db", sealing=SEALING).sound


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[table.place(column) for table, column in COLUMNS])
async def test_each_damaged_value_is_named(tmp_path: Path, table: SealedTable, column: str) -> None:
    """The check names the row of a value that was changed or moved, whichever table it is in."""
    store = await opened(tmp_path)
    await fill(store)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as plain, plain:
        sql = f"SELECT min({table.number}) FROM {table.name} WHERE {column} IS NOT NULL"
        (number,) = plain.execute(sql).fetchone()
        (other,) = plain.execute("SELECT input FROM task WHERE key = 'b'").fetchone()
        if (table.name, column) == ("task", "input"):
            number, other = 2, other[:-1]
        plain.execute(f"UPDATE {table.name} SET {column} = ? WHERE {table.number} = ?", (other, number))
    named = [each for each in check(tmp_path / "wfx.db", sealing=SEALING).findings if each.check == "sealed_value"]
    assert [each.row for each in named] == [f"{table.name} {number}"]
    assert f"a sealed value of {table.name}.{column} of" in named[0].found


async def test_a_damaged_job_fails_nobody_else(tmp_path: Path) -> None:
    """Changes and reads of other jobs that come at the same time as those of a damaged one are done."""
    store = await opened(tmp_path)
    await store.create_workflow(FLOW)
    bad, good = [await store.create_job(FLOW.name, begin()) for _ in range(2)]
    await store.close()
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as plain, plain:
        plain.execute("UPDATE job SET status = x'01' || randomblob(60) WHERE id = ?", (bad.id,))
    store = await opened(tmp_path)
    found: list[Any] = [
        await _outcome(store.get_job(bad.id)),
        *[await _outcome(each) for each in (store.get_job(good.id), store.change_job(good.id, move("RUN")))],
        *await _together(store, bad.id, good.id),
    ]
    await store.close()
    assert [isinstance(each, SealedValueUnreadable) for each in found] == [True, False, False, True, False]


@pytest.mark.parametrize("column", ["input", "result"])
@pytest.mark.parametrize("value", ["CAST(x'01' || randomblob(60) AS BLOB)", "'{'"])
async def test_a_damaged_task_fails_alone(tmp_path: Path, column: str, value: str) -> None:
    """A task whose value cannot be read fails alone, with the reason; others are done, and all are listed."""
    store = await open_store("sqlite", f"{tmp_path}/wfx.db", StorageSettings(sealing=SEALING))
    await add(store, ("a", "work", 1), ("b", "work", 2))
    for task in await store.claim_tasks(["work"], 2, 1000.0):
        await store.finish_task(task, TaskOutcome(TaskState.WAITING, Json(b"null")))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as plain, plain:
        plain.execute(f"UPDATE task SET {column} = {value} WHERE key = 'a'")
    store = await open_store("sqlite", f"{tmp_path}/wfx.db", StorageSettings(sealing=SEALING))
    assert len(await store.list_tasks(TaskQuery())) == 2

    async def work(task: Task) -> str:
        return f"did {task.input.decode()}"

    async with running(store, {"work": work}):
        bad, good = await ended(store, 1), await ended(store, 2)
    listed = await store.list_tasks(TaskQuery())
    await store.close()
    assert [task.id for task in listed] == [1, 2]
    assert Progress.of(good.result).message == "did 2"
    if (column, value) == ("result", "'{'"):  # that tells what came of it before, no more
        assert (bad.state, Progress.of(bad.result).message) == (TaskState.DONE, "did 1")
    else:
        assert bad.state is TaskState.FAILED
        assert (bad.damage or Progress.of(bad.result).message).startswith(
            ("the task cannot be read: ", "a sealed value")
        )


async def _outcome(act: Any) -> Any:
    try:
        return await act
    except SealedValueUnreadable as exc:
        return exc


async def _together(store: Store, *ids: str) -> list[Any]:
    acts = [store.change_job(job_id, move("DONE" if n else "RUN")) for n, job_id in enumerate(ids)]
    return await asyncio.gather(*acts, return_exceptions=True)
