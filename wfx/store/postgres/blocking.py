"""Connection for commands, which wait for each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.faults import LOST, translate
from wfx.store.postgres.opening import open_plain

ROWS_AT_ONCE = 20
"""Rows that are fetched together: each may have megabytes, and all of them are in memory."""
_Result = TypeVar("_Result")


class BlockingConnection:
    """A connection and the loop that it works on."""

    def __init__(self, runner: asyncio.Runner, plain: Plain, name: str, doing: str) -> None:
        """Use this connection to the database of this name, to "read" it for example."""
        self._runner = runner
        self.plain = plain
        self.name = name
        self._doing = doing

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Wait for what is done with the connection.

        Raises StoreUnusable for what PostgreSQL does not do: as an OSError it would be taken for one of a file that is
        written meanwhile. Of a row that breaks a rule, PostgreSQL's own error is raised.
        """
        try:
            return self._runner.run(work)
        except asyncpg.IntegrityConstraintViolationError:
            raise
        except (asyncpg.PostgresError, *LOST) as exc:
            raise StoreUnusable(f"cannot {self._doing} the database {self.name}: {translate(exc) or exc}") from exc

    def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        return self.run(self.plain.fetch(sql, *values))

    def rows(self, sql: str, *values: object) -> Iterator[asyncpg.Record]:
        """Yield the rows of a query in a transaction, some at a time."""
        cursor = self.run(self._cursor(sql, values))
        while some := self.run(cursor.fetch(ROWS_AT_ONCE)):
            yield from some

    async def _cursor(self, sql: str, values: tuple[object, ...]) -> asyncpg.cursor.Cursor[asyncpg.Record]:
        return await self.plain.cursor(sql, *values)


@contextmanager
def blocking(option: str, doing: str) -> Iterator[BlockingConnection]:
    """Open a connection to the database that the option names.

    Raises StoreUnusable; what is done with it is ``doing``, such as "read", in messages.
    """
    with asyncio.Runner() as runner:
        plain, name = runner.run(open_plain(option))
        try:
            yield BlockingConnection(runner, plain, name, doing)
        finally:
            plain.terminate()


@contextmanager
def one_state(option: str) -> Iterator[BlockingConnection]:
    """Open a connection that sees one state of the database, and changes nothing. Raises StoreUnusable."""
    with blocking(option, "read") as connection, in_one_state(connection):
        yield connection


@contextmanager
def in_one_state(connection: BlockingConnection) -> Iterator[None]:
    """Have the connection see one state of the database, and change nothing."""
    transaction = connection.plain.transaction(isolation="repeatable_read", readonly=True)
    connection.run(transaction.start())
    # Whoever takes what is read may be slow: another store, or a pipe.
    connection.run(connection.plain.execute("SET LOCAL idle_in_transaction_session_timeout = 0"))
    yield
    if not connection.plain.is_closed():
        connection.run(transaction.rollback())
