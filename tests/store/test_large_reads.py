"""The contract of a store, for what is too large to be read at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.store.backends import Backend, SetClock
from tests.store.samples import FLOW, begin, in_pieces, move, redefine, renamed, tag, whole_log
from wfx.domain import job_json
from wfx.domain.errors import JobNotFound
from wfx.domain.job import Job
from wfx.domain.query import JobQuery, Paging
from wfx.domain.workflow import Workflow
from wfx.store.protocol import NoRoom, Store
from wfx.store.sqlite import job_search, queries

ROOMS = (0, 2_000, 5_000, 100_000)


def text(size: int) -> dict[str, str]:
    """Make a definition of about so many bytes."""
    return {"text": "x" * size}


async def fleet(store: Store) -> list[Job]:
    """Create jobs of very different sizes, of two workflows."""
    await store.create_workflow(renamed("other", FLOW))
    sizes = [10, 9_000, 10, 10, 3_000, 10, 70_000, 10, 10, 1_500, 1_500, 10]
    return [
        await store.create_job(("other", FLOW.name)[n % 2], begin(f"c{n % 3}", definition=text(size), tags=["x", "y"]))
        for n, size in enumerate(sizes)
    ]


QUERIES = [
    JobQuery(paging=paging)
    for paging in (Paging(limit=0), Paging(limit=0, descending=True), Paging(2, 7), Paging(3, 4, descending=True))
] + [
    JobQuery(**conditions, paging=Paging(1, 50, descending=descending, with_total=True))
    for conditions in ({"client_id": "c1"}, {"tags": ("x", "y")}, {"workflow": "other", "tags": ("y",)})
    for descending in (False, True)
]  # fmt: skip


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("few", [0, 1000])
async def test_pages_are_the_same_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch, room: int, few: int) -> None:
    """Whatever is asked for and however little room there is, the pieces of a page make up the page."""
    await fleet(store)
    monkeypatch.setattr(job_search, "FEW", few)
    monkeypatch.setattr(job_search, "AT_ONCE", 3)
    monkeypatch.setattr(queries, "_JOBS_AT_ONCE", 4)
    for query in QUERIES:
        whole = await store.query_jobs(query)
        first = await store.query_jobs(query, room)
        assert first.total == whole.total
        assert await in_pieces(store, first, room) == list(whole.items), query


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("room", [2_000, 5_000])
async def test_a_piece_has_no_more_than_there_is_room_for(store: Store, room: int) -> None:
    """A piece takes no more bytes than there is room for; what is larger is read when there is room for it."""
    await fleet(store)
    page, sizes = await store.query_jobs(JobQuery(paging=Paging(limit=0)), room), []
    while True:
        assert sum(len(job_json.job(job)) for job in page.items) <= room
        if page.rest is None:
            break
        if page.rest.next_size > room:
            assert (await store.read_on(page.rest, page.rest.next_size - 1)).items == ()
            large = await store.read_on(page.rest, page.rest.next_size)
            assert len(large.items) == 1
            sizes.append(len(large.items[0].definition or b""))
            assert large.rest is not None
            page = large
        page = await store.read_on(page.rest, room)
    assert sizes == ([9011, 3011, 70011, 1511, 1511] if room == 2_000 else [9011, 70011])


@pytest.mark.usefixtures("flow")
async def test_a_page_read_on_shows_what_became_of_its_jobs(store: Store) -> None:
    """Which jobs a page has is decided at its beginning; later pieces show them as they are then, or not at all."""
    jobs = await fleet(store)
    page = await store.query_jobs(JobQuery(state="NEW", paging=Paging(limit=0, with_total=True)), 2_000)
    assert page.items == (jobs[0],)
    assert page.rest is not None
    changed = await store.change_job(jobs[4].id, move("RUN"))
    for job in (*jobs[5:10], jobs[11]):
        await store.delete_job(job.id)
    await store.create_job(FLOW.name, begin())
    assert page.total == len(jobs)
    assert await in_pieces(store, page, 2_000) == [*jobs[:4], changed, jobs[10]]


async def test_a_job_that_does_not_fit_is_not_read(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A job is only read where there is room for it; otherwise it is told how many bytes it has."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        job = await store.create_job(FLOW.name, begin("c", definition=text(100_000), tags=["x"]))
        size = len(job.definition or b"") + len(job.status) + len(job.tags) + 1
        for room in (0, 1000, size - 1):
            with pytest.raises(NoRoom) as refusal:
                await store.get_job(job.id, room)
            assert refusal.value.size == size
        assert await store.get_job(job.id, size) == job
        with pytest.raises(JobNotFound):
            await store.get_job("x", 0)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("limit", [3, 99])
async def test_histories_are_the_same_in_pieces(store: Store, flow: Workflow, room: int, limit: int) -> None:
    """However little room there is, the pieces of a history make up the history."""
    job = await store.create_job(flow.name, begin())
    for size in (10, 9_000, 10, 3_000, 70_000, 10, 10):
        job = await store.change_job(job.id, redefine(text(size)))
        job = await store.change_job(job.id, move("RUN", message="y" * 500))
    whole = (await store.get_history(job.id, limit)).items
    assert len(whole) == min(limit, 14)
    assert await in_pieces(store, await store.get_history(job.id, limit, room=room), room) == list(whole)


async def test_a_history_is_that_of_the_version_that_was_seen(store: Store, flow: Workflow) -> None:
    """Changes that come while a history is read do not show in it: it ends before the version that was asked for."""
    job = await store.create_job(flow.name, begin())
    for n in range(4):
        job = await store.change_job(job.id, move("RUN", message=f"{n}" * 1000))
    whole = list((await store.get_history(job.id, 99)).items)
    await store.change_job(job.id, move("RUN"))
    page = await store.get_history(job.id, 99, before=job.version, room=2_000)
    await store.change_job(job.id, tag("x"))
    assert await in_pieces(store, page, 2_000) == whole
    assert (await store.get_history(job.id, 99, before=1)).items == ()


async def test_a_history_ends_where_its_job_was_deleted(store: Store, flow: Workflow) -> None:
    """If the job is deleted while its history is read, what was not read yet is missing, and that is all."""
    job = await store.create_job(flow.name, begin())
    for n in range(4):
        await store.change_job(job.id, move("RUN", message=f"{n}" * 1000))
    page = await store.get_history(job.id, 99, room=2_000)
    await store.delete_job(job.id)
    assert await in_pieces(store, page, 2_000) == list(page.items)


@pytest.mark.parametrize("room", [0, 500, 3_000])
async def test_workflows_are_the_same_in_pieces(store: Store, room: int) -> None:
    """However little room there is, the pieces of a page of workflows make up the page."""
    for n in range(9):
        await store.create_workflow(renamed(f"flow-{n}", FLOW))
    for paging in (Paging(limit=0), Paging(2, 5, descending=True, with_total=True)):
        whole = await store.query_workflows(paging)
        page = await store.query_workflows(paging, room)
        assert page.total == whole.total
        assert await in_pieces(store, page, room) == list(whole.items)


@pytest.mark.usefixtures("flow")
async def test_the_log_is_read_as_far_as_there_is_room(store: Store) -> None:
    """Reading the log ends before the event for which there is no room; one event is always read."""
    await fleet(store)
    events = await whole_log(store)
    assert await store.read_log(0, 99, 0) == events[:1]
    assert await store.read_log(1, 99, 0) == events[1:2]
    large = len(events[8].payload)
    assert await store.read_log(8, 99, large) == events[8:9]
    assert await store.read_log(9, 99, 5_000) == events[9:12]


async def test_many_large_jobs_at_once_are_read_one_by_one(store: Store, flow: Workflow) -> None:
    """Jobs that are asked for together are read together only where they are small; each caller gets its own."""
    jobs = [await store.create_job(flow.name, begin(definition=text(size))) for size in (10, 100_000, 20, 200_000)]
    assert await asyncio.gather(*(store.get_job(job.id) for job in jobs)) == jobs
