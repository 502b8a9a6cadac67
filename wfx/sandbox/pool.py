"""Pool of worker processes that clients share by the cost of their requests.

The number of workers is bounded, waiting has a deadline, and :meth:`Pool.close` leaves no process behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wfx.sandbox.fair_queue import FairQueue
from wfx.sandbox.frames import Frame
from wfx.sandbox.process import WorkerLimits, WorkerProcess, WorkerProgram, WorkerRequest
from wfx.sandbox.workers import Workers


class Pool:
    """The workers, and the queue in front of them. Belongs to one event loop."""

    def __init__(
        self,
        program: WorkerProgram,
        limits: WorkerLimits,
        queue: FairQueue,
        *,
        deadline: Callable[[int], float],
        patience: float,
    ) -> None:
        """Start no worker yet; the queue limits how many run at once.

        ``deadline`` maps the bytes of a request's body to the seconds that its work may take; ``patience`` is how many
        seconds a request waits for its turn.
        """
        self._workers = Workers(program, limits, queue.at_once)
        self._queue = queue
        self._deadline = deadline
        self._patience = patience
        self._tasks: set[asyncio.Task[Frame]] = set()

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the workers' processes."""
        return self._workers.process_ids

    @property
    def running(self) -> int:
        """How many requests are worked on."""
        return self._queue.running

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return self._queue.waiting

    @property
    def replaced(self) -> int:
        """How many workers have ended so far, though requests went on."""
        return self._workers.replaced

    async def ask(
        self, request: WorkerRequest, client: str, *, begun: Callable[[WorkerProcess], None] | None = None
    ) -> Frame:
        """Have a worker answer; ``begun`` is called with the worker when its work begins.

        A caller that is cancelled returns at once, and the worker is killed; the turn is free again when that process
        is gone. Raises LimitReached, Unavailable.
        """
        task = asyncio.create_task(self._serve(request, client, begun))
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
        self._queue.close()
        self._workers.kill()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._workers.end()

    async def _serve(self, request: WorkerRequest, client: str, begun: Callable[[WorkerProcess], None] | None) -> Frame:
        async with self._queue.turn(client, request.size + 1, self._patience):
            return await self._workers.serve(request, self._deadline(request.size), begun=begun)
