"""Bounded histories: the middle of a history that is too long or too large is dropped and marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.store.samples import FLOW, begin, move, redefine, together
from wfx.domain.job import HistoryEntry, Job
from wfx.domain.json import decode
from wfx.domain.query import JobQuery
from wfx.store import history_bounds
from wfx.store.protocol import Store

pytestmark = pytest.mark.usefixtures("flow")
MIB = 1024 * 1024


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Bound histories to few entries: two first ones, and half of all as the newest."""

    def bound(entries: int) -> None:
        monkeypatch.setattr(history_bounds, "MOST_ENTRIES", entries)
        monkeypatch.setattr(history_bounds, "_FIRST_ENTRIES", 2)
        monkeypatch.setattr(history_bounds, "_NEWEST_ENTRIES", entries // 2)

    return bound


async def reported(store: Store, count: int) -> Job:
    """Create a job and report its progress so many times, one report after the other."""
    job = await store.create_job(FLOW.name, begin())
    await store.change_job(job.id, move("RUN"))
    for number in range(1, count):
        job = await store.change_job(job.id, move("RUN", message=str(number)))
    return job


async def entries_of(store: Store, job: Job) -> Sequence[HistoryEntry]:
    """Return the whole history, oldest first."""
    return (await store.get_history(job.id, 100_000)).items[::-1]


def messages(entries: Sequence[HistoryEntry]) -> list[str]:
    """Return what the entries say."""
    return [decode(entry.status).get("message", "") for entry in entries]


async def test_a_history_within_its_bounds_is_whole(store: Store, bounds: Callable[[int], None]) -> None:
    """A history of as many entries as are allowed has all of them."""
    bounds(10)
    job = await reported(store, 10)
    assert messages(await entries_of(store, job)) == ["", "", *map(str, range(1, 9))]


async def test_the_middle_of_a_long_history_is_dropped(store: Store, bounds: Callable[[int], None]) -> None:
    """One entry more, and the first and the newest entries stay, with a marker between that counts those dropped."""
    bounds(10)
    job = await reported(store, 11)
    kept = messages(await entries_of(store, job))
    assert kept == ["", "", "4 entries of the history were dropped here", *map(str, range(5, 10))]
    assert decode((await entries_of(store, job))[2].status)["state"] == "RUN"


async def test_a_marker_counts_all_that_was_ever_dropped(store: Store, bounds: Callable[[int], None]) -> None:
    """Trimmed again and again, a history keeps its first entries and one marker, and is never longer than allowed."""
    bounds(10)
    job = await reported(store, 100)
    kept = messages(await entries_of(store, job))
    assert kept[:2] == ["", ""]
    assert len(kept) <= 10
    newest = kept[3:]
    assert newest == [str(number) for number in range(99 - len(newest), 99)]
    assert kept[2] == f"{100 - 2 - len(newest)} entries of the history were dropped here"
    assert [entry.mtime for entry in await entries_of(store, job)] == sorted(
        entry.mtime for entry in await entries_of(store, job)
    )


async def test_reports_that_share_a_commit_are_trimmed_together(store: Store, bounds: Callable[[int], None]) -> None:
    """Any number of reports in one commit leave a history within its bounds, and all of them succeed."""
    bounds(10)
    job = await reported(store, 1)
    changed = await together(*(store.change_job(job.id, move("RUN", message=f"m{n}")) for n in range(40)))
    assert max(saved.version for saved in changed) == 42
    assert len(await entries_of(store, job)) <= 10


async def test_a_trimmed_job_can_be_deleted(store: Store, bounds: Callable[[int], None]) -> None:
    """A job whose history was trimmed is deleted with all of it, also before it was swept."""
    bounds(10)
    job = await reported(store, 11)
    await store.delete_job(job.id)
    while await store.run_chores(100):
        pass
    assert (await store.query_jobs(JobQuery())).items == ()


async def test_a_large_history_is_trimmed_by_bytes(store: Store) -> None:
    """A history keeps at most 32 MiB of documents: the first entry, a marker, and the newest entries."""
    job = await store.create_job(FLOW.name, begin(definition={"n": 0, "text": "x" * 5 * MIB}))
    count = 12
    for number in range(1, count):
        await store.change_job(job.id, redefine({"n": number, "text": "x" * 5 * MIB}))
    kept = await entries_of(store, job)
    assert sum(len(entry.definition or b"") + len(entry.status) for entry in kept) <= 32 * MIB
    numbers = [decode(entry.definition)["n"] for entry in kept if entry.definition is not None]
    assert numbers[0] == 0
    assert numbers[1:] == list(range(count - len(numbers), count - 1))[-len(numbers) + 1 :]


async def test_a_long_history_keeps_what_answers_show(store: Store) -> None:
    """20,001 reports later the newest 8,192 entries, which are those that answers show, are all there."""
    job = await reported(store, 1)
    for start in range(0, 20_000, 500):
        await together(*(store.change_job(job.id, move("RUN", message=str(n))) for n in range(start, start + 500)))
    kept = messages(await entries_of(store, job))
    assert len(kept) <= 20_000
    assert kept[-8192:] == [str(number) for number in range(20_000 - 1 - 8192, 20_000 - 1)]
