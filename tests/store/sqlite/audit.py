"""What callers were told about a database, and whether it keeps to that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.store.samples import FLOW, all_jobs, begin, move, redefine, tag, untag, whole_log
from tests.store.sqlite.roll_up import NAME, step, unequal
from wfx.domain.errors import StoreError, WorkflowNotFound
from wfx.domain.job import Job
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.sqlite.checking import check


@dataclass
class Ledger:
    """What was acknowledged so far."""

    versions: dict[str, int] = field(default_factory=dict)
    """Jobs, and the newest version that a caller was given."""
    deleted: set[str] = field(default_factory=set)
    refused: int = 0
    """Acts that the store failed."""

    def copy(self) -> Ledger:
        """Return the ledger as it is now."""
        return Ledger(dict(self.versions), set(self.deleted), self.refused)

    async def note(self, act: Any) -> Any:
        """Do the act and write down what it returned."""
        try:
            answer = await act
        except (StoreError, WorkflowNotFound):
            self.refused += 1
            return None
        if isinstance(answer, Job):
            self.versions[answer.id] = max(answer.version, self.versions.get(answer.id, 0))
        return answer


async def live(store: Store, ledger: Ledger, rounds: int = 6) -> None:
    """Do some of everything, several acts at a time, writing down what was acknowledged."""
    await ledger.note(store.create_workflow(FLOW))
    for turn in range(rounds):
        creations = (store.create_job(FLOW.name, begin(f"c{n}", tags=["t"], definition={"n": turn})) for n in range(4))
        jobs = [job for job in await asyncio.gather(*map(ledger.note, creations)) if job]
        changes = [
            store.change_job(job.id, decide)
            for job in jobs
            for decide in (move("RUN", message="m" * 300), tag("u"), redefine({"text": "x" * 3000}), untag("t"))
        ]
        await asyncio.gather(*map(ledger.note, changes))
        for job in jobs[:1]:
            await _delete(store, ledger, job.id)
        await _take_step(store, ledger)
        await ledger.note(store.run_chores(3))


async def _take_step(store: Store, ledger: Ledger) -> None:
    """Let the consumer go on by a few events, from wherever it is; what is refused is tried in the next round."""
    place = await ledger.note(store.consumer(NAME))
    if place is not None:
        events = await store.read_log(place.position, 20)
        for job in await ledger.note(step(store, place, events)) or ():
            assert isinstance(job, Job)
            ledger.versions[job.id] = 1


async def _delete(store: Store, ledger: Ledger, job_id: str) -> None:
    try:
        await store.delete_job(job_id)
    except StoreError:
        ledger.refused += 1
    else:
        del ledger.versions[job_id]
        ledger.deleted.add(job_id)


async def audit(path: Path, ledger: Ledger) -> dict[str, int]:
    """Start on the file, prove it sound, and return the jobs' versions as they should be and are not.

    What the consumer is done with has one effect each, and nothing else has one.

    A job may have a newer version than was acknowledged: its caller may not have been told. Missing counts as 0.
    """
    store = await open_store("sqlite", str(path))
    try:
        assert_sound(path)
        present = {job.id: job.version for job in await all_jobs(store)}
        places = [consumer.position for consumer in await store.consumers()]
        assert unequal(await whole_log(store), upto=max(places, default=0)) == []
    finally:
        await store.close()
    lost = {job_id: version for job_id, version in ledger.versions.items() if present.get(job_id, 0) < version}
    return lost | dict.fromkeys(ledger.deleted & present.keys(), 0)


def assert_sound(path: Path) -> None:
    """Let the product's own check look at the file."""
    found = check(path).findings
    assert found == [], str(found)[:600]
