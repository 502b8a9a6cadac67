"""What workers run in these tests: does what the kind of the request says."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from collections.abc import Callable
from threading import Thread

from wfx.sandbox.frames import Frame


def answer(request: Frame) -> Frame:
    """Do it."""
    return DEEDS[request.kind](request)


def fail(request: Frame) -> Frame:
    """Raise an exception that repeats what was sent."""
    raise ValueError(request.body.decode())


def leave(_: Frame) -> Frame:
    """End the process."""
    raise SystemExit(3)


def grow(_: Frame) -> Frame:
    """Take memory, and keep it."""
    kept.append(bytearray(b"x") * (200 << 20))
    return DONE


def kill(request: Frame) -> Frame:
    """End the process by a signal."""
    os.kill(os.getpid(), int(request.head))
    return DONE


def sleep(_: Frame) -> Frame:
    """Do nothing, for longer than anybody waits; that this has begun shows in the name of the process."""
    LIBC.prctl(PR_SET_NAME, b"asleep", 0, 0, 0)
    time.sleep(600)
    return DONE


def open_socket(_: Frame) -> Frame:
    """Make a socket."""
    LIBC.socket(2, 1, 0)
    return DONE


def start_process(_: Frame) -> Frame:
    """Start a process."""
    if os.fork() == 0:
        os._exit(0)
    return DONE


def start_thread(_: Frame) -> Frame:
    """Start a thread."""
    Thread(target=print).start()
    return DONE


def run_program(_: Frame) -> Frame:
    """Become another program."""
    os.execv("/bin/true", ["true"])
    return DONE


def signal_another(_: Frame) -> Frame:
    """Send a signal to another process."""
    os.kill(PARENT, 0)
    return DONE


def signal_thread_of_another(_: Frame) -> Frame:
    """Send a signal to a thread of another process."""
    LIBC.tgkill(PARENT, PARENT, 0)
    return DONE


def limit_another(_: Frame) -> Frame:
    """Look at a limit of another process, as who changes it would."""
    resource.prlimit(PARENT, resource.RLIMIT_NOFILE)
    return DONE


def limit_itself(_: Frame) -> Frame:
    """Change a limit of this process, and look at it by its number."""
    resource.setrlimit(resource.RLIMIT_CPU, (600, resource.RLIM_INFINITY))
    resource.prlimit(os.getpid(), resource.RLIMIT_CPU)
    return DONE


def abort(_: Frame) -> Frame:
    """End as libraries do that find themselves in disorder."""
    os.abort()


def open_file(_: Frame) -> Frame:
    """Open a file that anybody may open."""
    os.open(os.devnull, os.O_RDONLY)
    return DONE


DONE = Frame(b".")
LIBC = ctypes.CDLL(None)
PR_SET_NAME = 15
PARENT = os.getppid()
kept: list[bytearray] = []
DEEDS: dict[bytes, Callable[[Frame], Frame]] = {
    b"e": lambda request: Frame(b"E", request.head, request.body),
    b"p": lambda _: Frame(b"P", str(os.getpid()).encode()),
    b"s": sleep,
    b"m": lambda _: Frame(b"M", body=bytes(1 << 40)),
    b"g": grow,
    b"o": lambda request: Frame(b"O", body=bytes(int(request.head))),
    b"r": fail,
    b"x": kill,
    b"q": leave,
    b"f": open_file,
    b"S": open_socket,
    b"F": start_process,
    b"T": start_thread,
    b"X": run_program,
    b"K": signal_another,
    b"G": signal_thread_of_another,
    b"L": limit_another,
    b"l": limit_itself,
    b"a": abort,
}
