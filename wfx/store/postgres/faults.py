"""What becomes of errors of PostgreSQL and of the way to it."""

from __future__ import annotations

import logging
import time

import asyncpg

from wfx.domain.errors import StoreError, StoreFull, StoreUnavailable


class DecideAgain(StoreUnavailable):
    """The statement changed nothing since another server was in the way, and may succeed when it is sent again."""


class Unfit(StoreUnavailable):
    """The database lacks what the statements name, or its user may not do what they do; the connection is good."""


class ConnectionLost(StoreUnavailable):
    """There is no answer; what was sent may have been done."""


NO_ANSWER = "PostgreSQL gives no answer"
LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError, EOFError)
"""Also what the driver takes for an error of its own, when the server ends the connection while it is not asked."""
_AGAIN = {"23503", "40001", "40P01"}
"""What a batch refers to is gone meanwhile; other transactions were in the way."""
_FULL = {"53100"}
_LOST_CLASSES = ("08", "57P")
_UNFIT_CLASSES = ("3D", "3F", "42")
"""Databases, schemas, tables and columns that are missing, and rights."""
_SYNTAX = "42601"
_AGAIN_AFTER = 60.0
"""Seconds until it is told once more that a database is unfit in the same way."""
_told: dict[str, float] = {}
"""When it was told last, by SQLSTATE."""
_log = logging.getLogger(__name__)
_UNAVAILABLE_CLASSES = ("25", "53", "55", "57", "58", "XX")


def translate(error: BaseException) -> Exception | None:
    """Say in the domain's words what went wrong; None for what is an error of the program."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_state(error, str(getattr(error, "sqlstate", None) or ""))
    if isinstance(error, TimeoutError):
        return ConnectionLost(NO_ANSWER)
    if isinstance(error, LOST) and not isinstance(error, ValueError):
        return ConnectionLost(f"the connection to PostgreSQL was lost: {error or type(error).__name__}")
    return None


def _of_state(error: asyncpg.PostgresError, state: str) -> Exception | None:
    if state in _AGAIN or isinstance(error, asyncpg.InvalidCachedStatementError):
        return DecideAgain(str(error))
    if state in _FULL:
        return StoreFull(f"the database is full: {error}")
    if state.startswith(_UNFIT_CLASSES) and state != _SYNTAX:
        _tell_unfit(error, state)
        return Unfit(f"the database is not as wfx made it, or its user lacks a right: {error} (SQLSTATE {state})")
    if state.startswith(_LOST_CLASSES):
        return ConnectionLost(f"the connection to PostgreSQL was lost: {error}")
    if state.startswith(_UNAVAILABLE_CLASSES):
        return StoreUnavailable(f"PostgreSQL failed: {error}")
    return None


def _tell_unfit(error: asyncpg.PostgresError, state: str) -> None:
    """Write a record of the log, but not for each request."""
    now = time.monotonic()
    if now - _told.get(state, -_AGAIN_AFTER) >= _AGAIN_AFTER:
        _told[state] = now
        _log.error("the database is not as wfx made it, or its user lacks a right (SQLSTATE %s): %s", state, error)


def keeps_connection(error: Exception | None) -> bool:
    """Tell whether the connection is good after this."""
    return not isinstance(error, StoreError) or isinstance(error, StoreFull | DecideAgain | Unfit)
