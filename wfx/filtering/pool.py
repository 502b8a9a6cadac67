"""Pool of filter workers: runs jq programs, and kills workers that exceed a limit.

A worker is started when it is first needed, serves one program at a time, and is reused until it trips a limit, grows
or fails; then it is killed, and the next program starts another. :mod:`wfx.filtering.shares` decides who goes next.
:meth:`Pool.close` leaves no process behind.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path

from wfx.filtering.errors import FilterLimit, FilterUnavailable, Limit
from wfx.filtering.protocol import ANSWER_HEADER, REQUEST_HEADER, Answer, Request
from wfx.filtering.shares import STOPPING, Shares, Turn
from wfx.sandbox.child import ChildProcess, directory_of, spawn

log = logging.getLogger(__name__)

_START_SECONDS = 10.0
"""Deadline for a worker's start; usually it takes 0.1 s."""

_MESSAGE_BYTES = 64 * 1024
"""Room for a message about a syntax error, which may quote the program."""

_CAUSES = {
    -signal.SIGABRT: Limit.MEMORY,  # libjq aborts when it gets no memory
    -signal.SIGSEGV: Limit.MEMORY,  # values nested so deeply that the stack is used up
    -signal.SIGBUS: Limit.MEMORY,
    -signal.SIGKILL: Limit.MEMORY,  # by the system, short of memory
    -signal.SIGALRM: Limit.TIME,
    -signal.SIGXCPU: Limit.TIME,
}
"""The limit that a program exceeded, by the signal that ended its worker."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use."""

    deadline: float
    """Seconds from handing the program to a worker until its last output."""
    memory: int
    """Bytes of address space of a worker, the interpreter's own (about 30 MiB) included."""
    output: int
    """Bytes of all outputs together."""

    def exceeded(self, which: Limit) -> FilterLimit:
        """Build the refusal for a tripped limit."""
        value = {Limit.TIME: self.deadline, Limit.MEMORY: self.memory, Limit.OUTPUT: self.output}[which]
        return FilterLimit(which, value)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request."""

    answer: Answer
    content: bytes
    waited: float
    """Seconds until a worker was free."""


class Pool:
    """The workers, and the queue in front of them. Belongs to one event loop."""

    def __init__(self, limits: Limits, size: int) -> None:
        """Start nothing yet; at most ``size`` workers will run at a time."""
        self._limits = limits
        self._size = size
        self._shares = Shares(size)
        self._idle: list[_Worker] = []
        self._alive: set[_Worker] = set()
        self._closing = asyncio.Event()

    async def ask(
        self, request: Request, program: bytes, document: bytes = b"", *, client: str, patience: float
    ) -> Reply:
        """Have a worker serve a client's request; waits ``patience`` seconds at most until one is free.

        Raises FilterLimit when the program runs into a limit, and FilterUnavailable when no worker is free in time,
        none can be started, or one ends for no reason of the program's.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + patience
        while True:
            async with self._shares.turn(client, until - clock()) as turn:
                reply = await self._serve(turn, request, program, document)
            if reply is not None:
                return reply

    async def _serve(self, turn: Turn, request: Request, program: bytes, document: bytes) -> Reply | None:
        """Have a worker serve one request; None when the turn is revoked."""
        worker = await self._worker(fresh=self._shares.is_slow(turn))
        healthy = False
        turn.typical = request is Request.RUN
        self._shares.begin(turn, worker.kill)
        try:
            async with asyncio.timeout(self._limits.deadline):
                answer, content = await worker.exchange(request, program, document)
            turn.took = worker.took
            healthy = worker.running and not turn.revoked and not self._closing.is_set()
        except TimeoutError as exc:
            raise self._limits.exceeded(Limit.TIME) from exc
        except (EOFError, ConnectionError) as exc:
            status = await worker.end()
            if turn.revoked:
                return None
            raise self._error_for(status) from exc
        finally:
            await self._put_back(worker, healthy=healthy)
        if answer in {Answer.MEMORY, Answer.OUTPUT}:
            raise self._limits.exceeded(Limit.MEMORY if answer is Answer.MEMORY else Limit.OUTPUT)
        return Reply(answer, content, turn.waited)

    async def close(self) -> None:
        """End all workers; programs that still run or wait are refused. Returns when every process is gone."""
        self._closing.set()
        for worker in self._alive:
            worker.kill()
        await self._shares.close()
        while self._idle:
            await self._put_back(self._idle.pop(), healthy=False)

    async def _worker(self, *, fresh: bool) -> _Worker:
        """Take an idle worker, or start one: with ``fresh``, also where that leaves an idle one for others."""
        while self._idle and not (fresh and len(self._alive) < self._size):
            worker = self._idle.pop()
            if worker.running:
                return worker
            await self._put_back(worker, healthy=False)
        if self._closing.is_set():
            raise self._error_for(0)
        worker = await _Worker.start(self._limits)
        self._alive.add(worker)
        if self._closing.is_set():  # meanwhile
            worker.kill()
        ready = False
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker.ready()
            ready = True
        except (EOFError, ConnectionError, TimeoutError) as exc:
            status = await worker.end()
            raise FilterUnavailable(f"A process for response filters did not start (status {status})") from exc
        finally:
            if not ready:
                await self._put_back(worker, healthy=False)
        return worker

    async def _put_back(self, worker: _Worker, *, healthy: bool) -> None:
        """Keep a worker for the next program, or end it."""
        if healthy:
            self._idle.append(worker)
        else:
            await worker.end()
            self._alive.discard(worker)

    def _error_for(self, status: int) -> FilterLimit | FilterUnavailable:
        """Return the error for a worker that ended with ``status`` in the middle of a program."""
        if self._closing.is_set():
            return FilterUnavailable(STOPPING)
        if status in _CAUSES:
            return self._limits.exceeded(_CAUSES[status])
        log.error("a process for response filters ended with status %d", status)
        return FilterUnavailable(f"The process that ran the response filter ended with status {status}")


class _Worker(ChildProcess):
    """A process that runs jq programs."""

    def __init__(self, process: Process, output: int) -> None:
        super().__init__(process)
        self._output = output
        self.took = 0.0
        """Seconds of processor time for the last request."""

    @classmethod
    async def start(cls, limits: Limits) -> _Worker:
        """Start a process; raises FilterUnavailable."""
        script, directories = Path(__file__).with_name("worker.py"), map(directory_of, ("jq", "wfx"))
        try:
            process = await spawn(script, *directories, limits.memory, limits.deadline, limits.output)
        except OSError as exc:
            raise FilterUnavailable(f"A process for response filters did not start ({exc.strerror})") from exc
        return cls(process, limits.output)

    async def ready(self) -> None:
        """Wait until the process serves; raises EOFError when it ends before."""
        await self._answer(0)

    async def exchange(self, request: Request, program: bytes, document: bytes) -> tuple[Answer, bytes]:
        """Send a request; give the answer and its content. Raises EOFError when the process ends before."""
        self._stdin.writelines((REQUEST_HEADER.pack(request, len(program), len(document)), program, document))
        await self._stdin.drain()
        chunks: list[bytes] = []
        room = self._output + _MESSAGE_BYTES
        while True:
            answer, content = await self._answer(room)
            chunks.append(content)
            room -= len(content)
            if answer is not Answer.CHUNK:
                return answer, b"".join(chunks)

    async def _answer(self, room: int) -> tuple[Answer, bytes]:
        """Read one answer. A worker that sends more than there is room for is broken, and is killed."""
        header = await self._stdout.readexactly(ANSWER_HEADER.size)
        kind, self._leaving, self.took, length = ANSWER_HEADER.unpack(header)
        if length > room:
            self.kill()
            raise ConnectionAbortedError("a process for response filters said too much")
        return Answer(kind), await self._stdout.readexactly(length)
