"""Filling a database directly, without a server: many jobs in random states, to measure a service that is not empty."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TextIO

import uvloop

from wfx.domain import creation
from wfx.domain.definition import Definition
from wfx.domain.errors import WorkflowNotFound
from wfx.domain.job import Draft, Status
from wfx.domain.workflow import Workflow
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx_loadtest import direct

TAGS = ("EUROPE_WEST", "loadtest")
_IN_FLIGHT = 128
"""Jobs that a worker hands to the store at a time; the store makes whatever waits durable in one go."""
_MOST_IN_FLIGHT = 2048
"""Jobs in the store's queue from all workers: well below what it takes."""
_DRAWINGS_A_SECOND = 5


@dataclass(frozen=True, slots=True)
class Filled:
    """What was done."""

    jobs: int
    seconds: float


def populate(count: int, workers: int, storage: str, option: str) -> Filled:
    """Create ``count`` jobs named LOAD-0, LOAD-1, …; ``workers`` (at least 1) says how many work on it at a time.

    Raises StoreError.
    """
    return uvloop.run(fill(count, workers, storage, option))


async def fill(count: int, workers: int, storage: str, option: str) -> Filled:
    """Create the jobs on the running loop; see :func:`populate`."""
    async with _opened(storage, option) as store:
        workflow = await _workflow(store)
        numbers = iter(range(count))
        begun = time.monotonic()
        with _bar(count, sys.stderr) as done:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(workers * _IN_FLIGHT, _MOST_IN_FLIGHT, count)):
                    group.create_task(_create(store, workflow, numbers, done))
        return Filled(count, time.monotonic() - begun)


@asynccontextmanager
async def _opened(storage: str, option: str) -> AsyncIterator[Store]:
    store = await open_store(storage, option)
    try:
        yield store
    finally:
        await store.close()


async def _workflow(store: Store) -> Workflow:
    try:
        return await store.get_workflow(direct.NAME)
    except WorkflowNotFound:
        return await store.create_workflow(Workflow.from_wire(direct.document()))


async def _create(store: Store, workflow: Workflow, numbers: Iterator[int], done: Callable[[], None]) -> None:
    for number in numbers:
        await store.create_job(workflow.name, _somewhere(f"LOAD-{number}"))
        done()


def _somewhere(client_id: str) -> Callable[[Workflow], Draft]:
    """Decide on a job that is in any of the workflow's states, as if it had come there."""

    def decide(workflow: Workflow) -> Draft:
        draft = creation.decide(workflow, client_id=client_id, definition=Definition.of({}), tags=TAGS)
        state = random.choice(workflow.states).name  # noqa: S311 - to be varied, not to be unguessable
        status = Status(state, client_id=client_id, definition_hash=draft.definition_hash)
        return draft._replace(state=state, status=status.encoded)

    return decide


@contextmanager
def _bar(count: int, stream: TextIO) -> Iterator[Callable[[], None]]:
    if not stream.isatty():
        yield lambda: None
        return
    from rich.console import Console  # rich takes 50 ms to import: only a terminal pays for it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("jobs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=Console(file=stream),
        refresh_per_second=_DRAWINGS_A_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task("jobs", total=count)
        yield lambda: progress.advance(task)
