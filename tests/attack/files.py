"""The database's files are taken away while clients write, and put back: what was acknowledged must be there."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx

from tests.attack.frame import DONE, Kind, Target, check_store
from tests.waiting import until
from wfx.store.sqlite.checking import reading

WRITERS = 8
TRIES = 20
"""Requests of each writer that have to be answered before the files are taken away, and then while they are."""
ACKNOWLEDGED = "acknowledged.json"
"""A file beside the database, with the jobs that clients were told of."""


@contextmanager
def _renamed(path: Path) -> Iterator[None]:
    """Let the file or directory have another name for a while."""
    elsewhere = path.with_name(f"{path.name}.elsewhere")
    path.rename(elsewhere)
    yield
    elsewhere.rename(path)


@contextmanager
def _replaced(path: Path) -> Iterator[None]:
    """Let a copy be in the place of the file for a while."""
    with _renamed(path):
        path.write_bytes(path.with_name(f"{path.name}.elsewhere").read_bytes())
        yield


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    """Let the file have no name of its own for a while."""
    kept = path.with_name(f"{path.name}.kept")
    os.link(path, kept)
    path.unlink()
    yield
    kept.rename(path)


LOSSES = [
    *((take, name) for take in (_renamed, _replaced, _removed) for name in ("wfx.db", "wfx.db-wal", "wfx.db-shm")),
    (_renamed, "."),
]
"""What is done to which file; the dot stands for the directory."""


class Writers:
    """Clients that create jobs without pause and note which of them they were told are there."""

    def __init__(self, target: Target) -> None:
        """Write on the management side."""
        self._target = target
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        """The answers since this was cleared to requests that were sent since then."""
        self._round = 0
        self._over = False

    async def run(self) -> None:
        """Write until told to stop."""
        async with httpx.AsyncClient(base_url=self._target.north, trust_env=False, timeout=60) as client:
            await asyncio.gather(*(self._write(client) for _ in range(WRITERS)))

    def stop(self) -> None:
        """Let each write no more than it is writing."""
        self._over = True

    async def answers(self) -> Counter[int]:
        """Wait for some answers to requests that are sent from now on."""
        self._round += 1
        self.statuses = Counter()
        await until(lambda: self.statuses.total() >= WRITERS * TRIES, "answers to writers")
        return self.statuses

    async def refused(self) -> None:
        """Wait until somebody is told that nothing can be stored, and health says so.

        Health is asked meanwhile, since only that finds the loss of a log's index. Alone it does not tell: for a moment
        it says what was found before, perhaps of the last loss.
        """
        async with httpx.AsyncClient(base_url=self._target.north, trust_env=False, timeout=60) as client:
            down = False
            while not (down and self.statuses[503]):
                await asyncio.sleep(0.1)
                down = (await client.get("/health")).status_code == 503

    async def _write(self, client: httpx.AsyncClient) -> None:
        for number in count():
            if self._over:
                return
            sent = self._round
            answer = await client.post("/jobs", json={"clientId": f"writer-{number}", "workflow": "w"})
            if answer.status_code == 201:
                self.acknowledged.append(answer.json()["id"])
            if sent == self._round:
                self.statuses[answer.status_code] += 1


async def attack(target: Target) -> Counter[str]:
    """Take away and put back one file after the other: nothing that is sent once health is down is acknowledged."""
    tally = Counter[str]()
    folder = Path(target.folder)
    writers = Writers(target)
    async with asyncio.TaskGroup() as group:
        group.create_task(writers.run())
        for number in count():
            take, name = LOSSES[number % len(LOSSES)]
            assert set(await writers.answers()) == {201}, "writing goes on as soon as the files are there"
            with take(folder / name):
                await writers.refused()
                told = await writers.answers()
                assert set(told) == {503}, f"{name}{take.__name__}: answered {dict(told)}"
            tally["losses"] += 1
            if not target.goes_on() and number + 1 >= len(LOSSES):
                break
        writers.stop()
    await asyncio.to_thread((folder / ACKNOWLEDGED).write_text, json.dumps(writers.acknowledged))
    return tally + Counter(acknowledged=len(writers.acknowledged))


def _check(folder: Path) -> Sequence[str]:
    """What is not sound, and what was acknowledged and is not there."""
    with reading(folder / "wfx.db") as connection:
        present = {job_id for (job_id,) in connection.execute("SELECT id FROM job")}
    told = json.loads((folder / ACKNOWLEDGED).read_text())
    gone = [f"job {job_id} was acknowledged and is gone" for job_id in told if job_id not in present]
    return [*check_store(folder), *gone]


KIND = Kind(
    attack,
    answers={"GET": DONE, "PUT": DONE | {503}},
    log=frozenset({"store is down"}),
    check=_check,
)
