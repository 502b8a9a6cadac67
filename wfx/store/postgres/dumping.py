"""Dump of a PostgreSQL database, while servers may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.store.dump import ConsumerRecord, EntryRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.postgres import reference
from wfx.store.postgres.blocking import ROWS_AT_ONCE, BlockingConnection, one_state
from wfx.store.postgres.checking import require_current
from wfx.store.postgres.rows import Row, stored_of
from wfx.store.postgres.statements import SQL

_HISTORIES = 16 * 1024 * 1024
"""Bytes of histories that are fetched at once, unless that of one job is larger."""


@contextmanager
def dump(option: str) -> Iterator[tuple[Header, Iterator[Record]]]:
    """Yield header and records of one state of the database. Raises StoreUnusable, also while the records are read."""
    with one_state(option) as connection:
        if reference.is_theirs(connection):
            yield reference.read_all(connection)
            return
        require_current(connection)
        reader = _Reader(connection)
        yield reader.header(), reader.records()


class _Reader:
    """Makes records of rows."""

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection

    def header(self) -> Header:
        """Tell what there is."""
        (row,) = self._connection.fetch(SQL["dump_header"])
        return Header(*row)

    def records(self) -> Iterator[Record]:
        """Yield everything."""
        workflows: dict[int, Workflow] = {}
        for number, created, deleted, text in self._connection.rows(SQL["dump_workflows"]):
            document = Json(text.encode())
            workflows[number] = Workflow.from_encoded(document, number)
            yield WorkflowRecord(number, created, deleted, document)
        for jobs in self._jobs():
            yield from self._job_records(jobs, workflows)
        for row in self._connection.rows(SQL["dump_events"]):
            seq, ctime, action, job_id, client_id, workflow, payload, before, cause = row
            encoded = None if cause is None else Json(cause.encode())
            document = Json(payload.encode())
            yield EventRecord(seq, ctime, action, job_id, client_id, workflow, document, before, encoded)
        yield from (ConsumerRecord(*row) for row in self._connection.rows(SQL["consumers"]))

    def _jobs(self) -> Iterator[list[Row]]:
        """Yield rows of jobs, as many as have few bytes of history together."""
        some: list[Row] = []
        room = _HISTORIES
        for row in self._connection.rows(SQL["dump_jobs"]):
            room -= row[_HISTORY_BYTES]
            if some and (room < 0 or len(some) == ROWS_AT_ONCE):
                yield some
                some, room = [], _HISTORIES - row[_HISTORY_BYTES]
            some.append(row)
        if some:
            yield some

    def _job_records(self, rows: list[Row], workflows: Mapping[int, Workflow]) -> Iterator[JobRecord]:
        entries: dict[int, list[EntryRecord]] = {}
        for job, version, mtime, status, definition in self._connection.fetch(
            SQL["dump_histories"], [row[0] for row in rows]
        ):
            document = None if definition is None else Json(definition.encode())
            entries.setdefault(job, []).append(EntryRecord(version, mtime, Json(status.encode()), document))
        for row in rows:
            stored = stored_of(row, workflows)
            job = stored.job
            yield JobRecord(
                id=job.id, client_id=job.client_id, workflow=job.workflow.number, state=job.state, stime=job.stime,
                mtime=job.mtime, version=job.version, definition_hash=job.definition_hash, tags=job.tags,
                status=job.status, definition=job.definition, history=tuple(entries.get(stored.number, ())),
                history_dropped=stored.history_dropped,
            )  # fmt: skip


_HISTORY_BYTES = 13
"""Where a job's row has the bytes of its history."""
