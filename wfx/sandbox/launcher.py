"""Main program of a worker process. Started by :mod:`wfx.sandbox.process`, never imported by the server.

    python -I -S launcher.py DIRECTORIES MODULE SERVICE MEMORY NICENESS GROWN DEADLINE RESERVED ONLY_LISTED

DIRECTORIES are where packages are found, with colons between them. MODULE has ``answer(request: Frame) -> Frame``.
SERVICE is the id of the process that started this one; this one ends with it. MEMORY is the limit of this process's
address space, in bytes, without the RESERVED ones; ONLY_LISTED is 1 where the system ends it for all calls that are not
listed. See :class:`wfx.sandbox.process.WorkerProgram` for the others. Requests come on stdin, answers go to stdout.
"""

from __future__ import annotations

import gc
import importlib
import math
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

sys.path += sys.argv[1].split(os.pathsep)

from wfx.sandbox.confinement import ResidentMemory, confine, end_with_parent
from wfx.sandbox.frames import FAILED, HEADER, MEMORY, READY, Frame
from wfx.sandbox.system_calls import allow_only_listed_calls

_OOM_SCORE = b"500"
"""Added to the score by which a system that is short of memory chooses the process to kill (proc(5))."""


class _Worker:
    def __init__(self, answer: Callable[[Frame], Frame], grown: int, deadline: float) -> None:
        self._answer = answer
        self._grown = grown
        self._deadline = deadline
        self._began = 0.0
        """Seconds of processor time that this process had used when the request came.

        It has one thread, whose time is exact; that of the process is counted in ticks where RLIMIT_CPU is set.
        """
        self._memory = ResidentMemory()

    def serve(self) -> None:
        """Answer requests until stdin ends."""
        self._send(Frame(READY))
        while header := sys.stdin.buffer.read(HEADER.size):
            answer = self._answered(header)
            leaving = answer.kind in {MEMORY, FAILED} or self._memory.bytes() > self._grown
            self._send(answer, leaving=leaving)
            if leaving:
                return

    def _answered(self, header: bytes) -> Frame:
        kind, _, _, head, body = HEADER.unpack(header)
        request = Frame(kind, sys.stdin.buffer.read(head), sys.stdin.buffer.read(body))
        self._began = time.thread_time()
        try:
            with self._own_deadline():
                return self._answer(request)
        except MemoryError:
            return Frame(MEMORY)
        except Exception as exc:  # noqa: BLE001 - the service logs it
            return Frame(FAILED, _described(exc).encode())

    @contextmanager
    def _own_deadline(self) -> Iterator[None]:
        """End this process where the answer takes longer than the service would wait."""
        if self._deadline < math.inf:
            signal.setitimer(signal.ITIMER_REAL, self._deadline + 0.5)
            limit = math.ceil(self._began) + math.ceil(self._deadline) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _send(self, answer: Frame, *, leaving: bool = False) -> None:
        answers, took = sys.stdout.buffer, time.thread_time() - self._began
        answers.write(HEADER.pack(answer.kind, leaving, took, len(answer.head), len(answer.body)))
        answers.write(answer.head)
        answers.write(answer.body)
        answers.flush()


def _described(error: Exception) -> str:
    """Name an exception and its traceback; not its message, which may repeat what a client sent."""
    places = (f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in traceback.extract_tb(error.__traceback__))
    return f"{type(error).__name__} in {' → '.join(places)}"


def _end_with(service: int) -> None:
    """Have the system kill this process when the service ends; end now if it has ended already."""
    end_with_parent()
    if os.getppid() != service:
        raise SystemExit


def _prefer_to_kill() -> None:
    """Have a system that is short of memory kill this process rather than the service."""
    with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:  # noqa: PTH123 - nothing more is imported for it
        file.write(_OOM_SCORE)


def _allow_timers() -> None:
    """Let this process be ended by timers; what started the service may have had their signals blocked or ignored."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)


def main() -> None:
    """Confine this process, then serve.

    The garbage collector is off: it would examine millions of new values again and again. Garbage in cycles goes when
    the process ends.
    """
    _, _, module, service, memory, niceness, grown, deadline, reserved, only_listed = sys.argv
    _end_with(int(service))  # before anything that takes long
    worker = _Worker(importlib.import_module(module).answer, int(grown), float(deadline))
    _prefer_to_kill()
    _allow_timers()
    confine(int(memory), int(niceness), int(reserved))
    gc.disable()
    if int(only_listed):
        allow_only_listed_calls()
    worker.serve()


if __name__ == "__main__":
    main()
