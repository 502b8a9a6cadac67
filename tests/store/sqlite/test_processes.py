"""Several processes, and processes that are killed."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.store.samples import FLOW, all_jobs, begin, move, together, whole_log
from tests.store.sqlite.audit import Ledger, assert_sound, audit
from tests.store.sqlite.roll_up import NAME, roll_up, unequal
from wfx.domain.errors import StoreUnusable
from wfx.store.opening import open_store
from wfx.store.protocol import Consumer
from wfx.store.sqlite.backup import back_up

_PROGRAM = Path(__file__).with_name("writing_process.py")


async def start(path: Path, acts: int) -> Process:
    """Start a process that writes to the file."""
    return await asyncio.create_subprocess_exec(
        sys.executable, str(_PROGRAM), str(path), str(acts), stdout=PIPE, stderr=PIPE
    )


def enter(ledger: Ledger, line: bytes) -> None:
    """Write down what a process says."""
    match line.decode().split():
        case ["job", version, job_id]:
            ledger.versions[job_id] = max(int(version), ledger.versions.get(job_id, 0))
        case ["gone", job_id]:
            del ledger.versions[job_id]
            ledger.deleted.add(job_id)
        case _:
            raise AssertionError(line)


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    """Row 5: a server with many writers is killed again and again; what it acknowledged is there, whole, in order.

    And what two consumers of one name were to do for each event was done once.
    """
    path, ledger, chance = tmp_path / "wfx.db", Ledger(), random.Random(5)
    for _ in range(5):
        process = await start(path, 0)
        assert process.stdout is not None
        for _ in range(chance.randrange(20, 900)):
            enter(ledger, await asyncio.wait_for(process.stdout.readuntil(b"\n"), 30))
        process.kill()
        rest = await process.stdout.read()
        await process.wait()
        for line in rest.splitlines(keepends=True):
            if line.endswith(b"\n"):
                enter(ledger, line)
        # Deletions that were under way may have happened without having been acknowledged.
        lost = await audit(path, ledger)
        assert all(version == 0 for version in (await gone(path, lost)).values())
        for job_id in lost:
            del ledger.versions[job_id]
    assert len(ledger.versions) > 50
    store = await open_store("sqlite", str(path))
    assert (await store.consumer(NAME)).steps > 5, "there were steps before each end"
    await roll_up(store, to_the_head=True)
    log = await whole_log(store)
    assert log[0].client_id != NAME
    assert unequal(log, upto=len(log)) == []
    await store.close()
    assert_sound(path)


async def gone(path: Path, jobs: dict[str, int]) -> dict[str, int]:
    """Return 0 for those of the jobs whose deletion is on the log, else the version that was lost."""
    store = await open_store("sqlite", str(path))
    deleted = {event.job_id for event in await whole_log(store) if event.action == "DELETE"}
    await store.close()
    return {job_id: 0 if job_id in deleted else version for job_id, version in jobs.items()}


async def test_of_two_servers_on_one_file_one_is_refused(tmp_path: Path) -> None:
    """Rows 7 and 9: of two servers started together on a file, one works, the other says who is in its way."""
    path = tmp_path / "wfx.db"
    processes = [await start(path, 60) for _ in range(2)]
    outputs = [(await asyncio.wait_for(process.communicate(), 60)) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    lines = [output.splitlines() for output, _ in outputs]
    refused, worked = sorted(lines, key=len)
    if refused[0].startswith(b"refused"):
        sentence = f"the database file {path} is in use by another server; stop that one first"
        assert refused == [f"refused {sentence}".encode()]
    else:
        # The first had ended before the second began: then both did their work.
        assert len(refused) > 100
        worked = [*refused, *worked]
    ledger = Ledger()
    for line in worked:
        enter(ledger, line)
    assert await audit(path, ledger) == {}


async def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    """Row 9: after a server was killed its file can be used at once."""
    path = tmp_path / "wfx.db"
    process = await start(path, 0)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readuntil(b"\n"), 30)
    with pytest.raises(StoreUnusable, match="in use by another server"):
        await open_store("sqlite", str(path))
    process.kill()
    await process.communicate()
    await (await open_store("sqlite", str(path))).close()


async def test_a_backup_under_load_is_whole_and_has_its_own_log_id(tmp_path: Path) -> None:
    """Row 11: a copy made while many write is consistent, starts, and is told apart from the original's log."""
    source, target = tmp_path / "wfx.db", tmp_path / "backup.db"
    store = await open_store("sqlite", str(source))
    await store.create_workflow(FLOW)
    await store.consumer("reader")
    jobs = await together(*(store.create_job(FLOW.name, begin()) for _ in range(200)))
    await store.step("reader", 1, 0, 151, [])
    copying = asyncio.create_task(asyncio.to_thread(back_up, source, target))
    while not copying.done():
        await together(*(store.change_job(job.id, move("NEW")) for job in jobs))
    await copying
    log_id, head = (bounds := await store.log_bounds()).log_id, bounds.head
    await store.close()
    assert await audit(target, Ledger({job.id: 1 for job in jobs})) == {}
    copy = await open_store("sqlite", str(target))
    bounds = await copy.log_bounds()
    assert bounds.log_id != log_id
    assert 200 <= bounds.head <= head
    assert len(await all_jobs(copy)) == 200
    assert await copy.consumers() == [Consumer("reader", 151, 1, 0)]
    await copy.close()


async def test_a_backup_is_refused_where_it_would_do_harm(tmp_path: Path) -> None:
    """Row 11: an existing file is not overwritten, and only databases of this program are copied."""
    source = tmp_path / "wfx.db"
    await (await open_store("sqlite", str(source))).close()
    (tmp_path / "there").write_text("precious")
    (tmp_path / "text").write_text("no database at all, but long enough to look at")
    shutil.copy(source, tmp_path / "empty.db")
    (tmp_path / "empty.db").write_bytes(b"")
    for origin, target, reason in (
        (source, tmp_path / "there", "File exists"),
        (source, tmp_path / "nowhere" / "copy.db", "No such file"),
        (tmp_path / "missing", tmp_path / "a", "there is no database file"),
        (tmp_path / "text", tmp_path / "b", "not a database"),
        (tmp_path / "empty.db", tmp_path / "c", "nothing was ever stored"),
    ):
        with pytest.raises(StoreUnusable, match=reason):
            back_up(origin, target)
    assert (tmp_path / "there").read_text() == "precious"
    assert not any((tmp_path / name).exists() for name in "abc")
