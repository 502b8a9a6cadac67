"""The contract of a store, for acts that arrive at the same time and so share a commit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.store.backends import Backend, SetClock
from tests.store.samples import (
    FLOW,
    all_jobs,
    attempt,
    begin,
    history_of,
    job_log,
    move,
    redefine,
    renamed,
    tag,
    together,
    untag,
    whole_log,
)
from wfx.domain.errors import (
    JobNotFound,
    StoreUnavailable,
    TransitionRefused,
    WorkflowInUse,
    WorkflowNotFound,
    WorkflowNotUnique,
)
from wfx.domain.job import Action, Change, Job
from wfx.domain.json import decode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.batching_store import BatchingStore
from wfx.store.protocol import Store


async def test_acts_of_one_moment_share_a_commit(store: Store, flow: Workflow) -> None:
    """What is asked for together is committed together, in the order of asking."""
    follower = store.follow_log()
    jobs = await together(*(store.create_job(flow.name, begin(f"c{n}")) for n in range(50)))
    events = await anext(follower)
    assert [event.job_id for event in events] == [job.id for job in jobs]
    assert await all_jobs(store) == tuple(jobs)


async def test_changes_of_large_jobs_are_made_after_small_ones(store: Store, flow: Workflow) -> None:
    """Of what is asked for together, changes of large jobs come last, each by itself, and none is lost."""
    large = [await store.create_job(flow.name, begin(definition={"text": "x" * 200_000})) for _ in range(2)]
    small = [await store.create_job(flow.name, begin()) for _ in range(2)]
    await together(*(store.create_job(flow.name, begin(definition={"text": "x" * 100_000})) for _ in range(400)))
    follower = store.follow_log()
    changed = [large[0], small[0], large[1], small[1]]
    answers = await together(*(store.change_job(job.id, move("RUN")) for job in changed))
    assert [answer.version for answer in answers] == [2] * 4
    batches = [[event.job_id for event in await anext(follower)] for _ in range(3)]
    assert batches == [[small[0].id, small[1].id], [large[0].id], [large[1].id]]


async def test_changes_of_one_job_build_on_each_other(store: Store, flow: Workflow) -> None:
    """Of several changes of one job in one commit, each decides on what the one before it left."""
    job = await store.create_job(flow.name, begin(tags=["a"], definition={"n": 1}))
    answers = await together(
        store.change_job(job.id, move("RUN")),
        store.change_job(job.id, redefine({"n": 2})),
        store.change_job(job.id, tag("b")),
        store.change_job(job.id, move("NEW")),
        store.change_job(job.id, untag("a", "b")),
        store.change_job(job.id, redefine({"n": 1})),
        store.change_job(job.id, move("DONE")),
    )
    assert isinstance(answers.pop(3), TransitionRefused)
    assert [answer.version for answer in answers] == [2, 3, 4, 5, 6, 7]
    last = await store.get_job(job.id)
    assert last == answers[-1]
    assert (last.state, decode(last.tags), last.definition) == ("DONE", [], b'{"n":1}')
    history = await history_of(store, job.id, 99)
    states = [job, *answers[:-1]][::-1]
    assert [(entry.mtime, entry.status) for entry in history] == [(was.mtime, was.status) for was in states]
    assert [entry.definition for entry in history] == [None, b'{"n":2}', None, None, b'{"n":1}', None]
    assert [event.seq for event in await whole_log(store)] == list(range(1, 9))


async def test_a_change_and_a_deletion_race_in_order(store: Store, flow: Workflow) -> None:
    """What comes before a deletion happens, what comes after it finds no job; nothing of the job stays."""
    job = await store.create_job(flow.name, begin(tags=["t"], definition={"n": 1}))
    changed, deleted, late, again = await together(
        store.change_job(job.id, tag("u")),
        store.delete_job(job.id),
        store.change_job(job.id, move("RUN")),
        store.delete_job(job.id),
    )
    assert (changed.version, deleted) == (2, None)
    assert isinstance(late, JobNotFound)
    assert isinstance(again, JobNotFound)
    assert await all_jobs(store, tags=("t", "u")) == ()
    assert [event.action for event in await job_log(store)] == [Action.CREATE, Action.ADD_TAGS, Action.DELETE]


async def test_all_kinds_of_acts_see_each_other(store: Store) -> None:
    """Mixed acts that arrive together take effect in order, each seeing what the ones before it did."""
    early, created, twice, job, in_use, gone, other = await together(
        store.create_job(FLOW.name, begin()),
        store.create_workflow(FLOW),
        store.create_workflow(FLOW),
        store.create_job(FLOW.name, begin()),
        store.delete_workflow(FLOW.name),
        store.delete_workflow("copy"),
        store.create_workflow(renamed("copy")),
    )
    assert isinstance(early, WorkflowNotFound)
    assert created == FLOW
    assert isinstance(twice, WorkflowNotUnique)
    assert job.workflow == FLOW
    assert isinstance(in_use, WorkflowInUse)
    assert isinstance(gone, WorkflowNotFound)
    assert other == renamed("copy")
    deleted, unused, late, fresh, theirs = await together(
        store.delete_job(job.id),
        store.delete_workflow(FLOW.name),
        store.create_job(FLOW.name, begin()),
        store.create_workflow(FLOW),
        store.create_job(FLOW.name, begin("second")),
    )
    assert (deleted, unused) == (None, None)
    assert isinstance(late, WorkflowNotFound)
    assert fresh.number not in (created.number, other.number)
    assert theirs.workflow.number == fresh.number
    assert await all_jobs(store) == (theirs,)
    assert await store.get_job(theirs.id) == theirs


async def test_pruning_counts_what_came_before_it(store: Store, flow: Workflow) -> None:
    """Pruning drops events of the same moment that came before it, and none that come after; who follows gets both."""
    follower = store.follow_log()
    first, dropped, second = await together(
        store.create_job(flow.name, begin("first")),
        store.prune_log(keep_newest=0, older_than=Timestamp(0), at_most=9),
        store.create_job(flow.name, begin("second")),
    )
    assert dropped == 2, "the workflow's creation, too"
    bounds = await store.log_bounds()
    assert (bounds.oldest, bounds.head) == (3, 3)
    assert [event.job_id for event in await whole_log(store)] == [second.id]
    followed = [event.job_id for events in (await anext(follower), await anext(follower)) for event in events]
    assert followed == [first.id, second.id]


async def test_one_bad_act_harms_no_other(store: Store, flow: Workflow) -> None:
    """Decisions that break, or give what cannot be stored, fail alone in the middle of others."""
    job = await store.create_job(flow.name, begin())

    def broken(_: Job) -> Change:
        raise ZeroDivisionError

    def nowhere(found: Job) -> Change:
        change = move("NEW")(found)
        return Change(change.action, "NOWHERE", change.status, change.definition_hash, None, change.tags)

    answers = await together(
        store.create_job(flow.name, begin("before")),
        store.change_job(job.id, broken),
        store.create_job(flow.name, begin("half \ud800 a pair")),
        store.change_job(job.id, nowhere),
        store.create_job(flow.name, begin("after")),
    )
    assert [isinstance(answer, Job) for answer in answers] == [True, False, False, False, True]
    assert [found.client_id for found in await all_jobs(store)] == ["press-7", "before", "after"]
    assert await store.get_job(job.id) == job
    assert (await store.log_bounds()).head == 4


async def test_reads_of_one_moment_are_each_answered(store: Store, flow: Workflow) -> None:
    """Many who read at once get their own job, also those who ask for the same or for one that is not there."""
    jobs = await together(*(store.create_job(flow.name, begin(f"c{n}")) for n in range(100)))
    wanted = [*jobs, *jobs[:20]]
    answers = await together(*(store.get_job(job.id) for job in wanted), store.get_job("none"))
    assert answers[:-1] == wanted
    assert isinstance(answers[-1], JobNotFound)


async def test_a_read_after_a_write_sees_it(store: Store, flow: Workflow) -> None:
    """Whoever was told that a change happened reads the changed job."""

    async def one() -> None:
        job = await store.create_job(flow.name, begin())
        for state in ("RUN", "DONE"):
            changed = await store.change_job(job.id, move(state))
            assert await store.get_job(job.id) == changed

    await asyncio.gather(*(one() for _ in range(20)))


async def test_a_cancelled_caller_disturbs_no_other(store: Store, flow: Workflow) -> None:
    """Callers that go away while they wait leave the others' acts and the store as they should be."""
    tasks = [asyncio.create_task(store.create_job(flow.name, begin(f"c{n}"))) for n in range(60)]
    reads = [asyncio.create_task(attempt(store.get_job("none"))) for _ in range(10)]
    await asyncio.sleep(0)
    for task in [*tasks[::3], *reads[::2]]:
        task.cancel()
    answers = await asyncio.gather(*tasks, *reads, return_exceptions=True)
    kept = [answer for answer in answers if isinstance(answer, Job)]
    assert len(kept) == 40
    stored = {job.id for job in await all_jobs(store)}
    assert {job.id for job in kept} <= stored
    assert [event.seq for event in await whole_log(store)] == list(range(1, len(stored) + 2))


async def test_sixty_four_tasks_leave_a_consistent_store(store: Store, flow: Workflow) -> None:
    """Under many concurrent writers versions rise by one, every change is one event, and the log has no gaps."""
    jobs = await together(*(store.create_job(flow.name, begin(f"c{n}")) for n in range(8)))

    async def work(n: int) -> None:
        for turn in range(12):
            await store.change_job(jobs[(n + turn) % 8].id, tag(f"t{n}"))
            await attempt(store.change_job(jobs[n % 8].id, move("RUN")))
            await store.get_job(jobs[turn % 8].id)

    await asyncio.gather(*(work(n) for n in range(64)))
    events = await job_log(store)
    assert [event.seq for event in events] == list(range(2, len(events) + 2))
    for job in await all_jobs(store):
        assert job.version == sum(event.job_id == job.id for event in events)
        assert len(await history_of(store, job.id, 9999)) == job.version - 1
    assert sum(job.version for job in await all_jobs(store)) == len(events)


async def test_closing_finishes_what_waits(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """Acts that were accepted before closing are done; later ones are refused; closing twice is fine."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        waiting = [asyncio.create_task(store.create_job(FLOW.name, begin())) for _ in range(500)]
        await asyncio.sleep(0)
        await store.close()
        assert all(isinstance(job, Job) for job in await asyncio.gather(*waiting))
        for act in (store.create_job(FLOW.name, begin()), store.get_job(waiting[0].result().id), store.ping()):
            with pytest.raises(StoreUnavailable):
                await act
        await store.close()
    if backend.lasting:
        async with backend.open(tmp_path, clock) as store:
            assert len(await all_jobs(store)) == 500


async def test_too_many_writers_are_turned_away(store: Store, flow: Workflow) -> None:
    """When more writes wait than the store holds, the surplus is refused at once and the others succeed."""
    answers = await together(*(store.create_job(flow.name, begin()) for _ in range(5000)))
    done = [answer for answer in answers if isinstance(answer, Job)]
    refused = [answer for answer in answers if isinstance(answer, StoreUnavailable)]
    assert len(done) + len(refused) == 5000
    assert len(refused) == 904
    assert (await store.log_bounds()).head == len(done) + 1


async def test_an_open_store_answers_a_ping(store: Store) -> None:
    """A store in order answers."""
    await store.ping()
    assert (await store.log_bounds()).head == 0


async def test_a_store_whose_task_has_ended_does_not_answer(store: Store, flow: Workflow) -> None:
    """When a task of the store has ended, asking whether the store answers fails, as its requests do; closing works."""
    assert isinstance(store, BatchingStore)
    await store.ping()
    store._writes._task.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(StoreUnavailable, match="stopped working after an unexpected CancelledError; restart"):
            await store.create_job(flow.name, begin())
        with pytest.raises(StoreUnavailable, match="stopped working"):
            await store.ping()
        assert await all_jobs(store) == ()
