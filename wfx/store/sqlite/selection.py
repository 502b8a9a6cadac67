"""Job queries as SQL."""
# ruff: noqa: S608 - the texts put together are constants of this module; all that callers give is bound

from __future__ import annotations

from typing import Any, NamedTuple

from wfx.domain.query import JobQuery, Paging
from wfx.store.sqlite.rows import JOB_COLUMNS

_NO_LIMIT = -1
_MOST = 2**63 - 1


class Statement(NamedTuple):
    """SQL text and the values for its marks."""

    sql: str
    values: list[Any]


def page(query: JobQuery) -> Statement:
    """Select the rows of the page, in order."""
    conditions = _conditions(query)
    order = "DESC" if query.paging.descending else "ASC"
    numbers = f"SELECT number FROM job {conditions.sql} ORDER BY number {order} LIMIT ? OFFSET ?"
    return Statement(
        f"SELECT {JOB_COLUMNS} FROM job LEFT JOIN definition ON definition.job = job.number "
        f"WHERE number IN ({numbers}) ORDER BY number {order}",
        [*conditions.values, *bounds(query.paging)],
    )


def total(query: JobQuery) -> Statement:
    """Count all that match."""
    conditions = _conditions(query)
    return Statement(f"SELECT count(*) FROM job {conditions.sql}", conditions.values)


def bounds(paging: Paging) -> tuple[int, int]:
    """Return LIMIT and OFFSET as SQLite takes them."""
    return (paging.limit if paging.limit > 0 else _NO_LIMIT, min(max(paging.offset, 0), _MOST))


def _conditions(query: JobQuery) -> Statement:
    sql, values = [], []
    for column, value in (("client_id", query.client_id), ("state", query.state)):
        if value:
            sql.append(f"{column} = ?")
            values.append(value)
    if query.workflow:
        sql.append("workflow = (SELECT number FROM workflow WHERE name = ? AND deleted IS NULL)")
        values.append(query.workflow)
    if query.groups:
        sql.append(f'"group" IN ({_marks(query.groups)})')
        values.extend(query.groups)
    if query.tags:
        sql.append(f"number IN (SELECT job FROM job_tag WHERE tag IN ({_marks(query.tags)}))")
        values.extend(query.tags)
    return Statement("WHERE " + " AND ".join(sql) if sql else "", values)


def _marks(values: tuple[str, ...]) -> str:
    return ",".join("?" * len(values))
