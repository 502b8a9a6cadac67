"""A server that deletes old jobs, and stops in the middle of a turn: run by test_job_retention to be killed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.tuned import tuned
from wfx.domain.cause import EncodedCause
from wfx.domain.job_list import JobRow
from wfx.domain.timestamp import Timestamp
from wfx.service import job_retention
from wfx.service.job_retention import JobRetention, delete_jobs
from wfx.store.opening import open_store
from wfx.store.protocol import Store

_BATCHES = 2


def later() -> Timestamp:
    """Tell the time ten days from now."""
    return Timestamp(int((time.time() + 10 * 86_400) * 1_000_000))


class Deleting:
    """Deletes jobs and says how many, up to some batches; then it waits for the end."""

    def __init__(self) -> None:
        """Begin."""
        self._batches = 0

    async def __call__(self, store: Store, rows: Sequence[JobRow], cause: EncodedCause) -> Sequence[JobRow]:
        """Delete a batch."""
        deleted = await delete_jobs(store, rows, cause)
        sys.stdout.write(f"{len(deleted)}\n")
        sys.stdout.flush()
        self._batches += 1
        if self._batches == _BATCHES:
            await asyncio.Event().wait()
        return deleted


async def main(option: str) -> None:
    """Take a turn of retention."""
    store = await open_store("postgres", option)
    await JobRetention(store, tuned(jobs_closed_max_age=("1d",)), pause=0, now=later).delete_old_jobs()


if __name__ == "__main__":
    job_retention.delete_jobs = Deleting()
    asyncio.run(main(sys.argv[1]))
