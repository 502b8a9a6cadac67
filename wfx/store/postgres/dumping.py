"""Dump of a PostgreSQL database, while servers may use it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.store.dump import ConsumerRecord, EntryRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.faults import LOST, translate
from wfx.store.postgres.opening import open_plain
from wfx.store.postgres.rows import Row, stored_of
from wfx.store.postgres.statements import SQL

_TOGETHER = 200
"""Rows that are fetched at once."""
_HISTORIES = 16 * 1024 * 1024
"""Bytes of histories that are fetched at once, unless that of one job is larger."""


@contextmanager
def dump(option: str) -> Iterator[tuple[Header, Iterator[Record]]]:
    """Yield header and records of one state of the database. Raises StoreUnusable, also while the records are read."""
    with asyncio.Runner() as runner:
        plain, name = runner.run(open_plain(option))
        try:
            transaction = plain.transaction(isolation="repeatable_read", readonly=True)
            runner.run(transaction.start())
            reader = _Reader(runner, plain)
            yield reader.header(), reader.records()
        except (asyncpg.PostgresError, *LOST) as exc:
            raise StoreUnusable(f"cannot read the database {name}: {translate(exc) or exc}") from exc
        finally:
            plain.terminate()


class _Reader:
    """Reads in the transaction of a connection, from code that waits for each answer."""

    def __init__(self, runner: asyncio.Runner, plain: Plain) -> None:
        self._runner = runner
        self._plain = plain

    def header(self) -> Header:
        """Tell what there is."""
        (row,) = self._fetch(SQL["dump_header"])
        return Header(*row)

    def records(self) -> Iterator[Record]:
        """Yield everything."""
        workflows: dict[int, Workflow] = {}
        for number, created, deleted, text in self._rows(SQL["dump_workflows"]):
            document = Json(text.encode())
            workflows[number] = Workflow.from_encoded(document, number)
            yield WorkflowRecord(number, created, deleted, document)
        for jobs in self._jobs():
            yield from self._job_records(jobs, workflows)
        for row in self._rows(SQL["dump_events"]):
            seq, ctime, action, job_id, client_id, workflow, payload, before, cause = row
            encoded = None if cause is None else Json(cause.encode())
            document = Json(payload.encode())
            yield EventRecord(seq, ctime, action, job_id, client_id, workflow, document, before, encoded)
        yield from (ConsumerRecord(*row) for row in self._rows(SQL["consumers"]))

    def _jobs(self) -> Iterator[list[Row]]:
        """Yield rows of jobs, as many as have few bytes of history together."""
        some: list[Row] = []
        room = _HISTORIES
        for row in self._rows(SQL["dump_jobs"]):
            room -= row[_HISTORY_BYTES]
            if some and (room < 0 or len(some) == _TOGETHER):
                yield some
                some, room = [], _HISTORIES - row[_HISTORY_BYTES]
            some.append(row)
        if some:
            yield some

    def _job_records(self, rows: list[Row], workflows: Mapping[int, Workflow]) -> Iterator[JobRecord]:
        entries: dict[int, list[EntryRecord]] = {}
        for job, version, mtime, status, definition in self._fetch(SQL["dump_histories"], [row[0] for row in rows]):
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

    def _fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        return self._runner.run(self._plain.fetch(sql, *values))

    def _rows(self, sql: str) -> Iterator[asyncpg.Record]:
        """Yield the rows of a query, some at a time."""
        cursor = self._runner.run(self._cursor(sql))
        while some := self._runner.run(cursor.fetch(_TOGETHER)):
            yield from some

    async def _cursor(self, sql: str) -> asyncpg.cursor.Cursor[asyncpg.Record]:
        return await self._plain.cursor(sql)


_HISTORY_BYTES = 13
"""Where a job's row has the bytes of its history."""
