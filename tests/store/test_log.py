"""The contract of a store, as far as it concerns the log of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import FLOW, begin, job_log, move, redefine, tag, together, untag, whole_log
from wfx.domain import job_json, replay
from wfx.domain.cause import UNKNOWN, Cause
from wfx.domain.errors import BehindHorizon, NotOnThisLog, TransitionRefused, WfxError
from wfx.domain.job import Action, Event, Subject
from wfx.domain.json import decode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.protocol import Store

FOREVER = Timestamp(0)
"""Nothing is older than this."""
ASKED = Cause("request-1", "north", "someone").encoded


async def step(follower: AsyncIterator[Sequence[Event]]) -> Sequence[Event]:
    """Take the next events, if they come in time."""
    return await asyncio.wait_for(anext(follower), 10)


async def fill(store: Store, count: int) -> None:
    """Put events on the log."""
    for _ in range(count):
        await store.create_job(FLOW.name, begin())


async def test_a_fresh_log_is_empty(store: Store) -> None:
    """A new store has an identity, nothing on the log, and number 1 to come."""
    bounds = await store.log_bounds()
    assert (bounds.oldest, bounds.head) == (1, 0)
    assert len(bounds.log_id) == 32
    assert await store.read_log(0, 10) == []


async def test_each_job_change_is_one_event(store: Store, flow: Workflow, clock: SetClock) -> None:
    """Events tell number, time, action, job, client, workflow and the payload of the wire, in the order of changes."""
    jobs = [await store.create_job(flow.name, begin("press-7", tags=["a"]))]
    for decide in (move("RUN"), redefine({"n": 1}), tag("b"), untag("a")):
        clock.now += 10
        jobs.append(await store.change_job(jobs[0].id, decide))
    clock.now += 10
    await store.delete_job(jobs[0].id)
    events = await job_log(store)
    assert [event.seq for event in events] == [2, 3, 4, 5, 6, 7]
    assert [event.ctime for event in events] == [NOON + n for n in range(0, 60, 10)]
    assert [event.action for event in events] == [
        *(Action.CREATE, Action.UPDATE_STATUS, Action.UPDATE_DEFINITION),
        *(Action.ADD_TAGS, Action.DELETE_TAGS, Action.DELETE),
    ]
    assert {(event.job_id, event.client_id, event.workflow) for event in events} == {(jobs[0].id, "press-7", flow)}
    assert [event.payload for event in events] == [
        job_json.created(jobs[0]),
        *(job_json.changed(job, event.action) for job, event in zip(jobs[1:], events[1:], strict=False)),
        job_json.deleted(jobs[-1]),
    ]


async def test_each_workflow_operation_is_one_event(store: Store, clock: SetClock) -> None:
    """Creating and deleting workflows gives events as other changes do, with a number, their workflow and no job."""
    follower = store.follow_log()
    flow = await store.create_workflow(FLOW, cause=ASKED)
    clock.now += 10
    await store.delete_workflow(flow.name)
    payload = b'{"name":"demo.flow"}'
    about = ("", "", flow, payload, None)
    created = Event(1, Timestamp(NOON), Action.CREATE, *about, ASKED)
    deleted = Event(2, Timestamp(NOON + 10), Action.DELETE, *about, UNKNOWN)
    assert created.subject is deleted.subject is Subject.WORKFLOW
    assert await whole_log(store) == [created, deleted]
    assert [event for _ in range(2) for event in await step(follower)] == [created, deleted]


async def test_a_refused_workflow_operation_is_no_event(store: Store, flow: Workflow) -> None:
    """A second workflow of the name, and the deletion of one that is used or is not there, leave the log as it was."""
    await store.create_job(flow.name, begin())
    for act in (store.create_workflow(FLOW), store.delete_workflow(flow.name), store.delete_workflow("nothing")):
        with pytest.raises(WfxError):
            await act
    assert (await store.log_bounds()).head == 2


async def test_each_event_has_its_cause_and_the_state_before(store: Store, flow: Workflow) -> None:
    """Events tell who asked, and where the job stood before; a creation has nothing before it."""
    causes = [Cause(f"request-{n}", "south", "someone", n or None, n) for n in range(4)]
    job = await store.create_job(flow.name, begin(), cause=causes[0].encoded)
    await store.change_job(job.id, move("RUN"), cause=causes[1].encoded)
    await store.change_job(job.id, tag("t"), cause=causes[2].encoded)
    await store.delete_job(job.id, cause=causes[3].encoded)
    events = await job_log(store)
    assert [event.cause for event in events] == causes
    assert [event.state_before for event in events] == [None, "NEW", "RUN", "RUN"]


async def test_changes_of_one_commit_each_have_the_state_before(store: Store, flow: Workflow) -> None:
    """What is written together is told one after the other."""
    job = await store.create_job(flow.name, begin())
    await together(store.change_job(job.id, move("RUN")), store.change_job(job.id, move("DONE")))
    assert [event.state_before for event in await job_log(store)] == [None, "NEW", "RUN"]


async def test_the_log_folds_to_the_jobs(store: Store, flow: Workflow) -> None:
    """A job is what its events say."""
    job = await store.create_job(flow.name, begin(tags=["a"], definition={"n": 1}))
    for decide in (move("RUN", message="m"), redefine({"n": 2}), tag("b"), untag("a"), redefine({}), move("DONE")):
        job = await store.change_job(job.id, decide)
    known = None
    for event in await job_log(store):
        known = replay.after(event, known)
    assert known == decode(job_json.created(job))


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize(
    ("after", "limit", "numbers"),
    [(0, 3, [1, 2, 3]), (0, 99, [1, 2, 3, 4, 5, 6]), (3, 1, [4]), (6, 9, []), (5, 9, [6])],
)
async def test_the_log_is_read_from_any_place(store: Store, after: int, limit: int, numbers: list[int]) -> None:
    """Reading gives up to so many events behind a position; behind the head there are none."""
    await fill(store, 5)
    assert [event.seq for event in await store.read_log(after, limit)] == numbers


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("after", [-1, -(2**63), -(2**70), 4, 2**63 - 1, 2**63, 2**70])
async def test_a_position_that_is_not_on_the_log_is_refused(store: Store, after: int) -> None:
    """A position ahead of the head, or a negative one, is never answered with old events."""
    await fill(store, 2)
    with pytest.raises(NotOnThisLog) as refusal:
        await store.read_log(after, 10)
    assert (refusal.value.head, refusal.value.log_id) == (3, (await store.log_bounds()).log_id)


async def test_a_refused_change_burns_no_number(store: Store, flow: Workflow) -> None:
    """Numbers of events have no gaps, whatever was refused in between."""
    job = await store.create_job(flow.name, begin())
    for _ in range(3):
        with pytest.raises(TransitionRefused):
            await store.change_job(job.id, move("DONE"))
    await store.change_job(job.id, move("RUN"))
    assert [event.seq for event in await whole_log(store)] == [1, 2, 3]


async def test_numbers_and_identity_go_on_after_reopening(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """The log continues where it was, also when all of it was pruned; a database in memory begins another log."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        await fill(store, 3)
        await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=10)
        before = await store.log_bounds()
    async with backend.open(tmp_path, clock) as store:
        after = await store.log_bounds()
        assert (after == before) == backend.lasting
        if backend.lasting:
            await fill(store, 1)
            assert [event.seq for event in await whole_log(store)] == [5]


async def test_two_logs_have_two_identities(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """No two stores share a log id."""
    ids = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with backend.open(tmp_path / name, clock) as store:
            ids.add((await store.log_bounds()).log_id)
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("keep", "older", "most", "dropped"),
    [
        (3, 0, 99, 7),
        (10, 0, 99, 0),
        (99, 0, 99, 0),
        (0, 0, 99, 10),
        (0, 0, 4, 4),
        (99, 6, 99, 5),
        (99, 1, 99, 0),
        (99, 99, 99, 10),
        (99, 99, 3, 3),
        (7, 6, 99, 5),
        (3, 6, 99, 7),
        (3, 6, 0, 0),
        (-1, 0, 99, 10),
        (3, 6, -1, 0),
    ],
)
async def test_pruning_drops_what_is_beyond_count_or_age(
    store: Store, clock: SetClock, keep: int, older: int, most: int, dropped: int
) -> None:
    """Of ten events, a second apart: those beyond the newest, or too old, are dropped from the oldest on.

    The first is of a workflow, and counts like the others.
    """
    clock.now = NOON + 1
    await store.create_workflow(FLOW)
    for second in range(2, 11):
        clock.now = NOON + second
        await fill(store, 1)
    assert await store.prune_log(keep_newest=keep, older_than=Timestamp(NOON + older), at_most=most) == dropped
    bounds = await store.log_bounds()
    assert (bounds.oldest, bounds.head) == (dropped + 1, 10)
    assert [event.seq for event in await whole_log(store)] == list(range(dropped + 1, 11))


@pytest.mark.usefixtures("flow")
async def test_pruning_in_steps_ends_where_one_step_does(store: Store) -> None:
    """Repeated calls drop a bounded number each, until nothing is left to drop."""
    await fill(store, 9)
    steps = [await store.prune_log(keep_newest=2, older_than=FOREVER, at_most=3) for _ in range(4)]
    assert steps == [3, 3, 2, 0]


@pytest.mark.usefixtures("flow")
async def test_age_stops_at_the_first_young_event(store: Store, clock: SetClock) -> None:
    """An old event behind a young one stays, so that the log has no gaps, even if the clock was put back."""
    for now in (NOON, NOON + 100, NOON + 1):
        clock.now = now
        await fill(store, 1)
    clock.now = NOON + 100
    assert await store.prune_log(keep_newest=99, older_than=Timestamp(NOON + 50), at_most=99) == 2
    assert [event.seq for event in await whole_log(store)] == [3, 4]


@pytest.mark.usefixtures("flow")
async def test_age_counts_behind_what_the_number_drops(store: Store, clock: SetClock) -> None:
    """A young event that goes because there are too many keeps no old one behind it, if the clock was put back."""
    for now in (NOON + 100, NOON, NOON + 100):
        clock.now = now
        await fill(store, 1)
    assert await store.prune_log(keep_newest=2, older_than=Timestamp(NOON + 50), at_most=99) == 3
    assert [event.seq for event in await whole_log(store)] == [4]


@pytest.mark.usefixtures("flow")
async def test_reading_behind_the_horizon_is_refused(store: Store) -> None:
    """A reader is told the oldest event that is left; exactly at the horizon it is served."""
    await fill(store, 4)
    await store.prune_log(keep_newest=2, older_than=FOREVER, at_most=99)
    for after in (0, 2):
        with pytest.raises(BehindHorizon) as refusal:
            await store.read_log(after, 10)
        assert refusal.value.oldest == 4
    assert [event.seq for event in await store.read_log(3, 10)] == [4, 5]


@pytest.mark.usefixtures("flow")
async def test_an_emptied_log_knows_its_place(store: Store) -> None:
    """When everything was pruned the head is still known, and the position at the head is served."""
    await fill(store, 4)
    await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99)
    bounds = await store.log_bounds()
    assert (bounds.oldest, bounds.head) == (6, 5)
    assert await store.read_log(5, 10) == []
    with pytest.raises(BehindHorizon):
        await store.read_log(4, 10)
    with pytest.raises(NotOnThisLog):
        await store.read_log(6, 10)


async def test_a_deleted_workflow_goes_with_its_last_event(store: Store, flow: Workflow) -> None:
    """Events show their workflow whole as long as they are kept, although it was deleted."""
    job = await store.create_job(flow.name, begin())
    await store.delete_job(job.id)
    await store.delete_workflow(flow.name)
    await store.prune_log(keep_newest=1, older_than=FOREVER, at_most=99)
    assert [event.workflow for event in await whole_log(store)] == [flow]
    await store.prune_log(keep_newest=0, older_than=FOREVER, at_most=99)
    again = await store.create_workflow(FLOW)
    assert again.number != flow.number


async def test_a_follower_sees_each_commit_from_its_call_on(store: Store, flow: Workflow) -> None:
    """Following begins with the call, not with the first step, and leaves out what was before."""
    await fill(store, 2)
    follower = store.follow_log()
    job = await store.create_job(flow.name, begin())
    await store.change_job(job.id, move("RUN"))
    assert [event.seq for event in await step(follower)] == [4]
    assert [event.action for event in await step(follower)] == [Action.UPDATE_STATUS]


@pytest.mark.usefixtures("flow")
async def test_a_follower_waits_for_news(store: Store) -> None:
    """A step of a follower that has seen everything waits until something happens."""
    follower = store.follow_log()
    waiting = asyncio.create_task(step(follower))
    await asyncio.sleep(0)
    assert not waiting.done()
    await fill(store, 1)
    assert await waiting == await store.read_log(1, 10)


@pytest.mark.usefixtures("flow")
async def test_what_a_follower_sees_is_on_the_log(store: Store) -> None:
    """Events are never shown early: at the moment a follower has them, reading the log gives them too."""
    follower = store.follow_log()
    writers = asyncio.gather(*(fill(store, 10) for _ in range(4)))
    seen: list[Event] = []
    while len(seen) < 40:
        seen += await step(follower)
        assert list(await store.read_log(1, 99))[: len(seen)] == seen
    await writers


@pytest.mark.usefixtures("flow")
async def test_followers_do_not_disturb_each_other(store: Store) -> None:
    """Every follower gets every event, whether others take theirs, stop, or are dropped."""
    idle, gone, first, second = (store.follow_log() for _ in range(4))
    del gone
    await fill(store, 3)
    for follower in (first, second):
        assert [event.seq for _ in range(3) for event in await step(follower)] == [2, 3, 4]
    assert [event.seq for event in await step(idle)] == [2]


async def test_a_follower_far_behind_misses_nothing(store: Store, flow: Workflow) -> None:
    """A follower that takes nothing for thousands of events gets all of them afterwards, once and in order."""
    follower = store.follow_log()
    job = await store.create_job(flow.name, begin())
    for _ in range(20):
        await together(*(store.change_job(job.id, tag("t")) for _ in range(256)))
    seen: list[int] = []
    while len(seen) < 5121:
        seen += [event.seq for event in await step(follower)]
    await fill(store, 1)
    seen += [event.seq for event in await step(follower)]
    assert seen == list(range(2, 5124))


async def test_a_follower_behind_the_horizon_is_told(store: Store, flow: Workflow) -> None:
    """A follower so far behind that its events were pruned hears of it; it is not shown a gap."""
    follower = store.follow_log()
    job = await store.create_job(flow.name, begin())
    for _ in range(20):
        await together(*(store.change_job(job.id, tag("t")) for _ in range(256)))
    await store.prune_log(keep_newest=10, older_than=FOREVER, at_most=9999)
    with pytest.raises(BehindHorizon):
        await step(follower)


async def test_following_ends_with_the_store(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """When the store is closed, followers get what they had not taken yet, and then end."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        behind, waiting = store.follow_log(), store.follow_log()
        await fill(store, 1)
        await step(waiting)
        end = asyncio.create_task(anext(waiting, "ended"))
    assert await end == "ended"
    assert len(await step(behind)) == 1
    assert await anext(behind, "ended") == "ended"


@pytest.mark.usefixtures("flow")
async def test_a_follower_can_be_closed(store: Store) -> None:
    """A closed follower ends, also for a step that waits, and takes no more memory."""
    follower = store.follow_log()
    waiting = asyncio.create_task(anext(follower, "ended"))
    await asyncio.sleep(0)
    await follower.aclose()
    assert await waiting == "ended"
    await fill(store, 1)
    assert await anext(follower, "ended") == "ended"


@pytest.mark.usefixtures("flow")
async def test_pruning_next_to_a_reader_leaves_no_gap(store: Store) -> None:
    """A reader that races with pruning gets the next event, or is told that it is gone."""
    await fill(store, 300)
    position, seen = 0, 0

    async def prune() -> None:
        while await store.prune_log(keep_newest=1, older_than=FOREVER, at_most=7):
            pass

    pruner = asyncio.create_task(prune())
    while position < 301:
        try:
            events = await store.read_log(position, 3)
        except BehindHorizon as exc:
            position = max(position + 1, exc.oldest - 1)
            continue
        assert [event.seq for event in events] == list(range(position + 1, position + len(events) + 1))
        position += len(events)
        seen += len(events)
    await pruner
    assert seen


@pytest.mark.parametrize("at_most", [2, 100])
async def test_events_from_the_future_keep_no_others(
    store: Store, flow: Workflow, clock: SetClock, at_most: int
) -> None:
    """Events that were dated in the future do not keep those behind them; they go with the next one that is old."""
    job = await store.create_job(flow.name, begin())
    clock.now = NOON + 10**15
    for _ in range(4):
        await store.create_job(flow.name, begin())
    clock.now = NOON + 1000
    await store.create_job(flow.name, begin())
    clock.now = NOON + 10**9
    await store.create_job(flow.name, begin())
    clock.now = NOON + 10**15
    await store.create_job(flow.name, begin())
    clock.now = NOON + 10**9 + 1
    old = Timestamp(NOON + 10**6)
    while await store.prune_log(keep_newest=1000, older_than=old, at_most=at_most):
        pass
    assert [event.seq for event in await whole_log(store)] == [8, 9]
    assert job.stime < old
    clock.now = NOON + 2 * 10**9
    assert await store.prune_log(keep_newest=1000, older_than=Timestamp(NOON + 2 * 10**9), at_most=100) == 1
    assert [event.seq for event in await whole_log(store)] == [9]
