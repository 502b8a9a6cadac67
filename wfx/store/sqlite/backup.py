"""Copying a database while a server works on it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from secrets import token_hex

from wfx.domain.errors import StoreUnusable
from wfx.store.sqlite.migrate import migrations, version_of
from wfx.store.sqlite.statements import SQL


def back_up(source: Path, target: Path) -> None:
    """Write a consistent copy of the database to a new file. Blocks; the source may be in use by a server.

    A server that starts on the copy goes its own way from here: it gives the same numbers to other events. So the
    copy's log gets an identity of its own, by which readers of the original's log find out.

    Raises StoreUnusable if the source is not a database of this program, if the target exists, or if copying fails.
    """
    if not source.is_file():
        raise StoreUnusable(f"there is no database file {source}")
    try:
        target.touch(exist_ok=False)
    except OSError as exc:
        raise StoreUnusable(f"cannot make the backup {target}: {exc.strerror}") from exc
    try:
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
            _copy(original, copy, str(source))
    except sqlite3.Error as exc:
        target.unlink()
        raise StoreUnusable(f"cannot copy {source} to {target}: {exc}") from exc
    except StoreUnusable:
        target.unlink()
        raise


def _copy(original: sqlite3.Connection, copy: sqlite3.Connection, name: str) -> None:
    if version_of(original, migrations(), name) == 0:
        raise StoreUnusable(f"{name} is an empty database: there is nothing to back up")
    original.backup(copy)
    with copy:
        copy.execute(SQL["set_log_id"], (token_hex(16),))
