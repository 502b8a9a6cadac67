"""Confinement of a worker process, applied by the process itself. Uses the standard library only."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def end_with_parent() -> None:
    """Have the system kill this process when the one that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def confine(memory: int, niceness: int, reserved: int = 0) -> None:
    """Give up environment, files and privileges for good, limit the memory in bytes, and lower the priority.

    ``reserved`` bytes of address space may be taken besides, but not written to.
    """
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.environ.clear()
    os.close(sys.stderr.fileno())
    os.open(os.devnull, os.O_WRONLY)  # takes the number of stderr, where libraries complain at a client's will
    os.nice(niceness)
    time.tzset()
    for what, limit in (
        (resource.RLIMIT_AS, memory + reserved),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


class ResidentMemory:
    """The memory of this process; can be asked when no file can be opened any more."""

    def __init__(self) -> None:
        """Open what tells the size."""
        self._file = os.open("/proc/self/statm", os.O_RDONLY)

    def bytes(self) -> int:
        """Return the bytes in memory now."""
        return int(os.pread(self._file, 64, 0).split()[1]) * resource.getpagesize()
