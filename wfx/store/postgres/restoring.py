"""Import of records into an empty PostgreSQL database; an interrupted one goes on where it was.

Until it is whole, a table says how far it has come, and no server opens the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

import asyncpg

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json, decode
from wfx.store.dump import ConsumerRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.dump_records import RecordReader
from wfx.store.findings import Progress
from wfx.store.history_bounds import size_of_entry
from wfx.store.postgres.blocking import BlockingConnection, blocking, in_one_state
from wfx.store.postgres.checking import examine
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.migrate import import_of, migrate, migrations
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.texts import key_of, require_short
from wfx.store.sizes import size_of

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_TOGETHER = 1000
"""Records in a transaction."""
_MOST_BYTES = 16 * 1024 * 1024
"""Bytes of documents in a transaction, unless one record has more."""
_COLUMNS = {
    "workflow": ("number", "name", "deleted", "document"),
    "current_workflow": ("name", "number"),
    "job": (
        "number", "id", "client_id", "workflow", "state", "grp", "stime", "mtime", "version", "definition_hash", "tags",
        "tag_keys", "status", "definition", "size", "history_bytes", "history_dropped",
    ),
    "history": ("job", "version", "mtime", "status", "definition"),
    "event": (
        "seq", "ctime", "action", "job_id", "client_id", "workflow", "payload", "state_before", "cause",
    ),
    "consumer": ("name", "position", "steps", "lost"),
}  # fmt: skip
_Rows = dict[str, list[tuple[Any, ...]]]
_Step = tuple[int, int, str]
"""How many records were written before a transaction and are after it, and the digest of those."""


def restore(option: str, header: Header, records: Iterable[Record], progress: Progress) -> str:
    """Fill the database with these records and return its name; those that are there already are only read.

    Raises StoreUnusable if something else is in it or it cannot be written, and ValueError, naming it, for a record
    that cannot be.
    """
    with blocking(option, "write to") as connection:
        plain, name = connection.plain, connection.name
        maker, digest = _RowMaker(header), sha256()
        done, known = connection.run(_begun(plain, header, name))
        remaining = _digested(records, digest)
        for record in islice(remaining, done):
            maker.skip(record)
        if done and digest.hexdigest() != known:
            raise StoreUnusable(f"the database {name} has a part of another import; choose an empty database")
        try:
            for rows, count in _batches(remaining, maker):
                connection.run(_written(plain, rows, (done, done + count, digest.hexdigest())))
                done += count
                progress("records", done, header.records)
        except asyncpg.IntegrityConstraintViolationError as exc:
            raise ValueError(f"a record is there twice, or refers to none: {exc}") from exc
        _require_sound(connection, progress)
        connection.run(_finished(plain, (done, done, "")))
    return name


def _require_sound(connection: BlockingConnection, progress: Progress) -> None:
    """Let the check of databases look for what no single record shows; what is not sound is removed."""
    with in_one_state(connection):
        report = examine(connection, progress)
    for found in report.findings:
        connection.run(connection.plain.execute(SQL["discard_import"]))
        text = f"{found.row}: expected {found.expected}; found {found.found}"
        raise StoreUnusable(f"the records contradict each other, and what was written was removed: {text}")


def _digested(records: Iterable[Record], digest: Hash) -> Iterator[Record]:
    for record in records:
        digest.update(repr(record).encode())
        yield record


async def _begun(plain: Plain, header: Header, name: str) -> tuple[int, str]:
    """Make the tables, or find how many of these records are in them, and the digest of those."""
    if (begun := await import_of(plain)) is not None:
        if begun.header != repr(header):
            raise StoreUnusable(f"the database {name} has a part of another import; choose an empty database")
        return begun.records, begun.digest
    await migrate(plain, migrations(), name)
    async with plain.transaction():
        if not await plain.fetchval(SQL["is_unused"]):
            raise StoreUnusable(f"the database {name} has data; an import needs an empty one")
        await plain.execute(SQL["begin_import"])
        await plain.execute(SQL["note_import"], repr(header))
        await plain.execute(SQL["set_log"], header.head, header.horizon)
    return 0, ""


async def _written(plain: Plain, rows: _Rows, step: _Step) -> None:
    async with plain.transaction():
        if await plain.fetchval(SQL["import_goes_on"], *step) is None:
            raise StoreUnusable("another import writes to this database")
        for table, columns in _COLUMNS.items():
            if rows[table]:
                await plain.copy_records_to_table(table, records=rows[table], columns=columns)


async def _finished(plain: Plain, step: _Step) -> None:
    async with plain.transaction():
        if await plain.fetchval(SQL["import_goes_on"], *step) is None:
            raise StoreUnusable("another import writes to this database")
        await plain.execute(SQL["number_next_workflow"])
        await plain.execute(SQL["end_import"])


def _batches(records: Iterator[Record], maker: _RowMaker) -> Iterator[tuple[_Rows, int]]:
    """Yield rows of some records, and of how many."""
    while True:
        rows: _Rows = {table: [] for table in _COLUMNS}
        count, room = 0, _MOST_BYTES
        for record in islice(records, _TOGETHER):
            room -= maker.add(record, rows)
            count += 1
            if room < 0:
                break
        if not count:
            return
        yield rows, count


class _RowMaker:
    """Makes the rows of records; jobs are numbered as they come."""

    def __init__(self, header: Header) -> None:
        self._read = RecordReader(header)
        self._jobs = 0

    def skip(self, record: Record) -> None:
        """Take notice of a record that is written already."""
        match record:
            case WorkflowRecord():
                self._read.workflow(record)
            case JobRecord():
                self._jobs += 1
            case EventRecord():
                self._read.event(record)

    def add(self, record: Record, rows: _Rows) -> int:
        """Add the rows of a record; return how many bytes its documents have."""
        match record:
            case WorkflowRecord():
                return self._add_workflow(record, rows)
            case JobRecord():
                return self._add_job(record, rows)
            case EventRecord():
                event = self._read.event(record)
                rows["event"].append((
                    record.seq, event.ctime, str(event.action), event.job_id, event.client_id, event.workflow.number,
                    event.payload.decode(), event.state_before, event.cause,
                ))  # fmt: skip
                return len(event.payload)
            case ConsumerRecord():
                self._read.consumer(record)
                rows["consumer"].append(record)
        return 0

    def _add_workflow(self, record: WorkflowRecord, rows: _Rows) -> int:
        workflow = self._read.workflow(record)
        for state in workflow.states:
            require_short("the name of a state", state.name)
        rows["workflow"].append((record.number, workflow.name, record.deleted, record.document.decode()))
        if record.deleted is None:
            rows["current_workflow"].append((workflow.name, record.number))
        return len(record.document)

    def _add_job(self, record: JobRecord, rows: _Rows) -> int:
        job, history = self._read.job(record)
        self._jobs += 1
        size, bytes_before = size_of(job), sum(size_of_entry(entry) for _, entry in history)
        rows["job"].append((
            self._jobs, job.id, job.client_id, job.workflow.number, job.state, job.group, job.stime, job.mtime,
            job.version, job.definition_hash, job.tags.decode(), [key_of(tag) for tag in decode(job.tags)],
            job.status.decode(), _text(job.definition), size, bytes_before, record.history_dropped,
        ))  # fmt: skip
        for version, entry in history:
            rows["history"].append((self._jobs, version, entry.mtime, entry.status.decode(), _text(entry.definition)))
        return size + bytes_before


def _text(document: Json | None) -> str | None:
    return None if document is None else document.decode()
