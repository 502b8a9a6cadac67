"""Writer of the records of a dump into the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wfx.domain.job import Job
from wfx.domain.json import decode
from wfx.store.dump import ConsumerRecord, DeviceRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.dump_records import RecordReader
from wfx.store.dump_rule_records import RuleRecord, ScoreRecord, ScriptRecord, SequenceRecord, TaskRecord
from wfx.store.dump_rules import require_score, require_script, require_sequence, require_task
from wfx.store.history_bounds import size_of_entry
from wfx.store.sizes import size_of
from wfx.store.sqlite.rows import HistoryRow, Row, entry_row, event_row, new_row, workflow_state_rows
from wfx.store.sqlite.sealed_rows import sealed, sealed_text, sealing_of
from wfx.store.sqlite.statements import SQL, for_rows

_INSERT_WORKFLOW = "INSERT INTO workflow (number, name, deleted, document, created) VALUES (?, ?, ?, ?, ?)"
_INSERT_JOB = """
INSERT INTO job (number, id, client_id, workflow_state, stime, mtime, version, definition_hash, tags, status, size,
                 history, history_bytes, history_dropped)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_CONSUMER = "INSERT INTO consumer (name, position, steps, lost) VALUES (?, ?, ?, ?)"

_INSERT_DEVICE = """
INSERT INTO device (client_id, first_seen, last_seen, version, unclaimed, description) VALUES (?, ?, ?, ?, ?, ?)
"""
_INSERT_TASK = """
INSERT INTO task (key, kind, state, due, attempts, ctime, mtime, input, result, cause)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_SCORE = "INSERT INTO score (key, actor_id, points, reason, ctime) VALUES (?, ?, ?, ?, ?)"
_INSERT_SEQUENCE = "INSERT INTO sequence (name, value) VALUES (?, ?)"


class RecordWriter:
    """Writes the rows of records; jobs and history entries are numbered as they come."""

    def __init__(self, connection: sqlite3.Connection, header: Header) -> None:
        self._connection = connection
        self._read = RecordReader(header)
        self._sealing = sealing_of(connection)
        self._jobs, self._entries = connection.execute(
            "SELECT coalesce((SELECT max(number) FROM job), 0), coalesce((SELECT max(number) FROM history), 0)"
        ).fetchone()

    def skip(self, record: Record) -> None:
        """Take notice of a record that is written already."""
        if isinstance(record, WorkflowRecord):
            self._read.workflow(record)
        elif isinstance(record, EventRecord):
            self._read.event(record)

    def write(self, record: Record) -> None:
        """Write a record."""
        match record:
            case WorkflowRecord():
                self._write_workflow(record)
            case JobRecord():
                self._write_job(record)
            case EventRecord():
                self._insert("insert_events", [event_row(record.seq, self._read.event(record))])
            case ConsumerRecord():
                self._read.consumer(record)
                self._connection.execute(_INSERT_CONSUMER, record)
            case DeviceRecord():
                description = self._read.device(record)
                self._connection.execute(_INSERT_DEVICE, (*record[:5], description.encoded.decode()))
                for_rows(self._connection, "insert_device_keys", [(key, record.client_id) for key in description.keys])
            case TaskRecord() | ScoreRecord() | SequenceRecord() | ScriptRecord():
                self._write_of_rules(record)

    def _write_of_rules(self, record: RuleRecord) -> None:
        match record:
            case TaskRecord():
                require_task(record)
                *others, document, result, cause = record
                told = None if result is None else result.decode()
                documents = (
                    sealed_text(self._sealing, "task.input", record.key, document.decode()),
                    sealed_text(self._sealing, "task.result", record.key, told),
                )
                self._connection.execute(_INSERT_TASK, (*others, *documents, cause.decode()))
            case ScoreRecord():
                require_score(record)
                self._connection.execute(_INSERT_SCORE, record)
                self._connection.execute(SQL["add_to_total"], (record.actor_id, record.points))
            case SequenceRecord():
                require_sequence(record)
                self._connection.execute(_INSERT_SEQUENCE, record)
            case ScriptRecord():
                self._write_script(record)

    def _write_script(self, record: ScriptRecord) -> None:
        size = require_script(record)
        name, sha256, ctime, is_current, findings, source = record
        row = (name, sha256, ctime, size, findings.decode(), source)
        number = self._connection.execute(SQL["insert_script"], row).lastrowid
        if is_current:
            self._connection.execute(SQL["insert_current_script"], (name, number))

    def _write_workflow(self, record: WorkflowRecord) -> None:
        workflow = self._read.workflow(record)
        document = record.document.decode()
        row = (record.number, workflow.name, record.deleted, document, record.created)
        self._connection.execute(_INSERT_WORKFLOW, row)
        if record.deleted is None:
            for_rows(self._connection, "insert_workflow_states", workflow_state_rows(workflow))

    def _write_job(self, record: JobRecord) -> None:
        job, history = self._read.job(record)
        self._jobs += 1
        rows: list[Row] = []
        for version, entry in history:
            self._entries += 1
            earlier = self._entries - 1 if rows else None
            rows.append(entry_row(self._jobs, HistoryRow(self._entries, earlier, version, entry)))
        size = sum(size_of_entry(entry) for _, entry in history)
        newest = self._entries if rows else None
        (row,) = sealed(self._sealing, "insert_jobs", [new_row(self._jobs, job, size_of(job))])
        self._connection.execute(_INSERT_JOB, (*row, newest, size, record.history_dropped))
        self._insert("insert_history", rows, job)
        for_rows(self._connection, "insert_tags", [(tag, self._jobs) for tag in decode(job.tags)])
        if job.definition is not None:
            self._insert("put_definitions", [(self._jobs, job.definition.decode())], job)

    def _insert(self, name: str, rows: Sequence[Row], job: Job | None = None) -> None:
        ids = {} if job is None else {self._jobs: job.id}
        for_rows(self._connection, name, sealed(self._sealing, name, rows, ids))
