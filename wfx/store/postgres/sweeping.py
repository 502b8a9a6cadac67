"""Rewrites whole tables, so that no former values are left in their files.

This needs an exclusive lock on a table, and no transaction that still sees former rows. Sessions in the way are named
and waited for, but not for long, and without blocking others in the queue for the lock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import asyncpg

from wfx.store.findings import Progress
from wfx.store.postgres.blocking import BlockingConnection
from wfx.store.postgres.connections import Plain

_PATIENCE = 60.0
"""Seconds to pause for other sessions, in total."""
_PAUSE = 0.5
_LOCK_TIMEOUT = "1s"
"""How long this session may wait for a lock, since others wait behind it."""
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
"""The oldest session that holds a lock on a table, or sees rows from before a transaction."""


def sweep(connection: BlockingConnection, tables: Sequence[str], progress: Progress) -> str:
    """Rewrite tables and statistics; return which session kept it from that until the end, empty if none did."""
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
    return "" if connection.run(_rewrite(connection.plain, name)) else "a lock"


async def _rewrite(plain: Plain, name: str) -> bool:
    try:
        await plain.execute(f"VACUUM (FULL{'' if name == _STATISTICS else ', ANALYZE'}) {name}")
    except asyncpg.LockNotAvailableError:
        return False
    return True
