"""Starting on a SQLite file: which are taken, which are refused, and that refused ones are left alone."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.store.samples import FLOW, all_jobs, begin
from wfx.domain.errors import StoreUnusable
from wfx.store.opening import open_store
from wfx.store.sqlite.migrate import APPLICATION_ID, migrations
from wfx.store.sqlite.opening import require_library


async def refusal(option: str | Path) -> str:
    """Try to open and return the sentence that it ends with."""
    with pytest.raises(StoreUnusable) as refused:
        await open_store("sqlite", str(option))
    return str(refused.value)


def make(path: Path, script: str) -> bytes:
    """Make a SQLite file by hand."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path.read_bytes()


async def make_filled(path: Path) -> None:
    """Make a database of this program with some jobs."""
    store = await open_store("sqlite", str(path))
    await store.create_workflow(FLOW)
    for n in range(50):
        await store.create_job(FLOW.name, begin(f"client-{n}", definition={"text": "x" * 500}))
    await store.close()


async def test_an_unknown_kind_of_storage_is_refused() -> None:
    """The refusal names the kinds there are."""
    with pytest.raises(StoreUnusable, match=r"unknown storage 'cassandra'; known: .*sqlite"):
        await open_store("cassandra", "")


async def test_the_databases_of_others_are_refused(tmp_path: Path) -> None:
    """Row 8: the file of any other program is refused and not touched."""
    other = make(tmp_path / "b.db", "CREATE TABLE bookmarks (url)")
    assert "a database of another program" in await refusal(tmp_path / "b.db")
    marked = make(tmp_path / "c.db", "PRAGMA application_id = 77")
    assert "choose another file" in await refusal(tmp_path / "c.db")
    assert [(tmp_path / name).read_bytes() for name in ("b.db", "c.db")] == [other, marked]


async def test_a_newer_schema_is_refused_with_both_versions(tmp_path: Path) -> None:
    """Row 8: a database of a newer program is refused, and the sentence names both versions."""
    known = migrations()[-1].number
    before = make(tmp_path / "wfx.db", f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 4711")
    assert f"version 4711, but this program knows only up to {known}" in await refusal(tmp_path / "wfx.db")
    assert (tmp_path / "wfx.db").read_bytes() == before


async def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """Row 10: text files, directories, pipes and devices are refused at once, by name."""
    (tmp_path / "notes.txt").write_text("remember the milk, and do not overwrite this")
    (tmp_path / "short").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "notes.txt", "is not a SQLite database"),
        (tmp_path / "short", "is not a SQLite database"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "is not a regular file"),
        (Path("/dev/null"), "is not a regular file"),
        (tmp_path / "missing" / "wfx.db", f"there is no directory {tmp_path}/missing"),
        (tmp_path / "notes.txt" / "wfx.db", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (tmp_path / "nul\0", "null"),
    ):
        sentence = await asyncio.wait_for(refusal(path), 10)
        assert reason in sentence
        assert str(path) in sentence
    assert (tmp_path / "notes.txt").read_text().startswith("remember")


async def test_a_missing_file_is_made_only_if_wanted(tmp_path: Path) -> None:
    """Row 10: by default the file is created; with mode=rw a missing one is refused."""
    assert "No such file" in await refusal(f"file:{tmp_path}/wfx.db?mode=rw")
    assert not (tmp_path / "wfx.db").exists()
    await (await open_store("sqlite", f"file:{tmp_path}/wfx.db")).close()
    await (await open_store("sqlite", f"file:{tmp_path}/wfx.db?mode=rw")).close()


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """An empty file, or an empty SQLite database, is taken for a new one."""
    (tmp_path / "a.db").touch()
    make(tmp_path / "b.db", "PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t")
    for name in ("a.db", "b.db"):
        store = await open_store("sqlite", str(tmp_path / name))
        assert await all_jobs(store) == ()
        await store.close()


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be an ordinary user for a while: root may write anything."""
    me = os.geteuid()
    os.seteuid(65534 if me == 0 else me)
    try:
        yield
    finally:
        os.seteuid(me)


def test_a_file_that_may_not_be_written_is_refused() -> None:
    """Row 10: a read-only file, or a new one in a read-only directory, is refused at start with its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wfx.db"
        make(path, "")
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with unprivileged():
            for name in (path, path.with_name("new.db")):
                sentence = asyncio.run(refusal(name))
                assert sentence == f"cannot open the database file {name}: Permission denied"
        Path(folder).chmod(0o755)


async def test_a_second_server_is_refused(tmp_path: Path) -> None:
    """Row 9: while one store has the file, another is refused by name; afterwards it may."""
    path = tmp_path / "wfx.db"
    first = await open_store("sqlite", str(path))
    assert await refusal(path) == f"the database file {path} is in use by another server; stop that one first"
    (tmp_path / "link.db").symlink_to(path)
    assert "in use by another server" in await refusal(tmp_path / "link.db")
    await first.ping()
    await first.close()
    await (await open_store("sqlite", str(path))).close()


@pytest.mark.parametrize("offset", [16, 100, 4096, 8192, 12288, 20480])
async def test_a_damaged_file_is_refused(tmp_path: Path, offset: int) -> None:
    """Row 6: a file with overwritten pages does not start; the sentence names the file and what to do."""
    path = tmp_path / "wfx.db"
    await make_filled(path)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 64)
    sentence = await refusal(path)
    assert str(path) in sentence
    assert "restore a backup" in sentence


async def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    """Row 6: a file that was cut off does not start."""
    path = tmp_path / "wfx.db"
    await make_filled(path)
    os.truncate(path, path.stat().st_size // 2)
    assert str(path) in await refusal(path)


async def test_a_torn_write_ahead_log_ends_at_the_last_whole_commit(tmp_path: Path) -> None:
    """Row 6: after a crash that left half a commit in the write-ahead log, everything before it is there."""
    path = tmp_path / "wfx.db"
    store = await open_store("sqlite", str(path))
    await store.create_workflow(FLOW)
    jobs = [await store.create_job(FLOW.name, begin(f"client-{n}")) for n in range(3)]
    image, log = path.read_bytes(), (tmp_path / "wfx.db-wal").read_bytes()
    await store.close()
    path.write_bytes(image)
    (tmp_path / "wfx.db-wal").write_bytes(log[:-100])
    store = await open_store("sqlite", str(path))
    assert await all_jobs(store) == tuple(jobs[:2])
    assert (await store.log_bounds()).head == 3
    await store.close()


async def test_warnings_about_the_option_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An option that weakens durability, or is unknown, leaves a warning in the server's log."""
    with caplog.at_level(logging.WARNING):
        await (await open_store("sqlite", f"file:{tmp_path}/wfx.db?_sync=NORMAL&x=1")).close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "acknowledged changes may be lost" in caplog.messages[0]


def test_an_old_library_is_refused() -> None:
    """A SQLite library without the needed features is refused with both versions."""
    with pytest.raises(StoreUnusable, match=r"version 3\.31\.1, but at least 3\.38\.0 is needed"):
        require_library((3, 31, 1))


def test_a_closed_store_leaves_one_file(tmp_path: Path) -> None:
    """After a clean stop the database is a single file that can be copied, and no descriptor or thread is left."""
    descriptors, threads = sorted(Path("/proc/self/fd").iterdir()), threading.enumerate()
    asyncio.run(make_filled(tmp_path / "wfx.db"))
    assert list(tmp_path.iterdir()) == [tmp_path / "wfx.db"]
    assert sorted(Path("/proc/self/fd").iterdir()) == descriptors
    deadline = time.monotonic() + 10
    while threading.enumerate() != threads and time.monotonic() < deadline:
        time.sleep(0.01)  # a connection's thread ends a moment after it was told to
    assert threading.enumerate() == threads
