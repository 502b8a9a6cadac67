"""System calls of a worker process: the system ends it for any other. Uses the standard library only.

A filter of seccomp(2), which stays for good. What is missing decides: no call opens, creates or names a file, makes a
socket, or starts a process or a thread. Calls that name a process are allowed for this one alone: else a worker could
send signals to the service, or lower its limits.
"""

from __future__ import annotations

import ctypes
import os
import platform
from struct import Struct

_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "sched_yield": 24, "mremap": 25,
    "madvise": 28, "setitimer": 38, "getpid": 39, "exit": 60, "getrusage": 98, "sigaltstack": 131, "gettid": 186,
    "futex": 202, "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234, "prlimit64": 302,
    "getrandom": 318, "membarrier": 324, "rseq": 334,
}  # fmt: skip
_AARCH64 = {
    "close": 57, "lseek": 62, "read": 63, "write": 64, "pread64": 67, "fstat": 80, "exit": 93, "exit_group": 94,
    "futex": 98, "setitimer": 103, "clock_gettime": 113, "clock_nanosleep": 115, "sched_yield": 124, "tgkill": 131,
    "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getrusage": 165,
    "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
    "madvise": 233, "prlimit64": 261, "getrandom": 278, "membarrier": 283, "rseq": 293,
}  # fmt: skip
ARCHITECTURES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _AARCH64),
}
"""The kinds of processors whose calls are known: how the system names them to filters, and their calls."""

_OWN = frozenset(("tgkill", "prlimit64"))
"""Calls whose first argument is a process; 0 is the one that calls, or none."""

_INSTRUCTION = Struct("=HBBI")
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Where a filter finds these about a call; of the argument the lower half, which is all that the system looks at."""
_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def allow_only_listed_calls() -> None:
    """Have the system end this process for any call that is not listed. Raises OSError."""
    instructions = _instructions(*ARCHITECTURES[platform.machine()], os.getpid())
    program = _Program(len(instructions) // _INSTRUCTION.size, instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the system refuses a filter of system calls")


def _instructions(architecture: int, calls: dict[str, int], process: int) -> bytes:
    """Write the filter: kill unless the call is of this architecture, one of these, and names no other process.

    A jump counts the instructions that it passes. Each call that is equal to one of the list jumps to the last
    instruction, which allows it, or to where its process is looked at.
    """
    own = sorted(number for name, number in calls.items() if name in _OWN)
    others = sorted(number for name, number in calls.items() if name not in _OWN)
    check = [
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_IF_EQUAL, 2, 0, process),
        (_JUMP_IF_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    to_end = len(others) + len(own) + len(check) - 2
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        *((_JUMP_IF_EQUAL, to_end - at, 0, number) for at, number in enumerate(others)),
        *((_JUMP_IF_EQUAL, len(own) - at, 0, number) for at, number in enumerate(own)),
        *check,
    ]
    return b"".join(_INSTRUCTION.pack(*each) for each in program)
