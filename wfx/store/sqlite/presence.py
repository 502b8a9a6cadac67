"""Checks that the open database files are still those that the next start will find.

A file that is removed, renamed or replaced while it is open can be written as before, but what is written is lost once
the file is closed. So after each commit the names are checked, before the change is confirmed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from wfx.domain.errors import StoreLost

_ADVICE = "nothing more is written; docs/operations.md says what to do when files go away"
_PARTS = ("", "-wal", "-shm")
"""Suffixes of the database's name: the database, its write-ahead log, and the index of the log."""
_INDEX = struct.Struct("=HII")
"""At byte 14 of the log's index: the size of a page, the frames in the log, the pages in the database."""
_FRAME_HEAD, _LOG_HEAD = 24, 32
"""Bytes of the header of each page in the log, and of the header of the log."""


class Presence:
    """The database's files as they were opened. Belongs to the event loop; a database in memory has none."""

    def __init__(self) -> None:
        """Begin without files; see :meth:`remember`."""
        self._parts: list[_Part] = []
        self._index = -1
        self._doubtful = False
        """Whether the last check of all files found something wrong."""

    def remember(self, path: Path, descriptor: int) -> None:
        """Remember the files that are present, once connections have opened them. Raises StoreLost.

        ``descriptor`` is an open one of the database.
        """
        parts = [_Part(f"{path}{ending}") for ending in _PARTS]
        parts[0].require_same(os.fstat(descriptor))
        self._index = os.open(parts[-1].path, os.O_RDONLY)
        self._parts = parts

    def close(self) -> None:
        """Forget the files, after the connections are closed: closing any descriptor of a file drops its locks."""
        if self._parts:
            os.close(self._index)
            self._parts = []

    def require(self) -> None:
        """Raise StoreLost unless each name leads to the open file, none was truncated, and all can be written."""
        self._doubtful = True
        self._look(self._parts)
        for part in self._parts[:1]:
            if os.statvfs(part.path).f_flag & os.ST_RDONLY:
                raise _lost(f"the file system of {part.path} has become read-only")
        self._doubtful = False

    def before_commit(self) -> None:
        """Raise StoreLost if the log was truncated (it would get a hole), or if the last full check still fails."""
        if self._doubtful:
            self.require()
        try:
            self._look(self._parts[1:2])
        except StoreLost:
            self.require()  # names a more basic loss if there is one, as when all files are gone
            raise

    def after_commit(self) -> None:
        """Raise StoreLost if a restart would not find the commit, since the database or its log is gone."""
        self._look(self._parts[:2])

    def _look(self, parts: Sequence[_Part]) -> None:
        for part in parts:
            now = part.look()
            if now.st_size < part.size and now.st_size < self._least(part):
                raise _lost(f"{part.path} was cut off to {now.st_size} bytes while the service was using it")
            part.size = now.st_size

    def _least(self, part: _Part) -> int:
        """Return how long the file must be; other programs may shorten it by the rules of SQLite."""
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
        """Bytes that it had at the last check."""

    def look(self) -> os.stat_result:
        """Return the status of the file with this name. Raises StoreLost if it is not the open one."""
        now = self._stat()
        self.require_same(now)
        return now

    def require_same(self, now: os.stat_result) -> None:
        """Raise StoreLost unless this is the file that was there when it was remembered."""
        if self._identity != (now.st_dev, now.st_ino):
            raise _lost(f"another file has taken the place of {self.path}, which the service was using")

    def _stat(self) -> os.stat_result:
        try:
            return os.stat(self.path)  # noqa: PTH116 - twice as fast as by pathlib, and done for each commit
        except OSError as exc:
            raise _lost(f"{self.path}, which the service was using, is gone ({exc.strerror})") from exc


def _lost(what: str) -> StoreLost:
    return StoreLost(f"{what}: {_ADVICE}")
