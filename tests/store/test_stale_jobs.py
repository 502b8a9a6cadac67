"""Jobs that another server changes between a decision and its commit: decided on again, as they are then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tests.store.samples import FLOW, begin, move, redefine, together, whole_log
from wfx.domain.errors import WfxError
from wfx.domain.json import Json, decode
from wfx.store.backend import Applied
from wfx.store.batching_store import BatchingStore
from wfx.store.memory import MemoryBackend
from wfx.store.opening import system_clock
from wfx.store.plan import Plan


class SharedBackend(MemoryBackend):
    """A backend that another server writes to, too: once it has changed some jobs before the batch was written."""

    stale: Collection[str] = ()

    async def apply(self, plan: Plan) -> Applied:
        """Apply what the plan says of other jobs."""
        stale, self.stale = self.stale, ()
        for job_id in stale:
            loaded = plan._jobs.pop(job_id).loaded
            loaded.job = replace(loaded.job, tags=Json(b'["theirs"]'), version=loaded.job.version + 1)
        events = plan.events
        plan.events = [event for event in events if event.job_id not in stale]
        applied = await super().apply(plan)
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
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.job_id for event in events[2:]] == [other.id, job.id, job.id]
    assert [list(await anext(follower)), list(await anext(follower))] == [events[2:3], events[3:]]
    await store.close()
