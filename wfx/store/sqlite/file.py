"""The database file: creation, access rights and the lock that keeps other servers out."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from wfx.domain.errors import StoreUnusable

_MAGIC = b"SQLite format 3\0"
_OWNER_ONLY = 0o600
"""Who may use a new database: SQLite gives the files beside it the same rights."""


class FileInUse(StoreUnusable):
    """A server has the file."""


def claim(path: Path, *, may_create: bool) -> int:
    """Take the file for this process and return the descriptor that holds it; closing that releases the file.

    The lock is an ``flock`` on the file itself, so it needs no other file and dies with the process. SQLite's own locks
    are of the other kind (``fcntl``) and stay untouched, but closing *any* descriptor of the file would drop them:
    hence close this one after every connection. Raises StoreUnusable when it is not a usable database file or another
    server has it.
    """
    flags = os.O_RDWR | os.O_NONBLOCK | (os.O_CREAT if may_create else 0)
    try:
        descriptor = os.open(path, flags, _OWNER_ONLY)
    except (OSError, ValueError) as exc:
        raise StoreUnusable(f"cannot open the database file {path}: {_reason(exc, path)}") from exc
    try:
        _require_regular(descriptor, path)
        _lock(descriptor, path)
        _require_database(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _reason(error: OSError | ValueError, path: Path) -> str:
    if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _require_regular(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise StoreUnusable(f"{path} is not a regular file; name a file for the database")


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise FileInUse(f"the database file {path} is in use by another server; stop that one first") from exc
    except OSError as exc:
        raise StoreUnusable(f"cannot lock the database file {path}: {exc.strerror}") from exc


def _require_database(descriptor: int, path: Path) -> None:
    start = os.pread(descriptor, len(_MAGIC), 0)
    # Zeros may be what a crash left of the very first write; SQLite knows what to make of them.
    if start.strip(b"\0") and start != _MAGIC:
        raise StoreUnusable(f"{path} is not a SQLite database; it was left as it is, choose another file")
