"""Reader of SQLite's WAL index (``-shm``): size of the log, state of checkpoints.

Its format: https://sqlite.org/walformat.html#the_wal_index_file_format
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

_EXTENT_AT, _EXTENT = 14, struct.Struct("=HII")
"""The size of a page, the frames in the log, the pages in the database."""
_SALTS_AT = 32
_CHECKPOINT = struct.Struct("=Q56xI28xI")
"""The salts of the log, which change whenever it begins anew; the frames copied, and those that were to be copied."""
_FRAME_HEAD, _LOG_HEAD = 24, 32
"""Bytes of the header of each page in the log, and of the header of the log."""


class Checkpoint(NamedTuple):
    """How far the log was copied into the database. SQLite writes to the database only where this changes."""

    salts: int
    copied: int
    begun: int

    @property
    def runs(self) -> bool:
        """Whether frames are being copied now, or a program was stopped while it did that."""
        return self.begun > self.copied


class WalIndex:
    """The open index."""

    def __init__(self, path: str) -> None:
        """Open it for reading."""
        self._descriptor = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        """Close it, after the connections: closing any descriptor of a file drops its locks."""
        os.close(self._descriptor)

    def least(self) -> tuple[int, int]:
        """Return how many bytes the database and the log must have."""
        page, frames, pages = _EXTENT.unpack(os.pread(self._descriptor, _EXTENT.size, _EXTENT_AT))
        page = 65536 if page == 1 else page
        return pages * page, frames and _LOG_HEAD + frames * (_FRAME_HEAD + page)

    def checkpoint(self) -> Checkpoint:
        """Return the state of the checkpoints."""
        return Checkpoint._make(_CHECKPOINT.unpack(os.pread(self._descriptor, _CHECKPOINT.size, _SALTS_AT)))
