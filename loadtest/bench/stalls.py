"""Whether anything makes writers wait: steady status updates while the service does something else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from http.client import HTTPConnection
from itertools import cycle

from wfx.api.problems import PREFIX
from wfx.demo.local import LocalService
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.metrics import Latencies, Metrics
from wfx_loadtest.pacer import Pacer, fire
from wfx_loadtest.session import BASE, Session, opened
from wfx_loadtest.settings import Settings

_RATE = 100
_CHUNK = 10_000
_BULK_TIMEOUT = 120.0
"""Seconds."""
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


def tagging(tag: str) -> Meanwhile:
    """Give all jobs that have a tag another one: bulk requests, chunk by chunk. A stream reads what they change."""

    async def tag_all(session: Session) -> None:
        stream = await asyncio.create_subprocess_exec(
            "curl", "-sN", f"http://{session.south.authority}{BASE}/jobs/events", stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await asyncio.to_thread(_tag, session.north.authority, tag)
        finally:
            stream.terminate()
            await stream.wait()

    return tag_all


def _tag(authority: str, tag: str) -> None:
    connection = HTTPConnection(authority, timeout=_BULK_TIMEOUT)
    body = {"selection": {"tag": [tag]}, "add": ["tagged-in-bulk"], "expect": 1 << 30, "limit": _CHUNK}
    while True:
        connection.request("POST", f"{PREFIX}/jobs:tag", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        assert not told["failed"], told
        if not told["rest"]:
            return
        body |= {"after": told["next"], "expect": told["rest"]}


def slowest(service: LocalService, jobs: Sequence[str], seconds: int, meanwhile: Meanwhile = nothing) -> float:
    """Return the milliseconds that the slowest of 100 updates a second took, counted from when it was due."""
    return asyncio.run(_steady(service, jobs, seconds, meanwhile)).max / MILLISECOND


def p99(service: LocalService, jobs: Sequence[str], seconds: int, meanwhile: Meanwhile) -> float:
    """Return how many milliseconds 99 % of 100 updates a second took at most; they go on for so long at least."""
    return asyncio.run(_steady(service, jobs, seconds, meanwhile)).percentile(99) / MILLISECOND


async def _steady(service: LocalService, jobs: Sequence[str], seconds: int, meanwhile: Meanwhile) -> Latencies:
    settings = Settings("127.0.0.1", service.ports["south"], "127.0.0.1", service.ports["north"], seconds * SECOND)
    async with opened(settings) as session:
        paths = cycle(f"/jobs/{job_id}/status" for job_id in jobs)

        async def update(due: int) -> None:
            await session.measured("updates", due, session.south, session.south.request("PUT", next(paths), _REPORT))

        pacer = Pacer(_RATE, session.settings.duration, session.clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(fire(pacer, session.begin(), session.stop, update))
            group.create_task(_done(meanwhile(session)))
        return _latencies(session.metrics)


async def _done(work: Awaitable[None]) -> None:
    await work


def _latencies(metrics: Metrics) -> Latencies:
    if metrics.success < 1:
        raise RuntimeError(f"updates failed: {', '.join(metrics.errors)}")
    return metrics.latencies
