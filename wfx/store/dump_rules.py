"""Checks of what rules have left in a dump; each raises ValueError, naming the record, for what no store can have."""

from __future__ import annotations

from hashlib import sha256

from wfx.domain.cause import EncodedCause, decode_cause
from wfx.store.dump_records import naming, require_time
from wfx.store.dump_rule_records import ScoreRecord, ScriptRecord, SequenceRecord, TaskRecord
from wfx.store.rule_records import RuleRecords, ScoreEntry, TaskState, is_name, reason_of


def require_task(record: TaskRecord) -> None:
    """Check a task."""
    with naming("task", record.key):
        if not is_name(record.key) or not is_name(record.type):
            raise ValueError("its key or its type is empty or too long, or has U+0000")
        if record.attempts < (TaskState(record.state) is not TaskState.WAITING):
            raise ValueError(f"it is {record.state}, and was attempted {record.attempts} times")
        require_time(record.ctime)
        require_time(record.mtime)
        if min(record.ctime, record.mtime) < 0:
            raise ValueError("its times are before 1970")
        decode_cause(EncodedCause(record.cause.decode()))


def require_score(record: ScoreRecord) -> None:
    """Check points that somebody was given."""
    with naming("score", record.key):
        entry = ScoreEntry(*record[:4])
        if (fault := RuleRecords(scores=[entry]).fault) is not None:
            raise ValueError(fault)
        if reason_of(entry.reason) != entry.reason:
            raise ValueError("its reason is too long, or has U+0000")
        require_time(record.ctime)


def require_script(record: ScriptRecord) -> int:
    """Check a version of a script; return how many bytes its source has."""
    with naming("script", record.name):
        if not is_name(record.name) or "\0" in record.source:
            raise ValueError("its name is empty or too long, or it has U+0000")
        source = record.source.encode()
        if sha256(source).hexdigest() != record.sha256:
            raise ValueError(f"its source does not have the hash {record.sha256[:64]!a}")
        require_time(record.ctime)
        if record.ctime < 0:
            raise ValueError("its time is before 1970")
        return len(source)


def require_sequence(record: SequenceRecord) -> None:
    """Check a sequence."""
    with naming("sequence", record.name):
        if not is_name(record.name):
            raise ValueError("its name is empty or too long, or has U+0000")
