"""Rows of the records of a dump."""

from __future__ import annotations

from typing import Any

from wfx.domain.json import Json, decode
from wfx.protection.sealing import Sealing
from wfx.store.dump import ConsumerRecord, DeviceRecord, EventRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.dump_records import RecordReader, naming
from wfx.store.dump_rule_records import ScoreRecord, ScriptRecord, SequenceRecord, TaskRecord
from wfx.store.dump_rules import require_score, require_script, require_sequence, require_task
from wfx.store.history_bounds import size_of_entry
from wfx.store.postgres.sealed_rows import sealed_text
from wfx.store.postgres.texts import key_of, require_key, require_storable
from wfx.store.sizes import size_of

COLUMNS = {
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
    "device": ("client_id", "first_seen", "last_seen", "version", "unclaimed", "description", "keys"),
    "task": ("key", "kind", "state", "due", "attempts", "ctime", "mtime", "input", "result", "cause"),
    "score": ("key", "actor_id", "points", "reason", "ctime"),
    "sequence": ("name", "value"),
    "script": ("name", "sha256", "ctime", "size", "findings", "source"),
    "current_script": ("name", "sha256"),
}  # fmt: skip
"""What is written of each table, in the order in which they refer to each other."""
Rows = dict[str, list[tuple[Any, ...]]]


class RowMaker:
    """Makes the rows of records; jobs are numbered as they come."""

    def __init__(self, header: Header, sealing: Sealing | None = None) -> None:
        """Begin with no record; values are sealed by the keys. Raises ValueError for numbers that no log has."""
        self._sealing = sealing
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

    def add(self, record: Record, rows: Rows) -> int:
        """Add the rows of a record; return how many bytes its documents have.

        Raises ValueError, naming it, for one that contradicts itself or those before, or that PostgreSQL cannot have.
        """
        match record:
            case WorkflowRecord():
                return self._add_workflow(record, rows)
            case JobRecord():
                return self._add_job(record, rows)
            case EventRecord():
                return self._add_event(record, rows)
            case ConsumerRecord():
                self._read.consumer(record)
                with naming("consumer", record.name):
                    require_key("consumer name", record.name)
                rows["consumer"].append(record)
            case DeviceRecord():
                description = self._read.device(record)
                rows["device"].append((*record[:5], description.encoded.decode(), description.keys))
            case TaskRecord():
                return self._add_task(record, rows)
            case ScoreRecord():
                require_score(record)
                rows["score"].append(record)
            case SequenceRecord():
                require_sequence(record)
                rows["sequence"].append(record)
            case ScriptRecord():
                return self._add_script(record, rows)
        return 0

    def _add_task(self, record: TaskRecord, rows: Rows) -> int:
        require_task(record)
        *others, document, result, cause = record
        given, told = self._text("task.input", record.key, document), self._text("task.result", record.key, result)
        rows["task"].append((*others, given, told, cause.decode()))
        return len(document) + len(result or b"")

    def _add_script(self, record: ScriptRecord, rows: Rows) -> int:
        size = require_script(record)
        name, sha256, ctime, is_current, findings, source = record
        rows["script"].append((name, sha256, ctime, size, findings.decode(), source))
        if is_current:
            rows["current_script"].append((name, sha256))
        return size

    def _add_workflow(self, record: WorkflowRecord, rows: Rows) -> int:
        workflow = self._read.workflow(record)
        with naming("workflow", record.number):
            require_key("workflow name", workflow.name)
            require_key("state name", *workflow.positions)
            require_key("group name", *(group.name for group in workflow.groups or ()))
        rows["workflow"].append((record.number, workflow.name, record.deleted, record.document.decode()))
        if record.deleted is None:
            rows["current_workflow"].append((workflow.name, record.number))
        return len(record.document)

    def _add_job(self, record: JobRecord, rows: Rows) -> int:
        job, history = self._read.job(record)
        tags = decode(job.tags)
        with naming("job", job.id):
            require_key("job id", job.id)
            require_storable("client id", job.client_id)
            require_storable("tag", *tags)
        self._jobs += 1
        size, bytes_before = size_of(job), sum(size_of_entry(entry) for _, entry in history)
        rows["job"].append((
            self._jobs, job.id, job.client_id, job.workflow.number, job.state, job.group, job.stime, job.mtime,
            job.version, job.definition_hash, job.tags.decode(), [key_of(tag) for tag in tags],
            self._text("job.status", job.id, job.status), self._text("job.definition", job.id, job.definition),
            size, bytes_before, record.history_dropped,
        ))  # fmt: skip
        for version, entry in history:
            status = self._text("history.status", job.id, entry.status)
            definition = self._text("history.definition", job.id, entry.definition)
            rows["history"].append((self._jobs, version, entry.mtime, status, definition))
        return size + bytes_before

    def _add_event(self, record: EventRecord, rows: Rows) -> int:
        event = self._read.event(record)
        with naming("event", record.seq):
            require_storable("job id", event.job_id)
            require_storable("client id", event.client_id)
        rows["event"].append((
            record.seq, event.ctime, str(event.action), event.job_id, event.client_id, event.workflow.number,
            self._text("event.payload", event.job_id, event.payload), event.state_before, event.cause,
        ))  # fmt: skip
        return len(event.payload)

    def _text(self, place: str, owner: str, document: Json | None) -> str | None:
        return None if document is None else sealed_text(self._sealing, place, owner, document.decode())
