"""What becomes of errors of PostgreSQL and of the way to it."""

from __future__ import annotations

import asyncpg

from wfx.domain.errors import StoreError, StoreFull, StoreUnavailable


class DecideAgain(StoreUnavailable):
    """The statement changed nothing since another server was in the way, and may succeed when it is sent again."""


class ConnectionLost(StoreUnavailable):
    """There is no answer; what was sent may have been done."""


NO_ANSWER = "PostgreSQL gives no answer"
LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError, EOFError)
"""Also what the driver takes for an error of its own, when the server ends the connection while it is not asked."""
_AGAIN = {"23503", "40001", "40P01"}
"""What a batch refers to is gone meanwhile; other transactions were in the way."""
_FULL = {"53100"}
_LOST_CLASSES = ("08", "57P")
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
    if state in _AGAIN:
        return DecideAgain(str(error))
    if state in _FULL:
        return StoreFull(f"the database is full: {error}")
    if state.startswith(_LOST_CLASSES):
        return ConnectionLost(f"the connection to PostgreSQL was lost: {error}")
    if state.startswith(_UNAVAILABLE_CLASSES):
        return StoreUnavailable(f"PostgreSQL failed: {error}")
    return None


def keeps_connection(error: Exception | None) -> bool:
    """Tell whether the connection is good after this."""
    return not isinstance(error, StoreError) or isinstance(error, StoreFull | DecideAgain)
