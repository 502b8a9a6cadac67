"""A program of its own, since the limit is the whole process's: uses a store under a limit on the size of files."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.store.samples import FLOW, all_jobs, begin
from wfx.domain.errors import StoreError
from wfx.domain.job import Job
from wfx.store.opening import open_store


async def main(path: str) -> None:
    """Print what happens under the limit, to a reader, and after it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = await open_store("sqlite", path)
    await store.create_workflow(FLOW)
    jobs: list[Job] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
    try:
        while len(jobs) < 1000:
            jobs.append(await store.create_job(FLOW.name, begin(definition={"x": "y" * 10_000})))
    except StoreError as exc:
        say(type(exc).__name__)
    if await all_jobs(store) == tuple(jobs):
        say("read")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    jobs.append(await store.create_job(FLOW.name, begin()))
    if await all_jobs(store) == tuple(jobs) and (await store.log_bounds()).head == len(jobs) + 1:
        say("written")
    await store.close()


def say(word: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
