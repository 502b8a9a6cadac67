"""Backup of a database while a server uses it."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.store.findings import Progress, quiet
from wfx.store.new_files import new_file
from wfx.store.sqlite.checking import reading
from wfx.store.sqlite.statements import SQL

_PAGES = 1000
"""Pages to copy between two reports of progress."""


def back_up(source: Path, target: Path, progress: Progress = quiet) -> None:
    """Write a consistent copy of the database to a new file. Blocks; the source may be in use by a server.

    A server that starts on a copy goes its own way from here: it gives the same numbers to other events. So a copy has
    no log identity, and every server that starts on one gives its log a new one, by which readers of the original's log
    find out.

    The file gets its name when it is whole; until then ``.partial`` is added. Raises StoreUnusable if the source is not
    a database of this program, if the target exists, or if copying fails. Only its owner may read the copy, whoever may
    read the source.
    """
    with reading(source) as original:
        try:
            with new_file(target) as partial, _tidied(partial):
                _copy(original, partial, progress)
        except sqlite3.Error as exc:
            raise StoreUnusable(f"cannot copy {source} to {target}: {exc}") from exc
        except OSError as exc:
            raise StoreUnusable(f"cannot make the backup {target}: {exc.strerror}") from exc


def how_to_restore(path: Path) -> str:
    """Say in half a sentence how a backup becomes the database in this file again."""
    file, *others = (shlex.quote(f"{path}{ending}") for ending in ("", "-wal", "-shm"))
    return f"restore a backup while no server runs: rm -f {' '.join(others)} && cp BACKUP {file}"


@contextmanager
def _tidied(path: Path) -> Iterator[None]:
    """Remove what SQLite leaves beside a database that it could not write, such as on a full disk."""
    try:
        yield
    finally:
        for ending in ("-journal", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _copy(original: sqlite3.Connection, path: Path, progress: Progress) -> None:
    # The original's transaction stays open throughout, so all steps copy one state, whatever is written meanwhile.
    with closing(sqlite3.connect(path)) as copy:
        original.backup(copy, pages=_PAGES, progress=lambda _, left, total: progress("pages", total - left, total))
        with copy:
            copy.execute(SQL["set_log_id"], ("",))
