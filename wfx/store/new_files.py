"""Making of new files: they get their names when they are whole and on disk, and nothing is written over."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWNER_ONLY = 0o600


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield an empty file beside the target, to be written; it gets the target's name, or is removed.

    Raises OSError, also if there is such a file already, or one that another program is making of it.
    """
    partial = target.parent / f"{target.name}.partial"
    require_new(target)
    try:
        make(partial)
    except FileExistsError as exc:
        reason = f"{partial} exists, which another wfx is writing or has left; remove it if none is running"
        raise FileExistsError(errno.EEXIST, reason) from exc
    try:
        yield partial
        _sync(partial, os.O_RDONLY)
        publish(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def make(path: Path) -> None:
    """Make an empty file that nobody but its owner may use. Raises OSError, also where there is one already."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))


def require_new(path: Path) -> None:
    """Raise FileExistsError if there is something of this name."""
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "File exists; name a new file")


def publish(partial: Path, target: Path) -> None:
    """Give a file, which is on disk, its name, and make that durable. Raises OSError."""
    require_new(target)
    partial.rename(target)
    _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
