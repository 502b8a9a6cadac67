"""Switches off core files of processes that hold encryption keys."""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4


def switch_off() -> None:
    """Keep the kernel from writing a core file of this process, or piping one to a program.

    Programs that it starts inherit the limit, but the kernel ignores it when cores are piped. On Linux the process is
    also marked as not dumpable, which is always respected and keeps other processes of the user out of its memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        import ctypes  # late: only processes with keys need it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
