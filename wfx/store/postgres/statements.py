"""SQL statements of the backend by name, from ``apply.sql`` and ``queries.sql``."""

from __future__ import annotations

from pathlib import Path

from wfx.store.named_statements import read_statements
from wfx.store.sizes import AROUND_ENTRY, AROUND_JOB

_HERE = Path(__file__).parent
_APPLY = read_statements(_HERE / "apply.sql")
SQL = {**_APPLY, **read_statements(_HERE / "queries.sql")}
"""All statements, some with parts that begin with a colon, to be filled in."""
APPLY = _APPLY["apply"].replace(":go", _APPLY["go_always"])
"""Writes a batch of which each job may be stale."""
APPLY_STEP = _APPLY["apply"].replace(":go", _APPLY["go_with_step"])
"""Writes a step of a consumer, or nothing."""

APPLY_SLICE = _APPLY["apply"].replace(":go", _APPLY["go_with_slice"])
"""Writes a slice of a bulk request and what became of it, or nothing."""
APPLY_WHOLE = _APPLY["apply"].replace(":go", _APPLY["go_whole"])
"""Writes a batch, or nothing if a job is stale."""


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
