"""The contract of a store, for consumers of its log and for leases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import FLOW, all_jobs, begin, history_of, move, redefine, tag, together, whole_log
from wfx.domain.cause import Cause
from wfx.domain.errors import (
    JobChanged,
    JobExists,
    JobNotFound,
    NotOnThisLog,
    StepTaken,
    StoreUnavailable,
    TransitionRefused,
    WorkflowNotFound,
)
from wfx.domain.job import Action, Change, Job, Subject
from wfx.domain.query import JobQuery, Paging
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.batching_store import BatchingStore
from wfx.store.operations import ChangeJob, CreateJob, DeleteJob, JobOperation, TakeLease
from wfx.store.protocol import Consumer, Lease, Store

FOREVER = Timestamp(NOON - 10**15)
"""A time before all events: age drops none."""
IDS = UUID("6f0a9a3e-8a3b-4f6e-9d0c-1f6d3a4b5c6d")


async def fill(store: Store, count: int) -> list[Job]:
    """Create jobs, each of which is one event."""
    return await together(*(store.create_job(FLOW.name, begin(f"c{n}")) for n in range(count)))


async def test_a_new_consumer_begins_at_the_head(store: Store, flow: Workflow) -> None:
    """A consumer that is opened first is done with all there is; opened again, it is where its last step left it."""
    assert await store.consumer("a") == Consumer("a", 1, 0, 0)
    await fill(store, 3)
    assert await store.consumer("b") == Consumer("b", 4, 0, 0)
    assert await store.step("a", 1, 0, 3, []) == []
    assert await store.consumer("a") == Consumer("a", 3, 1, 0)
    assert await store.consumers() == [Consumer("a", 3, 1, 0), Consumer("b", 4, 0, 0)]
    assert flow.name == FLOW.name


async def test_a_place_outlives_the_store(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A consumer's place and its steps are there after a restart."""
    async with lasting.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        await store.consumer("a")
        await fill(store, 3)
        await store.step("a", 1, 0, 3, [])
    async with lasting.open(tmp_path, clock) as store:
        assert await store.consumer("a") == Consumer("a", 3, 1, 0)


async def test_a_step_does_its_operations_and_answers_each(store: Store, flow: Workflow) -> None:
    """Of a step's operations each has its own answer, and one that is refused keeps no other from happening."""
    await store.consumer("a")
    first, second = await fill(store, 2)
    follower = store.follow_log()
    answers = await store.step(
        "a",
        1,
        0,
        3,
        [
            CreateJob(flow.name, begin("new")),
            ChangeJob(first.id, move("RUN")),
            ChangeJob(first.id, move("NEW")),
            ChangeJob("nobody", move("RUN")),
            ChangeJob("\ud800", move("RUN")),
            CreateJob("nothing", begin()),
            CreateJob("\ud800", begin()),
            DeleteJob(second.id),
            DeleteJob(second.id),
        ],
    )
    created, changed, refused, unknown, half, no_flow, half_flow, deleted, again = answers
    assert (created.client_id, changed.state, deleted) == ("new", "RUN", None)
    assert isinstance(refused, TransitionRefused)
    assert all(isinstance(answer, JobNotFound) for answer in (unknown, half, again))
    assert all(isinstance(answer, WorkflowNotFound) for answer in (no_flow, half_flow))
    assert await all_jobs(store) == (changed, created)
    events = (await whole_log(store))[3:]
    assert [(event.seq, event.action, event.job_id) for event in events] == [
        (4, Action.CREATE, created.id),
        (5, Action.UPDATE_STATUS, first.id),
        (6, Action.DELETE, second.id),
    ]
    assert list(await anext(follower)) == events
    assert await store.consumer("a") == Consumer("a", 3, 1, 0)


@pytest.mark.parametrize(("after", "number"), [(1, 0), (3, 0), (1, 1), (2, 1), (3, 2)])
async def test_a_step_that_was_taken_does_nothing(store: Store, flow: Workflow, after: int, number: int) -> None:
    """Who is not where the consumer is gets StepTaken, and nothing of the step happens."""
    await store.consumer("a")
    (job, _) = await fill(store, 2)
    await store.step("a", 1, 0, 3, [])
    follower = store.follow_log()
    operations: list[JobOperation] = [CreateJob(flow.name, begin()), ChangeJob(job.id, tag("x")), DeleteJob(job.id)]
    with pytest.raises(StepTaken, match="consumer 'a' is not at event"):
        await store.step("a", after, number, 3, operations)
    with pytest.raises(StepTaken):
        await store.step("b", after, number, 3, operations)
    assert await store.consumers() == [Consumer("a", 3, 1, 0)]
    assert (await store.log_bounds()).head == 3
    created, deleted, _ = await store.step("a", 3, 1, 3, operations[:1] + operations[2:] + operations[1:2])
    assert (created.version, deleted) == (1, None)
    assert [event.seq for event in await anext(follower)] == [4, 5]


async def test_a_place_is_on_the_log(store: Store, flow: Workflow) -> None:
    """A step to a place ahead of the head, or back, is refused and changes nothing."""
    await store.consumer("a")
    await fill(store, 1)
    with pytest.raises(NotOnThisLog):
        await store.step("a", 1, 0, 3, [CreateJob(flow.name, begin())])
    await store.step("a", 1, 0, 2, [])
    with pytest.raises(ValueError, match="from event 2 back to 1"):
        await store.step("a", 2, 1, 1, [CreateJob(flow.name, begin())])
    assert await store.consumer("a") == Consumer("a", 2, 1, 0)
    assert len(await all_jobs(store)) == 1


async def test_a_step_that_cannot_be_stored_does_nothing(store: Store, flow: Workflow) -> None:
    """A decision that gives what cannot be stored fails its whole step; one that breaks is answered by itself."""
    await store.consumer("a")
    (job,) = await fill(store, 1)

    def nowhere(found: Job) -> Change:
        change = move("NEW")(found)
        return Change(change.action, "NOWHERE", change.status, change.definition_hash, None, change.tags)

    def broken(_: Job) -> Change:
        raise ZeroDivisionError

    with pytest.raises(KeyError):
        await store.step("a", 1, 0, 2, [CreateJob(flow.name, begin()), ChangeJob(job.id, nowhere)])
    assert await store.consumer("a") == Consumer("a", 1, 0, 0)
    assert await all_jobs(store) == (job,)
    failed, created = await store.step("a", 1, 0, 2, [ChangeJob(job.id, broken), CreateJob(flow.name, begin())])
    assert isinstance(failed, ZeroDivisionError)
    assert await all_jobs(store) == (job, created)


async def test_events_of_a_step_have_the_causes_of_its_operations(store: Store, flow: Workflow) -> None:
    """Each operation of a step tells which event began the chain that led to it, and how far that is."""
    await store.consumer("a")
    (job, other) = await fill(store, 2)
    causes = [
        Cause("request-1", "north", "someone", 2, 1),
        Cause(actor="a rule", root=2, depth=2),
        Cause("", "", "", 3, 1),
    ]
    operations: list[JobOperation] = [
        CreateJob(flow.name, begin(), id=uuid5(IDS, "1"), cause=causes[0].encoded),
        ChangeJob(job.id, move("RUN"), cause=causes[1].encoded),
        DeleteJob(other.id, version=1, cause=causes[2].encoded),
        ChangeJob(job.id, tag("x")),
    ]
    await store.step("a", 1, 0, 3, operations)
    events = (await whole_log(store))[3:]
    assert [event.cause for event in events] == [*causes, Cause()]
    assert [event.state_before for event in events] == [None, "NEW", "NEW", "RUN"]


async def test_a_consumer_reads_the_events_of_workflows(store: Store, flow: Workflow) -> None:
    """A consumer is told of the creation and deletion of workflows as of changes of jobs; pruning keeps them for it."""
    assert await store.consumer("a") == Consumer("a", 1, 0, 0)
    await store.delete_workflow(flow.name)
    await store.create_workflow(FLOW)
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99) == 1
    events = await store.read_log(1, 99)
    assert [(event.seq, event.action, event.subject) for event in events] == [
        (2, Action.DELETE, Subject.WORKFLOW),
        (3, Action.CREATE, Subject.WORKFLOW),
    ]
    assert await store.step("a", 1, 0, 3, []) == []
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99) == 2


async def test_a_job_is_created_once_with_its_id(store: Store, flow: Workflow) -> None:
    """A job may be created with a given id, and a second one with that id is refused, in the same step or later."""
    await store.consumer("a")
    create = CreateJob(flow.name, begin("x"), id=uuid5(IDS, "1"))
    created, twice = await store.step("a", 1, 0, 1, [create, create])
    later, other = await store.step("a", 1, 1, 1, [create, CreateJob(flow.name, begin(), id=uuid5(IDS, "2"))])
    assert (created.id, other.id) == (str(uuid5(IDS, "1")), str(uuid5(IDS, "2")))
    assert isinstance(twice, JobExists)
    assert isinstance(later, JobExists)
    assert await store.get_job(created.id) == created
    assert await all_jobs(store) == (created, other)


async def test_a_new_job_is_changed_in_the_same_step(store: Store, flow: Workflow) -> None:
    """Later operations of a step see the jobs that earlier ones created: they change them and delete them."""
    await store.consumer("a")
    kept, gone = uuid5(IDS, "kept"), uuid5(IDS, "gone")
    create = CreateJob(flow.name, begin("x", tags=["a"], definition={"n": 1}), id=kept)
    operations = [
        create,
        ChangeJob(str(kept), move("RUN")),
        CreateJob(flow.name, begin(tags=["b"]), id=gone),
        ChangeJob(str(kept), redefine({"n": 2})),
        ChangeJob(str(gone), tag("c")),
        DeleteJob(str(gone), version=2),
        ChangeJob(str(kept), tag("b")),
    ]
    first, moved, _, redefined, _, deleted, last = await store.step("a", 1, 0, 1, operations)
    assert ([job.version for job in (first, moved, redefined, last)], deleted) == ([1, 2, 3, 4], None)
    assert await all_jobs(store, tags=("a", "b", "c")) == (last,)
    history = [(entry.mtime, entry.status, entry.definition) for entry in await history_of(store, last.id, 9)]
    assert history == [
        (redefined.mtime, redefined.status, None),
        (moved.mtime, moved.status, moved.definition),
        (first.mtime, first.status, None),
    ]
    again = await store.change_job(last.id, move("DONE"))
    assert (again.version, len(await history_of(store, last.id, 9))) == (5, 4)
    assert [event.seq for event in await whole_log(store)] == [*range(1, 10)]


async def test_a_deleted_job_makes_way_for_a_new_one_in_the_same_step(store: Store, flow: Workflow) -> None:
    """An id is free again once its job is deleted in the step; the new job has nothing of the old one."""
    await store.consumer("a")
    given = uuid5(IDS, "1")
    create = CreateJob(flow.name, begin("old", tags=["a", "b"], definition={"n": 1}), id=given)
    await store.step("a", 1, 0, 1, [create, ChangeJob(str(given), redefine({"n": 2}))])
    second = await store.create_job(flow.name, begin())
    assert (await store.get_job(str(given))).version == 2
    operations = [
        ChangeJob(str(given), move("RUN")),
        DeleteJob(str(given)),
        CreateJob(flow.name, begin("between", tags=["c"]), id=given),
        ChangeJob(str(given), move("RUN")),
        DeleteJob(str(given), version=2),
        CreateJob(flow.name, begin("new", tags=["b"]), id=given),
        CreateJob(flow.name, begin("twice"), id=given),
        ChangeJob(str(given), tag("d")),
    ]
    answers = await store.step("a", 1, 1, 1, operations)
    created, refused, last = answers[5:]
    assert (created.id, created.version, last.version, last.client_id) == (str(given), 1, 2, "new")
    assert isinstance(refused, JobExists)
    assert await store.get_job(str(given)) == last
    assert await all_jobs(store) == (second, last)
    assert await all_jobs(store, tags=("b", "d")) == (last,)
    assert await all_jobs(store, tags=("a", "c")) == ()
    assert await all_jobs(store, client_id="old") == ()
    entries = await history_of(store, last.id, 9)
    assert [(entry.mtime, entry.status, entry.definition) for entry in entries] == [
        (created.mtime, created.status, None)
    ]
    actions = [event.action for event in (await whole_log(store))[4:]]
    life = [Action.CREATE, Action.UPDATE_STATUS, Action.DELETE]
    assert actions == [Action.UPDATE_STATUS, Action.DELETE, *life, Action.CREATE, Action.ADD_TAGS]
    assert (await store.change_job(last.id, move("RUN"))).version == 3


async def test_a_step_may_end_with_less_than_it_began_with(store: Store, flow: Workflow) -> None:
    """A job that is deleted, created anew with its id, and deleted again is gone, also if its history was long."""
    await store.consumer("a")
    given = uuid5(IDS, "1")
    create = CreateJob(flow.name, begin(), id=given)
    changes = [ChangeJob(str(given), tag(f"{n % 9}")) for n in range(600)]
    await store.step("a", 1, 0, 1, [create, *changes])
    await store.step("a", 1, 1, 1, [DeleteJob(str(given)), create, *changes[:9], DeleteJob(str(given))])
    assert await all_jobs(store) == ()
    created, *_ = await store.step("a", 1, 2, 1, [create, *changes])
    _, again = await store.step("a", 1, 3, 1, [DeleteJob(str(given)), create])
    assert (created.version, again.version) == (1, 1)
    while await store.run_chores(500):
        pass
    assert await all_jobs(store) == (again,)
    assert await history_of(store, again.id, 9) == []


async def test_a_job_is_deleted_at_its_version_only(store: Store, flow: Workflow) -> None:
    """A deletion that names a version does not happen to a job that has changed since."""
    await store.consumer("a")
    job = await store.create_job(flow.name, begin())
    await store.change_job(job.id, move("RUN"))
    refused, deleted = await store.step("a", 1, 0, 3, [DeleteJob(job.id, version=1), DeleteJob(job.id, version=2)])
    assert isinstance(refused, JobChanged)
    assert (refused.version, deleted) == (2, None)
    assert await all_jobs(store) == ()


async def test_a_large_job_is_changed_in_a_step(store: Store, flow: Workflow) -> None:
    """A step may change what is large, together with others."""
    await store.consumer("a")
    large = await store.create_job(flow.name, begin(definition={"text": "x" * 400_000}))
    moved, created = await store.step("a", 1, 0, 2, [ChangeJob(large.id, move("RUN")), CreateJob(flow.name, begin())])
    assert (moved.version, moved.state, created.version) == (2, "RUN", 1)


async def test_racing_consumers_take_each_step_once(store: Store, flow: Workflow) -> None:
    """Two consumers of one name that step by a timer, without events: of each step number one takes it, 400 in all."""
    await store.consumer("timer")
    taken: list[int] = []
    lost = 0

    async def race() -> None:
        nonlocal lost
        number = 0
        while number < 400:
            try:
                (job,) = await store.step("timer", 1, number, 1, [CreateJob(flow.name, begin(f"step {number}"))])
            except StepTaken:
                lost += 1
                number = (await store.consumer("timer")).steps
            else:
                assert job.client_id == f"step {number}"
                taken.append(number)
                number += 1

    await together(race(), race())
    assert sorted(taken) == [*range(400)]
    assert lost > 0
    assert sorted(job.client_id for job in await all_jobs(store)) == sorted(f"step {n}" for n in range(400))
    assert (await store.consumer("timer")).steps == 400


async def test_a_step_is_between_other_changes(store: Store, flow: Workflow) -> None:
    """What is asked for together with a step happens before it or after it, in the order of asking."""
    await store.consumer("a")
    (job,) = await fill(store, 1)
    before, (first, second), after = await together(
        store.change_job(job.id, tag("1")),
        store.step("a", 1, 0, 2, [ChangeJob(job.id, tag("2")), ChangeJob(job.id, tag("3"))]),
        store.change_job(job.id, tag("4")),
    )
    assert [answer.version for answer in (before, first, second, after)] == [2, 3, 4, 5]
    assert flow.name == FLOW.name


async def test_pruning_keeps_what_a_consumer_has_not_done(store: Store, flow: Workflow) -> None:
    """Events that a consumer is not done with are kept, whatever else is pruned, and the slowest one counts."""
    await store.consumer("slow")
    await store.consumer("fast")
    await fill(store, 10)
    await store.step("fast", 1, 0, 9, [])
    await store.step("slow", 1, 0, 4, [])
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=2) == 2
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99) == 2
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99) == 0
    assert (await store.log_bounds()).oldest == 5
    assert [event.seq for event in await store.read_log(4, 99)] == [*range(5, 12)]
    await store.step("slow", 4, 1, 10, [])
    assert await store.prune_log(keep_newest=1, older_than=FOREVER, at_most=99) == 5
    assert [one.lost for one in await store.consumers()] == [0, 0]
    assert flow.name == FLOW.name


async def test_a_consumer_loses_what_is_beyond_the_bound(store: Store, flow: Workflow) -> None:
    """Beyond what is kept for consumers the log is pruned; who had not read that goes on behind it and is told."""
    await store.consumer("slow")
    await store.consumer("fast")
    await fill(store, 10)
    await store.step("fast", 1, 0, 10, [])
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99, keep_for_consumers=6) == 5
    assert await store.consumers() == [Consumer("fast", 10, 1, 0), Consumer("slow", 5, 0, 4)]
    with pytest.raises(StepTaken):
        await store.step("slow", 1, 0, 11, [CreateJob(flow.name, begin())])
    await store.step("slow", 5, 0, 6, [])
    assert await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99, keep_for_consumers=0) == 6
    assert await store.consumers() == [Consumer("fast", 11, 1, 1), Consumer("slow", 11, 1, 9)]
    assert await store.read_log(11, 99) == []
    assert len(await all_jobs(store)) == 10


async def test_a_lease_is_held_by_one(timed: Store, clock: SetClock) -> None:
    """A lease is renewed by its holder, by the store's clock."""
    lease = await timed.lease("chores", 10)
    assert lease is not None
    assert (lease.name, lease.epoch, lease.until) == ("chores", 1, NOON + 10_000_000)
    clock.now += 9_000_000
    renewed = await timed.lease("chores", 10)
    assert renewed is not None
    assert (renewed.holder, renewed.epoch, renewed.until) == (lease.holder, 1, NOON + 19_000_000)
    clock.now += 99_000_000
    late = await timed.lease("chores", 1)
    assert late is not None
    assert (late.epoch, late.until) == (1, clock.now + 1_000_000)
    other = await timed.lease("others", 1)
    assert other is not None
    assert (other.holder, other.epoch) == (lease.holder, 1)


@pytest.mark.parametrize("far", [2**63, -(2**63) - 1, 2**70, -(2**70)])
async def test_numbers_beyond_64_bits_are_taken_as_what_they_mean(store: Store, flow: Workflow, far: int) -> None:
    """A limit, a room or a place that no database could look for acts like any other that is too large or too small."""
    await store.consumer("a")
    (job,) = await fill(store, 1)
    operations = [CreateJob(flow.name, begin())]
    for number, after in ((far, 1), (0, far), (far, far)):
        with pytest.raises(StepTaken):
            await store.step("a", after, number, max(after, 0), operations)
    if far > 0:
        with pytest.raises(NotOnThisLog):
            await store.step("a", 1, 0, far, operations)
    with pytest.raises(NotOnThisLog):
        await store.read_log(far, 1)
    assert len(await store.read_log(1, far)) == (far > 0)
    assert len(await store.read_log(1, 1, far)) == 1
    for client_id in ("", "c0"):
        query = JobQuery(client_id=client_id, paging=Paging(limit=far, offset=min(far, 0)))
        assert (await store.query_jobs(query)).items == (job,)
        assert (await store.query_jobs(replace(query, paging=Paging(offset=far)))).items == (() if far > 0 else (job,))
    assert (await store.query_workflows(Paging(limit=far))).items == (flow,)
    await store.change_job(job.id, move("RUN"))
    assert len((await store.get_history(job.id, far)).items) == (far > 0)
    assert len((await store.get_history(job.id, 1, before=far)).items) == (far > 0)
    assert len((await store.get_history(job.id, 1, room=far)).items) == (far > 0)
    assert len((await store.query_jobs(JobQuery(), far)).items) == (far > 0)
    assert await store.run_chores(far) == 0
    for prune, dropped in (
        (partial(store.prune_log, keep_newest=far, older_than=FOREVER, at_most=1), far < 0),
        (partial(store.prune_log, keep_newest=9, older_than=Timestamp(min(far, 0)), at_most=1), 0),
        (partial(store.prune_log, keep_newest=9, older_than=FOREVER, at_most=far), 0),
    ):
        assert await prune(keep_for_consumers=max(far, 9)) == dropped


async def test_names_are_text(store: Store) -> None:
    """Half a surrogate pair is the name of no consumer and no lease."""
    for act in (
        store.consumer("\ud800"),
        store.step("\ud800", 0, 0, 0, []),
        store.lease("\ud800", 1),
    ):
        with pytest.raises(ValueError, match=r"is Unicode text, and not '\\ud800'"):
            await act
    assert await store.consumers() == []


async def held_by_another(store: Store, clock: SetClock, name: str, ttl: float) -> Lease:
    """Let a store take a lease that then does not end in order, as if its process was killed."""
    assert isinstance(store, BatchingStore)
    lease = (await store.backend.perform(TakeLease(name, "another", int(ttl * 1e6)), clock.now)).result
    assert isinstance(lease, Lease)
    return lease


async def test_a_lease_goes_to_another_holder_when_it_ends(timed: Store, clock: SetClock) -> None:
    """Another store gets the lease once it has ended, as its next holder."""
    first = await held_by_another(timed, clock, "chores", 10)
    clock.now += 9_999_999
    assert await timed.lease("chores", 10) is None
    clock.now += 1
    second = await timed.lease("chores", 5)
    assert second is not None
    assert second.holder != first.holder
    assert (second.epoch, second.until) == (2, clock.now + 5_000_000)
    third = await timed.lease("chores", 5)
    assert third is not None
    assert third.epoch == 2


async def test_closing_the_store_ends_its_leases(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A store that is closed leaves its leases to the next one at once, also if the clock was set back meanwhile."""
    async with lasting.open(tmp_path, clock) as store:
        first, _ = await store.lease("chores", 10), await held_by_another(store, clock, "others", 10)
    assert first is not None
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.lease("chores", 10)
    clock.now -= 1
    async with lasting.open(tmp_path, clock) as store:
        second = await store.lease("chores", 10)
        assert await store.lease("others", 10) is None
    assert second is not None
    assert (second.epoch, second.holder == first.holder) == (2, False)


async def test_a_lease_does_not_outlive_a_clock_that_is_set_back(timed: Store, clock: SetClock) -> None:
    """When the clock is set back by an hour, a lease of ten seconds holds for twenty more seconds and no longer."""
    await held_by_another(timed, clock, "chores", 10)
    clock.now -= 10_000_000
    assert await timed.lease("chores", 10) is None
    clock.now -= 1
    lease = await timed.lease("chores", 10)
    assert lease is not None
    assert (lease.epoch, lease.until) == (2, clock.now + 10_000_000)
    clock.now -= 3_600_000_000
    renewed = await timed.lease("chores", 10)
    assert renewed is not None
    assert (renewed.epoch, renewed.until) == (2, clock.now + 10_000_000)


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), 86_400.1, 2.0**70])
async def test_a_lease_holds_for_a_while(timed: Store, ttl: float) -> None:
    """A lease for no time, for ever, or for longer than a day is refused, and nobody has it."""
    with pytest.raises(ValueError, match="more than 0 seconds and at most 86,400"):
        await timed.lease("chores", ttl)
    lease = await timed.lease("chores", 1e-9)
    assert lease is not None
    assert (lease.epoch, lease.until) == (1, NOON + 1)


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, StopIteration])
async def test_a_decision_that_would_end_a_task_fails_alone(
    store: Store, flow: Workflow, kind: type[BaseException]
) -> None:
    """Whatever a decision raises is an error of its own caller, and those beside it and after it are served."""

    def decide(_: Any) -> Any:
        raise kind

    await store.consumer("a")
    async with asyncio.timeout(30):
        broken, good = await together(store.create_job(flow.name, decide), store.create_job(flow.name, begin()))
        assert isinstance(broken, RuntimeError)
        assert good.version == 1
        moved, changed = await store.step("a", 1, 0, 1, [ChangeJob(good.id, decide), ChangeJob(good.id, move("RUN"))])
        assert isinstance(moved, RuntimeError)
        assert changed.version == 2
        with pytest.raises(RuntimeError, match=kind.__name__):
            await store.change_job(good.id, decide)
        assert (await store.change_job(good.id, move("DONE"))).version == 3
