"""Jobs that another server changes between a decision and its commit: decided on again, as they are then."""

from __future__ import annotations

from collections.abc import Collection

from tests.store.samples import FLOW, all_jobs, begin, job_log, move, redefine, together, whole_log
from wfx.domain.errors import WfxError
from wfx.domain.json import Json, decode
from wfx.store.backend import Applied
from wfx.store.batching_store import BatchingStore
from wfx.store.memory import MemoryBackend
from wfx.store.opening import system_clock
from wfx.store.operations import ChangeJob, CreateJob, TakeStep
from wfx.store.plan import Plan
from wfx.store.protocol import Consumer


class SharedBackend(MemoryBackend):
    """A backend that another server writes to, too: once it has changed some jobs before the batch was written."""

    stale: Collection[str] = ()

    async def apply(self, plan: Plan, step: TakeStep | None = None) -> Applied:
        """Apply what the plan says of other jobs; nothing of a step that has one of these."""
        stale, self.stale = self.stale, ()
        for job_id in stale:
            loaded = plan._jobs.pop(job_id).loaded
            loaded.job = loaded.job._replace(tags=Json(b'["theirs"]'), version=loaded.job.version + 1)
        if step is not None and stale:
            return Applied(0, stale)
        events = plan.events
        plan.events = [event for event in events if event.job_id not in stale]
        applied = await super().apply(plan, step)
        plan.events = events
        return Applied(applied.first_seq, stale)


async def test_stale_jobs_are_decided_on_again() -> None:
    """What another server did first stays, each operation happens once, in order, and the events have no gaps."""
    backend = SharedBackend()
    store = await BatchingStore.open(backend, system_clock)
    await store.create_workflow(FLOW)
    job, other = await together(store.create_job(FLOW.name, begin()), store.create_job(FLOW.name, begin()))
    follower = store.follow_log()
    backend.stale = {job.id}
    moved, elsewhere, redefined, refused = await together(
        store.change_job(job.id, move("RUN")),
        store.change_job(other.id, move("RUN")),
        store.change_job(job.id, redefine({"n": 1})),
        store.change_job(job.id, move("NEW")),
    )
    assert isinstance(refused, WfxError)
    assert (moved.version, elsewhere.version, redefined.version) == (3, 2, 4)
    found = await store.get_job(job.id)
    assert (found, decode(found.tags), found.state) == (redefined, ["theirs"], "RUN")
    events = await whole_log(store)
    assert [event.seq for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event.job_id for event in events[3:]] == [other.id, job.id, job.id]
    assert [list(await anext(follower)), list(await anext(follower))] == [events[3:4], events[4:]]
    await store.close()


async def test_a_step_with_a_stale_job_is_taken_as_a_whole() -> None:
    """A step one of whose jobs another server changed first is decided on again as a whole, and taken once."""
    backend = SharedBackend()
    store = await BatchingStore.open(backend, system_clock)
    await store.create_workflow(FLOW)
    await store.consumer("a")
    job = await store.create_job(FLOW.name, begin())
    backend.stale = {job.id}
    moved, created = await store.step(
        "a", 1, 0, 2, [ChangeJob(job.id, move("RUN")), CreateJob(FLOW.name, begin("other"))]
    )
    assert (moved.version, decode(moved.tags), created.client_id) == (3, ["theirs"], "other")
    assert await all_jobs(store) == (moved, created)
    assert [event.job_id for event in await job_log(store)] == [job.id, job.id, created.id]
    assert await store.consumers() == [Consumer("a", 2, 1, 0)]
    await store.close()
