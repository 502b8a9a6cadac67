"""SQL statements by name, from ``queries.sql``.

``:rows`` in a statement stands for as many rows as there are, ``:items`` for a list of single values: one statement
over many rows takes a fraction of the time of many statements, and the interpreter lock changes hands once.
``:columns`` stands for columns that a table of the program names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from wfx.store.named_statements import read_statements

Statement = tuple[str, list[Any]]
"""SQL, and the values for its marks."""
_AT_ONCE = 64
"""Rows per statement. More gain nothing, and every number of rows is a statement to prepare and to keep."""


def load(name: str) -> Mapping[str, str]:
    """Read the statements of a file of this directory."""
    return read_statements(Path(__file__).parent / name)


SQL = load("queries.sql")


def over_rows(name: str, rows: Sequence[Sequence[Any]]) -> list[Statement]:
    """Make the named statement for all rows; of none where there are no rows."""
    pieces = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
    return [(_over_rows(name, len(some[0]), len(some)), list(chain.from_iterable(some))) for some in pieces]


def for_rows(connection: sqlite3.Connection, name: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute the named statement for all rows."""
    for sql, values in over_rows(name, rows):
        connection.execute(sql, values)


def for_items(connection: sqlite3.Connection, name: str, items: Sequence[Any], *first: Any) -> Iterable[Any]:
    """Execute the named query for all items, behind its first values, and yield the rows it finds."""
    for start in range(0, len(items), _AT_ONCE):
        some = items[start : start + _AT_ONCE]
        yield from connection.execute(_over_items(name, len(some)), [*first, *some]).fetchall()


@lru_cache(maxsize=16 * _AT_ONCE)
def _over_rows(name: str, width: int, count: int) -> str:
    row = "(" + ",".join("?" * width) + ")"
    return SQL[name].replace(":rows", ",".join([row] * count))


@lru_cache(maxsize=16 * _AT_ONCE)
def _over_items(name: str, count: int) -> str:
    return SQL[name].replace(":items", ",".join("?" * count))
