"""The contract of a store, as far as it concerns counts of jobs by state."""

from __future__ import annotations

import itertools
from collections import Counter

from tests.store.samples import FLOW, begin, move, together
from tests.store.test_queries import matches, populate
from wfx.domain.job import Job
from wfx.domain.job_list import JobListQuery
from wfx.domain.query import JobQuery, JobSummary, Paging
from wfx.domain.workflow import Group, State, Transition, Workflow
from wfx.store.protocol import Store

QUERIES = [
    JobQuery(client, state, workflow, groups, tags)
    for client, state, workflow, groups, tags in itertools.product(
        ("", "a", "nobody"),
        ("", "RUN", "NOWHERE"),
        ("", FLOW.name, "nothing"),
        ((), ("OPEN",), ("OPEN", ""), ("NONE",)),
        ((), ("x",), ("x", "y"), ("z",)),
    )
]


def counted(jobs: list[Job], query: JobQuery) -> dict[tuple[str, str, str], int]:
    """Count in plain words."""
    return Counter((job.workflow.name, job.group, job.state) for job in jobs if matches(job, query))


async def head_of(store: Store) -> tuple[str, int]:
    """Tell the log and its newest event."""
    bounds = await store.log_bounds()
    return bounds.log_id, bounds.head


async def test_an_empty_store_has_no_counts(store: Store) -> None:
    """Without jobs nothing is counted, and the position is the head of the log."""
    assert await store.summarize_jobs(JobListQuery()) == JobSummary({}, *await head_of(store))
    await store.create_workflow(FLOW)
    assert await store.summarize_jobs(JobListQuery()) == JobSummary({}, *await head_of(store))


async def test_every_combination_of_conditions_counts_what_it_finds(store: Store) -> None:
    """Whatever the conditions, as many jobs are counted in each state as a look at each job gives."""
    jobs = await populate(store)
    place = await head_of(store)
    for query in QUERIES:
        assert await store.summarize_jobs(JobListQuery(query)) == JobSummary(counted(jobs, query), *place), query


async def test_the_page_of_a_query_is_of_no_importance(store: Store) -> None:
    """All jobs that match are counted, whatever page of them is asked for."""
    jobs = await populate(store)
    paged = JobQuery(tags=("x",), paging=Paging(offset=5, limit=2, descending=True, with_total=True))
    assert (await store.summarize_jobs(JobListQuery(paged))).counts == counted(jobs, paged)


async def test_counts_follow_each_change(store: Store) -> None:
    """What was just created, moved or deleted is counted as it is now, and the position says so."""
    jobs = await populate(store)
    query = JobQuery(groups=("OPEN",))
    await store.summarize_jobs(JobListQuery(query))
    new = await store.create_job(FLOW.name, begin("c"))
    moved = await store.change_job(new.id, move("RUN"))
    await store.delete_job(jobs[0].id)
    summary = await store.summarize_jobs(JobListQuery(query))
    assert summary.counts == counted([*jobs[1:], moved], query)
    assert summary.position == (await store.log_bounds()).head


async def test_values_that_nothing_has_count_nothing(store: Store) -> None:
    """Values that no job can have, and tens of thousands of them, are fine."""
    await populate(store)
    many = tuple(f"g{n}" for n in range(40_000))
    for query in (JobQuery("\0"), JobQuery(tags=("\0",)), JobQuery(groups=many), JobQuery(tags=many)):
        assert (await store.summarize_jobs(JobListQuery(query))).counts == {}, query


async def test_a_workflow_of_thousands_of_states_can_be_counted(store: Store) -> None:
    """Jobs in more states than anybody keeps apart are counted in each."""
    names = [f"S{n}" for n in range(1100)]
    edges = tuple(Transition("NEW", name, FLOW.transitions[0].eligible) for name in names)
    wide = Workflow("wide", (State("NEW"), *map(State, names)), edges, (Group("ALL", tuple(names)),))
    await store.create_workflow(wide)
    jobs = await together(*(store.create_job("wide", begin()) for _ in names))
    jobs = await together(*(store.change_job(job.id, move(name)) for job, name in zip(jobs, names, strict=True)))
    for query in (JobQuery(), JobQuery(groups=("ALL",)), JobQuery("press-7"), JobQuery(state="S7")):
        assert (await store.summarize_jobs(JobListQuery(query))).counts == counted(jobs, query)


async def test_counts_and_position_are_of_one_moment(store: Store) -> None:
    """While jobs are created without pause, as many are counted as the position has events for."""
    flow = await store.create_workflow(FLOW)
    before = (await store.log_bounds()).head
    writes = together(*(store.create_job(flow.name, begin(tags=["x"])) for _ in range(300)))
    reads = together(*(store.summarize_jobs(JobListQuery(JobQuery(tags=("x",)))) for _ in range(30)))
    _, summaries = await together(writes, reads)
    for summary in summaries:
        assert sum(summary.counts.values()) == summary.position - before
