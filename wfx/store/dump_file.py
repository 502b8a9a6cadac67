"""Writer of a dump to a new file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.store.directory_sync import sync_directory
from wfx.store.dump import Header, Record
from wfx.store.findings import Progress

_EVERY = 1000
"""Records between two reports of progress."""
_OWNER_ONLY = 0o600


def write_dump(target: Path, dump: Iterable[bytes]) -> None:
    """Write the lines to a new file, which gets its name when it is whole and on disk. Raises StoreUnusable."""
    partial = target.parent / f"{target.name}.partial"
    try:
        _require_new(target)
        _make(partial)
    except OSError as exc:
        raise StoreUnusable(f"cannot write {target}: {exc.strerror}") from exc
    try:
        _write_durably(partial, dump)
        _require_new(target)
        partial.rename(target)
        sync_directory(target.parent)
    except OSError as exc:
        raise StoreUnusable(f"cannot write {target}: {exc.strerror}") from exc
    finally:
        partial.unlink(missing_ok=True)


def _write_durably(partial: Path, dump: Iterable[bytes]) -> None:
    with partial.open("r+b") as file:
        file.writelines(dump)
        file.flush()
        os.fsync(file.fileno())


def _require_new(target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(0, "File exists; name a new file")


def _make(partial: Path) -> None:
    """Make a file that no other export is writing and that nobody else may read."""
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    except FileExistsError as exc:
        reason = f"{partial} exists, of another export or one that was killed; remove it if none is running"
        raise FileExistsError(0, reason) from exc


def reported(records: Iterator[Record], header: Header, progress: Progress) -> Iterator[Record]:
    """Yield the records, and report how many were."""
    for done, record in enumerate(records):
        if done % _EVERY == 0:
            progress("records", done, header.records)
        yield record
