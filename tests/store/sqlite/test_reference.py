"""Row 8: the database of the reference implementation opens and becomes ours."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from reference_file import EMPTY_HASH, make

from tests.store.samples import all_jobs
from tests.store.sqlite.audit import assert_sound
from wfx.demo.local import LocalService
from wfx.domain.definition import hash_of
from wfx.domain.errors import StoreUnusable
from wfx.store.opening import open_store
from wfx.store.sqlite.checking import check
from wfx.store.sqlite.reference import copy_all

BASE = "/api/wfx/v1"
HASHES = {"one": hash_of({"version": 1}), "two": hash_of({"version": 2})}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of the reference."""
    make(tmp_path / "wfx.db", HASHES)
    return tmp_path / "wfx.db"


def rows_of(path: Path) -> list[str]:
    """Everything in a file."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


async def start_on(path: Path) -> None:
    """Start and stop."""
    await (await open_store("sqlite", str(path))).close()


@pytest.fixture
def north(path: Path) -> Iterator[httpx.Client]:
    """A client of a service that started on the file."""
    with LocalService(path.parent) as service, httpx.Client(base_url=service.north + BASE, trust_env=False) as client:
        assert any("took over 3 jobs" in line and f"{path}.reference" in line for line in service.lines)
        yield client


def test_everything_is_there(north: httpx.Client) -> None:
    """Row 8: on a file of the reference the service starts, and shows its workflows, jobs, tags and definitions."""
    assert north.get("/workflows/lamp").json() == {
        "name": "lamp", "description": "lights", "states": [{"name": "NEW"}, {"name": "RUN", "description": "works"},
        {"name": "DONE"}], "groups": [{"name": "OPEN", "states": ["NEW", "RUN"]}], "transitions": [
            {"from": "NEW", "to": "RUN", "eligible": "CLIENT"},
            {"from": "RUN", "to": "DONE", "eligible": "WFX", "action": "WAIT"}],
    }  # fmt: skip
    assert north.get("/workflows/plain").json() == {"name": "plain", "states": [{"name": "S"}]}
    jobs = north.get("/jobs").json()["content"]
    assert [job["id"] for job in jobs] == ["b", "a", "c"], "in order of creation, whatever the offsets"
    assert [job["stime"] for job in jobs] == [
        "2026-07-01T07:00:00Z",
        "2026-07-01T08:00:00.123456Z",
        "2026-07-01T08:00:01Z",
    ]
    assert [job["tags"] for job in jobs] == [[], ["hall", "ü"], ["hall"]]
    assert [job.get("definition") for job in jobs] == [None, {"version": 2}, None]
    assert jobs[1]["status"] == {"clientId": "dev", "definitionHash": HASHES["two"], "progress": 0, "state": "RUN"}
    assert jobs[2]["status"]["definitionHash"] == EMPTY_HASH == hash_of(None)
    for query, found in (({"group": "OPEN"}, ["a", "c"]), ({"tag": "ü"}, ["a"]), ({"workflow": "plain"}, ["b"])):
        assert [job["id"] for job in north.get("/jobs", params=query).json()["content"]] == found


def test_history_is_what_was_before(north: httpx.Client) -> None:
    """Row 8: history entries keep time and status; what the reference left out is filled in where it can be known."""
    history = north.get("/jobs/a", params={"history": "true"}).json()["history"]
    assert [(entry["mtime"], entry["status"]["state"], entry.get("definition")) for entry in reversed(history)] == [
        ("2026-07-01T08:00:00.123456Z", "NEW", None),
        ("2026-07-01T08:00:01Z", "NEW", None),
        ("2026-07-01T08:00:02Z", "RUN", None),
        ("2026-07-01T08:00:03Z", "RUN", {"version": 1}),
        ("2026-07-01T08:00:03.000001Z", "RUN", None),
    ]


def test_life_goes_on(path: Path, north: httpx.Client) -> None:
    """Row 8: the log begins anew behind a horizon; jobs go on, new ones follow, and all of it is sound."""
    page = north.get("/jobs/events", params={"since": "0"}, headers={"Accept": "application/json"}).json()
    assert page["content"] == []
    assert north.put("/jobs/a/status", json={"state": "DONE"}).status_code == 200
    assert north.post("/jobs", json={"clientId": "new", "workflow": "plain"}).status_code == 201
    events = north.get("/jobs/events", params={"since": page["next"]}, headers={"Accept": "application/json"}).json()
    assert [entry["event"]["action"] for entry in events["content"]] == ["UPDATE_STATUS", "CREATE"]
    gone = page["next"].rpartition("-")[0] + "-0"
    assert north.get("/jobs/events", params={"since": gone}).status_code == 410
    assert_sound(path)


def test_others_are_kept_out_while_it_is_copied(path: Path, tmp_path: Path) -> None:
    """While its data is copied, no other program changes the reference's database."""
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as theirs,
        closing(sqlite3.connect(tmp_path / "ours.db", isolation_level=None)) as ours,
        closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other,
    ):
        theirs.execute("BEGIN EXCLUSIVE")
        copy_all(theirs, ours)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE job SET client_id = 'x'")


def test_the_old_file_is_kept(path: Path) -> None:
    """The reference's file stays as it was under another name, with the same rights; a second start finds ours."""
    path.chmod(0o640)
    before = rows_of(path)
    for _ in range(2):
        asyncio.run(start_on(path))
    assert rows_of(path.with_name("wfx.db.reference")) == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["wfx.db", "wfx.db.reference"]
    assert path.stat().st_mode & 0o777 == 0o640


async def test_an_older_schema_is_taken_over(path: Path) -> None:
    """The first schema, without descriptions of workflows, is taken over too."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "ALTER TABLE workflow DROP COLUMN description; DROP INDEX tag_jobs_job_id;"
            "UPDATE schema_migrations SET version = 20230404114557"
        )
    store = await open_store("sqlite", str(path))
    assert (await store.get_workflow("lamp")).description == ""
    await store.close()


async def test_what_was_interrupted_is_done_again(path: Path) -> None:
    """After a start that died on its last step, the next one takes the file over as if it were the first."""
    path.with_name("wfx.db.reference").hardlink_to(path)
    path.with_name("wfx.db.upgrading").write_bytes(b"half of something")
    await start_on(path)
    assert_sound(path)
    assert check(path).examined["job"] == 3


def test_what_a_killed_server_wrote_last_counts(path: Path, tmp_path: Path) -> None:
    """What a killed server left in its write-ahead log is taken over too."""
    with closing(sqlite3.connect(path)) as writing:
        writing.execute("UPDATE job SET client_id = 'late' WHERE id = 'c'")
        writing.commit()
        dead = tmp_path / "dead"
        dead.mkdir()
        for name in ("wfx.db", "wfx.db-wal"):
            shutil.copy(tmp_path / name, dead / name)
    with LocalService(dead) as service:
        assert httpx.get(f"{service.north}{BASE}/jobs/c").json()["clientId"] == "late"


@pytest.mark.parametrize(("sql", "reason"), [
    ("UPDATE schema_migrations SET version = 20990101000000", "20990101000000"),
    ("UPDATE schema_migrations SET dirty = 1", "step to schema version 20260331155900 is not finished"),
    ("DELETE FROM schema_migrations", "schema_migrations has 0 rows in place of one"),
    ("UPDATE job SET status = '{\"state\":\"NOWHERE\"}' WHERE id = 'a'", "job a: its workflow has no state 'NOWHERE'"),
    ("UPDATE job SET workflow_jobs = NULL WHERE id = 'a'", "job a: its workflow is missing"),
    ("UPDATE job SET stime = 'yesterday' WHERE id = 'a'", "job a: 'yesterday' is no time"),
    ("UPDATE job SET definition = '{' WHERE id = 'a'", "job a: a document is not JSON: "),
    ("DROP TABLE history", "no such table: history"),
])  # fmt: skip
async def test_what_cannot_be_taken_over_is_left_as_it_is(path: Path, sql: str, reason: str) -> None:
    """Row 8: a file of a version that is not known, or with rows that make no sense, is refused and not changed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX job_state")
        connection.execute(sql)
        connection.commit()
    before = rows_of(path)
    with pytest.raises(StoreUnusable, match=reason) as refused:
        await open_store("sqlite", str(path))
    assert str(path) in str(refused.value)
    assert "left as it is" in str(refused.value)
    assert rows_of(path) == before
    assert list(path.parent.iterdir()) == [path]


async def test_a_file_in_use_is_not_taken(path: Path) -> None:
    """While the reference's server has the file open it is refused, also where the place for the old file is taken."""
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("BEGIN")
        theirs.execute("SELECT count(*) FROM job").fetchone()
        with pytest.raises(StoreUnusable, match="in use by another program; stop that one first"):
            await open_store("sqlite", str(path))
    path.with_name("wfx.db.reference").write_text("precious")
    with pytest.raises(StoreUnusable, match="but that exists; move it away"):
        await open_store("sqlite", str(path))
    assert path.with_name("wfx.db.reference").read_text() == "precious"


async def test_only_the_server_takes_over(path: Path) -> None:
    """A check of the reference's file says what to do, and leaves it alone."""
    with pytest.raises(StoreUnusable, match="another implementation of this service; start the server on it"):
        check(path)
    assert not path.with_name("wfx.db.reference").exists()


async def test_the_log_begins_behind_all_that_was(path: Path) -> None:
    """The first new event has a number as if each job and each change before had been an event, pruned meanwhile."""
    with closing(sqlite3.connect(path)) as connection:
        (was,) = connection.execute("SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM history)").fetchone()
    store = await open_store("sqlite", str(path))
    bounds = await store.log_bounds()
    await store.close()
    assert (bounds.oldest, bounds.head) == (was + 1, was)


async def test_many_jobs_are_taken_over_in_order(path: Path) -> None:
    """Thousands of jobs keep their order of creation, whatever their ids."""
    ids = [f"job-{n * 7919 % 3000:04}" for n in range(3000)]
    times = [f"2026-08-01 10:{n // 60:02}:{n % 60:02}.5+00:00" for n in range(3000)]
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO job VALUES (?, ?, ?, 'many', NULL, '{\"state\":\"S\"}', '', 3)",
            zip(ids, times, times, strict=True),
        )
        connection.commit()
    store = await open_store("sqlite", str(path))
    jobs = await all_jobs(store, client_id="many")
    await store.close()
    assert [job.id for job in jobs] == ids
    assert_sound(path)
