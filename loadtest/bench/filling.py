"""A store as a large fleet leaves it: most jobs are closed, a few are open, and tags are common or rare."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from wfx.commandline import plain_yaml
from wfx.domain import creation, definition
from wfx.domain.definition import Definition
from wfx.domain.device import DeviceDescription, Sighting
from wfx.domain.job import Draft, Status
from wfx.domain.workflow import Workflow
from wfx.spec_files import find
from wfx.store.opening import open_store
from wfx.store.protocol import Store

WORKFLOWS = ("wfx.workflow.dau.direct", "wfx.workflow.dau.phased")
DEFINITION = Definition.of(
    {
        "version": "2.0",
        "type": ["firmware"],
        "artifacts": [{"name": "payload.swu", "version": "2.0", "uri": "http://files.example/payload.swu"}],
    }
)
_JOBS_PER_DEVICE = 20
_JOBS_PER_BATCH = 100
_HALLS = 10
_OPEN = 0.05
"""Share of the jobs that are not yet done."""
_TOGETHER = 512
_SAMPLE = 4000
_MANY = 200_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A job to be created: whose, of which workflow, with which tags, and whether it is still open."""

    client_id: str
    workflow: str
    tags: tuple[str, ...]
    is_open: bool

    def decide(self, workflow: Workflow) -> Draft:
        """Decide on the job, as if it had come to its state."""
        draft = creation.decide(workflow, client_id=self.client_id, definition=DEFINITION, tags=self.tags)
        state = "INSTALLING" if self.is_open else "ACTIVATED"
        status = Status(state, client_id=self.client_id, definition_hash=draft.definition_hash)
        return draft._replace(state=state, status=status.encoded)


def placed(jobs: int) -> Iterator[Placed]:
    """Yield so many jobs, the same ones each time: 20 for each device, 100 of each batch, a tenth in each hall."""
    chance = random.Random(jobs)  # noqa: S311  # to be varied, not to be unguessable
    devices = max(1, jobs // _JOBS_PER_DEVICE)
    for number in range(jobs):
        tags = (f"hall-{number % _HALLS}", f"batch-{number // _JOBS_PER_BATCH}")
        yield Placed(f"device-{number % devices}", WORKFLOWS[chance.random() < 1 / 3], tags, chance.random() < _OPEN)


def document(name: str) -> dict[str, Any]:
    """Return a bundled workflow."""
    loaded: dict[str, Any] = plain_yaml.load(find(f"workflows/{name}.yml").read_bytes())
    return loaded


@dataclass(frozen=True, slots=True)
class Sample:
    """Ids of some jobs, evenly taken from all, in random order."""

    any: list[str]
    open: list[str]
    """Those that a device may report INSTALLING for."""
    many: list[str]
    """More than fit into the service's memory, if there are so many."""
    old: str
    """One that was changed very often; none of the others."""


async def fill(path: Path, jobs: int, changes: int) -> Sample:
    """Make a database of so many jobs, of which the last was changed so often.

    Nothing needs to survive a power failure before it is complete.
    """
    store = await open_store("sqlite", f"file:{path}?_sync=off")
    ids: list[tuple[str, bool]] = []
    try:
        for name in WORKFLOWS:
            await store.create_workflow(Workflow.from_wire(document(name)))
        waiting = placed(jobs)
        async with asyncio.TaskGroup() as group:
            for _ in range(_TOGETHER):
                group.create_task(_create(store, waiting, ids))
        old, _ = ids.pop()
        reports = iter(range(changes))
        async with asyncio.TaskGroup() as group:
            for _ in range(_TOGETHER):
                group.create_task(_change(store, old, reports))
        await _add_devices(store, jobs)
    finally:
        await store.close()
    random.Random(jobs).shuffle(ids)  # noqa: S311  # as above
    return Sample(
        any=[job_id for job_id, _ in ids[:_SAMPLE]],
        open=[job_id for job_id, is_open in ids if is_open][:_SAMPLE],
        many=[job_id for job_id, _ in ids[:_MANY]],
        old=old,
    )


async def _add_devices(store: Store, jobs: int) -> None:
    """Add as many devices without jobs as there are with some; describe all, and see nine of ten with jobs.

    A tenth of all is in each hall, 100 devices are canaries of each kind, and one of a hundred has another version.
    """
    with_jobs = max(1, jobs // _JOBS_PER_DEVICE)
    now = time.time_ns() // 1000
    for number in range(2 * with_jobs):
        name = f"device-{number}" if number < with_jobs else f"spare-{number}"
        attributes, labels = {"hall": str(number % _HALLS)}, [f"canary-{number // _JOBS_PER_BATCH}"]
        await store.describe_device(name, DeviceDescription.of({"attributes": attributes, "labels": labels}))
    seen = [number for number in range(with_jobs) if number % 10]
    for start in range(0, len(seen), _TOGETHER):
        sightings = [
            Sighting(f"device-{number}", now, now, "SW 1" if number % 100 > 1 else "SW 2")
            for number in seen[start : start + _TOGETHER]
        ]
        await store.note_sightings(sightings, forgets=False)


async def _create(store: Store, waiting: Iterator[Placed], ids: list[tuple[str, bool]]) -> None:
    for job in waiting:
        created = await store.create_job(job.workflow, job.decide)
        ids.append((created.id, job.is_open))


async def _change(store: Store, job_id: str, reports: Iterator[int]) -> None:
    for number in reports:
        await store.change_job(job_id, partial(definition.decide, wanted=Definition.of({"version": f"2.{number}"})))
