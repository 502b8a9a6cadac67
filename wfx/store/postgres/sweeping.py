"""Writing tables anew as a whole, so that nothing is left of former values.

That needs a table for itself, and no transaction that still sees former rows: whoever is in the way is named, and
waited for a while only, without keeping others waiting behind.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import asyncpg

from wfx.store.findings import Progress
from wfx.store.postgres.blocking import BlockingConnection
from wfx.store.postgres.connections import Plain

_PATIENCE = 60.0
"""Seconds to pause for others, altogether."""
_PAUSE = 0.5
_LOCK_TIMEOUT = "1s"
"""How long others may have to wait behind who waits for a table."""
_STATISTICS = "pg_statistic"
"""PostgreSQL's statistics, which have samples of values."""
_NOW = "SELECT (txid_current() % 4294967296)::text"
_IN_THE_WAY = """
SELECT session.pid, session.application_name, session.usename FROM pg_stat_activity AS session
WHERE session.pid <> pg_backend_pid() AND (
    (session.datname = current_database() AND age(session.backend_xmin) >= age($2::text::xid))
    OR session.pid IN (
        SELECT pid FROM pg_locks
        WHERE granted AND locktype = 'relation' AND relation = $1::text::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
)
ORDER BY session.backend_start NULLS LAST, session.pid LIMIT 1
"""
"""The session that keeps a table from being written anew, or sees rows from before a transaction."""


def sweep(connection: BlockingConnection, tables: Sequence[str], progress: Progress) -> str:
    """Write tables and statistics anew; return who has kept it from being done all the time, empty if nobody."""
    ((now,),) = connection.fetch(_NOW)
    connection.run(connection.plain.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    names = [*tables, _STATISTICS]
    left = _PATIENCE
    for done, name in enumerate(names):
        while in_the_way := _in_the_way(connection, name, now) or _try(connection, name):
            progress(f"tables rewritten, but waits for {in_the_way} at {name}", done, len(names))
            if left <= 0:
                return in_the_way
            time.sleep(_PAUSE)
            left -= _PAUSE
        progress("tables rewritten", done + 1, len(names))
    return ""


def _in_the_way(connection: BlockingConnection, name: str, now: str) -> str:
    for pid, application, user in connection.fetch(_IN_THE_WAY, name, now):
        return f'session {pid} of "{user}" ("{application}")'
    return ""


def _try(connection: BlockingConnection, name: str) -> str:
    return "" if connection.run(_written_anew(connection.plain, name)) else "a lock"


async def _written_anew(plain: Plain, name: str) -> bool:
    try:
        await plain.execute(f"VACUUM (FULL{'' if name == _STATISTICS else ', ANALYZE'}) {name}")
    except asyncpg.LockNotAvailableError:
        return False
    return True
