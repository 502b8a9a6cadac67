"""Import of records into an empty PostgreSQL database; an interrupted one goes on where it was.

Until it is whole, a table says how far it has come, and no server opens the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import asyncpg

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.protection.used_keys import UsedKeys
from wfx.store.dump import Header, Record, SourceRefused
from wfx.store.findings import Progress
from wfx.store.import_progress import RecordDigest, contradiction
from wfx.store.postgres.blocking import BlockingConnection, blocking, in_one_state
from wfx.store.postgres.checking import examine
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.enrolment import admit, put
from wfx.store.postgres.job_summary import count_imported
from wfx.store.postgres.migrate import migrate, migrations
from wfx.store.postgres.row_maker import COLUMNS, RowMaker, Rows
from wfx.store.postgres.sealed_rows import sealing_of
from wfx.store.postgres.statements import SQL
from wfx.store.postgres.unfinished_import import import_of

_TOGETHER = 1000
"""Records in a transaction."""
_MOST_BYTES = 16 * 1024 * 1024
"""Bytes of documents in a transaction, unless one record has more."""
_Step = tuple[int, int, str]
"""How many records were written before a transaction and are after it, and the digest of those."""


def restore(
    option: str, header: Header, records: Iterable[Record], progress: Progress, sealing: Sealing | None = None
) -> str:
    """Fill the database with these records and return its name; those that are there already are only read.

    Values are sealed with the keys.
    Raises StoreUnusable if something else is in it or it cannot be written, and ValueError, naming it, for a record
    that cannot be.
    """
    with blocking(option, "write to", sealing) as connection:
        maker, digest = RowMaker(header, sealing), RecordDigest()
        done, known = connection.run(_begun(connection.plain, header, connection.name))
        remaining = digest.over(records)
        for record in islice(remaining, done):
            maker.skip(record)
        if done and digest.value != known:
            raise StoreUnusable(f"the database {connection.name} has a part of another import; choose an empty one")
        with _nothing_left_of_refused(connection, header.head):
            for rows, count in _batches(remaining, maker):
                connection.run(_written(connection.plain, connection.name, rows, (done, done + count, digest.value)))
                done += count
                progress("records", done, header.records)
        connection.run(connection.plain.execute(SQL["sum_imported_scores"]))
        connection.run(connection.plain.execute(SQL["analyze_imported"]))
        _require_sound(connection, header.head, progress)
        connection.run(_finished(connection.plain, connection.name, (done, done, "")))
        return connection.name


@contextmanager
def _nothing_left_of_refused(connection: BlockingConnection, head: int) -> Iterator[None]:
    """Empty the database again if a record is refused: no import that has it would go on."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as exc:
        _discard(connection, head)
        # Many records were written together, so the newest line is not the one.
        raise StoreUnusable(f"a record is there twice, or refers to none: {exc.detail or exc}") from exc
    except (ValueError, SourceRefused):
        _discard(connection, head)
        raise


def _require_sound(connection: BlockingConnection, head: int, progress: Progress) -> None:
    """Let the check of databases look for what no single record shows; what is not sound is removed."""
    with in_one_state(connection):
        reason = contradiction(examine(connection, progress))
    if reason is not None:
        _discard(connection, head)
        raise StoreUnusable(f"{connection.name}: {reason}")


def _discard(connection: BlockingConnection, head: int) -> None:
    """Leave an empty database: what was written is of no use to any import.

    Where the log has events behind ``head``, the import's newest one, they are another's, and everything stays.
    """
    connection.run(_discarded(connection.plain, connection.name, head))


async def _discarded(plain: Plain, name: str, head: int) -> None:
    async with plain.transaction():
        if await plain.fetchval(SQL["lock_head"]) != head:
            raise StoreUnusable(
                f"another program has changed the database {name} meanwhile, so what was imported stays; "
                "import into an empty one"
            )
        await plain.execute(SQL["discard_import"])
        await put(plain, UsedKeys())


async def _begun(plain: Plain, header: Header, name: str) -> tuple[int, str]:
    """Make the tables, or find how many of these records are in them, and the digest of those."""
    if (begun := await import_of(plain)) is not None:
        if begun.header != repr(header):
            raise StoreUnusable(f"the database {name} has a part of another import; choose an empty one")
        await admit(plain, name, sealing_of(plain))
        return begun.records, begun.digest
    await migrate(plain, migrations(), name)
    async with plain.transaction():
        await plain.execute(SQL["keep_writers_out"])
        if not await plain.fetchval(SQL["is_unused"]):
            raise StoreUnusable(f"the database {name} has data; an import needs an empty one")
        if servers := await plain.fetchval(SQL["count_servers"]):
            raise StoreUnusable(
                f"servers work on the database {name} ({servers}); nothing was written: stop them, or choose another; "
                "the table writer has a row for each, also for one that was killed, until it is deleted there"
            )
        await plain.execute(SQL["take_over_writers"])
        await admit(plain, name, sealing_of(plain))
        await plain.execute(SQL["begin_import"])
        await plain.execute(SQL["note_import"], repr(header))
        await plain.execute(SQL["set_log"], header.head, header.horizon)
    return 0, ""


async def _written(plain: Plain, name: str, rows: Rows, step: _Step) -> None:
    async with plain.transaction():
        await _go_on(plain, name, step)
        for table, columns in COLUMNS.items():
            if rows[table]:
                await plain.copy_records_to_table(table, records=rows[table], columns=columns)


async def _finished(plain: Plain, name: str, step: _Step) -> None:
    async with plain.transaction():
        await _go_on(plain, name, step)
        await plain.execute(SQL["number_next_workflow"])
        await count_imported(plain)
        await plain.execute(SQL["end_import"])


async def _go_on(plain: Plain, name: str, step: _Step) -> None:
    if await plain.fetchval(SQL["import_goes_on"], *step) is None:
        raise StoreUnusable(f"another import writes to the database {name}")


def _batches(records: Iterator[Record], maker: RowMaker) -> Iterator[tuple[Rows, int]]:
    """Yield rows of some records, and of how many."""
    while True:
        rows: Rows = {table: [] for table in COLUMNS}
        count, room = 0, _MOST_BYTES
        for record in islice(records, _TOGETHER):
            room -= maker.add(record, rows)
            count += 1
            if room < 0:
                break
        if not count:
            return
        yield rows, count
