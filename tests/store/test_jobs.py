"""The contract of a store, as far as it concerns jobs and their history."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.store.backends import NOON, Backend, SetClock
from tests.store.samples import FLOW, all_jobs, begin, history_of, job_log, move, redefine, tag, untag
from wfx.domain.errors import JobNotFound, TransitionRefused, WorkflowNotFound
from wfx.domain.job import Change, Draft, Job
from wfx.domain.json import decode
from wfx.domain.workflow import Actor, Workflow
from wfx.store.protocol import Store


async def test_a_new_job_is_what_was_decided(store: Store, flow: Workflow) -> None:
    """A created job has a random id, version 1, both times now, and everything that the decision says."""
    job = await store.create_job(flow.name, begin("press-7", definition={"n": 3}, tags=["hall1", "line2"]))
    assert uuid.UUID(job.id).version == 4
    assert (job.version, job.stime, job.mtime) == (1, NOON, NOON)
    assert (job.client_id, job.state, job.workflow) == ("press-7", "NEW", flow)
    assert decode(job.tags) == ["hall1", "line2"]
    assert job.definition == b'{"n":3}'
    assert await store.get_job(job.id) == job


@pytest.mark.parametrize("text", ["ü€😀", "\u0001\u001f\u007f", "a'b\"c", "\u202e", "x" * 100_000, "%s?:rows:items"])
async def test_any_text_comes_back(store: Store, flow: Workflow, text: str) -> None:
    """Client ids, tags and documents keep their characters, whatever they are."""
    job = await store.create_job(flow.name, begin(text, definition={text: text}, tags=[text]))
    assert (job.client_id, decode(job.tags)) == (text, [text])
    assert await store.get_job(job.id) == job
    assert await all_jobs(store, client_id=text, tags=(text,)) == (job,)


@pytest.mark.parametrize("definition", [None, {}, {"a": None}])
async def test_a_missing_definition_differs_from_an_empty_one(
    store: Store, flow: Workflow, definition: dict[str, None] | None
) -> None:
    """Whether a definition was given is remembered."""
    job = await store.create_job(flow.name, begin(definition=definition))
    read = await store.get_job(job.id)
    assert (None if read.definition is None else decode(read.definition)) == definition


async def test_a_job_of_an_unknown_workflow_is_refused(store: Store) -> None:
    """The refusal carries the name that was asked for."""
    with pytest.raises(WorkflowNotFound) as refusal:
        await store.create_job("nothing", begin())
    assert refusal.value.name == "nothing"


@pytest.mark.parametrize("job_id", ["", "x", "00000000-0000-4000-8000-000000000000", "ü", "\ud800", "a" * 5000])
async def test_an_unknown_job_is_not_found(store: Store, job_id: str) -> None:
    """Whatever is asked of a job that is not there, also under an impossible id, the answer is that it is not there."""
    for act in (
        store.get_job(job_id),
        history_of(store, job_id, 10),
        store.change_job(job_id, move("RUN")),
        store.delete_job(job_id),
    ):
        with pytest.raises(JobNotFound):
            await act


async def test_a_change_takes_what_was_decided(store: Store, flow: Workflow, clock: SetClock) -> None:
    """A change replaces status and state, raises the version by one and sets mtime; the rest stays."""
    job = await store.create_job(flow.name, begin(definition={"n": 1}, tags=["t"]))
    clock.now += 5
    changed = await store.change_job(job.id, move("RUN", message="going"))
    assert (changed.state, changed.version, changed.mtime) == ("RUN", 2, NOON + 5)
    assert decode(changed.status)["message"] == "going"
    assert (changed.stime, changed.definition, changed.tags) == (job.stime, job.definition, job.tags)
    assert await store.get_job(job.id) == changed


async def test_a_change_decides_on_the_job_as_it_is(store: Store, flow: Workflow) -> None:
    """The decision is given the stored job, whole."""
    job = await store.create_job(flow.name, begin(definition={"n": 1}, tags=["t"]))
    given: list[Job] = []

    def look(found: Job) -> Change:
        given.append(found)
        return move("RUN")(found)

    await store.change_job(job.id, look)
    assert given == [job]


async def test_a_refused_change_leaves_nothing(store: Store, flow: Workflow) -> None:
    """When the decision raises, its error reaches the caller, and job, history and log are as before."""
    job = await store.create_job(flow.name, begin())
    with pytest.raises(TransitionRefused, match="from 'NEW' to 'DONE' does not exist"):
        await store.change_job(job.id, move("DONE"))
    assert await store.get_job(job.id) == job
    assert await history_of(store, job.id, 10) == []
    assert (await store.log_bounds()).head == 2


async def test_a_failing_decision_fails_its_caller(store: Store, flow: Workflow) -> None:
    """An unexpected error inside a decision is raised to its own caller, and the store goes on."""
    job = await store.create_job(flow.name, begin())

    def broken_change(_: Job) -> Change:
        raise ZeroDivisionError

    def broken_creation(_: Workflow) -> Draft:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.change_job(job.id, broken_change)
    with pytest.raises(ZeroDivisionError):
        await store.create_job(flow.name, broken_creation)
    assert await store.get_job(job.id) == job


async def test_every_change_counts(store: Store, flow: Workflow) -> None:
    """A change that leaves everything as it was still gives a version, a history entry and an event."""
    job = await store.create_job(flow.name, begin(tags=["t"]))
    changed = await store.change_job(job.id, tag("t"))
    assert (changed.tags, changed.version) == (job.tags, 2)
    assert len(await history_of(store, job.id, 10)) == 1
    assert (await store.log_bounds()).head == 3


@pytest.mark.parametrize("jump", [0, -3_600_000_000, 3_600_000_000])
async def test_mtime_rises_whatever_the_clock_does(store: Store, flow: Workflow, clock: SetClock, jump: int) -> None:
    """With a clock that stands still or goes an hour back or forth, a job's times still rise."""
    job = await store.create_job(flow.name, begin())
    clock.now += jump
    first = await store.change_job(job.id, move("RUN"))
    second = await store.change_job(job.id, move("DONE"))
    assert job.mtime < first.mtime < second.mtime
    times = [event.ctime for event in await job_log(store)]
    assert times == [job.mtime, first.mtime, second.mtime]


async def test_the_history_tells_what_the_job_was(store: Store, flow: Workflow, clock: SetClock) -> None:
    """Newest first: the status and mtime before each change, and the definition where the change replaced it."""
    steps = [await store.create_job(flow.name, begin(definition={"n": 1}))]
    for decide in (move("RUN"), redefine({"n": 2}), tag("x"), redefine({"n": 2})):
        clock.now += 1000
        steps.append(await store.change_job(steps[-1].id, decide))
    entries = await history_of(store, steps[0].id, 10)
    former = steps[-2::-1]
    assert [(entry.mtime, entry.status) for entry in entries] == [(job.mtime, job.status) for job in former]
    assert [entry.definition for entry in entries] == [None, None, b'{"n":1}', None]


@pytest.mark.parametrize(("limit", "count"), [(2, 2), (5, 5), (9, 5), (0, 0)])
async def test_the_history_is_bounded(store: Store, flow: Workflow, limit: int, count: int) -> None:
    """At most as many entries as asked for, the newest ones."""
    job = await store.create_job(flow.name, begin())
    for n in range(5):
        await store.change_job(job.id, move("NEW", message=f"m{n}"))
    entries = await history_of(store, job.id, limit)
    newest = ["m3", "m2", "m1", "m0", None]
    assert [decode(entry.status).get("message") for entry in entries] == newest[:count]


async def test_a_deleted_job_is_gone_with_its_history(store: Store, flow: Workflow) -> None:
    """After its deletion a job is neither found nor listed, by tag or otherwise, nor is its history."""
    job = await store.create_job(flow.name, begin(tags=["t"], definition={"n": 1}))
    other = await store.create_job(flow.name, begin(tags=["t"]))
    await store.change_job(job.id, move("RUN"))
    await store.delete_job(job.id)
    for act in (store.get_job(job.id), history_of(store, job.id, 10), store.delete_job(job.id)):
        with pytest.raises(JobNotFound):
            await act
    assert await all_jobs(store) == await all_jobs(store, tags=("t",)) == (other,)


async def test_tags_can_be_found_as_long_as_they_are_there(store: Store, flow: Workflow) -> None:
    """Added tags find the job, removed ones no longer do."""
    job = await store.create_job(flow.name, begin(tags=["a"]))
    job = await store.change_job(job.id, tag("b", "c"))
    job = await store.change_job(job.id, untag("a", "b"))
    assert decode(job.tags) == ["c"]
    assert await all_jobs(store, tags=("c",)) == (job,)
    assert await all_jobs(store, tags=("a", "b")) == ()


async def test_a_definition_can_come_and_go(store: Store, flow: Workflow) -> None:
    """A change may give a definition to a job without one, and take it away."""
    job = await store.create_job(flow.name, begin())

    def undefine(found: Job) -> Change:
        change = redefine({})(found)
        return Change(change.action, change.state, change.status, change.definition_hash, None, change.tags)

    await store.change_job(job.id, redefine({"n": 1}))
    assert (await store.get_job(job.id)).definition == b'{"n":1}'
    await store.change_job(job.id, undefine)
    assert (await store.get_job(job.id)).definition is None


async def test_jobs_are_there_after_reopening(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """What was acknowledged is read back by the next server, with its history, and numbers go on."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin(definition={"n": 1}, tags=["t"]))
        job = await store.change_job(job.id, move("RUN"))
        history = await history_of(store, job.id, 10)
    async with backend.open(tmp_path, clock) as store:
        if not backend.lasting:
            assert await all_jobs(store) == ()
            return
        assert await store.get_job(job.id) == job
        assert await history_of(store, job.id, 10) == history
        later = await store.create_job(FLOW.name, begin())
        assert await all_jobs(store) == (job, later)
        assert (await store.log_bounds()).head == 4


async def test_a_large_definition_comes_back(store: Store, flow: Workflow) -> None:
    """A definition of megabytes is stored, and survives changes that do not concern it."""
    big = {"blob": "x" * 3_000_000}
    job = await store.create_job(flow.name, begin(definition=big))
    await store.change_job(job.id, move("LOST", actor=Actor.WFX))
    definition = (await store.get_job(job.id)).definition
    assert definition is not None
    assert decode(definition) == big
