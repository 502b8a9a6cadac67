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

ROWS_AT_ONCE = 200
"""Rows that are fetched together."""
_Result = TypeVar("_Result")


class BlockingConnection:
    """A connection and the loop that it works on."""

    def __init__(self, runner: asyncio.Runner, plain: Plain, name: str) -> None:
        """Use this connection to the database of this name."""
        self._runner = runner
        self.plain = plain
        self.name = name

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Wait for what is done with the connection."""
        return self._runner.run(work)

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
def blocking(option: str, doing: str, *, reads_only: bool = False) -> Iterator[BlockingConnection]:
    """Open a connection to the database that the option names, also to a standby if it ``reads_only``.

    Raises StoreUnusable, which says that it cannot be ``doing``, such as "read", for what PostgreSQL does not do.
    """
    with asyncio.Runner() as runner:
        plain, name = runner.run(open_plain(option, reads_only=reads_only))
        try:
            yield BlockingConnection(runner, plain, name)
        except (asyncpg.PostgresError, *LOST) as exc:
            raise StoreUnusable(f"cannot {doing} the database {name}: {translate(exc) or exc}") from exc
        finally:
            plain.terminate()


@contextmanager
def one_state(option: str) -> Iterator[BlockingConnection]:
    """Open a connection that sees one state of the database, and changes nothing. Raises StoreUnusable."""
    with blocking(option, "read", reads_only=True) as connection, in_one_state(connection):
        yield connection


@contextmanager
def in_one_state(connection: BlockingConnection) -> Iterator[None]:
    """Have the connection see one state of the database, and change nothing."""
    transaction = connection.plain.transaction(isolation="repeatable_read", readonly=True)
    connection.run(transaction.start())
    yield
    connection.run(transaction.rollback())
