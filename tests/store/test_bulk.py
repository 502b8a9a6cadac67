"""The contract of a store, as far as it concerns bulk requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import FLOW, all_jobs, begin, job_log, move, tag, together, untag, whole_log
from tests.store.test_lists import CONDITIONS, fulfils, jobs
from tests.waiting import DEADLINE
from wfx.domain.errors import (
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    JobNotFound,
    TransitionRefused,
    WorkflowNotFound,
)
from wfx.domain.job import Action, Job
from wfx.domain.job_list import JobListQuery
from wfx.domain.json import decode
from wfx.domain.workflow import Workflow
from wfx.store import bulk, job_lists
from wfx.store.batching_store import BatchingStore
from wfx.store.bulk import KEPT, BulkRecord, ItemOutcome, SliceResult
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob
from wfx.store.protocol import Store

__all__ = ["jobs"]  # a fixture
RECORD = BulkRecord("fingerprint", "content\n1", 5)


class Teller:
    """Tells of slices, and remembers what became of their items."""

    def __init__(self) -> None:
        """Begin with no slice."""
        self.outcomes: Sequence[ItemOutcome] = ()

    def __call__(self, outcomes: Sequence[ItemOutcome]) -> SliceResult:
        """Keep the names of errors, and the versions of jobs."""
        self.outcomes = outcomes
        shown = [
            type(each.error).__name__ if each.error else f"{each.after and each.after.version}" for each in outcomes
        ]
        return SliceResult(len(outcomes), sum(each.error is not None for each in outcomes), ",".join(shown))


@pytest.fixture
def tell() -> Teller:
    """What tells of slices."""
    return Teller()


@pytest.mark.parametrize("key", [None, "k"])
async def test_a_slice_does_each_item_or_says_why_not(
    store: Store, flow: Workflow, tell: Teller, key: str | None
) -> None:
    """Items are done in order, each as a single request would be, and one that is refused stops no other."""
    first, second, third = await together(*(store.create_job(flow.name, begin(tags=["a"])) for _ in range(3)))
    if key:
        await store.open_bulk(key, replace(RECORD, total=7))
    result = await store.take_slice(key, 0, [
        [CreateJob(flow.name, begin("new"))], [CreateJob("nowhere", begin())], [ChangeJob(first.id, move("RUN"))],
        [ChangeJob(second.id, move("DONE"))], [ChangeJob("unknown", move("RUN"))], [DeleteJob(third.id)],
    ], tell)  # fmt: skip
    assert result == SliceResult(6, 3, "1,WorkflowNotFound,2,TransitionRefused,JobNotFound,None")
    created, lost, moved, refused, unknown, deleted = tell.outcomes
    assert created.after is not None
    assert await all_jobs(store) == (moved.after, second, created.after)
    assert [each.before for each in tell.outcomes] == [None, None, first, second, None, third]
    assert [type(each.error) for each in (lost, refused, unknown)] == [WorkflowNotFound, TransitionRefused, JobNotFound]
    assert (refused.after, deleted.after, deleted.error) == (None, None, None)
    assert [event.action for event in (await job_log(store))[3:]] == [
        Action.CREATE, Action.UPDATE_STATUS, Action.DELETE,
    ]  # fmt: skip


async def test_an_item_ends_where_it_is_refused(store: Store, flow: Workflow, tell: Teller) -> None:
    """Of several operations on one job those behind a refused one are not done."""
    job = await store.create_job(flow.name, begin(tags=["a"]))
    other = await store.create_job(flow.name, begin(tags=["a"]))
    await store.take_slice(None, 0, [
        [ChangeJob(job.id, untag("a")), ChangeJob(job.id, tag("b"))],
        [ChangeJob(other.id, move("DONE")), ChangeJob(other.id, tag("b"))],
    ], tell)  # fmt: skip
    retagged, untouched = await all_jobs(store)
    assert (decode(retagged.tags), retagged.version, untouched) == (["b"], 3, other)


async def test_followers_get_the_events_of_a_slice(store: Store, flow: Workflow, tell: Teller) -> None:
    """The events of a slice are on the log in its order, and come to who follows."""
    follower = store.follow_log()
    await store.take_slice(None, 0, [[CreateJob(flow.name, begin(f"c{n}"))] for n in range(3)], tell)
    events = list(await anext(follower))
    assert [event.client_id for event in events] == ["c0", "c1", "c2"]
    assert events == (await whole_log(store))[1:]


async def test_a_large_job_ends_a_slice(
    store: Store, flow: Workflow, tell: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice is done up to the first large job, and one that begins with it alone; only that is read once more."""
    assert isinstance(store, BatchingStore)
    loads, load = [0], store.backend.load

    async def counted(*wanted: Any) -> Any:
        loads[-1] += 1
        return await load(*wanted)

    monkeypatch.setattr(store.backend, "load", counted)
    small, large, last = [
        await store.create_job(flow.name, begin(definition={"text": "x" * size})) for size in (1, 200_000, 1)
    ]
    items = [[ChangeJob(job.id, move("RUN"))] for job in (small, large, last)]
    for first in range(3):
        loads.append(0)
        assert await store.take_slice(None, first, items[first:], tell) == SliceResult(1, 0, "2")
    assert loads[1:] == [1, 2, 1]
    assert [job.state for job in await all_jobs(store)] == ["RUN"] * 3


async def test_progress_is_kept_with_the_slices(store: Store, flow: Workflow, tell: Teller) -> None:
    """The record of a key says how far its request has come, and the results of all slices are there in order."""
    assert await store.read_bulk("k") is None
    assert list(await store.bulk_results("k")) == []
    assert await store.open_bulk("k", RECORD) == RECORD == await store.read_bulk("k")
    await store.take_slice("k", 0, [[CreateJob(flow.name, begin("a"))], [CreateJob("nowhere", begin())]], tell)
    assert await store.read_bulk("k") == replace(RECORD, done=2, failed=1)
    await store.take_slice("k", 2, [[CreateJob(flow.name, begin(name))] for name in ("b", "c", "d")], tell)
    record = await store.read_bulk("k")
    assert record == await store.open_bulk("k", RECORD) == replace(RECORD, done=5, failed=1)
    assert record.is_done
    assert list(await store.bulk_results("k")) == ["1,WorkflowNotFound", "1,1,1"]


async def test_each_slice_is_taken_once(store: Store, flow: Workflow, tell: Teller) -> None:
    """Of all who try the same slice one takes it, and a slice that leaves items out happens to nobody."""
    await store.open_bulk("k", RECORD)
    item = [[CreateJob(flow.name, begin())]]
    for done in (1, -1, 5):
        with pytest.raises(IdempotencyKeyInUse):
            await store.take_slice("k", done, item, tell)
    outcomes = await together(*(store.take_slice("k", 0, item, tell) for _ in range(4)))
    assert [type(each) for each in outcomes] == [SliceResult, *[IdempotencyKeyInUse] * 3]
    with pytest.raises(IdempotencyKeyInUse):
        await store.take_slice("unknown", 0, item, tell)
    assert len(await all_jobs(store)) == 1
    assert len(await store.bulk_results("k")) == 1


async def test_a_slice_of_refusals_counts(store: Store, tell: Teller) -> None:
    """Where all items are refused there is no event, and the progress is kept all the same."""
    await store.open_bulk("k", RECORD)
    head = (await store.log_bounds()).head
    assert await store.take_slice("k", 0, [[CreateJob("nowhere", begin())]], tell) == SliceResult(
        1, 1, "WorkflowNotFound"
    )
    assert await store.read_bulk("k") == replace(RECORD, done=1, failed=1)
    assert (await store.log_bounds()).head == head


async def test_a_key_belongs_to_one_request(store: Store) -> None:
    """Another fingerprint is refused, and the record stays as it was."""
    await store.open_bulk("k", RECORD)
    with pytest.raises(IdempotencyKeyReused):
        await store.open_bulk("k", replace(RECORD, fingerprint="other", total=9))
    assert await store.read_bulk("k") == RECORD


async def test_records_outlive_the_store(lasting: Backend, tmp_path: Path, clock: SetClock, tell: Teller) -> None:
    """A store that is opened again goes on behind the last slice."""
    async with lasting.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        await store.open_bulk("k", RECORD)
        await store.take_slice("k", 0, [[CreateJob(FLOW.name, begin("a"))]], tell)
    async with lasting.open(tmp_path, clock) as store:
        assert await store.open_bulk("k", RECORD) == replace(RECORD, done=1)
        await store.take_slice("k", 1, [[CreateJob(FLOW.name, begin("b"))]], tell)
        assert list(await store.bulk_results("k")) == ["1", "1"]
        assert [job.client_id for job in await all_jobs(store)] == ["a", "b"]


async def test_records_are_dropped_after_a_day(store: Store, flow: Workflow, clock: SetClock, tell: Teller) -> None:
    """Chores drop records of more than 24 hours in pieces, younger ones stay, and the key may be given again."""
    await store.open_bulk("old", RECORD)
    for done in range(5):
        await store.take_slice("old", done, [[CreateJob(flow.name, begin())]], tell)
    clock.now += 1
    await store.open_bulk("young", RECORD)
    clock.now = NOON + KEPT
    assert await store.run_chores(2) == 0
    clock.now += 1
    async with asyncio.timeout(DEADLINE):
        while await store.run_chores(2):
            pass
    assert await store.read_bulk("old") is None
    assert list(await store.bulk_results("old")) == []
    assert await store.read_bulk("young") == RECORD
    assert await store.open_bulk("old", replace(RECORD, fingerprint="new")) == replace(RECORD, fingerprint="new")
    assert len(await all_jobs(store)) == 5


async def test_records_that_take_too_much_are_dropped(
    store: Store, flow: Workflow, clock: SetClock, tell: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of requests that are done, those go beside which newer ones take too many bytes; others can still go on."""
    monkeypatch.setattr(bulk, "MOST_BYTES", 3 * RECORD.size + 3)
    for key in ("unfinished", "oldest", "old", "young", "newest"):
        await store.open_bulk(key, replace(RECORD, total=2 if key == "unfinished" else 1))
        await store.take_slice(key, 0, [[CreateJob(flow.name, begin())]], tell)
        clock.now += 1
    async with asyncio.timeout(DEADLINE):
        while await store.run_chores(3):
            pass
    kept = {key for key in ("unfinished", "oldest", "old", "young", "newest") if await store.read_bulk(key)}
    assert kept == {"unfinished", "old", "young", "newest"}
    assert [list(await store.bulk_results(key)) for key in ("oldest", "old")] == [[], ["1"]]
    await store.take_slice("unfinished", 1, [[CreateJob(flow.name, begin())]], tell)
    assert list(await store.bulk_results("unfinished")) == ["1", "1"]


async def test_selections_find_what_lists_show(store: Store, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    """Under each condition of a list, all jobs that it shows are counted, and told in order."""
    for looked_at in (10_000, 7):
        monkeypatch.setattr(job_lists, "LOOKED_AT", looked_at)
        for conditions in CONDITIONS:
            query = JobListQuery(**conditions)
            expected = [job.id for job in jobs if fulfils(job, query)]
            assert await selected(store, query) == expected, query
            assert await selected(store, query, with_ids=False) == len(expected), query
            assert await selected(store, replace(query, descending=True)) == expected[::-1], query


async def selected(store: Store, query: JobListQuery, *, with_ids: bool = True) -> Any:
    """Go through a selection; returns the ids, or their number."""
    found: list[str] = []
    count, after = 0, None
    while True:
        part = await store.select_jobs(replace(query, after=after), with_ids=with_ids)
        count += part.count
        found += [job_id for _, job_id in part.jobs]
        if (after := part.next) is None:
            return found if with_ids else count


async def test_a_selection_goes_on_behind_a_job(store: Store, jobs: list[Job]) -> None:
    """The number of a job in a selection is a place behind which another one begins."""
    part = await store.select_jobs(JobListQuery(), with_ids=True)
    number, job_id = part.jobs[20]
    assert job_id == jobs[20].id
    rest = await store.select_jobs(JobListQuery(after=number), with_ids=True)
    assert [each for _, each in rest.jobs] == [job.id for job in jobs[21:]]
    bounds = await store.log_bounds()
    assert (rest.log_id, rest.position) == (bounds.log_id, bounds.head)
