"""Detects database files that were removed, replaced, or written by another program while open.

A file that is removed, renamed or replaced while it is open can be written as before, but what is written is lost once
the file is closed. So after each commit the names are checked, before the change is confirmed. A database that another
program writes over is checked for as well: SQLite itself writes to it in checkpoints only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from wfx.domain.errors import StoreDamaged, StoreLost
from wfx.store.sqlite.wal_index import WalIndex

_ADVICE = "nothing more is written; docs/operations.md says what to do when files go away"
_PARTS = ("", "-wal", "-shm")
"""Suffixes of the database's name: the database, its write-ahead log, and the index of the log."""


class FileGuard:
    """The database's files as they were opened. Belongs to the event loop; a database in memory has none."""

    def __init__(self) -> None:
        """Begin without files; see :meth:`remember`."""
        self._parts: list[_Part] = []
        self._index: WalIndex
        self._content: _Content
        self._doubtful = False
        """Whether the last check of all files found something wrong."""
        self._spoilt = ""
        """What has happened to the content of the files, which no later check can undo."""

    def remember(self, path: Path, descriptor: int) -> None:
        """Remember the files that are present, once connections have opened them. Raises StoreLost.

        ``descriptor`` is an open one of the database.
        """
        parts = [_Part(f"{path}{ending}") for ending in _PARTS]
        parts[0].require_same(os.fstat(descriptor))
        self._index = WalIndex(parts[-1].path)
        self._content = _Content(descriptor, self._index)
        self._parts = parts

    def close(self) -> None:
        """Forget the files, after the connections are closed."""
        if self._parts:
            self._index.close()
            self._parts = []

    def require(self) -> None:
        """Raise StoreLost unless each name leads to the open file, none was damaged, and all can be written."""
        self._doubtful = True
        self._look(self._parts)
        if self._spoilt:
            raise StoreLost(self._spoilt)
        for part in self._parts[:1]:
            if os.statvfs(part.path).f_flag & os.ST_RDONLY:
                raise _lost(f"the file system of {part.path} has become read-only")
        self._doubtful = False

    def before_commit(self) -> None:
        """Raise StoreLost if the commit would spoil a file, or if the last full check still fails.

        It would leave a hole in a log that was truncated, and its checkpoint could go into a database that another
        program has written over.
        """
        if self._doubtful:
            self.require()
        if not self._parts:
            return
        try:
            self._look(self._parts[1:2])
        except StoreLost:
            self.require()  # names a more basic loss if there is one, as when all files are gone
            raise
        if self._content.changed():
            self.require()

    def after_commit(self) -> None:
        """Raise StoreLost if a restart would not find the commit, since the database or its log is gone."""
        self._look(self._parts[:2])

    def spoil(self, damage: StoreDamaged) -> None:
        """Note that SQLite has met damage: from now on every check fails."""
        if self._parts:
            self._spoilt = self._spoilt or f"{damage}: {_ADVICE}"
            self._doubtful = True

    def _look(self, parts: Sequence[_Part]) -> None:
        for part in parts:
            now = part.look()
            if now.st_size < part.size and now.st_size < self._least(part):
                raise _lost(f"{part.path} was cut off to {now.st_size} bytes while the service was using it")
            part.size = now.st_size
            if part is self._parts[0] and self._content.changed(now) and not self._content.by_checkpoint():
                self._spoilt = f"another program has written to {part.path}, which the service was using: {_ADVICE}"
                self._doubtful = True
                raise StoreLost(self._spoilt)

    def _least(self, part: _Part) -> int:
        """Return how long the file must be; other programs may shorten it by the rules of SQLite."""
        database, log = self._index.least()
        return log if part is self._parts[1] else database


class _Content:
    """When the database was written, and how far the log was copied into it then."""

    def __init__(self, descriptor: int, index: WalIndex) -> None:
        self._descriptor = descriptor
        self._index = index
        # The state first: what SQLite writes after that has another state, or one of a running checkpoint.
        self._checkpoint = index.checkpoint()
        self._mtime, self._size = _last_written(os.fstat(descriptor))

    def changed(self, now: os.stat_result | None = None) -> bool:
        """Whether the database was written since it was known to be right."""
        now = now or os.fstat(self._descriptor)
        if now.st_mtime_ns != self._mtime or now.st_size != self._size:
            return True
        if self._checkpoint.begun:  # otherwise the log was begun anew, and there was no checkpoint since
            self._learn()
        return False

    def by_checkpoint(self) -> bool:
        """Whether a checkpoint has changed it, of this program or another one; then it is right as it is."""
        checkpoint = self._index.checkpoint()
        if checkpoint == self._checkpoint and not checkpoint.runs:
            return False
        self._checkpoint = checkpoint
        self._mtime, self._size = _last_written(os.fstat(self._descriptor))
        return True

    def _learn(self) -> None:
        """Take in the state of the checkpoints, unless the database is written meanwhile."""
        checkpoint = self._index.checkpoint()
        if _last_written(os.fstat(self._descriptor)) == (self._mtime, self._size):
            self._checkpoint = checkpoint


class _Part:
    """One of the files."""

    def __init__(self, path: str) -> None:
        self.path = path
        present = _status(path)
        self._device, self._inode = present.st_dev, present.st_ino
        self.size = present.st_size
        """Bytes that it had at the last check."""

    def look(self) -> os.stat_result:
        """Return the status of the file with this name. Raises StoreLost if it is not the open one."""
        now = _status(self.path)
        self.require_same(now)
        return now

    def require_same(self, now: os.stat_result) -> None:
        """Raise StoreLost unless this is the file that was there when it was remembered."""
        if now.st_ino != self._inode or now.st_dev != self._device:
            raise _lost(f"another file has taken the place of {self.path}, which the service was using")


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116 - twice as fast as by pathlib, and done for each commit
    except OSError as exc:
        raise _lost(f"{path}, which the service was using, is gone ({exc.strerror})") from exc


def _last_written(now: os.stat_result) -> tuple[int, int]:
    return now.st_mtime_ns, now.st_size


def _lost(what: str) -> StoreLost:
    return StoreLost(f"{what}: {_ADVICE}")
