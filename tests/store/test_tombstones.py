"""Tombstones: what a store keeps of deleted jobs for their devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import FLOW, all_jobs, begin, move, redefine, together
from wfx.domain.errors import JobNotFound
from wfx.domain.finished import MOST_TOMBSTONES
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.protocol import Store

SECOND = 1_000_000
EVER = Timestamp(0)


async def buried(store: Store, *steps: str) -> Job:
    """Create a job, take these steps, and delete it."""
    job = await store.create_job("demo.flow", begin(definition={"v": 1}, tags=["t"]))
    for step in steps:
        job = await store.change_job(job.id, move(step, message=step))
    await store.delete_job(job.id)
    return job


async def test_a_finished_job_keeps_its_state(store: Store, flow: Workflow, clock: SetClock) -> None:
    """The tombstone of a job that was done says that it is done, and when it was deleted."""
    job = await store.create_job("demo.flow", begin(definition={"v": 1}, tags=["t"]))
    for step in ("RUN", "DONE"):
        job = await store.change_job(job.id, move(step))
    clock.now += 60 * SECOND
    await store.delete_job(job.id)
    found = await store.get_tombstone(job.id, EVER)
    assert (found.id, found.client_id, found.workflow, found.state) == (job.id, "press-7", flow, "DONE")
    assert (found.stime, found.mtime, found.tags) == (job.stime, NOON + 60 * SECOND, b"[]")
    assert (found.definition, found.definition_hash) == (b'{"v":1}', job.definition_hash)
    assert decode(found.status) == {
        "clientId": "press-7", "definitionHash": job.definition_hash, "message": "the job was deleted", "state": "DONE",
    }  # fmt: skip


@pytest.mark.usefixtures("flow")
async def test_a_job_that_was_not_finished_ends(store: Store) -> None:
    """The tombstone of a job that was under way is in the first state of the group CLOSED where none is FAILED."""
    job = await buried(store, "RUN")
    assert (await store.get_tombstone(job.id, EVER)).state == "DONE"


@pytest.mark.usefixtures("flow")
async def test_nobody_else_sees_it(store: Store) -> None:
    """A deleted job with a tombstone is in no list, and cannot be read, changed or deleted."""
    job = await buried(store)
    assert await all_jobs(store) == ()
    for act in (store.get_job(job.id), store.get_history(job.id, 1), store.delete_job(job.id),
                store.change_job(job.id, move("RUN"))):  # fmt: skip
        with pytest.raises(JobNotFound):
            await act
    await store.delete_workflow("demo.flow")


@pytest.mark.usefixtures("flow")
async def test_what_changes_and_goes_together(store: Store) -> None:
    """Changes and the deletion of a job that are written together leave the tombstone of the job as it was last."""
    job = await store.create_job("demo.flow", begin())
    await together(
        store.change_job(job.id, move("RUN")),
        store.change_job(job.id, redefine({"n": 2})),
        store.change_job(job.id, move("DONE")),
        store.delete_job(job.id),
    )
    found = await store.get_tombstone(job.id, EVER)
    assert (found.state, found.definition) == ("DONE", b'{"n":2}')
    assert decode(found.status)["definitionHash"] == found.definition_hash != job.definition_hash


@pytest.mark.usefixtures("flow")
async def test_a_large_definition_is_left_out(store: Store) -> None:
    """A tombstone has the hash of a large definition, and not the definition."""
    job = await store.create_job("demo.flow", begin(definition={"v": "x" * 5000}))
    await store.delete_job(job.id)
    found = await store.get_tombstone(job.id, EVER)
    assert (found.definition, found.definition_hash) == (None, job.definition_hash)


@pytest.mark.usefixtures("flow")
async def test_its_time_ends(store: Store, clock: SetClock) -> None:
    """A tombstone from before the time that is asked for is not shown, and goes when that is to be dropped."""
    old = await buried(store)
    clock.now += SECOND
    young = await buried(store)
    assert (await store.get_tombstone(old.id, Timestamp(NOON))).id == old.id
    with pytest.raises(JobNotFound):
        await store.get_tombstone(old.id, Timestamp(NOON + SECOND))
    assert await store.drop_tombstones(Timestamp(NOON + SECOND), 10) == 1
    with pytest.raises(JobNotFound):
        await store.get_tombstone(old.id, EVER)
    assert (await store.get_tombstone(young.id, EVER)).id == young.id
    assert await store.drop_tombstones(Timestamp(NOON + SECOND), 10) == 0


@pytest.mark.usefixtures("flow")
async def test_they_are_dropped_in_pieces(store: Store) -> None:
    """No more tombstones are dropped at once than are asked for, the oldest first."""
    jobs = [await buried(store) for _ in range(5)]
    later = Timestamp(NOON + SECOND)
    assert [await store.drop_tombstones(later, 2) for _ in range(3)] == [2, 2, 1]
    assert MOST_TOMBSTONES == 100_000
    with pytest.raises(JobNotFound):
        await store.get_tombstone(jobs[-1].id, EVER)


async def test_a_workflow_goes_without_regard_to_them(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A workflow whose jobs were deleted can be deleted; their tombstones show it as long as the log knows it."""
    async with lasting.open(tmp_path, clock) as store:
        flow = await store.create_workflow(FLOW)
        job = await buried(store)
        await store.delete_workflow("demo.flow")
        assert (await store.get_tombstone(job.id, EVER)).workflow == flow
        await store.prune_log(keep_newest=0, older_than=EVER, at_most=100)
    async with lasting.open(tmp_path, clock) as store:
        with pytest.raises(JobNotFound):
            await store.get_tombstone(job.id, EVER)


@pytest.mark.parametrize("name", ["none", "a\0b", "\ud800"])
async def test_no_job_no_tombstone(store: Store, name: str) -> None:
    """Nothing is told of a job that there never was."""
    with pytest.raises(JobNotFound):
        await store.get_tombstone(name, EVER)


async def test_a_tombstone_outlives_the_store(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A tombstone is there again after the store was closed and opened."""
    async with lasting.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        job = await buried(store, "RUN", "DONE")
    async with lasting.open(tmp_path, clock) as store:
        assert (await store.get_tombstone(job.id, EVER)).state == "DONE"
