"""Clients at work on several servers, subscribers of all of them, and what both recorded in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from tests.acceptance.clients import DEADLINE, Follower, list_jobs, number_of, read_jobs, read_log
from tests.acceptance.cluster.recording import Client, Notes
from tests.acceptance.cluster.verdict import Evidence
from tests.waiting import until
from wfx.demo.local import LocalService

Result = TypeVar("Result")
_CLIENTS = ((0,), (0,), (0,), (1,), (1,), (1,), (0, 1), (0, 1))
"""For each client the servers that it asks: some stay at one, others come to another one with each request."""


@dataclass
class Work:
    """What is going on, and in the end what came of it."""

    followers: dict[str, Follower]
    evidence: Evidence = field(default_factory=Evidence)


@asynccontextmanager
async def working(services: Sequence[LocalService], notes: Notes, seed: int) -> AsyncIterator[Work]:
    """Let clients work on two servers and subscribers follow until the block ends, then ask for all there is.

    Both servers must be there then.
    """
    ports = [service.ports for service in services]
    clients = [Client(f"c{n}", ports, at, notes, f"{seed}.{n}") for n, at in enumerate(_CLIENTS)]
    work = Work(_followers(ports))
    goes_on = True
    async with asyncio.TaskGroup() as group:
        following = [group.create_task(follower.run()) for follower in work.followers.values()]
        await until(lambda: all(follower.connections for follower in work.followers.values()), "all follow")
        asking = [group.create_task(client.run(lambda: goes_on)) for client in clients]
        yield work
        goes_on = False
        await asyncio.wait(asking)
        work.evidence = Evidence(notes.attempts, notes.answers, notes.reads)
        await _ask_for_all(services, work)
        for task in following:
            task.cancel()


def _followers(ports: Sequence[dict[str, int]]) -> dict[str, Follower]:
    """Make subscribers of each server, and one who goes to another server whenever the connection ends."""
    found = {}
    for number, of_server in enumerate(ports):
        for side, port in of_server.items():
            found[f"{side} of server {number}"] = Follower(port, by_header=side == "south", patient=True)
    found["of both"] = Follower(*(of_server["south"] for of_server in ports), by_header=True, patient=True)
    return found


async def _ask_for_all(services: Sequence[LocalService], work: Work) -> None:
    """Ask all servers for everything, and wait until all followers have come to the end of the log."""
    for number, service in enumerate(services):
        name, north = f"server {number}", service.north
        work.evidence.logs[name] = await _in_the_end(lambda north=north: read_log(north))
        jobs = await _in_the_end(lambda north=north: list_jobs(north))
        work.evidence.jobs[name] = await _in_the_end(lambda north=north, jobs=jobs: read_jobs(north, jobs))
    count = len(work.evidence.logs["server 0"])
    for name, follower in work.followers.items():
        await until(lambda follower=follower: len(follower.source.events) >= count, f"{count} events, {name}")
        work.evidence.streams[name] = [(number_of(event_id), event) for event_id, event in follower.source.events]


async def _in_the_end(act: Callable[[], Awaitable[Result]]) -> Result:
    """Ask again while the store is not available: PostgreSQL may just have come back."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return await act()
            except httpx.HTTPStatusError as exc:
                if exc.response.status_code != 503:
                    raise
                await asyncio.sleep(0.05)
