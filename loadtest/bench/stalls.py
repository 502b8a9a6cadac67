"""Whether anything makes writers wait: steady status updates while the service does something else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle

from wfx.demo.local import LocalService
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.metrics import Metrics
from wfx_loadtest.pacer import Pacer, fire
from wfx_loadtest.session import Session, opened
from wfx_loadtest.settings import Settings

_RATE = 100
_REPORT = {"state": "INSTALLING", "clientId": "dev", "progress": 57}
Meanwhile = Callable[[Session], Awaitable[None]]
"""What is asked of the service while others write."""


async def nothing(session: Session) -> None:
    """Leave the service to itself."""


def deleting(jobs: Sequence[str]) -> Meanwhile:
    """Delete these jobs, one after the other, spread over the time."""

    async def delete(session: Session) -> None:
        pause = session.settings.duration / SECOND / (len(jobs) + 1)
        for job_id in jobs:
            await asyncio.sleep(pause)
            answer = await session.north.exchange(session.north.request("DELETE", f"/jobs/{job_id}"))
            assert answer.status == 204, answer.line

    return delete


def slowest(service: LocalService, jobs: Sequence[str], seconds: int, meanwhile: Meanwhile = nothing) -> float:
    """Return the milliseconds that the slowest of 100 updates a second took, counted from when it was due."""
    return asyncio.run(_slowest(service, jobs, seconds, meanwhile))


async def _slowest(service: LocalService, jobs: Sequence[str], seconds: int, meanwhile: Meanwhile) -> float:
    settings = Settings("127.0.0.1", service.ports["south"], "127.0.0.1", service.ports["north"], seconds * SECOND)
    async with opened(settings) as session:
        paths = cycle(f"/jobs/{job_id}/status" for job_id in jobs)

        async def update(due: int) -> None:
            await session.measured("updates", due, session.south, session.south.request("PUT", next(paths), _REPORT))

        pacer = Pacer(_RATE, session.settings.duration, session.clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(fire(pacer, session.begin(), session.stop, update))
            group.create_task(_done(meanwhile(session)))
        return _worst(session.metrics)


async def _done(work: Awaitable[None]) -> None:
    await work


def _worst(metrics: Metrics) -> float:
    if metrics.success < 1:
        raise RuntimeError(f"updates failed: {', '.join(metrics.errors)}")
    return metrics.latencies.max / MILLISECOND
