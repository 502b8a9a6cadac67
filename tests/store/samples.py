"""A workflow, decisions about its jobs, and short ways to ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from wfx.domain import creation, definition, tags, transition
from wfx.domain.definition import Definition
from wfx.domain.errors import WfxError
from wfx.domain.job import Change, Draft, Event, HistoryEntry, Job, Status, Subject
from wfx.domain.query import Item, JobQuery, Page, Paging
from wfx.domain.workflow import Actor, Group, State, Transition, Workflow
from wfx.store.protocol import DecideChange, DecideCreation, Store

FLOW = Workflow(
    name="demo.flow",
    description="Runs until it is done",
    states=(State("NEW"), State("RUN", "works"), State("DONE"), State("LOST")),
    transitions=(
        Transition("NEW", "RUN", Actor.CLIENT),
        Transition("RUN", "DONE", Actor.CLIENT),
        Transition("NEW", "LOST", Actor.WFX),
    ),
    groups=(Group("OPEN", ("NEW", "RUN")), Group("CLOSED", ("DONE",))),
)


def renamed(name: str, workflow: Workflow = FLOW) -> Workflow:
    """Return the workflow under another name."""
    return replace(workflow, name=name)


def begin(
    client_id: str = "press-7", *, definition: dict[str, Any] | None = None, tags: Sequence[str] = ()
) -> DecideCreation:
    """Decide how a job starts."""
    known = None if definition is None else Definition.of(definition)

    def decide(workflow: Workflow) -> Draft:
        return creation.decide(workflow, client_id=client_id, definition=known, tags=tags or None)

    return decide


def move(state: str, *, message: str = "", actor: Actor = Actor.CLIENT) -> DecideChange:
    """Decide on a status."""

    def decide(job: Job) -> Change:
        return transition.decide(job, Status(state, message=message), actor)

    return decide


def redefine(document: dict[str, Any]) -> DecideChange:
    """Decide on a definition."""
    wanted = Definition.of(document)

    def decide(job: Job) -> Change:
        return definition.decide(job, wanted)

    return decide


def tag(*names: str) -> DecideChange:
    """Decide on more tags."""

    def decide(job: Job) -> Change:
        return tags.add(job, names)

    return decide


def untag(*names: str) -> DecideChange:
    """Decide on fewer tags."""

    def decide(job: Job) -> Change:
        return tags.remove(job, names)

    return decide


async def together(*acts: Coroutine[Any, Any, Any]) -> list[Any]:
    """Do the acts at the same time; return their results and what they raised."""
    return await asyncio.gather(*acts, return_exceptions=True)


async def whole_log(store: Store) -> list[Event]:
    """Read the log from the oldest event on."""
    bounds = await store.log_bounds()
    return list(await store.read_log(bounds.oldest - 1, 1_000_000))


async def job_log(store: Store) -> list[Event]:
    """Read the events of jobs from the oldest on."""
    return [event for event in await whole_log(store) if event.subject is Subject.JOB]


async def all_jobs(store: Store, **conditions: Any) -> tuple[Job, ...]:
    """Return all jobs that match."""
    page = await store.query_jobs(JobQuery(**conditions, paging=Paging(limit=0)))
    return page.items


async def history_of(store: Store, job_id: str, limit: int) -> list[HistoryEntry]:
    """Read the newest entries of a job's history."""
    return list((await store.get_history(job_id, limit)).items)


async def in_pieces(store: Store, page: Page[Item], room: int) -> list[Item]:
    """Read a page on to its end, piece by piece, each with as much room as it takes."""
    items = list(page.items)
    while page.rest is not None:
        page = await store.read_on(page.rest, max(room, page.rest.next_size))
        items += page.items
    return items


async def attempt(act: Coroutine[Any, Any, Any]) -> None:
    """Do the act; being refused is fine."""
    with suppress(WfxError):
        await act
