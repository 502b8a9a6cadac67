"""Bringing all values of a database into the form in which they are written now: sealed by the first key, or plain.

Each statement is committed by itself, and changes a value only if it is still the one that was read, so that servers go
on beside it and it can be ended at any moment: what has the form already is left out when it is called again.
"""
# ruff: noqa: S608 - the texts put together are constants of this package

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from wfx.domain.errors import SealedValueUnreadable
from wfx.protection.sealing import HEAD, Sealing, text_head_of
from wfx.store.findings import Progress
from wfx.store.postgres.blocking import BlockingConnection, blocking
from wfx.store.postgres.checking import require_current
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.enrolment import begin_rekeying, forget_keys
from wfx.store.postgres.rows import Row
from wfx.store.postgres.sealed_rows import sealed_text
from wfx.store.postgres.sealed_tables import SEALED, TABLES, SealedTable
from wfx.store.postgres.sweeping import sweep
from wfx.store.rekeyed import Rekeyed

_ROWS, _BYTES = 200, 1_000_000
"""What a statement writes anew at most; one value may have more."""
_LEAST_PAUSE = 0.01
"""Seconds between two statements in which servers have their turn."""
_ATTEMPTS = 20
"""How often a statement is sent that servers were in the way of."""
_NULL = "null"
"""What a value becomes whose owner is not known any more."""
_WAL = (
    "PostgreSQL's write-ahead log, its archive and former backups hold former values until they are recycled or deleted"
)
_UNSWEPT = f"pages of tables may hold former values: call it again while no server runs; {_WAL}"
_NOT_OWN = f"pages of tables may hold former values: let the owner of the database call VACUUM FULL; {_WAL}"
_KEPT = f"pages of tables may hold former values: call it again once {{}} is not in the way any more; {_WAL}"
_OWNS = """
SELECT bool_and(pg_has_role(relowner, 'USAGE'))
    AND (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database())
FROM pg_class WHERE pg_table_is_visible(oid) AND relname = ANY ($1::text[])
"""


def rekey(option: str, sealing: Sealing, progress: Progress) -> Rekeyed:
    """Write all values anew that do not have the form yet. Raises StoreUnusable.

    Servers may be at work if they write values in the same form.
    """
    with blocking(option, "write to", sealing) as connection:
        require_current(connection)
        is_alone = connection.run(begin_rekeying(connection.plain, connection.name, sealing))
        return _Rekeying(connection, sealing, progress, is_alone=is_alone).run()


class _Rekeying:
    def __init__(self, connection: BlockingConnection, sealing: Sealing, progress: Progress, *, is_alone: bool) -> None:
        self._connection = connection
        self._sealing = sealing
        self._progress = progress
        self._is_alone = is_alone
        self._head = [text_head_of(sealing.ring.first.id)] if sealing.seals else []
        self._total = self._rows = 0
        self._unreadable: set[tuple[str, tuple[int, ...]]] = set()

    def run(self) -> Rekeyed:
        connection, plain = self._connection, self._connection.plain
        self._total = sum(map(self._count, TABLES))
        for table in TABLES:
            self._write_anew(table)
        is_done = not any(map(self._count, TABLES))
        connection.run(forget_keys(plain, self._sealing, is_done=is_done))
        return Rekeyed(connection.name, self._rows, len(self._unreadable), self._clean())

    def _needs(self, table: SealedTable, mark: str) -> str:
        """Return the condition of rows that are to be written anew."""
        if not self._sealing.seals:
            return " OR ".join(f"substr({column}, 1, 1) = {SEALED}" for column in table.columns)
        return " OR ".join(f"(substr({each}, 1, {HEAD}) <> {mark} AND {each} <> '{_NULL}')" for each in table.columns)

    def _count(self, table: SealedTable) -> int:
        sql = f"SELECT count(*) FROM {table.name} WHERE {self._needs(table, '$1::text')}"
        ((count,),) = self._connection.fetch(sql, *self._head)
        return int(count)

    def _write_anew(self, table: SealedTable) -> None:
        last: Sequence[int] = [-(2**63)] * len(table.number)
        while numbers := self._next_numbers(table, last):
            begin = time.monotonic()
            columns = [*zip(*numbers, strict=True)]
            rows = self._connection.fetch(_values_of(table), *columns)
            if written := [new for row in rows if (new := self._row(table, row)) is not None]:
                put = _put(table, [*zip(*written, strict=True)])
                self._rows += self._connection.run(_again(self._connection.plain, put))
            last = numbers[-1]
            self._progress(f"values of {table.name}", self._rows, max(self._total, self._rows))
            if not self._is_alone:
                time.sleep(max(time.monotonic() - begin, _LEAST_PAUSE))

    def _next_numbers(self, table: SealedTable, last: Sequence[int]) -> list[Sequence[int]]:
        size = " + ".join(f"coalesce(octet_length({column}), 0)" for column in table.columns)
        names, width = ", ".join(table.number), len(table.number)
        marks = ", ".join(f"${place}::bigint" for place in range(1, width + 1))
        sql = (
            f"SELECT {names}, {size} FROM {table.name} WHERE ({names}) > ({marks}) "
            f"AND ({self._needs(table, f'${width + 1}::text')}) ORDER BY {names} LIMIT {_ROWS}"
        )
        found: list[Sequence[int]] = []
        room = _BYTES
        for *number, length in self._connection.fetch(sql, *last, *self._head):
            if found and length > room:
                break
            found.append(number)
            room -= length
        return found

    def _row(self, table: SealedTable, row: Row) -> tuple[Any, ...] | None:
        """Return the numbers of a row, its values before, and those that it is to have; None if they are as before."""
        width = len(table.number)
        number, owner, values = tuple(row[:width]), row[width], row[width + 1 :]
        try:
            anew = [
                None if value is None else self._anew(table.place(column), owner, value)
                for column, value in zip(table.columns, values, strict=True)
            ]
        except SealedValueUnreadable:
            self._unreadable.add((table.name, number))
            return None
        return (*number, *values, *anew)

    def _anew(self, place: str, owner: str | None, value: str) -> str:
        if owner is None:  # nobody reads it any more
            return _NULL
        return sealed_text(self._sealing, place, owner, self._sealing.open_text(place, owner, value))

    def _clean(self) -> str:
        """Get rid of former values, as far as PostgreSQL lets its users; return what may be left."""
        connection, names = self._connection, [table.name for table in TABLES]
        ((is_owner,),) = connection.fetch(_OWNS, names)
        if not is_owner:
            return _NOT_OWN
        if not self._is_alone:
            return _UNSWEPT
        in_the_way = sweep(connection, names, self._progress)
        return _KEPT.format(in_the_way) if in_the_way else _WAL


def _values_of(table: SealedTable) -> str:
    """Select values of rows by arrays of their numbers, with their owners."""
    names = ", ".join(table.number)
    return (
        f"SELECT {names}, {table.owner}, {', '.join(table.columns)} FROM {table.name} "
        f"WHERE ({names}) IN (SELECT * FROM unnest({_arrays(len(table.number), 'bigint')})) ORDER BY {names}"
    )


def _put(table: SealedTable, columns: Sequence[Sequence[Any]]) -> Callable[[Plain], Awaitable[int]]:
    """Make what replaces values that are still the same; rows are locked in order, as servers do.

    A value that a server has replaced meanwhile has the form, and others of the same row may not.
    """
    width, values = len(table.number), len(table.columns)
    names = [*table.number, *(f"old_{name}" for name in table.columns), *(f"new_{name}" for name in table.columns)]
    arrays = f"{_arrays(width, 'bigint')}, {_arrays(2 * values, 'text', width)}"
    own = " AND ".join(f"{table.name}.{name} = wanted.{name}" for name in table.number)
    same = {name: f"{table.name}.{name} IS NOT DISTINCT FROM old_{name}" for name in table.columns}
    news = [f"{name} = CASE WHEN {test} THEN new_{name} ELSE {table.name}.{name} END" for name, test in same.items()]
    if table.size:
        (name, test), *_ = same.items()
        news.append(f"{table.size} = CASE WHEN {test} THEN octet_length(new_{name}) ELSE {table.name}.{table.size} END")
    keys = ", ".join(f"{table.name}.{name}" for name in table.number)
    sql = f"""
        WITH wanted AS MATERIALIZED (SELECT * FROM unnest({arrays}) AS wanted ({", ".join(names)})),
        locked AS MATERIALIZED (
            SELECT 1 FROM {table.name} WHERE ({keys}) IN (SELECT {", ".join(table.number)} FROM wanted)
            ORDER BY {keys} FOR UPDATE
        ),
        changed AS (
            UPDATE {table.name} SET {", ".join(news)} FROM wanted
            WHERE (SELECT count(*) FROM locked) >= 0 AND {own} AND ({" OR ".join(same.values())})
            RETURNING 1
        )
        SELECT count(*) FROM changed
    """

    async def put(plain: Plain) -> int:
        changed: int = await plain.fetchval(sql, *columns)
        return changed

    return put


async def _again(plain: Plain, work: Callable[[Plain], Awaitable[int]]) -> int:
    """Do it, once more where servers were in the way."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await work(plain)
        except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            await asyncio.sleep(_LEAST_PAUSE)
    return await work(plain)


def _arrays(count: int, kind: str, behind: int = 0) -> str:
    return ", ".join(f"${place}::{kind}[]" for place in range(behind + 1, behind + count + 1))
