"""Record in the database of the keys that its values are sealed with."""

from __future__ import annotations

import sqlite3

from wfx.protection.sealing import Sealing
from wfx.protection.used_keys import UsedKeys
from wfx.store.sqlite.statements import SQL


def read(connection: sqlite3.Connection) -> UsedKeys:
    """Return what is known of keys; nothing in an empty database."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return UsedKeys()
    row = connection.execute(SQL["used_keys"]).fetchone()
    return UsedKeys.parse(None if row is None else row[0])


def note(connection: sqlite3.Connection, used: UsedKeys, sealing: Sealing | None) -> None:
    """Note that somebody writes with these keys from now on."""
    noted = used.noted(sealing)
    if noted != used:
        put(connection, noted)


def put(connection: sqlite3.Connection, used: UsedKeys) -> None:
    """Replace what is known of keys."""
    connection.execute(SQL["put_used_keys"], (used.encoded(),))
