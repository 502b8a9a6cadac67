"""Reports that an immediate transition overtakes: kept in the history, and repeated when their answer is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.backends import Backend, SetClock
from tests.store.samples import begin, history_of, job_log, tag
from wfx.domain import transition
from wfx.domain.errors import TransitionRefused
from wfx.domain.job import Action, Change, Job, Status
from wfx.domain.json import Json, decode
from wfx.domain.workflow import Actor, State, Transition, Trigger, Workflow
from wfx.store.protocol import DecideChange, Store

HOP = Workflow(
    name="hop.flow",
    states=(State("RUN"), State("RAN"), State("NEXT"), State("END")),
    transitions=(
        Transition("RUN", "RAN", Actor.CLIENT),
        Transition("RAN", "NEXT", Actor.WFX, Trigger.IMMEDIATE),
        Transition("NEXT", "END", Actor.CLIENT),
    ),
)


def report(state: str, message: str = "", progress: int | None = None, actor: Actor = Actor.CLIENT) -> DecideChange:
    """Decide on a report."""

    def decide(job: Job) -> Change:
        return transition.decide(job, Status(state, message=message, progress=progress, context=Json(b"{}")), actor)

    return decide


async def running(store: Store) -> Job:
    """Create a job whose next report an immediate transition overtakes."""
    await store.create_workflow(HOP)
    return await store.create_job("hop.flow", begin())


async def test_what_was_reported_stays_in_the_history(store: Store) -> None:
    """The history has the message and progress of a report that an immediate transition overtook, in its order."""
    job = await running(store)
    hopped = await store.change_job(job.id, report("RAN", "ready", 100))
    assert (hopped.state, decode(hopped.status)) == (
        "NEXT", {"definitionHash": job.definition_hash, "state": "NEXT"},
    )  # fmt: skip
    newest, oldest = await history_of(store, job.id, 10)
    assert decode(newest.status) == {
        "context": {}, "definitionHash": job.definition_hash, "message": "ready", "progress": 100, "state": "RAN",
    }  # fmt: skip
    assert (decode(oldest.status)["state"], oldest.mtime) == ("RUN", job.mtime)
    assert oldest.mtime < newest.mtime < hopped.mtime
    assert [event.action for event in await job_log(store)] == [Action.CREATE, Action.UPDATE_STATUS]
    ended = await store.change_job(job.id, report("END"))
    states = [decode(entry.status)["state"] for entry in await history_of(store, job.id, 10)]
    assert (states, ended.version) == (["NEXT", "RAN", "RUN"], 4)


async def test_a_report_may_be_repeated(store: Store) -> None:
    """The report that has led to the present state is accepted again, and answered as it was the first time."""
    job = await running(store)
    first = await store.change_job(job.id, report("RAN", "ready"))
    for _ in range(2):
        again = await store.change_job(job.id, report("RAN", "ready"))
        assert (again.state, again.status) == (first.state, first.status)


async def test_nobody_else_may_repeat_it(store: Store) -> None:
    """The side that could not make the report cannot repeat it."""
    job = await running(store)
    await store.change_job(job.id, report("RAN"))
    with pytest.raises(TransitionRefused):
        await store.change_job(job.id, report("RAN", actor=Actor.WFX))


@pytest.mark.parametrize("what", ["tags", "the present state again"])
async def test_once_something_else_has_happened_it_is_refused(store: Store, what: str) -> None:
    """A report is no repetition once the job was changed otherwise."""
    job = await running(store)
    await store.change_job(job.id, report("RAN"))
    await store.change_job(job.id, tag("t") if what == "tags" else report("NEXT"))
    with pytest.raises(TransitionRefused):
        await store.change_job(job.id, report("RAN"))


async def test_a_state_that_was_reached_otherwise_is_no_repetition(store: Store) -> None:
    """A report that leads to the present state, but was not made, is refused."""
    await store.create_workflow(HOP)
    job = await store.create_job("hop.flow", begin())
    await store.change_job(job.id, report("RAN"))
    ended = await store.change_job(job.id, report("END"))
    assert ended.overtaken == ""
    with pytest.raises(TransitionRefused):
        await store.change_job(job.id, report("RAN"))


async def test_a_repetition_is_known_after_a_restart(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """What was reported is known when the store is opened again."""
    async with lasting.open(tmp_path, clock) as store:
        job = await running(store)
        first = await store.change_job(job.id, report("RAN"))
    async with lasting.open(tmp_path, clock) as store:
        assert await store.get_job(job.id) == first
        assert (await store.change_job(job.id, report("RAN"))).status == first.status
