"""A program of its own, to be killed: many tasks write to a store and say what was acknowledged.

Two others consume its log under one name, and create a job for each event.

Prints ``job VERSION ID`` after each creation and change, ``gone ID`` after each deletion, ``refused REASON`` if the
store cannot be opened. Each task ends after so many acts, or never for 0.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.store.samples import FLOW, attempt, begin, move, redefine, tag
from tests.store.sqlite.roll_up import NAME, roll_up
from wfx.domain.errors import StoreUnusable, TransitionRefused
from wfx.store.opening import open_store
from wfx.store.protocol import Store

_TASKS = 16


def say(*words: object) -> None:
    """Tell the test, at once: a line is one write, and what is in the pipe survives this process."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def write(store: Store, acts: int) -> None:
    """Create, change and delete jobs at random, one act after the other."""
    mine: list[str] = []
    while acts:
        acts -= 1
        if not mine or random.random() < 0.3:
            job = await store.create_job(FLOW.name, begin(tags=["t"], definition={"n": 1}))
            mine.append(job.id)
            say("job", job.version, job.id)
        elif random.random() < 0.1:
            await store.delete_job(mine[0])
            say("gone", mine.pop(0))
        else:
            decide = random.choice([move("NEW", message="x" * 200), move("RUN"), tag("u"), redefine({"n": "y" * 2000})])
            with suppress(TransitionRefused):
                job = await store.change_job(random.choice(mine), decide)
                say("job", job.version, job.id)


async def main(path: str, acts: int) -> None:
    """Write with many tasks."""
    try:
        store = await open_store("sqlite", path)
    except StoreUnusable as exc:
        say("refused", exc)
        return
    await attempt(store.create_workflow(FLOW))
    await store.consumer(NAME)
    consumers = [asyncio.create_task(roll_up(store, to_the_head=False)) for _ in range(2)]
    await asyncio.gather(*(write(store, acts or -1) for _ in range(_TASKS)))
    for consumer in consumers:
        consumer.cancel()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
