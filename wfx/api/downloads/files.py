"""Files below a directory: opened only where their real path is below it, and only if they are files or directories.

A path is first opened as a mere reference (``O_PATH``), which neither waits for the other end of a FIFO nor starts a
device. The system then says what was reached and where it really is, and the same object is opened to be read. So
nothing that is swapped meanwhile can make another file be read.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

MOST_NAMES = 10_000
"""Names of a directory that are listed."""
_REFERENCE = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class NoSuchFile(Exception):
    """There is nothing that may be served under a path."""


class OpenFile:
    """An open file or directory; it reads and closes in the thread of the caller."""

    def __init__(self, descriptor: int) -> None:
        """Take over the descriptor."""
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._closed = False
        status = os.fstat(descriptor)
        self.size = status.st_size
        self.modified = status.st_mtime_ns
        """Nanoseconds since the epoch."""
        self.is_directory = stat.S_ISDIR(status.st_mode)

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer at the end of the file, none once it is closed."""
        with self._lock:
            return b"" if self._closed else os.pread(self._descriptor, size, offset)

    def names(self) -> list[tuple[bytes, bool]]:
        """Return the names in a directory, in order, and whether each is a directory; one name more than are listed."""
        with os.scandir(self._descriptor) as entries:
            some = islice(entries, MOST_NAMES + 1)
            return sorted((os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in some)

    def close(self) -> None:
        """Close it, once no other thread reads."""
        with self._lock:
            self._closed = True
            os.close(self._descriptor)


def open_below(root: str, segments: Sequence[bytes]) -> OpenFile:
    """Open what is at a path below a directory. Links are followed, but not out of the directory.

    Raises NoSuchFile, PermissionError, and OSError where the system cannot tell.
    """
    if any(segment in (b"", b".", b"..") or b"/" in segment or b"\0" in segment for segment in segments):
        raise NoSuchFile
    with suppress(FileNotFoundError, NotADirectoryError):
        base = os.open(root, _REFERENCE | os.O_DIRECTORY)
        try:
            return _open(base, b"/".join(segments) or b".")
        finally:
            os.close(base)
    raise NoSuchFile


def _open(base: int, path: bytes) -> OpenFile:
    try:
        reached = os.open(path, _REFERENCE, dir_fd=base)
    except OSError as exc:
        if isinstance(exc, PermissionError | FileNotFoundError | NotADirectoryError):
            raise
        raise NoSuchFile from exc  # a name that is too long, or links that go round in circles
    try:
        mode = os.fstat(reached).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or not _is_below(reached, base):
            raise NoSuchFile
        return OpenFile(os.open(_by_descriptor(reached), _READ))
    finally:
        os.close(reached)


def _is_below(reached: int, base: int) -> bool:
    return _by_descriptor(reached).readlink().is_relative_to(_by_descriptor(base).readlink())


def _by_descriptor(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}")
