"""All or nothing, inside the writing connection's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from wfx.store.sqlite.statements import Statement


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make what is done inside durable together. Raises sqlite3.Error, and then nothing has changed."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.rollback()
        raise


def execute(connection: sqlite3.Connection, statements: Sequence[Statement]) -> None:
    """Execute the statements in one transaction."""
    with transaction(connection):
        for sql, values in statements:
            connection.execute(sql, values)
