"""The contract's mix (cli section 11): lists of jobs and workflows, and jobs that are created and pushed along."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count, cycle
from typing import Any

from wfx_loadtest import direct
from wfx_loadtest.facts import Fact
from wfx_loadtest.pacer import Pacer, fire
from wfx_loadtest.session import Session

READ = "Read Jobs"
WRITE = "Generate and update jobs"
CLIENT = "vegeta"
"""The client id that such jobs have always had, so that existing dashboards and clean-up scripts find them."""


async def run(session: Session) -> list[Fact]:
    """Read and write at the two rates for the duration."""
    workflow = await direct.ensure(session.north)
    writer = Writer(session, workflow, CLIENT)
    start = session.begin()
    async with asyncio.TaskGroup() as generators:
        generators.create_task(read(session, start))
        generators.create_task(write(session, start, writer))
    return []


async def read(session: Session, start: int) -> None:
    """Alternate between the list of jobs and the list of workflows, on the south side."""
    south = session.south
    requests = cycle((south.request("GET", "/jobs?class=OPEN"), south.request("GET", "/workflows")))

    async def shot(due: int) -> None:
        await session.measured(READ, due, south, next(requests))

    await fire(Pacer(session.settings.read_freq, session.settings.duration, session.clock), start, session.stop, shot)


async def write(session: Session, start: int, writer: Writer) -> None:
    """Push jobs along at the rate of writes."""
    pacer = Pacer(session.settings.write_freq, session.settings.duration, session.clock)
    await fire(pacer, start, session.stop, writer.shot)


class Writer:
    """Keeps the last known statuses in a queue; each shot takes the first and moves its job on, or creates a job."""

    def __init__(
        self,
        session: Session,
        workflow: dict[str, Any],
        client_id: str,
        acknowledged: Callable[[str, int], None] | None = None,
    ) -> None:
        """Call ``acknowledged(job id, due)`` after each write that succeeded."""
        self._session = session
        self._workflow = workflow["name"]
        self._moves = direct.first_moves(workflow)
        self._client_id = client_id
        self._acknowledged = acknowledged
        self._statuses: deque[dict[str, Any]] = deque()
        self._counter = count(1)

    async def shot(self, due: int) -> None:
        """Make one write that is due at ``due``."""
        status = self._statuses.popleft() if self._statuses else None
        move = self._moves.get(status["state"]) if status else None
        if status is None or move is None:
            await self._create(due)
        else:
            await self._update(due, status, *move)

    async def _create(self, due: int) -> None:
        document = {
            "clientId": self._client_id,
            "workflow": self._workflow,
            "definition": {"counter": next(self._counter)},
        }
        north = self._session.north
        answer = await self._session.measured(WRITE, due, north, north.request("POST", "/jobs", document))
        if answer is not None and answer.status == 201:
            job = answer.document
            self._keep(job.get("id"), due, job.get("status"))

    async def _update(self, due: int, status: dict[str, Any], state: str, eligible: str) -> None:
        side = self._session.south if eligible == "CLIENT" else self._session.north
        job_id = status["context"]["id"]
        wanted = {**status, "state": state}
        wanted.pop("definitionHash", None)
        answer = await self._session.measured(WRITE, due, side, side.request("PUT", f"/jobs/{job_id}/status", wanted))
        if answer is not None and answer.status == 200:
            self._keep(job_id, due, answer.document)

    def _keep(self, job_id: str | None, due: int, status: dict[str, Any] | None) -> None:
        if not job_id or not status or "state" not in status:
            return  # not what the API promises: there is nothing to go on with
        self._statuses.append({**status, "context": {"id": job_id}})
        if self._acknowledged is not None:
            self._acknowledged(job_id, due)
