"""Whether the files that are open are still those that the next start will find.

A file that is removed, renamed or replaced while it is open can be written as before, and all of that is gone once it
is closed. So each commit is followed by a look at the names, before anybody is told that it is durable.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from wfx.domain.errors import StoreLost

_ADVICE = "nothing more is written; docs/operations.md says what to do when files go away"
_PARTS = ("", "-wal", "-shm")
"""What follows the database's name: the database, its write-ahead log, and the index of that."""
_INDEX = struct.Struct("=HII")
"""From byte 14 of the log's index: the size of a page, the frames in the log, the pages in the database."""
_FRAME_HEAD, _LOG_HEAD = 24, 32
"""Bytes before each page in the log, and before the first."""


class Presence:
    """The database's files as they were opened. Belongs to the event loop; a database in memory has none."""

    def __init__(self) -> None:
        """Know of no file yet."""
        self._parts: list[_Part] = []
        self._index = -1
        self._doubtful = False
        """Whether something was wrong when all files were looked at last."""

    def remember(self, path: Path, descriptor: int) -> None:
        """Take in the files that are there, once connections have them open. Raises StoreLost.

        ``descriptor`` is an open one of the database.
        """
        parts = [_Part(f"{path}{ending}") for ending in _PARTS]
        parts[0].require_same(os.fstat(descriptor))
        self._index = os.open(parts[-1].path, os.O_RDONLY | os.O_CLOEXEC)
        self._parts = parts

    def close(self) -> None:
        """Forget the files; after the connections are closed: closing any descriptor of a file drops its locks."""
        if self._parts:
            os.close(self._index)
            self._parts = []

    def require(self) -> None:
        """Raise StoreLost unless each name leads to the file that is open, none was cut off, and all can be written."""
        self._doubtful = True
        self._look(self._parts)
        for part in self._parts[:1]:
            if os.statvfs(part.path).f_flag & os.ST_RDONLY:
                raise _lost(f"the file system of {part.path} has become read-only")
        self._doubtful = False

    def before_commit(self) -> None:
        """Raise StoreLost if the log was cut off, since it would be written on with a hole in it, or in doubt."""
        if self._doubtful:
            self.require()
        try:
            self._look(self._parts[1:2])
        except StoreLost:
            self.require()  # where all are gone, that is the thing to say
            raise

    def after_commit(self) -> None:
        """Raise StoreLost if what was committed would not be found: if the database or its log is not there."""
        self._look(self._parts[:2])

    def _look(self, parts: Sequence[_Part]) -> None:
        for part in parts:
            now = part.look()
            if now.st_size < part.size and now.st_size < self._least(part):
                raise _lost(f"{part.path} was cut off to {now.st_size} bytes while the service was using it")
            part.size = now.st_size

    def _least(self, part: _Part) -> int:
        """Tell how long the file must be, as other programs may have shortened it by the rules of SQLite."""
        page, frames, pages = _INDEX.unpack(os.pread(self._index, _INDEX.size, 14))
        page = 65536 if page == 1 else page
        if part is self._parts[1]:
            return int(frames and _LOG_HEAD + frames * (_FRAME_HEAD + page))
        return int(pages * page)


class _Part:
    """One of the files."""

    def __init__(self, path: str) -> None:
        self.path = path
        present = self._stat()
        self._identity = (present.st_dev, present.st_ino)
        self.size = present.st_size
        """Bytes that it had when it was last looked at."""

    def look(self) -> os.stat_result:
        """Return what is at the name. Raises StoreLost if it is not the file that is open."""
        now = self._stat()
        self.require_same(now)
        return now

    def require_same(self, now: os.stat_result) -> None:
        """Raise StoreLost unless this is the file that was there at first."""
        if self._identity != (now.st_dev, now.st_ino):
            raise _lost(f"another file has taken the place of {self.path}, which the service was using")

    def _stat(self) -> os.stat_result:
        try:
            return os.stat(self.path)  # noqa: PTH116 - twice as fast as by pathlib, and done for each commit
        except OSError as exc:
            raise _lost(f"{self.path}, which the service was using, is gone ({exc.strerror})") from exc


def _lost(what: str) -> StoreLost:
    return StoreLost(f"{what}: {_ADVICE}")
