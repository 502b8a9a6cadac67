"""Full disks, failing disks, and what is left of a database when the power goes."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, all_jobs, begin, job_log, move, together, whole_log
from tests.store.sqlite.audit import Ledger, audit, live
from tests.store.sqlite.disk import Disk, Operation, put_under
from wfx.domain.errors import StoreFull, StoreUnavailable, StoreUnusable, WfxError
from wfx.domain.job import Job
from wfx.store.batching_store import BatchingStore
from wfx.store.opening import open_store
from wfx.store.sqlite import batch_sql
from wfx.store.sqlite.connection import inside


class Trouble:
    """Lets the Nth operation fail, once or from then on until it is healed."""

    def __init__(self, at: int, error: Callable[[], Exception], *, lasting: bool) -> None:
        """Count from 1; 0 stands for no trouble."""
        self.at = at
        self.error = error
        self.lasting = lasting
        self.seen = 0
        self.healed = False

    def __call__(self, operation: Operation) -> None:
        """Count, and fail if it is time."""
        self.seen += 1
        due = self.seen >= self.at if self.lasting else self.seen == self.at
        if self.at and due and not self.healed and operation.kind != "delete":
            raise self.error()


@pytest.fixture(autouse=True)
def _a_history_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_sql, "_ENTRIES", 1)


KINDS = {
    "one error": (apsw.IOError, False),
    "errors until healed": (apsw.IOError, True),
    "full until healed": (apsw.FullError, True),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_any_operation_of_the_disk_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Rows 2 and 3: whichever write, sync or truncation fails: what was acknowledged is there, what was refused is not.

    And writing works at once when the trouble is over. ``make soak`` lets each operation fail.
    """
    error, lasting = KINDS[kind]
    total = (await live_through(tmp_path / "fine", monkeypatch, Trouble(0, error, lasting=False))).seen
    for at in operations(total):
        await live_through(tmp_path / str(at), monkeypatch, Trouble(at, error, lasting=lasting))


def operations(total: int) -> range:
    """Return which operations shall fail: each day others, within eleven days all, or all with WFX_TEST_ALL_FAULTS."""
    if os.environ.get("WFX_TEST_ALL_FAULTS"):
        return range(1, total + 1)
    return range(1 + date.today().toordinal() % 11, total + 1, 11)  # noqa: DTZ011 - any day will do


async def live_through(folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: Trouble) -> Trouble:
    """Use a store on a disk with this trouble, and audit what is left."""
    path, ledger = folder / "wfx.db", Ledger()
    folder.mkdir()  # noqa: ASYNC240 - takes no time
    with monkeypatch.context() as patch:
        put_under(patch, Disk(trouble))
        with suppress(StoreUnusable):
            store = await open_store("sqlite", str(path))
            try:
                await live(store, ledger, rounds=3)
                trouble.healed = True
                with suppress(WfxError):
                    await store.create_workflow(FLOW)
                assert await ledger.note(store.create_job(FLOW.name, begin()))
            finally:
                await store.close()
    assert await audit(path, ledger) == {}
    assert await versions_in(path) == ledger.versions
    return trouble


async def versions_in(path: Path) -> dict[str, int]:
    """Return the jobs in a file and their versions."""
    store = await open_store("sqlite", str(path))
    try:
        return {job.id: job.version for job in await all_jobs(store)}
    finally:
        await store.close()


class Recording:
    """All that was asked of the disk, and what had been acknowledged before each operation."""

    def __init__(self, ledger: Ledger) -> None:
        """Watch the ledger."""
        self.ledger = ledger
        self.operations: list[tuple[Operation, Ledger]] = []

    def __call__(self, operation: Operation) -> None:
        """Write it down."""
        self.operations.append((operation, self.ledger.copy()))

    def cuts(self, chance: random.Random, every: int) -> Iterator[tuple[dict[str, bytes], Ledger]]:
        """Yield what may be on the disk if the power goes before an operation, and what was acknowledged until then."""
        synced: dict[str, bytearray] = defaultdict(bytearray)
        pending: dict[str, list[Operation]] = defaultdict(list)
        for number, (operation, ledger) in enumerate(self.operations):
            if number % every == 0:
                yield {name: _survives(synced[name], pending[name], chance) for name in {*synced, *pending}}, ledger
            if operation.kind == "sync":
                for late in pending.pop(operation.file, ()):
                    _apply(synced[operation.file], late)
            elif operation.kind == "delete":
                synced.pop(operation.file, None)
                pending.pop(operation.file, None)
            elif operation.kind != "open":
                pending[operation.file].append(operation)


def _survives(synced: bytearray, pending: list[Operation], chance: random.Random) -> bytes:
    """Apply some of what was not synced: all of a write, none of it, or some of its sectors."""
    image = bytearray(synced)
    for operation in pending:
        for start in range(0, max(len(operation.data), 1), 512):
            if chance.random() < 0.6:
                _apply(
                    image, operation._replace(offset=operation.offset + start, data=operation.data[start : start + 512])
                )
    return bytes(image)


def _apply(image: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del image[operation.offset :]
    else:
        image.extend(bytes(max(0, operation.offset - len(image))))
        image[operation.offset : operation.offset + len(operation.data)] = operation.data


async def losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str, every: int) -> tuple[int, int]:
    """Cut the power at many points; return how many were tried, and how many lost something acknowledged."""
    (tmp_path / "live").mkdir()
    ledger = Ledger()
    recording = Recording(ledger)
    with monkeypatch.context() as patch:
        put_under(patch, Disk(recording))
        store = await open_store("sqlite", f"file:{tmp_path}/live/wfx.db?_sync={synchronous}")
        await live(store, ledger, rounds=4)
        await store.close()
    tried = lost = 0
    for number, (files, acknowledged) in enumerate(recording.cuts(random.Random(7), every)):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        for name, content in files.items():
            (folder / Path(name).name).write_bytes(content)
        tried += 1
        lost += bool(await audit(folder / "wfx.db", acknowledged))
    return tried, lost


async def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 4: whenever the power goes, with some unsynced sectors on the disk, every acknowledged change is there."""
    tried, lost = await losses(tmp_path, monkeypatch, "FULL", 5)
    assert tried > 50
    assert lost == 0


async def test_a_weaker_sync_does_lose_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 4: with _sync=NORMAL power cuts lose acknowledged changes, as is warned, but leave a sound database."""
    tried, lost = await losses(tmp_path, monkeypatch, "NORMAL", 9)
    assert tried > 20
    assert lost > 0


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[BatchingStore]:
    """A store whose file may not grow much."""
    store = await open_store("sqlite", str(tmp_path / "wfx.db"))
    assert isinstance(store, BatchingStore)
    await store.create_workflow(FLOW)
    await limit(store, 100)
    yield store
    await store.close()


async def limit(store: BatchingStore, pages: int) -> None:
    """Bound the size of the file."""
    connection = sqlite_of(store)._writer._connection
    assert connection is not None
    await inside(connection, lambda plain: plain.execute(f"PRAGMA max_page_count = {pages}").fetchall())


async def test_a_full_disk_refuses_writes_and_serves_reads(small: BatchingStore) -> None:
    """Row 1: when no room is left, writers are told so, readers are served, and writing goes on once there is room."""
    follower = small.follow_log()
    created: list[Job] = []
    while True:
        answers = await together(*(small.create_job(FLOW.name, begin(definition={"x": "y" * 5000})) for _ in range(8)))
        if not all(isinstance(answer, Job) for answer in answers):
            break
        created += answers
    assert {type(answer) for answer in answers} == {StoreFull}
    assert len({id(answer) for answer in answers}) == 8
    await small.ping()
    assert await all_jobs(small) == tuple(created)
    assert await small.get_job(created[0].id) == created[0]
    with pytest.raises(StoreFull, match="full"):
        await small.create_job(FLOW.name, begin(definition={"x": "y" * 50_000}))
    await limit(small, 100_000)
    created.append(await small.create_job(FLOW.name, begin(definition={"x": "y" * 50_000})))
    events = await job_log(small)
    assert [event.job_id for event in events] == [job.id for job in created]
    followed = [event for _ in range(len(created) // 8 + 1) for event in await anext(follower)]
    assert followed == events


async def test_a_file_size_limit_fails_writes_and_lifting_it_mends_them(tmp_path: Path) -> None:
    """Row 1: a limit on the size of files makes writes fail, loses nothing, and writing goes on when it is lifted."""
    script = Path(__file__).with_name("limited.py")
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(script), str(tmp_path / "wfx.db")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["StoreUnavailable", "read", "written"]


async def test_a_writer_starts_afresh_after_a_failure(tmp_path: Path) -> None:
    """Row 3: after an error of the disk the next batch runs on a new connection, and the log goes on without a gap."""
    store = await open_store("sqlite", str(tmp_path / "wfx.db"))
    assert isinstance(store, BatchingStore)
    await store.create_workflow(FLOW)
    job = await store.create_job(FLOW.name, begin())
    follower = store.follow_log()
    broken = sqlite_of(store)._writer._connection
    assert broken is not None
    await inside(broken, lambda plain: plain.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreUnavailable, match="readonly"):
        await store.change_job(job.id, move("RUN"))
    changed = await store.change_job(job.id, move("RUN"))
    assert changed.version == 2
    assert sqlite_of(store)._writer._connection is not broken
    assert [event.seq for event in await anext(follower)] == [3]
    await store.close()


async def test_a_commit_that_was_durable_before_it_failed_reaches_followers(
    small: BatchingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on the disk although its commit was reported as failed is seen by who follows the log."""
    job = await small.create_job(FLOW.name, begin())
    follower = small.follow_log()
    with monkeypatch.context() as patch:

        def fail() -> None:
            raise StoreUnavailable("the disk failed after it had written")

        patch.setattr(
            sqlite_of(small)._writer, "_file_guard", SimpleNamespace(before_commit=lambda: None, after_commit=fail)
        )
        with pytest.raises(StoreUnavailable, match="after it had written"):
            await small.change_job(job.id, move("RUN"))
    await small.create_job(FLOW.name, begin())
    followed: list[int] = []
    async with asyncio.timeout(20):
        while len(followed) < 2:
            followed += [event.seq for event in await anext(follower)]
    assert followed == [3, 4]
    assert [event.seq for event in await whole_log(small)] == [1, 2, 3, 4]
