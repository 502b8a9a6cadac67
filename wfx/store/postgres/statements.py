"""SQL statements of the backend by name, from ``apply.sql`` and ``queries.sql``."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wfx.store.named_statements import read_statements
from wfx.store.sizes import AROUND_ENTRY, AROUND_JOB

_HERE = Path(__file__).parent
_APPLY = read_statements(_HERE / "apply.sql")
SQL = {**_APPLY, **read_statements(_HERE / "queries.sql")}
"""All statements, some with parts that begin with a colon, to be filled in."""
_MADE_DURABLE = """CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
    THEN set_config('synchronous_commit', 'on', true) = 'on' ELSE true END"""
"""True, and the transaction's commit is answered once it is durable."""


class FencedStatements(NamedTuple):
    """Statements that change something once at most; each says which row of ``writer`` is the server's own."""

    apply: str
    """Writes a batch of which each job may be stale."""
    apply_step: str
    """Writes a step of a consumer, or nothing."""
    apply_slice: str
    """Writes a slice of a bulk request and what became of it, or nothing."""
    apply_whole: str
    """Writes a batch, or nothing if a job is stale."""
    create_workflow: str
    delete_workflow: str


def fenced_statements(*, make_durable: bool) -> FencedStatements:
    """Return the statements; if ``make_durable`` they do not trust the session to commit durably."""
    goes = ("go_always", "go_with_step", "go_with_slice", "go_whole")
    steps = (_APPLY["apply"].replace(":go", _APPLY[go]) for go in goes)
    texts = (*steps, SQL["create_workflow"], SQL["delete_workflow"])
    return FencedStatements(*(sql.replace(":durable", _MADE_DURABLE if make_durable else "true") for sql in texts))


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
