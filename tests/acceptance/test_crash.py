"""What a service promised it keeps, however often it is killed while clients write and follow.

``WFX_CRASH_ROUNDS`` sets how often.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest
from history_check import Outcome, compare, judge

from tests.acceptance.clients import Follower, Recorder, Writer, create_workflow, read_jobs, read_log, record_of
from tests.store.sqlite.audit import assert_sound
from tests.waiting import until
from wfx.demo.local import LocalService

ROUNDS = int(os.environ.get("WFX_CRASH_ROUNDS", "14"))
SEED = 1 if "CI" in os.environ else random.randrange(10**9)
"""Decides what is written and after how many confirmed changes the service dies; what is under way then is chance."""
WRITERS = 8


class CrashTest:
    """One service, its clients, and its deaths."""

    def __init__(self, service: LocalService) -> None:
        self.service = service
        self.judged = 0
        """Events that earlier rounds looked at."""
        self.random = random.Random(SEED)
        self.recorder = Recorder()
        self.writers = [Writer(f"w{n}", service.ports, self.recorder, SEED + n) for n in range(WRITERS)]
        self.followers = [
            Follower(port, by_header=by_header) for port in service.ports.values() for by_header in (True, False)
        ]

    async def run(self) -> None:
        """Let the service die again and again, then see what is there."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(follower.run()) for follower in self.followers]
            for _ in range(ROUNDS):
                await self._die_while_writing()
                await asyncio.to_thread(self.service.start)
                await self._check()
            for task in tasks:
                task.cancel()

    async def _die_while_writing(self) -> None:
        enough = self.recorder.acknowledged + self.random.randrange(20, 200)
        async with asyncio.TaskGroup() as group:
            for writer in self.writers:
                group.create_task(writer.run(lambda: True))
            await until(lambda: self.recorder.acknowledged >= enough, f"{enough} changes")
            assert await asyncio.to_thread(self.service.stop, signal.SIGKILL) == -signal.SIGKILL

    async def _check(self) -> None:
        """Judge the whole log, and the jobs that this round may have changed."""
        log = await read_log(self.service.north)
        await until(
            lambda: all(len(follower.source.events) >= len(log) for follower in self.followers),
            f"all {len(log)} events at all followers",
        )
        assert judge(record_of(self.recorder, log, self.followers)) == [], f"seed {SEED}"
        recent = {event["job"]["id"] for _, event in log[self.judged :]}
        events = [event for _, event in log if event["job"]["id"] in recent]
        assert compare(events, await read_jobs(self.service.north, recent)) == [], f"seed {SEED}"
        self.judged = len(log)


@pytest.mark.timeout(120 + 30 * ROUNDS)
async def test_killed_while_writing(tmp_path: Path) -> None:
    """Row 5: after each kill -9, what was confirmed is there once and in order; followers miss and repeat nothing.

    What was not confirmed is there as a whole, with its job, its history and its event, or not at all.
    """
    with LocalService(tmp_path) as service:
        await create_workflow(service.north)
        test = CrashTest(service)
        await test.run()
        assert all(follower.connections > ROUNDS for follower in test.followers), "each death cut all streams"
        assert test.recorder.outcomes[Outcome.UNKNOWN] > 0, "something was under way when the service died"
    assert_sound(tmp_path / "wfx.db")
    for writer in test.writers:
        writer.close()
