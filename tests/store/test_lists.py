"""The contract of a store, as far as it concerns lists of jobs page by page."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.store.backends import NOON, SetClock
from tests.store.samples import FLOW, begin, move, tag, together
from tests.store.test_queries import matches, populate
from wfx.domain.job import Job
from wfx.domain.job_list import JobListQuery, JobRow, Period
from wfx.domain.json import decode
from wfx.domain.query import JobQuery
from wfx.domain.workflow import Workflow
from wfx.store import job_lists
from wfx.store.protocol import Store


def row(job: Job) -> JobRow:
    """Say in plain words what a list shows."""
    return JobRow(
        id=job.id, client_id=job.client_id, workflow=job.workflow.name, group=job.group, state=job.state,
        status=job.status, tags=job.tags, stime=job.stime, mtime=job.mtime,
    )  # fmt: skip


def fulfils(job: Job, query: JobListQuery) -> bool:
    """Say in plain words what a query means."""
    return (
        matches(job, query.jobs)
        and set(query.all_tags) <= set(decode(job.tags))
        and job.client_id.encode().startswith(query.client_prefix.encode())
        and query.created.since <= job.stime < query.created.until
        and query.modified.since <= job.mtime < query.modified.until
    )


def counts(jobs: list[Job], query: JobListQuery) -> dict[tuple[str, str, str], int]:
    """Count in plain words."""
    return Counter((job.workflow.name, job.group, job.state) for job in jobs if fulfils(job, query))


async def pages(store: Store, query: JobListQuery) -> list[list[JobRow]]:
    """Read page after page, up to the last one."""
    found, after = [], query.after
    while True:
        page = await store.list_jobs(replace(query, after=after))
        found.append(list(page.rows))
        if (after := page.next) is None:
            return found


async def listed(store: Store, query: JobListQuery) -> list[JobRow]:
    """Read all rows."""
    return list(itertools.chain(*await pages(store, query)))


@pytest.fixture
async def jobs(store: Store, clock: SetClock) -> list[Job]:
    """48 jobs of two workflows, and three more that were created, and changed, later and later."""
    found = await populate(store)
    for n, client in enumerate(("press-1", "press-2", "präss")):
        clock.now = NOON + (n + 1) * 1_000_000
        job = await store.create_job(FLOW.name, begin(client, tags=["x", "y"][: n + 1]))
        clock.now += 500_000
        found.append(await store.change_job(job.id, move("RUN", message=client)))
    return found


CONDITIONS: list[dict[str, Any]] = [
    {},
    *({"jobs": JobQuery(*each)} for each in itertools.product(
        ("", "a", "press-1"), ("", "RUN"), ("", FLOW.name), ((), ("OPEN", "")), ((), ("x", "z")))),
    {"jobs": JobQuery(state="NOWHERE")},
    {"all_tags": ("x",)}, {"all_tags": ("x", "y")}, {"all_tags": ("x", "none")}, {"all_tags": ("y", "y")},
    {"all_tags": ("x", "y"), "jobs": JobQuery(state="RUN", tags=("y",))}, {"all_tags": ("\0",)},
    {"client_prefix": "press"}, {"client_prefix": "pr"}, {"client_prefix": "prä"}, {"client_prefix": "a"},
    {"client_prefix": "press-1x"}, {"client_prefix": "PRESS"}, {"client_prefix": "\0"}, {"client_prefix": "_"},
    {"client_prefix": "p", "jobs": JobQuery(tags=("y",)), "all_tags": ("x",)},
    {"created": Period(since=NOON + 1)}, {"created": Period(until=NOON + 2_000_000)},
    {"created": Period(NOON + 1_000_000, NOON + 3_000_000)}, {"modified": Period(since=NOON + 2_500_000)},
    {"modified": Period(until=NOON + 1)}, {"modified": Period(NOON + 1, NOON)},
    {"modified": Period(since=NOON + 1), "jobs": JobQuery(groups=("OPEN",)), "client_prefix": "press"},
]  # fmt: skip


async def test_every_condition_finds_what_it_says(store: Store, jobs: list[Job]) -> None:
    """All conditions must hold, and the rows come in the order of creation, in either direction."""
    for conditions in CONDITIONS:
        query = JobListQuery(**conditions, limit=1000)
        expected = [row(job) for job in jobs if fulfils(job, query)]
        assert await listed(store, query) == expected, query
        assert await listed(store, replace(query, descending=True)) == expected[::-1], query


async def test_every_condition_counts_what_it_says(store: Store, jobs: list[Job]) -> None:
    """Under the conditions of a list, a summary counts the jobs that the list has, by their states."""
    for conditions in CONDITIONS:
        query = JobListQuery(**conditions, limit=1)
        assert (await store.summarize_jobs(query)).counts == counts(jobs, query), query


@pytest.mark.parametrize("most", [1, 3, 1000])
async def test_a_prefix_is_exact_however_many_clients_have_it(
    store: Store, jobs: list[Job], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Clients whose ids begin so are found, and no others, at the edges of what characters there are, too."""
    ids = ("p\ud7ff", "p\ud7ff1", "p\ue000", "p\U0010ffff", "p\U0010ffffx", "q", "x" * 600, "x" * 599 + "y", "x" * 500)
    jobs += [await store.create_job(FLOW.name, begin(client)) for client in ids]
    monkeypatch.setattr(job_lists, "LOOKED_AT", most)
    for prefix in (*ids, "p", "x", "x" * 499, "x" * 501, "\U0010ffff"):
        query = JobListQuery(client_prefix=prefix)
        expected = [row(job) for job in jobs if fulfils(job, query)]
        assert await listed(store, query) == expected, prefix
        assert (await store.summarize_jobs(query)).counts == counts(jobs, query), prefix


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 5, 51])
async def test_pages_add_up(store: Store, jobs: list[Job], limit: int, *, descending: bool) -> None:
    """Page after page gives each matching job once, and all pages but the last are full."""
    for conditions in ({}, {"jobs": JobQuery(tags=("x", "y"))}, {"client_prefix": "press"}):
        query = JobListQuery(**conditions, limit=limit, descending=descending)
        expected = [row(job) for job in jobs if fulfils(job, query)]
        found = await pages(store, query)
        assert list(itertools.chain(*found)) == (expected[::-1] if descending else expected)
        assert {len(page) for page in found[:-1]} <= {limit}


@pytest.mark.parametrize("descending", [False, True])
async def test_a_page_looks_at_few_jobs(
    store: Store, jobs: list[Job], monkeypatch: pytest.MonkeyPatch, *, descending: bool
) -> None:
    """Where little fulfils a condition, pages end early, and those that follow find the rest."""
    monkeypatch.setattr(job_lists, "LOOKED_AT", 7)
    for module in ("sqlite", "postgres"):
        monkeypatch.setattr(f"wfx.store.{module}.job_list.LOOKED_AT_FIRST", 3)
    for conditions in ({"modified": Period(since=NOON + 1)}, {"created": Period(since=NOON + 1), "all_tags": ("x",)}):
        query = JobListQuery(**conditions, descending=descending)
        expected = [row(job) for job in jobs if fulfils(job, query)]
        found = await pages(store, query)
        assert list(itertools.chain(*found)) == (expected[::-1] if descending else expected)
        assert len(found) > 2


async def test_a_page_has_bounded_bytes(store: Store, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    """Large jobs make pages short; the first job of a page is shown however large it is."""
    monkeypatch.setattr(job_lists, "_ROOM", 1)
    found = await pages(store, JobListQuery(limit=10))
    assert found == [[row(job)] for job in jobs]


async def test_pages_go_on_where_they_ended_whatever_happens(store: Store, jobs: list[Job]) -> None:
    """Jobs that are created, changed or deleted between two pages make no other job come twice or be missed."""
    first = await store.list_jobs(JobListQuery(limit=10))
    assert first.next is not None
    await store.delete_job(jobs[9].id)
    await store.delete_job(jobs[10].id)
    changed = await store.change_job(jobs[11].id, tag("new"))
    new = await store.create_job(FLOW.name, begin())
    rest = await listed(store, JobListQuery(limit=10, after=first.next))
    assert [*first.rows, *rest] == [row(job) for job in [*jobs[:10], changed, *jobs[12:], new]]


async def test_an_empty_store_has_an_empty_page(store: Store) -> None:
    """Without jobs there is one page without rows."""
    bounds = await store.log_bounds()
    page = await store.list_jobs(JobListQuery())
    assert (page.rows, page.next, page.log_id, page.position) == ((), None, bounds.log_id, bounds.head)


async def test_rows_and_position_are_of_one_moment(store: Store, flow: Workflow) -> None:
    """While jobs are created without pause, a page has as many as its position has events for."""
    before = (await store.log_bounds()).head
    writes = together(*(store.create_job(flow.name, begin()) for _ in range(200)))
    reads = together(*(store.list_jobs(JobListQuery(limit=1000)) for _ in range(20)))
    _, found = await together(writes, reads)
    for page in found:
        assert len(page.rows) == page.position - before
