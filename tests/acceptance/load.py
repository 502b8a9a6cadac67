"""Eight writers and two followers of one service whose store has troubles, and a verdict on what became of it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from history_check import Outcome, compare, judge

from tests.acceptance.clients import (
    Follower,
    Recorder,
    Writer,
    create_workflow,
    list_jobs,
    read_jobs,
    read_log,
    record_of,
)
from tests.store.sqlite.audit import assert_sound
from tests.waiting import until
from wfx.demo.local import LocalService

WRITERS = 8
TROUBLES = {507: Outcome.REFUSED, 503: Outcome.UNKNOWN}
"""A store that has no room has done nothing; one whose disk failed may find later that the change is there."""


class Load:
    """The clients of one service."""

    def __init__(self, service: LocalService, seed: int) -> None:
        self.service = service
        self.recorder = Recorder()
        self._goes_on = True
        self._writers = [
            Writer(f"w{n}", service.ports, self.recorder, seed + n, troubles=TROUBLES) for n in range(WRITERS)
        ]
        self.followers = [
            Follower(service.ports["south"], by_header=True),
            Follower(service.ports["north"], by_header=False),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write and follow until the block ends; then everything must be as the clients were told, and sound."""
        await create_workflow(self.service.north)
        async with asyncio.TaskGroup() as group:
            following = [group.create_task(follower.run()) for follower in self.followers]
            writing = group.create_task(self._write())
            yield
            self._goes_on = False
            await writing
            await self._judge()
            for task in following:
                task.cancel()
        for writer in self._writers:
            writer.close()

    async def _write(self) -> None:
        """Let all write; whoever was cut off begins anew, and waits until somebody listens again."""
        async with asyncio.TaskGroup() as group:
            for writer in self._writers:
                group.create_task(self._write_on(writer))

    async def _write_on(self, writer: Writer) -> None:
        while self._goes_on:
            await writer.run(lambda: self._goes_on)
            await asyncio.sleep(0.02)

    async def more(self, count: int = 100) -> None:
        """Wait until so many more changes are confirmed."""
        enough = self.recorder.acknowledged + count
        await until(lambda: self.recorder.has(enough), f"{count} more changes")

    async def trouble(self, count: int = 50) -> None:
        """Wait until so many more changes have failed."""
        enough = self.recorder.troubles.total() + count
        await until(lambda: self.recorder.troubles.total() >= enough, f"{count} more failures")

    async def _judge(self) -> None:
        log = await read_log(self.service.north)
        await until(
            lambda: all(len(follower.source.events) >= len(log) for follower in self.followers),
            f"all {len(log)} events at all followers",
        )
        wrong = judge(record_of(self.recorder, log, self.followers))
        assert wrong == [], wrong
        jobs = await read_jobs(self.service.north, await list_jobs(self.service.north))
        wrong = compare([event for _, event in log], jobs)
        assert wrong == [], wrong
        assert_sound(self.service.folder / "wfx.db")
