"""Retention of jobs where several servers share a database."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from pathlib import Path

from tests.store.postgres.retention_process import later
from tests.store.samples import FLOW, all_jobs, begin, job_log, move, together
from tests.tuned import tuned
from tests.waiting import DEADLINE
from wfx.domain.job import Action
from wfx.domain.workflow import Actor
from wfx.service.job_retention import JobRetention
from wfx.store.opening import open_store
from wfx.store.postgres.connections import Plain

_PROGRAM = Path(__file__).with_name("retention_process.py")
OLD = 250


async def test_a_server_takes_over_from_one_that_was_killed(option: str, plain: Plain) -> None:
    """After kill -9 of the server that deletes old jobs nobody does until its lease ends; then another one goes on.

    Each old job is deleted once, with one event, and no other job is.
    """
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    jobs = await together(*(store.create_job(FLOW.name, begin(f"c{n}")) for n in range(OLD + 3)))
    await together(*(store.change_job(job.id, move("LOST", actor=Actor.WFX)) for job in jobs[:OLD]))
    survivor = JobRetention(store, tuned(jobs_closed_max_age=("1d",)), pause=0, now=later)

    process = await asyncio.create_subprocess_exec(sys.executable, str(_PROGRAM), option, stdout=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        deleted = sum([int(await process.stdout.readline()) for _ in range(2)])
    assert 0 < deleted < OLD
    assert await survivor.delete_old_jobs() == 0
    process.kill()
    await process.wait()
    assert await survivor.delete_old_jobs() == 0
    ends = "UPDATE lease SET until = until - $1::bigint WHERE name = 'job-retention' AND epoch = 1 RETURNING holder"
    assert await plain.fetchval(ends, 180_000_000), "as if three minutes had passed"
    assert await survivor.delete_old_jobs() == OLD - deleted
    assert await plain.fetchval("SELECT epoch FROM lease WHERE name = 'job-retention'") == 2

    deletions = Counter(event.job_id for event in await job_log(store) if event.action is Action.DELETE)
    assert deletions == {job.id: 1 for job in jobs[:OLD]}
    assert {job.id for job in await all_jobs(store)} == {job.id for job in jobs[OLD:]}
    await store.close()
