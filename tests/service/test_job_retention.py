"""Retention of jobs: which finished ones are deleted when, and which stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.store.backends import NOON, SetClock
from tests.store.samples import FLOW, all_jobs, begin, job_log, move
from tests.tuned import tuned
from wfx.config.max_ages import MaxAges
from wfx.domain.cause import Cause
from wfx.domain.job import Action, Job
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Actor, Group
from wfx.service import job_retention
from wfx.service.job_retention import JobRetention, delete_jobs
from wfx.service.old_jobs import OldJobs
from wfx.store import job_lists
from wfx.store.batching_store import BatchingStore
from wfx.store.operations import TakeLease
from wfx.store.protocol import Store

DAY = 86_400 * 1_000_000
GROUPED = replace(FLOW, name="grouped.flow", groups=(Group("OPEN", ("NEW", "RUN", "LOST")), Group("CLOSED", ("DONE",))))


def retention(store: Store, clock: SetClock, *ages: str, **more: Any) -> JobRetention:
    """Keep jobs for these ages, by the clock of the store."""
    settings = tuned(jobs_closed_max_age=ages, **more)
    return JobRetention(store, settings, pause=0, now=lambda: Timestamp(clock.now))


async def job_in(store: Store, *steps: str, workflow: str = "demo.flow", client: str = "press-7") -> Job:
    """Create a job and take these steps."""
    job = await store.create_job(workflow, begin(client))
    for step in steps:
        job = await store.change_job(job.id, move(step, actor=Actor.WFX if step == "LOST" else Actor.CLIENT))
    return job


@pytest.mark.usefixtures("flow")
async def test_only_finished_jobs_that_are_old_go(store: Store, clock: SetClock) -> None:
    """Jobs in a group of the finished, or in a state that nothing leads on from, go at their age; no others."""
    gone = [await job_in(store, "RUN", "DONE"), await job_in(store, "LOST")]
    await job_in(store, "RUN")
    await job_in(store)
    clock.now += 10 * DAY
    await job_in(store, "RUN", "DONE")
    kept = retention(store, clock, "10d")
    assert await kept.delete_old_jobs() == 0, "not before they are older"
    clock.now += 10
    before = len(await job_log(store))
    assert await kept.delete_old_jobs() == 2
    told = (await job_log(store))[before:]
    assert {event.job_id for event in told} == {job.id for job in gone}
    assert {(event.action, event.cause) for event in told} == {(Action.DELETE, Cause(actor="retention"))}
    assert sorted(job.state for job in await all_jobs(store)) == ["DONE", "NEW", "RUN"]


async def test_a_state_in_the_group_open_is_not_finished(store: Store, clock: SetClock) -> None:
    """A job that its workflow calls open stays, also where nothing leads on from its state, whatever is asked for."""
    await store.create_workflow(GROUPED)
    await job_in(store, "LOST", workflow="grouped.flow")
    clock.now += 100 * DAY
    assert await retention(store, clock, "1d", "LOST=1d").delete_old_jobs() == 0


@pytest.mark.usefixtures("flow")
async def test_names_of_open_states_are_told(store: Store, clock: SetClock, caplog: pytest.LogCaptureFixture) -> None:
    """A name with an age that workflows have, but for no finished state, is logged once; one that none has is not."""
    kept = retention(store, clock, "RUN=1d", "DONE=1d", "NEW=0", "LATER=1d")
    for _ in range(3):
        await kept.delete_old_jobs()
    assert [record.getMessage() for record in caplog.records] == [
        "jobs-closed-max-age names RUN, but no job is finished there: it deletes nothing"
    ]


@pytest.mark.usefixtures("flow")
async def test_the_option_is_read_when_it_is_set(
    store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ages are read when the option is set and not in each step, and a change counts at once."""
    settings = tuned(jobs_closed_max_age=("9d",))
    kept = JobRetention(store, settings, pause=0, now=lambda: Timestamp(clock.now))
    await job_in(store, "LOST")
    clock.now += 2 * DAY
    settings.replace(replace(settings.current, jobs_closed_max_age=("1d",)))
    monkeypatch.setattr(MaxAges, "parse", None)
    assert await kept.delete_old_jobs() == 1


@pytest.mark.usefixtures("flow")
async def test_groups_and_states_have_their_own_ages(store: Store, clock: SetClock) -> None:
    """The age of a state counts before that of its group, and that before the one of all; 0 keeps jobs."""
    await job_in(store, "RUN", "DONE")
    await job_in(store, "LOST")
    clock.now += 5 * DAY
    for ages in (), ("CLOSED=6d", "LOST=1y"), ("1d", "CLOSED=0", "LOST=6d"), ("30d", "DONE=6d", "CLOSED=2d"):
        assert await retention(store, clock, *ages).delete_old_jobs() == 0, ages
    for ages in ("9d", "LOST=4d"), ("CLOSED=4d",):
        assert await retention(store, clock, *ages).delete_old_jobs() == 1, ages


@pytest.mark.usefixtures("flow")
async def test_age_is_that_of_the_last_change(store: Store, clock: SetClock) -> None:
    """A job that was created long ago and finished lately stays until that is long ago, too."""
    job = await job_in(store, "RUN")
    clock.now += 50 * DAY
    await store.change_job(job.id, move("DONE"))
    clock.now += 9 * DAY
    kept = retention(store, clock, "10d")
    assert await kept.delete_old_jobs() == 0
    clock.now += 2 * DAY
    assert await kept.delete_old_jobs() == 1


@pytest.mark.usefixtures("flow")
async def test_what_changes_meanwhile_stays(store: Store, clock: SetClock) -> None:
    """A job that was changed between its being found and its deletion is not deleted."""
    job = await job_in(store, "RUN", "DONE")
    other = await job_in(store, "RUN", "DONE")
    third = await job_in(store, "RUN", "DONE")
    clock.now += 2 * DAY
    found, search = [], OldJobs(store)
    while (rows := await search.step(MaxAges(86_400), Timestamp(clock.now))) is not None:
        found += rows
    assert [row.id for row in found] == [job.id, other.id, third.id]
    await store.change_job(job.id, move("DONE", message="once more"))
    await store.delete_job(third.id)
    assert await delete_jobs(store, found, job_retention.CAUSE) == found[1:2]
    assert [each.id for each in await all_jobs(store)] == [job.id]


@pytest.mark.usefixtures("flow")
async def test_young_jobs_are_not_gone_through(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round ends its way through a state's jobs behind the first that are too young, however many there are."""
    for _ in range(3):
        await job_in(store, "RUN", "DONE")
    clock.now += 20 * DAY
    for _ in range(30):
        await job_in(store, "RUN", "DONE")
    monkeypatch.setattr(job_lists, "LOOKED_AT", 5)
    found, steps, search = 0, 0, OldJobs(store)
    while (rows := await search.step(MaxAges(10 * 86_400.0), Timestamp(clock.now))) is not None:
        steps, found = steps + 1, found + len(rows)
    assert (found, steps) == (3, 4), "the workflow, five jobs in DONE, the next one, LOST"


@pytest.mark.usefixtures("flow")
async def test_a_job_from_the_future_hides_none(store: Store, clock: SetClock) -> None:
    """A job that was created while the clock was wrong keeps no older ones behind it from going."""
    clock.now = NOON + 1000 * DAY
    await job_in(store, "RUN", "DONE", client="future")
    clock.now = NOON
    await job_in(store, "RUN", "DONE")
    clock.now += 11 * DAY
    assert await retention(store, clock, "10d").delete_old_jobs() == 1
    assert [job.client_id for job in await all_jobs(store)] == ["future"]


@pytest.mark.usefixtures("flow")
async def test_a_turn_ends_and_the_next_goes_on(store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn looks at so much and no more, and the next one begins where it has ended."""
    await job_in(store, "LOST")
    clock.now += 2 * DAY
    monkeypatch.setattr(job_retention, "_STEPS", 1)
    kept = retention(store, clock, "1d")
    assert [await kept.delete_old_jobs() for _ in range(4)] == [0, 0, 1, 0]


@pytest.mark.usefixtures("flow")
async def test_tombstones_go_after_their_time(store: Store, clock: SetClock) -> None:
    """What is told of deleted jobs goes when the time of grace is over."""
    job = await job_in(store)
    await store.delete_job(job.id)
    kept = retention(store, clock, tombstone_grace=3600.0)
    clock.now += 3600 * 1_000_000
    assert await kept.drop_tombstones() == 0
    clock.now += 1_000_000
    assert await kept.drop_tombstones() == 1


async def test_one_server_does_it(timed: Store, clock: SetClock) -> None:
    """While another server has the lease nothing is deleted here."""
    await timed.create_workflow(FLOW)
    await job_in(timed, "LOST")
    clock.now += 2 * DAY
    assert isinstance(timed, BatchingStore)
    taken = await timed.backend.perform(TakeLease("job-retention", "another server", 1_000_000), clock.now)
    assert taken.result is not None
    kept = retention(timed, clock, "1d")
    assert await kept.delete_old_jobs() == 0
    clock.now += 2_000_000
    assert await kept.delete_old_jobs() == 1
