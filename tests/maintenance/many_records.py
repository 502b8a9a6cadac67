"""Dump of as many jobs as a test asks for, each with a history entry and two events."""

from __future__ import annotations

from collections.abc import Iterator

from wfx.domain.definition import hash_of
from wfx.domain.job import Status
from wfx.domain.json import Json, decode, encode
from wfx.domain.timestamp import Timestamp, rfc3339
from wfx.domain.workflow import Actor, Group, State, Transition, Workflow
from wfx.store.dump import EntryRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord, lines

WORKFLOW = Workflow(
    "w", (State("NEW"), State("RUN")), (Transition("NEW", "RUN", Actor.CLIENT),), (Group("OPEN", ("NEW",)),)
)
_BEGIN = 1_780_000_000_000_000


def dump_of(jobs: int) -> list[bytes]:
    """Return the lines of the dump."""
    head = 2 * jobs + 1
    return list(lines(Header("a" * 32, 0, head, 1, jobs, head, 0), _records(jobs)))


def _records(jobs: int) -> Iterator[Record]:
    made = [_job(number) for number in range(jobs)]
    yield WorkflowRecord(1, 1, None, WORKFLOW.encoded)
    yield from made
    yield EventRecord(1, _BEGIN, "CREATE", "", "", 1, encode({"name": "w"}), None, None)
    for number, job in enumerate(made):
        seq, shared = 2 + 2 * number, {"id": job.id, "clientId": job.client_id}
        created = {**shared, "definition": decode(job.definition or Json(b"null")), "tags": decode(job.tags),
                   "stime": rfc3339(Timestamp(job.stime)), "mtime": rfc3339(Timestamp(job.stime)),
                   "status": decode(job.history[0].status)}  # fmt: skip
        moved = {**shared, "status": decode(job.status), "mtime": rfc3339(Timestamp(job.mtime))}
        yield EventRecord(seq, job.stime, "CREATE", job.id, job.client_id, 1, encode(created), None, None)
        yield EventRecord(seq + 1, job.mtime, "UPDATE_STATUS", job.id, job.client_id, 1, encode(moved), None, None)


def _job(number: int) -> JobRecord:
    definition = {"version": f"1.{number}"}
    digest, client, begin = hash_of(definition), f"device-{number % 100}", _BEGIN + 1000 * number
    new, run = (Status(state, client_id=client, definition_hash=digest).encoded for state in ("NEW", "RUN"))
    return JobRecord(
        f"{number:08x}-0000-4000-8000-000000000000", client, 1, "RUN", begin, begin + 100, 2, digest,
        encode(["hall", f"row-{number % 10}"]), run, encode(definition), (EntryRecord(1, begin, new, None),), 0,
    )  # fmt: skip
