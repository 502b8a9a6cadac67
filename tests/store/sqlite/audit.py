"""What must hold of a database whatever happened to it, and what callers were told about it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.store.samples import FLOW, all_jobs, begin, move, redefine, tag, untag, whole_log
from wfx.domain import fold, wire
from wfx.domain.errors import StoreError, WorkflowNotFound
from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.opening import open_store
from wfx.store.protocol import Store


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
        changes = [store.change_job(job.id, decide) for job in jobs for decide in (
            move("RUN", message="m" * 300), tag("u"), redefine({"text": "x" * 3000}), untag("t"))]
        await asyncio.gather(*map(ledger.note, changes))
        for job in jobs[:1]:
            await _delete(store, ledger, job.id)


async def _delete(store: Store, ledger: Ledger, job_id: str) -> None:
    try:
        await store.delete_job(job_id)
    except StoreError:
        ledger.refused += 1
    else:
        del ledger.versions[job_id]
        ledger.deleted.add(job_id)


async def audit(path: Path, ledger: Ledger) -> dict[str, int]:
    """Hold the file against itself, and return the jobs' versions as they should be and are not.

    A job may have a newer version than was acknowledged: its caller may not have been told. Missing counts as 0.
    """
    store = await open_store("sqlite", str(path))
    try:
        await _audit_log(store)
        jobs = {job.id: job for job in await all_jobs(store)}
    finally:
        await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for table in ("job_tag", "history", "definition"):
            orphans = f"SELECT count(*) FROM {table} WHERE job NOT IN (SELECT number FROM job)"
            assert connection.execute(orphans).fetchone() == (0,)
    present = {job_id: job.version for job_id, job in jobs.items()}
    lost = {job_id: version for job_id, version in ledger.versions.items() if present.get(job_id, 0) < version}
    return lost | dict.fromkeys(ledger.deleted & present.keys(), 0)


async def _audit_log(store: Store) -> None:
    """The log has no gaps, and each job is what its events say; the log must be whole."""
    events = await whole_log(store)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    changes = Counter(event.job_id for event in events)
    known: dict[str, Any] = {}
    for event in events:
        known[event.job_id] = fold.after(event, known.get(event.job_id))
    jobs = await all_jobs(store)
    assert {job_id for job_id, state in known.items() if state is not None} == {job.id for job in jobs}
    for job in jobs:
        assert known[job.id] == decode(wire.created(job))
        assert job.version == changes[job.id]
        assert len(await store.get_history(job.id, 9999)) == job.version - 1
    for name in {name for job in jobs for name in decode(job.tags)}:
        assert await all_jobs(store, tags=(name,)) == tuple(job for job in jobs if name in decode(job.tags))
