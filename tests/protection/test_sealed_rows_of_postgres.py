"""Rows of a sealed database on PostgreSQL, table by table, and `wfx rekey` that is killed beside servers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from postgres_server import Postgres

from tests.acceptance.cluster.releases import release_before
from tests.maintenance.many_records import dump_of
from tests.protection.life import BASE, WORKFLOW, done, keys, sealing, wfx
from tests.protection.stores import in_database, on
from tests.protection.test_killed_rekey import KILLED
from tests.protection.test_sealed_rows import SECRET, fill
from tests.store.backends import SEALING, SetClock
from tests.store.postgres_schemas import schemas
from tests.store.samples import FLOW, begin, move
from tests.tasks.working import add, ended, running
from wfx.demo.local import LocalService
from wfx.domain.errors import SealedValueUnreadable
from wfx.domain.json import Json
from wfx.store.opening import open_store
from wfx.store.postgres.checking import check
from wfx.store.postgres.sealed_tables import TABLES
from wfx.store.protocol import Store
from wfx.store.rule_records import RuleRecords, Task, TaskQuery, TaskState
from wfx.store.storage_settings import StorageSettings

JOBS = 400


@pytest.fixture
def option(postgres: Postgres, database: str, tmp_path: Path) -> str:
    """The storage option of an empty schema."""
    return schemas(postgres, database)(tmp_path)


@pytest.fixture
def sql(postgres: Postgres, database: str, option: str) -> Callable[[str], list[str]]:
    """What runs statements in that schema."""
    schema = option.partition("search_path=")[2].rstrip("'")
    return lambda text: postgres.sql(f"SET search_path = {schema};\n{text}", database)


async def opened(option: str) -> Store:
    """Open a sealed store."""
    return await open_store("postgres", option, StorageSettings(sealing=SEALING), clock=SetClock())


async def test_each_table_has_sealed_values_only(option: str, sql: Callable[[str], list[str]]) -> None:
    """In no table a value of a column that is to be sealed is readable, and each column has some; all can be read."""
    store = await opened(option)
    await fill(store)
    await store.close()
    for table in TABLES:
        for column in table.columns:
            plain = f"SELECT count({column}), count(*) FILTER (WHERE {column} !~ '^\\x01test=') FROM {table.name}"
            (row,) = sql(plain)
            count, _, unsealed = row.partition("|")
            assert (int(count) > 0, unsealed) == (True, "0"), table.place(column)
    store = await opened(option)
    tasks = await store.list_tasks(TaskQuery())
    assert [task.input for task in tasks] == [Json(f'["{SECRET}"]'.encode())] * 2
    assert tasks[0].result == Json(f'"{SECRET}"'.encode())
    assert await store.take_event("e", (), RuleRecords(), lambda _: "another answer") == SECRET
    record = await store.read_bulk("k")
    assert record is not None
    assert record.content == SECRET
    assert list(await store.bulk_results("k")) == ["1"]
    await store.close()
    assert (await asyncio.to_thread(check, option, sealing=SEALING)).findings == []


async def test_each_damaged_value_is_named(option: str, sql: Callable[[str], list[str]]) -> None:
    """The check names the row of a value that was moved from another place, whichever table it is in."""
    store = await opened(option)
    await fill(store)
    await store.close()
    (other,) = sql("SELECT input FROM task WHERE key = 'b'")
    for table in TABLES:
        for column in table.columns:
            order = ", ".join(table.number)
            first = f"FROM {table.name} WHERE {column} IS NOT NULL ORDER BY {order} LIMIT 1"
            number, value = sql(f"SELECT concat_ws(', ', {order}) {first}; SELECT {column} {first};")
            put = f"UPDATE {table.name} SET {column} = '{{}}' WHERE concat_ws(', ', {order}) = '{number}'"
            sql(put.format(other))
            found = (await asyncio.to_thread(check, option, sealing=SEALING)).findings
            named = [each for each in found if each.check == "sealed_value"]
            assert [each.row for each in named] == [f"{table.name} {number}"]
            assert f"a sealed value of {table.place(column)} of" in named[0].found
            sql(put.format(value))


async def test_a_damaged_task_fails_alone(option: str, sql: Callable[[str], list[str]]) -> None:
    """A task whose value cannot be opened fails alone, with the reason; others are done, and all are listed."""
    store = await open_store("postgres", option, StorageSettings(sealing=SEALING))
    await add(store, ("a", "work", 1), ("b", "work", 2))
    sql("UPDATE task SET input = (SELECT input FROM task WHERE key = 'b') WHERE key = 'a'")

    async def work(task: Task) -> str:
        return f"did {task.input.decode()}"

    async with running(store, {"work": work}):
        bad, good = await ended(store, 1), await ended(store, 2)
    await store.close()
    assert (bad.state, good.state) == (TaskState.FAILED, TaskState.DONE)
    assert "a sealed value of task.input of a cannot be opened" in bad.damage


async def test_a_damaged_job_fails_nobody_else(option: str, sql: Callable[[str], list[str]]) -> None:
    """Changes and reads of other jobs that come at the same time as those of a damaged one are done."""
    store = await opened(option)
    await store.create_workflow(FLOW)
    bad, good = [await store.create_job(FLOW.name, begin()) for _ in range(2)]
    sql(f"UPDATE job SET status = left(status, 60) WHERE id = '{bad.id}'")
    reads = await together(store.get_job(bad.id), store.get_job(good.id))
    changes = await together(*(store.change_job(job.id, move("RUN")) for job in (bad, good)))
    await store.close()
    assert [isinstance(each, SealedValueUnreadable) for each in (*reads, *changes)] == [True, False, True, False]


async def together(*acts: Any) -> list[Any]:
    """Do what is asked for at one moment."""
    return await asyncio.gather(*acts, return_exceptions=True)


@pytest.fixture
def place(postgres: Postgres) -> Iterator[dict[str, str]]:
    """The variables that name an empty database."""
    with postgres.database() as name:
        yield on(postgres, name)


def test_a_killed_rekey_goes_on_beside_servers(postgres: Postgres, place: dict[str, str], tmp_path: Path) -> None:
    """Killed whenever, and called again beside two servers that write, it leaves each value sealed, and none lost."""
    (tmp_path / "dump").write_bytes(b"".join(dump_of(JOBS)))
    done(wfx(tmp_path, "import", "dump", **place))
    before = done(wfx(tmp_path, "export", "-", **place)).splitlines()
    environment = place | sealing("one")
    servers = [LocalService(tmp_path, "--events-max-age=876000h", environment=environment) for _ in range(2)]
    head, jobs = r"\x01one==", [f"{number:08x}-0000-4000-8000-000000000000" for number in range(19)]
    stop, answers = threading.Event(), list[int]()

    def report(server: LocalService) -> None:
        while not stop.is_set():
            for job in jobs:
                how = "DELETE" if len(answers) % 2 else "POST"
                answers.append(httpx.request(how, f"{server.north}{BASE}/jobs/{job}/tags", json=["late"]).status_code)

    with servers[0], servers[1]:
        writers = [threading.Thread(target=report, args=(server,)) for server in servers]
        for writer in writers:
            writer.start()
        try:
            for count in (1, 200, 700):
                killed = subprocess.run(
                    [sys.executable, "-c", KILLED, str(count)], cwd=tmp_path, env={**os.environ, **environment},
                    timeout=120, check=False,
                )  # fmt: skip
                assert killed.returncode == -signal.SIGKILL
                sealed, every = in_database(postgres, place, head)
                assert sealed < every
            assert sealed > 400
            assert 'sealed with the key "one" now' in done(wfx(tmp_path, "rekey", **environment))
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        sealed, every = in_database(postgres, place, head)
        assert sealed == every
    assert set(answers) == {200}
    assert "is sound" in done(wfx(tmp_path, "check", **place, **keys("one")))
    after = done(wfx(tmp_path, "export", "-", **place, **keys("one"))).splitlines()
    assert set(before[1:-1]) - set(after) <= {line for line in before if any(job in line for job in jobs)}


def test_the_release_before_is_refused_where_values_are_sealed(
    place: dict[str, str], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """A release that cannot open sealed values does not start on them, and does once encryption was taken back."""
    before = {"PYTHONPATH": str(release_before(tmp_path_factory.mktemp("before")))}
    with LocalService(tmp_path, environment=place | sealing("one")) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
        refused = wfx(tmp_path, "--client-port=0", "--mgmt-port=0", **place, **before)
        assert refused.returncode == 1
        assert "needs a program that knows 13 at least" in refused.stderr
    done(wfx(tmp_path, "rekey", **place, **keys("one")))
    with LocalService(tmp_path, environment=place | before) as service:
        assert httpx.get(f"{service.north}{BASE}/workflows/{WORKFLOW['name']}").status_code == 200
