"""Check whether changes would wait for somebody's lock, made once a statement has waited for one in vain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import asyncpg

from wfx.domain.errors import StoreError, StoreUnavailable
from wfx.store.postgres.connections import Connection, Open, Plain
from wfx.store.postgres.deadlines import Deadlines
from wfx.store.postgres.faults import Locked

_log = logging.getLogger(__name__)

_NEEDED = """
BEGIN;
SET LOCAL lock_timeout = '{milliseconds}ms';
LOCK TABLE log, job, history, event, tombstone, job_count, tag_shift, writer IN ROW EXCLUSIVE MODE;
SELECT FROM log FOR UPDATE;
ROLLBACK
"""
"""What each change needs; sent as one, so that no lock of it stays should this side stop in between."""
_WAITING = "changes wait for a lock that somebody holds on a table, or on the row of the table log"


class LockCheck:
    """Tries what each change needs, on a connection of its own that is there only while somebody holds a lock."""

    def __init__(self, connect: Open, watched: Sequence[Connection], deadlines: Deadlines) -> None:
        """Be due once a statement on one of the ``watched`` connections has waited in vain."""
        self._connection = Connection(connect, known_down=deadlines.known_down, writes=True)
        self._watched = watched
        self._sql = _NEEDED.format(milliseconds=int(deadlines.known_down * 1000))
        self._seconds = deadlines.ping

    @property
    def is_due(self) -> bool:
        """Whether a statement has waited in vain since the last check that found no lock."""
        return any(each.waited_in_vain for each in self._watched)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._connection.is_open

    async def require(self) -> None:
        """Raise StoreUnavailable if changes would wait. What else is wrong is for others to find."""
        for each in self._watched:
            each.waited_in_vain = False
        try:
            await self._connection.run(self._try, asyncio.get_running_loop().time() + self._seconds)
        except Locked as exc:
            self._watched[0].waited_in_vain = True
            raise StoreUnavailable(_WAITING) from exc
        except StoreError as exc:
            _log.debug("cannot check for locks: %s", exc)
        self._connection.drop()

    async def _try(self, plain: Plain) -> None:
        try:
            await plain.execute(self._sql)
        except asyncpg.PostgresError:
            await plain.execute("ROLLBACK")
            raise

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
