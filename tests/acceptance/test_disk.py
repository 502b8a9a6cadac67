"""A disk that fills up or fails under the running service: what the clients are told, and what is there afterwards."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
from functools import partial
from pathlib import Path

import httpx
import pytest
from waiting import eventually

from tests.acceptance.clients import BASE, read_log
from tests.acceptance.disks import FaultySystem, remount, small_disk
from tests.acceptance.load import Load
from tests.store.sqlite.audit import assert_sound
from wfx.demo.local import LocalService
from wfx.store.sqlite.backup import back_up

SEED = 1 if "CI" in os.environ else random.randrange(10**9)


async def reads_go_on(service: LocalService) -> None:
    """Whatever is with writing, jobs are shown, and the service is healthy."""
    async with httpx.AsyncClient(base_url=service.south, trust_env=False, timeout=30) as client:
        jobs = await client.get(f"{BASE}/jobs?pagination=true")
        assert jobs.status_code == 200
        assert len(jobs.json()["content"]) == min(jobs.json()["pagination"]["total"], 10) > 0
        assert (await client.get(f"{BASE}/jobs/{jobs.json()['content'][0]['id']}")).status_code == 200
        assert (await client.get("/health")).status_code == 200


def tells_of_it(service: LocalService) -> bool:
    """Whether the log tells that the disk is full."""
    return any("changes are refused: the database is full" in line for line in service.lines)


async def test_a_full_disk(tmp_path: Path) -> None:
    """Row 1: on a full disk all changes are answered 507, as the log tells, and reads go on; with room, changes do."""
    with small_disk(tmp_path, "1m"), LocalService(tmp_path) as service:
        load = Load(service, SEED)
        async with load.running():
            await load.trouble(200)
            assert set(load.recorder.troubles) == {507}
            await asyncio.to_thread(eventually, partial(tells_of_it, service), "the log tells")
            await reads_go_on(service)
            remount(tmp_path, "size=32m")
            await load.more()
        assert service.stop() == 0
        assert_sound(tmp_path / "wfx.db")


async def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """Row 1: where files may not grow, changes are answered 503, and reads and streams go on; then changes do too."""
    with LocalService(tmp_path) as service:
        assert service.process is not None
        load = Load(service, SEED)
        async with load.running():
            await load.more()
            _, hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
            await load.trouble(200)
            await reads_go_on(service)
            resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
            await load.more()


@pytest.mark.parametrize("calls", ["posix/io/sync/*", "posix/io/rw/pwrite*"])
async def test_a_failing_disk(tmp_path: Path, calls: str) -> None:
    """Rows 2 and 3: when syncs or writes fail at random, no confirmed change is lost, and the service goes on.

    Nor is one lost when the service is killed in the midst of it.
    """
    system = FaultySystem(tmp_path)
    with LocalService(tmp_path, environment=system.environment) as service:
        load = Load(service, SEED)
        async with load.running():
            await load.more()
            system.order(service, f"enable_random name={calls},probability=0.1")
            await load.trouble()
            system.order(service, f"disable name={calls}")
            await load.more()
            system.order(service, f"enable_random name={calls},probability=0.1")
            await load.trouble()
            assert load.recorder.troubles[503]
            assert await asyncio.to_thread(service.stop, signal.SIGKILL) == -signal.SIGKILL
            await asyncio.to_thread(service.start)
            await load.more()


async def test_a_backup_under_load(tmp_path: Path) -> None:
    """Row 11: a copy that is made while eight clients write is sound, and has all that was confirmed before."""
    with LocalService(tmp_path) as service:
        load = Load(service, SEED)
        async with load.running():
            await load.more(300)
            confirmed = load.recorder.acknowledged
            await asyncio.to_thread(back_up, tmp_path / "wfx.db", tmp_path / "copy.db")
            await load.more(10)
    assert_sound(tmp_path / "copy.db")
    (tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "restored" / "wfx.db")
    with LocalService(tmp_path / "restored") as restored:
        assert len(await read_log(restored.north)) >= confirmed
