"""The contract of a store, as far as it concerns tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import all_jobs, begin, move, together
from tests.tasks.working import task_of
from wfx.domain.cause import Cause
from wfx.domain.errors import JobNotFound, SequenceTaken, TaskNotFailed, TaskNotFound, TaskTaken
from wfx.domain.json import Json
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store import rule_records
from wfx.store.operations import ChangeJob, CreateJob, JobOperation
from wfx.store.protocol import Store
from wfx.store.rule_records import NewTask, RuleRecords, ScoreEntry, Task, TaskOutcome, TaskQuery, TaskState

DONE = TaskOutcome(TaskState.DONE, Json(b'{"status":200}'))
FAILED = TaskOutcome(TaskState.FAILED, Json(b'"no answer"'))
CAUSE = Cause("r1", "north", "rule:sc_1", 7, 2).encoded
TTL = 1000.0


def new(*keys: str, kind: str = "mail", due: int = NOON) -> Sequence[NewTask]:
    """Make tasks with these keys."""
    return [NewTask(key, kind, Json(f'{{"for":"{key}"}}'.encode()), Timestamp(due), CAUSE) for key in keys]


async def add(store: Store, *tasks: NewTask) -> None:
    """Add tasks by a step that moves no place."""
    consumer = await store.consumer("rules")
    await store.step("rules", consumer.position, consumer.steps, consumer.position, (), RuleRecords(tasks=tasks))


async def claim(store: Store, at_most: int = 10) -> Sequence[Task]:
    """Claim tasks of the kind that there is."""
    return await store.claim_tasks(["mail"], at_most, TTL)


async def listed(store: Store, **query: object) -> list[str]:
    """Return the keys of the tasks of a query."""
    return [task.key for task in await store.list_tasks(TaskQuery(**query))]  # type: ignore[arg-type]


async def test_a_task_is_claimed_and_done(store: Store, clock: SetClock) -> None:
    """A task that is due is given to one who asks for its kind, and once it is done, to nobody."""
    await add(store, *new("a"))
    assert await store.claim_tasks(["webhook"], 10, TTL) == []
    clock.now += 5
    (task,) = await claim(store)
    assert (task.key, task.kind, task.state, task.attempts) == ("a", "mail", TaskState.RUNNING, 1)
    assert (task.input, task.result, task.cause) == (b'{"for":"a"}', None, CAUSE)
    assert (task.ctime, task.mtime) == (NOON, NOON + 5)
    assert await claim(store) == []
    assert list(await store.finish_task(task, DONE)) == []
    assert await claim(store) == []
    assert await store.next_task_due(["mail"]) is None
    found = await task_of(store, task.id)
    assert found == task._replace(state=TaskState.DONE, result=DONE.result, due=found.due, mtime=Timestamp(NOON + 5))


async def test_a_key_is_used_once(store: Store) -> None:
    """A task with a key that another one has is left out, in the same step and later ones, and while that is done."""
    await add(store, *new("a", "b", "a"))
    assert await listed(store) == ["a", "b"]
    await add(store, *new("b", "c"))
    for task in await claim(store):
        await store.finish_task(task, DONE)
    await add(store, *new("a", "b", "c", "d"))
    assert await listed(store) == ["a", "b", "c", "d"]


async def test_the_oldest_due_comes_first(store: Store, clock: SetClock) -> None:
    """Tasks of several kinds come in the order in which they are due, at most as many as asked for, and none before."""
    await add(store, *new("late", due=NOON + 90), *new("hook", kind="webhook", due=NOON + 5), *new("early", due=NOON))
    kinds = ["mail", "webhook", "mail"]
    assert await store.next_task_due(kinds) == NOON
    assert await store.next_task_due(["webhook"]) == NOON + 5
    clock.now = NOON + 50
    assert [task.key for task in await store.claim_tasks(kinds, 1, TTL)] == ["early"]
    assert [task.key for task in await store.claim_tasks(kinds, 10, TTL)] == ["hook"]
    assert await store.next_task_due(kinds) == NOON + 90
    clock.now = NOON + 90
    assert [task.key for task in await store.claim_tasks(kinds, 10, TTL)] == ["late"]
    for kinds_of_none in ([], ["x"], ["\0"], ["\ud800"]):
        assert await store.next_task_due(kinds_of_none) is None
        assert await store.claim_tasks(kinds_of_none, 10, TTL) == []
    assert await store.claim_tasks(["mail"], -1, TTL) == []


async def test_who_claims_a_task_again_has_it(store: Store) -> None:
    """A claim ends after its time; then the task is given once more, and who had it before can not finish it."""
    await add(store, *new("a"))
    (first,) = await store.claim_tasks(["mail"], 10, 1e-6)
    second: Sequence[Task] = ()
    while not second:  # PostgreSQL has a clock of its own, and that of the test stands still
        store_clock_moves(store)
        second = await claim(store)
    assert (second[0].id, second[0].attempts) == (first.id, 2)
    with pytest.raises(TaskTaken, match="attempt 1 of task"):
        await store.finish_task(first, DONE, records=RuleRecords(tasks=new("b")))
    assert await listed(store) == ["a"]
    await store.finish_task(second[0], DONE)
    with pytest.raises(TaskTaken):
        await store.finish_task(second[0], FAILED)
    assert (await task_of(store, first.id)).result == DONE.result


def store_clock_moves(store: Store) -> None:
    """Let some time pass for the store."""
    clock = store._clock  # type: ignore[attr-defined] # that of the test
    clock.now += 1


async def test_a_task_is_tried_again_later(store: Store, clock: SetClock) -> None:
    """What is to be tried again is given again when it is due, with what was said of the attempt before."""
    await add(store, *new("a", "b"))
    first, second = await claim(store)
    await store.finish_task(first, TaskOutcome(TaskState.WAITING, Json(b'"503"'), Timestamp(NOON + 60)))
    await store.finish_task(second, TaskOutcome(TaskState.WAITING, Json(b'"busy"')))
    assert [(task.key, task.attempts, task.result) for task in await claim(store)] == [("b", 2, b'"busy"')]
    clock.now += 60
    assert [(task.key, task.attempts, task.result) for task in await claim(store)] == [("a", 2, b'"503"')]


async def test_what_follows_of_a_task_is_done_with_its_end(store: Store, flow: Workflow) -> None:
    """Operations and records come with the end of a task, each operation with its result, or not at all."""
    await add(store, *new("a"))
    (task,) = await claim(store)
    wanted: Sequence[JobOperation] = [CreateJob(flow.name, begin()), ChangeJob("unknown", move("RUN"))]
    records = RuleRecords(new("next"), [ScoreEntry("a", "u", 5, "good")], {"n": (0, 1)})
    with pytest.raises(SequenceTaken):
        await store.finish_task(task, DONE, wanted, records._replace(sequences={"n": (3, 4)}))
    assert (await all_jobs(store), await listed(store)) == ((), ["a"])
    created, refused = await store.finish_task(task, DONE, wanted, records)
    assert await all_jobs(store) == (created,)
    assert isinstance(refused, JobNotFound)
    assert await listed(store) == ["a", "next"]
    assert await store.score_totals(["u"]) == {"u": 5}
    assert await store.sequences(["n"]) == {"n": 1}


async def test_a_failed_task_is_done_once_more(store: Store, clock: SetClock) -> None:
    """Only a failed task can be replayed; it is due at once, and its attempts go on."""
    await add(store, *new("a"))
    (task,) = await claim(store)
    with pytest.raises(TaskNotFailed, match="is RUNNING; only a task that is FAILED"):
        await store.replay_task(task.id)
    await store.finish_task(task, FAILED)
    assert await claim(store) == []
    clock.now += 7
    replayed = await store.replay_task(task.id)
    assert (replayed.state, replayed.due, replayed.attempts) == (TaskState.WAITING, NOON + 7, 1)
    assert replayed == await task_of(store, task.id)
    clock.now += 1
    with pytest.raises(TaskNotFailed):
        await store.replay_task(task.id)
    assert [each.attempts for each in await claim(store)] == [2]
    for unknown in (task.id + 1, -1, 2**70):
        with pytest.raises(TaskNotFound):
            await store.replay_task(unknown)


async def test_tasks_that_wait_are_hastened(store: Store, clock: SetClock) -> None:
    """Tasks of a kind that wait are due at once, in order; others, and those that were claimed, stay as they are."""
    await add(store, *new("a", due=NOON + 70), *new("b", due=NOON + 60), *new("w", kind="webhook", due=NOON + 50))
    await add(store, *new("c"), *new("d"))
    (claimed,) = await claim(store, 1)
    clock.now += 5
    assert await store.hasten_tasks(["mail", "mail", "other", "\0"]) == 2
    assert await store.hasten_tasks([]) == 0
    assert [(task.key, task.due) for task in await store.list_tasks(TaskQuery())] == [
        ("a", NOON + 5), ("b", NOON + 5), ("w", NOON + 50), ("c", claimed.due), ("d", NOON),
    ]  # fmt: skip
    assert [task.key for task in await claim(store)] == ["d", "a", "b"]


async def test_some_tasks_that_wait_are_hastened(store: Store) -> None:
    """Of the tasks that wait only those that are named are due at once; ids of others, and of none, do nothing."""
    await add(store, *new("a", "b", "c", due=NOON + 70), *new("w", kind="webhook", due=NOON + 50))
    first, _, third, other = [task.id for task in await store.list_tasks(TaskQuery())]
    assert await store.hasten_tasks(["mail"], []) == 0
    assert await store.hasten_tasks(["mail", "odd"], [third, first, other, 2**70, -1]) == 2
    assert [task.key for task in await claim(store)] == ["a", "c"]


async def test_tasks_are_listed_by_kind_and_state(store: Store) -> None:
    """A page has the tasks of a kind and a state, in order or the other way round, behind a task, up to its limit."""
    await add(store, *new("a", "b"), *new("w", kind="webhook"), *new("c"))
    (task,) = await claim(store, 1)
    await store.finish_task(task, FAILED)
    assert await listed(store) == ["a", "b", "w", "c"]
    assert await listed(store, kind="mail", state=TaskState.WAITING) == ["b", "c"]
    assert await listed(store, state=TaskState.FAILED) == ["a"]
    assert await listed(store, kind="webhook", state=TaskState.DONE) == []
    assert await listed(store, descending=True, limit=2) == ["c", "w"]
    third = (await store.list_tasks(TaskQuery()))[2].id
    assert await listed(store, after=third) == ["c"]
    assert await listed(store, after=third, descending=True, kind="mail") == ["b", "a"]
    for none in ({"limit": -1}, {"kind": "\0"}, {"after": 2**70}, {"after": -(2**70), "descending": True}):
        assert await listed(store, **none) == []


@pytest.mark.parametrize("room", [0, 11, 12, 22, 2**70])
async def test_a_page_of_tasks_has_what_fits(store: Store, room: int) -> None:
    """The first task is there however large it is, and of the others as many as there is room for."""
    await add(store, *new("a", "b", "c"))
    size = len(b'{"for":"a"}')
    expected = ["a", "b", "c"][: max(1, min(room // size, 3))]
    assert [task.key for task in await store.list_tasks(TaskQuery(), room)] == expected


async def test_finished_tasks_are_dropped(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that were finished long ago are dropped, and so are those that are too many, the oldest first."""
    await add(store, *new("a", "b", "c", "d", "e", "open"))
    for task in (await claim(store))[:5]:
        clock.now += 10
        await store.finish_task(task, FAILED if task.key == "b" else DONE)
    assert await store.drop_tasks(Timestamp(NOON + 10), 100) == 0
    assert await store.drop_tasks(Timestamp(NOON + 100), 0) == 0
    assert await store.drop_tasks(Timestamp(NOON + 11), 100) == 1
    assert await store.drop_tasks(Timestamp(NOON + 100), 1) == 1
    assert await listed(store) == ["c", "d", "e", "open"]
    monkeypatch.setattr(rule_records, "MOST_TASKS", 1)
    assert await store.drop_tasks(Timestamp(0), 1) == 1
    assert await store.drop_tasks(Timestamp(-(2**70)), 2**70) == 1
    assert await store.drop_tasks(Timestamp(0), 100) == 0
    assert await listed(store) == ["e", "open"]


async def test_an_id_is_never_given_again(store: Store) -> None:
    """A task that comes when the newest one was dropped has an id of its own."""
    await add(store, *new("a"))
    (task,) = await claim(store)
    await store.finish_task(task, DONE)
    assert await store.drop_tasks(Timestamp(NOON + 1), 1) == 1
    await add(store, *new("b"))
    assert [each.id > task.id for each in await store.list_tasks(TaskQuery())] == [True]


async def test_many_who_claim_at_once_share(store: Store) -> None:
    """Of all who claim tasks at the same time each gets others, and all are given."""
    await add(store, *new(*(f"k{n}" for n in range(100))))
    claimed = await together(*(claim(store, 7) for _ in range(20)))
    keys = [task.key for some in claimed for task in some]
    assert sorted(keys) == sorted(f"k{n}" for n in range(100))


@pytest.mark.parametrize("ttl", [0, -1, 86_401, float("nan")])
async def test_a_claim_has_an_end(store: Store, ttl: float) -> None:
    """Who claims for no time, or for longer than a day, is refused."""
    with pytest.raises(ValueError, match="a task is claimed for more than 0 seconds and at most 86,400"):
        await store.claim_tasks(["mail"], 1, ttl)


async def test_tasks_outlive_the_store(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """After a restart tasks are where they were, and what was claimed from a file that nobody else has is due."""
    async with lasting.open(tmp_path, clock) as store:
        await add(store, *new("a", "b", "c"))
        first, second = await claim(store, 2)
        await store.finish_task(first, DONE)
        done, running, waiting = await store.list_tasks(TaskQuery())
    async with lasting.open(tmp_path, clock) as store:
        again = await store.list_tasks(TaskQuery())
        is_file = lasting.kind == "sqlite"
        assert again == [done, running._replace(due=running.mtime) if is_file else running, waiting]
        assert [task.key for task in await claim(store)] == (["b", "c"] if is_file else ["c"])
        if is_file:
            with pytest.raises(TaskTaken):
                await store.finish_task(second, DONE)


async def test_open_tasks_are_counted(store: Store) -> None:
    """Tasks that wait or are running are counted by kind, others are not."""
    assert await store.count_open_tasks() == {}
    await add(store, *new("a", "b", "c"), *new("d", kind="webhook_notify"))
    (first, second) = await claim(store, 2)
    await store.finish_task(first, DONE)
    assert await store.count_open_tasks() == {"mail": 2, "webhook_notify": 1}
    await store.finish_task(second, FAILED)
    assert await store.count_open_tasks() == {"mail": 1, "webhook_notify": 1}


async def test_who_works_on_tasks_is_told_of_them(store: Store) -> None:
    """Whoever watches is told once of each step, event and end of a task that has written tasks, and of no other."""
    told = []
    store.watch_tasks(lambda: told.append(1))
    await add(store)
    await store.take_event("e0", (), RuleRecords(), lambda _: "")
    assert len(told) == 0
    await add(store, *new("a", "b"))
    assert len(told) == 1
    await store.take_event("e1", (), RuleRecords(tasks=new("c")), lambda _: "")
    assert len(told) == 2
    first, second, _ = await claim(store)
    await store.finish_task(first, DONE)
    assert len(told) == 2
    await store.finish_task(second, DONE, (), RuleRecords(tasks=new("d")))
    assert len(told) == 3
