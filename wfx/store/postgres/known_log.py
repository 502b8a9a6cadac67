"""What a server knows of the log, by which it notices that another one has taken its place.

A standby that was promoted may lack the newest commits. Then other events get the numbers of those that are lost, and
whoever has seen these must not go on from there: the log gets another identity.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import asyncpg

from wfx.domain.errors import StoreDamaged
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL

_log = logging.getLogger(__name__)


class _Newest(NamedTuple):
    """The newest event that is known to be on a log, and what it is known by."""

    log_id: str = ""
    seq: int = 0
    mark: tuple[Any, ...] = (None, None)


class Objection(NamedTuple):
    """Why a connection should be to another server of PostgreSQL than it is."""

    reason: str
    server: str
    """Since when that one runs, by which it is told from others."""
    another_log: bool
    """Whether what is known is not in its database; else it is only not the server of the other connections."""


class KnownLog:
    """The log's identity and newest event, as far as this server has heard, and which PostgreSQL has it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._newest = _Newest()
        self._server = ""
        self.is_connected: Callable[[], bool] = lambda: False
        """Tells whether there is a connection to the server that has the log."""
        self.leave_all: Callable[[Plain | None], None] = lambda _: None
        """Lets go of all connections but this one, since another server has taken the place of theirs."""
        self.tell_replaced: Callable[[int], None] = lambda _: None
        """Is called with the head of the log when it turns out to be another one."""

    def note(self, seq: int, ctime: int, job_id: str) -> None:
        """Remember an event that was just committed here."""
        if seq > self._newest.seq:
            self._newest = _Newest(self._newest.log_id, seq, (ctime, job_id))

    async def objection(self, plain: Plain) -> Objection | None:
        """Say why a new connection should not be used if another one can be had."""
        known = self._newest
        if not known.log_id:
            return None
        try:
            row = await plain.fetchrow(SQL["server_now"], known.seq)
        except asyncpg.LockNotAvailableError:
            raise
        except asyncpg.PostgresError:
            row = None  # whatever it is, the first statement says so
        if row is None:
            return None
        log_id, head, horizon, *mark, server = row
        if log_id != self._newest.log_id:
            return Objection("its log is another one than this server follows", server, another_log=True)
        if head < known.seq or (known.seq > horizon and tuple(mark) != known.mark):
            return Objection(f"its database lacks event {known.seq}, or has another", server, another_log=True)
        if server != self._server and self._server and self.is_connected():
            return Objection("it is not the server of the other connections", server, another_log=False)
        self._server = server
        return None

    def move(self, plain: Plain, objection: Objection) -> None:
        """Replace all connections, since there is an objection to each that could be made."""
        _log.warning("all connections to PostgreSQL are replaced, to use another server: %s", objection.reason)
        self._server = objection.server
        self.leave_all(plain)

    async def check(self, plain: Plain) -> int:
        """Return the head of the log; give the log another identity if it lacks what was known to be on it."""
        known = self._newest  # whatever was committed by now is on the log that is read next
        log_id, head, horizon, mark, found = await self._read(plain, known.seq)
        if log_id == known.log_id and (head < known.seq or (known.seq > horizon and found != known.mark)):
            _log.error(
                "the database lacks event %d or has another in its place, as a standby that was promoted without the "
                "newest commits: the log gets another identity, and those who follow it have to start again",
                known.seq,
            )
            await plain.execute(SQL["replace_log"], log_id)
            log_id, head, _, mark, _ = await self._read(plain, 0)
        if log_id != known.log_id:
            self._newest = _Newest(log_id, head, mark)
            if known.log_id:
                self.leave_all(plain)
                self.tell_replaced(head)
        elif head > self._newest.seq:
            self._newest = _Newest(log_id, head, mark)
        return head

    async def _read(self, plain: Plain, seq: int) -> tuple[str, int, int, tuple[Any, ...], tuple[Any, ...]]:
        row = await plain.fetchrow(SQL["log_now"], seq)
        if row is None:
            raise StoreDamaged("the table log has no row, which the first migration makes; wfx check tells more")
        return row[0], row[1], row[2], tuple(row[3:5]), tuple(row[5:7])
