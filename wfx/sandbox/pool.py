"""Pool of worker processes.

A worker is started when it is first needed, serves one request at a time, and is reused until it trips a limit, grows
or fails; then it is ended, and the next request starts another. The number of workers is bounded, waiting has a
deadline, and :meth:`Pool.close` leaves no process behind.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from wfx.sandbox.errors import Limit, LimitReached, SandboxError, Unavailable
from wfx.sandbox.fair_queue import FairQueue
from wfx.sandbox.frames import FAILED, MEMORY, Frame
from wfx.sandbox.process import Limits, Program, Request, WorkerProcess

log = logging.getLogger(__name__)

_START_SECONDS = 20.0
"""Deadline for a worker's start; usually it takes 0.2 s."""

_OUT_OF_MEMORY = frozenset({-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGKILL})
"""Signals that end a worker that lacks memory: libraries abort, and the system kills processes that take too much."""


class Pool:
    """The workers, and the queue in front of them. Belongs to one event loop."""

    def __init__(
        self, program: Program, limits: Limits, queue: FairQueue, *, deadline: Callable[[int], float], patience: float
    ) -> None:
        """Start no worker yet; the queue limits how many run at once.

        ``deadline`` maps the bytes of a request's body to the seconds that its work may take; ``patience`` is how many
        seconds a request waits for its turn.
        """
        self._program = program
        self._limits = limits
        self._queue = queue
        self._deadline = deadline
        self._patience = patience
        self._idle: list[WorkerProcess] = []
        self._alive: set[WorkerProcess] = set()
        self._tasks: set[asyncio.Task[Frame]] = set()
        self._closing = False

    async def ask(self, request: Request, client: str) -> Frame:
        """Have a worker answer.

        A caller that is cancelled returns at once, and the worker is killed; the turn is free again when that process
        is gone. Raises LimitReached, Unavailable.
        """
        task = asyncio.create_task(self._serve(request, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            del task  # its exception refers to this frame: a cycle that would keep the request in memory

    async def close(self) -> None:
        """End all workers; requests that run or wait get Unavailable. Returns when every process is gone."""
        self._closing = True
        self._queue.close()
        for worker in self._alive:
            worker.kill()
        while self._tasks:
            await asyncio.wait(self._tasks)
        while self._idle:
            await self._put_back(self._idle.pop(), healthy=False)

    async def _serve(self, request: Request, client: str) -> Frame:
        async with self._queue.turn(client, request.size + 1, self._patience):
            worker = await self._worker()
            healthy = False
            try:
                async with asyncio.timeout(self._deadline(request.size)):
                    answer = await worker.exchange(request)
                healthy = worker.running and not self._closing
            except TimeoutError as exc:
                raise LimitReached(Limit.TIME) from exc
            except (EOFError, ConnectionError) as exc:
                raise self._error_for(await worker.end()) from exc
            finally:
                await self._put_back(worker, healthy=healthy)
        return _checked(answer)

    async def _worker(self) -> WorkerProcess:
        """Take an idle worker, or start one."""
        while self._idle:
            worker = self._idle.pop()
            if worker.running:
                return worker
            await self._put_back(worker, healthy=False)
        worker = await WorkerProcess.start(self._program, self._limits)
        self._alive.add(worker)
        ready = False
        try:
            if self._closing:
                raise self._error_for(0)
            async with asyncio.timeout(_START_SECONDS):
                await worker.ready()
            ready = True
        except (EOFError, ConnectionError, TimeoutError) as exc:
            raise Unavailable(f"a worker process did not start (status {await worker.end()})") from exc
        finally:
            if not ready:
                await self._put_back(worker, healthy=False)
        return worker

    async def _put_back(self, worker: WorkerProcess, *, healthy: bool) -> None:
        """Keep a worker for the next request, or end it."""
        if healthy:
            self._idle.append(worker)
        else:
            await worker.end()
            self._alive.discard(worker)

    def _error_for(self, status: int) -> SandboxError:
        """Return the error for a worker that ended with ``status`` in the middle of a request."""
        if self._closing:
            return Unavailable("the service is stopping")
        if status in _OUT_OF_MEMORY:
            return LimitReached(Limit.MEMORY)
        log.error("a worker process ended with status %d", status)
        return Unavailable(f"a worker process ended with status {status}")


def _checked(answer: Frame) -> Frame:
    if answer.kind == MEMORY:
        raise LimitReached(Limit.MEMORY)
    if answer.kind == FAILED:
        log.error("a worker process failed: %s", answer.head.decode())
        raise Unavailable("a worker process failed")
    return answer
