"""Core files of processes that have keys: none is written."""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4


def switch_off() -> None:
    """Have the kernel write no core file of this process, nor hand one to a program.

    The limit alone is inherited by the programs that it starts, but does not count where cores go through a pipe. What
    Linux is told beside it counts everywhere, and keeps other processes of the same user out of its memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        import ctypes  # only who has keys needs it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
