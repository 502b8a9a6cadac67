"""Worker process as the service sees it: starts it, sends requests, receives answers."""

from __future__ import annotations

import logging
import math
import os
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wfx.sandbox.child import ChildProcess, directory_of, spawn
from wfx.sandbox.errors import Limit, LimitReached, Unavailable
from wfx.sandbox.frames import FAILED, HEADER, MEMORY, READY, Frame

log = logging.getLogger(__name__)

_BUFFER = 1024 * 1024
"""Bytes of an answer that are buffered before the pipe is paused."""


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """A request to a worker: a frame whose body is in pieces, as it was received."""

    kind: bytes
    head: bytes
    body: Sequence[bytes]
    size: int
    """Bytes of the body."""


@dataclass(frozen=True, slots=True)
class WorkerProgram:
    """What workers run."""

    module: str
    """Has ``answer(request: Frame) -> Frame``, and imports all that this needs."""
    packages: tuple[str, ...] = ()
    """Third-party packages that it imports."""
    niceness: int = 5
    """Lowers the priority of workers: 5 leaves a quarter of the processor where they compete with the service."""
    grown: int = 128 * 1024 * 1024
    """Bytes: a worker that still takes more than this after an answer ends, and a new one takes its place."""
    deadline: float = math.inf
    """Seconds that one answer may take, by timers of the worker's own, should the service be gone or stuck."""
    preparation: WorkerRequest | None = None
    """A first request, which each worker answers before it serves."""
    only_listed_calls: bool = False
    """Whether the system ends a worker for any call that is not in :mod:`wfx.sandbox.system_calls`."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one request may use."""

    memory: int
    """Bytes of address space of a worker, the interpreter's own (some 40 MiB) included."""
    output: int
    """Bytes of an answer."""
    reserved: int = 0
    """Bytes of address space beside, that are reserved and hold nothing."""


class WorkerProcess(ChildProcess):
    """A process that runs a module, in frames."""

    def __init__(self, process: Process, limits: WorkerLimits) -> None:
        """Take over a process that was just started; see :meth:`start`."""
        super().__init__(process)
        self._limits = limits

    @classmethod
    async def start(cls, program: WorkerProgram, limits: WorkerLimits) -> WorkerProcess:
        """Start a process. Raises Unavailable."""
        directories = os.pathsep.join(sorted({directory_of(name) for name in ("wfx", *program.packages)}))
        settings = (program.niceness, program.grown, program.deadline, limits.reserved, int(program.only_listed_calls))
        launcher = Path(__file__).with_name("launcher.py")
        try:
            process = await spawn(
                launcher, directories, program.module, os.getpid(), limits.memory, *settings, buffer=_BUFFER
            )
        except OSError as exc:
            raise Unavailable(f"a worker process did not start ({exc.strerror})") from exc
        return cls(process, limits)

    async def ready(self, preparation: WorkerRequest | None) -> None:
        """Wait until the process serves. Raises EOFError if it ends before."""
        if (await self._receive()).kind != READY:
            raise EOFError
        if preparation is not None and (answer := await self.exchange(preparation)).kind in {FAILED, MEMORY}:
            log.error("a worker process could not be prepared: %s", answer.head.decode())
            raise EOFError

    async def exchange(self, request: WorkerRequest) -> Frame:
        """Send a request and return the answer.

        Raises EOFError if the process ends before it answers, LimitReached if the answer is too large. After any
        exception the process can only be ended.
        """
        header = HEADER.pack(request.kind, False, 0.0, len(request.head), request.size)
        self._stdin.writelines((header, request.head, *request.body))
        with suppress(ConnectionError):  # it may have answered without reading all
            await self._stdin.drain()
        return await self._receive()

    async def _receive(self) -> Frame:
        kind, self._leaving, took, head, body = HEADER.unpack(await self._stdout.readexactly(HEADER.size))
        if head + body > self._limits.output:
            raise LimitReached(Limit.OUTPUT)
        return Frame(kind, await self._stdout.readexactly(head), await self._stdout.readexactly(body), took)
