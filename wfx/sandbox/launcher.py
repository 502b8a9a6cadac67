"""Main program of a worker process. Started by :mod:`wfx.sandbox.process`, never imported by the server.

    python -I -S launcher.py DIRECTORIES MODULE MEMORY SERVICE

DIRECTORIES are where packages are found, with colons between them. MODULE has ``answer(request: Frame) -> Frame``.
MEMORY is the limit of this process's address space, in bytes. SERVICE is the id of the process that started this one;
this one ends with it. Requests come on stdin, answers go to stdout.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Callable

sys.path += sys.argv[1].split(os.pathsep)

from wfx.sandbox.confinement import ResidentMemory, confine, end_with_parent
from wfx.sandbox.frames import FAILED, HEADER, MEMORY, READY, Frame

_LEAVE_ABOVE_BYTES = 128 * 1024 * 1024
"""A process that still takes more than this after an answer ends; a new one takes its place."""
_OOM_SCORE = b"500"
"""Added to the score by which a system that is short of memory chooses the process to kill (proc(5))."""
_NICENESS = 5
"""Lowers the priority of this process: it gets a quarter of the processor when it competes with the service."""


class _Worker:
    def __init__(self, answer: Callable[[Frame], Frame]) -> None:
        self._answer = answer
        self._memory = ResidentMemory()

    def serve(self) -> None:
        """Answer requests until stdin ends."""
        self._send(Frame(READY))
        while header := sys.stdin.buffer.read(HEADER.size):
            answer = self._answered(header)
            leaving = answer.kind in {MEMORY, FAILED} or self._memory.bytes() > _LEAVE_ABOVE_BYTES
            self._send(answer, leaving=leaving)
            if leaving:
                return

    def _answered(self, header: bytes) -> Frame:
        kind, _, head, body = HEADER.unpack(header)
        try:
            return self._answer(Frame(kind, sys.stdin.buffer.read(head), sys.stdin.buffer.read(body)))
        except MemoryError:
            return Frame(MEMORY)
        except Exception as exc:  # noqa: BLE001 - the service logs it
            return Frame(FAILED, _described(exc).encode())

    def _send(self, answer: Frame, *, leaving: bool = False) -> None:
        answers = sys.stdout.buffer
        answers.write(HEADER.pack(answer.kind, leaving, len(answer.head), len(answer.body)))
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


def main() -> None:
    """Confine this process, then serve.

    The garbage collector is off: it would examine millions of new values again and again. Garbage in cycles goes when
    the process ends.
    """
    _end_with(int(sys.argv[4]))  # before anything that takes long
    module, memory = importlib.import_module(sys.argv[2]), int(sys.argv[3])
    worker = _Worker(module.answer)
    _prefer_to_kill()
    confine(memory, _NICENESS)
    gc.disable()
    worker.serve()


if __name__ == "__main__":
    main()
