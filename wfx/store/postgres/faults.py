"""What becomes of errors of PostgreSQL and of the way to it."""

from __future__ import annotations

import logging
import time

import asyncpg

from wfx.domain.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable


class DecideAgain(StoreUnavailable):
    """The statement changed nothing since another server was in the way, and may succeed when it is sent again."""


class Unfit(StoreUnavailable):
    """The database lacks what the statements name, or its user may not do what they do; the connection is good."""


class ConnectionRefused(StoreUnavailable):
    """PostgreSQL answers and lets this server have no connection: it has too many, or knows the user no more."""


class Locked(StoreBusy):
    """Somebody else holds a lock; the statement changed nothing, and the connection is good."""


class ConnectionLost(StoreUnavailable):
    """There is no answer; what was sent may have been done."""


NO_ANSWER = "PostgreSQL gives no answer"
_LOST_CONNECTION = "the connection to PostgreSQL was lost"
LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError, EOFError)
"""Also what the driver takes for an error of its own, when the server ends the connection while it is not asked."""
_AGAIN_AFTER = 60.0
"""Seconds until it is told once more that a database is unfit in the same way."""
_GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA …, or CREATE ON SCHEMA … to make them, TO it"
"""What gives the user of the database what it needs."""
_SYNTAX = "42601"
_REFUSING = ("28", "53", "55000")
"""What SQLSTATE begin with where a connection is refused, and that not since PostgreSQL starts or ends."""
_POOLED = ("26000", "42P05")
"""Prepared statements that are missing in a session, or that somebody else has prepared there."""
_POOLER = "a pooler of transactions seems to be in between: servers need --postgres-pooler, commands another address"
_KINDS: tuple[tuple[tuple[str, ...], type[StoreError], str], ...] = (
    (("23503", "40001", "40P01"), DecideAgain, "other changes were in the way"),
    (("53100",), StoreFull, "the database is full"),
    (("55P03",), Locked, "somebody holds a lock on a table or a row that this needs"),
    (("08", "57P"), ConnectionLost, _LOST_CONNECTION),
    (("25", "53", "55", "57", "58", "XX"), StoreUnavailable, "PostgreSQL failed"),
    (("42501",), Unfit, f"the user of the database lacks a right; the owner has to {_GRANT}"),
    (_POOLED, StoreUnavailable, "PostgreSQL failed"),
    (("3D", "3F"), Unfit, "the database, or all schemas of its search_path, are missing"),
    (("42P06", "42P07", "42710", "42723"), Unfit, "the database has something else of the same name"),
    (("42",), Unfit, "the database lacks a table or a column that this needs"),
)
"""What begins of SQLSTATE mean; the first one counts. What a batch refers to is gone meanwhile, too (23503)."""
_told: dict[str, float] = {}
"""When it was told last that a database is unfit or lets nobody in, by the message."""
_MOST_TOLD = 100
_log = logging.getLogger(__name__)


def translate(error: BaseException) -> Exception | None:
    """Say in the domain's words what went wrong; None for what is an error of the program."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_state(error, str(getattr(error, "sqlstate", None) or ""))
    if isinstance(error, TimeoutError):
        return ConnectionLost(NO_ANSWER)
    if isinstance(error, OSError):
        return ConnectionLost(f"{_LOST_CONNECTION}: {error.strerror or type(error).__name__}")
    if isinstance(error, LOST) and not isinstance(error, ValueError):
        return ConnectionLost(_LOST_CONNECTION)  # what the driver says is about its own insides
    return None


def is_refusal(error: BaseException | None) -> bool:
    """Tell whether PostgreSQL answers what asks for a connection, and does not let it have one."""
    return isinstance(error, asyncpg.PostgresError) and str(getattr(error, "sqlstate", "")).startswith(_REFUSING)


def text_of(error: BaseException) -> str:
    """Return what PostgreSQL says, with its detail and hint, in one line."""
    if getattr(error, "sqlstate", None) in _POOLED:
        return f"{error.args[0]}; {_POOLER}"  # the driver adds what to do about its own options
    return "; ".join(str(error).splitlines())


def _of_state(error: asyncpg.PostgresError, state: str) -> Exception | None:
    if isinstance(error, asyncpg.ConnectionDoesNotExistError):
        return ConnectionLost(_LOST_CONNECTION)  # the driver says so, in words of its own
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return DecideAgain(text_of(error))
    if state == _SYNTAX:
        return None
    for begins, kind, meaning in _KINDS:
        if state.startswith(begins):
            return kind(f"{meaning} (SQLSTATE {state}): {text_of(error)}")
    return None


def tell_unfit(error: Exception | None) -> None:
    """Write a record of the log if a database is unfit, or lets nobody in, but not for each request."""
    now, text = time.monotonic(), str(error)
    if isinstance(error, Unfit | ConnectionRefused) and now - _told.get(text, -_AGAIN_AFTER) >= _AGAIN_AFTER:
        if len(_told) >= _MOST_TOLD:
            _told.clear()
        _told[text] = now
        _log.error(text)


def keeps_connection(error: Exception | None) -> bool:
    """Tell whether the connection is good after this."""
    return not isinstance(error, StoreError) or isinstance(error, StoreFull | DecideAgain | Unfit | Locked)
