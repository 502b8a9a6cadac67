"""Nobody is told of the past: what is read after a change was answered shows that change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from tests.store.backends import Backend
from tests.store.samples import begin, move, tag
from wfx.domain.errors import JobNotFound, WfxError
from wfx.domain.query import JobQuery, Page
from wfx.domain.workflow import Workflow
from wfx.store.protocol import Store

ROUNDS = 60
READERS = 4


async def _while_reading(read: Callable[[], Coroutine[Any, Any, Any]], act: Callable[[], Any]) -> None:
    """Do something while others read the same thing again and again, at whatever moment."""
    going = True

    async def keep_reading() -> None:
        while going:
            with suppress(WfxError):
                await read()
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(READERS):
            group.create_task(keep_reading())
        await act()
        going = False


async def test_who_changed_a_job_reads_the_change(store: Store, flow: Workflow) -> None:
    """However many read a job meanwhile, after each change it is read as that change left it."""
    job = await store.create_job(flow.name, begin())

    async def change() -> None:
        for number in range(ROUNDS):
            changed = await store.change_job(job.id, move("RUN", message=str(number)))
            assert await store.get_job(job.id) == changed

    await _while_reading(lambda: store.get_job(job.id), change)


async def test_a_device_sees_its_new_jobs_and_no_deleted_ones(store: Store, flow: Workflow) -> None:
    """A device's poll shows a job from its creation to its deletion, whoever polls meanwhile."""
    query = JobQuery(client_id="press-7", groups=("OPEN",))

    async def come_and_go() -> None:
        for _ in range(ROUNDS):
            job = await store.create_job(flow.name, begin())
            assert (await store.query_jobs(query)).items == (job,)
            changed = await store.change_job(job.id, tag("x"))
            assert (await store.query_jobs(query)).items == (changed,)
            await store.delete_job(job.id)
            assert await store.query_jobs(query) == Page(())

    await _while_reading(lambda: store.query_jobs(query), come_and_go)


async def test_a_deleted_job_is_not_found(store: Store, flow: Workflow) -> None:
    """After a deletion was answered nobody reads the job, although it was read all the time before."""

    async def delete() -> None:
        for _ in range(ROUNDS):
            job = await store.create_job(flow.name, begin())
            reading = [asyncio.create_task(store.get_job(job.id)) for _ in range(READERS)]
            await store.delete_job(job.id)
            await asyncio.wait(reading)
            for task in reading:
                task.exception()
            with pytest.raises(JobNotFound):
                await store.get_job(job.id)

    await _while_reading(lambda: store.query_jobs(JobQuery(client_id="press-7")), delete)


async def test_what_was_read_is_read_again_after_a_restart(store: Store, flow: Workflow, backend: Backend) -> None:
    """What a change left is what a second read shows, from memory or not."""
    jobs = [await store.create_job(flow.name, begin(f"c{n}", definition={"n": n})) for n in range(5)]
    first = [await store.get_job(job.id) for job in jobs]
    again = [await store.get_job(job.id) for job in jobs]
    assert first == again == jobs, backend.name
