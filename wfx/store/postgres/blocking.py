"""Connection for commands, which wait for each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.driver import telling_loss
from wfx.store.postgres.faults import LOST, translate
from wfx.store.postgres.opening import open_plain

ROWS_AT_ONCE = 20
"""Rows that are fetched together: each may have megabytes, and all of them are in memory."""
SMALL_ROWS_AT_ONCE = 500
"""The same of rows without documents, and of those whose bytes are known."""
_BYTES_TOGETHER = 16 * 1024 * 1024
"""Bytes of documents that are fetched together, unless one row has more."""
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
            with telling_loss(self.plain):
                return self._runner.run(work)
        except asyncpg.IntegrityConstraintViolationError:
            raise
        except (asyncpg.UndefinedColumnError, asyncpg.UndefinedTableError) as exc:
            raise StoreUnusable(
                f"cannot {self._doing} the database {self.name}: its tables are not complete, {exc.args[0]}"
            ) from exc
        except (asyncpg.PostgresError, *LOST) as exc:
            reason = " ".join(str(translate(exc) or exc).split())  # hints and details are lines of their own
            raise StoreUnusable(f"cannot {self._doing} the database {self.name}: {reason}") from exc

    def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        return self.run(self.plain.fetch(sql, *values))

    def rows(self, sql: str, *values: object, at_once: int = ROWS_AT_ONCE) -> Iterator[asyncpg.Record]:
        """Yield the rows of a query in a transaction, some at a time."""
        cursor = self.run(self._cursor(sql, values))
        while some := self.run(cursor.fetch(at_once)):
            yield from some

    def at_once(self, largest: str) -> int:
        """Return how many rows to fetch together; the query has the bytes of the largest one."""
        ((size,),) = self.fetch(largest)
        return min(max(_BYTES_TOGETHER // (size or 1), ROWS_AT_ONCE), SMALL_ROWS_AT_ONCE)

    def groups(self, sizes: str) -> Iterator[list[int]]:
        """Yield numbers of rows, as many together as have few bytes; the query has number and bytes of each row."""
        numbers: list[int] = []
        room = _BYTES_TOGETHER
        for number, size in self.rows(sizes, at_once=SMALL_ROWS_AT_ONCE):
            room -= size
            if numbers and (room < 0 or len(numbers) == SMALL_ROWS_AT_ONCE):
                yield numbers
                numbers, room = [], _BYTES_TOGETHER - size
            numbers.append(number)
        if numbers:
            yield numbers

    async def _cursor(self, sql: str, values: tuple[object, ...]) -> asyncpg.cursor.Cursor[asyncpg.Record]:
        return await self.plain.cursor(sql, *values)


@contextmanager
def blocking(
    option: str, doing: str, sealing: Sealing | None = None, *, standby_will_do: bool = False
) -> Iterator[BlockingConnection]:
    """Open a connection to the database that the option names, also to a standby if a ``standby_will_do``.

    Raises StoreUnusable; what is done with it is ``doing``, such as "read", in messages.
    """
    with asyncio.Runner() as runner:
        plain, name = runner.run(open_plain(option, sealing, standby_will_do=standby_will_do))
        try:
            yield BlockingConnection(runner, plain, name, doing)
        finally:
            plain.terminate()


@contextmanager
def one_state(option: str, sealing: Sealing | None = None) -> Iterator[BlockingConnection]:
    """Open a connection that sees one state of the database, and changes nothing. Raises StoreUnusable."""
    with blocking(option, "read", sealing, standby_will_do=True) as connection, in_one_state(connection):
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
