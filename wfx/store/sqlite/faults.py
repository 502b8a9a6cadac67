"""The one border where errors of the sqlite3 module become errors of the domain."""

from __future__ import annotations

import sqlite3

from wfx.domain.errors import StoreDamaged, StoreError, StoreFull, StoreUnavailable


def translate(error: sqlite3.Error) -> StoreError:
    """Say in the domain's words what went wrong."""
    # The low byte is the kind of error, the rest a detail of it; errors that the module itself raises carry no code.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_FULL:
        return StoreFull(f"the database is full: {error}")
    if kind in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged(f"the database failed: {error}")
    return StoreUnavailable(f"the database failed: {error}")
