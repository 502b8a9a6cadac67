"""Counts of states: what a server remembers is what a job's history says."""

from __future__ import annotations

import random
from functools import partial

import pytest

from wfx.domain import creation, definition, tags, transition
from wfx.domain.definition import Definition
from wfx.domain.errors import TooManyRepetitions
from wfx.domain.job import Job, Status
from wfx.domain.json import Json
from wfx.domain.workflow import Actor, State, Transition, Trigger, Workflow
from wfx.service import repetitions
from wfx.service.repetitions import Repetitions
from wfx.store.protocol import Store

FLOW = Workflow(
    "w",
    (State("A"), State('B"{}'), State("C"), State("D")),
    (
        Transition("A", 'B"{}', Actor.CLIENT),
        Transition('B"{}', "C", Actor.CLIENT),
        Transition("C", "D", Actor.WFX),
    ),
)
STATES = [state.name for state in FLOW.states]


async def created(store: Store) -> Job:
    """A job."""
    await store.create_workflow(FLOW)
    return await store.create_job("w", partial(creation.decide, client_id="d", definition=None, tags=None))


async def report(store: Store, job: Job, status: Status) -> Job:
    """Report a status as the device."""
    return await store.change_job(job.id, partial(transition.decide, wanted=status, actor=Actor.CLIENT))


def plainly_counted(said: list[tuple[str, Status | None]]) -> dict[str, int]:
    """Count states: of what was said each that is not as the one before."""
    counts: dict[str, int] = {}
    for place, (state, status) in enumerate(said):
        if not place or said[place - 1] != (state, status):
            counts[state] = counts.get(state, 0) + 1
    return counts


@pytest.mark.parametrize("seed", range(4))
async def test_counts(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens to a job, a server that has followed it and one that is new count its states in the same way."""
    monkeypatch.setattr(repetitions, "_ROOM", 300)
    chance, job = random.Random(seed), await created(store)
    followed = Repetitions(store)
    said: list[tuple[str, Status | None]] = [("A", None)]
    for number in range(60):
        match chance.randrange(6):
            case 0:
                job = await store.change_job(job.id, partial(tags.add, tags=[f"t{number}"]))
            case 1:
                wanted = Definition.of({"number": number})
                job = await store.change_job(job.id, partial(definition.decide, wanted=wanted))
            case _:
                place = STATES.index(job.state)
                state = STATES[place + 1] if place < 2 and chance.random() < 0.05 else job.state
                context = Json(b'{"state":"D","definitionHash":"00"}') if chance.random() < 0.3 else None
                status = Status(state, progress=chance.randrange(2), message='"state":"', context=context)
                job = await report(store, job, status)
                said.append((state, status))
        if chance.random() < 0.4:
            assert (await followed._reports_of(job)).counts == plainly_counted(said)
    for each in (followed, Repetitions(store)):
        assert (await each._reports_of(job)).counts == plainly_counted(said)


async def test_another_definition(store: Store) -> None:
    """A report that differs from the present one by the hash of the definition alone is no new one."""
    job = await created(store)
    job = await store.change_job(job.id, partial(definition.decide, wanted=Definition.of({"a": 1})))
    change = transition.decide(job, Status("A", client_id="d"), Actor.CLIENT)
    await Repetitions(store).require(job, change, 1)
    other = transition.decide(job, Status("A", client_id="d", message="other"), Actor.CLIENT)
    with pytest.raises(TooManyRepetitions):
        await Repetitions(store).require(job, other, 1)


async def test_states_that_lead_on(store: Store) -> None:
    """A state that leads on at once counts where it leads to, once also if its report is repeated."""
    leading = Workflow(
        "l",
        (State("A"), State("X"), State("Y")),
        (Transition("A", "X", Actor.CLIENT), Transition("X", "Y", Actor.WFX, Trigger.IMMEDIATE)),
    )
    await store.create_workflow(leading)
    job = await store.create_job("l", partial(creation.decide, client_id="d", definition=None, tags=None))
    followed = Repetitions(store)
    for message in ("", "done", "done", ""):
        status = Status("X", message=message)
        await followed.require(job, transition.decide(job, status, Actor.CLIENT), 1)
        job = await report(store, job, status)
    for each in (followed, Repetitions(store)):
        assert (await each._reports_of(job)).counts == {"A": 1, "Y": 1}
