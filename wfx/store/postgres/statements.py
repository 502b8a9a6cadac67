"""SQL statements of the backend by name, from ``apply.sql`` and ``queries.sql``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from wfx.store.named_statements import read_statements
from wfx.store.postgres.sealed_rows import plain_size
from wfx.store.sizes import AROUND_ENTRY, AROUND_JOB

_HERE = Path(__file__).parent
_APPLY = read_statements(_HERE / "apply.sql")
_SIZE = re.compile(r":size\((\w+)\)")
"""The mark of the bytes that a value has which may be sealed."""
SQL = {
    name: _SIZE.sub(lambda mark: plain_size(mark[1]), sql)
    for name, sql in {**_APPLY, **read_statements(_HERE / "queries.sql")}.items()
}
"""All statements, some with parts that begin with a colon, to be filled in."""
_BATCH_VALUES = 50
"""Values of a statement that writes a batch, without those of a checkpoint."""
_WITH_RECORDS = {"go_with_step": 4, "go_with_events": 3, "go_with_task": 6}
"""Checkpoints that may have records of rules, with the number of their values."""
_MARK = re.compile(r"\$r(\d+)")
"""The mark of a value of the records, by its number among these."""
_MADE_DURABLE = """CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
    THEN set_config('synchronous_commit', 'on', true) = 'on' ELSE true END"""
"""True, and the transaction's commit is answered once it is durable."""


class FencedStatements(NamedTuple):
    """Statements that change something once at most; each says which row of ``writer`` is the server's own."""

    apply: str
    """Writes a batch of which each job may be stale."""
    apply_still: str
    """Writes one in which no job is created, deleted, moved, or tagged otherwise, so that no count changes."""
    apply_step: str
    """Writes a step of a consumer, or nothing."""
    apply_slice: str
    """Writes a slice of a bulk request and what became of it, or nothing."""
    apply_whole: str
    """Writes a batch, or nothing if a job is stale."""
    apply_step_with_records: str
    apply_events: str
    """Writes what follows from events from outside, and their answers, or nothing."""
    apply_task: str
    """Writes the end of a task and what follows from it, or nothing."""
    create_workflow: str
    delete_workflow: str


def fenced_statements(*, make_durable: bool) -> FencedStatements:
    """Return the statements; if ``make_durable`` they do not trust the session to commit durably."""
    kinds = (
        ("go_always", "counting"),
        ("go_always", None),
        ("go_with_step", "counting"),
        ("go_with_slice", "counting"),
        ("go_whole", "counting"),
    )
    steps = (_apply(_APPLY[go], _APPLY[counting] if counting else "") for go, counting in kinds)
    with_records = (_with_records(go, values) for go, values in _WITH_RECORDS.items())
    texts = (*steps, *with_records, SQL["create_workflow"], SQL["delete_workflow"])
    return FencedStatements(*(sql.replace(":durable", _MADE_DURABLE if make_durable else "true") for sql in texts))


def _apply(go: str, counting: str, records: str = "", noted: str = "", unless: str = "") -> str:
    sql = _APPLY["apply"].replace(":go", go).replace(":counting", counting).replace(":records", records)
    return sql.replace(":noted", noted).replace(":unless", unless)


def _with_records(go: str, values: int) -> str:
    """Make the statement for a checkpoint with so many values of its own, behind which come those of the records."""
    held = _APPLY["sequences_held"] + "\n" + _APPLY[go]
    parts = (_APPLY["records"], _APPLY["records_noted"], _APPLY["unless_sequences"])
    sql = _apply(held, _APPLY["counting"], *parts)
    return _MARK.sub(lambda mark: f"${_BATCH_VALUES + values + int(mark[1])}", sql)


def rows_of_page(page: str, room: str, *, descending: bool) -> str:
    """Make the query for the rows of jobs whose numbers ``page`` selects; ``room`` is the mark of a value."""
    return _ordered(SQL["rows_of_page"], descending=descending).replace(":page", page).replace(":room", room)


def pages_of_clients(*, descending: bool) -> str:
    """Make the query for one page of each of some clients."""
    return _ordered(SQL["pages_of_clients"], descending=descending)


def workflows_page(*, descending: bool) -> str:
    """Make the query for the numbers and sizes of a page of workflows."""
    return _ordered(SQL["workflows_page"], descending=descending)


def history(job: str) -> str:
    """Make the query for history entries of the job that the condition names."""
    return SQL["history"].replace(":job", job).replace(":around", str(AROUND_ENTRY))


def _ordered(sql: str, *, descending: bool) -> str:
    return sql.replace(":order", "DESC" if descending else "ASC").replace(":around", str(AROUND_JOB))
