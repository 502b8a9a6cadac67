"""A backup of a database that two servers write to."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from history_check import Outcome, compare
from postgres_server import Postgres

from tests.acceptance.clients import BASE, create_workflow, list_jobs, read_jobs, read_log
from tests.acceptance.cluster.episode import find_unsound, service_of, stop_in_order
from tests.acceptance.cluster.troubles import Cluster
from tests.acceptance.cluster.verdict import named
from tests.acceptance.cluster.working import working

SEED = random.randrange(10**9)


async def wfx(*words: str, option: str) -> None:
    """Run a command on a database. Raises CalledProcessError."""
    command = [sys.executable, "-m", "wfx", *words, "--storage=postgres", f"--storage-opt={option}"]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=120)


@pytest.mark.timeout(600)
async def test_a_backup_under_load(postgres: Postgres, tmp_path: Path) -> None:
    """Row 11: a backup that is made while two servers write has all that was confirmed before, and one state of it.

    Restored it is a beginning of the log with the jobs that belong to it; positions on the old log get 409 there.
    """
    backup = tmp_path / "backup.jsonl"
    with postgres.database() as one, postgres.database() as other:
        option, restored = postgres.conninfo(one), postgres.conninfo(other)
        services = [service_of(tmp_path / f"server-{number}", option) for number in range(2)]
        with services[0], services[1]:
            await create_workflow(services[0].north)
            cluster = Cluster(services, (), postgres)
            async with working(services, cluster.notes, SEED) as work:
                await cluster.more(100, [0, 1])
                confirmed = {one.token for one in cluster.notes.attempts if one.outcome is Outcome.ACKNOWLEDGED}
                await wfx("backup", str(backup), option=option)
                await cluster.more(50, [0, 1])
            await stop_in_order(services)
        await wfx("import", str(backup), option=restored)
        assert await find_unsound(restored) == []
        log = work.evidence.logs["server 0"]
        position = next(iter(work.followers.values())).source.last_id
        with service_of(tmp_path / "restored", restored) as service:
            copy = await read_log(service.north)
            jobs = await read_jobs(service.north, await list_jobs(service.north))
            async with httpx.AsyncClient(base_url=service.north + BASE, trust_env=False) as client:
                answer = await client.get("/jobs/events", params={"since": position})
    assert len(confirmed) <= len(copy) < len(log), "it was made while they wrote"
    assert copy == log[: len(copy)], f"seed {SEED}"
    assert confirmed <= {entry.token for entry in named(copy)}
    assert compare([event for _, event in copy], jobs) == []
    assert answer.status_code == 409
