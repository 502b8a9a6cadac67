"""Bringing all values of a database into the form in which they are written now: sealed by the first key, or plain.

It is done in short transactions, so that a server goes on beside it, and can be ended at any moment: what has the form
already is left out when it is called again (``spec/decisions/0102-sealed-values.md``).
"""
# ruff: noqa: S608 - the texts put together are constants of this module

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from wfx.domain.errors import SealedValueUnreadable, StoreUnusable
from wfx.protection.sealing import HEAD, Sealing, head_of
from wfx.protection.used_keys import other_writer
from wfx.store.findings import Progress
from wfx.store.rekeyed import Rekeyed
from wfx.store.sqlite import key_record
from wfx.store.sqlite.checking import require_current
from wfx.store.sqlite.connection import transaction
from wfx.store.sqlite.file import FileInUse, claim
from wfx.store.sqlite.sealed_rows import sealed_text, writing_connection
from wfx.store.sqlite.sealed_tables import SWEPT, TABLES, SealedTable

_ROWS, _BYTES = 200, 1_000_000
"""What a transaction writes anew at most; one value may have more."""
_LEAST_PAUSE = 0.01
"""Seconds between two transactions in which a server has its turn."""
_CHECKPOINTS = 20
_BETWEEN_CHECKPOINTS = 0.5
_UNSWEPT = "free pages may hold values that were deleted or changed before: call it again while no server runs"
_UNEMPTIED = "the write-ahead log still holds former values: call it again, or stop the server for a moment"


def rekey(path: Path, sealing: Sealing, progress: Progress) -> Rekeyed:
    """Write all values anew that do not have the form yet. Raises StoreUnusable.

    A server may be at work if it writes values in the same form.
    """
    if not path.is_file():
        raise StoreUnusable(f"there is no database file {path}")
    try:
        with _claimed(path) as is_alone, closing(writing_connection(path, sealing)) as connection:
            require_current(connection, str(path))
            return _Rekeying(connection, sealing, path, progress, is_alone=is_alone).run()
    except sqlite3.Error as exc:
        raise StoreUnusable(f"cannot write {path}: {exc}; what was done stays, call it again to go on") from exc


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Keep servers out, unless one is at work; tell whether none is."""
    try:
        descriptor = claim(path, may_create=False)
    except FileInUse:
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


class _Rekeying:
    def __init__(
        self, connection: sqlite3.Connection, sealing: Sealing, path: Path, progress: Progress, *, is_alone: bool
    ) -> None:
        self._connection = connection
        self._sealing = sealing
        self._place = str(path)
        self._progress = progress
        self._is_alone = is_alone
        self._head = head_of(sealing.ring.first.id)
        self._total = self._values = 0
        self._unreadable: set[tuple[str, int]] = set()

    def run(self) -> Rekeyed:
        self._begin()
        self._total = sum(map(self._count, TABLES))
        for table in TABLES:
            self._write_anew(table)
        self._end()
        return Rekeyed(self._place, self._values, len(self._unreadable), self._clean())

    def _begin(self) -> None:
        connection = self._connection
        connection.execute("PRAGMA busy_timeout = 60000")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")  # in files, former values would lie there
        with transaction(connection):
            used = key_record.read(connection)
            used.require(self._sealing, self._place)
            if self._is_alone:
                key_record.note(connection, used, self._sealing)
            elif used.writer != self._sealing.writer:
                raise other_writer(f"the server at work on {self._place}", used.writer, self._sealing.writer)
        connection.execute(f"CREATE TEMP TABLE swept AS {SWEPT}")

    def _needs(self, table: SealedTable) -> str:
        """Return the condition of rows that are to be written anew."""
        if not self._sealing.seals:
            return " OR ".join(f"typeof({column}) = 'blob'" for column in table.columns)
        return " OR ".join(
            f"(typeof({column}) = 'text' AND {column} <> 'null') "
            f"OR (typeof({column}) = 'blob' AND substr({column}, 1, {HEAD}) <> :head)"
            for column in table.columns
        )

    def _count(self, table: SealedTable) -> int:
        sql = f"SELECT count(*) FROM main.{table.name} WHERE {self._needs(table)}"
        count: int = self._connection.execute(sql, {"head": self._head}).fetchone()[0]
        return count

    def _write_anew(self, table: SealedTable) -> None:
        last = -(2**63)
        while numbers := self._next_numbers(table, last):
            begin = time.monotonic()
            with transaction(self._connection):
                for number in numbers:
                    self._write_row(table, number)
            last = numbers[-1]
            self._progress(f"values of {table.name}", self._values, max(self._total, self._values))
            if not self._is_alone:
                time.sleep(max(time.monotonic() - begin, _LEAST_PAUSE))

    def _next_numbers(self, table: SealedTable, last: int) -> list[int]:
        size = " + ".join(f"coalesce(length({column}), 0)" for column in table.columns)
        sql = (
            f"SELECT {table.number}, {size} FROM main.{table.name} "
            f"WHERE {table.number} > :last AND ({self._needs(table)}) ORDER BY {table.number} LIMIT {_ROWS}"
        )
        numbers: list[int] = []
        room = _BYTES
        for number, length in self._connection.execute(sql, {"last": last, "head": self._head}).fetchall():
            if numbers and length > room:
                break
            numbers.append(number)
            room -= length
        return numbers

    def _write_row(self, table: SealedTable, number: int) -> None:
        swept = f"{table.number} IN (SELECT number FROM temp.swept)" if table.name == "history" else "FALSE"
        sql = (
            f"SELECT {swept}, {table.owner}, {', '.join(table.columns)} FROM main.{table.name} "
            f"WHERE {table.number} = :number AND ({self._needs(table)})"
        )
        row = self._connection.execute(sql, {"number": number, "head": self._head}).fetchone()
        if row is None:  # deleted or written by the server meanwhile
            return
        is_swept, owner, *values = row
        try:
            written = [
                self._anew(table.place(column), None if is_swept else owner, value)
                for column, value in zip(table.columns, values, strict=True)
            ]
        except SealedValueUnreadable:
            self._unreadable.add((table.name, number))
            return
        columns = ", ".join(f"{column} = ?" for column in table.columns)
        sql = f"UPDATE main.{table.name} SET {columns} WHERE {table.number} = ?"
        self._connection.execute(sql, (*written, number))
        self._values += 1

    def _anew(self, place: str, owner: str | None, value: Any) -> Any:
        if value is None:
            return None
        if owner is None:  # nobody reads it any more
            return "null"
        plain = self._sealing.open(place, owner, value) if isinstance(value, bytes) else value.encode()
        return sealed_text(self._sealing, place, owner, plain.decode())

    def _end(self) -> None:
        """Forget keys that nothing is sealed with any more."""
        connection = self._connection
        with transaction(connection):
            used = key_record.read(connection)
            if used.writer == self._sealing.writer and not any(map(self._count, TABLES)):
                key_record.put(connection, used.only_writer())

    def _clean(self) -> str:
        """Get rid of former bytes; return what may be left."""
        connection = self._connection
        if self._is_alone:
            connection.execute("PRAGMA temp_store = DEFAULT")  # the whole file is copied, with nothing plain in it
            connection.execute("VACUUM")
        for attempt in range(_CHECKPOINTS):
            if not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                return "" if self._is_alone else _UNSWEPT
            if attempt < _CHECKPOINTS - 1:
                time.sleep(_BETWEEN_CHECKPOINTS)
        return _UNEMPTIED
