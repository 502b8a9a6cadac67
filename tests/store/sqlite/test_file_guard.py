"""Noticing that the files of an open database are no longer where the next start looks for them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, all_jobs, begin, move
from wfx.domain.errors import StoreLost, StoreUnavailable, StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.sqlite import exclusive_operations, file_guard, opening, writer


async def opened(path: Path) -> BatchingStore:
    """Open a store with a workflow."""
    store = await opened_again(path)
    await store.create_workflow(FLOW)
    return store


async def opened_again(path: Path) -> BatchingStore:
    """Open a store that has its workflow."""
    store = await open_store("sqlite", str(path))
    assert isinstance(store, BatchingStore)
    return store


async def checkpoint_every(store: BatchingStore, pages: int) -> None:
    """Let the writer copy the log into the database each time that it has so many pages."""
    connection = sqlite_of(store)._writer._connection
    assert connection is not None
    await connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")


def shorten(path: Path) -> None:
    """Give back the room in both files, as other programs may."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("VACUUM")
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


async def test_files_that_are_shortened_by_the_rules(tmp_path: Path) -> None:
    """VACUUM and a truncating checkpoint of another program shorten the files, and nothing is lost by that."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    jobs = [await store.create_job(FLOW.name, begin(definition={"x": "y" * 5000})) for _ in range(400)]
    for job in jobs[1:]:
        await store.delete_job(job.id)
    before = [path.stat().st_size, path.with_name("wfx.db-wal").stat().st_size]
    shorten(path)
    after = [path.stat().st_size, path.with_name("wfx.db-wal").stat().st_size]
    assert after[0] < before[0]
    assert after[1] < before[1]
    await store.ping()
    assert (await store.change_job(jobs[0].id, move("RUN"))).version == 2
    shorten(path)
    assert (await store.change_job(jobs[0].id, move("DONE"))).version == 3
    await store.close()


async def test_a_long_log_gives_its_room_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that a reader made grow beyond its limit is shortened by SQLite, and nothing is lost by that."""
    seen: dict[str, list[int]] = defaultdict(list)

    class Part(file_guard._Part):
        def look(self) -> os.stat_result:
            now = super().look()
            seen[self.path].append(now.st_size)
            return now

    monkeypatch.setattr(file_guard, "_Part", Part)
    path = tmp_path / "wfx.db"
    store = await opened(path)
    connection = sqlite_of(store)._writer._connection
    assert connection is not None
    await connection.execute("PRAGMA journal_size_limit = 100000")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM job").fetchone()
        for _ in range(8):
            await store.create_job(FLOW.name, begin(definition={"x": "y" * 1_000_000}))
        reader.rollback()
    for _ in range(8):
        await store.create_job(FLOW.name, begin(definition={"x": "y" * 1_000_000}))
    lengths = seen[f"{path}-wal"]
    assert min(lengths[lengths.index(max(lengths)) :]) < max(lengths)
    await store.close()


async def test_checkpoints_are_no_damage(tmp_path: Path) -> None:
    """The service's checkpoints, held back by readers or not, and those of others at the same time are not damage."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    await checkpoint_every(store, 3)
    done = threading.Event()

    def interfere() -> int:
        rounds = 0
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            while not done.is_set():
                other.execute("BEGIN")
                other.execute("SELECT count(*) FROM job").fetchone()
                other.rollback()
                for mode in ("PASSIVE", "FULL", "RESTART", "TRUNCATE"):
                    other.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
                rounds += 1
        return rounds

    interfering = asyncio.create_task(asyncio.to_thread(interfere))
    for _ in range(300):
        await store.create_job(FLOW.name, begin(definition={"x": "y" * 5000}))
        await store.ping()
    done.set()
    assert await interfering > 0
    assert len(await all_jobs(store)) == 300
    await store.close()


@pytest.mark.parametrize("commits", range(4))
async def test_a_file_that_is_written_over_is_not_written_to(tmp_path: Path, commits: int) -> None:
    """Once another program wrote over the database, no checkpoint mixes the log into it, whenever the last was."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    await checkpoint_every(store, 1)
    await store.create_job(FLOW.name, begin())
    await checkpoint_every(store, 1000)
    for _ in range(commits):
        await store.create_job(FLOW.name, begin())
    await checkpoint_every(store, 1)
    content = path.read_bytes() + bytes(100 * 4096)
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StoreLost, match=f"another program has written to {path}"):
            await store.create_job(FLOW.name, begin())
    assert path.read_bytes() == content
    with pytest.raises(StoreLost, match="another program has written"):
        await store.ping()
    with pytest.raises(StoreLost, match="another program has written"):
        await store.close()


async def test_damage_that_a_read_meets(tmp_path: Path) -> None:
    """Once SQLite has met damage in a read, health is down, changes are refused, and the end says why."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    await store.create_job(FLOW.name, begin())
    await store.close()
    store = await opened_again(path)
    await store.ping()
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(before.st_size - 4096))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(StoreUnavailable, match="malformed"):
        await all_jobs(store)
    for refused in (store.ping, partial(store.create_job, FLOW.name, begin()), store.close):
        with pytest.raises(StoreLost, match=r"malformed: nothing more is written; docs/operations\.md"):
            await refused()


@pytest.mark.parametrize("act", ["change", "perform"])
async def test_a_file_that_goes_during_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """A file that is removed while a commit is under way: the commit is not confirmed, and its events are not told."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    job = await store.create_job(FLOW.name, begin())
    follower = store.follow_log()

    def then_lose(commit: Callable[..., Any]) -> Callable[..., Any]:
        def committing(*args: Any, **kwargs: Any) -> Any:
            done = commit(*args, **kwargs)
            path.unlink()
            return done

        return committing

    monkeypatch.setattr(writer, "write", then_lose(writer.write))
    monkeypatch.setattr(
        writer, "exclusive_operations", SimpleNamespace(perform=then_lose(exclusive_operations.perform))
    )
    pruning = partial(store.prune_log, keep_newest=0, older_than=job.stime, at_most=10)
    with pytest.raises(StoreLost, match=f"{path}, which the service was using, is gone"):
        await (store.change_job(job.id, move("RUN")) if act == "change" else pruning())
    bounds = await store.log_bounds()
    assert (bounds.oldest, bounds.head) == (1, 2)
    with pytest.raises(StoreLost):
        await store.close()
    assert [events async for events in follower] == []


async def test_a_missing_file_is_not_made_again(tmp_path: Path) -> None:
    """After a failure the writer opens the file anew; where that is gone by then, it makes no other one."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    monitored = sqlite_of(store)._connections.file_guard.require
    sqlite_of(store)._connections.file_guard.require = lambda: None  # type: ignore[method-assign] # as if it went right after the look
    await sqlite_of(store)._writer.close()
    path.unlink()
    with pytest.raises(StoreUnavailable, match="unable to open"):
        await store.create_job(FLOW.name, begin())
    assert not path.exists()
    sqlite_of(store)._connections.file_guard.require = monitored  # type: ignore[method-assign] # see above
    with pytest.raises(StoreLost):
        await store.close()


async def test_a_file_that_is_replaced_during_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that takes the place of the one that was claimed is not served."""
    path = tmp_path / "wfx.db"
    await (await opened(path)).close()
    claim = opening._claim

    def then_replace(claimed: Path, sealing: Sealing | None, *, may_create: bool) -> int:
        descriptor = claim(claimed, sealing, may_create=may_create)
        path.with_name("copy").write_bytes(path.read_bytes())
        path.with_name("copy").rename(path)
        return descriptor

    monkeypatch.setattr(opening, "_claim", then_replace)
    with pytest.raises(StoreUnusable, match="another file has taken the place of"):
        await open_store("sqlite", str(path))


async def test_a_file_system_that_becomes_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that the kernel has made read-only, as it does after errors, counts as down."""
    store = await opened(tmp_path / "wfx.db")
    await store.ping()
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(StoreLost, match="has become read-only"):
        await store.ping()
    monkeypatch.undo()
    await store.ping()
    await store.close()


async def test_other_connections_keep_the_log(tmp_path: Path) -> None:
    """A writer that starts afresh finds the same log: it is not made anew, which would look like a loss."""
    path = tmp_path / "wfx.db"
    store = await opened(path)
    log = path.with_name("wfx.db-wal").stat().st_ino
    await sqlite_of(store)._writer.close()
    await store.create_job(FLOW.name, begin())
    assert path.with_name("wfx.db-wal").stat().st_ino == log
    assert len(await all_jobs(store)) == 1
    await store.close()


async def test_a_store_in_memory_has_no_files() -> None:
    """A store in memory cannot lose files."""
    store = await open_store("sqlite", ":memory:")
    await store.create_workflow(FLOW)
    await store.ping()
    await asyncio.wait_for(store.close(), 10)
