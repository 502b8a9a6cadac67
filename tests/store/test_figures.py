"""Figures that stores tell."""

from __future__ import annotations

from tests.store.backends import Backend
from tests.store.samples import FLOW, begin, move, renamed, together
from wfx.domain.workflow import Actor, Workflow
from wfx.store.figures import DatabaseFigures
from wfx.store.protocol import Store


async def test_counts_of_jobs(store: Store, flow: Workflow) -> None:
    """Jobs are counted by workflow and group, as they are at that moment; states without a group have an empty one."""
    assert dict(await store.count_jobs()) == {}
    await store.create_workflow(renamed("other"))
    await store.create_job("other", begin())
    jobs = await together(*(store.create_job(flow.name, begin()) for _ in range(6)))
    for job in jobs[:3]:
        await store.change_job(job.id, move("RUN"))
    await store.change_job(jobs[0].id, move("DONE"))
    await store.change_job(jobs[5].id, move("LOST", actor=Actor.WFX))
    counted = {(FLOW.name, "OPEN"): 4, (FLOW.name, "CLOSED"): 1, (FLOW.name, ""): 1, ("other", "OPEN"): 1}
    assert dict(await store.count_jobs()) == counted
    await store.delete_job(jobs[1].id)
    assert dict(await store.count_jobs()) == {**counted, (FLOW.name, "OPEN"): 3}


async def test_workflows_of_the_same_name(store: Store, flow: Workflow) -> None:
    """A workflow that was deleted leaves nothing to count when its name comes back."""
    job = await store.create_job(flow.name, begin())
    await store.delete_job(job.id)
    await store.delete_workflow(flow.name)
    await store.create_workflow(FLOW)
    await store.create_job(flow.name, begin())
    assert dict(await store.count_jobs()) == {(FLOW.name, "OPEN"): 1}


async def test_queue_and_database(store: Store, backend: Backend, flow: Workflow) -> None:
    """Nothing waits while nobody writes; sizes are of what there is: nothing in memory, else files with something."""
    await store.create_job(flow.name, begin())
    queue, figures = store.queue(), await store.describe()
    assert queue.waiting == 0 < queue.room
    if backend.name == "memory":
        assert figures == DatabaseFigures(0, {}, {"kind": "memory"})
    else:
        assert figures.details["kind"] == backend.kind
        assert set(figures.bytes) == ({"database", "wal"} if backend.name == "sqlite-file" else {"database"})
        assert all(size > 0 for size in figures.bytes.values())


async def test_caches(store: Store, backend: Backend, flow: Workflow) -> None:
    """Each look-up in a cache is a hit or a miss; a store in memory has no caches, nor one that others change."""
    job = await store.create_job(flow.name, begin())
    before = {each.name: each for each in store.caches()}
    for _ in range(3):
        await store.get_job(job.id)
    after = {each.name: each for each in store.caches()}
    if backend.kind != "sqlite":
        assert after == {}
    else:
        assert (after["jobs"].misses - before["jobs"].misses, after["jobs"].hits - before["jobs"].hits) == (1, 2)
        assert after["jobs"].entries == 1
